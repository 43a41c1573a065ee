import { clock, compareValues, shortNumber, shown } from "./data.js";
import { make } from "./dom.js";
import { columnsOf } from "./columns.js";
import { stateBadge } from "./overview.js";
import { runColour } from "./charts.js";
import { choose, state } from "./state.js";

// All runs with what differs, to sort and to switch on and off.

/** The part of the page with the table of runs.
 * @param {import("./data.js").Run[]} runs
 * @returns {HTMLElement} */
export function runsView(runs) {
  const columns = columnsOf(runs);
  let sorted = { by: "", down: false };
  const body = make("tbody", {});
  const fixed = /** @type {[string, (run: import("./data.js").Run) => any][]} */ ([
    ["run", (run) => run.name], ["state", (run) => run.state], ["took (s)", (run) => (run.end === null ? null : run.end - run.start)],
  ]);
  const all = [...fixed, ...columns.map((column) => /** @type {[string, (run: import("./data.js").Run) => any]} */ ([column.name, column.value]))];
  const heads = all.map(([name]) => {
    const head = make("th", { scope: "col", "aria-sort": "none" }, make("button", { type: "button", onclick: () => sort(name) }, name));
    if (columns.some((column) => column.name === name && column.kind === "config")) head.className = "config";
    return head;
  });
  const sort = (/** @type {string} */ name) => {
    sorted = { by: name, down: sorted.by === name ? !sorted.down : (columns.find((column) => column.name === name)?.better === "max") };
    heads.forEach((head, i) => head.setAttribute("aria-sort", all[i][0] !== name ? "none" : sorted.down ? "descending" : "ascending"));
    fill();
  };
  const fill = () => {
    const value = all.find(([name]) => name === sorted.by)?.[1];
    const order = value ? [...runs].sort((a, b) => compareValues(value(a), value(b), sorted.down)) : runs;
    body.replaceChildren(...order.map((run) => {
      const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", checked: !state.hidden.includes(run.id), "aria-label": `show ${run.name}`,
        onchange: () => choose({ hidden: box.checked ? state.hidden.filter((id) => id !== run.id) : [...state.hidden, run.id] }) }));
      const name = make("th", { scope: "row" }, box, " ", run.name);
      name.style.setProperty("--run", runColour(runs, run));
      const cells = columns.map((column) => make("td", { class: best(column, run, runs) ? "best" : "" }, cellText(column.value(run))));
      return make("tr", {}, name, make("td", {}, stateBadge(run)), make("td", {}, clock(run.end === null ? null : run.end - run.start)), ...cells);
    }));
  };
  fill();
  return make("section", { class: "runs-table" }, make("div", { class: "wide" }, make("table", {},
    make("caption", {}, `${runs.length} runs; the config is what differs between them`),
    make("thead", {}, make("tr", {}, ...heads)), body)));
}

/** Whether a run has the best value of a column.
 * @param {import("./columns.js").Column} column
 * @param {import("./data.js").Run} run
 * @param {import("./data.js").Run[]} runs */
function best(column, run, runs) {
  if (!column.better) return false;
  const values = runs.map(column.value).filter((value) => typeof value === "number");
  return values.length > 1 && column.value(run) === (column.better === "min" ? Math.min(...values) : Math.max(...values));
}

/** @param {any} value */
function cellText(value) {
  return typeof value === "number" ? shortNumber(value) : value === null ? "" : shown(value);
}
