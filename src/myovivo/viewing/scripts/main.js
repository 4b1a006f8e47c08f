/** Where the page begins. */

import { bindDisplay, bindPlayback, bindSaving, bindScreens, bindTime, changeSpeed, chooseTool, inputOf, notify, say, showRates } from "./controls.js";
import { figureOf } from "./curves.js";
import { Editing } from "./editing.js";
import { decodeAll } from "./frames.js";
import { listenToKeys } from "./keys.js";
import { readPayload } from "./payload.js";
import { ALL, Viewer } from "./viewer.js";

const THEMES = ["automatic", "light", "dark"];

/** @param {Viewer} viewer */
function bindTheme(viewer) {
  const button = figureOf("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  let theme = 0;
  const apply = () => {
    button.setAttribute("aria-label", `Colour scheme: ${THEMES[theme]}`);
    button.title = `Colour scheme: ${THEMES[theme]}`;
    viewer.setTheme(theme === 2 || (theme === 0 && system.matches));
  };
  system.addEventListener("change", apply);
  button.addEventListener("click", () => {
    const seen = viewer.isDark;
    theme = (theme + 1) % THEMES.length;
    if (theme !== 0 && (theme === 2) === seen) theme = (theme + 1) % THEMES.length; // each press is seen
    apply();
  });
  apply();
}

/**
 * @param {Viewer} viewer
 * @param {Editing} editing
 * @returns {import("./keys.js").Key[]}
 */
function keysOf(viewer, editing) {
  const { clock } = viewer;
  const click = (/** @type {string} */ id) => figureOf(id).click();
  const step = (/** @type {number} */ by) => () => clock.step(by);
  return [
    { keys: [" "], shown: "Space", text: "play or pause", does: () => clock.toggle() },
    { keys: ["ArrowLeft", ","], shown: "← ,", text: "one frame back", does: step(-1) },
    { keys: ["ArrowRight", "."], shown: "→ .", text: "one frame on", does: step(1) },
    { keys: ["shift ArrowLeft"], shown: "Shift ←", text: "ten frames back", does: step(-10) },
    { keys: ["shift ArrowRight"], shown: "Shift →", text: "ten frames on", does: step(10) },
    { keys: ["Home"], shown: "Home", text: "first frame", does: () => clock.step(-clock.count) },
    { keys: ["End"], shown: "End", text: "last frame", does: () => clock.step(clock.count) },
    { keys: ["["], shown: "[", text: "slower", does: () => changeSpeed(viewer, -1) },
    { keys: ["]"], shown: "]", text: "faster", does: () => changeSpeed(viewer, 1) },
    { keys: ["+", "="], shown: "+", text: "zoom into time", does: () => zoom(viewer, 0.5) },
    { keys: ["-"], shown: "-", text: "zoom out of time", does: () => zoom(viewer, 2) },
    { keys: ["p"], shown: "p", text: "drag selects a pixel", does: () => chooseTool(viewer, "point") },
    { keys: ["l"], shown: "l", text: "drag selects a line", does: () => chooseTool(viewer, "line") },
    { keys: ["m"], shown: "m", text: "next map as a layer", does: () => nextLayer() },
    { keys: ["o"], shown: "o", text: "outlines on or off", does: () => click("outlines") },
    { keys: ["d"], shown: "d", text: "difference on or off", does: () => !figureOf("difference-label").hidden && click("difference") },
    { keys: ["n"], shown: "n", text: "next unit", does: () => editing.selectNext(1) },
    { keys: ["b"], shown: "b", text: "unit before", does: () => editing.selectNext(-1) },
    { keys: ["k"], shown: "k", text: "keep the selected units", does: () => editing.keepSelected(true) },
    { keys: ["x"], shown: "x", text: "drop the selected units", does: () => editing.keepSelected(false) },
    { keys: ["g"], shown: "g", text: "merge the selected units", does: () => editing.merge() },
    { keys: ["a"], shown: "a", text: "add a firing at the frame shown", does: () => editing.addSpike() },
    { keys: ["Delete", "Backspace"], shown: "Delete", text: "delete the selected firing, else the nearest", does: () => editing.deleteSpike() },
    { keys: ["ctrl z"], shown: "Ctrl z", text: "undo", does: () => editing.undo() },
    { keys: ["ctrl y", "ctrl shift Z", "ctrl Z"], shown: "Ctrl y", text: "redo", does: () => editing.redo() },
    { keys: ["s"], shown: "s", text: "save the view as PNG", does: () => click("save-png") },
    { keys: ["t"], shown: "t", text: "colour scheme", does: () => click("theme") },
    { keys: ["?"], shown: "?", text: "this help", does: () => click("help-open") },
  ];
}

/**
 * @param {Viewer} viewer
 * @param {number} factor
 */
function zoom(viewer, factor) {
  const [low, high] = viewer.window, { time } = viewer.clock;
  const middle = time >= low && time <= high ? time : (low + high) / 2;
  viewer.zoomTo([middle - (middle - low) * factor, middle + (high - middle) * factor]);
}

function nextLayer() {
  const layer = inputOf("layer"), list = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (layer));
  list.selectedIndex = (list.selectedIndex + 1) % list.options.length;
  layer.dispatchEvent(new Event("change"));
}

/** @param {Viewer} viewer */
async function load(viewer) {
  if (typeof DecompressionStream === "undefined") {
    notify("This browser cannot inflate the frames (DecompressionStream); use one of 2023 or later.");
    return;
  }
  const before = performance.now();
  let drawnAt = 0;
  await decodeAll(viewer.sequences, () => viewer.clock.frame, (share) => {
    viewer.loaded = share;
    if (performance.now() - drawnAt < 200 && share < 1) return;
    drawnAt = performance.now();
    viewer.draw("frame", "over", ...(share < 1 ? [] : /** @type {const} */ (["course", "derived", "mmode"])));
  });
  document.documentElement.dataset.ready = (performance.now() - before).toFixed(0);
}

function begin() {
  const payload = readPayload();
  const viewer = new Viewer(payload);
  const editing = new Editing(viewer, say);
  figureOf("panes").closest("main")?.classList.add("live");
  /** @type {HTMLElement} */ (document.querySelector(".title")).textContent = payload.title;
  viewer.told = () => {
    const play = figureOf("play");
    play.textContent = viewer.clock.playing ? "❚❚" : "▶";
    play.setAttribute("aria-label", viewer.clock.playing ? "Pause" : "Play");
    showRates(viewer);
    editing.refresh();
  };
  viewer.clock.told = () => viewer.told();
  bindTheme(viewer);
  bindPlayback(viewer);
  bindDisplay(viewer);
  viewer.showDifference(inputOf("difference").checked);
  viewer.placePanes();
  bindScreens(viewer);
  bindTime(viewer);
  bindSaving(viewer);
  for (const radio of document.querySelectorAll('[name="tool"]')) {
    radio.addEventListener("change", () => chooseTool(viewer, /** @type {"point" | "line"} */ (/** @type {HTMLInputElement} */ (radio).value)));
  }
  const help = /** @type {HTMLDialogElement} */ (/** @type {unknown} */ (figureOf("help")));
  figureOf("help-open").addEventListener("click", () => help.showModal());
  figureOf("help-close").addEventListener("click", () => help.close());
  listenToKeys(keysOf(viewer, editing), /** @type {HTMLTableElement} */ (/** @type {unknown} */ (figureOf("keys"))));
  new ResizeObserver(() => viewer.draw(...ALL)).observe(figureOf("stage"));
  viewer.told();
  /** @type {any} */ (window).viewer = viewer; // to be looked at from the console
  void load(viewer);
}

window.addEventListener("error", (event) => notify(`The page failed: ${event.message}`));
window.addEventListener("unhandledrejection", (event) => notify(`The page failed: ${event.reason}`));
begin();
