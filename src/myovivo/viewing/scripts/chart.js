/** Axes on a canvas: ticks, curves, marks, and a playhead that moves without drawing anything again. */

import { inks } from "./colours.js";

/**
 * @typedef {{x0: number, dx: number, values: ArrayLike<number>, colour: string, width?: number}} Curve evenly spaced
 * @typedef {{xs: ArrayLike<number>, ys: ArrayLike<number>, colour: string, width?: number}} Path
 * @typedef {{x: [number, number], y: [number, number], xLabel: string, curves?: Curve[], paths?: Path[],
 *   downwards?: boolean, yTicks?: {at: number, text: string}[], zero?: boolean,
 *   more?: (draw: CanvasRenderingContext2D, chart: Chart) => void}} Plot
 */

/** Pixels of a canvas to one of the page: those of the screen, or more while a picture is made. */
export const sharpness = {
  wanted: 0,
  get ratio() {
    return this.wanted || window.devicePixelRatio || 1;
  },
};

export const MARGIN = { left: 44, right: 8, top: 6, bottom: 22 };

export class Chart {
  /**
   * @param {HTMLElement} figure
   * @param {string} label what is read out
   */
  constructor(figure, label) {
    this.figure = figure;
    this.box = document.createElement("div");
    this.box.className = "plot";
    this.canvas = document.createElement("canvas");
    this.canvas.setAttribute("role", "img");
    this.canvas.setAttribute("aria-label", label);
    this.box.append(this.canvas);
    figure.append(this.box);
    this.draw2d = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    /** @type {Plot | null} */
    this.plot = null;
    /** @type {HTMLElement | null} */
    this.head = null;
    this.width = this.height = 0;
  }

  withPlayhead() {
    this.head = document.createElement("div");
    this.head.className = "playhead";
    this.box.append(this.head);
    return this;
  }

  /** @param {number} x */
  placeHead(x) {
    if (!this.head || !this.plot) return;
    const [low, high] = this.plot.x;
    this.head.hidden = x < low || x > high;
    this.head.style.transform = `translateX(${this.toX(x) - 0.75}px)`;
  }

  /** @param {number} x */
  toX(x) {
    const [low, high] = /** @type {Plot} */ (this.plot).x;
    return MARGIN.left + ((x - low) / (high - low || 1)) * (this.width - MARGIN.left - MARGIN.right);
  }

  /** @param {number} y */
  toY(y) {
    const { y: [low, high], downwards } = /** @type {Plot} */ (this.plot);
    const share = (y - low) / (high - low || 1);
    return MARGIN.top + (downwards ? share : 1 - share) * (this.height - MARGIN.top - MARGIN.bottom);
  }

  /** @param {number} px from the left of the canvas */
  fromX(px) {
    const [low, high] = /** @type {Plot} */ (this.plot).x;
    return low + ((px - MARGIN.left) / (this.width - MARGIN.left - MARGIN.right)) * (high - low);
  }

  /** @param {Plot} plot */
  show(plot) {
    this.plot = plot;
    this.redraw();
  }

  redraw() {
    const { plot, draw2d: draw } = this;
    if (!plot) return;
    const { ratio } = sharpness;
    this.width = this.box.clientWidth;
    this.height = this.box.clientHeight;
    if (this.width < 80 || this.height < 50) return;
    this.canvas.width = Math.round(this.width * ratio);
    this.canvas.height = Math.round(this.height * ratio);
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.font = "11px system-ui, Helvetica, Arial, sans-serif";
    this.drawTicks(plot);
    draw.save();
    draw.beginPath();
    draw.rect(MARGIN.left, 0, this.width - MARGIN.left - MARGIN.right, this.height - MARGIN.bottom + 1);
    draw.clip();
    for (const curve of plot.curves ?? []) this.drawCurve(curve);
    for (const path of plot.paths ?? []) this.drawPath(path);
    plot.more?.(draw, this);
    draw.restore();
  }

  /** @param {Plot} plot */
  drawTicks(plot) {
    const draw = this.draw2d, bottom = this.height - MARGIN.bottom, right = this.width - MARGIN.right;
    draw.strokeStyle = inks.of("grid");
    draw.fillStyle = inks.of("soft");
    draw.lineWidth = 1;
    draw.textAlign = "right";
    draw.textBaseline = "middle";
    const yTicks = plot.yTicks ?? ticks(plot.y, Math.max(2, Math.floor(bottom / 34))).map((at) => ({ at, text: shown(at) }));
    for (const { at, text } of yTicks) {
      const y = Math.round(this.toY(at)) + 0.5;
      if (!plot.yTicks) line(draw, MARGIN.left, y, right, y);
      draw.fillText(text, MARGIN.left - 6, y);
    }
    draw.textAlign = "center";
    draw.textBaseline = "top";
    const label = draw.measureText(plot.xLabel).width;
    for (const at of ticks(plot.x, Math.max(2, Math.floor((right - MARGIN.left) / 48)))) {
      const x = Math.round(this.toX(at)) + 0.5;
      line(draw, x, MARGIN.top, x, bottom);
      if (x < right - label - 14) draw.fillText(shown(at), x, bottom + 5);
    }
    draw.textAlign = "right";
    draw.fillText(plot.xLabel, right, bottom + 5);
    draw.strokeStyle = inks.of("line");
    line(draw, MARGIN.left, bottom + 0.5, right, bottom + 0.5);
    if (plot.zero) line(draw, MARGIN.left, Math.round(this.toY(0)) + 0.5, right, Math.round(this.toY(0)) + 0.5);
  }

  /** @param {Curve} curve */
  drawCurve({ x0, dx, values, colour, width }) {
    const draw = this.draw2d;
    const [low, high] = /** @type {Plot} */ (this.plot).x;
    const first = Math.max(0, Math.floor((low - x0) / dx) - 1), last = Math.min(values.length, Math.ceil((high - x0) / dx) + 2);
    draw.strokeStyle = colour;
    draw.lineWidth = width ?? 1.25;
    draw.lineJoin = "round";
    draw.beginPath();
    for (let k = first; k < last; k++) draw.lineTo(this.toX(x0 + k * dx), this.toY(values[k]));
    draw.stroke();
  }

  /** @param {Path} path */
  drawPath({ xs, ys, colour, width }) {
    const draw = this.draw2d;
    draw.strokeStyle = colour;
    draw.lineWidth = width ?? 1.25;
    draw.beginPath();
    for (let k = 0; k < xs.length; k++) draw.lineTo(this.toX(xs[k]), this.toY(ys[k]));
    draw.stroke();
  }
}

/**
 * @param {CanvasRenderingContext2D} draw
 * @param {number} x0
 * @param {number} y0
 * @param {number} x1
 * @param {number} y1
 */
export function line(draw, x0, y0, x1, y1) {
  draw.beginPath();
  draw.moveTo(x0, y0);
  draw.lineTo(x1, y1);
  draw.stroke();
}

/**
 * Round numbers within a range.
 * @param {[number, number]} range
 * @param {number} most how many, about
 * @returns {number[]}
 */
export function ticks([low, high], most) {
  const raw = (high - low) / most;
  if (!(raw > 0) || !Number.isFinite(raw)) return [];
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= raw * 0.999) ?? 10 * power;
  const result = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) result.push(k * step);
  return result;
}

/** @param {number} value */
export function shown(value) {
  return String(Number(value.toPrecision(6))).replace("-", "−");
}

/**
 * The least and the largest of several, with a little room.
 * @param {ArrayLike<number>[]} all
 * @param {boolean} symmetric
 * @returns {[number, number]}
 */
export function rangeOf(all, symmetric = false) {
  let low = Infinity, high = -Infinity;
  for (const values of all) {
    for (let k = 0; k < values.length; k++) {
      if (values[k] < low) low = values[k];
      if (values[k] > high) high = values[k];
    }
  }
  if (!(high >= low)) return [-1, 1];
  if (symmetric) high = Math.max(high, -low), (low = -high);
  const room = 0.06 * (high - low) || Math.abs(high) || 1;
  return [low - room, high + room];
}
