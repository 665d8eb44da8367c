// Distributions and load, as small charts with their numbers beneath.
const charts = (() => {
  const W = 400, HEIGHT = 170, L = 40, R = 12, TOP = 12, BOTTOM = 26;
  const NAMES = { alive: "alive, new", suspect: "suspect", dead: "dead", left: "left", broadcast: "broadcast" };
  const LOOK = { alive: ["good", ""], suspect: ["suspect", "6 3"], dead: ["dead", ""], left: ["left", "2 3"], broadcast: ["accent", "8 2 2 2"] };
  const nice = (most) => {
    const scale = 10 ** Math.floor(Math.log10(Math.max(most, 1)));
    return [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10].map((f) => f * scale).find((value) => value >= most) || most;
  };
  // Axes with round numbers; `unit` turns a value into text.
  const frame = (label, most, tall, unit, percent) => {
    const root = svg("svg", { viewBox: `0 0 ${W} ${HEIGHT}`, class: "chart", role: "img", "aria-label": label });
    const x = (v) => L + (v / most) * (W - L - R), y = (v) => HEIGHT - BOTTOM - (v / tall) * (HEIGHT - TOP - BOTTOM);
    for (let i = 0; i <= 4; i++) {
      const v = (tall / 4) * i;
      root.append(svg("line", { x1: L, x2: W - R, y1: y(v), y2: y(v), class: "axis" }));
      root.append(svg("text", { x: L - 6, y: y(v) + 4, "text-anchor": "end" }, percent ? Math.round(v * 100) + " %" : String(Number(v.toPrecision(3)))));
      const h = (most / 4) * i;
      root.append(svg("text", { x: x(h), y: HEIGHT - 9, "text-anchor": i === 0 ? "start" : i === 4 ? "end" : "middle" }, unit(h)));
    }
    return { root, x, y };
  };
  const curve = (points, x, y) => {
    let path = `M${x(0).toFixed(1)} ${y(0).toFixed(1)}`;
    points.forEach((v, i) => { path += `H${x(v).toFixed(1)}V${y((i + 1) / points.length).toFixed(1)}`; });
    return path;
  };

  const detection = () => {
    const into = $("detection"), { took, bound, cases, missed } = D.detection;
    into.replaceChildren();
    if (!took) { into.append(el("p", { class: "empty" }, cases.length ? "No member noticed any of the crashes before the end." : "No host crashed in this run.")); return; }
    const most = nice(Math.max(took.max, bound && bound < took.max * 6 ? bound : 0) * 1.02);
    const { root, x, y } = frame("Share of survivors that called a crashed member Dead, by time since the crash", most, 1, span, true);
    root.append(svg("path", { d: curve(took.points, x, y), class: "curve", style: "stroke:var(--accent)" }));
    if (bound && bound <= most) {
      root.append(svg("line", { x1: x(bound), x2: x(bound), y1: TOP, y2: HEIGHT - BOTTOM, class: "bound" }));
      root.append(svg("text", { x: x(bound) - 4, y: TOP + 10, "text-anchor": "end", class: "bound" }, "bound " + span(bound)));
    }
    into.append(root, table([["n", 1], ["p50", 1], ["p99", 1], ["max", 1], ["bound", 1], ["not noticed", 1]],
      [[amount(took.n), span(took.p50), span(took.p99), span(took.max), bound ? span(bound) : "–", amount(missed)]]));
    const rows = cases.slice(0, 200).map(([host, at, noticed, first, last, late]) => Object.assign(
      [D.hosts[host].name, clock(at), noticed + " of " + (noticed + late), noticed ? span(first) : "–", noticed ? span(last) : "–"], { bad: bound !== null && noticed > 0 && last > bound }));
    into.append(el("div", { class: "scroll", style: "max-height:150px" }, table([["victim"], ["crash at", 1], ["noticed by", 1], ["first", 1], ["last", 1]], rows)));
    into.append(el("p", { class: "quiet" }, "The bound is for one crash while nothing else is wrong."));
  };

  const spread = () => {
    const into = $("spread"), some = D.spread.filter((row) => row.took);
    into.replaceChildren();
    if (!some.length) { into.append(el("p", { class: "empty" }, "No news went from one member to another.")); return; }
    const sorted = some.map((row) => row.took.p99).sort((a, b) => a - b), most = nice(Math.max(sorted[Math.floor((sorted.length - 1) / 2)] * 1.5, sorted[0]));
    const { root, x, y } = frame("Share of members that know, by time since the first who knew", most, 1, span, true);
    for (const row of some) {
      const inside = row.took.points.filter((v) => v <= most), all = row.took.points.length;
      let path = `M${x(0).toFixed(1)} ${y(0).toFixed(1)}`;
      inside.forEach((v, i) => { path += `H${x(v).toFixed(1)}V${y((i + 1) / all).toFixed(1)}`; });
      if (inside.length < all) path += `H${W - R}`;
      root.append(svg("path", { d: path, class: "curve", style: `stroke:var(--${LOOK[row.news][0]});stroke-dasharray:${LOOK[row.news][1] || "none"}` }));
    }
    const swatch = (news) => {
      const mark = svg("svg", { width: 22, height: 8, style: "margin-right:6px" });
      mark.append(svg("line", { x1: 0, x2: 22, y1: 4, y2: 4, style: `stroke:var(--${LOOK[news][0]});stroke-width:2;stroke-dasharray:${LOOK[news][1] || "none"}` }));
      return el("span", null, mark, NAMES[news]);
    };
    into.append(root, table([["news"], ["stories", 1], ["n", 1], ["p50", 1], ["p99", 1], ["max", 1]],
      some.map((row) => [swatch(row.news), amount(row.stories), amount(row.took.n), span(row.took.p50), span(row.took.p99), span(row.took.max)])));
  };

  const load = () => {
    const into = $("load"), { slice, members, datagrams, bytes } = D.load, seconds = slice / 1e6;
    into.replaceChildren();
    if (!datagrams.length || !members.length) { into.append(el("p", { class: "empty" }, "Nothing was sent.")); return; }
    const rate = (v) => v / seconds, top = nice(Math.max(...datagrams.map((row) => row[2])) / seconds);
    const { root, x, y } = frame("Datagrams that a member sends per second: least, middle and most of all members, over time", datagrams.length * slice, Math.max(top, 1), span, false);
    const edge = (i) => datagrams.map((row, j) => `${x((j + .5) * slice).toFixed(1)} ${y(rate(row[i])).toFixed(1)}`);
    root.append(svg("path", { d: "M" + edge(2).join("L") + "L" + edge(0).reverse().join("L") + "Z", style: "fill:var(--fault-back)" }));
    root.append(svg("path", { d: "M" + edge(1).join("L"), class: "curve", style: "stroke:var(--fault)" }));
    root.append(svg("text", { x: L, y: 8 }, "datagrams sent per second: middle member, least to most"));
    into.append(root);
    const total = END / 1e6, means = members.map((row) => row[0] / total), middle = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];
    const per = members.map((row) => row[1] / total), most = means.indexOf(Math.max(...means)), least = means.indexOf(Math.min(...means));
    const one = (v) => v.toFixed(1), kib = (v) => (v / 1000).toFixed(2);
    into.append(table([["mean over the run"], ["datagrams/s", 1], ["kB/s", 1]], [
      ["middle member", one(middle(means)), kib(middle(per))],
      ["most: " + D.hosts[most].name, one(means[most]), kib(per[most])],
      ["least: " + D.hosts[least].name, one(means[least]), kib(per[least])],
      ["worst " + (seconds === 1 ? "second" : span(slice)) + " of any member", one(rate(Math.max(...members.map((row) => row[2])))), kib(rate(Math.max(...bytes.map((row) => row[2]))))],
    ]));
  };
  return { paint: () => { detection(); spread(); load(); } };
})();
