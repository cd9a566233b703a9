// How the ratings of a calibration take compare with what is known of it, or with what others gave.
import { make } from "./elements.js";

const shown = (value) => (value === null ? "–" : String(Math.round(value)));

export function feedbackTable(rows, dimensions) {
  const hasBefore = rows.some((row) => row.before !== null);
  const heads = ["", "You", ...(hasBefore ? ["Before"] : []), "Reference", "Difference"];
  const title = (name) => dimensions.find((one) => one.name === name).title;
  const body = rows.map((row) => {
    const apart = row.reference === null || row.value === null ? null : row.value - row.reference;
    const source = { known: "known", raters: `mean of ${row.n_raters}`, none: "none yet" }[row.source];
    return make("tr", {},
      make("th", { scope: "row" }, title(row.dimension)),
      make("td", { class: "number" }, shown(row.value)),
      ...(hasBefore ? [make("td", { class: "number" }, shown(row.before))] : []),
      make("td", { class: "number" }, row.reference === null ? "" : shown(row.reference), make("span", { class: "fine" }, ` ${source}`)),
      make("td", { class: "number" }, apart === null ? "" : `${apart > 0 ? "+" : ""}${Math.round(apart)}`));
  });
  const fragment = document.createDocumentFragment();
  fragment.append(
    make("h2", {}, "How your ratings compare"),
    make("p", { class: "fine" }, "The mark on each slider is the reference. Being apart from it is no mistake; being far apart in one direction, take after take, is worth a thought."),
    make("table", {}, make("thead", {}, make("tr", {}, ...heads.map((one) => make("th", { scope: "col" }, one)))), make("tbody", {}, ...body)));
  return fragment;
}
