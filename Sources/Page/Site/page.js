"use strict";

// Asks the program for overviews once a second and shows them.

const token = new URLSearchParams(location.search).get("token");
const page = {
  listing: null,
  /** Of the shown run. */
  key: null,
  overview: null,
  epochs: new Map(),
  revision: null,
  charts: new Map(),
  failures: 0,
  lastAnswerAt: 0,
  announced: { state: null, events: 0 },
};

async function ask(path, parameters = {}) {
  const query = new URLSearchParams(parameters).toString();
  const response = await fetch(`${path}${query ? `?${query}` : ""}`, {
    headers: token ? { Authorization: `Bearer ${token}` } : {}, cache: "no-store",
    signal: AbortSignal.timeout(8000),
  });
  if (!response.ok) throw new Error(`the program answered ${response.status}`);
  return response.json();
}

// MARK: Asking

async function update() {
  try {
    const listing = await ask("api/runs");
    if (listing) {
      page.listing = listing;
      chooseRun();
      if (page.key !== null) await updateRun();
      show();
    } else {
      setText(byID("title"), "The run is being prepared");
    }
    page.failures = 0;
    page.lastAnswerAt = Date.now();
  } catch (error) {
    page.failures += 1;
    page.problem = error.message;
  }
  showConnection();
  setTimeout(update, pause());
}

/** Milliseconds until the next question. */
function pause() {
  if (page.failures > 0) return Math.min(10_000, 1000 * 2 ** Math.min(page.failures - 1, 4));
  const runs = page.listing?.runs ?? [];
  const isOver = runs.length > 0 && runs.every((run) => overStates.has(run.state));
  return document.hidden || isOver ? 5000 : 1000;
}

function chooseRun() {
  const asked = new URLSearchParams(location.hash.slice(1)).get("run");
  const { runs } = page.listing;
  const known = runs.find((run) => run.key === asked);
  const active = runs.find((run) => !overStates.has(run.state));
  const kept = runs.find((run) => run.key === page.key);
  const chosen = (known ?? kept ?? active ?? runs[0])?.key ?? null;
  if (chosen === page.key) return;
  page.key = chosen;
  page.overview = null;
  page.epochs.clear();
  page.revision = null;
  page.announced = { state: null, events: 0 };
}

async function updateRun() {
  const key = page.key;
  // An evaluation comes after its epoch: the last two are asked for again.
  const last = page.epochs.size ? Math.max(0, Math.max(...page.epochs.keys()) - 1) : 0;
  let overview = await ask("api/run", { run: key, since: String(last) });
  if (!overview || key !== page.key) return;
  if (page.revision !== null && overview.history_revision !== page.revision && last > 0) {
    overview = await ask("api/run", { run: key, since: "0" });
    page.epochs.clear();
  }
  page.revision = overview.history_revision;
  for (const epoch of overview.epochs) page.epochs.set(epoch.epoch, epoch);
  overview.epochs = [...page.epochs.values()].sort((left, right) => left.epoch - right.epoch);
  page.overview = overview;
}

function showConnection() {
  const element = byID("connection");
  const isOver = page.overview && overStates.has(page.overview.state);
  const isLost = page.failures > 1;
  element.classList.toggle("lost", isLost && !isOver);
  if (!isLost) {
    setText(element, page.listing ? (page.listing.live ? "live" : "from the files of the runs") : "");
  } else if (isOver) {
    setText(element, "the program has ended; this was its last state");
  } else {
    const since = page.lastAnswerAt ? ` since ${clock(new Date(page.lastAnswerAt).toISOString())}` : "";
    setText(element, `▲ no answer from the program${since}`);
  }
}

// MARK: Showing

function show() {
  const { listing, overview } = page;
  showRuns(listing, page.key);
  showRunsChart(listing);
  if (!overview) {
    setText(byID("title"), listing.title);
    setText(byID("subtitle"), listing.runs.length ? "" : "There is no run in this folder yet.");
    return;
  }
  const { run } = overview;
  const isOne = listing.runs.length < 2;
  setText(byID("title"), isOne ? `${run.model} on ${run.dataset}` : `${listing.title}: ${page.key || run.name}`);
  setText(byID("subtitle"),
    `${isOne ? "" : `${run.model} on ${run.dataset}, `}objective ${run.objective}, seed ${run.seed}, run ${run.name}, begun ${clock(run.created)}`);
  showNow(overview, listing.live);
  byID("controls").hidden = false;
  showMetricChoice(overview);
  const events = chartEvents(overview);
  showLegend(overview.events);
  showCurves(overview, events);
  showModalities(overview);
  showGauges(overview, events);
  showParts(overview, events);
  showNodes(overview);
  showEvents(overview);
  announce(overview);
  const [words, symbol] = stateOf(overview.state);
  document.title = `${symbol} ${overview.position?.epochs_finished ?? ""}/${run.epochs} ${words.toLowerCase()} · ${run.model} ${run.dataset}`;
}

/** Reads out what changes rarely, and not every number of every second. */
function announce(overview) {
  const warnings = overview.events.filter((event) => event.kind !== "checkpoint" && event.severity !== "info");
  const texts = [];
  if (overview.state !== page.announced.state && !["evaluating", "saving"].includes(overview.state)) {
    if (page.announced.state !== null) texts.push(stateOf(overview.state)[0]);
    page.announced.state = overview.state;
  }
  if (warnings.length > page.announced.events && page.announced.events > 0) texts.push(warnings.at(-1).text);
  page.announced.events = Math.max(1, warnings.length);
  if (texts.length) setText(byID("announcer"), texts.join(". "));
}

const isTime = () => document.querySelector("input[name=axis]:checked").value === "time";

function showMetricChoice(overview) {
  const names = [...new Set(overview.epochs.flatMap((epoch) => Object.keys(epoch.valid)))].sort((left, right) =>
    left.localeCompare(right, "en", { numeric: true }));
  const select = byID("metric");
  if (select.dataset.names === names.join()) return;
  const before = select.value || overview.selection.metric.split(".").slice(1).join(".");
  select.dataset.names = names.join();
  select.replaceChildren(...names.map((name) => make("option", { value: name, text: name })));
  select.value = names.includes(before) ? before : names[0] ?? "";
}

/** A chart that exists, or a new one at the end of a container. */
function chart(container, id, options) {
  let found = page.charts.get(id);
  if (!found) {
    found = new Chart(id, options);
    page.charts.set(id, found);
    byID(container).append(found.figure);
  }
  return found;
}

/** Removes the charts of a container that are not among these. */
function keepCharts(container, ids) {
  for (const figure of [...byID(container).children]) {
    if (ids.includes(figure.id)) continue;
    page.charts.delete(figure.id);
    figure.remove();
  }
}

/** A value of each epoch as points. Epochs are counted from 0, and one ends at its number + 1. */
function points(overview, value) {
  const time = isTime();
  return overview.epochs.flatMap((epoch) => {
    const y = value(epoch);
    return y === null || y === undefined ? [] : [{ x: time ? epoch.at : epoch.epoch, y }];
  });
}

function chartEvents(overview) {
  const time = isTime();
  // A finished epoch e stands at e on the axis, so that a position p, in epochs done, is at p - 1.
  return overview.events.map((event) => ({
    x: time ? event.at : Math.max(0, event.position - 1), kind: event.kind, severity: event.severity, text: event.text,
  }));
}

/** What the horizontal axis covers at least: events since the last epoch are beyond the curves. */
function axisRange(events) {
  return [0, events.reduce((most, event) => Math.max(most, event.x), isTime() ? 0 : 1)];
}

function showCurves(overview, events) {
  byID("curves").hidden = false;
  const name = byID("metric").value || overview.selection.metric.split(".").slice(1).join(".");
  const valid = points(overview, (epoch) => epoch.valid[name]);
  const test = points(overview, (epoch) => epoch.test[name]);
  const isSelecting = overview.selection.metric === `valid.${name}`;
  const best = overview.selection.best_epoch ?? null;
  const bestEpoch = best === null ? null : page.epochs.get(best);
  const range = axisRange(events);
  const bestMark = bestEpoch && Number.isFinite(bestEpoch.valid[name])
    ? { x: isTime() ? bestEpoch.at : best, y: bestEpoch.valid[name], text: `best epoch ${best}` } : null;
  chart("curves-charts", "chart-metric", { height: 260 }).show({
    title: `${name || "metric"}${isSelecting ? ", which chooses the best epoch" : ""}`,
    curves: [{ name: "valid", points: valid, style: 0 }, { name: "test", points: test, style: 1 }]
      .filter((curve) => curve.points.length || curve.name === "valid"),
    best: bestMark, events, range, isTime: isTime(),
  });
  chart("curves-charts", "chart-loss", { height: 260 }).show({
    title: "Loss, total",
    curves: [{ name: "loss", points: points(overview, (epoch) => epoch.loss.total), style: 0 }],
    best: null, events, range, isTime: isTime(),
  });
}

/** The severe events only: small charts have no room for others. */
const severe = (events) => events.filter((event) => ["lost", "recovery"].includes(event.kind) || event.severity === "error");

function showGauges(overview, events) {
  const names = overview.modalities.map((modality) => modality.name);
  const pairs = overview.pairs.map((pair) => pair.name);
  const gauges = [
    ["divergence", "Divergence per dimension, nats", names.map((name) => [name, (epoch) => epoch.stat[`kl_per_dimension.${name}`]])],
    ["sigma", "σ of the code", names.map((name) => [name, (epoch) => epoch.stat[`sigma.${name}`]])],
    ["unimodal", "Loss of each modality alone", names.map((name) => [name, (epoch) => epoch.loss[`unique.${name}`]])],
    ["information", "Estimated mutual information, nats", pairs.flatMap((name) => [
      [name, (epoch) => epoch.loss[`redundancy.${name}`]],
      [`${name}, running mean`, (epoch) => epoch.stat[`redundancy_running.${name}`]],
    ])],
    ["gate", "Gate", overview.gate ? [
      ["conflict", (epoch) => epoch.stat["gate.conflict"]], ["scale", (epoch) => epoch.stat["gate.scale"]],
    ] : []],
  ];
  const ids = [];
  for (const [id, title, curves] of gauges) {
    const shown = curves.map(([name, value], style) => ({ name, points: points(overview, value), style }))
      .filter((curve) => curve.points.length);
    if (shown.length === 0) continue;
    ids.push(`chart-${id}`);
    chart("modalities-charts", `chart-${id}`, { height: 170 }).show({
      title, curves: shown, best: null, events: severe(events), range: axisRange(events), isTime: isTime(),
    });
  }
  keepCharts("modalities-charts", ids);
}

/** The parts of the loss, one chart each, and a model's own gauges, one chart per group. */
function showParts(overview, events) {
  const keys = (group) => [...new Set(overview.epochs.flatMap((epoch) => Object.keys(epoch[group])))].sort();
  const parts = keys("loss").filter((name) => name !== "total")
    .map((name) => [name, [["last", (epoch) => epoch.loss[name]]]]);
  const gauges = [["share", "Shares of the score"], ["redundant", "Redundant features"]].map(([prefix, title]) => [
    title,
    keys("stat").filter((name) => name.startsWith(`${prefix}.`))
      .map((name) => [name.slice(prefix.length + 1), (epoch) => epoch.stat[name]]),
  ]).filter(([, curves]) => curves.length > 0);
  const shown = [...gauges, ...parts];
  byID("parts").hidden = shown.length === 0;
  const ids = shown.map(([title], index) => `chart-part-${title.replace(/[^A-Za-z0-9]/g, "_")}-${index}`);
  keepCharts("parts-charts", ids);
  shown.forEach(([title, curves], index) => {
    chart("parts-charts", ids[index], { height: 130 }).show({
      title, curves: curves.map(([name, value], style) => ({ name, points: points(overview, value), style })),
      best: null, events: severe(events), range: axisRange(events), isTime: isTime(),
    });
  });
}

/** The curves of at most eight runs: the shown one, those under way, then the best. */
function showRunsChart(listing) {
  if (listing.runs.length < 2) return;
  const rank = (run) => (run.key === page.key ? 2 : overStates.has(run.state) ? 0 : 1);
  const chosen = [...listing.runs].filter((run) => run.curve.length)
    .sort((left, right) => rank(right) - rank(left) || (right.selection.best_value ?? 0) - (left.selection.best_value ?? 0))
    .slice(0, 8);
  const metric = listing.runs[0].selection.metric.replace(".", " ");
  chart("runs-chart", "chart-runs", { height: 260 }).show({
    title: `${metric} of ${chosen.length < listing.runs.length ? `${chosen.length} of ${listing.runs.length}` : "all"} runs`,
    curves: chosen.map((run, style) => ({
      name: run.key || run.run.name, style, points: run.curve.map((point) => ({ x: isTime() ? point.at : point.epoch, y: point.value })),
    })),
    best: null, events: [], range: [0, isTime() ? 0 : 1], isTime: isTime(),
  });
}

// MARK: Choices

byID("controls").addEventListener("change", () => { if (page.listing) show(); });
byID("controls").addEventListener("submit", (event) => event.preventDefault());
byID("with-checkpoints").addEventListener("change", () => { if (page.overview) showEvents(page.overview); });
window.addEventListener("hashchange", async () => {
  if (!page.listing) return;
  chooseRun();
  try {
    if (page.key !== null) await updateRun();
    show();
  } catch {
    // The next question shows whether the program still answers.
  }
});
document.addEventListener("visibilitychange", () => { if (!document.hidden && page.listing) show(); });
update();
