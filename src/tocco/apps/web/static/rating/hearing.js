// A take to listen to: track, controls, and its score.
import { clock, make, store } from "./elements.js";
import { Player } from "./player.js";
import { drawnNotes, noteNear, scoreEvents, scoreFollower } from "./score_follower.js";
import { Track } from "./track.js";

const LEAD_SEC = 0.03;
const LEAST_REM = 27;
const SCORE_CHOICE = "tocco-rate/score";
let pictures = 0;

export class Hearing {
  // `on` has span(from, to, sec), changed(), trouble(message).
  constructor(label, on) {
    this.label = label;
    this.on = on;
    this.follower = null;
    this.player = new Player({
      tick: (sec) => this.tick(sec),
      span: (from, to) => on.span(from, to, this.player.now),
      changed: () => this.changed(),
      trouble: on.trouble,
    });
    this.track = new Track(`${label}: waveform and notes over time. The position and the loop are also set by the controls below.`, {
      seek: (sec) => this.player.seek(sec),
      loop: (a, b) => { this.player.setLoop(a, b); this.player.seek(this.player.loop.a ?? a); },
    });
    this.element = make("section", { class: "hearing", "aria-label": label }, this.track.element, this.controls());
  }

  controls() {
    const player = this.player;
    const button = (text, name, key, act) => make("button", {
      type: "button", class: "quiet", "aria-label": name, title: key ? `${name} (${key})` : name, "aria-keyshortcuts": key, onclick: act,
    }, text);
    this.toggleButton = make("button", { type: "button", class: "main play", "aria-keyshortcuts": "Space", onclick: () => player.toggle() }, "Play");
    this.seekBar = make("input", {
      type: "range", min: 0, max: 1, step: 0.05, value: 0, class: "seek", "aria-label": `Position, ${this.label}`,
      oninput: (event) => player.seek(Number(event.target.value)),
    });
    this.time = make("output", { class: "time" });
    this.speed = make("output", { class: "speed" });
    this.loopA = button("A", "Loop from here", "A", () => this.setA());
    this.loopB = button("B", "Loop to here", "B", () => this.setB());
    this.loopOff = button("off", "No loop", "X", () => player.setLoop(null, null));
    return make("div", { class: "controls" },
      make("div", { class: "line" }, this.toggleButton, this.seekBar, this.time),
      make("div", { class: "line small" },
        make("span", { class: "group" }, make("span", { class: "fine" }, "Speed"), button("−", "Slower", ",", () => player.changeSpeed(-1)), this.speed, button("+", "Faster", ".", () => player.changeSpeed(1))),
        make("span", { class: "group" }, make("span", { class: "fine" }, "Loop"), this.loopA, this.loopB, this.loopOff)));
  }

  setA() { this.player.setLoop(this.player.now, this.player.loop.b); }
  setB() { this.player.setLoop(this.player.loop.a ?? 0, this.player.now); }

  show(item, url, sec) {
    this.track.show(item);
    this.seekBar.max = item.duration_sec;
    this.hideScore();
    this.player.load(url, item.duration_sec, sec);
  }

  tick(sec) {
    this.track.moveTo(sec);
    this.seekBar.value = sec;
    this.seekBar.setAttribute("aria-valuetext", `${clock(sec)} of ${clock(this.player.duration)}`);
    this.time.textContent = `${clock(sec)} / ${clock(this.player.duration)}`;
    this.follower?.show(sec, this.player.isPlaying);
  }

  changed() {
    const { isPlaying, loop, speed } = this.player;
    this.toggleButton.textContent = isPlaying ? "Pause" : "Play";
    this.element.classList.toggle("playing", isPlaying);
    this.speed.textContent = `${speed}×`;
    this.track.setLoop(loop);
    this.loopA.setAttribute("aria-pressed", loop.a !== null);
    this.loopB.setAttribute("aria-pressed", loop.b !== null);
    this.loopOff.disabled = loop.a === null;
    this.on.changed();
  }

  // The score comes after the rest, since engraving takes longer; whoever wants none is spared it.
  offerScore(load) {
    const box = make("div", { class: "systems", tabindex: "0", role: "region", "aria-label": "Score" });
    const summary = make("summary", {}, "Score");
    const details = make("details", { class: "score" }, summary, box);
    const begin = async () => {
      if (box.dataset.asked) return;
      box.dataset.asked = "yes";
      box.textContent = "Loading the score";
      try { this.fillScore(box, await load()); } catch (error) { box.textContent = `No score: ${error.message}`; }
    };
    details.addEventListener("toggle", () => {
      store.set(SCORE_CHOICE, details.open ? "open" : "closed");
      if (details.open) begin();
    });
    this.element.append(details);
    this.score = details;
    const wide = matchMedia("(min-width: 60rem)").matches;
    details.open = (store.get(SCORE_CHOICE) ?? (wide ? "open" : "closed")) === "open";
    if (details.open) begin();
  }

  hideScore() {
    this.score?.remove();
    this.score = this.follower = null;
  }

  fillScore(box, score) {
    const own = `s${pictures++}-`;  // the shapes of each score have names of their own
    const named = (text) => text.replaceAll('id="g', `id="${own}g`).replaceAll('href="#g', `href="#${own}g`);
    box.innerHTML = score.svg ? `<svg class="shapes" aria-hidden="true" width="0" height="0">${named(score.definitions)}</svg>${named(score.svg)}` : "";
    // A system of few bars is narrower, and is to be as large as the others.
    for (const one of box.querySelectorAll("svg.engraved")) one.style.minWidth = `${(LEAST_REM * parseFloat(one.getAttribute("width"))) / 100}rem`;
    if (score.remark) box.append(make("p", { class: "fine" }, score.remark));
    if (!score.events.length || !score.svg) return;
    const events = scoreEvents(score.events);
    const turnTo = (picture) => {
      const inside = picture.getBoundingClientRect(), edges = box.getBoundingClientRect();
      box.scrollTop += inside.top - edges.top - Math.max((edges.height - inside.height) / 2, 0);
    };
    this.follower = scoreFollower(box, events, drawnNotes(box), turnTo, true);
    for (const kind of ["wheel", "touchmove", "keydown"]) box.addEventListener(kind, () => this.follower?.leaveAlone(), { passive: true });
    box.addEventListener("click", (event) => {
      const picture = event.target.closest("svg.engraved");
      const known = new Set(events.map((one) => one.note));
      const note = picture && noteNear(picture, event.clientX, event.clientY, (one) => known.has(one));
      const found = events.find((one) => one.note === note);
      if (found) this.player.seek(Math.max(found.start - LEAD_SEC, 0));
    });
    this.follower.show(this.player.now, this.player.isPlaying);
  }
}
