// The page of a rater: one take after another, each rated in every dimension.
// `transport` has session(), item(i), score(i), feedback(i), sound(i) -> address, save(event), leaving(events).
import { Dimension } from "./dimension.js";
import { make, percent, store } from "./elements.js";
import { feedbackTable } from "./feedback.js";
import { Hearing } from "./hearing.js";
import { bindKeys, digitOf, giveBackKeys, isKey } from "./keys.js";
import { HeardLog, Outbox } from "./outbox.js";
import { Status } from "./status.js";

const LISTENING_EVERY_MS = 2000;
const COMMENT_AFTER_MS = 1500;
const JUMP_SEC = 3;
const SLOW_MS = 800;
const PLAY_AT_ONCE = "tocco-rate/play-at-once";
let made = 0;

export async function rateItems(root, transport, { links = [], keys = document } = {}) {
  const page = new Items(root, transport, links, keys);
  await page.begin();
  return page;
}

class Items {
  constructor(root, transport, links, keys) {
    Object.assign(this, { root, transport, links, keys, position: -1, chosen: null, item: null, answers: null });
    this.id = `tocco${made++}`;
  }

  async begin() {
    this.session = await this.transport.session();
    const { key } = this.session;
    const save = (event) => this.transport.save(event);
    this.heardLog = new HeardLog(key, save, (position, answer) => this.answered(position, answer, false));
    this.build();
    this.outbox = new Outbox(key, save, {
      saved: (event, answer) => this.saved(event, answer),
      refused: (event, message) => this.refused(event, message),
      changed: () => this.status.show(this.outbox ?? { queue: [], trouble: "" }),
    });
    this.timers();
    this.status.show(this.outbox);
    const { position } = this.session.next;
    await this.go(position ?? this.session.items.length - 1);
    if (position === null) this.explain(true);
  }

  build() {
    this.root.tabIndex = -1;
    this.root.classList.add("rating");
    this.status = new Status();
    this.hearing = new Hearing("Take", {
      span: (from, to, sec) => this.heardLog.note(this.position, [from, to], sec),
      changed: () => {},
      trouble: (message) => this.say(message),
    });
    this.dimensions = this.session.dimensions.map((about, k) => new Dimension(about, k + 1, `${this.id}-${about.name}`, {
      choose: (one) => this.choose(one),
      give: (one) => this.give(one),
    }));
    const button = (text, name, shortcut, act, kind = "quiet") => make("button", { type: "button", class: kind, title: `${name} (${shortcut})`, "aria-label": text.length < 2 ? name : null, onclick: act }, text);
    this.previous = button("‹ Previous", "The take before", "P", () => this.go(this.position - 1));
    this.following = button("Next ›", "The next take", "Enter", () => this.go(this.position + 1), "main");
    this.unrated = button("Next unrated", "The next take that is not rated yet", "N", () => this.goUnrated());
    this.place = make("p", { class: "place" });
    this.bar = make("progress", { "aria-label": "Rated takes" });
    this.counts = make("p", { class: "counts" });
    this.heard = make("p", { class: "heard-words" });
    this.heardBar = make("progress", { max: 1, "aria-label": "Heard of this take" });
    this.note = make("div", { class: "notice", role: "status", hidden: true });
    this.feedback = make("section", { class: "feedback", "aria-label": "How your ratings compare", hidden: true });
    this.comment = make("textarea", { id: `${this.id}-comment`, rows: 2, maxlength: 4000, oninput: () => this.commentLater(), onblur: () => this.commentNow() });
    this.help = bindKeys(this.keys, this.table());
    const helpButton = button("?", "All keys", "?", () => this.help.showModal(), "quiet help");
    this.atOnce = make("input", { type: "checkbox", onchange: (event) => store.set(PLAY_AT_ONCE, event.target.checked ? "yes" : "no") });
    this.atOnce.checked = store.get(PLAY_AT_ONCE) === "yes";
    this.anchors = make("section", { class: "anchors wide", "aria-label": "What the ratings sound like", tabindex: "0" });
    this.list = make("ol", { class: "dimensions", "aria-label": "Ratings" }, ...this.dimensions.map((one) => one.element));
    this.root.replaceChildren(
      make("div", { class: "bar" },
        make("div", { class: "where" }, this.place, this.counts, this.bar),
        make("div", { class: "ways" }, this.previous, this.unrated, this.following, helpButton),
        this.status.saved),
      this.status.warning, this.status.problem, this.note,
      make("div", { class: "desk" },
        make("div", { class: "listening" }, this.hearing.element,
          make("div", { class: "heard-line" }, this.heardBar, this.heard),
          make("label", { class: "fine at-once" }, this.atOnce, "play each take at once")),
        make("div", { class: "giving" }, this.anchors, this.list,
          make("label", { for: `${this.id}-comment`, class: "comment-label" }, "Comment ", make("span", { class: "fine" }, "(C; Escape leaves it)")), this.comment,
          this.feedback,
          make("nav", { class: "links", "aria-label": "Rating" }, ...this.links.map(([address, words]) => make("a", { href: address }, words))))),
      this.help);
    giveBackKeys(this.root);
  }

  table() {
    const player = this.hearing.player;
    const chosen = (act) => () => { if (this.chosen) act(this.chosen); };
    const arrow = (...names) => (event) => names.includes(event.key);
    return [
      ["Space or K", "play and pause", isKey(" ", "k"), () => player.toggle()],
      ["J", `back ${JUMP_SEC} seconds`, isKey("j"), () => player.seek(player.now - JUMP_SEC)],
      ["L", `on ${JUMP_SEC} seconds`, isKey("l"), () => player.seek(player.now + JUMP_SEC)],
      ["A", "loop from here", isKey("a"), () => this.hearing.setA()],
      ["B", "loop to here", isKey("b"), () => this.hearing.setB()],
      ["X", "no loop", isKey("x"), () => player.setLoop(null, null)],
      [", or .", "slower, faster", isKey(",", "."), (event) => player.changeSpeed(event.key === "," ? -1 : 1)],
      ["1 to 9 or 0", "choose a dimension; 0 is the tenth", (event) => digitOf(event) > 0, (event) => this.dimensions[digitOf(event) - 1]?.slider.focus()],
      ["← or →", "the chosen rating down and up by 1; with Shift by 5", arrow("ArrowLeft", "ArrowRight"), (event) => this.step(event, event.key === "ArrowRight" ? 1 : -1)],
      ["↓ or ↑", "the same, while a slider has the focus", (event) => arrow("ArrowUp", "ArrowDown")(event) && event.target.matches?.("input[type=range]"), (event) => this.step(event, event.key === "ArrowUp" ? 1 : -1)],
      ["U", "uncertain", isKey("u"), chosen((one) => one.toggle(one.uncertain))],
      ["Y", "cannot say", isKey("y"), chosen((one) => one.toggle(one.unknown))],
      ["Z", "undo the newest answer of this take", isKey("z"), () => this.undo()],
      ["Enter", "the next take", isKey("Enter"), () => this.go(this.position + 1)],
      ["P", "the take before", isKey("p"), () => this.go(this.position - 1)],
      ["N", "the next take that is not rated yet", isKey("n"), () => this.goUnrated()],
      ["C", "write a comment", isKey("c"), () => this.comment.focus()],
      ["S", "show or hide the score", isKey("s"), () => { if (this.hearing.score) this.hearing.score.open = !this.hearing.score.open; }],
      ["?", "show or hide this list", (event) => event.key === "?", () => (this.help.open ? this.help.close() : this.help.showModal())],
    ];
  }

  timers() {
    this.interval = setInterval(() => { if (this.hearing.player.isPlaying) this.tellHeard(); }, LISTENING_EVERY_MS);
    this.hearing.player.audio.addEventListener("pause", () => this.tellHeard());
    this.keys.addEventListener("keyup", (event) => { if (event.key.startsWith("Arrow")) this.release(); });
    addEventListener("blur", () => this.release());
    addEventListener("pagehide", () => this.leave());
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.leave(); else this.refresh(); });
    // Only what this browser could not store would be lost.
    addEventListener("beforeunload", (event) => { if (!store.works && this.outbox.queue.length) event.preventDefault(); });
  }

  // A notebook has taken it away.
  end() {
    this.leave();
    this.hearing.player.finish();
    clearInterval(this.interval);
  }

  // Going from take to take.

  async go(position) {
    if (position < 0) return;
    if (position >= this.session.items.length) { this.goUnrated(); return; }
    this.release();
    this.commentNow();
    this.hearing.player.finish();
    this.tellHeard();
    const mine = this.asked = position;
    const slow = setTimeout(() => this.say(`Take ${position + 1} is being prepared.`), SLOW_MS);
    let item;
    try { item = await this.transport.item(position); } catch (error) { this.say(`Take ${position + 1} cannot be shown. ${error.message}`); return; } finally { clearTimeout(slow); }
    if (mine !== this.asked) return;
    this.position = position;
    this.item = item;
    this.status.clear();
    this.note.hidden = true;
    this.root.dataset.position = position;
    const sec = this.heardLog.secondOf(position) ?? item.answers.position_sec;
    this.hearing.show(item, await this.transport.sound(position), sec);
    if (item.has_score) this.hearing.offerScore(() => this.transport.score(position));
    for (const one of this.dimensions) {
      one.set(null);
      one.setReference(null);
    }
    this.feedback.hidden = true;
    this.apply(item.answers);
    this.showPlace();
    this.explain();
    this.showFeedback();
    if (this.atOnce.checked && this.moved) this.hearing.player.play();
    this.moved = true;
    if (document.activeElement?.closest(".dimension")) this.dimensions[0].slider.focus({ preventScroll: true });
    else this.choose(this.dimensions[0]);
  }

  async goUnrated() {
    const items = this.session.items;
    const open = items.map((one, k) => ({ ...one, k })).filter((one) => one.is_open && !this.isComplete(one.k) && one.k !== this.position);
    const found = open.find((one) => one.k > this.position) ?? open[0];
    if (found) { await this.go(found.k); return; }
    await this.reload();
    this.explain(true);
  }

  async reload() {
    try { this.session = await this.transport.session(); } catch { return; }
    this.showPlace();
  }

  isComplete(position) {
    const one = this.session.items[position];
    return one.missing.length === 0 && one.heard_share >= this.session.heard_needed;
  }

  showPlace() {
    const { items, progress } = this.session, n = items.length;
    const done = items.filter((_, k) => this.isComplete(k)).length;
    const phases = { calibration: "Calibration", calibration_again: "Calibration, second day", rating: "Take" };
    const phase = items[this.position].phase;
    const same = items.map((one, k) => [one, k]).filter(([one]) => one.phase === phase);
    const of = phase === "rating" ? `${this.position + 1} of ${n}` : `${same.findIndex(([, k]) => k === this.position) + 1} of ${same.length}`;
    this.place.textContent = `${phases[phase]} ${of}`;
    this.counts.textContent = `${done} of ${n} rated · ${progress.advice}`;
    this.bar.max = n;
    this.bar.value = done;
    this.previous.disabled = this.position === 0;
    const isOpen = items[this.position].is_open;
    for (const one of this.dimensions) one.setOpen(isOpen);
    this.comment.disabled = !isOpen;
  }

  // What the rater should know about where they are.
  explain(atEnd = false) {
    const { next, items } = this.session, here = items[this.position];
    let text = "";
    if (!here.is_open) text = next.reason === "wait" && next.opens_sec
      ? `The calibration is rated a second time from ${new Date(1000 * next.opens_sec).toLocaleString()} on. Until then you may look at what you gave.`
      : "This take is rated after the calibration.";
    else if (atEnd) text = next.reason === "wait" && next.opens_sec
      ? `The calibration is rated. It is repeated from ${new Date(1000 * next.opens_sec).toLocaleString()} on, to see how steady your ratings are.`
      : next.reason === "done" ? "Everything is rated. Thank you." : "No other take is left to rate.";
    else if (here.phase === "calibration") text = "Calibration: after a take is rated, you see how others rated it or what is known of it.";
    this.note.hidden = !text;
    this.note.textContent = text;
  }

  // What was given.

  choose(one) {
    if (this.chosen === one) return;
    this.release();
    this.chosen?.element.classList.remove("chosen");
    this.chosen = one;
    one.element.classList.add("chosen");
    // At a place of its own: sliders and boxes do not move while somebody presses them.
    this.anchors.replaceChildren(make("h2", {}, one.about.title), one.levels);
    one.show();
  }

  step(event, sign) { this.chosen?.step(sign * (event.shiftKey ? 5 : 1)); }
  release() { this.chosen?.release(); }

  give(one) {
    this.status.clear();
    one.show("waiting");
    this.add("rating", { dimension: one.name, ...one.answer });
  }

  add(kind, given) {
    const sec = this.hearing.player.now, share = this.answers?.heard_share ?? 0;
    this.outbox.add({ kind, position: this.position, given: { position_sec: sec, listened_share: share, ...given } });
  }

  undo() {
    this.release();
    if (!Object.keys(this.answers?.ratings ?? {}).length && !this.answers?.comment && !this.outbox.queue.length) {
      this.status.show(this.outbox, "Nothing is left to undo here");
      return;
    }
    this.add("undo", {});
  }

  commentLater() {
    clearTimeout(this.commentTimer);
    this.commentTimer = setTimeout(() => this.commentNow(), COMMENT_AFTER_MS);
  }
  commentNow() {
    clearTimeout(this.commentTimer);
    const text = this.comment.value;
    if (this.position < 0 || this.comment.disabled || text === this.commentGiven) return;
    this.commentGiven = text;
    this.add("comment", { comment: text });
  }

  saved(event, answer) {
    this.answered(event.position, answer, event.kind === "undo");
    if (event.kind === "undo") this.status.show(this.outbox, "Taken back");
  }

  refused(event, message) {
    const what = event.kind === "rating" ? this.dimensions.find((one) => one.name === event.given.dimension)?.about.title ?? "a rating" : `the ${event.kind}`;
    this.status.refuse(event.position === this.position ? what : `${what}, take ${event.position + 1}`, message);
    if (event.position !== this.position) return;
    const one = this.dimensions.find((other) => other.name === event.given.dimension);
    this.refresh(true).then(() => one?.set(this.answers.ratings[one.name] ?? null, "refused"));
  }

  // The server's answer counts where nothing newer of the item is on its way.
  answered(position, { answers }, isUndo) {
    if (!answers) return;
    const item = this.session.items[position], wasComplete = this.isComplete(position);
    item.missing = this.session.dimensions.map((one) => one.name).filter((name) => !(name in answers.ratings));
    item.heard_share = answers.heard_share;
    if (position === this.position) this.apply(answers, isUndo);
    if (this.isComplete(position) !== wasComplete) {
      this.showPlace();
      this.reload().then(() => this.showFeedback());
    }
  }

  apply(answers, isUndo = false) {
    this.answers = answers;
    const waiting = this.outbox.waiting.filter((one) => one.position === this.position);
    const undoing = waiting.some((one) => one.kind === "undo");
    for (const one of this.dimensions) {
      const newer = waiting.findLast((event) => event.kind === "rating" && event.given.dimension === one.name);
      if (one.isMoving) continue;
      if (newer && !undoing) one.set(newer.given, "waiting");
      else if (!newer && (one.state !== "refused" || isUndo)) {
        const stands = answers.ratings[one.name] ?? null, uncertain = one.uncertain.checked;
        one.set(stands);
        if (!stands && !isUndo) one.uncertain.checked = uncertain;  // ticked before the slider was moved
      }
    }
    const written = waiting.findLast((event) => event.kind === "comment");
    if (document.activeElement !== this.comment) {
      this.comment.value = this.commentGiven = written ? written.given.comment : answers.comment;
    }
    this.showHeard();
  }

  async refresh(isForced = false) {
    if (this.position < 0 || (!isForced && this.outbox.queue.length)) return;
    const { position } = this;
    try {
      const item = await this.transport.item(position);
      if (position === this.position) this.apply(item.answers);
    } catch { /* it is shown as it was; saving says what is wrong */ }
  }

  // What was heard.

  tellHeard() {
    this.hearing.player.cut();
    if (this.position >= 0) this.heardLog.note(this.position, null, this.hearing.player.now);
    return this.heardLog.send();
  }
  leave() {
    this.release();
    this.commentNow();
    this.hearing.player.cut();
    if (this.position >= 0) this.heardLog.note(this.position, null, this.hearing.player.now);
    this.transport.leaving([...this.outbox.forLeaving(), ...this.heardLog.messages()]);
  }
  showHeard() {
    const { heard, heard_share: share } = this.answers, needed = this.session.heard_needed;
    this.hearing.track.setHeard(heard);
    this.heardBar.value = share;
    const enough = share >= needed;
    this.heard.classList.toggle("enough", enough);
    this.heard.textContent = enough
      ? `Heard ${percent(share)}: the ratings of this take count.`
      : `Heard ${percent(share)}. Ratings of a take count once ${percent(needed)} of it is heard.`;
  }

  async showFeedback() {
    const { position } = this;
    if (this.session.items[position].phase === "rating" || !this.isComplete(position)) return;
    let rows;
    try { rows = await this.transport.feedback(position); } catch { return; }
    if (position !== this.position || !rows.length) return;
    this.feedback.hidden = false;
    this.feedback.replaceChildren(feedbackTable(rows, this.session.dimensions));
    for (const row of rows) this.dimensions.find((one) => one.name === row.dimension)?.setReference(row.reference);
  }

  say(message) {
    this.note.hidden = false;
    this.note.textContent = message;
  }
}
