"use strict";
// Plays the recording, or plain tones (tones.js) where there is none; moves the cursors; answers clicks and keys.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const byId = (id) => document.getElementById(id);
  const seek = byId("seek");
  const select = byId("dimension");

  if (select) {
    select.addEventListener("change", () => {
      for (const curve of document.querySelectorAll(".curve[data-dimension]")) {
        curve.classList.toggle("off", curve.dataset.dimension !== select.value);
      }
    });
  }
  let opened = [];
  addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details:not([open])")];
    for (const one of opened) one.open = true;
  });
  addEventListener("afterprint", () => {
    for (const one of opened) one.open = false;
  });
  if (!seek) return;

  const notes = notesFrom(data.notes);

  // The written notes at a steady tempo, and the way between their time and that of the performance.
  const performed = (data.written?.performed ?? []).map((ms) => ms / 1000);
  const steady = (data.written?.steady ?? []).map((ms) => ms / 1000);
  const written = notesFrom(data.written?.notes ?? []);
  function along(from, to, sec) {
    let k = 0;
    while (k < from.length - 2 && from[k + 1] <= sec) k++;
    const share = (sec - from[k]) / Math.max(from[k + 1] - from[k], 0.001);
    return to[k] + Math.min(Math.max(share, 0), 1) * (to[k + 1] - to[k]);
  }

  const duration = Number(seek.max);
  const sound = byId("sound");
  const say = (text) => { byId("player-note").textContent = text; };
  const clock = (sec) => {
    const whole = Math.floor(sec);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  };

  const tones = plainTones();

  // One position and one sound at a time.
  let position = 0, stopAt = Infinity, playing = false, byTones = !sound, asWritten = false;
  if (sound) {
    sound.addEventListener("error", () => {
      byTones = notes.length > 0;
      say(`This browser cannot play the recording (${sound.dataset.type}).${byTones ? " Plain tones play the notes." : ""}`);
    });
    sound.addEventListener("ended", () => pause());
  }
  function now() {
    if (!playing) return position;
    if (!byTones) return sound.currentTime;
    return asWritten ? along(steady, performed, tones.time()) : tones.time();
  }

  function pause() {
    position = Math.min(now(), duration);
    playing = false;
    if (sound) sound.pause();
    tones.stop();
    show();
  }
  async function play(from, until = Infinity, ofScore = false) {
    pause();
    position = Math.min(Math.max(from, 0), duration);
    stopAt = until;
    asWritten = ofScore;
    if (asWritten || !sound || sound.error !== null) {
      byTones = true;
      playing = true;
      if (asWritten) stopAt = Math.min(until, performed.at(-1));
      if (asWritten) tones.play(along(performed, steady, position), written); else tones.play(position, notes);
      show();
    } else {
      byTones = false;
      sound.currentTime = position;
      sound.playbackRate = tones.rate;
      playing = true;
      show();
      try { await sound.play(); } catch (error) {
        if (error.name === "AbortError") return;
        playing = false;
        say(`The browser did not play: ${error.message}`);
        show();
      }
    }
    requestAnimationFrame(follow);
  }
  function follow() {
    if (!playing) return;
    if (now() >= Math.min(stopAt, duration)) { pause(); return; }
    show();
    requestAnimationFrame(follow);
  }

  byId("speed").addEventListener("change", (event) => {
    const wasPlaying = playing, from = now(), until = stopAt;
    pause();
    tones.rate = Number(event.target.value);
    if (wasPlaying) play(from, until, asWritten);
  });

  // Whoever scrolls, by whatever means, is not pulled back at once.
  const LEFT_ALONE_MS = 4000;
  let scrolledAt = -LEFT_ALONE_MS, followedTo = 0;
  const timeline = byId("timeline"), lanes = byId("lanes"), overview = byId("overview-box");
  const scale = Number(timeline.dataset.scale);
  timeline.addEventListener("scroll", () => {
    if (Math.abs(timeline.scrollLeft - followedTo) > 1) scrolledAt = performance.now();
    followedTo = timeline.scrollLeft;
  }, { passive: true });
  const [overviewCursor, lanesCursor] = [overview, lanes].map((box) => box.querySelector(".cursor"));
  const gutter = timeline.querySelector(".gutter");
  function barAt(sec) {
    let found = "";
    for (const [name, start] of data.bars) { if (start > sec + 0.001) break; found = name; }
    return found;
  }
  function show() {
    const sec = now(), bar = barAt(sec);
    seek.value = sec;
    seek.setAttribute("aria-valuetext", bar ? `${clock(sec)}, bar ${bar}` : clock(sec));
    byId("position").textContent = `${clock(sec)} / ${clock(duration)}${bar ? ` · bar ${bar}` : ""}`;
    const toggle = byId("toggle");
    toggle.setAttribute("aria-label", playing ? "Pause" : "Play");
    overviewCursor.hidden = lanesCursor.hidden = sec === 0 && !playing;
    overviewCursor.style.left = `${(100 * sec) / duration}%`;
    lanesCursor.style.left = `${sec * scale}px`;
    document.dispatchEvent(new CustomEvent("tocco-position", { detail: { sec, playing } }));
    if (playing && performance.now() - scrolledAt > LEFT_ALONE_MS) {
      const room = timeline.clientWidth - gutter.offsetWidth, x = sec * scale - timeline.scrollLeft;
      if (x < 0 || x > 0.85 * room) {
        timeline.scrollLeft = sec * scale - 0.15 * room;
        followedTo = timeline.scrollLeft;
      }
    }
  }

  document.addEventListener("tocco-play", (event) => play(event.detail.from));
  document.addEventListener("tocco-seek", (event) => { pause(); position = event.detail.to; show(); });
  const AT_END_SEC = 0.15;  // more than a step of the slider, whose last one may lie before the end
  byId("toggle").addEventListener("click", () => (playing ? pause() : play(position >= duration - AT_END_SEC ? 0 : position)));
  seek.addEventListener("input", () => {
    const to = Number(seek.value);
    if (playing) play(to); else { position = to; show(); }
  });
  // The step of the slider is fine enough for a mouse, and too fine for keys.
  const KEY_STEPS_SEC = { ArrowRight: 2, ArrowUp: 2, ArrowLeft: -2, ArrowDown: -2 };
  seek.addEventListener("keydown", (event) => {
    if (!(event.key in KEY_STEPS_SEC) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    seek.value = now() + KEY_STEPS_SEC[event.key];
    seek.dispatchEvent(new Event("input"));
  });
  for (const button of document.querySelectorAll("button[data-start]")) {
    button.addEventListener("click", () => {
      scrolledAt = -LEFT_ALONE_MS;
      play(Number(button.dataset.start), Number(button.dataset.end), "written" in button.dataset);
    });
  }
  overview.addEventListener("click", (event) => {
    const box = overview.getBoundingClientRect();
    play((duration * (event.clientX - box.left)) / box.width);
  });
  lanes.addEventListener("click", (event) => {
    const sec = (event.clientX - lanes.getBoundingClientRect().left) / scale;
    const roll = event.target.closest("svg.roll");
    const note = roll ? noteAt(roll, event, sec) : null;
    if (note) play(Math.max(note.start - 0.03, 0), Math.max(note.end, note.start + 0.6)); else play(sec);
  });
  document.querySelector(".heatmap")?.addEventListener("click", (event) => {
    const box = event.currentTarget.getBoundingClientRect(), n = data.columns.length - 1;
    const column = Math.min(Math.floor((n * (event.clientX - box.left)) / box.width), n - 1);
    scrolledAt = -LEFT_ALONE_MS;
    play(data.columns[column] / 1000, data.columns[column + 1] / 1000);
  });
  const SLACK_SEC = 3 / scale;
  function noteAt(roll, event, sec) {
    const box = roll.getBoundingClientRect();
    const high = Number(roll.dataset.high), low = Number(roll.dataset.low);
    const pitch = high - Math.floor(((event.clientY - box.top) / box.height) * (high - low + 1));
    return notes.find((one) => one.pitch === pitch && sec >= one.start - SLACK_SEC && sec <= one.end + SLACK_SEC);
  }
  addEventListener("keydown", (event) => {
    const own = event.target.closest("button, select, summary, a, input:not([type=range])");
    if (event.key !== " " || own || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    byId("toggle").click();
  });
  show();
})();
