/** Units edited by hand: every change is a new list, so that each can be taken back. */

/**
 * @typedef {{name: string, times: number[], mask: Uint8Array | null, kept: boolean}} Unit times in s, ascending
 */

export const APART = 0.005; // s: closer firings of units that are merged are one firing

export class Edits {
  /**
   * @param {Unit[]} units
   * @param {() => void} told called after each change
   */
  constructor(units, told) {
    this.units = units;
    this.told = told;
    /** @type {Unit[][]} */
    this.past = [];
    /** @type {Unit[][]} */
    this.future = [];
  }

  /** @param {Unit[]} units */
  change(units) {
    this.past.push(this.units);
    this.future = [];
    this.units = units;
    this.told();
  }

  undo() {
    const before = this.past.pop();
    if (!before) return false;
    this.future.push(this.units);
    this.units = before;
    this.told();
    return true;
  }

  redo() {
    const after = this.future.pop();
    if (!after) return false;
    this.past.push(this.units);
    this.units = after;
    this.told();
    return true;
  }

  /**
   * @param {number} index
   * @param {Partial<Unit>} changes
   */
  withUnit(index, changes) {
    this.change(this.units.map((unit, k) => (k === index ? { ...unit, ...changes } : unit)));
  }

  /**
   * @param {number} index
   * @param {boolean} kept
   */
  keep(index, kept) {
    if (this.units[index].kept !== kept) this.withUnit(index, { kept });
  }

  /**
   * Several units as one: all their firings, those closer than 5 ms once, at the earlier time; all their territories.
   * It takes the place of the first.
   * @param {number[]} indices
   */
  merge(indices) {
    if (indices.length < 2) return;
    const merged = [...indices].sort((a, b) => a - b).map((k) => this.units[k]);
    const times = merged.flatMap((unit) => unit.times).sort((a, b) => a - b);
    const kept = times.filter((time, k) => k === 0 || time - times[k - 1] >= APART);
    const masks = /** @type {Uint8Array[]} */ (merged.map((unit) => unit.mask).filter(Boolean));
    const mask = masks.length ? masks[0].map((_, k) => (masks.some((one) => one[k]) ? 1 : 0)) : null;
    const whole = { name: merged.map((unit) => unit.name).join("+"), times: kept, mask, kept: true };
    const first = Math.min(...indices);
    this.change(this.units.flatMap((unit, k) => (k === first ? [whole] : indices.includes(k) ? [] : [unit])));
  }

  /**
   * @param {number} index
   * @param {number} time s
   */
  addSpike(index, time) {
    const times = this.units[index].times;
    if (times.some((other) => Math.abs(other - time) < 1e-6)) return;
    this.withUnit(index, { times: [...times, time].sort((a, b) => a - b) });
  }

  /**
   * @param {number} index
   * @param {number} spike
   */
  deleteSpike(index, spike) {
    this.withUnit(index, { times: this.units[index].times.filter((_, k) => k !== spike) });
  }
}

/**
 * @param {number[]} times
 * @param {number} time
 * @returns {number} index of the nearest, -1 if there is none
 */
export function nearest(times, time) {
  let best = -1;
  for (let k = 0; k < times.length; k++) if (best < 0 || Math.abs(times[k] - time) < Math.abs(times[best] - time)) best = k;
  return best;
}
