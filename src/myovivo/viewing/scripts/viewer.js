/** The state of the page, and what has to be drawn again when a part of it changes. */

import { Clock } from "./clock.js";
import { inks, LETTERS, readTable, Scale } from "./colours.js";
import { Curves, figureOf } from "./curves.js";
import { Edits } from "./edits.js";
import { Difference, Frames } from "./frames.js";
import { layerOf, PaneView } from "./pane.js";
import { bitsOf } from "./payload.js";
import { territoryOf, triggeredMotion } from "./triggered.js";
import { Raster } from "./raster.js";
import { shown } from "./chart.js";

/** @typedef {"frame" | "sizes" | "layer" | "over" | "course" | "derived" | "mmode" | "profile" | "raster" | "bar"} Part */

/** @type {Part[]} */
export const ALL = ["sizes", "frame", "layer", "over", "course", "derived", "mmode", "profile", "raster", "bar"];

const FLASH = 0.012; // s for which an outline is thick after its unit has fired

/** @param {number} value mm/s */
function signed(value) {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)}`;
}

export class Viewer {
  /** @param {import("./payload.js").Payload} payload */
  constructor(payload) {
    const { size, blockFrames, spacing, start, recordedRate, every } = payload;
    this.payload = payload;
    this.pixels = size[0] * size[1];
    this.frameRate = recordedRate / every;
    this.sequences = payload.panes.map((pane, index) => {
      const holders = [...document.querySelectorAll(`.block[data-pane="${index}"]`)];
      return new Frames(pane, this.pixels, blockFrames, /** @type {HTMLElement[]} */ (holders));
    });
    this.panes = payload.panes.map((pane, index) => new PaneView(index, pane, this.sequences[index], size, spacing));
    const longest = Math.max(...payload.panes.map((pane) => pane.frames));
    this.span = /** @type {[number, number]} */ ([start, start + longest / this.frameRate]);
    this.window = this.span;
    this.clock = new Clock(longest, this.frameRate, start, () => this.showFrame(), () => this.told());
    this.curves = new Curves(payload, this.frameRate);
    this.raster = new Raster();
    this.tables = Object.fromEntries(Object.entries(payload.colours).map(([name, text]) => [name, readTable(text)]));
    this.lists = payload.trains.map(({ title, panes, units }) => ({
      title, panes, edits: new Edits(units.map((unit) => this.unitOf(unit)), () => this.edited()),
    }));
    this.list = 0;
    this.none = new Edits([], () => {});
    this.pixel = this.liveliest();
    /** @type {number[] | null} */
    this.line = null;
    this.limit = payload.limit;
    this.layer = "";
    this.opacity = 0.8;
    this.outlines = true;
    this.isDark = false;
    /** @type {Set<number>} */
    this.selected = new Set();
    /** @type {{unit: number, spike: number} | null} */
    this.spike = null;
    /** @type {Set<Part>} */
    this.stale = new Set();
    this.firing = "";
    /** @type {WeakMap<number[], Uint8Array | null>} */
    this.guesses = new WeakMap();
    this.loaded = 0;
    /** Called when playing starts or stops, or a unit was edited or selected. */
    this.told = () => {};
    this.scale = new Scale(this.tables.light, -this.limit, this.limit, "light");
  }

  /**
   * @param {import("./payload.js").UnitData} unit
   * @returns {import("./edits.js").Unit}
   */
  unitOf({ name, times, mask }) {
    return { name, times: [...times].sort((a, b) => a - b), mask: mask === null ? null : bitsOf(mask, this.pixels), kept: true };
  }

  /** The pixel that moves most in A. */
  liveliest() {
    const values = layerOf(this.payload.panes.slice(0, 1), "sd", { map: this.tables.map, diverging: this.tables.map, key: "" }).maps[0]?.values;
    let best = 0;
    for (let k = 0; values && k < values.length; k++) if (values[k] > values[best]) best = k;
    const columns = this.payload.size[1];
    return { row: Math.floor(best / columns), column: best % columns };
  }

  /** The units that are listed and can be edited. */
  get edits() {
    return this.lists[this.list]?.edits ?? this.none;
  }

  /** Other units of the same sequences. */
  get beside() {
    const { lists, list } = this;
    const isBeside = (/** @type {number[]} */ panes) => panes.some((pane) => lists[list].panes.includes(pane));
    return lists.filter(({ panes }, k) => k !== list && isBeside(panes)).flatMap(({ edits }) => edits.units);
  }

  get pixelIndex() {
    return this.pixel.row * this.payload.size[1] + this.pixel.column;
  }

  /** The line of the M-mode: the one that was drawn, else straight down through the pixel. */
  get ends() {
    return this.line ?? [0, this.pixel.column, this.payload.size[0] - 1, this.pixel.column];
  }

  /** @param {boolean} on */
  showDifference(on) {
    const there = this.panes.find((pane) => pane.frames instanceof Difference);
    if (on === Boolean(there)) return;
    if (there) {
      this.panes.splice(this.panes.indexOf(there), 1);
    } else {
      const about = { name: "difference", origin: "B − A", subject: "" };
      const { size, spacing } = this.payload;
      this.panes.push(new PaneView(this.panes.length, about, new Difference(this.sequences[0], this.sequences[1]), size, spacing));
    }
    this.placePanes();
  }

  placePanes() {
    const section = figureOf("panes");
    section.replaceChildren(...this.panes.map((pane) => pane.element));
    section.className = `panes many-${this.panes.length}`;
    this.draw(...ALL);
  }

  /**
   * Draw parts again, together, before the next picture of the screen.
   * @param {...Part} parts
   */
  draw(...parts) {
    if (!this.stale.size) requestAnimationFrame(() => this.flush());
    for (const part of parts) this.stale.add(part);
  }

  /** Draw everything at once. */
  drawNow() {
    for (const part of ALL) this.stale.add(part);
    this.flush();
  }

  flush() {
    const stale = new Set(this.stale);
    this.stale.clear();
    if (stale.has("bar")) this.rescale();
    if (stale.has("sizes")) for (const pane of this.panes) pane.resize();
    if (stale.has("course")) this.showCourse();
    if (stale.has("derived")) this.curves.showDerived(this.panes);
    if (stale.has("mmode")) figureOf("mmode-note").textContent = this.curves.showMmode(this.panes, this.ends, this.scale, this.window);
    if (stale.has("layer")) this.showLayer();
    if (stale.has("profile")) figureOf("profile-note").textContent = this.curves.showProfile(this.layerData(this.layer || "sd"));
    if (stale.has("raster")) this.raster.show(this.edits.units, this.beside, this.selected, this.spike, this.window);
    if (stale.has("over")) this.firing = "?";
    this.showFrame();
  }

  rescale() {
    const theme = this.isDark ? "dark" : "light";
    this.scale = new Scale(this.tables[theme], -this.limit, this.limit, theme);
    const canvas = /** @type {HTMLCanvasElement} */ (figureOf("colourbar"));
    canvas.width = 255;
    const draw = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const data = draw.createImageData(255, canvas.height);
    const pixels = new Uint32Array(data.data.buffer);
    for (let k = 0; k < pixels.length; k++) pixels[k] = this.tables[theme][k % 255];
    draw.putImageData(data, 0, 0);
    figureOf("low").textContent = `−${shown(this.limit)}, away`;
    figureOf("high").textContent = `towards, +${shown(this.limit)}`;
  }

  showCourse() {
    const { units } = this.edits;
    const marks = [...this.selected].flatMap((unit) => units[unit]?.times ?? []);
    this.curves.showCourse(this.panes, this.pixelIndex, this.window, marks, inks.of("pick"));
  }

  /** @param {string} name */
  layerData(name) {
    const theme = this.isDark ? "dark" : "light";
    return layerOf(this.payload.panes, name, { map: this.tables.map, diverging: this.tables[theme], key: theme });
  }

  showLayer() {
    const layer = this.layer ? this.layerData(this.layer) : null;
    this.panes.forEach((pane) => pane.showLayer(layer?.maps[pane.index] ?? null, this.opacity));
    const range = layer && `${layer.signed ? "±" : "0 to "}${shown(Number(layer.high.toPrecision(3)))} ${layer.unit}`;
    figureOf("layer-note").textContent = layer ? `${layer.title}: ${range}` : "";
  }

  /** What changes from frame to frame. */
  showFrame() {
    const { clock } = this;
    for (const pane of this.panes) pane.showFrame(clock.frame, this.scale);
    /** @type {HTMLInputElement} */ (figureOf("scrub")).value = String(clock.frame);
    figureOf("time").textContent = `${clock.time.toFixed(3)} s · frame ${clock.frame + 1} of ${clock.count}`;
    for (const chart of [this.curves.course, this.curves.mmode, this.raster.chart]) chart.placeHead(clock.time);
    const values = this.panes.map((pane) => (pane.frames.isReady(clock.frame) ? pane.frames.value(clock.frame, this.pixelIndex) : NaN));
    const { spacing } = this.payload;
    const place = `depth ${((this.pixel.row + 0.5) * spacing[0]).toFixed(1)}, lateral ${((this.pixel.column + 0.5) * spacing[1]).toFixed(1)} mm`;
    const read = this.panes.map((pane, k) => `${LETTERS[pane.index]} ${Number.isFinite(values[k]) ? signed(values[k]) : "–"}`);
    figureOf("readout").textContent = `${read.join("  ")} · ${place}`;
    const shapes = this.panes.map((pane) => this.shapes(pane.index));
    const firing = shapes.flat().map(({ state }) => state).join();
    const notes = this.panes.map((pane) => (pane.frames.isReady(clock.frame) ? "" : clock.frame >= pane.frames.count ? "ended" : "loading")).join();
    if (this.firing === firing + notes) return;
    this.firing = firing + notes;
    const all = notes.split(",");
    this.panes.forEach((pane, k) => pane.showOver({ shapes: shapes[k], pixel: this.pixel, line: this.line, note: all[k] }));
  }

  /**
   * The territories to be outlined in a pane, and how: of the units that move in it, those that are selected last.
   * @param {number} pane
   */
  shapes(pane) {
    const { time } = this.clock, early = time + 0.5 / this.frameRate, late = time - FLASH;
    const plain = /** @type {{mask: Uint8Array, state: string}[]} */ ([]), picked = [...plain];
    const source = pane < this.sequences.length ? pane : 0; // the difference is of A and B
    this.lists.forEach(({ panes, edits }, list) => {
      if (!panes.includes(source)) return;
      edits.units.forEach(({ mask, kept, times }, k) => {
        const isPicked = list === this.list && this.selected.has(k);
        const firing = times.some((at) => at <= early && at > late) ? " firing" : "";
        const guessed = isPicked && !mask && this.guessed(times, panes[0]);
        if (guessed) picked.push({ mask: guessed, state: `picked guessed${firing}` });
        else if (mask && isPicked) picked.push({ mask, state: `picked${firing}` });
        else if (mask && this.outlines && kept) plain.push({ mask, state: (list === this.list ? "plain" : "other") + firing });
      });
    });
    return [...plain, ...picked];
  }

  /**
   * Where a unit of which only firings are known seems to lie; looked for once for each list of firings.
   * @param {number[]} times s
   * @param {number} pane
   */
  guessed(times, pane) {
    const frames = this.sequences[pane];
    if (!frames.isWhole) return null;
    let mask = this.guesses.get(times);
    if (mask === undefined) {
      const motion = triggeredMotion(frames, times.map((time) => (time - this.span[0]) * this.frameRate), this.frameRate);
      mask = motion && territoryOf(motion);
      this.guesses.set(times, mask);
    }
    return mask;
  }

  /**
   * Select the unit whose territory a pixel of a pane lies in, the smallest of several; none where there is none.
   * @param {number} pane
   * @param {{row: number, column: number}} pixel
   */
  selectAt(pane, { row, column }) {
    const source = pane < this.sequences.length ? pane : 0;
    const at = row * this.payload.size[1] + column;
    const area = (/** @type {Uint8Array} */ mask) => mask.reduce((sum, inside) => sum + inside, 0);
    const there = this.lists.flatMap(({ panes, edits }, list) =>
      edits.units.flatMap(({ mask, kept }, unit) => (panes.includes(source) && kept && mask?.[at] ? [{ list, unit, size: area(mask) }] : [])),
    );
    const ofThisList = there.filter(({ list }) => list === this.list);
    const [best] = (ofThisList.length ? ofThisList : there).sort((a, b) => a.size - b.size);
    if (best && best.list !== this.list) this.chooseList(best.list);
    this.select(best ? [best.unit] : []);
  }

  /** @param {number} list of units */
  chooseList(list) {
    this.list = list;
    this.select([]);
  }

  /** @param {{row: number, column: number}} pixel */
  pick(pixel) {
    const [rows, columns] = this.payload.size;
    this.pixel = { row: Math.min(Math.max(pixel.row, 0), rows - 1), column: Math.min(Math.max(pixel.column, 0), columns - 1) };
    this.draw("over", "course", "derived", ...(this.line ? [] : /** @type {Part[]} */ (["mmode"])));
  }

  /** @param {number[] | null} ends */
  pickLine(ends) {
    this.line = ends;
    this.draw("over", "mmode");
  }

  /** @param {[number, number]} window s */
  zoomTo([low, high]) {
    const least = 8 / this.frameRate, whole = this.span[1] - this.span[0];
    const width = Math.min(Math.max(high - low, Math.min(least, whole)), whole);
    const start = Math.min(Math.max(low, this.span[0]), this.span[1] - width);
    this.window = /** @type {[number, number]} */ ([start, start + width]);
    this.draw("course", "mmode", "raster");
  }

  /** A unit was changed by hand: what was selected may be gone. */
  edited() {
    const count = this.edits.units.length;
    this.selected = new Set([...this.selected].filter((unit) => unit < count));
    this.spike = null;
    this.draw("over", "course", "raster");
    this.told();
  }

  /**
   * @param {Iterable<number>} units
   * @param {{unit: number, spike: number} | null} spike
   */
  select(units, spike = null) {
    this.selected = new Set(units);
    this.spike = spike;
    this.draw("over", "course", "raster");
    this.told();
  }

  /** @param {boolean} isDark */
  setTheme(isDark) {
    this.isDark = isDark;
    document.documentElement.dataset.theme = isDark ? "dark" : "light";
    inks.forget();
    this.draw(...ALL);
  }
}
