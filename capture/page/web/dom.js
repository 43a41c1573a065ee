// Elements, made from text alone: nothing that a run says is ever read as HTML.

/** Makes an element.
 * @param {string} tag
 * @param {Record<string, any>} [attributes]  `class`, `on…` listeners, properties such as `textContent`, else attributes
 * @param {...(Node | string | null)} children @returns {HTMLElement} */
export function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && name !== "list" && typeof value !== "object") /** @type {any} */ (element)[name] = value;
    else if (name === "class") element.className = value;
    else element.setAttribute(name, String(value));
  }
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** A table. @param {string[]} head @param {(Node | string)[][]} rows @param {string} caption */
export function table(head, rows, caption) {
  return make("table", {},
    make("caption", {}, caption),
    make("thead", {}, make("tr", {}, ...head.map((text) => make("th", { scope: "col" }, text)))),
    make("tbody", {}, ...rows.map((row) => make("tr", {}, ...row.map((cell, i) => make(i ? "td" : "th", i ? {} : { scope: "row" }, cell))))));
}

/** A labelled choice. @param {string} label @param {[string, string][]} options  values and texts
 * @param {string} value @param {(value: string) => void} changed */
export function choice(label, options, value, changed) {
  const select = /** @type {HTMLSelectElement} */ (make("select", { onchange: () => changed(select.value) },
    ...options.map(([key, text]) => make("option", { value: key, selected: key === value }, text))));
  return make("label", {}, `${label} `, select);
}

/** A labelled box to tick. @param {string} label @param {boolean} value @param {(value: boolean) => void} changed */
export function tick(label, value, changed) {
  const box = /** @type {HTMLInputElement} */ (make("input", { type: "checkbox", checked: value, onchange: () => changed(box.checked) }));
  return make("label", {}, box, ` ${label}`);
}

/** An element of SVG. @param {string} tag @param {Record<string, string | number>} [attributes] @param {...(Node | string)} children */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...children);
  return element;
}

/** Says something to who listens to the page. @param {string} text */
export function say(text) {
  const place = document.getElementById("say");
  if (place) place.textContent = text;
}

/** @type {HTMLElement | null} */
let probe = null;

/** A colour of the page's style as a canvas takes it, for light or dark as it is now. @param {string} name */
export function colour(name) {
  probe = probe || document.body.appendChild(make("i", { hidden: true }));
  probe.style.color = `var(${name})`;
  return getComputedStyle(probe).color;
}
