// Who believes what of whom at the time that is looked at. The matrix is walked forward change by change;
// to go back, it is taken from the nearest of a few copies and walked forward from there.
const matrix = (() => {
  const B = D.held, times = sum(B.t), COUNT = times.length;
  const STATUS = ["unknown", "alive", "suspect", "dead", "left"];
  const GLYPH = ["", "", "?", "✕", "–"];
  const every = Math.max(512, Math.ceil(COUNT / 24)), copies = [];
  let now = new Uint8Array(H * N), place = 0;
  B.first.forEach((row, observer) => {
    let subject = 0;
    for (const [, digit, run] of row.matchAll(/(\d)([0-9a-z]+),/g)) {
      const length = parseInt(run, 36);
      now.fill(Number(digit), observer * N + subject, observer * N + subject + length);
      subject += length;
    }
  });
  const apply = (i) => {
    const row = B.o[i] * N, k = B.k[i];
    if (k === 7) now.fill(0, row, row + N);
    else now[row + B.s[i]] = k === 5 ? 1 : k === 6 ? 2 : k;
  };
  const walk = (t) => {
    const target = after(times, t);
    if (target < place) { const copy = Math.floor(target / every); now.set(copies[copy]); place = copy * every; }
    while (place < target) {
      if (place % every === 0 && !copies[place / every]) copies[place / every] = now.slice();
      apply(place++);
    }
  };
  copies[0] = now.slice();

  // 0 right, 1 wrong, 2 wrong but cut off, 3 not known yet, 4 not classified.
  const classify = (observer, subject, t, seen) => {
    const status = now[observer * N + subject], host = D.subjects[subject][1];
    if (D.hosts[observer].subject === subject || seen[observer] !== "u") return 4;
    const real = host < 0 ? "g" : seen[host];
    if (status === 0) return real === "u" ? 3 : 4;
    if (real === "p" || real === "-") return 4;
    const wrong = real === "u" ? status !== 1 : status === 1;
    return wrong ? (host >= 0 && apart(observer, host, t) ? 2 : 1) : 0;
  };

  let box = null, size = 1, left = 0, upper = 0, focus = null;
  const paint = () => {
    const width = $("matrix").clientWidth, labels = H <= 40;
    left = labels ? 34 : 4; upper = labels ? 16 : 4;
    size = Math.min((width - left - 2) / Math.max(N, 1), 26, (labels ? 330 : 400) / Math.max(H, 1));
    // Whole pixels: a whole number of them for a cell, or of cells for one.
    size = size >= 1 ? Math.floor(size) : 1 / Math.ceil(1 / size);
    box = canvas("matrix", Math.ceil(upper + Math.max(H * size, 20) + 2));
    draw();
  };
  const draw = () => {
    if (!box) return;
    const { g, node, width, height } = box;
    walk(T);
    g.clearRect(0, 0, width, height);
    const seen = D.hosts.map((_, host) => truth(host, T)), tints = STATUS.map(colour), counts = [0, 0, 0, 0, 0];
    const gap = size >= 6 ? 1 : 0, wrongs = [], bad = colour("bad"), self = colour("self");
    // Cells smaller than a pixel: the worst of those that share one is what is seen.
    const block = Math.max(1, Math.round(1 / size)), weight = [0, 1, 3, 4, 2];
    let cells = 0;
    for (let row = 0; row < H; row += block) for (let column = 0; column < N; column += block) {
      let worst = 0, isSelf = false;
      for (let o = row; o < Math.min(row + block, H); o++) for (let s = column; s < Math.min(column + block, N); s++) {
        const outcome = classify(o, s, T, seen);
        counts[outcome]++;
        if (outcome === 1 || outcome === 2) wrongs.push([o, s, outcome]);
        const status = now[o * N + s];
        if (weight[status] > weight[worst]) worst = status;
        isSelf ||= D.hosts[o].subject === s;
      }
      const x = left + column * size, y = upper + row * size, step = size * block - gap;
      g.globalAlpha = seen[row] === "u" || block > 1 ? 1 : .35;
      g.fillStyle = isSelf && block === 1 ? self : tints[worst];
      g.fillRect(x, y, step, step);
      if (size >= 12 && !isSelf && GLYPH[worst]) {
        g.fillStyle = worst === 3 ? colour("on-dead") : colour("on-cell"); g.textAlign = "center";
        g.fillText(GLYPH[worst], x + step / 2, y + step / 2 + .5);
      }
      cells++;
    }
    g.globalAlpha = 1;
    if (size >= 5) for (const [o, s, outcome] of wrongs) {
      g.strokeStyle = outcome === 1 ? bad : colour("fault"); g.lineWidth = size >= 12 ? 2 : 1; g.setLineDash(outcome === 1 ? [] : [3, 2]);
      g.strokeRect(left + s * size + .5, upper + o * size + .5, size - gap - 1, size - gap - 1);
    }
    g.setLineDash([]);
    if (H <= 40) {
      const stepX = Math.max(1, Math.ceil(24 / size)), stepY = Math.max(1, Math.ceil(11 / size));
      g.font = "10.5px system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";
      const tint = (host) => seen[host] === "u" ? colour("ink") : colour("quiet");
      D.hosts.forEach((host, i) => { if (i % stepY === 0) { g.fillStyle = tint(i); g.textAlign = "right"; g.fillText(host.name + (seen[i] === "c" ? "✕" : ""), left - 5, upper + i * size + size / 2); } });
      D.subjects.forEach(([name, host], i) => { if (i % stepX === 0) { g.fillStyle = host >= 0 ? tint(host) : colour("quiet"); g.textAlign = "center"; g.fillText(short(name), left + i * size + size / 2, 7); } });
    }
    if (focus) {
      g.strokeStyle = colour("accent"); g.lineWidth = 2;
      g.strokeRect(left + focus[1] * size - 1, upper + focus[0] * size - 1, Math.max(size, 3) + 1, Math.max(size, 3) + 1);
    }
    const words = [amount(counts[0]) + " right", amount(counts[1]) + " wrong"];
    if (counts[2]) words.push(amount(counts[2]) + " wrong but cut off");
    if (counts[3]) words.push(amount(counts[3]) + " not known");
    $("matrix-sum").textContent = T < B.first_at ? "older changes were not kept: this is how it was at " + clock(B.first_at) : words.join(" · ");
    node.dataset.cells = cells;
    node.dataset.wrong = counts[1] + counts[2];
    describe();
  };

  const who = (subject) => subject < 0 ? "" : D.subjects[subject][0];
  const sentence = (i) => {
    const by = who(B.by[i]);
    switch (B.k[i]) {
      case 0: return "forgets it";
      case 1: return "holds it alive";
      case 2: return "suspects it" + (by ? ", accused by " + by : "");
      case 3: return "calls it Dead" + (by ? ", declared by " + by : "");
      case 4: return "knows that it left" + (by ? ", removed by " + by : "");
      case 5: return "holds it alive: it refuted" + (by ? " " + by : "");
      case 6: return "hears one more accuser" + (by ? ", " + by : "");
      default: return "has an empty table: its process began, ended or started over";
    }
  };
  const describe = () => {
    const into = $("cell");
    into.replaceChildren();
    if (!focus) { into.append(el("span", { class: "quiet" }, "Point at a cell, or walk with the arrow keys: what this observer believed of this subject, and why.")); return; }
    const [observer, subject] = focus, host = D.subjects[subject][1], real = host < 0 ? "no host ever had this name" : TRUTH[truth(host, T)];
    into.append(el("b", null, D.hosts[observer].name), " holds ", el("b", null, who(subject)), ": " + (D.hosts[observer].subject === subject ? "that is itself" : STATUS[now[observer * N + subject]]) + ". In truth: " + real + (host >= 0 && host !== observer && apart(observer, host, T) ? ", and cut off from it" : "") + ".");
    const list = el("ol");
    let current = null;
    for (let i = 0; i < COUNT; i++) {
      if (B.o[i] !== observer || (B.s[i] !== subject && B.k[i] !== 7)) continue;
      const item = el("li", null, el("span", null, clock(times[i])), sentence(i));
      if (times[i] <= T) current = item;
      list.append(item);
    }
    if (current) current.className = "now";
    into.append(list);
    if (current) list.scrollTop = Math.max(0, current.offsetTop - list.offsetTop - 20);
  };

  const start = () => {
    const node = $("matrix");
    const at = (event) => {
      const o = Math.floor((event.offsetY - upper) / size), s = Math.floor((event.offsetX - left) / size);
      return o >= 0 && o < H && s >= 0 && s < N ? [o, s] : null;
    };
    node.addEventListener("pointermove", (event) => { const cell = at(event); if (cell && String(cell) !== String(focus)) { focus = cell; draw(); } });
    node.addEventListener("keydown", (event) => {
      const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!step) return;
      const [o, s] = focus || [0, -1];
      focus = [Math.min(Math.max(o + step[0], 0), H - 1), Math.min(Math.max(s + step[1], 0), N - 1)];
      draw();
      event.preventDefault();
    });
    STATUS.forEach((name, i) => {
      const swatch = el("span", { class: "swatch" }, GLYPH[i]); swatch.style.background = `var(--${name})`;
      if (i === 3) swatch.style.color = "var(--on-dead)";
      $("matrix-legend").append(el("span", null, swatch, name));
    });
    const wrong = el("span", { class: "swatch" }); wrong.style.boxShadow = "inset 0 0 0 2px var(--bad)";
    $("matrix-legend").append(el("span", null, wrong, "not so"));
    watchers.push(draw);
  };
  return { start, paint, times };
})();
