import { clock, compareValues, shortNumber, shown } from "./data.js";
import { make, table } from "./dom.js";

// What runs have kept beside their metrics: plots, images, tables and files.

/** The part of the page with it.
 * @param {import("./data.js").Run[]} runs
 * @returns {HTMLElement} */
export function filesView(runs) {
  const withFiles = runs.filter((run) => run.files.length);
  return make("section", { class: "files" }, ...withFiles.map((run) => filesOfRun(run, runs.length > 1)));
}

/** @param {import("./data.js").Run} run
 * @param {boolean} named */
function filesOfRun(run, named) {
  const part = make("article", {});
  if (named) part.append(make("h2", {}, run.name));
  const pictures = run.files.filter((file) => file.kind === "plot" || file.kind === "image");
  if (pictures.length) part.append(make("div", { class: "pictures" }, ...pictures.map(figure)));
  for (const file of run.files.filter((each) => each.kind === "table")) part.append(sortableTable(file));
  const rows = run.files.map((file) => [
    file.name, file.kind === file.type ? file.kind : `${file.kind}, ${file.type}`, String(file.versions), fileSize(file.size), file.aliases.join(", "),
    file.digest ? make("code", { title: file.digest }, file.digest.replace("sha256:", "").slice(0, 12)) : "",
    file.time === null ? "" : clock(file.time - run.start), file.path || "",
  ]);
  const place = run.files.some((file) => file.path);
  const head = ["name", "kind", "versions", "size", "aliases", "SHA-256", "after", ...(place ? ["where"] : [])];
  part.append(make("div", { class: "wide" }, table(head, rows.map((row) => row.slice(0, head.length)), "All that was kept, as its latest version")));
  return part;
}

/** @param {Record<string, any>} file */
function figure(file) {
  const caption = make("figcaption", {}, file.name + (file.versions > 1 ? ` (version ${file.versions} of ${file.versions})` : ""));
  if (file.picture) return make("figure", {}, make("img", { src: file.picture, alt: `${file.type} ${file.name}`, loading: "lazy" }), caption);
  return make("figure", {}, make("p", { class: "empty" }, file.large ? `${fileSize(file.size)}: too large for a page` : "not shown"), caption);
}

/** A table that is sorted by a click on a column's name.
 * @param {Record<string, any>} file */
function sortableTable(file) {
  if (!file.columns) return make("p", { class: "empty" }, `${file.name}: not shown`);
  const body = make("tbody", {});
  let sorted = { by: -1, down: false };
  const heads = file.columns.map((/** @type {string} */ name, /** @type {number} */ i) =>
    make("th", { scope: "col", "aria-sort": "none" }, make("button", { type: "button", onclick: () => sort(i) }, name)));
  const sort = (/** @type {number} */ by) => {
    sorted = { by, down: sorted.by === by && !sorted.down };
    heads.forEach((/** @type {HTMLElement} */ head, /** @type {number} */ i) => head.setAttribute("aria-sort", i !== by ? "none" : sorted.down ? "descending" : "ascending"));
    fill();
  };
  const fill = () => {
    const rows = sorted.by < 0 ? file.rows : [...file.rows].sort((/** @type {any[]} */ a, /** @type {any[]} */ b) => compareValues(a[sorted.by], b[sorted.by], sorted.down));
    body.replaceChildren(...rows.map((/** @type {any[]} */ row) => make("tr", {}, ...row.map((value) => make("td", {}, tableCell(value))))));
  };
  fill();
  const count = file.count > file.rows.length ? `the first ${file.rows.length} of ${file.count} rows` : `${file.count} rows`;
  return make("div", { class: "wide tall" }, make("table", {}, make("caption", {}, `${file.name}: ${count}`), make("thead", {}, make("tr", {}, ...heads)), body));
}

/** @param {any} value */
function tableCell(value) {
  return typeof value === "number" ? shortNumber(value) : value === null ? "" : shown(value);
}

/** @param {number | null} bytes */
function fileSize(bytes) {
  if (bytes === null) return "";
  const power = Math.min(4, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  return power ? `${(bytes / 1000 ** power).toPrecision(3)} ${["B", "kB", "MB", "GB", "TB"][power]}` : `${bytes} B`;
}
