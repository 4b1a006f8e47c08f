/** The keyboard: one table of what a key does, for the keys themselves and for the help. */

const MOVES = /^(Arrow|Home|End|Page)/; // what a slider or a choice takes for itself

/**
 * @typedef {{keys: string[], shown: string, text: string, does: (event: KeyboardEvent) => void}} Key
 */

/**
 * @param {Key[]} table
 * @param {HTMLTableElement} help
 */
export function listenToKeys(table, help) {
  for (const { shown, text } of table) {
    const row = help.insertRow();
    const cell = row.insertCell();
    shown.split(" ").forEach((word, k) => {
      if (k) cell.append(" ");
      const key = document.createElement("kbd");
      key.textContent = word;
      cell.append(key);
    });
    row.insertCell().textContent = text;
  }
  document.addEventListener("keydown", (event) => {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || event.altKey || document.querySelector("dialog[open]")) return;
    if (target.matches('select, [type="number"]') || (target.matches('[type="range"], [type="radio"]') && MOVES.test(event.key))) return;
    if (event.key === " " && target.matches("button, input")) return; // it presses what is focused
    const name = (event.ctrlKey || event.metaKey ? "ctrl " : "") + (event.shiftKey && event.key.length > 1 ? "shift " : "") + event.key;
    const key = table.find(({ keys }) => keys.includes(name));
    if (!key) return;
    event.preventDefault();
    key.does(event);
  });
}
