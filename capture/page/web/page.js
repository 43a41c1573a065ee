import { unpack } from "./data.js";
import { make } from "./dom.js";
import { choose, onPick, pick, picked, restore, state } from "./state.js";
import { chartsView, drawAll, setRuns } from "./charts.js";
import { consoleView } from "./console.js";
import { overviewView, stateBadge } from "./overview.js";
import { runsView } from "./runs_table.js";
import { compareView } from "./compare.js";
import { filesView } from "./files.js";
import { systemView } from "./system.js";
import { clock } from "./data.js";

// The page: its head, its parts, and which of them is shown.

const WIDE = matchMedia("(min-width: 1100px)");

/** @param {string} id
 * @returns {HTMLElement} */
const element = (id) => /** @type {HTMLElement} */ (document.getElementById(id));

async function start() {
  restore();
  const page = await unpack();
  const { runs } = page;
  setRuns(runs);
  theme(state.theme);
  head(page);
  const withConsole = runs.some((run) => run.console && run.console.length);
  /** @type {[string, string, () => HTMLElement][]} */
  const parts = [
    ["charts", "Charts", () => chartsView(runs)],
    ["overview", "Overview", () => overviewView(runs)],
  ];
  if (runs.length > 1) {
    parts.unshift(["runs", "Runs", () => runsView(runs)]);
    parts.splice(2, 0, ["compare", "Compare", () => compareView(runs)]);
  }
  if (runs.some((run) => run.files.length)) parts.push(["files", "Files", () => filesView(runs)]);
  if (runs.some((run) => run.system.time.length)) parts.push(["system", "System", () => systemView(runs)]);
  if (withConsole) parts.push(["console", "Console", () => consoleView(runs)]);

  const show = (/** @type {string} */ name) => {
    const part = parts.find(([key]) => key === name) || parts[0];
    choose({ tab: part[0] });
    for (const button of element("tabs").querySelectorAll("[role=tab]")) {
      const on = button.id === `tab-${part[0]}`;
      button.setAttribute("aria-selected", String(on));
      /** @type {HTMLElement} */ (button).tabIndex = on ? 0 : -1;
    }
    element("main").setAttribute("aria-labelledby", `tab-${part[0]}`);
    element("main").replaceChildren(part[2]());
    dock(part[0]);
  };
  const dock = (/** @type {string} */ tab) => {
    const side = element("side");
    const wanted = withConsole && WIDE.matches && state.side && tab === "charts";
    if (wanted && side.hidden) side.replaceChildren(consoleView(runs));
    if (!wanted) side.replaceChildren();
    side.hidden = !wanted;
    document.body.classList.toggle("docked", wanted);
  };
  tabs(parts, show);
  if (withConsole) {
    element("tabs").append(make("button", { type: "button", class: "dock", "aria-pressed": state.side, onclick: (/** @type {Event} */ event) => {
      choose({ side: !state.side });
      /** @type {HTMLElement} */ (event.currentTarget).setAttribute("aria-pressed", String(state.side));
      dock(state.tab);
    } }, "console beside charts"));
  }
  WIDE.addEventListener("change", () => dock(state.tab));
  onPick((from) => {
    if (!picked) return;
    const narrow = element("side").hidden;
    if (from === "chart" && narrow && withConsole) {
      const point = picked;
      show("console");
      requestAnimationFrame(() => pick(point, "tab"));
    }
    if (from === "console" && state.tab === "console") show("charts");
  });
  addEventListener("beforeprint", drawAll);
  show(state.tab);
  fromAddress(runs, () => { if (element("side").hidden && withConsole) show("console"); });
  if (page.watch) watch(page.watch);
  document.documentElement.dataset.ready = "yes";
}

/** @param {[string, string, () => HTMLElement][]} parts
 * @param {(name: string) => void} show */
function tabs(parts, show) {
  const buttons = parts.map(([key, text]) => make("button", { type: "button", role: "tab", id: `tab-${key}`, "aria-controls": "main", onclick: () => show(key) }, text));
  element("tabs").replaceChildren(...buttons);
  element("main").setAttribute("role", "tabpanel");
  element("tabs").addEventListener("keydown", (event) => {
    const at = buttons.indexOf(/** @type {HTMLElement} */ (document.activeElement));
    const step = event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0;
    if (at < 0 || !step) return;
    const next = buttons[(at + step + buttons.length) % buttons.length];
    next.focus();
    next.click();
  });
}

/** @param {import("./data.js").Page} page */
function head(page) {
  const [run] = page.runs;
  const one = page.runs.length === 1;
  const points = page.runs.reduce((sum, each) => sum + Object.values(each.metrics).reduce((n, metric) => n + (metric.is_axis ? 0 : metric.values.length), 0), 0);
  element("head").replaceChildren(
    make("h1", {}, page.title),
    one ? stateBadge(run) : make("span", {}, `${page.runs.length} runs`),
    make("span", {}, one ? clock(run.end === null ? null : run.end - run.start) : ""),
    make("span", {}, `${points} values`),
    make("button", { type: "button", class: "theme", "aria-label": "light or dark", onclick: () => theme(state.theme === "dark" ? "light" : state.theme === "light" ? "" : "dark") }, "◐"));
}

/** Takes light, dark, or what the reader's system says.
 * @param {string} name */
function theme(name) {
  choose({ theme: name });
  document.documentElement.style.colorScheme = name || "light dark";
  pick(picked, "theme"); // charts are drawn again, in the new colours
}

/** Shows the line that the address names: #L120, or #RUN.L120 where there are several runs.
 * @param {import("./data.js").Run[]} runs
 * @param {() => void} prepare */
function fromAddress(runs, prepare) {
  const match = /^#(?:(.+)\.)?L(\d+)$/.exec(location.hash);
  const run = match && (runs.find((each) => each.id === match[1]) || runs[0]);
  if (!match || !run) return;
  const line = +match[2] - 1;
  prepare();
  const row = run.rows.line.lastIndexOf(line);
  requestAnimationFrame(() => pick({ run: run.id, row: row < 0 ? null : row, line }, "address"));
}

/** Loads the page again every so many seconds, while it is looked at.
 * @param {number} seconds */
function watch(seconds) {
  setInterval(() => {
    if (document.hidden) return;
    choose({ scroll: element("main").scrollTop });
    location.reload();
  }, seconds * 1000);
  requestAnimationFrame(() => { element("main").scrollTop = state.scroll; });
}

start();
