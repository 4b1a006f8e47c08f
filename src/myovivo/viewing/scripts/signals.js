/** What is computed of the time course of a pixel. */

/** @param {Float32Array} values */
export function mean(values) {
  let sum = 0;
  for (const value of values) sum += value;
  return values.length ? sum / values.length : 0;
}

/**
 * Fourier transform in place, of a length that is a power of two.
 * @param {Float64Array} re
 * @param {Float64Array} im
 */
export function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) {
      [re[i], re[j]] = [re[j], re[i]];
      [im[i], im[j]] = [im[j], im[i]];
    }
  }
  for (let size = 2; size <= n; size <<= 1) {
    const half = size >> 1;
    for (let k = 0; k < half; k++) {
      const cos = Math.cos((-2 * Math.PI * k) / size), sin = Math.sin((-2 * Math.PI * k) / size);
      for (let at = k; at < n; at += size) {
        const r = re[at + half] * cos - im[at + half] * sin, i = re[at + half] * sin + im[at + half] * cos;
        re[at + half] = re[at] - r;
        im[at + half] = im[at] - i;
        re[at] += r;
        im[at] += i;
      }
    }
  }
}

/**
 * One-sided power spectral density by one periodogram with a Hann window, the mean taken off, zeros up to a power of two.
 * @param {Float32Array} course
 * @param {number} frameRate Hz
 * @returns {{step: number, density: Float64Array}} Hz between bins; squared unit of the course per Hz
 */
export function spectrum(course, frameRate) {
  const n = course.length, centre = mean(course);
  const size = 2 ** Math.ceil(Math.log2(Math.max(n, 2)));
  const re = new Float64Array(size), im = new Float64Array(size);
  let power = 0;
  for (let k = 0; k < n; k++) {
    const window = 0.5 - 0.5 * Math.cos((2 * Math.PI * (k + 0.5)) / n);
    power += window * window;
    re[k] = (course[k] - centre) * window;
  }
  transform(re, im);
  const density = new Float64Array(size / 2 + 1);
  for (let k = 0; k < density.length; k++) {
    const sides = k === 0 || k === size / 2 ? 1 : 2;
    density[k] = (sides * (re[k] * re[k] + im[k] * im[k])) / (frameRate * power);
  }
  return { step: frameRate / size, density };
}

/**
 * Pearson's coefficient of one course and another that is shifted, at each lag; positive where the other is late.
 * Means and energies are those of the whole courses.
 * @param {Float32Array} a
 * @param {Float32Array} b
 * @param {number} most frames, the largest lag
 * @returns {Float64Array} 2 most + 1 values, from -most on; 0 where a course does not move
 */
export function crossCorrelation(a, b, most) {
  const n = Math.min(a.length, b.length);
  a = a.subarray(0, n);
  b = b.subarray(0, n);
  const ma = mean(a), mb = mean(b);
  let ea = 0, eb = 0;
  for (let k = 0; k < n; k++) {
    ea += (a[k] - ma) ** 2;
    eb += (b[k] - mb) ** 2;
  }
  const norm = Math.sqrt(ea * eb) || 1;
  const result = new Float64Array(2 * most + 1);
  for (let lag = -most; lag <= most; lag++) {
    let sum = 0;
    for (let k = Math.max(0, -lag); k < Math.min(n, n - lag); k++) sum += (a[k] - ma) * (b[k + lag] - mb);
    result[lag + most] = sum / norm;
  }
  return result;
}

/**
 * Mean over the lateral direction at each depth.
 * @param {Float32Array} map
 * @param {number} rows
 * @param {number} columns
 */
export function depthProfile(map, rows, columns) {
  return Float64Array.from({ length: rows }, (_, row) => mean(map.subarray(row * columns, (row + 1) * columns)));
}

/**
 * The pixels nearest to a straight line.
 * @param {number[]} line row and column of its start, and of its end
 * @param {number} columns
 * @returns {Int32Array} indices of pixels
 */
export function pixelsOn([r0, c0, r1, c1], columns) {
  const steps = Math.max(Math.abs(r1 - r0), Math.abs(c1 - c0));
  return Int32Array.from({ length: steps + 1 }, (_, k) => {
    const share = steps ? k / steps : 0;
    return Math.round(r0 + share * (r1 - r0)) * columns + Math.round(c0 + share * (c1 - c0));
  });
}
