import { colour, make } from "./dom.js";
import { shortNumber, smoothed } from "./data.js";
import { pick, picked } from "./state.js";

// One chart: lines over one axis, drawn by uPlot.

/**
 * @typedef {{label: string, run: string, colour: string, dash: number[], curve: import("./data.js").Curve}} Line
 * @typedef {{title: string, axis: string, lines: Line[], smoothing: number, logX: boolean, logY: boolean, sync?: string,
 *   height?: number}} ChartOptions
 */

/** The colours of lines, told apart on light and dark and by most colour-blind readers. */
export const COLOURS = ["#3b76d9", "#e07b1f", "#2a9d6f", "#c2418c", "#8a63d2", "#b08900", "#1aa6b8", "#d1495b", "#6b8e23", "#7f7f7f"];

/** Draws a chart into an element.
 * @param {HTMLElement} box @param {ChartOptions} options @returns {{plot: any, destroy: () => void}} */
export function drawChart(box, options) {
  const { lines, axis } = options;
  const { data, sources } = joined(lines, options);
  const legend = make("ul", { class: "legend" }, ...lines.map((line) => legendItem(line)));
  const values = [.../** @type {NodeListOf<HTMLElement>} */ (legend.querySelectorAll("output"))];
  const place = make("output", { class: "place" });
  const caption = make("figcaption", {}, make("span", { class: "title" }, options.title), place, legend);
  const frame = make("div", { class: "plot" });
  const figure = make("figure", { class: "chart", tabIndex: 0, role: "group", "aria-label": summary(options) }, caption, frame);
  box.replaceChildren(figure);

  let focused = 0;
  const plot = new uPlot({
    width: Math.max(200, frame.clientWidth),
    height: options.height || 190,
    legend: { show: false },
    scales: { x: { time: false, distr: options.logX ? 3 : 1 }, y: { distr: options.logY ? 3 : 1 } },
    focus: { alpha: 0.35 },
    cursor: {
      focus: { prox: 24 },
      sync: options.sync ? { key: options.sync, setSeries: false } : undefined,
      drag: { x: true, y: false },
      dataIdx: (/** @type {any} */ u, /** @type {number} */ series, /** @type {number} */ index) => nearest(u.data[series], index),
      points: { size: 7 },
    },
    axes: [axisStyle(32), { ...axisStyle(58), values: (/** @type {any} */ _, /** @type {any[]} */ ticks) => ticks.map((v) => (v === null ? "" : shortNumber(v))) }],
    series: [{}, ...data.slice(1).map((/** @type {any[]} */ column, /** @type {number} */ i) => seriesStyle(lines[sources[i].line], sources[i].smooth, options, column))],
    hooks: {
      setSeries: [(/** @type {any} */ _, /** @type {number | null} */ index) => { if (index) focused = sources[index - 1].line; }],
      setCursor: [(/** @type {any} */ u) => tell(u, place, values, options, sources)],
      draw: [(/** @type {any} */ u) => drawMarks(u, lines)],
    },
  }, data, frame);

  const select = () => pickAt(plot, lines, focused);
  plot.over.addEventListener("click", select);
  figure.addEventListener("keydown", (event) => keys(event, plot, select));
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(200, frame.clientWidth), height: options.height || 190 }));
  observer.observe(frame);
  return { plot, destroy: () => { observer.disconnect(); plot.destroy(); } };
}

/** The columns that uPlot draws: one axis for all lines, and for each column the line that it is of.
 * @param {Line[]} lines @param {ChartOptions} options */
function joined(lines, options) {
  /** @type {{line: number, smooth: boolean}[]} */
  const sources = [];
  const tables = lines.map((line, i) => {
    const y = options.logY ? line.curve.y.map((v) => (v !== null && v > 0 ? v : null)) : line.curve.y;
    const columns = [line.curve.x, y];
    sources.push({ line: i, smooth: false });
    if (options.smoothing) {
      columns.push(smoothed(y, options.smoothing));
      sources.push({ line: i, smooth: true });
    }
    return options.logX ? positive(columns) : columns;
  });
  const aligned = /** @type {any} */ (tables);
  return { data: tables.length === 1 ? aligned[0] : uPlot.join(aligned), sources };
}

/** Without the places that a logarithmic axis can't show. @param {any[][]} columns */
function positive(columns) {
  const kept = columns[0].map((x, i) => i).filter((i) => columns[0][i] > 0);
  return columns.map((column) => kept.map((i) => column[i]));
}

/** @param {Line} line @param {boolean} smooth @param {ChartOptions} options @param {any} column */
function seriesStyle(line, smooth, options, column) {
  const faint = options.smoothing && !smooth;
  return {
    label: line.label,
    stroke: line.colour,
    alpha: faint ? 0.25 : 1,
    width: faint ? 1 : 1.6,
    dash: line.dash,
    spanGaps: true,
    points: { show: line.curve.x.length < 60 && column.length < 400 && !smooth, size: 4 },
  };
}

/** @param {number} size */
function axisStyle(size) {
  return { stroke: () => colour("--mute"), grid: { stroke: () => colour("--grid"), width: 1 }, ticks: { show: false }, size, font: "11px system-ui" };
}

/** The place of the value that is nearest to a place in a column. @param {any[]} column @param {number} index */
function nearest(column, index) {
  if (column[index] !== null && column[index] !== undefined) return index;
  for (let away = 1; away < column.length; away++) {
    for (const at of [index - away, index + away]) {
      if (at >= 0 && at < column.length && column[at] !== null && column[at] !== undefined) return at;
    }
  }
  return null;
}

/** @param {Line} line */
function legendItem(line) {
  const mark = make("i", {});
  mark.style.borderTop = `2px ${line.dash.length ? "dashed" : "solid"} ${line.colour}`;
  return make("li", {}, mark, make("span", {}, line.label), make("output", {}));
}

/** Shows the values under the cursor.
 * @param {any} u @param {HTMLElement} place @param {HTMLElement[]} values @param {ChartOptions} options
 * @param {{line: number, smooth: boolean}[]} sources */
function tell(u, place, values, options, sources) {
  const at = u.cursor.idx;
  place.textContent = at === null || at === undefined ? "" : `${options.axis} ${shortNumber(u.data[0][at])}`;
  sources.forEach((source, i) => {
    if (source.smooth) return;
    const index = u.cursor.idxs ? u.cursor.idxs[i + 1] : null;
    values[source.line].textContent = index === null || index === undefined || at === null ? "" : shortNumber(u.data[i + 1][index]);
  });
}

/** Marks the point that is picked, and every value that is no number.
 * @param {any} u @param {Line[]} lines */
function drawMarks(u, lines) {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.fillStyle = colour("--bad");
  ctx.font = `${11 * devicePixelRatio}px system-ui`;
  for (const line of lines) {
    for (const { x, value } of line.curve.odd.slice(0, 200)) {
      const left = u.valToPos(x, "x", true);
      if (left >= bbox.left && left <= bbox.left + bbox.width) ctx.fillText(value === "NaN" ? "×NaN" : "×inf", left - 3, bbox.top + bbox.height - 4);
    }
    if (!picked || picked.run !== line.run) continue;
    for (let i = 0; i < line.curve.rows.length; i++) {
      if (line.curve.rows[i] !== picked.row || line.curve.y[i] === null) continue;
      ctx.beginPath();
      ctx.arc(u.valToPos(line.curve.x[i], "x", true), u.valToPos(line.curve.y[i], "y", true), 5 * devicePixelRatio, 0, 2 * Math.PI);
      ctx.strokeStyle = colour("--fg");
      ctx.lineWidth = 2 * devicePixelRatio;
      ctx.stroke();
    }
  }
  ctx.restore();
}

/** Picks the point of the focused line at the cursor. @param {any} u @param {Line[]} lines @param {number} focused */
function pickAt(u, lines, focused) {
  const at = u.cursor.idx;
  if (at === null || at === undefined) return;
  const line = lines[focused] || lines[0];
  const x = u.data[0][at];
  let best = 0;
  line.curve.x.forEach((value, i) => {
    if (Math.abs(value - x) < Math.abs(line.curve.x[best] - x)) best = i;
  });
  pick({ run: line.run, row: line.curve.rows[best], line: null }, "chart");
}

/** The keys of a chart: the arrows move the cursor, Enter picks. @param {KeyboardEvent} event @param {any} u @param {() => void} select */
function keys(event, u, select) {
  const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
  const step = steps[/** @type {keyof typeof steps} */ (event.key)];
  if (event.key === "Enter") return select();
  if (!step) return;
  event.preventDefault();
  const last = u.data[0].length - 1;
  const at = Math.min(last, Math.max(0, (u.cursor.idx ?? (step > 0 ? -1 : last + 1)) + step));
  u.setCursor({ left: u.valToPos(u.data[0][at], "x"), top: 10 });
}

/** A chart in words, for who can't see it. @param {ChartOptions} options */
function summary(options) {
  const parts = options.lines.slice(0, 12).map((line) => {
    const y = /** @type {number[]} */ (line.curve.y.filter((value) => value !== null));
    if (!y.length) return `${line.label}: no numbers`;
    const low = y.reduce((a, b) => Math.min(a, b));
    const high = y.reduce((a, b) => Math.max(a, b));
    return `${line.label}: ${y.length} values from ${shortNumber(low)} to ${shortNumber(high)}, last ${shortNumber(y[y.length - 1])}`;
  });
  return `${options.title} over ${options.axis}. ${parts.join("; ")}. Arrow keys move along the line, Enter shows the console line.`;
}
