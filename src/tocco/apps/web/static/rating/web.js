// The rating page of the web application: its transport is the server.
import { rateItems } from "./items.js";
import { Refused } from "./outbox.js";
import { ratePairs } from "./pairs.js";

const ANSWER_WITHIN_MS = 20000;
const ONLY_LATER = [401, 408, 425, 429, 501, 502, 503, 504, 507, 500];  // sent again: it may be accepted then

async function ask(path, given) {
  const how = given === undefined ? {} : { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(given) };
  let answer;
  try {
    answer = await fetch(`/api/rate/${path}`, { ...how, signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
  } catch {
    throw new Error("the server does not answer.");
  }
  if (answer.ok) return answer.json();
  const { problem, subject, next_step: next } = await answer.json().catch(() => ({ subject: "the server", problem: `answers ${answer.status}` }));
  const message = `${subject} ${problem}${next ? `: ${next}` : ""}.`;
  throw ONLY_LATER.includes(answer.status) ? new Error(message) : new Refused(message);
}

export const transport = {
  session: () => ask("session"),
  item: (i) => ask(`items/${i}`),
  score: (i) => ask(`items/${i}/score`),
  feedback: (i) => ask(`items/${i}/feedback`),
  pair: (n) => ask(`pairs/${n}`),
  sound: (i) => `/api/rate/items/${i}/sound`,
  soundOfPair: (n, side) => `/api/rate/pairs/${n}/${side}/sound`,
  save: (event) => ask("events", event),
  leaving(events) {
    for (const event of events.slice(-20)) {
      fetch("/api/rate/events", { method: "POST", keepalive: true, headers: { "content-type": "application/json" }, body: JSON.stringify(event) }).catch(() => {});
    }
  },
};

const root = document.getElementById("rating");
const links = [["/rate/guide", "Guide and examples"]];
try {
  if (root.dataset.mode === "pairs") await ratePairs(root, transport, { links: [["/rate", "Rate takes"], ...links] });
  else await rateItems(root, transport, { links: [...links, ["/rate/pairs", "Which is better?"]] });
} catch (error) {
  const said = document.createElement("p");
  said.className = "problem";
  said.setAttribute("role", "alert");
  said.textContent = error.message;
  root.replaceChildren(said);
}
