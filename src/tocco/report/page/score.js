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
  const LEAD_SEC = 0.03, SAME_SEC = 0.03;
  const MARKS = ["", " (played wrong)", " (missing)", " (not heard)"];
  const events = scoreEvents(score.events);
  const eventsOf = new Map(), names = new Map();
  for (const event of events) {
    if (!eventsOf.has(event.note)) eventsOf.set(event.note, []);
    eventsOf.get(event.note).push(event);
  }
  for (let k = 0; k < score.names.length; k += 2) names.set(score.names[k], score.names[k + 1]);
  const turnTo = (picture) => picture.scrollIntoView({ block: "center", inline: "nearest" });
  const follower = scoreFollower(box, events, drawnNotes(document), turnTo);
  const { firstFrom, inScore } = follower;

  for (const kind of ["wheel", "touchmove"]) addEventListener(kind, () => follower.leaveAlone(), { passive: true });
  const SCROLLING_KEYS = ["PageUp", "PageDown", "Home", "End", "ArrowUp", "ArrowDown"];
  addEventListener("keydown", (event) => {
    if (SCROLLING_KEYS.includes(event.key)) follower.leaveAlone();
  });
  let position = 0;
  document.addEventListener("tocco-position", (event) => {
    position = event.detail.sec;
    follower.show(position, event.detail.playing);
  });

  const play = (from) => document.dispatchEvent(new CustomEvent("tocco-play", { detail: { from } }));
  // Of a bar that was played more than once: the time that is marked, or else the one nearest to the cursor.
  function eventOf(note) {
    const found = eventsOf.get(note) ?? [];
    const marked = found.filter((one) => one.marked);
    const near = (one) => Math.abs(one.start - position);
    return (marked.length ? marked : found).reduce((best, one) => (best && near(best) <= near(one) ? best : one), null);
  }
  for (const picture of document.querySelectorAll("svg.engraved")) {
    picture.addEventListener("click", (event) => {
      if (event.target.closest("a")) return;
      const own = event.target.closest("[data-n]");
      const note = own && eventsOf.has(Number(own.dataset.n)) ? Number(own.dataset.n) : noteNear(picture, event.clientX, event.clientY, (one) => eventsOf.has(one));
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
    follower.show(at);
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
