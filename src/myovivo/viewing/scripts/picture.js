/** The view as a picture, and as a moving one. */

import { sharpness } from "./chart.js";
import { inks } from "./colours.js";
import { figureOf } from "./curves.js";

const SCALE = 2;

const CLIP_SCALE = 1;

const CODECS = ["video/webm;codecs=vp8", "video/webm", "video/mp4"]; // the first is the fastest, which loses fewest frames

const EMPTY = 1000; // bytes: a file without a frame has fewer

const STILL_MS = 1500; // without another piece, after which an encoder has come to the end

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
  const size = [width, height + FOOT].map((length) => 2 * Math.round((length * scale) / 2)); // video needs even numbers
  if (target.width !== size[0] || target.height !== size[1]) [target.width, target.height] = size;
  const draw = /** @type {CanvasRenderingContext2D} */ (target.getContext("2d", { willReadFrequently: true }));
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
 * @returns {Promise<Blob>} WebM; refused if the browser recorded nothing
 */
export async function clipOf(parts, lines, clock) {
  // A recorder of the canvas that the view is painted on
  clock.pause();
  clock.seek(0);
  const canvas = paintView(parts, lines(), CLIP_SCALE);
  const mimeType = CODECS.find((type) => MediaRecorder.isTypeSupported(type));
  const stream = canvas.captureStream(0); // a picture is taken when it is asked for, and none is missed
  const track = /** @type {CanvasCaptureMediaStreamTrack} */ (stream.getVideoTracks()[0]);
  const recorder = new MediaRecorder(stream, { mimeType, videoBitsPerSecond: 8e6 });
  const pieces = /** @type {Blob[]} */ ([]);
  recorder.addEventListener("dataavailable", (event) => pieces.push(event.data));
  const started = new Promise((done) => recorder.addEventListener("start", done));
  const stopped = new Promise((done) => recorder.addEventListener("stop", done));
  const size = () => pieces.reduce((sum, piece) => sum + piece.size, 0);
  recorder.start(100);
  await started;
  // Each frame that is shown is painted
  const { show } = clock;
  const paint = () => {
    paintView(parts, lines(), CLIP_SCALE, canvas);
    track.requestFrame();
  };
  paint();
  clock.loops = false;
  clock.show = (frame) => {
    show(frame);
    paint();
  };
  clock.play();
  await until(() => !clock.playing);
  clock.show = show;
  clock.loops = true;
  // The encoder may lag behind: what it has not come to would be lost
  let grown = performance.now(), before = -1;
  await until(() => {
    if (size() !== before) grown = performance.now();
    before = size();
    return performance.now() - grown > STILL_MS;
  });
  recorder.stop();
  await stopped;
  if (size() <= EMPTY) throw new Error("the browser recorded no frame; play more slowly and try again");
  return new Blob(pieces, { type: recorder.mimeType });
}

/**
 * @param {() => boolean} holds asked at each picture of the screen
 * @returns {Promise<void>}
 */
function until(holds) {
  return new Promise((done) => {
    const look = () => (holds() ? done() : requestAnimationFrame(look));
    look();
  });
}
