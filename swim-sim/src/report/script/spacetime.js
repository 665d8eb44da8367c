// The space-time diagram: a line for each host, time from left to right, a slanted line for each datagram
// from where and when it was sent to where and when it was handed to a node.
const spacetime = (() => {
  const G = D.datagrams, times = sum(G.t), COUNT = times.length;
  const LEFT = 40, RIGHT = 10, TOP = 18, ROWS_MAX = 24;
  const WINDOWS = [2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6, 5e6, 1e7];
  const FATES = { a: "arrived", l: "lost by the link", b: "lost in a burst", q: "found the queue of a narrow link full", m: "longer than the link lets pass", g: "with some bits flipped", c: "kept back by a partition or a cut", x: "dropped by a hook", n: "never handed to a node", f: "forged by a stranger", d: "a copy that the network made" };
  const changes = D.held, changeTimes = sum(changes.t);
  const longest = G.took.reduce((most, took) => Math.max(most, took), 0);
  let zoom = 7, box = null, rows = [], shown = [], chosen = -1;
  const off = new Set();
  const width = () => WINDOWS[zoom];
  const from = () => Math.min(Math.max(T - width() / 2, -width() * .02), Math.max(END - width() * .98, -width() * .02));
  const x = (t) => LEFT + ((t - from()) / width()) * (box.width - LEFT - RIGHT);
  const rowOf = (host) => rows.indexOf(host);
  const y = (row) => TOP + (row + .5) * ((box.height - TOP - 20) / Math.max(rows.length, 1));

  // Those that were sent in the window, or before it and still under way.
  const inWindow = () => {
    const begin = from(), end = begin + width(), list = [];
    for (let i = after(times, begin - Math.min(longest, 6e7) - 1); i < COUNT && times[i] <= end; i++) {
      const arrival = times[i] + G.took[i], waited = G.took[i] > 1e6;
      if (times[i] >= begin || (G.took[i] >= 0 && arrival >= begin && (!waited || arrival <= end))) list.push(i);
    }
    return list;
  };
  // In a large cluster only what is between two hosts that have a line.
  const hasRoom = (i) => {
    const a = rowOf(G.a[i]), b = rowOf(G.b[i]);
    return H > ROWS_MAX ? a >= 0 && b >= 0 : a >= 0 || b >= 0;
  };
  // The widest window that is not crowded.
  const fit = () => {
    for (zoom = WINDOWS.length - 1; zoom > 0; zoom--) {
      const list = inWindow();
      chooseRows(list);
      if (list.filter(hasRoom).length <= 260) break;
    }
  };
  // In a large cluster only some hosts have room: those that it is about, and those that say most.
  const chooseRows = (list) => {
    if (H <= ROWS_MAX) { rows = D.hosts.map((_, i) => i); return; }
    const said = new Map();
    const count = (host, weight) => { if (host >= 0) said.set(host, (said.get(host) || 0) + weight); };
    D.facts.hosts.forEach((host) => count(host, 1e6));
    list.forEach((i) => { count(G.a[i], 1); count(G.b[i], 1); });
    rows = [...said].sort((a, b) => b[1] - a[1] || a[0] - b[0]).slice(0, ROWS_MAX).map(([host]) => host).sort((a, b) => a - b);
  };

  const cross = (g, px, py, tint, r = 3) => {
    g.strokeStyle = tint; g.setLineDash([]); g.lineWidth = 1.4; g.beginPath();
    g.moveTo(px - r, py - r); g.lineTo(px + r, py + r); g.moveTo(px + r, py - r); g.lineTo(px - r, py + r); g.stroke();
  };
  const paint = () => {
    box = canvas("space", Math.max(200, Math.min(352, 40 + Math.min(H, ROWS_MAX) * 26)));
    draw();
  };
  const draw = () => {
    if (!box) return;
    const { g, node } = box, list = inWindow(), begin = from(), end = begin + width();
    g.clearRect(0, 0, box.width, box.height);
    chooseRows(list);
    const step = [1e3, 2e3, 5e3, 1e4, 2e4, 5e4, 1e5, 2e5, 5e5, 1e6, 2e6].find((s) => (width() / s) * 78 < box.width - LEFT) || 5e6;
    const digits = Math.max(0, 6 - Math.floor(Math.log10(step)));
    for (let t = Math.max(0, Math.ceil(begin / step) * step); t <= Math.min(end, END); t += step) {
      g.strokeStyle = colour("faint"); g.lineWidth = 1; g.beginPath(); g.moveTo(x(t), TOP); g.lineTo(x(t), box.height - 18); g.stroke();
      g.fillStyle = colour("quiet"); g.textAlign = "center";
      if (x(t) > LEFT + 14 && x(t) < box.width - 24) g.fillText((t / 1e6).toFixed(digits) + " s", x(t), box.height - 8);
    }
    g.save();
    g.beginPath(); g.rect(LEFT, 0, box.width - LEFT - RIGHT + 4, box.height - 16); g.clip();
    rows.forEach((host, row) => {
      const [at, letters] = truths[host];
      letters.forEach((letter, j) => {
        const a = Math.max(at[j], begin), b = Math.min(j + 1 < at.length ? at[j + 1] : END, end);
        if (b < a) return;
        g.setLineDash(letter === "u" ? [] : letter === "p" ? [6, 4] : [1, 5]);
        g.strokeStyle = letter === "u" ? colour("quiet") : letter === "p" ? colour("suspect") : colour("dead");
        g.lineWidth = letter === "p" ? 3 : 1;
        g.beginPath(); g.moveTo(x(a), y(row)); g.lineTo(x(b), y(row)); g.stroke();
        if (letter === "c" && at[j] >= begin) cross(g, x(at[j]), y(row), colour("dead"), 5);
      });
    });
    shown = [];
    const perKind = new Map();
    let drawn = 0;
    for (const i of list) {
      const kind = G.kind[i];
      if (!hasRoom(i)) continue;
      perKind.set(kind, (perKind.get(kind) || 0) + 1);
      if (off.has(kind)) continue;
      const a = rowOf(G.a[i]), b = rowOf(G.b[i]);
      const x1 = x(times[i]), y1 = a < 0 ? TOP - 6 : y(a), y2 = b < 0 ? TOP - 6 : y(b);
      const lost = G.took[i] < 0;
      const stub = Math.min(14, Math.max(4, 600 / width() * box.width));
      // What waited in the inbox of a stopped process has two ends and no line between them.
      if (G.took[i] > 1e6) {
        g.setLineDash([]); g.strokeStyle = kindColour(kind); g.lineWidth = i === chosen ? 3 : 1.2;
        for (const [px, y0, toward] of [[x1, y1, 1], [x(times[i] + G.took[i]), y2, -1]]) {
          if (px < LEFT - 20 || px > box.width + 20) continue;
          const qx = px + toward * stub, qy = y0 + toward * (y2 - y1) * .4;
          g.beginPath(); g.moveTo(px, y0); g.lineTo(qx, qy); g.stroke();
          g.beginPath(); g.arc(qx, qy, 2.6, 0, 7); g.stroke();
          shown.push([i, px, y0, qx, qy]);
        }
        drawn++;
        continue;
      }
      // What never arrives ends half-way, soon.
      const x2 = lost ? x1 + stub : x(times[i] + G.took[i]);
      const end2 = lost ? y1 + (y2 - y1) * .5 : y2;
      g.setLineDash(kindDash(kind)); g.strokeStyle = kindColour(kind);
      g.lineWidth = i === chosen ? 3 : 1.2; g.globalAlpha = chosen >= 0 && i !== chosen ? .45 : .9;
      g.beginPath(); g.moveTo(x1, y1); g.lineTo(x2, end2); g.stroke();
      g.globalAlpha = 1;
      if (lost) cross(g, x2, end2, colour(G.fate[i] === "c" ? "fault" : "dead"), 2.6);
      else { g.fillStyle = kindColour(kind); g.beginPath(); g.arc(x2, end2, 1.8, 0, 7); g.fill(); }
      shown.push([i, x1, y1, x2, end2]);
      drawn++;
    }
    g.setLineDash([]);
    // What the observers made of it: suspicions, refutations, deaths.
    g.textAlign = "center"; g.font = "bold 12px system-ui, sans-serif";
    let marks = 0;
    for (let i = after(changeTimes, begin); i < changeTimes.length && changeTimes[i] <= end; i++) {
      const row = rowOf(changes.o[i]), k = changes.k[i];
      if (row < 0 || ![2, 3, 5].includes(k) || marks > 400) continue;
      const name = short(D.subjects[changes.s[i]][0]), px = x(changeTimes[i]), py = y(row);
      const tint = k === 2 ? "suspect" : k === 3 ? "dead" : "good";
      g.fillStyle = colour("panel"); g.beginPath(); g.arc(px, py, 5.5, 0, 7); g.fill();
      g.strokeStyle = g.fillStyle = colour(tint); g.lineWidth = 1.4; g.beginPath(); g.arc(px, py, 5.5, 0, 7); g.stroke();
      g.font = "bold 8.5px system-ui, sans-serif"; g.fillText(k === 2 ? "?" : k === 3 ? "✕" : "✓", px, py + .5);
      if (width() <= 5e5 || marks < 40) { g.font = "10px system-ui, sans-serif"; g.textAlign = "left"; g.fillText(name, px + 7, py - 6); g.textAlign = "center"; }
      marks++;
    }
    g.strokeStyle = colour("accent"); g.lineWidth = 1.2; g.beginPath(); g.moveTo(x(T), TOP - 8); g.lineTo(x(T), box.height - 18); g.stroke();
    if (D.facts.failed_at_ns !== null) {
      const at = D.facts.failed_at_ns / 1000;
      if (at >= begin && at <= end) {
        g.strokeStyle = colour("bad"); g.setLineDash([4, 3]); g.beginPath(); g.moveTo(x(at) + 1, TOP - 8); g.lineTo(x(at) + 1, box.height - 18); g.stroke(); g.setLineDash([]);
        g.fillStyle = colour("bad"); g.font = "11px system-ui, sans-serif"; g.textAlign = "left"; g.fillText("✕ failure", x(at) + 5, 8);
      }
    }
    g.restore();
    g.font = "11px system-ui, 'Segoe UI', 'Noto Sans', sans-serif";
    rows.forEach((host, row) => {
      g.textAlign = "right"; g.fillStyle = D.facts.hosts.includes(host) ? colour("bad") : truth(host, T) === "u" ? colour("ink") : colour("quiet");
      g.fillText(D.hosts[host].name, LEFT - 8, y(row));
    });
    if (COUNT && !drawn) {
      g.fillStyle = colour("quiet"); g.textAlign = "center";
      g.fillText(list.length ? "Nothing of the chosen kinds." : "None here. Datagrams were kept from " + clock(times[0]) + " to " + clock(times[COUNT - 1]) + ".", box.width / 2, box.height / 2 - 12);
    }
    node.dataset.datagrams = drawn;
    node.dataset.kept = COUNT;
    $("zoom").textContent = span(width());
    $("space-sum").textContent = amount(drawn) + " in " + span(width()) + (H > ROWS_MAX ? " between " + rows.length + " of " + amount(H) + " hosts" : "");
    chips(perKind);
    describe();
  };

  const allKinds = [...new Set(G.kind)].sort((a, b) => a - b), labels = new Map();
  const chips = (perKind) => { for (const [kind, label] of labels) label.textContent = kindName(kind) + " " + amount(perKind.get(kind) || 0); };
  const line = (kind) => {
    const picture = svg("svg", { width: 18, height: 8 });
    picture.append(svg("line", { x1: 0, x2: 18, y1: 4, y2: 4, "stroke-width": 2, "stroke-dasharray": kindDash(kind).join(" "), style: `stroke:var(--${kindTint(kind)})` }));
    return picture;
  };
  const name = (host) => host < 0 ? "outside" : D.hosts[host].name;
  const describe = () => {
    const into = $("datagram");
    into.replaceChildren();
    if (chosen < 0) { into.append(el("span", { class: "quiet" }, "Click a line for what the datagram says. ✕ on a line: it never arrived; ○: it waited in the inbox of a stopped process. On a host’s line: ? it begins to suspect, ✓ a refutation, ✕ it calls a member Dead.")); return; }
    const fate = G.fate[chosen], took = G.took[chosen];
    into.append(el("b", null, kindName(G.kind[chosen]) + " " + name(G.a[chosen]) + " → " + name(G.b[chosen])), " sent " + (times[chosen] / 1e6).toFixed(6) + " s, " + (took >= 0 ? "handed over " + span(took) + " later" + (fate === "a" ? "" : " (" + FATES[fate] + ")") : FATES[fate]) + ". ",
      el("br"), el("code", null, G.text[chosen] || "(what it said was not kept)"));
  };
  const choose = (i) => { chosen = i; draw(); };

  const start = () => {
    const node = $("space");
    for (const kind of allKinds) {
      const box = el("input", { type: "checkbox", checked: "" }), label = el("span");
      labels.set(kind, label);
      box.addEventListener("change", () => { if (box.checked) off.delete(kind); else off.add(kind); draw(); });
      $("kinds").append(el("label", null, box, line(kind), label));
    }
    const turn = (by) => { zoom = Math.min(Math.max(zoom + by, 0), WINDOWS.length - 1); draw(); };
    $("zoom-in").addEventListener("click", () => turn(-1));
    $("zoom-out").addEventListener("click", () => turn(1));
    node.addEventListener("wheel", (event) => { if (event.ctrlKey || event.metaKey) { event.preventDefault(); turn(event.deltaY > 0 ? 1 : -1); } }, { passive: false });
    let drag = null;
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); drag = { x: event.offsetX, t: T, moved: false }; });
    node.addEventListener("pointermove", (event) => {
      if (!drag || !event.buttons) return;
      if (Math.abs(event.offsetX - drag.x) > 3) drag.moved = true;
      if (drag.moved) look(drag.t - ((event.offsetX - drag.x) / (box.width - LEFT - RIGHT)) * width());
    });
    node.addEventListener("pointerup", (event) => {
      if (drag && !drag.moved) {
        let best = -1, least = 8;
        for (const [i, x1, y1, x2, y2] of shown) {
          const dx = x2 - x1, dy = y2 - y1, along = Math.min(Math.max(((event.offsetX - x1) * dx + (event.offsetY - y1) * dy) / (dx * dx + dy * dy || 1), 0), 1);
          const away = Math.hypot(event.offsetX - x1 - along * dx, event.offsetY - y1 - along * dy);
          if (away < least) { least = away; best = i; }
        }
        choose(best);
      }
      drag = null;
    });
    node.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: -1, ArrowRight: 1 }[event.key], next = { ArrowUp: -1, ArrowDown: 1 }[event.key];
      if (move) look(T + move * width() / 20);
      else if (next && shown.length) {
        const order = shown.map(([i]) => i), at = order.indexOf(chosen);
        const near = order.findIndex((i) => times[i] >= T);
        choose(order[at < 0 ? Math.max(near, 0) : (at + next + order.length) % order.length]);
      }
      else if (event.key === "+" || event.key === "=") turn(-1);
      else if (event.key === "-") turn(1);
      else if (event.key === "Escape") choose(-1);
      else return;
      event.preventDefault();
    });
    watchers.push(draw);
  };
  return { start, paint, fit };
})();
