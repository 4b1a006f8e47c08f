/** What is saved, as text, and how a page saves a file. */

/**
 * BIDS events: one row a firing; those before the recording began have no place there.
 * @param {import("./edits.js").Unit[]} units
 */
export function bidsEvents(units) {
  const rows = units.flatMap((unit, k) => unit.times.filter((time) => time >= 0).map((time) => ({ time, k })));
  rows.sort((a, b) => a.time - b.time || a.k - b.k);
  return ["onset\tduration\tmotor_unit", ...rows.map(({ time, k }) => `${time.toFixed(6)}\t0\t${k}`)].join("\n") + "\n";
}

/**
 * The same trains as openhdemg opens them. Pulses are frames of the whole recording; where there is no course of a unit,
 * its firings stand for it.
 * @param {import("./edits.js").Unit[]} units
 * @param {number} frameRate of the recording, Hz
 * @param {number} frames of the whole recording
 * @param {number} spacing lateral, mm
 */
export function openhdemg(units, frameRate, frames, spacing) {
  const pulses = units.map((unit) =>
    [...new Set(unit.times.map((time) => Math.round(time * frameRate)))].filter((at) => at >= 0 && at < frames),
  );
  const firing = Array.from({ length: frames }, () => units.map(() => 0));
  pulses.forEach((unit, k) => unit.forEach((at) => (firing[at][k] = 1)));
  const table = (/** @type {(number | null)[][]} */ data) =>
    JSON.stringify({ columns: (data[0] ?? []).map((_, k) => k), index: data.map((_, k) => k), data });
  const nothing = Array.from({ length: frames }, () => [0]);
  return JSON.stringify({
    SOURCE: "CUSTOMCSV",
    FILENAME: "myovivo",
    RAW_SIGNAL: table(nothing),
    REF_SIGNAL: table(nothing),
    ACCURACY: table(units.map(() => [null])),
    IPTS: table(firing),
    MUPULSES: JSON.stringify(pulses),
    FSAMP: JSON.stringify(frameRate),
    IED: JSON.stringify(spacing),
    EMG_LENGTH: JSON.stringify(frames),
    NUMBER_OF_MUS: JSON.stringify(units.length),
    BINARY_MUS_FIRING: table(firing),
    EXTRAS: table([]),
  });
}

/**
 * Columns of numbers under their names.
 * @param {string[]} names
 * @param {ArrayLike<number>[]} columns
 */
export function commaSeparated(names, columns) {
  const rows = Math.max(...columns.map((column) => column.length));
  const lines = [names.map((name) => (/[",\n\r]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)).join(",")];
  for (let k = 0; k < rows; k++) {
    lines.push(columns.map((column) => (k < column.length ? String(Number(column[k].toPrecision(7))) : "")).join(","));
  }
  return lines.join("\n") + "\n";
}

/**
 * @param {string} title of the page
 * @param {string} ending
 */
export function fileName(title, ending) {
  const plain = title.normalize("NFKD").replace(/[^\w.-]+/g, "-").replace(/^[-.]+|[-.]+$/g, "");
  return `${plain.slice(0, 60) || "myovivo"}${ending}`;
}

/**
 * @param {string} name
 * @param {Blob | string} content
 */
export function saveFile(name, content) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type: "text/plain" }) : content);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
