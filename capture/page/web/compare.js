import { shortNumber, shown } from "./data.js";
import { choice, make, svg } from "./dom.js";
import { columnsOf, importance, scaleOf, targetOf } from "./columns.js";
import { choose, state } from "./state.js";
import { runColour } from "./charts.js";

// Several runs at once: parallel coordinates, a scatter plot, and which config goes with the target.

/** The part of the page that compares runs. @param {import("./data.js").Run[]} runs @returns {HTMLElement} */
export function compareView(runs) {
  const columns = columnsOf(runs);
  const view = make("section", { class: "compare" });
  const fill = () => {
    const target = columns.find((column) => column.name === state.target) || targetOf(columns);
    if (!target) return view.replaceChildren(make("p", { class: "empty" }, "These runs have no metrics to compare."));
    const config = columns.filter((column) => column.kind === "config");
    view.replaceChildren(
      make("div", { class: "bar" }, choice("target", columns.filter((column) => column.kind === "result").map((column) => [column.name, column.name]), target.name,
        (name) => { choose({ target: name }); fill(); })),
      make("h2", {}, "Parallel coordinates"),
      make("p", { class: "hint" }, "Drag along an axis to select runs; click it to let go."),
      parallel(runs, [...config, target]),
      make("h2", {}, "Which config goes with the target"),
      importances(runs, config, target),
      make("h2", {}, "Scatter"),
      scatter(runs, columns, config[0] || target, target));
  };
  fill();
  return view;
}

/** @param {import("./data.js").Run[]} runs @param {import("./columns.js").Column[]} columns */
function parallel(runs, columns) {
  const [width, height, top, side] = [Math.max(560, columns.length * 140), 300, 46, 60];
  const scales = columns.map((column) => scaleOf(runs.map(column.value)));
  const x = (/** @type {number} */ i) => (columns.length < 2 ? width / 2 : side + (i * (width - 2 * side)) / (columns.length - 1));
  const y = (/** @type {number} */ share) => top + (1 - share) * (height - top - 14);
  /** @type {Map<number, [number, number]>} */
  const brushes = new Map();
  const target = columns.length - 1;
  const shares = runs.map((run) => columns.map((column, i) => scales[i].place(column.value(run))));
  const lines = runs.map((run, r) => {
    const points = shares[r].map((share, i) => (share === null ? null : [x(i), y(share)])).filter((point) => point !== null);
    const path = svg("path", { d: points.map((point, i) => `${i ? "L" : "M"}${point[0]},${point[1]}`).join(""), class: "run", stroke: byTarget(shares[r][target]) },
      svg("title", {}, `${run.name}\n${columns.map((column) => `${column.name} = ${shown(column.value(run) ?? "")}`).join("\n")}`));
    return path;
  });
  const said = make("output", { class: "hint" });
  const select = () => {
    const inside = shares.map((row) => [...brushes].every(([i, [low, high]]) => row[i] !== null && /** @type {number} */ (row[i]) >= low && /** @type {number} */ (row[i]) <= high));
    lines.forEach((line, r) => line.classList.toggle("off", !inside[r]));
    said.textContent = brushes.size ? runs.filter((_, r) => inside[r]).map((run) => run.name).join(", ") || "no run" : "";
  };
  const axes = columns.map((column, i) => {
    const brush = svg("rect", { class: "brush", x: x(i) - 9, width: 18, y: 0, height: 0 });
    const hit = svg("rect", { class: "hit", x: x(i) - 14, width: 28, y: top - 6, height: height - top + 4 });
    brushable(hit, brush, (low, high) => {
      if (low === null || high === null) brushes.delete(i);
      else brushes.set(i, [low, high]);
      select();
    }, (place) => 1 - (place - top) / (height - top - 14));
    return svg("g", {},
      svg("line", { x1: x(i), x2: x(i), y1: y(1), y2: y(0), class: "axis" }),
      svg("text", { x: x(i), y: 14, "text-anchor": "middle", class: "name" }, column.name),
      svg("text", { x: x(i), y: 28, "text-anchor": "middle", class: "tick" }, scales[i].log ? "log" : ""),
      ...scales[i].ticks.map(([value, share]) => svg("text", { x: x(i) + 7, y: y(share) + 4, class: "tick" }, tickText(value))),
      brush, hit);
  });
  const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `Parallel coordinates of ${runs.length} runs over ${columns.map((column) => column.name).join(", ")}` }, ...lines, ...axes);
  return make("div", { class: "wide" }, chart, said);
}

/** @param {any} value */
function tickText(value) {
  return typeof value === "number" ? shortNumber(+value.toPrecision(3)) : String(value);
}

/** A colour from low to high that also differs in lightness. @param {number | null} share */
function byTarget(share) {
  return share === null ? "#8888" : `hsl(${Math.round(230 - 200 * share)} 70% ${Math.round(42 + 14 * share)}%)`;
}

/** Lets a range be drawn on an axis. @param {SVGElement} hit @param {SVGElement} brush
 * @param {(low: number | null, high: number | null) => void} changed  shares of the axis
 * @param {(place: number) => number} share  of a height in the picture */
function brushable(hit, brush, changed, share) {
  let start = 0;
  const place = (/** @type {PointerEvent} */ event) => {
    const box = /** @type {SVGSVGElement} */ (hit.ownerSVGElement).getBoundingClientRect();
    return event.clientY - box.top;
  };
  hit.addEventListener("pointerdown", (event) => {
    hit.setPointerCapture(event.pointerId);
    start = place(event);
  });
  hit.addEventListener("pointermove", (event) => {
    if (!hit.hasPointerCapture(event.pointerId)) return;
    const [a, b] = [Math.min(start, place(event)), Math.max(start, place(event))];
    brush.setAttribute("y", String(a));
    brush.setAttribute("height", String(b - a));
    if (b - a > 3) changed(share(b), share(a));
  });
  hit.addEventListener("pointerup", (event) => {
    if (Math.abs(place(event) - start) > 3) return;
    brush.setAttribute("height", "0");
    changed(null, null);
  });
}

/** @param {import("./data.js").Run[]} runs @param {import("./columns.js").Column[]} config @param {import("./columns.js").Column} target */
function importances(runs, config, target) {
  const targets = runs.map(target.value);
  const found = config.map((column) => ({ column, strength: importance(runs.map(column.value), targets) })).filter(({ strength }) => strength !== null);
  found.sort((a, b) => Math.abs(/** @type {number} */ (b.strength)) - Math.abs(/** @type {number} */ (a.strength)));
  if (!found.length) return make("p", { class: "empty" }, "It takes three runs whose config differs.");
  return make("table", {}, make("caption", {}, `Rank correlation with ${target.name}`), make("tbody", {}, ...found.map(({ column, strength }) => {
    const value = /** @type {number} */ (strength);
    const bar = make("i", { class: value < 0 ? "less" : "more" });
    bar.style.width = `${Math.round(Math.abs(value) * 120)}px`;
    return make("tr", {}, make("th", { scope: "row" }, column.name), make("td", {}, value.toFixed(2)), make("td", {}, bar));
  })));
}

/** @param {import("./data.js").Run[]} runs @param {import("./columns.js").Column[]} columns
 * @param {import("./columns.js").Column} first @param {import("./columns.js").Column} second */
function scatter(runs, columns, first, second) {
  const view = make("div", {});
  const fill = () => {
    const [nameX, nameY] = state.scatter.length === 2 ? state.scatter : [first.name, second.name];
    const chosen = [columns.find((column) => column.name === nameX) || first, columns.find((column) => column.name === nameY) || second];
    const options = columns.map((column) => /** @type {[string, string]} */ ([column.name, column.name]));
    const [width, height, left, bottom] = [560, 320, 70, 40];
    const [x, y] = chosen.map((column) => scaleOf(runs.map(column.value)));
    const px = (/** @type {number} */ share) => left + share * (width - left - 20);
    const py = (/** @type {number} */ share) => 14 + (1 - share) * (height - bottom - 20);
    const dots = runs.flatMap((run) => {
      const [a, b] = [x.place(chosen[0].value(run)), y.place(chosen[1].value(run))];
      return a === null || b === null ? [] : [svg("circle", { cx: px(a), cy: py(b), r: 5, fill: runColour(runs, run) },
        svg("title", {}, `${run.name}\n${chosen.map((column) => `${column.name} = ${shown(column.value(run) ?? "")}`).join("\n")}`))];
    });
    view.replaceChildren(
      make("div", { class: "bar" },
        choice("x", options, chosen[0].name, (name) => { choose({ scatter: [name, chosen[1].name] }); fill(); }),
        choice("y", options, chosen[1].name, (name) => { choose({ scatter: [chosen[0].name, name] }); fill(); })),
      make("div", { class: "wide" }, svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${chosen[1].name} over ${chosen[0].name} of ${runs.length} runs` },
        svg("line", { x1: left, x2: width - 20, y1: py(0), y2: py(0), class: "axis" }),
        svg("line", { x1: left, x2: left, y1: py(0), y2: py(1), class: "axis" }),
        ...x.ticks.map(([value, share]) => svg("text", { x: px(share), y: py(0) + 18, "text-anchor": "middle", class: "tick" }, tickText(value))),
        ...y.ticks.map(([value, share]) => svg("text", { x: left - 8, y: py(share) + 4, "text-anchor": "end", class: "tick" }, tickText(value))),
        ...dots)));
  };
  fill();
  return view;
}
