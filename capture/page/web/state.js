// What the reader has chosen, kept while the page is open and when it is loaded again.

/**
 * @typedef {{tab: string, axis: string, smoothing: number, logX: boolean, logY: boolean, search: string, hidden: string[],
 *   withValues: boolean, consoleRun: string, side: boolean, theme: string, target: string, scatter: string[], scroll: number}} State
 */

const KEY = `capture ${location.pathname}`;

/** @type {State} */
export const state = {
  tab: "", axis: "own", smoothing: 0, logX: false, logY: false, search: "", hidden: [],
  withValues: false, consoleRun: "", side: true, theme: "", target: "", scatter: [], scroll: 0,
};

/** Takes up what was chosen before the page was loaded again. */
export function restore() {
  try {
    Object.assign(state, JSON.parse(sessionStorage.getItem(KEY) || "{}"));
  } catch {
    // storage is switched off
  }
}

/** Changes what is chosen. @param {Partial<State>} changes */
export function choose(changes) {
  Object.assign(state, changes);
  try {
    sessionStorage.setItem(KEY, JSON.stringify(state));
  } catch {
    // storage is switched off
  }
}

/** The point that is picked: a row of a run and its line in the console.
 * @type {{run: string, row: number | null, line: number | null} | null} */
export let picked = null;

/** @type {Set<(from: string) => void>} */
const listeners = new Set();

/** Calls a function whenever another point is picked, until what it returns is called.
 * @param {(from: string) => void} listener */
export function onPick(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Picks a point.
 * @param {{run: string, row: number | null, line: number | null} | null} point @param {string} from  who picks it */
export function pick(point, from) {
  picked = point;
  for (const listener of [...listeners]) listener(from);
}
