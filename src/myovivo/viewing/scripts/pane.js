/** A sequence on the page: its image, a layer over it, and what is drawn over both. */

import { inks, inkOf, LETTERS, Scale } from "./colours.js";
import { floatsOf } from "./payload.js";
import { line, sharpness, shown, ticks } from "./chart.js";
import { outlineOf } from "./outlines.js";

const LEFT = 26, BOTTOM = 18, TOP = 3, RIGHT = 4; // px around the image

const MOST_HEIGHT = 0.42; // of the window

export class PaneView {
  /**
   * @param {number} index
   * @param {{name: string, origin: string, subject: string}} about
   * @param {import("./frames.js").Frames | import("./frames.js").Difference} frames
   * @param {[number, number]} size
   * @param {[number, number]} spacing mm
   */
  constructor(index, about, frames, size, spacing) {
    this.index = index;
    this.frames = frames;
    this.rows = size[0];
    this.columns = size[1];
    this.extent = [size[0] * spacing[0], size[1] * spacing[1]];
    this.element = document.createElement("figure");
    this.element.className = "pane";
    const caption = document.createElement("figcaption");
    this.letter = spanOf("letter", LETTERS[index]);
    caption.append(this.letter, spanOf("name", about.name), spanOf("origin", about.origin));
    caption.title = [about.name, about.origin, about.subject].filter(Boolean).join(", ");
    this.screen = document.createElement("div");
    this.screen.className = "screen";
    this.image = canvasOf("image", this.columns, this.rows);
    this.layer = canvasOf("layer", this.columns, this.rows);
    this.over = canvasOf("over", 1, 1);
    this.over.tabIndex = 0;
    this.over.setAttribute("role", "img");
    this.over.setAttribute("aria-label", `${LETTERS[index]}, ${about.name}: velocity over depth and lateral position; arrows move the pixel`);
    this.screen.append(this.image, this.layer, this.over);
    this.element.append(caption, this.screen);
    this.draw2d = /** @type {CanvasRenderingContext2D} */ (this.image.getContext("2d"));
    this.data = this.draw2d.createImageData(this.columns, this.rows);
    this.pixels = new Uint32Array(this.data.data.buffer);
    this.box = { x: LEFT, y: TOP, width: 1, height: 1 };
  }

  /** Fit into the width there is; the image keeps its proportions in mm. */
  resize() {
    const width = this.element.clientWidth - 16;
    const room = Math.max(120, Math.min(window.innerHeight * MOST_HEIGHT, 460));
    const scale = Math.min((width - LEFT - RIGHT) / this.extent[1], (room - BOTTOM - TOP) / this.extent[0]);
    const box = { width: Math.max(scale * this.extent[1], 20), height: Math.max(scale * this.extent[0], 20), y: TOP, x: 0 };
    box.x = LEFT + Math.max(0, (width - LEFT - RIGHT - box.width) / 2);
    this.box = box;
    this.screen.style.height = `${box.height + TOP + BOTTOM}px`;
    for (const canvas of [this.image, this.layer]) {
      Object.assign(canvas.style, { left: `${box.x}px`, top: `${box.y}px`, width: `${box.width}px`, height: `${box.height}px` });
    }
    const { ratio } = sharpness;
    this.over.width = Math.round(Math.max(width, 1) * ratio);
    this.over.height = Math.round((box.height + TOP + BOTTOM) * ratio);
  }

  /**
   * @param {number} frame
   * @param {Scale} scale
   */
  showFrame(frame, scale) {
    if (this.frames.isReady(frame)) {
      this.frames.paint(frame, scale, this.pixels);
      this.draw2d.putImageData(this.data, 0, 0);
    } else {
      this.draw2d.clearRect(0, 0, this.columns, this.rows);
    }
  }

  /**
   * @param {{values: Float32Array, scale: Scale} | null} map
   * @param {number} opacity
   */
  showLayer(map, opacity) {
    this.layer.hidden = !map;
    if (!map) return;
    this.layer.style.opacity = String(opacity);
    const draw = /** @type {CanvasRenderingContext2D} */ (this.layer.getContext("2d"));
    const data = draw.createImageData(this.columns, this.rows);
    const pixels = new Uint32Array(data.data.buffer);
    for (let k = 0; k < pixels.length; k++) pixels[k] = map.scale.colourOf(map.values[k]);
    draw.putImageData(data, 0, 0);
  }

  /**
   * @param {{shapes: {mask: Uint8Array, state: string}[], pixel: {row: number, column: number}, line: number[] | null, note: string}} what
   */
  showOver(what) {
    const draw = /** @type {CanvasRenderingContext2D} */ (this.over.getContext("2d"));
    const { ratio } = sharpness;
    draw.setTransform(ratio, 0, 0, ratio, 0, 0);
    draw.clearRect(0, 0, this.over.width, this.over.height);
    this.drawAxes(draw);
    for (const { mask, state } of what.shapes) this.drawShape(draw, mask, state);
    if (what.line) this.drawLine(draw, what.line);
    this.drawCross(draw, what.pixel);
    if (what.note) {
      draw.fillStyle = inks.of("soft");
      draw.textAlign = "center";
      draw.fillText(what.note, this.box.x + this.box.width / 2, this.box.y + this.box.height / 2);
    }
    this.letter.style.color = inkOf(this.index);
  }

  /** @param {CanvasRenderingContext2D} draw */
  drawAxes(draw) {
    const { x, y, width, height } = this.box;
    draw.font = "10.5px system-ui, Helvetica, Arial, sans-serif";
    draw.fillStyle = inks.of("soft");
    draw.strokeStyle = inks.of("line");
    draw.lineWidth = 1;
    draw.strokeRect(x - 0.5, y - 0.5, width + 1, height + 1);
    draw.textAlign = "right";
    draw.textBaseline = "middle";
    for (const at of ticks([0, this.extent[0]], Math.max(2, height / 55))) {
      draw.fillText(shown(at), x - 5, Math.min(Math.max(y + (at / this.extent[0]) * height, y + 4), y + height - 4));
    }
    draw.textAlign = "center";
    draw.textBaseline = "top";
    for (const at of ticks([0, this.extent[1]], Math.max(2, width / 55))) {
      const px = x + (at / this.extent[1]) * width;
      if (px < x + width - 34) draw.fillText(shown(at), px, y + height + 4);
    }
    draw.textAlign = "right";
    draw.fillText("mm", x + width, y + height + 4);
  }

  /**
   * @param {CanvasRenderingContext2D} draw
   * @param {Uint8Array} mask
   * @param {string} state `plain`, `other` (of a list that is not edited) or `picked`; then `guessed` from its firings, and
   *   `firing` while it fires
   */
  drawShape(draw, mask, state) {
    const { x, y, width, height } = this.box;
    const dx = width / this.columns, dy = height / this.rows;
    const pieces = outlineOf(mask, this.rows, this.columns);
    const picked = state.startsWith("picked"), firing = state.endsWith("firing");
    draw.beginPath();
    for (let k = 0; k < pieces.length; k += 4) {
      draw.moveTo(x + pieces[k] * dx, y + pieces[k + 1] * dy);
      draw.lineTo(x + pieces[k + 2] * dx, y + pieces[k + 3] * dy);
    }
    draw.globalAlpha = picked || firing ? 1 : 0.62;
    draw.setLineDash(state.startsWith("other") ? [3, 2] : state.includes("guessed") ? [6, 4] : []);
    draw.strokeStyle = picked ? inks.of("pick") : inks.of("ink");
    draw.lineWidth = (picked ? 2 : 1) + (firing ? 1.5 : 0);
    draw.stroke();
    draw.setLineDash([]);
    draw.globalAlpha = 1;
  }

  /**
   * @param {CanvasRenderingContext2D} draw
   * @param {{row: number, column: number}} pixel
   */
  drawCross(draw, { row, column }) {
    const [px, py] = this.toScreen(row, column);
    for (const [colour, width] of /** @type {[string, number][]} */ ([[inks.of("card"), 3.5], [inks.of("ink"), 1.5]])) {
      draw.strokeStyle = colour;
      draw.lineWidth = width;
      for (const [ux, uy] of [[1, 0], [-1, 0], [0, 1], [0, -1]]) line(draw, px + 3 * ux, py + 3 * uy, px + 9 * ux, py + 9 * uy);
    }
  }

  /**
   * @param {CanvasRenderingContext2D} draw
   * @param {number[]} ends
   */
  drawLine(draw, [r0, c0, r1, c1]) {
    const [x0, y0] = this.toScreen(r0, c0), [x1, y1] = this.toScreen(r1, c1);
    for (const [colour, width] of /** @type {[string, number][]} */ ([[inks.of("card"), 4], [inks.of("ink"), 1.5]])) {
      draw.strokeStyle = colour;
      draw.lineWidth = width;
      line(draw, x0, y0, x1, y1);
    }
    draw.fillStyle = inks.of("ink");
    draw.beginPath();
    draw.arc(x0, y0, 3.5, 0, 7);
    draw.fill();
  }

  /**
   * @param {number} row
   * @param {number} column
   * @returns {[number, number]} middle of a pixel, px in `over`
   */
  toScreen(row, column) {
    const { x, y, width, height } = this.box;
    return [x + ((column + 0.5) / this.columns) * width, y + ((row + 0.5) / this.rows) * height];
  }

  /**
   * @param {PointerEvent | MouseEvent} event on `over`
   * @returns {{row: number, column: number}} the nearest pixel
   */
  pixelAt(event) {
    const { x, y, width, height } = this.box, frame = this.over.getBoundingClientRect();
    const part = (/** @type {number} */ share, /** @type {number} */ count) => Math.min(Math.max(Math.floor(share * count), 0), count - 1);
    return {
      row: part((event.clientY - frame.top - y) / height, this.rows),
      column: part((event.clientX - frame.left - x) / width, this.columns),
    };
  }
}

/**
 * @param {string} kind
 * @param {string} text
 */
export function spanOf(kind, text) {
  const span = document.createElement("span");
  span.className = kind;
  span.textContent = text;
  return span;
}

/**
 * @param {string} kind
 * @param {number} width
 * @param {number} height
 */
function canvasOf(kind, width, height) {
  const canvas = document.createElement("canvas");
  canvas.className = kind;
  canvas.width = width;
  canvas.height = height;
  return canvas;
}

/**
 * The maps that a pane can have laid over it, with one scale for all panes.
 * @param {import("./payload.js").PaneData[]} panes
 * @param {string} name
 * @param {{map: Uint32Array, diverging: Uint32Array, key: string}} tables
 */
export function layerOf(panes, name, tables) {
  const maps = panes.map((pane) => pane.maps[name] ?? null);
  const values = maps.map((map) => map && floatsOf(map.values));
  let high = 0;
  for (const map of values) for (const value of map ?? []) high = Math.max(high, Math.abs(value));
  const about = maps.find(Boolean);
  const signed = Boolean(about?.signed);
  const scale = new Scale(signed ? tables.diverging : tables.map, signed ? -high : 0, high || 1, `${name} ${tables.key}`);
  return { title: about?.title ?? "", unit: about?.unit ?? "", signed, high, maps: values.map((map) => map && { values: map, scale }) };
}
