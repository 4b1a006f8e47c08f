/** Where a unit moves the tissue, from its firings alone. */

const REACH = 0.06; // s after a firing

const SHARE = 0.5; // of the largest motion, from which a pixel belongs to the unit

/**
 * The mean velocity after a firing at each pixel, and its root mean square over 60 ms: large where the tissue moves with the
 * unit, while the motion of others averages out.
 * @param {import("./frames.js").Frames} frames
 * @param {number[]} firings frames, not whole ones
 * @param {number} frameRate Hz
 * @returns {Float32Array | null} mm/s; null without a firing that is followed by enough frames
 */
export function triggeredMotion(frames, firings, frameRate) {
  const lags = Math.max(2, Math.round(REACH * frameRate));
  const starts = firings.map(Math.round).filter((first) => first >= 0 && first + lags <= frames.count);
  if (!starts.length) return null;
  const { pixels, numbers, velocities } = frames;
  const squares = new Float32Array(pixels), sum = new Float32Array(pixels);
  for (let lag = 0; lag < lags; lag++) {
    sum.fill(0);
    for (const start of starts) {
      for (let k = 0, from = (start + lag) * pixels; k < pixels; k++) sum[k] += velocities[numbers[from + k]];
    }
    for (let k = 0; k < pixels; k++) squares[k] += (sum[k] / starts.length) ** 2;
  }
  return squares.map((square) => Math.sqrt(square / lags));
}

/**
 * @param {Float32Array} motion
 * @returns {Uint8Array} the pixels that move at least half as much as the one that moves most
 */
export function territoryOf(motion) {
  let most = 0;
  for (const value of motion) most = Math.max(most, value);
  return Uint8Array.from(motion, (value) => (most > 0 && value >= SHARE * most ? 1 : 0));
}
