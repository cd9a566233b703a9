// Chosen takes: how many, and what can be done with them.
import { ask, showProblem } from "./api.js";

const form = document.getElementById("chosen");
if (form) {
  const compare = document.getElementById("compare");
  const rank = document.getElementById("rank");
  const count = document.getElementById("count");
  const box = document.getElementById("problem");
  const chosen = () =>
    [...form.querySelectorAll("input[name=take]:checked")]
      .sort((a, b) => a.dataset.order.localeCompare(b.dataset.order))
      .map((one) => one.value);

  function show() {
    const n = chosen().length;
    compare.closest(".choice").classList.toggle("active", n > 0); // stays in sight while takes are chosen
    compare.disabled = n < 2 || n > Number(form.dataset.mostCompared);
    rank.disabled = n < 2 || n > Number(form.dataset.mostRanked);
    count.textContent = n === 0 ? "Choose two takes or more." : `${n} ${n === 1 ? "take" : "takes"} chosen.`;
  }

  async function make(kind, by) {
    try {
      const result = await ask("POST", "/api/results", { kind, by, takes: chosen() });
      location.assign(`/results/${result.id}`);
    } catch (problem) {
      showProblem(box, problem);
    }
  }

  form.addEventListener("change", show);
  form.addEventListener("submit", (event) => event.preventDefault());
  compare.addEventListener("click", () => make("compare", "aggregate"));
  rank.addEventListener("click", () => make("rank", document.getElementById("by").value));
  show();
}
