import { clock, shortNumber, shown } from "./data.js";
import { make, table } from "./dom.js";
import { isChart } from "./charts.js";

// What a run is: command, result, config, code, machine.

/** The part of the page that says who runs are.
 * @param {import("./data.js").Run[]} runs
 * @returns {HTMLElement} */
export function overviewView(runs) {
  return make("section", { class: "overview" }, ...runs.map(oneRun));
}

/** @param {import("./data.js").Run} run */
function oneRun(run) {
  const card = make("article", { class: "card" }, make("h2", {}, run.name, " ", stateBadge(run)), facts(run));
  if (run.config.length) {
    card.append(table(["config", "value", "from"], run.config.map(([name, value, source]) => [name, shown(value), source]), "Config"));
  }
  const metrics = Object.entries(run.metrics).filter(([name, metric]) => isChart(name, metric));
  if (metrics.length) {
    card.append(table(["metric", "last", "best", "at"], metrics.map(([name, metric]) =>
      [name, shortNumber(metric.last), shortNumber(metric.best), bestPlace(run, metric)]), "Results"));
  }
  if (run.alerts.length) card.append(table(["alert", "level", "after", "what it says"], run.alerts.map((alert) =>
    [shown(alert.title ?? ""), shown(alert.level ?? ""), clock((alert.time ?? run.start) - run.start), shown(alert.text ?? "")]), "Alerts"));
  const { packages, rest } = provenance(run);
  if (rest.length) card.append(table(["", ""], rest, "Where it ran"));
  if (packages.length) card.append(make("details", {}, make("summary", {}, `${packages.length} packages`), table(["package", "version"], packages, "Packages")));
  if (run.diff) card.append(make("details", {}, make("summary", {}, "Changes that are not committed"), make("pre", {}, run.diff)));
  return card;
}

/** How a run ended, as a mark.
 * @param {import("./data.js").Run} run */
export function stateBadge(run) {
  const status = run.exit_status ? ` (${run.exit_status})` : "";
  return make("b", { class: `state ${run.state}` }, run.state + status);
}

/** @param {import("./data.js").Run} run */
function facts(run) {
  const list = make("dl", {});
  const add = (/** @type {string} */ name, /** @type {any} */ value) => {
    if (value !== undefined && value !== null && value !== "" && !(Array.isArray(value) && !value.length)) {
      list.append(make("dt", {}, name), make("dd", {}, Array.isArray(value) ? value.join(", ") : String(value)));
    }
  };
  if (run.command) add("command", run.command.map(quoted).join(" "));
  add("project", run.project);
  add("started", new Date(run.start * 1000).toLocaleString());
  add("took", clock(run.end === null ? null : run.end - run.start));
  add("folder", run.cwd);
  add("machine", run.host);
  add("group", run.group);
  add("tags", run.tags);
  add("notes", run.notes);
  add("resumed", run.resumed || null);
  add("kept in", run.folder);
  return list;
}

/** A word of a command as a shell takes it.
 * @param {string} word */
function quoted(word) {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Where a metric was best.
 * @param {import("./data.js").Run} run
 * @param {import("./data.js").Metric} metric */
function bestPlace(run, metric) {
  if (metric.best_row === null) return "";
  const step = run.rows.step[metric.best_row];
  const epoch = run.rows.epoch[metric.best_row];
  return [epoch === null ? "" : `epoch ${shortNumber(epoch)}`, step === null ? "" : `step ${step}`].filter(Boolean).join(", ");
}

/** @param {import("./data.js").Run} run */
function provenance(run) {
  /** @type {string[][]} */
  const rest = [];
  /** @type {string[][]} */
  let packages = [];
  const walk = (/** @type {string} */ name, /** @type {any} */ value) => {
    if (value && typeof value === "object" && !Array.isArray(value)) {
      for (const [key, part] of Object.entries(value)) {
        if (key === "packages" && part && typeof part === "object") packages = Object.entries(part).map(([k, v]) => [k, String(v)]).sort((a, b) => a[0].localeCompare(b[0]));
        else walk(name ? `${name} ${key}` : key, part);
      }
    } else rest.push([name, shown(value)]);
  };
  walk("", run.provenance || {});
  return { packages, rest };
}
