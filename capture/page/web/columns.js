import { isChart } from "./charts.js";

// What runs are compared by: the config that differs, and what the metrics came to.

/** @typedef {{name: string, kind: "config" | "result", value: (run: import("./data.js").Run) => any, better: string}} Column */

/** The columns of a comparison. @param {import("./data.js").Run[]} runs @returns {Column[]} */
export function columnsOf(runs) {
  /** @type {Column[]} */
  const columns = [];
  const configs = new Map(runs.map((run) => [run.id, new Map(run.config.map(([name, value]) => [name, value]))]));
  for (const name of new Set(runs.flatMap((run) => run.config.map(([key]) => key)))) {
    const value = (/** @type {import("./data.js").Run} */ run) => configs.get(run.id)?.get(name);
    const texts = runs.map((run) => JSON.stringify(value(run)));
    if (runs.some((run) => typeof value(run) === "object" && value(run) !== null)) continue;
    if (new Set(texts).size > 1) columns.push({ name, kind: "config", value, better: "" });
  }
  const configured = new Set(columns.map((column) => column.name));
  /** @type {Column[]} */
  const results = [];
  for (const name of new Set(runs.flatMap((run) => Object.entries(run.metrics).filter(([key, metric]) => isChart(key, metric)).map(([key]) => key)))) {
    const better = runs.map((run) => run.metrics[name]?.better).find(Boolean) || "";
    const value = (/** @type {import("./data.js").Run} */ run) => (better ? run.metrics[name]?.best : run.metrics[name]?.last);
    if (configured.has(name) || (!better && new Set(runs.map(value)).size < 2)) continue;
    results.push({ name: better ? `${better} ${name}` : name, kind: "result", better, value });
  }
  const rank = (/** @type {Column} */ column) => (column.better ? (isValidation(column.name) ? 0 : 1) : 2);
  columns.push(...results.sort((a, b) => rank(a) - rank(b)));
  return columns;
}

/** The column that runs are judged by unless the reader chooses: a validation metric with a direction, if there is one.
 * @param {Column[]} columns @returns {Column | undefined} */
export function targetOf(columns) {
  return columns.find((column) => column.kind === "result");
}

/** @param {string} name */
function isValidation(name) {
  return /(^|[/_ ])(val|valid|validation|eval|test)/i.test(name);
}

/** A scale of a column's values: numbers as they are or by their logarithm, else the different texts.
 * @param {any[]} values @returns {{place: (value: any) => number | null, ticks: [any, number][], log: boolean}} */
export function scaleOf(values) {
  const known = values.filter((value) => value !== undefined && value !== null);
  const numeric = known.length > 0 && known.every((value) => typeof value === "number" && isFinite(value));
  if (!numeric) {
    const texts = [...new Set(known.map(String))].sort();
    const at = (/** @type {any} */ value) => (value === undefined || value === null ? null : texts.length < 2 ? 0.5 : texts.indexOf(String(value)) / (texts.length - 1));
    return { place: at, ticks: texts.slice(0, 12).map((text) => [text, /** @type {number} */ (at(text))]), log: false };
  }
  const low = Math.min(...known);
  const high = Math.max(...known);
  const log = low > 0 && high / low >= 50;
  const turn = log ? Math.log10 : (/** @type {number} */ value) => value;
  const span = turn(high) - turn(low) || 1;
  const place = (/** @type {any} */ value) => (typeof value === "number" ? (high === low ? 0.5 : (turn(value) - turn(low)) / span) : null);
  const different = [...new Set(known)].sort((a, b) => a - b);
  const marks = different.length <= 6 ? different : [0, 0.25, 0.5, 0.75, 1].map((share) => (log ? 10 ** (turn(low) + share * span) : low + share * span));
  return { place, ticks: marks.map((value) => [value, /** @type {number} */ (place(value))]), log };
}

/** How strongly a column goes with the target: the rank correlation of numbers (Spearman), of texts the share of
 * the ranks' variance that lies between them (eta).  From -1 to 1, null where there is nothing to compare.
 * @param {any[]} values @param {any[]} targets @returns {number | null} */
export function importance(values, targets) {
  const pairs = values.map((value, i) => [value, targets[i]]).filter(([value, target]) => value !== undefined && value !== null && typeof target === "number");
  if (pairs.length < 3) return null;
  const ranks = ranksOf(pairs.map(([, target]) => target));
  if (pairs.every(([value]) => typeof value === "number")) return correlation(ranksOf(pairs.map(([value]) => value)), ranks);
  const mean = average(ranks);
  const total = ranks.reduce((sum, rank) => sum + (rank - mean) ** 2, 0);
  /** @type {Map<string, number[]>} */
  const groups = new Map();
  pairs.forEach(([value], i) => groups.set(String(value), [...(groups.get(String(value)) || []), ranks[i]]));
  if (!total || groups.size < 2 || groups.size === pairs.length) return null;
  const between = [...groups.values()].reduce((sum, group) => sum + group.length * (average(group) - mean) ** 2, 0);
  return Math.sqrt(between / total);
}

/** @param {number[]} values @returns {number[]} equal values share their mean rank */
function ranksOf(values) {
  const order = values.map((_, i) => i).sort((a, b) => values[a] - values[b]);
  const ranks = new Array(values.length);
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && values[order[end]] === values[order[i]]) end++;
    for (let k = i; k < end; k++) ranks[order[k]] = (i + end - 1) / 2;
    i = end;
  }
  return ranks;
}

/** @param {number[]} a @param {number[]} b */
function correlation(a, b) {
  const [meanA, meanB] = [average(a), average(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, i) => {
    ab += (value - meanA) * (b[i] - meanB);
    aa += (value - meanA) ** 2;
    bb += (b[i] - meanB) ** 2;
  });
  return aa && bb ? ab / Math.sqrt(aa * bb) : null;
}

/** @param {number[]} values */
function average(values) {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
