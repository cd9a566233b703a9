"use strict";
// The engraved score: shows what sounds, and answers clicks and arrow keys. page.js plays.
(() => {
  const score = JSON.parse(document.getElementById("data").textContent).score;
  const box = document.getElementById("systems");
  if (!score || !box) return;
  const choice = document.getElementById("show-places");
  choice?.addEventListener("change", () => {
    box.classList.toggle("all-places", choice.checked);
    for (const picture of box.querySelectorAll("svg[data-box]")) {
      const other = picture.dataset.box;
      picture.dataset.box = picture.getAttribute("viewBox");
      picture.setAttribute("viewBox", other);
    }
  });
  if (!document.getElementById("seek")) return;

  // A click plays from a little before its note, which is shown at once.
  const LEAD_SEC = 0.03, AHEAD_SEC = 0.04;
  const NUMBERS_AN_EVENT = 4, LONGEST_SEC = 4, SAME_SEC = 0.03;
  const MARKS = ["", " (played wrong)", " (missing)", " (not heard)"];
  const events = [];
  const eventsOf = new Map(), names = new Map(), drawn = new Map();
  for (let k = 0; k < score.events.length; k += NUMBERS_AN_EVENT) {
    const [note, start, lasts, marked] = score.events.slice(k, k + NUMBERS_AN_EVENT);
    const event = { note, start: start / 1000, end: (start + lasts) / 1000, marked };
    events.push(event);
    if (!eventsOf.has(note)) eventsOf.set(note, []);
    eventsOf.get(note).push(event);
  }
  for (let k = 0; k < score.names.length; k += 2) names.set(score.names[k], score.names[k + 1]);
  for (const one of document.querySelectorAll("[data-n]")) {
    const note = Number(one.dataset.n);
    if (!drawn.has(note)) drawn.set(note, []);
    drawn.get(note).push(one);
  }
  const inScore = (note) => drawn.get(note)?.find((one) => box.contains(one));

  function firstFrom(sec) {
    let low = 0, high = events.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (events[middle].start < sec) low = middle + 1; else high = middle;
    }
    return low;
  }

  // What sounds is coloured, and a line stands at what was struck last.
  const line = document.createElementNS(box.querySelector("svg").namespaceURI, "line");
  line.setAttribute("class", "playhead");
  let shown = new Set(), system = null, position = 0;
  function show(sec) {
    const sounding = new Set();
    let last = null;
    for (let k = firstFrom(sec - LONGEST_SEC); k < events.length && events[k].start <= sec + AHEAD_SEC; k++) {
      last = events[k];
      if (last.end > sec) sounding.add(last.note);
    }
    for (const note of shown) if (!sounding.has(note)) for (const one of drawn.get(note) ?? []) one.classList.remove("now");
    for (const note of sounding) if (!shown.has(note)) for (const one of drawn.get(note) ?? []) one.classList.add("now");
    shown = sounding;
    if (last) moveLine(last.note);
  }
  function moveLine(note) {
    const head = inScore(note)?.querySelector("use");
    if (!head) return;
    const picture = head.ownerSVGElement, view = picture.viewBox.baseVal;
    const x = Number(head.getAttribute("x")) + 112;
    for (const [name, value] of [["x1", x], ["x2", x], ["y1", view.y], ["y2", view.y + view.height]]) line.setAttribute(name, value);
    if (picture !== system) turnTo(picture);
    if (follows()) scrollSideways(line.getBoundingClientRect().left);
  }

  // The page follows whoever looks at the score, unless they scroll themselves.
  const LEFT_ALONE_MS = 4000;
  let scrolledAt = -LEFT_ALONE_MS, isPlaying = false;
  for (const kind of ["wheel", "touchmove"]) {
    addEventListener(kind, () => { scrolledAt = performance.now(); }, { passive: true });
  }
  const SCROLLING_KEYS = ["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"];
  addEventListener("keydown", (event) => {
    if (SCROLLING_KEYS.includes(event.key)) scrolledAt = performance.now();
  });
  const isSeen = (one) => {
    const edges = one.getBoundingClientRect();
    return edges.bottom > 0 && edges.top < innerHeight;
  };
  const follows = () => isPlaying && system && isSeen(system) && performance.now() - scrolledAt > LEFT_ALONE_MS;
  function turnTo(picture) {
    const isFollowed = follows();
    picture.append(line);
    system = picture;
    if (isFollowed) picture.scrollIntoView({ block: "center", inline: "nearest" });
  }
  function scrollSideways(x) {
    const edges = box.getBoundingClientRect();
    if (x < edges.left || x > edges.right - 0.15 * edges.width) box.scrollLeft += x - edges.left - 0.2 * edges.width;
  }
  document.addEventListener("tocco-position", (event) => {
    position = event.detail.sec;
    isPlaying = event.detail.playing;
    show(position);
  });

  const play = (from) => document.dispatchEvent(new CustomEvent("tocco-play", { detail: { from } }));
  // Of a bar that was played more than once: the time that is marked, or else the one nearest to the cursor.
  function eventOf(note) {
    const found = eventsOf.get(note) ?? [];
    const marked = found.filter((one) => one.marked);
    const near = (one) => Math.abs(one.start - position);
    return (marked.length ? marked : found).reduce((best, one) => (best && near(best) <= near(one) ? best : one), null);
  }
  function noteNear(picture, x, y) {
    let best = null, least = Infinity;
    for (const one of picture.querySelectorAll("[data-n]")) {
      if (!eventsOf.has(Number(one.dataset.n))) continue;
      const edges = one.getBoundingClientRect();
      const away = Math.hypot(x - (edges.left + edges.right) / 2, (y - (edges.top + edges.bottom) / 2) / 4);
      if (away < least) [best, least] = [Number(one.dataset.n), away];
    }
    return best;
  }
  for (const picture of document.querySelectorAll("svg.engraved")) {
    picture.addEventListener("click", (event) => {
      if (event.target.closest("a")) return;
      const own = event.target.closest("[data-n]");
      const note = own && eventsOf.has(Number(own.dataset.n)) ? Number(own.dataset.n) : noteNear(picture, event.clientX, event.clientY);
      const found = note === null ? null : eventOf(note);
      if (found) play(Math.max(found.start - LEAD_SEC, 0));
    });
  }

  // By keyboard: arrows go from chord to chord as they were played, Enter plays from there.
  const said = document.getElementById("score-said");
  let chosen = -1;
  function choose(k) {
    chosen = Math.min(Math.max(k, 0), events.length - 1);
    const at = events[chosen].start, chord = [];
    for (let n = chosen; n < events.length && events[n].start <= at + SAME_SEC; n++) chord.push(events[n]);
    document.dispatchEvent(new CustomEvent("tocco-seek", { detail: { to: at } }));
    show(at);
    inScore(events[chosen].note)?.scrollIntoView({ block: "nearest", inline: "nearest" });
    const where = document.getElementById("seek").getAttribute("aria-valuetext");
    said.textContent = `${where}: ${chord.map((one) => names.get(one.note) + MARKS[one.marked]).join(", ")}`;
  }
  box.addEventListener("keydown", (event) => {
    if (event.target.closest("a") || event.ctrlKey || event.metaKey || event.altKey) return;
    const here = chosen >= 0 && Math.abs(events[chosen].start - position) < SAME_SEC ? chosen : firstFrom(position);
    const at = events[Math.min(here, events.length - 1)].start;
    if (event.key === "ArrowRight") choose(chosen < 0 ? here : firstFrom(at + SAME_SEC));
    else if (event.key === "ArrowLeft") choose(firstFrom(events[Math.max(firstFrom(at) - 1, 0)].start - SAME_SEC));
    else if (event.key === "Enter") play(position);
    else return;
    event.preventDefault();
  });
})();
