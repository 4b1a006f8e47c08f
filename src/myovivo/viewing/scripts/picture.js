/** The view as a picture, and as a moving one. */

import { inks } from "./colours.js";

const SCALE = 2;

/**
 * All canvases and captions within an element as they lie on the page.
 * @param {HTMLElement} element
 * @param {string[]} footer lines of text below
 * @param {number} scale
 * @param {HTMLCanvasElement} target
 */
export function paintView(element, footer, scale, target = document.createElement("canvas")) {
  const frame = element.getBoundingClientRect();
  target.width = 2 * Math.round((frame.width * scale) / 2); // video needs even numbers
  target.height = 2 * Math.round(((frame.height + 8 + 16 * footer.length) * scale) / 2);
  const draw = /** @type {CanvasRenderingContext2D} */ (target.getContext("2d"));
  draw.setTransform(scale, 0, 0, scale, 0, 0);
  draw.fillStyle = inks.of("card");
  draw.fillRect(0, 0, frame.width, frame.height + 40 + 16 * footer.length);
  for (const canvas of element.querySelectorAll("canvas")) {
    const place = canvas.getBoundingClientRect();
    if (!place.width || canvas.hidden) continue;
    draw.imageSmoothingEnabled = !canvas.matches(".image, .layer");
    draw.globalAlpha = canvas.matches(".layer") ? Number(canvas.style.opacity || 1) : 1;
    draw.drawImage(canvas, place.left - frame.left, place.top - frame.top, place.width, place.height);
    draw.globalAlpha = 1;
  }
  draw.textBaseline = "alphabetic";
  for (const caption of element.querySelectorAll("figcaption")) {
    const place = caption.getBoundingClientRect();
    draw.font = "600 12px system-ui, Helvetica, Arial, sans-serif";
    draw.fillStyle = inks.of("ink");
    const text = [...caption.childNodes].map((node) => node.textContent?.trim()).filter(Boolean).join("  ");
    draw.fillText(text, place.left - frame.left, place.bottom - frame.top - 4, place.width);
  }
  draw.font = "12px system-ui, Helvetica, Arial, sans-serif";
  draw.fillStyle = inks.of("soft");
  footer.forEach((text, k) => draw.fillText(text, 8, frame.height + 14 + 16 * k, frame.width - 16));
  return target;
}

/**
 * @param {HTMLElement} element
 * @param {string[]} footer
 * @returns {Promise<Blob>}
 */
export function pictureOf(element, footer) {
  const canvas = paintView(element, footer, SCALE);
  return new Promise((done, failed) => canvas.toBlob((blob) => (blob ? done(blob) : failed(new Error("no picture"))), "image/png"));
}

/**
 * Play once from the first frame on, and record what is seen.
 * @param {HTMLElement} element
 * @param {() => string[]} footer
 * @param {import("./clock.js").Clock} clock
 * @returns {Promise<Blob>} WebM
 */
export async function clipOf(element, footer, clock) {
  const canvas = paintView(element, footer(), 1.5);
  const recorder = new MediaRecorder(canvas.captureStream(), { videoBitsPerSecond: 8e6 });
  /** @type {Blob[]} */
  const parts = [];
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done));
  clock.pause();
  clock.seek(0);
  clock.loops = false;
  recorder.start();
  const { show } = clock;
  clock.show = (frame) => {
    show(frame);
    paintView(element, footer(), 1.5, canvas);
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
  return new Blob(parts, { type: recorder.mimeType });
}
