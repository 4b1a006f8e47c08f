/** Firings over time, a row a unit: those to be edited, and true ones beside them. */

import { Chart, MARGIN } from "./chart.js";
import { inks } from "./colours.js";
import { nearest } from "./edits.js";
import { figureOf } from "./curves.js";

const NEAR = 6; // px

export class Raster {
  constructor() {
    this.chart = new Chart(figureOf("raster"), "Firings of the units over time").withPlayhead();
    this.chart.box.tabIndex = -1;
    /** @type {import("./edits.js").Unit[]} */
    this.units = [];
  }

  /**
   * @param {import("./edits.js").Unit[]} units a row each
   * @param {import("./edits.js").Unit[]} beside true ones, drawn below in rows of their own
   * @param {Set<number>} selected
   * @param {{unit: number, spike: number} | null} spike
   * @param {[number, number]} window s
   */
  show(units, beside, selected, spike, window) {
    this.units = units;
    const rows = units.length + beside.length;
    const every = Math.max(1, Math.ceil((rows * 13) / Math.max(this.chart.box.clientHeight - 30, 40)));
    this.chart.show({
      x: window,
      y: [0, Math.max(rows, 1)],
      xLabel: "s",
      downwards: true,
      yTicks: [...units, ...beside].flatMap(({ name }, k) => (k % every ? [] : [{ at: k + 0.5, text: k < units.length ? name : `t${name}` }])),
      more: (draw, chart) => {
        const height = chart.toY(1) - chart.toY(0);
        [...units, ...beside].forEach((unit, row) => {
          const isBeside = row >= units.length, isPicked = !isBeside && selected.has(row);
          if (isPicked) {
            draw.fillStyle = inks.of("pick");
            draw.globalAlpha = 0.14;
            draw.fillRect(MARGIN.left, chart.toY(row), chart.width, height);
          }
          draw.globalAlpha = unit.kept ? 1 : 0.3;
          draw.fillStyle = isPicked ? inks.of("pick") : isBeside ? inks.of("soft") : inks.of("ink");
          const tall = Math.max(height * 0.66, 2), top = chart.toY(row + 0.5) - tall / 2;
          unit.times.forEach((time, k) => {
            const isSpike = spike?.unit === row && spike.spike === k;
            draw.fillRect(chart.toX(time) - (isSpike ? 2 : 0.8), top - (isSpike ? 2 : 0), isSpike ? 4 : 1.6, tall + (isSpike ? 4 : 0));
          });
          draw.globalAlpha = 1;
        });
      },
    });
  }

  /**
   * @param {MouseEvent} event
   * @returns {{unit: number, time: number, spike: number}} unit -1 where there is none; spike -1 where none is near
   */
  at(event) {
    const frame = this.chart.box.getBoundingClientRect();
    const row = Math.floor((event.clientY - frame.top - this.chart.toY(0)) / (this.chart.toY(1) - this.chart.toY(0)));
    const unit = row >= 0 && row < this.units.length ? row : -1;
    const x = event.clientX - frame.left, time = this.chart.fromX(x);
    if (unit < 0) return { unit, time, spike: -1 };
    const spike = nearest(this.units[unit].times, time);
    const isNear = spike >= 0 && Math.abs(this.chart.toX(this.units[unit].times[spike]) - x) <= NEAR;
    return { unit, time, spike: isNear ? spike : -1 };
  }
}
