// One rated dimension: slider, boxes, and the words of the rating guide for where the slider stands.
import { make } from "./elements.js";

const MIDDLE = 50;
const STATES = {
  none: ["", "not rated"], moving: ["…", "not yet saved"], waiting: ["…", "not yet saved"], saved: ["✓", "saved"], refused: ["!", "refused"],
};

export class Dimension {
  // `on` has choose(dimension) and give(dimension): the value or a box has changed and is to be saved.
  constructor(about, number, id, on) {
    this.about = about;
    this.name = about.name;
    this.on = on;
    this.isOpen = true;
    this.output = make("output", { class: "value", for: id });
    this.mark = make("span", { class: "mark" });
    this.slider = make("input", { type: "range", id, min: 0, max: 100, step: 1, value: MIDDLE, "aria-describedby": `${id}-words` });
    this.uncertain = make("input", { type: "checkbox", "aria-label": `${about.title}: uncertain` });
    this.unknown = make("input", { type: "checkbox", "aria-label": `${about.title}: cannot say` });
    this.words = make("p", { class: "words hidden", id: `${id}-words` });
    this.levels = make("dl", { class: "levels" }, ...about.levels.flatMap(([level, words]) => [
      make("dt", { class: "number" }, String(level)), make("dd", {}, words),
    ]));
    this.reference = make("i", { class: "reference", hidden: true });
    const ticks = make("div", { class: "ticks", "aria-hidden": "true" }, ...[10, 30, 50, 70, 90].map((level) => {
      const tick = make("span", {}, String(level));
      tick.style.setProperty("--at", level / 100);
      return tick;
    }));
    this.element = make("li", { class: `dimension ${about.family}`, "data-dimension": about.name },
      make("div", { class: "head" },
        make("span", { class: "digit", "aria-hidden": "true" }, String(number % 10)),
        make("label", { for: id, class: "name" }, about.title),
        make("span", { class: "boxes" }, make("label", {}, this.uncertain, "uncertain"), make("label", {}, this.unknown, "cannot say")),
        this.mark, this.output),
      make("div", { class: "slide" }, this.slider, this.reference, ticks),
      this.words);
    this.listen();
    this.set(null);
  }

  // As it stands: null for no answer, {value, uncertain}; value null for "cannot say".
  set(answer, state = answer ? "saved" : "none") {
    this.isRated = answer !== null;
    this.uncertain.checked = answer?.uncertain ?? false;
    this.unknown.checked = this.isRated && answer.value === null;
    this.slider.value = answer?.value ?? MIDDLE;
    this.show(state);
  }

  get answer() {
    return { value: this.unknown.checked ? null : Number(this.slider.value), uncertain: this.uncertain.checked };
  }

  show(state = this.state) {
    this.state = state;
    const { value } = this.answer;
    this.element.classList.toggle("unrated", !this.isRated);
    this.element.classList.toggle("unknown", this.unknown.checked);
    this.element.dataset.state = state;
    this.output.textContent = this.unknown.checked ? "?" : this.isRated ? String(value) : "–";
    const [sign, words] = STATES[state];
    this.mark.replaceChildren(make("span", { "aria-hidden": "true" }, sign), make("span", { class: "hidden" }, words));
    this.mark.title = words;
    const near = this.isRated && value !== null ? this.nearest(value) : null;
    this.words.textContent = this.unknown.checked ? "cannot say" : near ? `${near[0]}: ${near[1]}` : "not rated yet";
    this.slider.setAttribute("aria-valuetext", this.isRated && value !== null ? String(value) : this.words.textContent);
    const rows = [...this.levels.children];
    rows.forEach((one, k) => one.classList.toggle("near", near === this.about.levels[k >> 1]));
    const box = this.levels.parentElement, row = rows.find((one) => one.classList.contains("near"));
    if (box) box.scrollTop = row ? row.offsetTop - box.clientHeight / 2 : 0;
  }

  nearest(value) {
    return this.about.levels.reduce((best, one) => (Math.abs(one[0] - value) < Math.abs(best[0] - value) ? one : best));
  }

  listen() {
    const { slider } = this;
    slider.addEventListener("input", () => this.moved());
    slider.addEventListener("change", () => this.release());
    // Whoever clicks on 50 moves nothing, and means 50.
    slider.addEventListener("pointerup", () => { if (!this.isRated && this.isOpen) { this.moved(); this.release(); } });
    slider.addEventListener("blur", () => this.release());
    this.element.addEventListener("focusin", () => this.on.choose(this));
    this.element.addEventListener("pointerdown", () => this.on.choose(this));
    this.uncertain.addEventListener("change", () => this.changedUncertain());
    this.unknown.addEventListener("change", () => this.changedUnknown());
  }

  moved() {
    this.isRated = true;
    this.unknown.checked = false;
    this.isMoving = true;
    this.show("moving");
  }

  // By a key: saved when the key is released, as a slider is that was dragged.
  step(by) {
    if (!this.isOpen) return;
    this.slider.value = Number(this.slider.value) + by;
    this.moved();
  }

  release() {
    if (!this.isMoving) return;
    this.isMoving = false;
    this.on.give(this);
  }

  changedUncertain() {
    if (this.isRated) this.on.give(this); else this.show();  // saved with the rating
  }

  changedUnknown() {
    if (!this.unknown.checked) {  // an answer can be changed, and taken back by undo
      this.moved();
      this.release();
      return;
    }
    this.isRated = true;
    this.isMoving = false;
    this.on.give(this);
  }

  toggle(box) {
    if (!this.isOpen) return;
    box.checked = !box.checked;
    box.dispatchEvent(new Event("change"));
  }

  setOpen(isOpen) {
    this.isOpen = isOpen;
    for (const one of [this.slider, this.uncertain, this.unknown]) one.disabled = !isOpen;
  }

  setReference(value) {
    this.reference.hidden = value === null;
    if (value !== null) this.reference.style.setProperty("--at", value / 100);
  }
}
