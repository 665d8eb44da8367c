// Everything in its order; drawn again when the window or the colours change.
const paintAll = () => {
  style = getComputedStyle(document.documentElement);
  timeline.paint();
  matrix.paint();
  spacetime.paint();
  charts.paint();
};
showOutcome();
showTables();
timeline.start();
matrix.start();
spacetime.start();
// Where it went wrong; or else where statuses last changed for the worse; or else the middle.
const worst = D.held.k.lastIndexOf(3);
T = D.facts.failed_at_ns !== null ? D.facts.failed_at_ns / 1000 : worst >= 0 ? matrix.times[worst] : END / 2;
spacetime.fit();
paintAll();
let again = null;
addEventListener("resize", () => { clearTimeout(again); again = setTimeout(paintAll, 80); });
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paintAll);
document.documentElement.dataset.drawn = "yes";
