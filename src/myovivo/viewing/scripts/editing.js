/** What the hand does to units: select, keep, drop, merge, add and delete firings, take back, save. */

import { figureOf } from "./curves.js";
import { nearest } from "./edits.js";
import { bidsEvents, fileName, openhdemg, saveFile } from "./files.js";
import { showUnits } from "./unitlist.js";

export class Editing {
  /**
   * @param {import("./viewer.js").Viewer} viewer
   * @param {(text: string) => void} say
   */
  constructor(viewer, say) {
    this.viewer = viewer;
    this.say = say;
    for (const [id, act] of /** @type {[string, () => void][]} */ ([
      ["merge", () => this.merge()],
      ["add-spike", () => this.addSpike()],
      ["delete-spike", () => this.deleteSpike()],
      ["undo", () => this.undo()],
      ["redo", () => this.redo()],
      ["save-bids", () => this.saveEvents()],
      ["save-openhdemg", () => this.saveOpenhdemg()],
    ])) figureOf(id).addEventListener("click", act);
    const { box } = viewer.raster.chart;
    box.addEventListener("click", (event) => this.clickRaster(event));
    box.addEventListener("dblclick", (event) => this.addAt(event));
    this.offerLists();
    /** Lists as they were saved, or never changed. */
    this.saved = new WeakSet(viewer.lists.map(({ edits }) => edits.units));
    window.addEventListener("beforeunload", (event) => {
      if (viewer.lists.some(({ edits }) => !this.saved.has(edits.units))) event.preventDefault(); // the browser asks
    });
  }

  /** Which units are edited, where there are several lists. */
  offerLists() {
    const { lists } = this.viewer;
    for (const id of ["units-section", "raster"]) figureOf(id).hidden = !lists.length;
    for (const id of ["save-bids", "save-openhdemg"]) figureOf(id).hidden = !lists.length;
    const choice = /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (figureOf("list")));
    lists.forEach(({ title }, k) => choice.add(new Option(title, String(k))));
    choice.addEventListener("change", () => this.viewer.chooseList(Number(choice.value)));
    figureOf("list-row").hidden = lists.length < 2;
  }

  get units() {
    return this.viewer.edits.units;
  }

  /** The unit that edits of firings are about: the only one selected, -1 if there is none. */
  get current() {
    const { selected } = this.viewer;
    return selected.size === 1 ? [...selected][0] : -1;
  }

  /** Buttons and list as the state is. */
  refresh() {
    const { edits, beside, selected, span, lists, list } = this.viewer;
    const other = lists.find(({ edits: { units } }) => units.length && beside.includes(units[0]))?.title;
    const kept = edits.units.filter((unit) => unit.kept).length;
    /** @type {HTMLSelectElement} */ (/** @type {unknown} */ (figureOf("list"))).value = String(list);
    figureOf("units-title").textContent = `${kept} of ${edits.units.length} kept`;
    figureOf("raster-note").textContent = `${lists[list]?.title ?? ""}${other ? `; grey: ${other}` : ""}`;
    this.enable("merge", selected.size > 1);
    this.enable("add-spike", this.current >= 0);
    this.enable("delete-spike", this.current >= 0 && this.units[this.current].times.length > 0);
    this.enable("undo", edits.past.length > 0);
    this.enable("redo", edits.future.length > 0);
    this.enable("save-bids", kept > 0);
    this.enable("save-openhdemg", kept > 0);
    showUnits(figureOf("units"), edits.units, selected, span, {
      select: (unit, more) => this.select(unit, more),
      keep: (unit, on) => this.keep(unit, on),
    });
  }

  /**
   * @param {string} id
   * @param {boolean} on
   */
  enable(id, on) {
    /** @type {HTMLButtonElement} */ (figureOf(id)).disabled = !on;
  }

  /**
   * @param {number} unit
   * @param {boolean} more beside those that are selected
   */
  select(unit, more) {
    const { selected } = this.viewer;
    const next = new Set(more ? selected : []);
    if (selected.has(unit) && (more || selected.size === 1)) next.delete(unit);
    else next.add(unit);
    this.viewer.select(next);
  }

  /** @param {number} by */
  selectNext(by) {
    const count = this.units.length;
    if (!count) return;
    const unit = this.current < 0 ? (by > 0 ? 0 : count - 1) : (this.current + by + count) % count;
    this.viewer.select([unit]);
    this.say(`unit ${this.units[unit].name}, ${this.units[unit].times.length} firings`);
  }

  /**
   * @param {number} unit
   * @param {boolean} on
   */
  keep(unit, on) {
    this.viewer.edits.keep(unit, on);
    this.say(`unit ${this.units[unit].name} ${on ? "kept" : "dropped"}`);
  }

  /** @param {boolean} on */
  keepSelected(on) {
    for (const unit of this.viewer.selected) this.keep(unit, on);
  }

  merge() {
    const { selected, edits } = this.viewer;
    if (selected.size < 2) return;
    const first = Math.min(...selected);
    edits.merge([...selected]);
    this.viewer.select([first]);
    this.say(`merged into unit ${this.units[first].name}`);
  }

  addSpike(time = this.viewer.clock.time, unit = this.current) {
    if (unit < 0) return;
    this.viewer.edits.addSpike(unit, time);
    this.viewer.select([unit], { unit, spike: nearest(this.units[unit].times, time) });
    this.say(`firing of unit ${this.units[unit].name} added at ${time.toFixed(3)} s`);
  }

  /** The firing that is selected, else the one nearest to the frame shown. */
  deleteSpike() {
    const { spike, clock, edits } = this.viewer;
    const unit = spike?.unit ?? this.current;
    if (unit < 0) return;
    const at = spike?.spike ?? nearest(this.units[unit].times, clock.time);
    if (at < 0) return;
    const time = this.units[unit].times[at];
    edits.deleteSpike(unit, at);
    this.say(`firing of unit ${this.units[unit].name} at ${time.toFixed(3)} s deleted`);
  }

  undo() {
    this.say(this.viewer.edits.undo() ? "undone" : "nothing to undo");
  }

  redo() {
    this.say(this.viewer.edits.redo() ? "redone" : "nothing to redo");
  }

  /** @param {MouseEvent} event */
  clickRaster(event) {
    const { unit, time, spike } = this.viewer.raster.at(event);
    if (event.detail > 1) return; // the second of a double click
    const more = event.ctrlKey || event.metaKey || event.shiftKey;
    if (unit >= 0 && more) return this.select(unit, true);
    if (unit >= 0) this.viewer.select([unit], spike >= 0 ? { unit, spike } : null);
    this.viewer.clock.seekTime(spike >= 0 ? this.units[unit].times[spike] : time);
  }

  /** @param {MouseEvent} event */
  addAt(event) {
    const { unit, time } = this.viewer.raster.at(event);
    if (unit >= 0) this.addSpike(time, unit);
  }

  saveEvents() {
    this.saved.add(this.units);
    saveFile(fileName(this.viewer.payload.title, "_events.tsv"), bidsEvents(this.units.filter((unit) => unit.kept)));
  }

  saveOpenhdemg() {
    const { payload } = this.viewer;
    this.saved.add(this.units);
    const kept = this.units.filter((unit) => unit.kept);
    const text = openhdemg(kept, payload.recordedRate, payload.recordedFrames, payload.spacing[1]);
    saveFile(fileName(payload.title, ".json"), text);
  }
}
