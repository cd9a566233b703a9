"use strict";
// Chooses two takes, plays the same bars of both, and moves the cursor over the bars.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const all = (query) => [...document.querySelectorAll(query)];
  const shown = { a: 0, b: data.takes.length - 1 };

  // What is shown: two takes, a dimension, the way over the takes.
  function showPair() {
    for (const pair of all("[data-pair]")) {
      const [one, other] = pair.dataset.pair.split("-").map(Number);
      pair.hidden = one !== shown.a || other !== shown.b;
    }
    for (const line of all("[data-take].take")) {
      const place = Number(line.dataset.take);
      line.classList.toggle("a", place === shown.a);
      line.classList.toggle("b", place === shown.b);
    }
    for (const one of all("[data-of-take]")) one.hidden = ![shown.a, shown.b].includes(Number(one.dataset.ofTake));
    for (const one of all("[data-name]")) one.textContent = data.takes[shown[one.dataset.name]].name;
  }
  const selects = { a: byId("take-a"), b: byId("take-b") };
  for (const [letter, select] of Object.entries(selects)) {
    select?.addEventListener("change", () => {
      const other = letter === "a" ? "b" : "a", before = shown[letter];
      shown[letter] = Number(select.value);
      if (shown.a === shown.b) shown[other] = before;
      for (const [one, its] of Object.entries(selects)) its.value = shown[one];
      stop();
      showPair();
    });
  }
  byId("dimension")?.addEventListener("change", (event) => {
    for (const curve of all(".curve[data-dimension]")) curve.classList.toggle("off", curve.dataset.dimension !== event.target.value);
  });
  byId("progress-of")?.addEventListener("change", (event) => {
    for (const one of all("[data-progress]")) one.hidden = one.dataset.progress !== event.target.value;
  });
  let stop = () => {};
  showPair();
  if (!byId("toggle")) return;

  // A take: its sound or plain tones, and where its bars begin.
  const tones = plainTones();
  const takes = data.takes.map((take, place) => ({ ...take, notes: notesFrom(take.notes), sound: byId(`sound-${place}`) }));
  for (const take of takes) {
    take.sound?.addEventListener("error", () => {
      byId("player-note").textContent = `This browser cannot play the recording of ${take.name}.${take.notes.length ? " Plain tones play its notes." : ""}`;
    });
    take.sound?.addEventListener("ended", () => pause());
  }

  let current = "a", position = 0, until = Infinity, then = null, playing = false;
  const take = () => takes[shown[current]];
  const hasSound = () => Boolean(take().sound) && take().sound.error === null;
  const now = () => (playing ? (hasSound() ? take().sound.currentTime : tones.time()) : position);
  const clock = (sec) => `${Math.floor(sec / 60)}:${String(Math.floor(sec % 60)).padStart(2, "0")}`;

  function pause() {
    position = Math.min(now(), take().duration);
    playing = false;
    then = null;
    for (const one of takes) one.sound?.pause();
    tones.stop();
    show();
  }
  stop = () => { pause(); position = 0; show(); };
  async function play(letter, from, to = Infinity, after = null) {
    pause();
    current = letter;
    position = Math.min(Math.max(from, 0), take().duration);
    until = to;
    then = after;
    playing = true;
    if (hasSound()) {
      take().sound.currentTime = position;
      try { await take().sound.play(); } catch (error) {
        if (error.name === "AbortError") return;
        playing = false;
        byId("player-note").textContent = `The browser did not play: ${error.message}`;
      }
    } else tones.play(position, take().notes);
    show();
    requestAnimationFrame(follow);
  }
  function follow() {
    if (!playing) return;
    if (now() >= Math.min(until, take().duration)) {
      const next = then;
      pause();
      if (next) next();
      return;
    }
    show();
    requestAnimationFrame(follow);
  }

  // Bars: which one is heard, and where the same place lies in the other take.
  const startOf = (place, bar) => data.bars[bar]?.[place] ?? null;
  function barAt(place, sec) {
    let found = -1;
    data.bars.forEach((starts, bar) => {
      if (starts[place] !== null && starts[place] <= sec + 0.001 && (found < 0 || starts[place] >= data.bars[found][place])) found = bar;
    });
    return found;
  }
  function endOf(place, bar) {
    const start = startOf(place, bar);
    let end = takes[place].duration;
    for (const starts of data.bars) if (starts[place] !== null && starts[place] > start && starts[place] < end) end = starts[place];
    return end;
  }
  function sameIn(other, sec) {
    const place = shown[current], bar = barAt(place, sec);
    if (bar < 0 || startOf(other, bar) === null) return data.bars.length ? startOf(other, Math.max(bar, 0)) ?? 0 : Math.min(sec, takes[other].duration);
    const share = (sec - startOf(place, bar)) / Math.max(endOf(place, bar) - startOf(place, bar), 0.01);
    return startOf(other, bar) + Math.min(Math.max(share, 0), 1) * (endOf(other, bar) - startOf(other, bar));
  }
  function change(letter) {
    if (letter === current) return;
    const there = sameIn(shown[letter], now()), was = playing;
    pause();
    current = letter;
    position = there;
    if (was) play(letter, there); else show();
  }
  function span(letter) {
    const place = shown[letter], first = Number(byId("bar").value);
    const last = Math.min(first + Number(byId("bar-count").value) - 1, data.bars.length - 1);
    let start = startOf(place, first), end = null;
    for (let bar = first; bar <= last; bar++) if (startOf(place, bar) !== null) { start ??= startOf(place, bar); end = endOf(place, bar); }
    return start === null || end === null ? null : [start, end];
  }
  function playBars(letters) {
    const letter = letters[0], found = span(letter);
    byId("player-note").textContent = found ? "" : `${takes[shown[letter]].name} did not play this bar.`;
    const next = letters.length > 1 ? () => playBars(letters.slice(1)) : null;
    if (found) play(letter, ...found, next); else if (next) next();
  }

  const seek = byId("seek"), lanes = byId("lanes");
  function show() {
    const sec = now(), bar = barAt(shown[current], sec), label = data.labels[bar];
    seek.max = take().duration;
    seek.value = sec;
    const said = `${clock(sec)} / ${clock(take().duration)}${label ? ` · bar ${label}` : ""}`;
    seek.setAttribute("aria-valuetext", `${current.toUpperCase()}, ${said}`);
    byId("position").textContent = said;
    byId("toggle").setAttribute("aria-label", playing ? "Pause" : "Play");
    for (const letter of ["a", "b"]) byId(`choose-${letter}`).setAttribute("aria-pressed", String(letter === current));
    if (!lanes) return;
    const cursor = lanes.querySelector(".cursor"), width = lanes.querySelector("svg").clientWidth;
    cursor.hidden = bar < 0 || (sec === 0 && !playing);
    if (bar >= 0) {
      const place = shown[current], start = startOf(place, bar);
      const share = (sec - start) / Math.max(endOf(place, bar) - start, 0.01);
      cursor.style.left = `${((bar + Math.min(Math.max(share, 0), 1)) / data.bars.length) * width}px`;
      if (playing) byId("bar").value = bar;
    }
  }

  byId("toggle").addEventListener("click", () => (playing ? pause() : play(current, position >= take().duration - 0.05 ? 0 : position)));
  for (const letter of ["a", "b"]) byId(`choose-${letter}`).addEventListener("click", () => change(letter));
  seek.addEventListener("input", () => {
    const to = Number(seek.value);
    if (playing) play(current, to); else { position = to; show(); }
  });
  for (const button of all("button[data-play]")) button.addEventListener("click", () => playBars([...button.dataset.play]));
  for (const button of all("button[data-start]")) {
    button.addEventListener("click", () => {
      const letter = Number(button.dataset.take) === shown.b ? "b" : "a";
      play(letter, Number(button.dataset.start), Number(button.dataset.end));
    });
  }
  lanes?.addEventListener("click", (event) => {
    const box = lanes.querySelector("svg").getBoundingClientRect();
    const bar = Math.floor(((event.clientX - box.left) / box.width) * data.bars.length);
    byId("bar").value = Math.min(Math.max(bar, 0), data.bars.length - 1);
    playBars([current]);
  });
  addEventListener("keydown", (event) => {
    const own = event.target.closest("input, select, textarea, button, a, summary");
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const key = event.key.toLowerCase();
    if (key === "a" || key === "b") { if (!event.target.closest("select, textarea")) change(key); return; }
    if (own) return;
    if (key === " ") { event.preventDefault(); byId("toggle").click(); }
    if ((key === "arrowleft" || key === "arrowright") && data.bars.length) {
      event.preventDefault();
      const step = key === "arrowleft" ? -1 : 1;
      byId("bar").value = Math.min(Math.max(Number(byId("bar").value) + step, 0), data.bars.length - 1);
      playBars([current]);
    }
  });
  show();
})();
