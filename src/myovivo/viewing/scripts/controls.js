/** What the controls of the page do. */

import { LETTERS } from "./colours.js";
import { SPEEDS } from "./clock.js";
import { figureOf } from "./curves.js";
import { shown } from "./chart.js";
import { commaSeparated, fileName, saveFile } from "./files.js";
import { clipOf, pictureOf } from "./picture.js";

/** @param {string} id */
export function inputOf(id) {
  return /** @type {HTMLInputElement} */ (figureOf(id));
}

/** @param {string} text */
export function say(text) {
  figureOf("spoken").textContent = text;
}

/** @param {string} text */
export function notify(text) {
  const notice = figureOf("notice");
  notice.textContent = text;
  notice.hidden = !text;
}

/** @param {number} speed */
function spoken(speed) {
  return speed === 1 ? "real time" : `1/${1 / speed}`;
}

/** @param {import("./viewer.js").Viewer} viewer */
export function showRates({ payload, clock }) {
  const thinned = payload.every > 1 ? `, one frame in ${payload.every} shown` : "";
  const played = `played ${shown(Number((clock.frameRate * clock.speed).toPrecision(3)))} frames/s (${spoken(clock.speed)})`;
  const drawn = clock.playing && clock.drawnRate ? ` · drawn ${clock.drawnRate.toFixed(0)}/s` : "";
  figureOf("rates").textContent = `recorded ${shown(payload.recordedRate)} frames/s${thinned} · ${played}${drawn}`;
}

/** @param {import("./viewer.js").Viewer} viewer */
export function bindPlayback(viewer) {
  const { clock } = viewer;
  const scrub = inputOf("scrub");
  scrub.max = String(clock.count - 1);
  scrub.addEventListener("input", () => {
    clock.pause();
    clock.seek(Number(scrub.value));
  });
  figureOf("play").addEventListener("click", () => clock.toggle());
  figureOf("back").addEventListener("click", () => clock.step(-1));
  figureOf("forth").addEventListener("click", () => clock.step(1));
  const speed = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (figureOf("speed")));
  for (const value of SPEEDS) speed.add(new Option(spoken(value), String(value)));
  speed.value = String(clock.speed);
  speed.addEventListener("change", () => {
    clock.speed = Number(speed.value);
    showRates(viewer);
  });
  setInterval(() => clock.playing && showRates(viewer), 500);
}

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {number} by places in the list of speeds, positive for faster
 */
export function changeSpeed(viewer, by) {
  const at = SPEEDS.indexOf(viewer.clock.speed) - by;
  viewer.clock.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
  inputOf("speed").value = String(viewer.clock.speed);
  showRates(viewer);
}

/** @param {import("./viewer.js").Viewer} viewer */
export function bindDisplay(viewer) {
  const limit = inputOf("limit");
  limit.value = String(viewer.limit);
  limit.addEventListener("change", () => {
    if (Number(limit.value) > 0 && Number.isFinite(Number(limit.value))) viewer.limit = Number(limit.value);
    limit.value = String(viewer.limit);
    viewer.draw("bar", "frame", "mmode");
  });
  const layer = inputOf("layer");
  const options = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (layer)).options;
  options.add(new Option("none", ""));
  const names = new Map(viewer.payload.panes.flatMap((pane) => Object.entries(pane.maps).map(([name, map]) => [name, map.title])));
  for (const [name, title] of names) options.add(new Option(title, name));
  layer.addEventListener("change", () => {
    viewer.layer = layer.value;
    viewer.draw("layer", "profile");
  });
  const opacity = inputOf("opacity");
  opacity.addEventListener("input", () => {
    viewer.opacity = Number(opacity.value);
    viewer.draw("layer");
  });
  const outlines = inputOf("outlines");
  outlines.addEventListener("change", () => {
    viewer.outlines = outlines.checked;
    viewer.draw("over");
  });
  const difference = inputOf("difference");
  const { panes } = viewer.payload;
  figureOf("difference-label").hidden = panes.length < 2 || panes.length > 3;
  difference.checked = panes.length > 1 && panes.length < 4 && panes[0].origin === "silico" && panes[1].origin === "translated";
  difference.addEventListener("change", () => {
    viewer.showDifference(difference.checked);
    bindScreens(viewer);
  });
  const rounded = viewer.sequences.map(({ velocities }, k) => {
    const [least, most] = [velocities[1], velocities[127] - velocities[126]].map((step) => shown(Number((step / 2).toPrecision(1))));
    return `${LETTERS[k]} ±${least} (at its largest, ${shown(Number(panes[k].peak.toPrecision(3)))}, ±${most})`;
  });
  figureOf("precision").textContent = `Velocities are rounded, by at most, in mm/s: ${rounded.join(", ")}.`;
}

/**
 * Pointer and arrows on the sequences.
 * @param {import("./viewer.js").Viewer} viewer
 */
export function bindScreens(viewer) {
  for (const pane of viewer.panes) {
    const { over } = pane;
    if (over.dataset.bound) continue;
    over.dataset.bound = "yes";
    /** @type {{row: number, column: number} | null} */
    let from = null;
    const reach = (/** @type {PointerEvent} */ event) => {
      const at = pane.pixelAt(event);
      const isLine = /** @type {HTMLInputElement} */ (document.querySelector('[name="tool"][value="line"]')).checked;
      if (isLine && from) viewer.pickLine([from.row, from.column, at.row, at.column]);
      else viewer.pick(at);
    };
    over.addEventListener("pointerdown", (event) => {
      over.setPointerCapture(event.pointerId);
      from = pane.pixelAt(event);
      reach(event);
    });
    over.addEventListener("pointermove", (event) => from && reach(event));
    over.addEventListener("pointerup", () => (from = null));
    over.addEventListener("pointercancel", () => (from = null));
    over.addEventListener("dblclick", (event) => viewer.selectAt(pane.index, pane.pixelAt(event)));
    over.addEventListener("keydown", (event) => {
      const by = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
      if (!by || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      const far = event.shiftKey ? 10 : 1;
      viewer.pick({ row: viewer.pixel.row + far * by[0], column: viewer.pixel.column + far * by[1] });
    });
  }
}

/**
 * The tool of a drag; back at the pixel, the line goes.
 * @param {import("./viewer.js").Viewer} viewer
 * @param {"point" | "line"} tool
 */
export function chooseTool(viewer, tool) {
  const radio = /** @type {HTMLInputElement} */ (document.querySelector(`[name="tool"][value="${tool}"]`));
  radio.checked = true;
  if (tool === "point") viewer.pickLine(null);
}

/**
 * Zoom of the time axis, and clicks on it.
 * @param {import("./viewer.js").Viewer} viewer
 */
export function bindTime(viewer) {
  for (const chart of [viewer.curves.course, viewer.curves.mmode, viewer.raster.chart]) {
    const { box } = chart;
    const timeAt = (/** @type {MouseEvent} */ event) => chart.fromX(event.clientX - box.getBoundingClientRect().left);
    box.addEventListener("wheel", (event) => {
      event.preventDefault();
      const [low, high] = viewer.window, at = timeAt(event), factor = event.deltaY > 0 ? 1.25 : 0.8;
      viewer.zoomTo([at - (at - low) * factor, at + (high - at) * factor]);
    }, { passive: false });
    if (chart === viewer.raster.chart) continue; // there a click selects
    box.addEventListener("click", (event) => viewer.clock.seekTime(timeAt(event)));
    box.addEventListener("dblclick", () => viewer.zoomTo(viewer.span));
  }
}

/** @param {import("./viewer.js").Viewer} viewer */
export function bindSaving(viewer) {
  const { payload, clock, curves } = viewer;
  const footer = () => [
    `${payload.title} · ${clock.time.toFixed(3)} s, frame ${clock.frame + 1} of ${clock.count}`,
    `recorded ${shown(payload.recordedRate)} frames/s · velocity away from and towards the probe · myovivo ${payload.version}`,
  ];
  const parts = [figureOf("panes"), figureOf("charts")];
  figureOf("save-png").addEventListener("click", async () => {
    saveFile(fileName(payload.title, ".png"), await pictureOf(viewer, parts, footer()));
  });
  figureOf("save-csv").addEventListener("click", () => {
    const times = Float64Array.from({ length: clock.count }, (_, k) => clock.start + k / clock.frameRate);
    const names = viewer.panes.map((pane) => `${LETTERS[pane.index]} mm/s`);
    saveFile(fileName(payload.title, ".csv"), commaSeparated(["time s", ...names], [times, ...curves.courses]));
  });
  const clip = /** @type {HTMLButtonElement} */ (figureOf("save-clip"));
  clip.disabled = typeof MediaRecorder === "undefined";
  clip.addEventListener("click", async () => {
    clip.disabled = true;
    say("recording the clip, from the first frame to the last");
    try {
      saveFile(fileName(payload.title, ".webm"), await clipOf([figureOf("panes")], footer, clock));
      notify("");
      say("clip saved");
    } catch (error) {
      notify(`No clip was saved: ${/** @type {Error} */ (error).message}`);
    }
    clip.disabled = false;
  });
}
