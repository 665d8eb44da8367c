// The whole run at a glance: phases, faults, what each host really did, and how much was suspected,
// refuted and called Dead; a scrubber chooses the time that everything else shows.
const timeline = (() => {
  const LEFT = 74, RIGHT = 12;
  const laneHeight = H <= 20 ? 10 : H <= 40 ? 5 : Math.max(150 / H, 0.2);
  const wide = (band) => band.hosts.length === 0 || band.groups.some((group) => group.length > 1) || band.hosts.length > Math.max(2, H / 3);
  const names = (hosts) => hosts.length > 6 ? hosts.length + " hosts" : hosts.map((host) => D.hosts[host].name).join(" ");
  const title = (band) => band.class === "partition" ? "partition: " + band.groups.map(names).join(" | ") + (band.groups.flat().length < H ? " | the rest" : "") : band.class;
  // Faults of the whole cluster are stacked so that none hides another.
  const rows = [];
  for (const band of D.bands.filter(wide)) {
    let row = rows.findIndex((end) => end <= band.from);
    if (row < 0) row = rows.length < 4 ? rows.length : 3;
    rows[row] = band.to === null ? END : Math.max(band.to, band.from + END / 200);
    band.row = row;
  }
  const top = 20, lanes = top + rows.length * 14 + (rows.length ? 4 : 0);
  const density = lanes + H * laneHeight + 6;
  const HEIGHT = density + 3 * 12 + 20;
  const times = sum(D.held.t);
  const rowsOfEvents = [["suspicions", 2, "suspect"], ["refuted", 5, "alive"], ["dead", 3, "dead"]];
  let box = null, picture = null;
  const x = (t) => LEFT + (t / END) * (box.width - LEFT - RIGHT);

  const axisStep = () => {
    const steps = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600, 7200];
    return (steps.find((step) => (END / 1e6 / step) * 70 < box.width) || 14400) * 1e6;
  };
  const hatch = (g, from, y, width, height, tint) => {
    g.save();
    g.beginPath(); g.rect(from, y, width, height); g.clip();
    g.strokeStyle = tint; g.lineWidth = 1;
    for (let at = from - height; at < from + width; at += 4) { g.beginPath(); g.moveTo(at, y + height); g.lineTo(at + height, y); g.stroke(); }
    g.restore();
  };

  const paint = () => {
    box = canvas("timeline", HEIGHT);
    const { g, width } = box, line = colour("line"), quiet = colour("quiet"), ink = colour("ink");
    const step = axisStep();
    for (let t = 0; t <= END; t += step) {
      g.strokeStyle = colour("faint"); g.beginPath(); g.moveTo(x(t) + .5, top - 4); g.lineTo(x(t) + .5, HEIGHT - 16); g.stroke();
      g.fillStyle = quiet; g.textAlign = "center"; g.fillText((t / 1e6) + " s", x(t), HEIGHT - 7);
    }
    g.textAlign = "left";
    let shown = -1e9;
    D.phases.forEach(([t, name], i) => {
      const end = i + 1 < D.phases.length ? D.phases[i + 1][0] : END;
      if (end <= t && i + 1 < D.phases.length) return;
      g.fillStyle = i % 2 ? colour("faint") : line; g.fillRect(x(t), 2, Math.max(x(end) - x(t), 1), 13);
      const room = x(end) - x(t);
      if (room > name.length * 6 + 6 && x(t) > shown) { g.fillStyle = ink; g.fillText(name, x(t) + 5, 9); shown = x(t); }
    });
    g.fillStyle = quiet; g.textAlign = "right";
    g.fillText("phase", LEFT - 8, 9);
    if (rows.length) g.fillText("faults", LEFT - 8, top + 6);
    for (const band of D.bands.filter(wide)) {
      const from = x(band.from), length = Math.max(x(band.to === null ? END : band.to) - from, 2), y = top + band.row * 14;
      g.fillStyle = colour("fault-back"); g.fillRect(from, y, length, 12);
      g.fillStyle = colour("fault"); g.fillRect(from, y, 2, 12);
      g.textAlign = "left";
      const label = [title(band), band.class].find((text) => g.measureText(text).width + 10 < length);
      if (label) { g.fillStyle = ink; g.fillText(label, from + 6, y + 6.5); }
    }
    const gap = laneHeight > 4 ? 1.5 : 0, tints = { u: colour("up"), p: colour("paused"), c: colour("crashed"), g: colour("gone") };
    D.hosts.forEach((host, i) => {
      const y = lanes + i * laneHeight, [at, letters] = truths[i];
      letters.forEach((letter, j) => {
        const from = x(at[j]), to = x(j + 1 < at.length ? at[j + 1] : END);
        const thin = letter === "c" || letter === "g" ? laneHeight / 3 : 0;
        g.fillStyle = tints[letter];
        g.fillRect(from, y + gap / 2 + thin, Math.max(to - from, 1), Math.max(laneHeight - gap - 2 * thin, .5));
        if (letter === "p" && laneHeight > 4) hatch(g, from, y + gap / 2, to - from, laneHeight - gap, quiet);
        if (letter === "c" && laneHeight > 6) {
          g.strokeStyle = colour("dead"); g.lineWidth = 1.6;
          g.beginPath(); g.moveTo(from - 3, y + 2); g.lineTo(from + 3, y + 8); g.moveTo(from + 3, y + 2); g.lineTo(from - 3, y + 8); g.stroke();
        }
      });
      const every = Math.ceil(10 / laneHeight);
      if (i % every === 0 || laneHeight >= 9) { g.fillStyle = D.facts.hosts.includes(i) ? colour("bad") : quiet; g.textAlign = "right"; g.fillText(host.name, LEFT - 8, y + Math.max(laneHeight, 5) / 2); }
    });
    for (const band of D.bands) {
      if ((wide(band) && !band.groups.length) || band.class === "crash" || band.class === "pause" || band.class === "restart") continue;
      const from = x(band.from), length = Math.max(x(band.to === null ? END : band.to) - from, 2);
      for (const host of band.hosts.filter((host) => host < H)) {
        g.fillStyle = band.to === band.from ? colour("fault") : colour("fault-back");
        g.fillRect(from, lanes + host * laneHeight, length, laneHeight - gap);
        g.fillStyle = colour("fault"); g.fillRect(from, lanes + host * laneHeight, 2, laneHeight - gap);
      }
    }
    rowsOfEvents.forEach(([name, code, tint], row) => {
      const y = density + row * 12, counts = new Map();
      D.held.k.forEach((k, i) => { if (k === code) { const at = Math.round(x(times[i])); counts.set(at, (counts.get(at) || 0) + 1); } });
      const most = Math.max(1, ...counts.values());
      g.fillStyle = quiet; g.textAlign = "right"; g.fillText(name, LEFT - 8, y + 6);
      g.fillStyle = colour(tint);
      for (const [at, count] of counts) { const h = 3 + 7 * (count / most); g.fillRect(at - .5, y + 11 - h, 1.5, h); }
      g.fillStyle = line; g.fillRect(LEFT, y + 11, width - LEFT - RIGHT, .5);
    });
    if (D.facts.failed_at_ns !== null) {
      const at = x(D.facts.failed_at_ns / 1000);
      g.strokeStyle = colour("bad"); g.setLineDash([4, 3]); g.lineWidth = 1.5; g.beginPath(); g.moveTo(at, 0); g.lineTo(at, HEIGHT - 16); g.stroke(); g.setLineDash([]);
      g.fillStyle = colour("bad"); g.textAlign = at > width - 60 ? "right" : "left"; g.fillText("✕ failure", at + (at > width - 60 ? -4 : 4), density - 2);
    }
    picture = g.getImageData(0, 0, box.node.width, box.node.height);
    box.node.dataset.bands = D.bands.length;
    cursor();
  };

  const cursor = () => {
    if (!box) return;
    const { g, node } = box, at = x(T);
    g.putImageData(picture, 0, 0);
    g.strokeStyle = colour("accent"); g.lineWidth = 1.5; g.beginPath(); g.moveTo(at, 0); g.lineTo(at, HEIGHT - 16); g.stroke();
    g.fillStyle = colour("accent"); g.beginPath(); g.moveTo(at - 5, 0); g.lineTo(at + 5, 0); g.lineTo(at, 7); g.fill();
    $("clock").textContent = clock(T);
    node.setAttribute("aria-valuemin", 0); node.setAttribute("aria-valuemax", END); node.setAttribute("aria-valuenow", Math.round(T));
    node.setAttribute("aria-valuetext", clock(T));
  };

  const start = () => {
    const node = $("timeline");
    const seek = (event) => look(((event.offsetX - LEFT) / (box.width - LEFT - RIGHT)) * END);
    node.addEventListener("pointerdown", (event) => { node.setPointerCapture(event.pointerId); seek(event); });
    node.addEventListener("pointermove", (event) => { if (event.buttons) seek(event); });
    node.addEventListener("keydown", (event) => {
      const step = END / (event.shiftKey ? 10 : event.altKey ? 10000 : 100);
      const to = { ArrowLeft: T - step, ArrowRight: T + step, Home: 0, End: END }[event.key];
      if (to !== undefined) { look(to); event.preventDefault(); }
    });
    let playing = null;
    const stop = () => { cancelAnimationFrame(playing); playing = null; $("play").textContent = "▶"; $("play").setAttribute("aria-label", "Play"); };
    $("play").addEventListener("click", () => {
      if (playing !== null) return stop();
      if (T >= END) look(0);
      let last = null;
      const frame = (now) => {
        if (last !== null) look(T + (now - last) * 1000 * Number($("speed").value));
        last = now;
        if (T >= END) stop(); else playing = requestAnimationFrame(frame);
      };
      $("play").textContent = "❚❚"; $("play").setAttribute("aria-label", "Pause");
      playing = requestAnimationFrame(frame);
    });
    if (D.facts.failed_at_ns !== null) {
      $("to-failure").hidden = false;
      $("to-failure").addEventListener("click", () => look(D.facts.failed_at_ns / 1000));
    }
    for (const [name, tint] of [["up", "up"], ["stopped", "paused"], ["crashed", "crashed"], ["gone", "gone"], ["fault", "fault"]]) {
      const swatch = el("span", { class: "swatch" }); swatch.style.background = `var(--${tint})`;
      $("timeline-legend").append(el("span", null, swatch, name));
    }
    watchers.push(cursor);
  };
  return { start, paint };
})();
