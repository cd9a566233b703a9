"use strict";
// Shows in an engraved score what sounds: used in reports and where people rate.
// `events` are {note, start, end} in seconds, ascending by start; `drawn` has the elements of each printed note.
// `turnTo` is called with the picture of a system that is reached: while playing, or else `whilePaused` too.
function scoreFollower(box, events, drawn, turnTo, whilePaused = false) {
  const AHEAD_SEC = 0.04, LONGEST_SEC = 4;
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
  let shown = new Set(), system = null, isPlaying = false;
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
    if (picture !== system) {
      const isFollowed = follows();
      picture.append(line);
      system = picture;
      if (isFollowed) turnTo(picture);
    }
    if (follows()) scrollSideways(line.getBoundingClientRect().left);
  }

  // Whoever looks at the score is followed, unless they scroll themselves.
  const LEFT_ALONE_MS = 4000;
  let scrolledAt = -LEFT_ALONE_MS;
  const isSeen = (one) => {
    const edges = one.getBoundingClientRect();
    return edges.bottom > 0 && edges.top < innerHeight;
  };
  const follows = () => (isPlaying || whilePaused) && system && isSeen(system) && performance.now() - scrolledAt > LEFT_ALONE_MS;
  function scrollSideways(x) {
    const edges = box.getBoundingClientRect();
    if (x < edges.left || x > edges.right - 0.15 * edges.width) box.scrollLeft += x - edges.left - 0.2 * edges.width;
  }

  return {
    firstFrom, inScore,
    leaveAlone() { scrolledAt = performance.now(); },
    show(sec, playing = isPlaying) {
      isPlaying = playing;
      show(sec);
    },
  };
}

// Number of a printed note -> its elements in a document or a part of one.
function drawnNotes(root) {
  const drawn = new Map();
  for (const one of root.querySelectorAll("[data-n]")) {
    const note = Number(one.dataset.n);
    if (!drawn.has(note)) drawn.set(note, []);
    drawn.get(note).push(one);
  }
  return drawn;
}

// Four numbers an event, as they are sent: note, start and duration in ms, what became of the note.
function scoreEvents(numbers) {
  const NUMBERS_AN_EVENT = 4, events = [];
  for (let k = 0; k < numbers.length; k += NUMBERS_AN_EVENT) {
    const [note, start, lasts, marked] = numbers.slice(k, k + NUMBERS_AN_EVENT);
    events.push({ note, start: start / 1000, end: (start + lasts) / 1000, marked });
  }
  return events;
}

// The printed note nearest to a point of the window, of those that `isKnown`; null where there is none.
function noteNear(picture, x, y, isKnown) {
  let best = null, least = Infinity;
  for (const one of picture.querySelectorAll("[data-n]")) {
    if (!isKnown(Number(one.dataset.n))) continue;
    const edges = one.getBoundingClientRect();
    const away = Math.hypot(x - (edges.left + edges.right) / 2, (y - (edges.top + edges.bottom) / 2) / 4);
    if (away < least) [best, least] = [Number(one.dataset.n), away];
  }
  return best;
}
