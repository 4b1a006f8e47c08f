/** Colours of numbers, as the tables of the page say. */

import { bytesOf } from "./payload.js";

const LEVELS = 255;

/**
 * @param {string} base64 255 times red, green, blue
 * @returns {Uint32Array} as a canvas has them in memory
 */
export function readTable(base64) {
  const bytes = bytesOf(base64);
  const table = new Uint8ClampedArray(4 * LEVELS);
  for (let k = 0; k < LEVELS; k++) table.set([bytes[3 * k], bytes[3 * k + 1], bytes[3 * k + 2], 255], 4 * k);
  return new Uint32Array(table.buffer);
}

/** From numbers to colours, linearly between two ends; what is beyond has the colour of the end. */
export class Scale {
  /**
   * @param {Uint32Array} table
   * @param {number} low
   * @param {number} high
   * @param {string} key differs wherever colours do
   */
  constructor(table, low, high, key) {
    this.table = table;
    this.low = low;
    this.high = high;
    this.factor = (LEVELS - 1) / (high - low || 1);
    this.key = `${key} ${low} ${high}`;
  }

  /** @param {number} value */
  colourOf(value) {
    const level = Math.floor(0.5 + (value - this.low) * this.factor);
    return this.table[level < 0 ? 0 : level >= LEVELS ? LEVELS - 1 : level];
  }
}

/** The variables of the style sheet, read again when the theme changes. */
export class Inks {
  /** @type {Object<string, string>} */
  known = {};

  forget() {
    this.known = {};
  }

  /** @param {string} name */
  of(name) {
    return (this.known[name] ??= getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim());
  }
}

export const inks = new Inks();

export const LETTERS = ["A", "B", "C", "D"];

/** @param {number} index of a pane */
export function inkOf(index) {
  return inks.of("abcd"[index]);
}
