/** Frames of a sequence: inflated block by block, kept as whole numbers of eight bits. */

import { bytesOf } from "./payload.js";

const STEPS = 127; // either way of zero

/**
 * What each of the 256 numbers stands for, as the page's maker says: fine steps near zero, and nothing cut off.
 * @param {number} knee mm/s
 * @param {number} peak mm/s
 */
export function velocitiesOf(knee, peak) {
  const rate = Math.asinh(peak / knee) / STEPS;
  return Float32Array.from({ length: 256 }, (_, k) => knee * Math.sinh((k < 128 ? k : k - 256) * rate));
}

/** A sequence that the page carries. */
export class Frames {
  /**
   * @param {import("./payload.js").PaneData} pane
   * @param {number} pixels of a frame
   * @param {number} blockFrames
   * @param {HTMLElement[]} holders the elements with the coded blocks, in order
   */
  constructor(pane, pixels, blockFrames, holders) {
    this.count = pane.frames;
    this.pixels = pixels;
    this.blockFrames = blockFrames;
    this.holders = /** @type {(HTMLElement | null)[]} */ (holders);
    this.numbers = new Uint8Array(this.count * pixels);
    this.velocities = velocitiesOf(pane.knee, pane.peak);
    this.ready = holders.map(() => false);
    this.table = new Uint32Array(256);
    this.key = "";
  }

  /** @param {number} frame */
  isReady(frame) {
    return frame < this.count && this.ready[Math.floor(frame / this.blockFrames)];
  }

  get isWhole() {
    return this.ready.every(Boolean);
  }

  /** @param {number} block */
  async decode(block) {
    const holder = this.holders[block];
    if (!holder) return;
    this.holders[block] = null;
    const changes = await inflated(bytesOf(/** @type {string} */ (holder.textContent).trim()));
    holder.remove(); // the text is needed no more
    const first = block * this.blockFrames * this.pixels;
    const { numbers, pixels } = this;
    numbers.set(changes, first);
    for (let k = first + pixels; k < first + changes.length; k++) numbers[k] += numbers[k - pixels]; // modulo 256
    this.ready[block] = true;
  }

  /**
   * Paint a frame into pixels of red, green, blue and opacity.
   * @param {number} frame
   * @param {import("./colours.js").Scale} scale
   * @param {Uint32Array} target
   */
  paint(frame, scale, target) {
    if (this.key !== scale.key) {
      for (let k = 0; k < 256; k++) this.table[k] = scale.colourOf(this.velocities[k]);
      this.key = scale.key;
    }
    const { numbers, table } = this;
    for (let k = 0, from = frame * this.pixels; k < this.pixels; k++) target[k] = table[numbers[from + k]];
  }

  /**
   * @param {number} frame
   * @param {number} pixel
   * @returns {number} mm/s
   */
  value(frame, pixel) {
    return this.velocities[this.numbers[frame * this.pixels + pixel]];
  }

  /** @param {number} pixel */
  course(pixel) {
    return Float32Array.from({ length: this.count }, (_, frame) => this.value(frame, pixel));
  }
}

/** Another sequence less one, frame by frame; it holds no frames of its own. */
export class Difference {
  /**
   * @param {Frames} before
   * @param {Frames} after
   */
  constructor(before, after) {
    this.before = before;
    this.after = after;
    this.count = Math.min(before.count, after.count);
    this.pixels = before.pixels;
  }

  /** @param {number} frame */
  isReady(frame) {
    return frame < this.count && this.before.isReady(frame) && this.after.isReady(frame);
  }

  get isWhole() {
    return this.before.isWhole && this.after.isWhole;
  }

  /**
   * @param {number} frame
   * @param {import("./colours.js").Scale} scale
   * @param {Uint32Array} target
   */
  paint(frame, scale, target) {
    const { before, after, pixels } = this;
    const a = before.numbers, b = after.numbers, p = before.velocities, q = after.velocities;
    for (let k = 0, from = frame * pixels; k < pixels; k++) target[k] = scale.colourOf(q[b[from + k]] - p[a[from + k]]);
  }

  /**
   * @param {number} frame
   * @param {number} pixel
   */
  value(frame, pixel) {
    return this.after.value(frame, pixel) - this.before.value(frame, pixel);
  }

  /** @param {number} pixel */
  course(pixel) {
    return Float32Array.from({ length: this.count }, (_, frame) => this.value(frame, pixel));
  }
}

/**
 * @param {Uint8Array} bytes
 * @returns {Promise<Uint8Array>}
 */
async function inflated(bytes) {
  const stream = new Blob([/** @type {BlobPart} */ (bytes)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/**
 * Decode every block, those next to the frame that is looked at first.
 * @param {Frames[]} sequences
 * @param {() => number} looked the frame
 * @param {(share: number) => void} told after each block, 0 to 1
 */
export async function decodeAll(sequences, looked, told) {
  const waiting = sequences.flatMap((frames) => frames.holders.map((_, block) => ({ frames, block })));
  const count = waiting.length;
  while (waiting.length) {
    const here = looked();
    const distance = (/** @type {{frames: Frames, block: number}} */ item) => {
      const ahead = item.block - Math.floor(here / item.frames.blockFrames);
      return ahead >= 0 ? ahead : count - ahead;
    };
    waiting.sort((a, b) => distance(a) - distance(b));
    const some = waiting.splice(0, sequences.length);
    await Promise.all(some.map((item) => item.frames.decode(item.block)));
    told(1 - waiting.length / count);
  }
}
