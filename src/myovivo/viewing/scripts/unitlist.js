/** The units as a list: whether each is kept, how often it fires, and which are selected. */

import { spanOf } from "./pane.js";

/**
 * @param {HTMLElement} list
 * @param {import("./edits.js").Unit[]} units
 * @param {Set<number>} selected
 * @param {[number, number]} span s, of all that is shown
 * @param {{select: (unit: number, more: boolean) => void, keep: (unit: number, kept: boolean) => void}} does
 */
export function showUnits(list, units, selected, span, does) {
  const focused = [...list.querySelectorAll("button, input")].indexOf(/** @type {Element} */ (document.activeElement));
  list.replaceChildren(
    ...units.map((unit, index) => {
      const item = document.createElement("li");
      item.classList.toggle("selected", selected.has(index));
      item.classList.toggle("dropped", !unit.kept);
      const kept = document.createElement("input");
      kept.type = "checkbox";
      kept.checked = unit.kept;
      kept.setAttribute("aria-label", `keep unit ${unit.name}`);
      kept.addEventListener("change", () => does.keep(index, kept.checked));
      const button = document.createElement("button");
      button.type = "button";
      button.className = "unit";
      button.setAttribute("aria-pressed", String(selected.has(index)));
      const within = unit.times.filter((time) => time >= span[0] && time < span[1]).length;
      const bold = document.createElement("b");
      bold.textContent = unit.name;
      button.append(bold, spanOf("", `${within} firings, ${(within / (span[1] - span[0])).toFixed(1)} Hz`));
      button.addEventListener("click", (event) => does.select(index, event.ctrlKey || event.metaKey || event.shiftKey));
      item.append(kept, button);
      return item;
    }),
  );
  if (focused >= 0) /** @type {HTMLElement | undefined} */ (list.querySelectorAll("button, input")[focused])?.focus();
}
