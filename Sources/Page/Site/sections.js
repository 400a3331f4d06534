"use strict";

// The parts of the page that are no charts. Each takes an overview and changes what differs.

const byID = (id) => document.getElementById(id);

/** A tag: a symbol that is not read out, and its words. */
function tag([words, symbol, severity]) {
  return make("span", { class: `tag ${severity}` },
    make("span", { "aria-hidden": "true", text: symbol }), make("span", { text: words }));
}

/** Replaces the rows of a table where they differ from what is shown. */
function fillTable(table, caption, columns, rows, isStacked = true) {
  const mark = JSON.stringify([columns, rows.map((row) => [row.mark, row.class])]);
  if (table.dataset.mark === mark) return;
  table.dataset.mark = mark;
  const focused = document.activeElement?.closest?.("[data-focus]")?.dataset.focus;
  // Roles keep the meaning of a table where narrow screens show its rows as blocks.
  if (isStacked) {
    table.classList.add("stacks");
    table.setAttribute("role", "table");
  }
  const role = (name) => (isStacked ? name : null);
  const head = make("tr", { role: role("row") }, ...columns.map((column) =>
    make("th", { scope: "col", role: role("columnheader"), class: column.isNumber ? "number" : null,
      text: column.name })));
  const body = rows.map((row) => make("tr", { class: row.class, role: role("row") },
    ...row.cells.map((cell, index) => {
      const column = columns[index];
      const attributes = {
        class: column.isNumber ? "number" : column.isText ? "text" : null, "data-name": index ? column.name : null,
        role: role(index ? "cell" : "rowheader"), scope: index ? null : "row",
      };
      const element = make(index ? "td" : "th", attributes);
      element.append(cell instanceof Node ? cell : document.createTextNode(cell ?? ""));
      return element;
    })));
  table.replaceChildren(make("caption", { text: caption }),
    make("thead", { role: role("rowgroup") }, head),
    make("tbody", { role: role("rowgroup") }, ...body));
  if (focused) table.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
}

// MARK: Where the run is

function showNow(run, isLive) {
  byID("now").hidden = false;
  const [words, symbol, severity] = stateOf(run.state);
  const state = byID("state");
  state.className = `state ${severity}`;
  if (state.dataset.state !== run.state) {
    state.dataset.state = run.state;
    state.replaceChildren(make("span", { "aria-hidden": "true", text: symbol }),
      make("span", { text: words }));
  }
  const position = run.position ?? { epoch: 0, epochs_finished: run.epochs.length, done: 0, total: 0 };
  const finished = position.epochs_finished;
  const total = run.run.epochs;
  const isOver = overStates.has(run.state);
  const inEpoch = !isOver && isLive && position.total > 0 && position.activity === "train";
  byID("position").replaceChildren(
    document.createTextNode(isOver || !isLive ? `${count(finished, "epoch")} ` : `Epoch ${position.epoch} `),
    make("small", {
      text: isOver || !isLive ? `trained of at most ${total}` : `counted from 0, at most ${total} epochs`,
    }));
  setText(byID("activity"), activityText(run, position, isOver));
  const reached = Math.min(total, finished + (inEpoch ? position.done / position.total : 0));
  setBar("epochs-bar", reached, total);
  setText(byID("epochs-text"), `${finished} of at most ${total} done`);
  const hasTask = !isOver && position.total > 0 && Boolean(position.activity);
  byID("task-bar").hidden = !hasTask;
  byID("task-label").hidden = !hasTask;
  if (hasTask) {
    setBar("task-bar", position.done, position.total);
    byID("task-label").firstChild.textContent =
      { train: "Steps of this epoch ", materialize: "Final vectors, blocks ", rank: "Ranking, blocks of users " }[position.activity] ?? "Task ";
    setText(byID("task-text"), `${position.done} of ${position.total}`);
  }
  showFacts(run, position, isOver);
  showMessage(run, position);
}

function activityText(run, position, isOver) {
  if (isOver || !position.activity) return "";
  return { train: "computing gradients", materialize: "computing final vectors", rank: "ranking all items for all users" }[position.activity] ?? "";
}

function setBar(id, value, most) {
  const bar = byID(id);
  bar.max = Math.max(1, most);
  bar.value = Math.min(value, bar.max);
}

function showFacts(run, position, isOver) {
  const { selection } = run;
  const metric = selection.metric.replace(".", " ");
  const loss = run.epochs.at(-1)?.loss?.total;
  const best = selection.best_epoch ?? null;
  const test = best === null ? null : run.epochs.find((epoch) => epoch.epoch === best)?.test?.[metric.split(" ").slice(1).join(" ")];
  const facts = [
    isOver ? null : ["Time left", timeLeft(run.time_left), run.time_left ? "least: without further improvement" : ""],
    ["Elapsed", duration(run.elapsed_seconds), ""],
    ["Speed", position.examples_per_second ? `${short(position.examples_per_second)}/s` : "–", "training examples"],
    ["Loss", number(loss), run.epochs.length ? `epoch ${run.epochs.at(-1).epoch}` : ""],
    [`Best ${metric}`, number(selection.best_value), best === null ? "" : `epoch ${best}`],
    test === null || test === undefined ? null : [`Test, same epoch`, number(test), metric.split(" ").slice(1).join(" ")],
    ["Patience", `${Math.max(0, selection.patience + 1 - selection.not_improved)} left`,
      selection.not_improved ? `${count(selection.not_improved, "evaluation")} without a better one` : "the last evaluation was the best"],
  ].filter(Boolean);
  const list = byID("facts");
  const mark = JSON.stringify(facts);
  if (list.dataset.mark === mark) return;
  list.dataset.mark = mark;
  list.replaceChildren(...facts.map(([name, value, note]) => make("div", {},
    make("dt", { text: name }), make("dd", {}, document.createTextNode(value), note ? make("small", { text: note }) : null))));
}

function showMessage(run, position) {
  const element = byID("message");
  const lost = run.nodes.filter((node) => node.state === "lost" || node.state === "silent");
  let [text, severity] = ["", ""];
  if (overStates.has(run.state)) {
    [text, severity] = [run.message, stateOf(run.state)[2]];
    if (run.state === "dead") text = "No process owns this run, and it has not ended: the same command resumes it.";
  } else {
    const texts = lost.map((node) => `${node.role} ${node.rank} is ${nodeStates[node.state][0]}`
      + (node.note ? ` (${node.note}); ${node.role === "worker" ? "the others do its work" : "the run rolls back when it is replaced"}` : ""));
    if (position.waiting_for) {
      const left = position.wait_seconds_left;
      texts.push(`waiting for ${position.waiting_for}` + (left >= 0 ? `, ${rough(left)} left` : ""));
    }
    text = texts.join("; ");
    text = text && `${text[0].toUpperCase()}${text.slice(1)}.`;
    severity = "warning";
  }
  element.hidden = !text;
  element.className = `message ${severity}`;
  setText(element, text);
}

// MARK: Modalities

function showModalities(run) {
  byID("modalities").hidden = run.modalities.length === 0 && run.pairs.length === 0;
  const columns = [
    { name: "Modality" }, { name: "Divergence per dimension (nats)", isNumber: true },
    { name: "σ of the code", isNumber: true }, { name: "Size of the mean (RMS)", isNumber: true },
    { name: "Loss of this modality alone", isNumber: true },
  ];
  const rows = run.modalities.map((modality) => {
    const cells = [modality.name, number(modality.divergence_per_dimension), number(modality.sigma),
      number(modality.size), number(modality.unimodal_loss)];
    return { cells, mark: cells };
  });
  const epoch = run.epochs.at(-1)?.epoch;
  const gate = run.gate
    ? ` The gate found ${number(run.gate.conflict)} of the tensors in conflict and multiplied auxiliary gradients by ${number(run.gate.scale)}.` : "";
  fillTable(byID("modalities-table"), `What each keeps, in epoch ${epoch ?? "–"}.${gate}`, columns, rows);
  const pairs = run.pairs.map((pair) => {
    const cells = [pair.name, number(pair.mutual_information), number(pair.running_mutual_information)];
    return { cells, mark: cells };
  });
  byID("pairs-table").hidden = pairs.length === 0;
  fillTable(byID("pairs-table"),
    "What two of them repeat: the discriminator’s estimate of their mutual information. It is a lower bound and may be below 0.",
    [{ name: "Pair" }, { name: "Estimate in this epoch (nats)", isNumber: true }, { name: "Running mean (nats)", isNumber: true }], pairs);
}

// MARK: Workers and servers

function showNodes(run) {
  byID("nodes").hidden = run.nodes.length === 0;
  const columns = [
    { name: "Node" }, { name: "State" }, { name: "Since" }, { name: "Throughput", isNumber: true },
    { name: "Behind", isNumber: true }, { name: "Processors", isNumber: true },
    { name: "Memory", isNumber: true }, { name: "Last sign", isNumber: true }, { name: "Where" },
    { name: "Note", isText: true },
  ];
  const isOver = overStates.has(run.state);
  const rows = run.nodes.map((node) => {
    const isGone = node.state === "lost" || node.state === "left";
    const unit = node.role === "server" ? "versions" : "steps";
    const cells = [
      `${node.role} ${node.rank}`, tag(nodeStates[node.state] ?? [node.state, "?", "info"]),
      clock(node.since), isGone || !node.per_second ? "–" : `${short(node.per_second)} ${node.per_second_unit}/s`,
      isGone ? "–" : node.lag ? `${node.lag} ${unit}` : "0",
      isGone || node.processors === undefined ? "–" : node.processors.toFixed(2),
      bytes(node.resident_bytes), node.silent_seconds === undefined ? "–" : `${node.silent_seconds.toFixed(0)} s ago`,
      `${node.host}, process ${node.process}`, node.note,
    ];
    return {
      cells, class: node.state === "lost" || node.state === "silent" ? "bad" : null,
      mark: cells.map((cell) => (cell instanceof Node ? node.state : cell)),
    };
  });
  fillTable(byID("nodes-table"), isOver
    ? "As they were when the run ended."
    : `Planned: ${count(run.run.workers, "worker")}, ${count(run.run.servers, "server")}. Throughput and processors are means over the last 15 s, evaluations included.`,
  columns, rows);
}

// MARK: Events

function showEvents(run) {
  byID("events").hidden = run.events.length === 0;
  const withCheckpoints = byID("with-checkpoints").checked;
  const shown = run.events.filter((event) => withCheckpoints || event.kind !== "checkpoint").slice(-200).reverse();
  const list = byID("events-list");
  const mark = JSON.stringify(shown);
  if (list.dataset.mark === mark) return;
  list.dataset.mark = mark;
  const severities = { info: ["info", "·", "info"], good: ["good", "✓", "good"], warning: ["warning", "▲", "warning"], error: ["error", "✕", "error"] };
  list.replaceChildren(...shown.map((event) => make("li", {},
    make("time", { datetime: event.time, class: "muted", text: clock(event.time) }),
    make("span", { class: "muted", text: `epoch ${Math.floor(event.position)}` }),
    tag([eventKind(event.kind)[0], ...severities[event.severity].slice(1)]),
    make("span", { class: "text", text: event.text }))));
  if (shown.length === 0) list.append(make("li", { class: "empty", text: "None but checkpoints." }));
}

function showLegend(events) {
  const shapes = new Map();
  for (const event of events) {
    const [words, shape] = eventKind(event.kind);
    if (!shapes.has(words)) shapes.set(words, [shape, event.severity]);
  }
  const list = byID("legend");
  const mark = [...shapes.keys()].join();
  if (list.dataset.mark === mark) return;
  list.dataset.mark = mark;
  list.hidden = shapes.size === 0;
  list.replaceChildren(...[...shapes].map(([words, [shape, severity]]) => {
    const icon = makeSVG("svg", { viewBox: "0 0 12 12", "aria-hidden": "true" });
    icon.append(makeSVG("path", { class: `mark ${severity}${shape === "dot" ? " filled" : ""}`, d: markPath(shape, 6, 6) }));
    return make("li", {}, icon, document.createTextNode(words));
  }));
}

// MARK: Runs side by side

function showRuns(listing, chosen) {
  byID("runs").hidden = listing.runs.length < 2 && listing.problems.length === 0;
  const names = [...new Set(listing.runs.flatMap((run) => Object.keys(run.settings)))]
    .filter((name) => !["seed", "model", "epochs"].includes(name)).sort().slice(0, 6);
  const metric = listing.runs[0]?.selection.metric ?? "valid";
  const columns = [
    { name: "Run" }, { name: "State" }, { name: "Model" }, { name: "Data" }, { name: "Seed", isNumber: true },
    ...names.map((name) => ({ name })), { name: "Epochs", isNumber: true },
    { name: "Best epoch", isNumber: true }, { name: `Best ${metric.replace(".", " ")}`, isNumber: true },
    { name: "Test, same epoch", isNumber: true }, { name: "Time", isNumber: true }, { name: "Time left", isNumber: true },
  ];
  const metricName = metric.split(".").slice(1).join(".");
  const rows = listing.runs.map((entry) => {
    const isChosen = entry.key === chosen;
    const link = make("a", {
      href: `#run=${encodeURIComponent(entry.key)}`, "data-focus": entry.key,
      "aria-current": isChosen ? "true" : null, text: entry.key || entry.run.name,
    });
    const cells = [link, tag(stateOf(entry.state)), `${entry.run.model}, ${entry.run.objective}`, entry.run.dataset,
      String(entry.run.seed), ...names.map((name) => entry.settings[name] ?? ""),
      `${entry.epochs_finished} of ${entry.run.epochs}`, String(entry.selection.best_epoch ?? "–"),
      number(entry.selection.best_value), number(entry.test[metricName]), duration(entry.elapsed_seconds),
      timeLeft(entry.time_left)];
    return {
      cells, class: isChosen ? "chosen" : null,
      mark: cells.map((cell) => (cell instanceof Node ? [entry.key, entry.state, isChosen] : cell)),
    };
  });
  const running = listing.runs.filter((run) => !overStates.has(run.state)).length;
  fillTable(byID("runs-table"),
    `${count(listing.runs.length, "run")}, ${running} under way${listing.left_out ? `, ${listing.left_out} more left out` : ""}. A link shows a run below.`,
    columns, rows);
  setText(byID("runs-problems"), listing.problems.map((problem) => `${problem.key}: ${problem.message}`).join(" "));
}
