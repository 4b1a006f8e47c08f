/** The charts of what moves at a pixel, along a line, and over depth. */

import { Chart, MARGIN, rangeOf, shown } from "./chart.js";
import { inkOf, inks, LETTERS } from "./colours.js";
import { crossCorrelation, depthProfile, pixelsOn, spectrum } from "./signals.js";

const LAG = 0.1; // s, the largest that is drawn

const SPAN_DB = 70; // below the highest peak

const WIDEST = 8192; // px of the image of an M-mode

const HIGHEST = 100; // Hz, the highest that is drawn

/** @param {string} id */
export function figureOf(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

export class Curves {
  /**
   * @param {import("./payload.js").Payload} payload
   * @param {number} frameRate of the frames shown
   */
  constructor(payload, frameRate) {
    this.payload = payload;
    this.frameRate = frameRate;
    this.course = new Chart(figureOf("course"), "Velocity at the selected pixel over time").withPlayhead();
    this.spectrum = new Chart(figureOf("spectrum"), "Power spectral density at the selected pixel");
    this.correlation = new Chart(figureOf("correlation"), "Cross-correlation with A at the selected pixel");
    this.mmode = new Chart(figureOf("mmode"), "Velocity along the line over time").withPlayhead();
    this.profile = new Chart(figureOf("profile"), "Lateral mean of the map over depth");
    /** @type {Float32Array[]} */
    this.courses = [];
  }

  /** @returns {Chart[]} */
  get all() {
    return [this.course, this.spectrum, this.correlation, this.mmode, this.profile];
  }

  /**
   * @param {import("./pane.js").PaneView[]} panes
   * @param {number} pixel
   * @param {[number, number]} window s
   * @param {number[]} marks times of the firings to be marked, s
   * @param {string} markInk
   */
  showCourse(panes, pixel, window, marks, markInk) {
    this.courses = panes.map((pane) => pane.frames.course(pixel));
    this.course.show({
      x: window,
      y: rangeOf(this.courses, true),
      xLabel: "s",
      zero: true,
      curves: panes.map((pane, k) => ({
        x0: this.payload.start, dx: 1 / this.frameRate, values: this.courses[k], colour: inkOf(pane.index), width: 1.25,
      })),
      more: (draw, chart) => {
        draw.fillStyle = markInk;
        for (const time of marks) draw.fillRect(chart.toX(time) - 1, chart.height - MARGIN.bottom - 8, 2, 8);
      },
    });
  }

  /**
   * @param {import("./pane.js").PaneView[]} panes
   */
  showDerived(panes) {
    const spectra = this.courses.map((course) => spectrum(course, this.frameRate));
    const levels = spectra.map(({ density }) => density.map((power) => 10 * Math.log10(Math.max(power, 1e-30))));
    const top = Math.max(...levels.map((level) => Math.max(...level.subarray(1))));
    this.spectrum.show({
      x: [0, Math.min(HIGHEST, this.frameRate / 2)],
      y: [top - SPAN_DB, top + 4],
      xLabel: "Hz",
      curves: levels.map((values, k) => ({ x0: 0, dx: spectra[k].step, values, colour: inkOf(panes[k].index) })),
    });
    const most = Math.min(Math.round(LAG * this.frameRate), this.courses[0].length - 1);
    const pairs = panes.length > 1 ? panes.slice(1).map((pane) => ({ pane, k: panes.indexOf(pane) })) : [{ pane: panes[0], k: 0 }];
    const values = pairs.map(({ k }) => crossCorrelation(this.courses[0], this.courses[k], most));
    const ms = 1000 / this.frameRate;
    figureOf("correlation-name").textContent = panes.length > 1 ? "Cross-correlation" : "Autocorrelation";
    figureOf("correlation-note").textContent = panes.length > 1 ? "with A" : "";
    this.correlation.show({
      x: [-most * ms, most * ms],
      y: [Math.min(-0.25, ...values.map((one) => Math.min(...one))) - 0.05, 1.05],
      xLabel: "lag, ms",
      zero: true,
      curves: values.map((one, k) => ({ x0: -most * ms, dx: ms, values: one, colour: inkOf(pairs[k].pane.index) })),
      more: (draw) => {
        draw.textAlign = "left";
        draw.textBaseline = "top";
        draw.strokeStyle = inks.of("card"); // so that the text stands out from the curves
        draw.lineWidth = 4;
        pairs.forEach(({ pane }, k) => {
          const peak = values[k].indexOf(Math.max(...values[k]));
          draw.fillStyle = inkOf(pane.index);
          const text = `${LETTERS[pane.index]} ${values[k][peak].toFixed(2)}, ${shown(Math.round((peak - most) * ms))} ms`;
          draw.strokeText(text, MARGIN.left + 4, MARGIN.top + 14 * k);
          draw.fillText(text, MARGIN.left + 4, MARGIN.top + 14 * k);
        });
      },
    });
  }

  /**
   * @param {import("./pane.js").PaneView[]} panes
   * @param {number[]} ends of the line, row and column each
   * @param {import("./colours.js").Scale} scale
   * @param {[number, number]} window s
   */
  showMmode(panes, ends, scale, window) {
    const { size, spacing, start } = this.payload;
    const pixels = pixelsOn(ends, size[1]);
    const length = Math.hypot((ends[2] - ends[0]) * spacing[0], (ends[3] - ends[1]) * spacing[1]);
    const images = panes.map((pane) => strip(pane.frames, pixels, scale));
    this.mmode.show({
      x: window,
      y: [0, panes.length],
      xLabel: "s",
      downwards: true,
      yTicks: panes.map((pane, k) => ({ at: k + 0.5, text: LETTERS[pane.index] })),
      more: (draw, chart) => {
        draw.imageSmoothingEnabled = false;
        images.forEach(({ canvas: image, frames }, k) => {
          const x0 = chart.toX(start), x1 = chart.toX(start + frames / this.frameRate);
          const y0 = chart.toY(k), y1 = chart.toY(k + 1) - 2;
          draw.drawImage(image, x0, y0, x1 - x0, y1 - y0);
        });
      },
    });
    return `${length.toFixed(1)} mm, downwards`;
  }

  /**
   * @param {{title: string, unit: string, signed: boolean, maps: ({values: Float32Array} | null)[]}} layer
   */
  showProfile(layer) {
    const [rows, columns] = this.payload.size;
    const depths = Float64Array.from({ length: rows }, (_, row) => (row + 0.5) * this.payload.spacing[0]);
    const profiles = layer.maps.map((map) => map && depthProfile(map.values, rows, columns));
    const there = /** @type {Float64Array[]} */ (profiles.filter(Boolean));
    const x = rangeOf(there, layer.signed);
    this.profile.show({
      x: layer.signed ? x : [0, x[1]],
      y: [0, rows * this.payload.spacing[0]],
      xLabel: layer.unit,
      downwards: true,
      paths: profiles.flatMap((xs, k) => (xs ? [{ xs, ys: depths, colour: inkOf(k) }] : [])),
    });
    return layer.title;
  }
}

/**
 * Velocity along pixels (down) over frames (across), in colours; of a long sequence every so many-th frame, as a canvas has an
 * end.
 * @param {import("./frames.js").Frames | import("./frames.js").Difference} frames
 * @param {Int32Array} pixels
 * @param {import("./colours.js").Scale} scale
 */
function strip(frames, pixels, scale) {
  const every = Math.ceil(frames.count / WIDEST), width = Math.ceil(frames.count / every);
  const canvas = document.createElement("canvas");
  canvas.width = width;
  canvas.height = pixels.length;
  const draw = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  const data = draw.createImageData(width, pixels.length);
  const target = new Uint32Array(data.data.buffer);
  for (let x = 0; x < width; x++) {
    for (let k = 0; k < pixels.length; k++) target[k * width + x] = scale.colourOf(frames.value(x * every, pixels[k]));
  }
  draw.putImageData(data, 0, 0);
  return { canvas, frames: width * every };
}
