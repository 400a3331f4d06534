"use strict";

// Texts of numbers, times and states, as the terminal has them.

/** Four significant digits at most: 0.4123, 12.35, 1.2e-5; a dash where there is no value. */
function number(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return value.toExponential(2);
  if (size < 1) return value.toFixed(4);
  if (size < 1000) return String(Number(value.toPrecision(4)));
  return Math.round(value).toLocaleString("en");
}

/** 812, 45.1k, 1.3M. */
function short(value) {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (value >= 999_500) return `${(value / 1e6).toFixed(value < 9.95e6 ? 1 : 0)}M`;
  if (value >= 9_950) return `${(value / 1e3).toFixed(value < 99_500 ? 1 : 0)}k`;
  return value >= 10 || value === 0 ? String(Math.round(value)) : String(Number(value.toPrecision(2)));
}

/** 12 s, 3 min 5 s, 2 h 7 min. */
function duration(seconds) {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  if (whole < 172_800) return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
  return `${Math.round(whole / 86_400)} days`;
}

/** 95 s, 14 min, 47 h: a rough time. */
function rough(seconds) {
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < 99.5) return `${Math.round(seconds)} s`;
  if (seconds < 5_970) return `${Math.round(seconds / 60)} min`;
  if (seconds < 358_200) return `${Math.round(seconds / 3600)} h`;
  return `${Math.round(seconds / 86_400)} days`;
}

/** The time left: its least and its most. */
function timeLeft(left) {
  if (!left) return "–";
  const [least, most] = [rough(left.least_seconds), rough(left.most_seconds)];
  return least === most ? most : `${least} – ${most}`;
}

function bytes(count) {
  if (count === null || count === undefined) return "–";
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [count, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${value >= 100 || unit === 0 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** The local time of day of an ISO time; with the date where it is not today's. */
function clock(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  const time = date.toLocaleTimeString("en-GB");
  return date.toDateString() === new Date().toDateString()
    ? time : `${date.toLocaleDateString("en-CA")} ${time}`;
}

function count(value, noun) {
  return `${value.toLocaleString("en")} ${noun}${value === 1 ? "" : "s"}`;
}

/** The words, the symbol and the severity of a state. Symbols never stand alone. */
const stateWords = {
  forming: ["Waiting for the cluster", "◌", "info"],
  training: ["Training", "▶", "info"],
  evaluating: ["Evaluating", "◎", "info"],
  saving: ["Saving the best model", "⤓", "info"],
  draining: ["Stopping", "■", "warning"],
  running: ["Running", "▶", "info"],
  dead: ["Not running", "✕", "warning"],
  completed: ["Done", "✓", "good"],
  early_stopped: ["Done, stopped early", "✓", "good"],
  interrupted: ["Stopped, can be resumed", "❚❚", "warning"],
  failed: ["Failed", "✕", "error"],
};

const overStates = new Set(["dead", "completed", "early_stopped", "interrupted", "failed"]);

function stateOf(name) {
  return stateWords[name] ?? [String(name), "?", "info"];
}

/** Of a node: words, symbol, severity. */
const nodeStates = {
  preparing: ["preparing", "◌", "info"],
  idle: ["idle", "○", "info"],
  working: ["working", "●", "good"],
  silent: ["silent", "…", "warning"],
  lost: ["lost", "✕", "error"],
  left: ["has left", "–", "info"],
};

/** Kinds of events: words, and the name of their mark in the charts. */
const eventKinds = {
  joined: ["joined", "plus"],
  lost: ["lost", "cross"],
  refusal: ["refused", "triangle"],
  recovery: ["rolled back", "loop"],
  resumed: ["resumed", "plus"],
  checkpoint: ["checkpoint", "dot"],
  "checkpoint-problem": ["checkpoint", "triangle"],
  waiting: ["waiting", "triangle"],
  notice: ["notice", "triangle"],
  stop: ["stop", "square"],
  end: ["end", "square"],
};

function eventKind(kind) {
  return eventKinds[kind] ?? [String(kind), "triangle"];
}

// MARK: Elements

/** An HTML element. Text of others only ever becomes text, never markup. */
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") element.textContent = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

const svgSpace = "http://www.w3.org/2000/svg";

function makeSVG(tag, attributes = {}, text = null) {
  const element = document.createElementNS(svgSpace, tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) element.setAttribute(name, value);
  }
  if (text !== null) element.textContent = text;
  return element;
}

/** Sets a text only where it changes: a screen reader then announces changes only. */
function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
