/** Borders of territories. */

/**
 * The border of a mask along the edges of its pixels.
 * @param {Uint8Array} mask
 * @param {number} rows
 * @param {number} columns
 * @returns {number[]} x0, y0, x1, y1 of each straight piece, in pixels
 */
export function bordersOf(mask, rows, columns) {
  const pieces = [];
  const at = (/** @type {number} */ row, /** @type {number} */ column) =>
    row < 0 || column < 0 || row >= rows || column >= columns ? 0 : mask[row * columns + column];
  for (let row = 0; row <= rows; row++) {
    for (let column = 0, from = -1; column <= columns; column++) {
      const edge = column < columns && at(row, column) !== at(row - 1, column);
      if (edge && from < 0) from = column;
      if (!edge && from >= 0) {
        pieces.push(from, row, column, row);
        from = -1;
      }
    }
  }
  for (let column = 0; column <= columns; column++) {
    for (let row = 0, from = -1; row <= rows; row++) {
      const edge = row < rows && at(row, column) !== at(row, column - 1);
      if (edge && from < 0) from = row;
      if (!edge && from >= 0) {
        pieces.push(column, from, column, row);
        from = -1;
      }
    }
  }
  return pieces;
}

/** Borders are looked for once for each mask. */
const known = new WeakMap();

/**
 * @param {Uint8Array} mask
 * @param {number} rows
 * @param {number} columns
 * @returns {number[]}
 */
export function outlineOf(mask, rows, columns) {
  let pieces = known.get(mask);
  if (!pieces) known.set(mask, (pieces = bordersOf(mask, rows, columns)));
  return pieces;
}
