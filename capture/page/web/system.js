import { make } from "./dom.js";
import { COLOURS, drawChart } from "./chart.js";

// The load of the machine and of the command while it ran.

/** The part of the page with the load. @param {import("./data.js").Run[]} runs @returns {HTMLElement} */
export function systemView(runs) {
  const grid = make("div", { class: "grid" });
  const names = [...new Set(runs.flatMap((run) => Object.keys(run.system.values)))].sort();
  for (const name of names) {
    const cell = make("div", { class: "cell" });
    grid.append(cell);
    requestAnimationFrame(() => drawChart(cell, {
      title: name, axis: "time (s)", smoothing: 0, logX: false, logY: false, sync: "system",
      lines: runs.filter((run) => run.system.values[name]).map((run) => ({
        label: runs.length > 1 ? run.name : name, run: run.id, dash: [], colour: COLOURS[runs.indexOf(run) % COLOURS.length],
        curve: { x: run.system.time.map((time) => time - run.start), y: run.system.values[name], rows: [], odd: [] },
      })),
    }));
  }
  return make("section", { class: "system" }, names.length ? grid : make("p", { class: "empty" }, "The load was not sampled."));
}
