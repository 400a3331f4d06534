"use strict";

// A chart of curves over epochs or time, as SVG, with a cursor for mouse and keyboard and its
// numbers in a table.

const dashes = [null, "7 4", "2 4", "10 3 2 3", "5 2", "1 3", "12 4", "3 2"];

/** Numbers with round distances that cover a range. */
function ticks(low, high, wanted) {
  const span = high - low;
  if (!(span > 0)) return [low];
  const raw = span / Math.max(1, wanted);
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((value) => value >= raw);
  const result = [];
  for (let value = Math.ceil(low / step) * step; value <= high + step * 1e-6; value += step) {
    result.push(Math.abs(value) < step * 1e-6 ? 0 : value);
  }
  return result;
}

/** The label of a tick among others: as many digits as their distance needs. */
function tickText(value, all) {
  const step = all.length > 1 ? Math.abs(all[1] - all[0]) : Math.abs(value) || 1;
  if (Math.abs(value) >= 1e5 || (value !== 0 && step < 1e-5)) return value.toExponential(1);
  const digits = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  const isHalf = Math.abs(step * 10 ** digits - Math.round(step * 10 ** digits)) > 1e-6;
  return value.toFixed(isHalf ? digits + 1 : digits);
}

/** The path of an event's mark around a point. */
function markPath(shape, x, y) {
  switch (shape) {
    case "cross": return `M${x - 4} ${y - 4}L${x + 4} ${y + 4}M${x + 4} ${y - 4}L${x - 4} ${y + 4}`;
    case "plus": return `M${x - 4} ${y}H${x + 4}M${x} ${y - 4}V${y + 4}`;
    case "loop": return `M${x + 4} ${y - 1}A4 4 0 1 0 ${x + 2} ${y + 3}M${x + 4} ${y - 5}V${y - 1}H${x}`;
    case "square": return `M${x - 3.5} ${y - 3.5}h7v7h-7z`;
    case "dot": return `M${x - 1.6} ${y}a1.6 1.6 0 1 0 3.2 0a1.6 1.6 0 1 0 -3.2 0z`;
    default: return `M${x} ${y - 4}L${x + 4.5} ${y + 3.5}H${x - 4.5}z`;
  }
}

/** At most two points for each column of pixels: the least and the greatest value there. */
function thin(points, columns) {
  if (points.length <= columns * 3) return points;
  const result = [];
  const size = Math.ceil(points.length / columns);
  for (let start = 0; start < points.length; start += size) {
    const part = points.slice(start, start + size);
    const low = part.reduce((best, point) => (point.y < best.y ? point : best));
    const high = part.reduce((best, point) => (point.y > best.y ? point : best));
    result.push(...(low.x <= high.x ? [low, high] : [high, low]));
  }
  result.push(points[points.length - 1]);
  return result;
}

class Chart {
  /** - height: of the plot, in pixels. */
  constructor(id, { height = 150 } = {}) {
    this.id = id;
    this.height = height;
    this.cursor = null;
    this.content = null;
    this.drawn = "";
    this.heading = make("h3", { id: `${id}-title` });
    this.keys = make("ul", { class: "keys", "aria-label": "Curves" });
    this.svg = makeSVG("svg", {
      tabindex: "0", role: "slider", "aria-labelledby": `${id}-title`, "aria-valuemin": "0",
      "aria-valuemax": "0", "aria-valuenow": "0", height,
    });
    this.readout = make("p", { class: "readout", "aria-hidden": "true" });
    this.numbers = make("div", {
      class: "numbers", role: "region", tabindex: "0",
    });
    this.details = make("details", {}, make("summary", { text: "Numbers" }), this.numbers);
    this.figure = make(
      "figure", { class: "chart panel", id },
      make("figcaption", {}, this.heading, this.keys),
      make("div", { class: "plot" }, this.svg), this.readout, this.details);
    this.details.addEventListener("toggle", () => this.fillTable());
    this.svg.addEventListener("pointermove", (event) => this.pointed(event));
    this.svg.addEventListener("pointerleave", () => {
      if (document.activeElement !== this.svg) this.moveTo(null);
    });
    this.svg.addEventListener("keydown", (event) => this.pressed(event));
    this.svg.addEventListener("focus", () => this.moveTo(this.cursor ?? this.xs().length - 1));
    this.svg.addEventListener("blur", () => this.moveTo(null));
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /**
   * Shows curves.
   * - title: in words. - curves: [{ name, points: [{ x, y }], style }], by rising x.
   * - best: { x, y, text } or null. - events: [{ x, kind, severity, text }].
   * - range: [low, high] that the horizontal axis has at least. - isTime: x is seconds, not epochs.
   */
  show(content) {
    this.content = content;
    setText(this.heading, content.title);
    this.numbers.setAttribute("aria-label", `Numbers: ${content.title}`);
    this.showKeys();
    this.draw();
    if (this.details.open) this.fillTable();
  }

  showKeys() {
    const { curves } = this.content;
    const key = JSON.stringify(curves.map((curve) => [curve.name, curve.points.at(-1)?.y ?? null]));
    if (key === this.shownKeys) return;
    this.shownKeys = key;
    this.keys.replaceChildren(...curves.map((curve, index) => {
      const style = curve.style ?? index;
      const line = makeSVG("svg", { "aria-hidden": "true", viewBox: "0 0 26 8" });
      line.append(makeSVG("path", {
        d: "M1 4H25", class: `curve s${style % 8}`, "stroke-dasharray": dashes[style % dashes.length],
      }));
      return make("li", {}, line, document.createTextNode(`${curve.name} `),
        make("b", { text: number(curve.points.at(-1)?.y) }));
    }));
  }

  xs() {
    if (!this.content) return [];
    const all = new Set(this.content.curves.flatMap((curve) => curve.points.map((point) => point.x)));
    return [...all].sort((left, right) => left - right);
  }

  xText(x) {
    return this.content.isTime ? duration(x) : `epoch ${Number(x.toFixed(2))}`;
  }

  // MARK: Drawing

  draw() {
    const width = Math.round(this.svg.getBoundingClientRect().width);
    if (!this.content || width < 40) return;
    const mark = JSON.stringify([width, this.content]);
    if (mark === this.drawn) return;
    this.drawn = mark;
    const { curves, best, events = [], range, isTime } = this.content;
    const points = curves.flatMap((curve) => curve.points);
    const svg = this.svg;
    svg.setAttribute("viewBox", `0 0 ${width} ${this.height}`);
    svg.replaceChildren();
    if (points.length === 0) {
      svg.append(makeSVG("text", { x: width / 2, y: this.height / 2, "text-anchor": "middle" },
        "no values yet"));
      return;
    }
    const ys = points.map((point) => point.y);
    let [low, high] = [Math.min(...ys), Math.max(...ys)];
    const margin = (high - low) * 0.08 || Math.abs(high) * 0.05 || 1;
    [low, high] = [low - margin, high + margin];
    const yTicks = ticks(low, high, Math.max(2, Math.floor(this.height / 38)));
    const labels = yTicks.map((value) => tickText(value, yTicks));
    const left = Math.max(...labels.map((label) => label.length)) * 6.4 + 10;
    const lane = events.length ? 14 : 0;
    const box = { left, right: width - 12, top: best ? 18 : 8, bottom: this.height - 20 - lane };
    const xs = points.map((point) => point.x);
    let [first, last] = [Math.min(...xs, range?.[0] ?? Infinity), Math.max(...xs, range?.[1] ?? -Infinity)];
    if (!(last > first)) last = first + 1;
    const toX = (x) => box.left + ((x - first) / (last - first)) * (box.right - box.left);
    const toY = (y) => box.bottom - ((y - low) / (high - low)) * (box.bottom - box.top);
    this.scale = { toX, toY, box, first, last };

    yTicks.forEach((value, index) => {
      const y = toY(value);
      svg.append(makeSVG("line", { class: "gridline", x1: box.left, x2: box.right, y1: y, y2: y }),
        makeSVG("text", { x: box.left - 6, y: y + 4, "text-anchor": "end" }, labels[index]));
    });
    svg.append(makeSVG("line", { class: "axis", x1: box.left, x2: box.right, y1: box.bottom, y2: box.bottom }));
    const [unit, unitName] = isTime ? timeUnit(last) : [1, "epochs"];
    let xTicks = ticks(first / unit, last / unit, Math.max(2, Math.floor((box.right - box.left) / 80)));
    if (!isTime) xTicks = xTicks.filter((value) => Number.isInteger(value));
    xTicks.forEach((value) => {
      const x = toX(value * unit);
      svg.append(makeSVG("text", { x, y: this.height - 6, "text-anchor": x > box.right - 12 ? "end" : "middle" },
        isTime ? `${tickText(value, xTicks)} ${unitName}` : tickText(value, xTicks)));
    });

    this.drawEvents(events, box, toX);
    curves.forEach((curve, index) => {
      const style = (curve.style ?? index) % 8;
      const shown = thin(curve.points, box.right - box.left);
      const path = shown.map((point, place) =>
        `${place ? "L" : "M"}${toX(point.x).toFixed(1)} ${toY(point.y).toFixed(1)}`).join("");
      svg.append(makeSVG("path", { class: `curve s${style}`, d: path, "stroke-dasharray": dashes[style] }));
      const end = shown.at(-1);
      if (end) svg.append(makeSVG("circle", { class: `dot f${style}`, cx: toX(end.x), cy: toY(end.y), r: 3.5 }));
    });
    if (best) this.drawBest(best, box, toX, toY);
    this.cursorLine = makeSVG("line", { class: "cursor", y1: box.top, y2: box.bottom, x1: -9, x2: -9 });
    svg.append(this.cursorLine);
    this.moveTo(this.cursor);
  }

  drawEvents(events, box, toX) {
    const y = box.bottom + 22;
    for (const event of events) {
      const x = toX(event.x);
      if (x < box.left - 1 || x > box.right + 1) continue;
      const shape = eventKind(event.kind)[1];
      const isBad = ["lost", "recovery"].includes(event.kind) || event.severity === "error";
      if (isBad) {
        this.svg.append(makeSVG("line", {
          class: `event-line ${event.severity}`, x1: x, x2: x, y1: box.top, y2: box.bottom,
        }));
      }
      const mark = makeSVG("path", {
        class: `mark ${event.severity}${shape === "dot" ? " filled" : ""}`,
        d: markPath(shape, x, this.height - 24),
      });
      mark.append(makeSVG("title", {}, event.text));
      this.svg.append(mark);
    }
  }

  drawBest(best, box, toX, toY) {
    const [x, y] = [toX(best.x), toY(best.y)];
    const isLate = x > box.right - 90;
    this.svg.append(
      makeSVG("line", { class: "best-line", x1: x, x2: x, y1: box.top, y2: box.bottom }),
      makeSVG("circle", { class: "best-dot", cx: x, cy: y, r: 5 }),
      makeSVG("text", {
        class: "best-text", x: isLate ? x + 4 : x - 4, y: 11, "text-anchor": isLate ? "end" : "start",
      }, best.text));
  }

  // MARK: The cursor

  pointed(event) {
    if (!this.scale) return;
    const rect = this.svg.getBoundingClientRect();
    const x = event.clientX - rect.left;
    const xs = this.xs();
    let nearest = 0;
    xs.forEach((value, index) => {
      if (Math.abs(this.scale.toX(value) - x) < Math.abs(this.scale.toX(xs[nearest]) - x)) nearest = index;
    });
    this.moveTo(nearest);
  }

  pressed(event) {
    const last = this.xs().length - 1;
    const at = this.cursor ?? last;
    const target = {
      ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, PageUp: at + 10,
      PageDown: at - 10, Home: 0, End: last,
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    this.moveTo(Math.max(0, Math.min(last, target)));
  }

  moveTo(index) {
    const xs = this.xs();
    this.cursor = index === null || xs.length === 0 ? null : Math.min(Math.max(0, index), xs.length - 1);
    const shown = this.cursor ?? xs.length - 1;
    this.svg.setAttribute("aria-valuemax", String(Math.max(0, xs.length - 1)));
    this.svg.setAttribute("aria-valuenow", String(Math.max(0, shown)));
    const text = xs.length ? this.valuesAt(xs[shown]) : "no values yet";
    this.svg.setAttribute("aria-valuetext", text);
    const isOn = this.cursor !== null && this.scale;
    setText(this.readout, isOn ? text : "");
    if (!this.cursorLine) return;
    const x = isOn ? this.scale.toX(xs[this.cursor]) : -9;
    this.cursorLine.setAttribute("x1", x);
    this.cursorLine.setAttribute("x2", x);
  }

  valuesAt(x) {
    const values = this.content.curves.map((curve) => {
      const point = curve.points.find((candidate) => candidate.x === x);
      return point ? `${curve.name} ${number(point.y)}` : null;
    }).filter(Boolean);
    return `${this.xText(x)}: ${values.join(", ")}`;
  }

  // MARK: The table

  /** The newest values first; no more rows than a reader could want. */
  fillTable() {
    if (!this.details.open || !this.content) return;
    const { curves, title, isTime } = this.content;
    const xs = this.xs().reverse().slice(0, 300);
    const byX = curves.map((curve) => new Map(curve.points.map((point) => [point.x, point.y])));
    const key = JSON.stringify([title, isTime, xs.length, xs[0], curves.map((curve) => curve.name)]);
    if (key === this.filled) return;
    this.filled = key;
    const head = make("tr", {}, make("th", { scope: "col", text: isTime ? "Time" : "Epoch" }),
      ...curves.map((curve) => make("th", { scope: "col", class: "number", text: curve.name })));
    const rows = xs.map((x) => make("tr", {},
      make("th", { scope: "row", text: isTime ? duration(x) : String(Number(x.toFixed(2))) }),
      ...byX.map((values) => make("td", { class: "number", text: values.has(x) ? String(values.get(x)) : "–" }))));
    this.numbers.replaceChildren(make("table", {}, make("caption", { text: title }),
      make("thead", {}, head), make("tbody", {}, ...rows)));
  }
}

/** The unit of a time axis, in seconds, and its name. */
function timeUnit(most) {
  if (most > 10_800) return [3600, "h"];
  return most > 180 ? [60, "min"] : [1, "s"];
}
