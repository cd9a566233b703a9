// Two takes, of which the better one is chosen; a tie is an answer.
// `transport` has session(), pair(n), soundOfPair(n, side) -> address, save(event), leaving(events).
import { make } from "./elements.js";
import { Hearing } from "./hearing.js";
import { bindKeys, giveBackKeys, isKey } from "./keys.js";
import { Outbox } from "./outbox.js";
import { Status } from "./status.js";

const JUMP_SEC = 3;
const SIDES = ["a", "b"];
const OUTCOMES = [["a", "A is better", "A or ←"], ["tie", "No difference", "T or ↓"], ["b", "B is better", "B or →"]];

export async function ratePairs(root, transport, { links = [], keys = document } = {}) {
  const page = new Pairs(root, transport, links, keys);
  await page.begin();
  return page;
}

class Pairs {
  constructor(root, transport, links, keys) {
    Object.assign(this, { root, transport, links, keys, number: -1, pair: null, active: 0 });
  }

  async begin() {
    this.session = await this.transport.session();
    this.build();
    this.outbox = new Outbox(`${this.session.key}/pairs`, (event) => this.transport.save(event), {
      saved: (event, answer) => { if (event.number === this.number) this.mark(answer.outcome); },
      refused: (event, message) => { this.status.refuse(`the choice of pair ${event.number + 1}`, message); this.mark(this.pair?.outcome ?? null); },
      changed: () => this.status.show(this.outbox ?? { queue: [], trouble: "" }),
    });
    addEventListener("pagehide", () => this.transport.leaving(this.outbox.forLeaving()));
    this.status.show(this.outbox);
    if (this.session.n_pairs === 0) { this.say("This project has no pairs."); return; }
    await this.go(this.session.next_pair ?? 0);
    if (this.session.next_pair === null) this.say("Every pair has an answer. Thank you. You may look at them again.");
  }

  end() { for (const one of this.hearings) one.player.finish(); }

  build() {
    this.root.tabIndex = -1;
    this.root.classList.add("rating", "pairs");
    this.status = new Status();
    this.hearings = SIDES.map((side, k) => new Hearing(`Take ${side.toUpperCase()}`, {
      span: () => {},
      changed: () => { if (this.hearings && this.hearings[k].player.isPlaying) this.playOnly(k); },
      trouble: (message) => this.say(message),
    }));
    const button = (text, name, shortcut, act, kind = "quiet") => make("button", { type: "button", class: kind, title: `${name} (${shortcut})`, "aria-label": text.length < 2 ? name : null, onclick: act }, text);
    this.choices = OUTCOMES.map(([outcome, words, shortcut]) => make("button", {
      type: "button", class: "choice", "data-outcome": outcome, "aria-pressed": "false", title: shortcut, onclick: () => this.vote(outcome),
    }, words));
    this.place = make("p", { class: "place" });
    this.note = make("div", { class: "notice", role: "status", hidden: true });
    this.previous = button("‹ Previous", "The pair before", "P", () => this.go(this.number - 1));
    this.following = button("Next ›", "The next pair", "Enter", () => this.goNext(), "main");
    this.help = bindKeys(this.keys, this.table());
    this.root.replaceChildren(
      make("div", { class: "bar" }, make("div", { class: "where" }, this.place, make("p", { class: "counts" }, "Which take is better on the whole? Hear both.")),
        make("div", { class: "ways" }, this.previous, this.following, button("?", "All keys", "?", () => this.help.showModal(), "quiet help")), this.status.saved),
      this.status.warning, this.status.problem, this.note,
      make("div", { class: "two" }, ...this.hearings.map((one, k) => make("div", { class: "side" }, make("h2", {}, `Take ${SIDES[k].toUpperCase()}`), one.element))),
      make("div", { class: "choices", role: "group", "aria-label": "Which take is better on the whole?" }, ...this.choices),
      make("nav", { class: "links", "aria-label": "Rating" }, ...this.links.map(([address, words]) => make("a", { href: address }, words))),
      this.help);
    giveBackKeys(this.root);
  }

  table() {
    const player = () => this.hearings[this.active].player;
    return [
      ["1", "play take A, or pause it", isKey("1"), () => this.toggle(0)],
      ["2", "play take B, or pause it", isKey("2"), () => this.toggle(1)],
      ["Space or K", "play and pause the take that was played last", isKey(" ", "k"), () => this.toggle(this.active)],
      ["Tab", "to every button, as everywhere", () => false, () => {}],
      ["J", `back ${JUMP_SEC} seconds`, isKey("j"), () => player().seek(player().now - JUMP_SEC)],
      ["L", `on ${JUMP_SEC} seconds`, isKey("l"), () => player().seek(player().now + JUMP_SEC)],
      [", or .", "slower, faster", isKey(",", "."), (event) => player().changeSpeed(event.key === "," ? -1 : 1)],
      ["A or ←", "take A is better", isKey("a", "ArrowLeft"), () => this.vote("a")],
      ["B or →", "take B is better", isKey("b", "ArrowRight"), () => this.vote("b")],
      ["T or ↓", "no difference", isKey("t", "ArrowDown"), () => this.vote("tie")],
      ["Z", "undo the newest answer of this pair", isKey("z"), () => this.undo()],
      ["Enter or N", "the next pair without an answer", isKey("Enter", "n"), () => this.goNext()],
      ["P", "the pair before", isKey("p"), () => this.go(this.number - 1)],
      ["?", "show or hide this list", (event) => event.key === "?", () => (this.help.open ? this.help.close() : this.help.showModal())],
    ];
  }

  async go(number) {
    if (number < 0 || number >= this.session.n_pairs) return;
    const mine = this.asked = number;
    let pair;
    try { pair = await this.transport.pair(number); } catch (error) { this.say(`Pair ${number + 1} cannot be shown. ${error.message}`); return; }
    if (mine !== this.asked) return;
    this.number = number;
    this.pair = pair;
    this.root.dataset.number = number;
    this.note.hidden = true;
    this.status.clear();
    this.active = 0;
    for (const [k, side] of SIDES.entries()) this.hearings[k].show(pair.takes[k], await this.transport.soundOfPair(number, side), 0);
    this.place.textContent = `Pair ${number + 1} of ${this.session.n_pairs}`;
    this.previous.disabled = number === 0;
    const waiting = this.outbox.waiting.findLast((one) => one.number === number && one.kind === "vote");
    this.mark(waiting ? waiting.given.outcome : pair.outcome);
  }

  async goNext() {
    let next = null;
    try { next = (await this.transport.pair(this.number)).next; } catch (error) { this.say(error.message); return; }
    if (next === null || next === this.number) this.say(next === null ? "Every pair has an answer. Thank you." : "This is the only pair without an answer.");
    else await this.go(next);
  }

  toggle(k) {
    this.active = k;
    this.hearings[k].player.toggle();
  }
  playOnly(k) {
    this.active = k;
    this.hearings[1 - k].player.pause();
  }

  vote(outcome) {
    this.status.clear();
    this.mark(outcome);
    this.outbox.add({ kind: "vote", number: this.number, given: { outcome } });
  }
  undo() { this.outbox.add({ kind: "undo_vote", number: this.number, given: {} }); }

  mark(outcome) {
    for (const one of this.choices) one.setAttribute("aria-pressed", one.dataset.outcome === outcome);
  }

  say(message) {
    this.note.hidden = false;
    this.note.textContent = message;
  }
}
