/**
 * What the page carries: one JSON text, and blocks of frames and maps as base64.
 *
 * @typedef {{title: string, unit: string, signed: boolean, values: string}} MapData
 * @typedef {{name: string, origin: string, subject: string, frames: number, knee: number, peak: number,
 *   maps: Object<string, MapData>}} PaneData knee and peak in mm/s
 * @typedef {{name: string, times: number[], mask: string | null}} UnitData times in s
 * @typedef {{title: string, panes: number[], units: UnitData[]}} TrainsData panes: those that the units move in
 * @typedef {{title: string, version: string, panes: PaneData[], blockFrames: number, size: [number, number],
 *   spacing: [number, number], recordedRate: number, every: number, start: number, recordedFrames: number, limit: number,
 *   colours: Object<string, string>, trains: TrainsData[]}} Payload size in pixels, spacing in mm: depth, lateral
 */

/** @returns {Payload} */
export function readPayload() {
  return JSON.parse(textOf("payload"));
}

/** @param {string} id */
function textOf(id) {
  return /** @type {string} */ (document.getElementById(id)?.textContent);
}

/**
 * @param {string} base64
 * @returns {Uint8Array}
 */
export function bytesOf(base64) {
  const native = /** @type {any} */ (Uint8Array).fromBase64; // of browsers of 2025 on, and fast
  if (native) return native.call(Uint8Array, base64);
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

/** @param {string} base64 */
export function floatsOf(base64) {
  return new Float32Array(bytesOf(base64).buffer);
}

/**
 * @param {string} base64 bits, the first pixel in the highest
 * @param {number} count pixels
 */
export function bitsOf(base64, count) {
  const bytes = bytesOf(base64);
  const bits = new Uint8Array(count);
  for (let k = 0; k < count; k++) bits[k] = (bytes[k >> 3] >> (7 - (k & 7))) & 1;
  return bits;
}
