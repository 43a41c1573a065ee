import { curve, ownAxis, axesOf } from "./data.js";
import { choice, make, tick } from "./dom.js";
import { COLOURS, drawChart } from "./chart.js";
import { choose, onPick, state } from "./state.js";

// The charts of all metrics: those of one family in one chart, charts of one prefix under one heading.

const DASHES = [[], [6, 4], [2, 3], [10, 3, 2, 3]];

/** @type {Map<HTMLElement, {plot: any, destroy: () => void}>} */
const drawn = new Map();

onPick(() => drawn.forEach(({ plot }) => plot.redraw()));

/** The part of the page with the charts of runs. @param {import("./data.js").Run[]} runs @returns {HTMLElement} */
export function chartsView(runs) {
  const grid = make("div", { class: "groups" });
  const redraw = () => fill(grid, shownRuns(runs));
  const axisNames = /** @type {Record<string, string>} */ ({ own: "each metric's own", time: "time (s)", row: "row" });
  const smoothing = /** @type {HTMLInputElement} */ (make("input", {
    type: "range", min: "0", max: "0.99", step: "0.01", value: String(state.smoothing),
    onchange: () => { choose({ smoothing: +smoothing.value }); redraw(); },
  }));
  const bar = make("div", { class: "bar" },
    choice("x axis", axesOf(runs).map((axis) => [axis, axisNames[axis] || axis]), state.axis, (axis) => { choose({ axis }); redraw(); }),
    make("label", {}, "smoothing ", smoothing),
    tick("log x", state.logX, (logX) => { choose({ logX }); redraw(); }),
    tick("log y", state.logY, (logY) => { choose({ logY }); redraw(); }));
  redraw();
  return make("section", { class: "charts" }, bar, runs.length > 1 ? runLegend(runs, redraw) : null, grid);
}

/** The runs that are not switched off. @param {import("./data.js").Run[]} runs */
export function shownRuns(runs) {
  return runs.filter((run) => !state.hidden.includes(run.id));
}

/** The colour of a run among all. @param {import("./data.js").Run[]} runs @param {import("./data.js").Run} run */
export function runColour(runs, run) {
  return COLOURS[runs.indexOf(run) % COLOURS.length];
}

/** The runs with their colours, to switch on and off. @param {import("./data.js").Run[]} runs @param {() => void} changed */
export function runLegend(runs, changed) {
  return make("div", { class: "runs", role: "group", "aria-label": "Runs that are shown" }, ...runs.map((run) => {
    const label = tick(run.name, !state.hidden.includes(run.id), (on) => {
      choose({ hidden: on ? state.hidden.filter((id) => id !== run.id) : [...state.hidden, run.id] });
      changed();
    });
    label.style.setProperty("--run", runColour(runs, run));
    return label;
  }));
}

/** @type {import("./data.js").Run[]} */
let everyRun = [];

/** Tells in which order runs have their colours. @param {import("./data.js").Run[]} runs */
export function setRuns(runs) {
  everyRun = runs;
}

/** @param {HTMLElement} grid @param {import("./data.js").Run[]} runs */
function fill(grid, runs) {
  drawn.forEach((chart) => chart.destroy());
  drawn.clear();
  lazily.disconnect();
  const groups = grouped(runs);
  grid.replaceChildren(...[...groups].map(([group, families]) => {
    const open = make("details", { class: "group", open: true }, make("summary", {}, `${group} `, make("small", {}, String(families.length))));
    const cells = families.map((family) => {
      const cell = make("div", { class: "cell" });
      waiting.set(cell, () => draw(cell, runs, family));
      lazily.observe(cell);
      return cell;
    });
    open.append(make("div", { class: "grid" }, ...cells));
    return open;
  }));
  if (!groups.size) grid.append(make("p", { class: "empty" }, runs.length ? "These runs have no metrics." : "No run is switched on."));
}

/** @type {WeakMap<Element, () => void>} */
const waiting = new WeakMap();

// A chart is drawn when it comes into view: a run may have hundreds.
const lazily = new IntersectionObserver((entries) => {
  for (const entry of entries) {
    if (!entry.isIntersecting) continue;
    lazily.unobserve(entry.target);
    waiting.get(entry.target)?.();
  }
}, { rootMargin: "300px" });

/** Draws the charts that are not in view yet: for paper. */
export function drawAll() {
  for (const cell of document.querySelectorAll(".cell")) {
    lazily.unobserve(cell);
    if (!drawn.has(/** @type {HTMLElement} */ (cell))) waiting.get(cell)?.();
  }
}

/** Families of metrics by their prefix. @param {import("./data.js").Run[]} runs @returns {Map<string, string[]>} */
function grouped(runs) {
  /** @type {Map<string, string[]>} */
  const groups = new Map();
  const families = new Set(runs.flatMap((run) => Object.entries(run.metrics).filter(([name, metric]) => isChart(name, metric)).map(([, metric]) => metric.family)));
  for (const family of families) {
    const cut = family.lastIndexOf("/");
    const group = cut > 0 ? family.slice(0, cut) : "metrics";
    groups.set(group, [...(groups.get(group) || []), family]);
  }
  return groups;
}

/** Whether a metric has a chart of its own: what only counts is an axis. @param {string} name @param {import("./data.js").Metric} metric */
export function isChart(name, metric) {
  return !metric.is_axis && !/(^|\/)(epoch|step|global_step|batch_step|iter|iteration)$/.test(name);
}

/** @param {HTMLElement} cell @param {import("./data.js").Run[]} runs @param {string} family */
function draw(cell, runs, family) {
  const several = everyRun.length > 1;
  /** @type {import("./chart.js").Line[]} */
  const lines = [];
  const axes = new Set();
  for (const run of runs) {
    const names = Object.keys(run.metrics).filter((name) => run.metrics[name].family === family && isChart(name, run.metrics[name]));
    const axis = state.axis === "own" ? commonAxis(run, names) : state.axis;
    names.forEach((name, i) => {
      axes.add(axis);
      lines.push({
        label: several ? run.name + (names.length > 1 ? ` ${name}` : "") : name,
        run: run.id,
        colour: several ? runColour(everyRun, run) : COLOURS[i % COLOURS.length],
        dash: several ? DASHES[i % DASHES.length] : [],
        curve: curve(run, name, axis),
      });
    });
  }
  const axis = [...axes].join(", ");
  drawn.set(cell, drawChart(cell, {
    title: family, axis, lines, smoothing: state.smoothing, logX: state.logX, logY: state.logY, sync: axis,
  }));
}

/** The axis on which all metrics of a chart can lie. @param {import("./data.js").Run} run @param {string[]} names */
function commonAxis(run, names) {
  const own = new Set(names.map((name) => ownAxis(run, run.metrics[name])));
  if (own.size === 1) return [...own][0];
  return run.rows.step.some((step) => step !== null) ? "step" : "row";
}
