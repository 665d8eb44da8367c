// The data, read once; the time that is looked at; and what every drawing needs.
const D = JSON.parse(document.getElementById("data").textContent);
const $ = (id) => document.getElementById(id);
const H = D.hosts.length, N = D.subjects.length;
const END = Math.max(D.end, 1);

const sum = (column) => { let at = 0; return Float64Array.from(column, (step) => (at += step)); };
// First place whose value is greater than `value`.
const after = (sorted, value) => {
  let low = 0, high = sorted.length;
  while (low < high) { const mid = (low + high) >> 1; if (sorted[mid] > value) high = mid; else low = mid + 1; }
  return low;
};

// Times, for people: every one with its unit.
const clock = (us) => (us / 1e6).toFixed(3) + " s";
const span = (us) => {
  if (us === 0) return "0";
  const trim = (value) => String(Number(value.toPrecision(3)));
  if (us >= 1e6) return trim(us / 1e6) + " s";
  if (us >= 1e3) return trim(us / 1e3) + " ms";
  return us + " µs";
};
const amount = (count) => count.toLocaleString("en-GB");

// Invented names can be sixteen digits long.
const short = (name) => name.length > 5 ? name.slice(0, 4) + "…" : name;

// Elements without a string of markup: nothing in the data can become one.
const el = (name, props, ...children) => {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(props || {})) {
    if (key === "class") node.className = value; else node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};
const table = (heads, rows) => el("table", null,
  el("thead", null, el("tr", null, ...heads.map(([text, number]) => el("th", { class: number ? "n" : "", scope: "col" }, text)))),
  el("tbody", null, ...rows.map((row) => el("tr", { class: row.bad ? "bad" : "" },
    ...row.map((cell, i) => el("td", { class: heads[i][1] ? "n" : "" }, cell))))));

// Shapes have a namespace; the parser knows its name.
const shapes = el("template");
shapes.innerHTML = "<svg></svg>";
const svg = (name, props, text) => {
  const node = document.createElementNS(shapes.content.firstChild.namespaceURI, name);
  for (const [key, value] of Object.entries(props)) node.setAttribute(key, value);
  if (text !== undefined) node.textContent = text;
  return node;
};

// Colours are in the style sheet, which distinguishes light and dark.
let style = getComputedStyle(document.documentElement);
const colour = (name) => style.getPropertyValue("--" + name).trim();

// A canvas at the screen's own resolution, `height` CSS pixels high.
const canvas = (id, height) => {
  const node = $(id), width = Math.max(node.clientWidth, 50), dense = window.devicePixelRatio || 1;
  node.style.height = height + "px";
  node.width = Math.round(width * dense);
  node.height = Math.round(height * dense);
  const g = node.getContext("2d");
  g.setTransform(dense, 0, 0, dense, 0, 0);
  g.clearRect(0, 0, width, height);
  g.font = "11px system-ui, 'Segoe UI', 'Noto Sans', 'DejaVu Sans', sans-serif";
  g.textBaseline = "middle";
  return { node, g, width, height };
};

// The time that is looked at; whatever shows it is called at every change.
const watchers = [];
let T = 0;
const look = (us) => {
  T = Math.min(Math.max(us, 0), END);
  watchers.forEach((watcher) => watcher());
};

// What each host really did: [times, letters].
const truths = D.hosts.map(() => [[], []]);
for (const [t, host, letter] of D.truth) { truths[host][0].push(t); truths[host][1].push(letter); }
const truth = (host, t) => {
  const [times, letters] = truths[host], place = after(times, t);
  return place ? letters[place - 1] : "-";
};
const TRUTH = { u: "up", p: "stopped", c: "crashed", g: "gone", "-": "not started" };

// Whether a partition or a cut keeps two hosts apart at `t`.
const walls = D.bands.filter((band) => band.groups.length);
const apart = (a, b, t) => walls.some((band) => {
  if (band.from > t || (band.to !== null && band.to <= t)) return false;
  const group = (host) => band.groups.findIndex((members) => members.includes(host));
  const [x, y] = [group(a), group(b)];
  return band.class === "partition" ? x !== y : x >= 0 && y >= 0 && x !== y;
});

const KINDS = ["unreadable", "ping", "ack", "ping-req", "nack", "relayed ack", "join", "challenge", "welcome", "announce", "sync pull", "sync page", "gossip", "user"];
const kindName = (kind) => KINDS[kind] || "kind " + kind;
const TINTS = ["user", "ping", "ack", "req", "nack", "req", "join", "join", "join", "join", "sync", "sync", "gossip", "user"];
const kindTint = (kind) => "k-" + (TINTS[kind] || "user");
const kindColour = (kind) => colour(kindTint(kind));
const kindDash = (kind) => [[2, 2], [], [5, 3], [8, 3], [2, 2], [8, 2, 2, 2], [], [5, 3], [5, 3], [], [], [5, 3], [1.5, 2.5], []][kind] || [];
