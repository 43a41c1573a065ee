// The page's data: unpacked, and asked for what a chart needs.

/**
 * @typedef {{rows: number[], values: (number | string)[], axis: string | null, is_axis: boolean, family: string,
 *   better: string, last: number | string, best: number | null, best_row: number | null}} Metric
 * @typedef {{time: (number | null)[], step: (number | null)[], epoch: (number | null)[], line: (number | null)[]}} Rows
 * @typedef {{id: string, project: string, name: string, state: string, start: number, end: number | null,
 *   exit_status: number | null, tags: string[], notes: string, group: string, parent: string | null, resumed: number,
 *   command?: string[], cwd?: string, host?: string, folder?: string, provenance?: Record<string, any>, diff?: string,
 *   console?: string[], gap?: [number, number] | null, rows: Rows, metrics: Record<string, Metric>,
 *   config: [string, any, string][], system: {time: number[], values: Record<string, (number | null)[]>},
 *   files: Record<string, any>[], alerts: Record<string, any>[]}} Run
 * @typedef {{title: string, made: number, version: string, watch: number, runs: Run[]}} Page
 * @typedef {{x: number[], y: (number | null)[], rows: number[], odd: {x: number, value: string}[]}} Curve
 */

/** Reads what `capture page` has put into the document.
 * @returns {Promise<Page>} */
export async function unpack() {
  const text = /** @type {HTMLElement} */ (document.getElementById("data")).textContent || "";
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const { DecompressionStream } = /** @type {any} */ (globalThis); // which the types of some compilers lack
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return JSON.parse(await new Response(stream).text());
}

/** Where a metric's values lie on an axis, in the order of that axis.
 * @param {Run} run
 * @param {string} name
 * @param {string} axis  "own", "step", "epoch", "time", "row" or a metric
 * @returns {Curve} */
export function curve(run, name, axis) {
  const metric = run.metrics[name];
  const places = positions(run, metric, axis);
  /** @type {Curve} */
  const result = { x: [], y: [], rows: [], odd: [] };
  let last = -Infinity;
  let sorted = true;
  for (let i = 0; i < metric.rows.length; i++) {
    const x = places[i];
    if (x === null) continue;
    const value = metric.values[i];
    if (typeof value === "string") result.odd.push({ x, value });
    sorted = sorted && x >= last;
    last = x;
    result.x.push(x);
    result.y.push(typeof value === "string" ? null : value);
    result.rows.push(metric.rows[i]);
  }
  return sorted ? result : inOrder(result);
}

/** @param {Curve} curve
 * @returns {Curve} */
function inOrder(curve) {
  const order = curve.x.map((_, i) => i).sort((a, b) => curve.x[a] - curve.x[b] || a - b);
  return {
    x: order.map((i) => curve.x[i]),
    y: order.map((i) => curve.y[i]),
    rows: order.map((i) => curve.rows[i]),
    odd: curve.odd,
  };
}

/** The place of each value of a metric on an axis; null where the axis says nothing yet.
 * @param {Run} run
 * @param {Metric} metric
 * @param {string} axis
 * @returns {(number | null)[]} */
function positions(run, metric, axis) {
  if (axis === "own") axis = ownAxis(run, metric);
  if (axis === "row") return metric.rows;
  if (axis === "time" || axis === "step" || axis === "epoch") {
    const column = carried(run, axis);
    return metric.rows.map((row) => column[row]);
  }
  const other = run.metrics[axis];
  if (!other) return metric.rows.map(() => null);
  let at = 0;
  return metric.rows.map((row) => {
    while (at < other.rows.length && other.rows[at] <= row) at++;
    const value = at ? other.values[at - 1] : null;
    return typeof value === "number" ? value : null;
  });
}

/** The axis over which a metric is drawn unless the reader chooses: its own column, else step, epoch, row.
 * @param {Run} run
 * @param {Metric} metric
 * @returns {string} */
export function ownAxis(run, metric) {
  if (metric.axis && metric.axis !== "step" && metric.axis !== "epoch" && run.metrics[metric.axis]) return metric.axis;
  for (const axis of /** @type {("step" | "epoch")[]} */ (["step", "epoch"])) {
    const column = run.rows[axis];
    if (metric.rows.every((row) => column[row] !== null)) return axis;
  }
  return "row";
}

/** @type {Map<Run, Record<string, (number | null)[]>>} */
const carriedColumns = new Map();

/** A column in which a row that says nothing has what was said last.
 * @param {Run} run
 * @param {"time" | "step" | "epoch"} axis
 * @returns {(number | null)[]} */
function carried(run, axis) {
  const known = carriedColumns.get(run) || {};
  carriedColumns.set(run, known);
  if (!known[axis]) {
    /** @type {number | null} */
    let last = null;
    known[axis] = run.rows[axis].map((value) => (last = value === null ? last : value));
  }
  return known[axis];
}

/** The axes that can be chosen for these runs.
 * @param {Run[]} runs
 * @returns {string[]} */
export function axesOf(runs) {
  const some = (/** @type {"time" | "step" | "epoch"} */ axis) => runs.some((run) => run.rows[axis].some((v) => v !== null));
  const plain = /** @type {const} */ (["step", "epoch", "time"]).filter(some);
  const columns = new Set(runs.flatMap((run) => Object.keys(run.metrics).filter((name) => counts(run.metrics[name]))));
  return ["own", ...plain, "row", ...columns];
}

/** Whether a metric only grows, so that it can be an axis.
 * @param {Metric} metric */
function counts(metric) {
  const values = metric.values;
  return values.length > 1 && values.every((value, i) => typeof value === "number" && (!i || value >= /** @type {number} */ (values[i - 1])))
    && values[values.length - 1] > values[0];
}

/** An exponential mean without a bias at the start.
 * @param {(number | null)[]} values
 * @param {number} weight  0 to 1 */
export function smoothed(values, weight) {
  let mean = 0;
  let share = 0;
  return values.map((value) => {
    if (value === null) return null;
    mean = mean * weight + value * (1 - weight);
    share = share * weight + (1 - weight);
    return mean / share;
  });
}

/** A number for people.
 * @param {number | string | null | undefined} value */
export function shortNumber(value) {
  if (typeof value !== "number") return value === null || value === undefined ? "" : String(value);
  const size = Math.abs(value);
  if (value !== 0 && (size < 1e-3 || size >= 1e7)) return value.toExponential(3).replace(/\.?0+e/, "e").replace("e+", "e");
  return String(+value.toPrecision(5));
}

/** A duration for people.
 * @param {number | null} seconds */
export function clock(seconds) {
  if (seconds === null || !isFinite(seconds)) return "";
  if (seconds < 60) return `${seconds.toFixed(1)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** A value of a config for people.
 * @param {any} value */
export function shown(value) {
  if (typeof value === "number") return shortNumber(value);
  return typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
}

/** The order of two values: numbers by size, else as text; what is missing comes last.
 * @param {any} a
 * @param {any} b
 * @param {boolean} down */
export function compareValues(a, b, down) {
  const missing = (/** @type {any} */ value) => value === undefined || value === null;
  if (missing(a) || missing(b)) return +missing(a) - +missing(b);
  const order = typeof a === "number" && typeof b === "number" ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
  return down ? -order : order;
}
