// The banner, and the tables that only repeat what is known of the run.
const showOutcome = () => {
  const facts = D.facts;
  const [tone, glyph, words] = { "": ["unknown", "·", ""], passed: ["good", "✓", ": passed"], "cut-short": ["unknown", "…", ": cut short"] }[facts.outcome]
    || ["bad", "✕", ": failed (" + facts.outcome + ")"];
  $("outcome").classList.add(tone);
  $("glyph").textContent = glyph;
  $("title").textContent = (facts.title || "A simulated run") + words;
  $("sentence").textContent = facts.sentence;
  $("command").textContent = facts.command;
  $("replay").hidden = !facts.command;
  const keys = [["seed", facts.seed], ["digest", facts.digest], ["members", amount(H)], ["length", span(END)]];
  for (const [name, value] of keys.filter(([, value]) => value)) {
    $("keys").append(el("div", null, el("dt", null, name), el("dd", null, name === "digest" ? el("code", null, value) : value)));
  }
  $("copy").addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(facts.command);
      $("copy").textContent = "Copied";
    } catch {
      // Some browsers keep the clipboard from pages on disk: then it is at least selected.
      getSelection().selectAllChildren($("command"));
      $("copy").textContent = "Selected";
    }
    setTimeout(() => { $("copy").textContent = "Copy"; }, 1500);
  });
};

const showTables = () => {
  const facts = D.facts, hide = (id) => { $(id).hidden = true; };
  const rows = facts.invariants.map((row) => {
    const state = row.broken !== null ? el("span", { class: "ko" }, "✕ broken")
      : row.looked ? el("span", { class: "ok" }, "✓ held") : el("span", { class: "none" }, "○ not looked at");
    const words = el("div", null, el("b", null, row.name), el("span", { class: "quiet" }, row.statement));
    if (row.broken !== null) words.append(el("span", { class: "ko" }, row.broken));
    return Object.assign([row.number, words, amount(row.looked), state], { bad: row.broken !== null });
  });
  rows.sort((a, b) => Number(b.bad) - Number(a.bad));
  if (rows.length) $("invariants").append(table([["no."], ["what holds"], ["looked at", 1], ["in this run"]], rows)); else hide("s-invariants");

  const hits = facts.sometimes.map(([name, count]) => [name, amount(count),
    count ? el("span", { class: "ok" }, "✓") : el("span", { class: "none" }, "○ never")]);
  if (hits.length) $("sometimes").append(el("div", { class: "scroll" }, table([["what"], ["times", 1], [""]], hits))); else hide("s-sometimes");

  if (facts.options.length) $("options").append(el("div", { class: "scroll" }, table([["option"], ["value", 1]], facts.options))); else hide("s-options");

  const faults = D.bands.slice(0, 500).map((band) => [clock(band.from),
    band.to === null ? "to the end" : band.to === band.from ? "" : span(band.to - band.from), band.class, el("code", null, band.text)]);
  if (faults.length) $("faults").append(el("div", { class: "scroll" }, table([["from", 1], ["for", 1], ["kind"], ["what was done"]], faults))); else hide("s-faults");

  const deaths = D.false_deaths.slice(0, 500).map(([t, observer, subject, by, letter]) => [clock(t), D.hosts[observer].name, subject, TRUTH[letter], by]);
  if (deaths.length) $("deaths").append(el("div", { class: "scroll" }, table([["at", 1], ["held by"], ["called Dead"], ["in truth"], ["declared by"]], deaths))); else hide("s-deaths");

  $("notes").append(...[...facts.notes, ...D.notes].map((note) => el("p", null, note)));
};
