// Keys of the rating page. None needs Ctrl, Alt or Cmd, so none is taken from the browser.
import { make } from "./elements.js";

// `table` has [keys as shown, words, matches(event), act(event, key)]; returns the dialog that shows it.
export function bindKeys(target, table) {
  const dialog = make("dialog", { class: "keys", "aria-label": "Keys" },
    make("h2", {}, "Keys"),
    make("table", {}, make("tbody", {}, ...table.map(([keys, words]) => make("tr", {}, make("th", { scope: "row" }, ...keyNames(keys)), make("td", {}, words))))),
    make("form", { method: "dialog" }, make("button", { class: "main" }, "Close")));
  target.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return;
    if (writesInto(event.target)) {
      if (event.key === "Escape") event.target.blur();
      return;
    }
    if (dialog.open && event.key !== "?") return;
    const row = table.find(([, , matches]) => matches(event));
    if (!row || isOwn(event)) return;
    event.preventDefault();
    row[3](event);
  });
  return dialog;
}

const keyNames = (keys) => keys.split(" ").map((one) => (["or", "to"].includes(one) ? ` ${one} ` : make("kbd", {}, one)));

const writesInto = (one) => one.closest?.("textarea, input[type=text], input[type=search], [contenteditable=true]");

// A button that was reached by Tab is pressed by space and Enter, a box is ticked by space, and the position is
// moved by arrows, as everywhere. One that was clicked has given the keys back, see `giveBackKeys`.
function isOwn(event) {
  const at = event.target;
  if (!at.closest) return false;
  if (["Enter", " "].includes(event.key)) {
    if (at.closest("button, summary")) return true;
    if (event.key === "Enter" && at.closest("a")) return true;
    return event.key === " " && Boolean(at.closest("input[type=checkbox]"));
  }
  return event.key.startsWith("Arrow") && Boolean(at.closest(".seek, .systems"));
}

// After a click by mouse or finger the focus goes back to `root`, so that space plays and does not click again.
export function giveBackKeys(root) {
  root.addEventListener("click", (event) => {
    const clicked = event.target.closest("button, summary, input[type=checkbox]");
    if (clicked && event.detail > 0) root.focus({ preventScroll: true });
  });
  root.addEventListener("pointerup", (event) => {
    if (event.target.closest(".seek")) setTimeout(() => root.focus({ preventScroll: true }));
  });
}

export const isKey = (...keys) => (event) => keys.includes(event.key.length === 1 ? event.key.toLowerCase() : event.key);

// 1 to 10 for the digits 1 to 9 and 0, also where digits need Shift; 0 for every other key.
export function digitOf(event) {
  const found = /^[0-9]$/.test(event.key) ? event.key : (!event.shiftKey && /^Digit([0-9])$/.exec(event.code)?.[1]);
  return found ? Number(found) || 10 : 0;
}
