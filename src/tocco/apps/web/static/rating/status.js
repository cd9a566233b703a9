// Whether everything is saved, in words.
import { make, store } from "./elements.js";

export class Status {
  constructor() {
    this.saved = make("p", { class: "saving", role: "status" });
    this.problem = make("div", { class: "problem", role: "alert", hidden: true });
    this.warning = make("p", { class: "notice", hidden: true },
      "This browser keeps nothing between visits. Do not close this window before everything is saved.");
  }

  show(outbox, said = "") {
    const n = outbox.queue.length;
    this.warning.hidden = store.works;
    this.saved.dataset.state = n === 0 ? "saved" : outbox.trouble ? "trouble" : "saving";
    const things = `${n} ${n === 1 ? "answer" : "answers"}`;
    const text = n === 0 ? said || "All saved" : outbox.trouble ? `${things} not yet saved: ${outbox.trouble} Trying again.` : "Saving";
    if (this.saved.textContent !== text) this.saved.textContent = text;
  }

  refuse(what, message) {
    this.problem.hidden = false;
    this.problem.replaceChildren(make("p", {}, `Refused, and not saved: ${what}. ${message}`));
  }

  clear() { this.problem.hidden = true; }
}
