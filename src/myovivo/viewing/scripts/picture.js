/** The view as a picture, and as a moving one. */

import { sharpness } from "./chart.js";
import { inks } from "./colours.js";
import { figureOf } from "./curves.js";

const SCALE = 2;

const FOOT = 44; // px of what stands below the view

/**
 * Parts of the page, one below the other as they lie there, without what lies between them; and a foot that says what is seen.
 * @param {HTMLElement[]} parts
 * @param {string[]} lines of text in the foot
 * @param {number} scale
 * @param {HTMLCanvasElement} target
 */
export function paintView(parts, lines, scale, target = document.createElement("canvas")) {
  const frames = parts.map((part) => part.getBoundingClientRect());
  const width = Math.max(...frames.map((frame) => frame.width)), height = frames.reduce((sum, frame) => sum + frame.height + 8, 0);
  target.width = 2 * Math.round((width * scale) / 2); // video needs even numbers
  target.height = 2 * Math.round(((height + FOOT) * scale) / 2);
  const draw = /** @type {CanvasRenderingContext2D} */ (target.getContext("2d"));
  draw.setTransform(scale, 0, 0, scale, 0, 0);
  draw.fillStyle = inks.of("card");
  draw.fillRect(0, 0, width + 2, height + FOOT + 2);
  let top = 0;
  parts.forEach((part, k) => {
    draw.save();
    draw.translate(-frames[k].left, top - frames[k].top);
    paintPart(draw, part);
    draw.restore();
    top += frames[k].height + 8;
  });
  draw.font = "12px system-ui, Helvetica, Arial, sans-serif";
  draw.textBaseline = "alphabetic";
  draw.fillStyle = inks.of("soft");
  lines.forEach((text, k) => draw.fillText(text, 8, top + 14 + 17 * k, width - 230));
  draw.drawImage(/** @type {HTMLCanvasElement} */ (figureOf("colourbar")), width - 208, top + 6, 200, 9);
  const ends = ["low", "high"].map((id) => figureOf(id).textContent ?? "");
  draw.fillText(ends[0], width - 208, top + 30);
  draw.textAlign = "right";
  draw.fillText(`${ends[1]} mm/s`, width - 8, top + 30);
  return target;
}

/**
 * Canvases, playheads and captions of a part, at their places on the page.
 * @param {CanvasRenderingContext2D} draw
 * @param {HTMLElement} part
 */
function paintPart(draw, part) {
  for (const canvas of part.querySelectorAll("canvas")) {
    const place = canvas.getBoundingClientRect();
    if (!place.width || canvas.hidden) continue;
    draw.imageSmoothingEnabled = !canvas.matches(".image, .layer");
    draw.globalAlpha = canvas.matches(".layer") ? Number(canvas.style.opacity || 1) : 1;
    draw.drawImage(canvas, place.left, place.top, place.width, place.height);
    draw.globalAlpha = 1;
  }
  draw.fillStyle = inks.of("pick");
  for (const head of part.querySelectorAll(".playhead")) {
    const place = head.getBoundingClientRect();
    draw.fillRect(place.left, place.top, place.width, place.height);
  }
  draw.textBaseline = "alphabetic";
  draw.textAlign = "left";
  for (const caption of part.querySelectorAll("figcaption")) {
    const place = caption.getBoundingClientRect();
    let left = place.left;
    for (const node of caption.childNodes) {
      const text = (node.textContent ?? "").trim();
      if (!text || left > place.right) continue;
      const strong = node.nodeType === Node.TEXT_NODE || /** @type {Element} */ (node).matches(".name, .letter");
      draw.font = `${strong ? 600 : 400} 12px system-ui, Helvetica, Arial, sans-serif`;
      draw.fillStyle = node.nodeType === Node.TEXT_NODE ? inks.of("ink") : getComputedStyle(/** @type {Element} */ (node)).color;
      draw.fillText(text, left, place.bottom - 4, place.right - left);
      left += draw.measureText(text).width + 7;
    }
  }
}

/**
 * @param {import("./viewer.js").Viewer} viewer
 * @param {HTMLElement[]} parts
 * @param {string[]} lines
 * @returns {Promise<Blob>}
 */
export function pictureOf(viewer, parts, lines) {
  sharpness.wanted = SCALE; // drawn again as sharp as the picture is
  viewer.drawNow();
  const canvas = paintView(parts, lines, SCALE);
  sharpness.wanted = 0;
  viewer.drawNow();
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}

/**
 * Play once from the first frame on, and record what is seen.
 * @param {HTMLElement[]} parts
 * @param {() => string[]} lines
 * @param {import("./clock.js").Clock} clock
 * @returns {Promise<Blob>} WebM
 */
export async function clipOf(parts, lines, clock) {
  const canvas = paintView(parts, lines(), 1.5);
  const recorder = new MediaRecorder(canvas.captureStream(), { videoBitsPerSecond: 8e6 });
  /** @type {Blob[]} */
  const pieces = [];
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done));
  clock.pause();
  clock.seek(0);
  clock.loops = false;
  recorder.start();
  const { show } = clock;
  clock.show = (frame) => {
    show(frame);
    paintView(parts, lines(), 1.5, canvas);
  };
  clock.play();
  await new Promise((done) => {
    const look = () => (clock.playing ? requestAnimationFrame(look) : done(null));
    look();
  });
  clock.show = show;
  clock.loops = true;
  recorder.stop();
  await stopped;
  return new Blob(pieces, { type: recorder.mimeType });
}
