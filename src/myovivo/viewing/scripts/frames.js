/** Frames of a sequence: inflated block by block, kept as whole steps of eight bits. */

import { bytesOf } from "./payload.js";

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
    this.step = pane.step;
    this.pixels = pixels;
    this.blockFrames = blockFrames;
    this.holders = /** @type {(HTMLElement | null)[]} */ (holders);
    this.steps = new Int8Array(this.count * pixels);
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
    this.steps.set(new Int8Array(changes.buffer), first);
    for (let k = first + this.pixels; k < first + changes.length; k++) this.steps[k] += this.steps[k - this.pixels];
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
      for (let k = -128; k < 128; k++) this.table[k & 255] = scale.colourOf(k * this.step);
      this.key = scale.key;
    }
    const { steps, table } = this;
    for (let k = 0, from = frame * this.pixels; k < this.pixels; k++) target[k] = table[steps[from + k] & 255];
  }

  /**
   * @param {number} frame
   * @param {number} pixel
   * @returns {number} mm/s
   */
  value(frame, pixel) {
    return this.steps[frame * this.pixels + pixel] * this.step;
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
    const a = before.steps, b = after.steps, p = before.step, q = after.step;
    for (let k = 0, from = frame * pixels; k < pixels; k++) target[k] = scale.colourOf(b[from + k] * q - a[from + k] * p);
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
