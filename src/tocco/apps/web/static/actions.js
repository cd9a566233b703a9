// What buttons of any page do: post, delete, rename, open and close dialogs; and what the page before said.
import { ask, showProblem } from "./api.js";

const SAID = "tocco-said";

const said = document.getElementById("said");
const before = sessionStorage.getItem(SAID);
if (said && before) {
  said.textContent = before;
  said.hidden = false;
  sessionStorage.removeItem(SAID);
}

function problemBox(element) {
  return element.closest("dialog, section, form")?.querySelector(".problem[role=alert]") ?? said;
}

async function run(button, work) {
  button.disabled = true;
  try {
    await work();
  } catch (problem) {
    showProblem(problemBox(button), problem);
    button.disabled = false;
  }
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (!button) return;
  const { open, post, delete: address, then } = button.dataset;
  if (open) document.getElementById(open).showModal();
  if ("close" in button.dataset) button.closest("dialog").close();
  if (post) {
    run(button, async () => {
      await ask("POST", post);
      location.reload();
    });
  }
  if (address) {
    run(button, async () => {
      const answer = await ask("DELETE", address);
      sessionStorage.setItem(SAID, answer.sentence);
      location.assign(then);
    });
  }
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  if (!form.dataset.patch) return;
  event.preventDefault();
  run(event.submitter ?? form.querySelector("[type=submit]"), async () => {
    await ask("PATCH", form.dataset.patch, Object.fromEntries(new FormData(form)));
    location.reload();
  });
});
