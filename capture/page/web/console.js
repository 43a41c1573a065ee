import { choice, make, say, tick } from "./dom.js";
import { choose, onPick, pick, picked, state } from "./state.js";
import { shortNumber } from "./data.js";

// The console of a run: only the lines in view are in the document, since there may be 100,000.

const HEIGHT = 18; // pixels of a line
const SGR = /\x1b\[([0-9;:]*)m/;

/** The part of the page with a run's console. @param {import("./data.js").Run[]} runs @returns {HTMLElement} */
export function consoleView(runs) {
  const all = runs.filter((run) => run.console && run.console.length);
  if (!all.length) return make("section", { class: "console" }, make("p", { class: "empty" }, "No console is kept in this page."));
  const view = make("section", { class: "console" });
  const show = () => view.replaceChildren(...panel(all.find((run) => run.id === state.consoleRun) || all[0], all, show));
  const forget = onPick(() => {
    if (started && !view.isConnected) return forget();
    if (picked && picked.run !== shownRun && all.some((run) => run.id === picked?.run)) {
      choose({ consoleRun: picked.run });
      show();
    }
  });
  let started = false;
  requestAnimationFrame(() => { started = true; });
  show();
  return view;
}

let shownRun = "";

/** @param {import("./data.js").Run} run @param {import("./data.js").Run[]} all @param {() => void} changed @returns {HTMLElement[]} */
function panel(run, all, changed) {
  shownRun = run.id;
  const lines = /** @type {string[]} */ (run.console);
  const rowsOf = rowsByLine(run);
  let shown = state.withValues ? [...rowsOf.keys()].sort((a, b) => a - b) : null;
  let current = -1;
  const inner = make("div", { class: "lines", role: "list", "aria-label": `Console of ${run.name}` });
  const scroller = make("div", { class: "scroller", tabIndex: 0 }, inner);
  const count = () => (shown ? shown.length : lines.length);
  const lineAt = (/** @type {number} */ place) => (shown ? shown[place] : place);

  const draw = () => {
    inner.style.height = `${count() * HEIGHT}px`;
    const first = Math.max(0, Math.floor(scroller.scrollTop / HEIGHT) - 20);
    const last = Math.min(count(), first + Math.ceil(scroller.clientHeight / HEIGHT) + 40);
    inner.replaceChildren(...Array.from({ length: last - first }, (_, i) => element(first + i)));
  };
  const element = (/** @type {number} */ place) => {
    const line = lineAt(place);
    const rows = rowsOf.get(line);
    const number = line + 1 + (run.gap && line >= run.gap[0] ? run.gap[1] : 0);
    const item = make("div", { role: "listitem", class: `${rows ? "has" : ""}${line === current ? " on" : ""}`, "aria-setsize": count(), "aria-posinset": place + 1 },
      make("i", {}, String(number)), ...coloured(lines[line], state.search));
    item.style.top = `${place * HEIGHT}px`;
    if (run.gap && line === run.gap[0]) item.title = `${run.gap[1]} lines before this one are left out`;
    if (rows) {
      item.title = values(run, rows);
      item.addEventListener("click", () => pick({ run: run.id, row: rows[rows.length - 1], line }, "console"));
    }
    return item;
  };
  const go = (/** @type {number} */ line) => {
    current = line;
    const place = shown ? shown.findIndex((one) => one >= line) : line;
    scroller.scrollTop = Math.max(0, place * HEIGHT - scroller.clientHeight / 2);
    draw();
  };

  const found = make("output", {});
  const search = /** @type {HTMLInputElement} */ (make("input", { type: "search", placeholder: "search", "aria-label": "Search the console", value: state.search }));
  const next = (/** @type {number} */ step) => {
    choose({ search: search.value });
    const hits = matches(lines, search.value);
    if (!hits.length) {
      found.textContent = search.value ? "nothing found" : "";
      return draw();
    }
    const at = step > 0 ? hits.find((line) => line > current) ?? hits[0] : [...hits].reverse().find((line) => line < current) ?? hits[hits.length - 1];
    found.textContent = `${hits.indexOf(at) + 1} of ${hits.length}`;
    go(at);
    say(`line ${at + 1}: ${plain(lines[at])}`);
  };
  search.addEventListener("keydown", (event) => { if (event.key === "Enter") next(event.shiftKey ? -1 : 1); });
  search.addEventListener("input", () => { current = -1; next(1); });
  scroller.addEventListener("scroll", draw, { passive: true });
  scroller.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || current < 0) return;
    const rows = rowsOf.get(current);
    if (rows) pick({ run: run.id, row: rows[rows.length - 1], line: current }, "console");
  });
  let started = false;
  const forget = onPick((from) => {
    if (started && !scroller.isConnected) return forget();
    started = true;
    if (!picked || picked.run !== run.id) return;
    const line = picked.line ?? (picked.row === null ? null : run.rows.line[picked.row]);
    if (line === null) return;
    if (from === "console") { current = line; draw(); } else go(line);
    mark(run, line, all.length > 1);
    say(`line ${line + 1}: ${plain(lines[line])}`);
  });
  const bar = make("div", { class: "bar" },
    all.length > 1 ? choice("run", all.map((one) => [one.id, one.name]), run.id, (consoleRun) => { choose({ consoleRun }); changed(); }) : null,
    search, found, tick("only lines with values", state.withValues, (withValues) => { choose({ withValues }); changed(); }));
  new ResizeObserver(draw).observe(scroller);
  requestAnimationFrame(draw);
  return [bar, scroller];
}

/** The rows that a line has given. @param {import("./data.js").Run} run @returns {Map<number, number[]>} */
export function rowsByLine(run) {
  /** @type {Map<number, number[]>} */
  const found = new Map();
  run.rows.line.forEach((line, row) => {
    if (line === null) return;
    const rows = found.get(line);
    if (rows) rows.push(row);
    else found.set(line, [row]);
  });
  return found;
}

/** What a line has given, as text. @param {import("./data.js").Run} run @param {number[]} rows */
function values(run, rows) {
  const wanted = rows[rows.length - 1];
  return Object.entries(run.metrics)
    .map(([name, metric]) => [name, metric.values[lowerBound(metric.rows, wanted)], metric.rows[lowerBound(metric.rows, wanted)]])
    .filter(([, , row]) => row === wanted)
    .map(([name, value]) => `${name} = ${shortNumber(value)}`)
    .join("\n");
}

/** @param {number[]} sorted @param {number} value */
function lowerBound(sorted, value) {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The lines that hold a text. @param {string[]} lines @param {string} text */
function matches(lines, text) {
  const wanted = text.toLowerCase();
  if (!wanted) return [];
  /** @type {number[]} */
  const found = [];
  lines.forEach((line, i) => { if (plain(line).toLowerCase().includes(wanted)) found.push(i); });
  return found;
}

/** @param {string} line */
function plain(line) {
  return line.includes("\x1b") ? line.replace(/\x1b\[[0-9;:]*m/g, "") : line;
}

/** A line with its colours, and what is searched for marked. @param {string} line @param {string} search @returns {(Node | string)[]} */
function coloured(line, search) {
  if (!line.includes("\x1b")) return marked(line, search);
  /** @type {(Node | string)[]} */
  const parts = [];
  let style = "";
  line.split(SGR).forEach((text, i) => {
    if (i % 2) style = restyled(style, text);
    else if (text) parts.push(style ? make("span", { class: style }, ...marked(text, search)) : make("span", {}, ...marked(text, search)));
  });
  return parts;
}

/** @param {string} text @param {string} search @returns {(Node | string)[]} */
function marked(text, search) {
  const at = search ? text.toLowerCase().indexOf(search.toLowerCase()) : -1;
  if (at < 0) return [text];
  return [text.slice(0, at), make("mark", {}, text.slice(at, at + search.length)), ...marked(text.slice(at + search.length), search)];
}

/** The classes after a colour sequence (ECMA-48, SGR): the sixteen colours, bold, faint, underlined.
 * @param {string} style @param {string} codes */
function restyled(style, codes) {
  let classes = new Set(style ? style.split(" ") : []);
  const list = codes.split(/[;:]/).map(Number);
  for (let i = 0; i < list.length; i++) {
    const code = list[i];
    if (code === 0) classes = new Set();
    else if (code === 38 || code === 48) i += list[i + 1] === 5 ? 2 : 4;
    else if (code === 1) classes.add("b");
    else if (code === 2) classes.add("f");
    else if (code === 4) classes.add("u");
    else if (code === 22) { classes.delete("b"); classes.delete("f"); }
    else if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) {
      classes = new Set([...classes].filter((name) => !name.startsWith("c")));
      if (code !== 39) classes.add(`c${code >= 90 ? code - 82 : code - 30}`);
    }
  }
  return [...classes].join(" ");
}

/** Puts the line into the page's address, so that it can be sent to somebody.
 * @param {import("./data.js").Run} run @param {number} line @param {boolean} several */
function mark(run, line, several) {
  history.replaceState(null, "", `#${several ? `${run.id}.` : ""}L${line + 1}`);
}
