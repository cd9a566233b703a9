// Follows a job until it is over, then shows the page anew.
import { ask, clock, Problem, showProblem } from "./api.js";

const EVERY_MS = 700;
const section = document.querySelector("[data-job]");
const name = document.getElementById("stage-name");
const bar = document.getElementById("bar");
const amount = document.getElementById("amount");
const box = document.getElementById("problem");

function inWords({ stage, done, total }) {
  if (!(total > 0)) return "";
  if (stage === "transcribing") return `${clock(done)} of ${clock(total)}`;
  return stage === "rating" ? `${Math.round(done)} of ${Math.round(total)} windows` : `${Math.round(done)} of ${Math.round(total)}`;
}

function show(progress) {
  const isRunning = progress.state === "running";
  const said = isRunning
    ? progress.stage_name
    : progress.n_before
      ? `${progress.n_before} before this one`
      : "It begins in a moment";
  if (name.textContent !== said) name.textContent = said; // read out only where it changes
  document.getElementById("progress-heading").textContent = isRunning ? "In progress" : "Waiting";
  let isPast = isRunning;
  for (const item of section.querySelectorAll("[data-stage]")) {
    const isCurrent = isRunning && item.dataset.stage === progress.stage;
    if (isCurrent) {
      item.setAttribute("aria-current", "step");
      isPast = false;
    } else item.removeAttribute("aria-current");
    item.classList.toggle("past", isPast);
  }
  if (isRunning && progress.total > 0) bar.value = Math.min(progress.done / progress.total, 1);
  else bar.removeAttribute("value");
  amount.textContent = isRunning ? inWords(progress) : "";
}

async function follow() {
  try {
    const { progress } = await ask("GET", section.dataset.job);
    box.hidden = true;
    if (progress.state !== "queued" && progress.state !== "running") {
      location.reload();
      return;
    }
    show(progress);
  } catch (problem) {
    if (!(problem instanceof Problem)) throw problem;
    showProblem(box, problem); // and ask again: the server may be back
  }
  setTimeout(follow, EVERY_MS);
}

follow();
