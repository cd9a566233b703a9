// Waveform, piano roll and pedal of a take over one axis: the cursor, what was heard, the loop; clicks and drags.
import { make } from "./elements.js";

const DRAG_PX = 6;

export class Track {
  // `on` has seek(sec) and loop(a, b).
  constructor(label, on) {
    this.duration = 1;
    this.boxes = ["wave", "roll", "pedal"].map((name) => make("div", { class: `lane-box ${name}-box` }));
    this.heard = make("div", { class: "heard" });
    this.region = make("div", { class: "region", hidden: true });
    this.cursor = make("div", { class: "cursor" });
    this.element = make("div", { class: "track", role: "img", "aria-label": label },
      ...this.boxes, this.heard, this.region, this.cursor);
    this.listen(on);
  }

  show(item) {
    this.duration = item.duration_sec;
    this.boxes.forEach((box, k) => {
      box.innerHTML = [item.wave, item.roll, item.pedal][k];
      box.hidden = !box.innerHTML;
    });
    for (const [share, name] of item.octaves) {
      const label = make("span", { class: "octave" }, name);
      label.style.top = `${100 * share}%`;
      this.boxes[1].append(label);
    }
    this.setLoop({ a: null, b: null });
    this.moveTo(0);
  }

  moveTo(sec) { this.cursor.style.left = `${(100 * sec) / this.duration}%`; }

  setHeard(spans) {
    this.heard.replaceChildren(...spans.map(([from, to]) => this.placed(make("i"), from, to)));
  }

  setLoop({ a, b }) {
    this.region.hidden = a === null;
    this.region.classList.toggle("half", b === null);
    if (a !== null) this.placed(this.region, a, b ?? a);
  }

  placed(one, from, to) {
    one.style.left = `${(100 * from) / this.duration}%`;
    one.style.width = `${(100 * (to - from)) / this.duration}%`;
    return one;
  }

  listen(on) {
    let from = null;
    const sec = (event) => {
      const box = this.element.getBoundingClientRect();
      return Math.min(Math.max((event.clientX - box.left) / box.width, 0), 1) * this.duration;
    };
    const isDrag = (event) => from && Math.abs(event.clientX - from.x) > DRAG_PX;
    this.element.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      from = { x: event.clientX, sec: sec(event) };
      if (event.pointerType === "mouse") this.element.setPointerCapture(event.pointerId);
    });
    this.element.addEventListener("pointermove", (event) => {
      if (isDrag(event)) this.setLoop({ a: Math.min(from.sec, sec(event)), b: Math.max(from.sec, sec(event)) });
    });
    this.element.addEventListener("pointerup", (event) => {
      if (!from) return;
      if (isDrag(event)) on.loop(from.sec, sec(event)); else on.seek(sec(event));
      from = null;
    });
    this.element.addEventListener("pointercancel", () => { from = null; });
  }
}
