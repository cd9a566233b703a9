// A new take: files are dropped, chosen or recorded, sent at once, and assessed when all are there.
import { ask, clock, Problem, sendFile, showProblem } from "./api.js";
import { canRecord, inWords, Recorder } from "./recorder.js";

const form = document.getElementById("new-take");
const byId = (id) => document.getElementById(id);
const [list, box, submit, score, note] = ["files", "problem", "assess", "score", "score-note"].map(byId);
const mostBytes = JSON.parse(form.dataset.settings).most_bytes;
const noteBefore = note.textContent;
const WORDS = { audio: "recording", midi: "performance MIDI", score: "score" };

let entries = [];
let recorder = null;

const element = (name, content, properties = {}) => {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...[content].flat());
  return made;
};

function show() {
  const kinds = entries.map((entry) => entry.received?.kind);
  const isSending = entries.some((entry) => !entry.received);
  submit.disabled = isSending || recorder !== null || !kinds.some((kind) => kind === "audio" || kind === "midi");
  const sent = entries.find((entry) => entry.received?.kind === "score");
  score.disabled = Boolean(sent);
  note.textContent = sent ? `The score is ${sent.received.name}.` : noteBefore;
}

function add(file, preview = null) {
  box.hidden = true;
  if (file.size > mostBytes) {
    showProblem(box, new Problem({
      subject: file.name,
      problem: `has ${(file.size / 1e6).toFixed(1)} MB`,
      allowed: `at most ${mostBytes / 1e6} MB`,
      next_step: "send it as FLAC or MP3, or start tocco serve with a higher --upload-limit",
    }));
    return;
  }
  const entry = { file, preview, received: null };
  entries.push(entry);
  list.append((entry.item = element("li", [])));
  send(entry, "auto");
}

async function send(entry, role) {
  const { file, item } = entry;
  entry.received = null;
  const bar = element("progress", [], { max: 1, value: 0 });
  bar.setAttribute("aria-label", `Sending ${file.name}`);
  item.replaceChildren(element("span", file.name, { className: "file-name" }), bar, removeButton(entry));
  show();
  entry.sending = sendFile(file, file.name, role, (share) => (bar.value = share));
  try {
    entry.received = await entry.sending.done;
  } catch (problem) {
    if (!entries.includes(entry)) return; // removed meanwhile
    remove(entry);
    showProblem(box, problem);
    return;
  }
  showReceived(entry, role);
  show();
}

function showReceived(entry, role) {
  const { kind, name } = entry.received;
  const parts = [
    element("span", name, { className: "file-name" }),
    element("span", WORDS[kind], { className: "fine inline" }),
  ];
  if (entry.preview) {
    const sound = element("audio", [], { controls: true, src: entry.preview });
    sound.setAttribute("aria-label", `Listen to ${name}`);
    parts.push(sound);
  }
  if (kind === "midi" || (kind === "score" && role === "score")) {
    const label = kind === "midi" ? "It is the score" : "It is the performance";
    const button = element("button", label, { type: "button", className: "quiet" });
    button.addEventListener("click", () => {
      discard(entry);
      send(entry, kind === "midi" ? "score" : "auto");
    });
    parts.push(button);
  }
  entry.item.replaceChildren(...parts, removeButton(entry));
}

function removeButton(entry) {
  const button = element("button", "Remove", { type: "button", className: "quiet" });
  button.setAttribute("aria-label", `Remove ${entry.file.name}`);
  button.addEventListener("click", () => {
    entry.sending.stop();
    remove(entry);
    byId("pick").focus();
  });
  return button;
}

function remove(entry) {
  discard(entry);
  entries = entries.filter((other) => other !== entry);
  if (entry.preview) URL.revokeObjectURL(entry.preview);
  entry.item.remove();
  show();
}

function discard(entry) {
  if (entry.received) ask("DELETE", `/api/uploads/${entry.received.id}`).catch(() => {}); // deleted after a day anyway
}

// Dropping and choosing.
const drop = byId("drop");
for (const name of ["dragenter", "dragover"]) {
  addEventListener(name, (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
}
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) drop.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault();
  drop.classList.remove("over");
  for (const file of event.dataTransfer.files) add(file);
});
byId("pick").addEventListener("click", () => byId("choose").click());
byId("choose").addEventListener("change", ({ target }) => {
  for (const file of target.files) add(file);
  target.value = "";
});

// Recording.
const [record, panel, state, time, level, levelWords] =
  ["record", "recorder", "recorder-state", "recorder-clock", "level", "level-words"].map(byId);
let loudest = 0;

function onLevel(peak) {
  level.value = peak;
  loudest = Math.max(loudest, peak);
  time.textContent = clock(recorder?.seconds ?? 0);
  const said = loudest >= 0.99
    ? "It was too loud for the microphone: turn its level down, or move it away."
    : loudest < 0.05
      ? "Very soft so far."
      : "The level is good.";
  if (levelWords.textContent !== said) levelWords.textContent = said;
}

if (!canRecord()) {
  record.disabled = true;
  record.title = "The browser records on localhost and over https only";
}
record.addEventListener("click", async () => {
  box.hidden = true;
  record.disabled = true;
  try {
    recorder = await Recorder.start(onLevel);
  } catch (error) {
    record.disabled = false;
    showProblem(box, new Problem({ allowed: null, ...inWords(error) }));
    return;
  }
  loudest = 0;
  panel.hidden = false;
  state.textContent = "Recording";
  byId("stop").focus();
  show();
});

function endRecording() {
  recorder = null;
  panel.hidden = true;
  state.textContent = "";
  record.disabled = false;
}
byId("stop").addEventListener("click", async () => {
  const file = await recorder.stop();
  endRecording();
  add(file, URL.createObjectURL(file));
  record.focus();
});
byId("discard").addEventListener("click", () => {
  recorder.release();
  endRecording();
  show();
  record.focus();
});
addEventListener("beforeunload", (event) => {
  if (recorder) event.preventDefault(); // the browser asks
});

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  box.hidden = true;
  submit.disabled = true;
  const { title, piece, "played-on": playedOn } = form.elements;
  const chosen = score.disabled ? "" : score.value;
  try {
    const take = await ask("POST", "/api/takes", {
      uploads: entries.map((entry) => entry.received.id),
      title: title.value,
      piece: piece.value,
      played_on: playedOn.value || null,
      score_id: chosen && chosen !== "seek" ? chosen : null,
      seek_score: chosen === "seek",
    });
    location.assign(`/takes/${take.id}`);
  } catch (problem) {
    showProblem(box, problem);
    show();
  }
});
show();
