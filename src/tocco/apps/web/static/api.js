// Asking the server, and showing its errors: the sentence and the next step.

export class Problem extends Error {
  constructor(parts) {
    super(parts.error);
    this.parts = parts;
  }
}

const SILENT = {
  error: "The server does not answer.",
  subject: "tocco serve",
  problem: "does not answer",
  allowed: null,
  next_step: "check that it still runs on its machine, then try again",
};

export async function ask(method, address, body = undefined) {
  let answer;
  try {
    answer = await fetch(address, {
      method,
      headers: body === undefined ? {} : { "content-type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
  } catch {
    throw new Problem(SILENT);
  }
  return contentOf(answer.status, answer.status === 204 ? "" : await answer.text());
}

// A file as the body of a request; `onShare` is called with the share that is sent.
export function sendFile(file, name, role, onShare) {
  const request = new XMLHttpRequest();
  const done = new Promise((resolve, reject) => {
    request.upload.addEventListener("progress", (event) => {
      if (event.lengthComputable) onShare(event.loaded / event.total);
    });
    request.addEventListener("error", () => reject(new Problem(SILENT)));
    request.addEventListener("abort", () => reject(new Problem({ ...SILENT, error: "Stopped." })));
    request.addEventListener("load", () => {
      try {
        resolve(contentOf(request.status, request.responseText));
      } catch (problem) {
        reject(problem);
      }
    });
    request.open("PUT", `/api/uploads?${new URLSearchParams({ name, role })}`);
    request.setRequestHeader("content-type", "application/octet-stream");
    request.send(file);
  });
  return { done, stop: () => request.abort() };
}

function contentOf(status, text) {
  if (status === 204) return null;
  let content;
  try {
    content = JSON.parse(text);
  } catch {
    content = { ...SILENT, error: `The server answered ${status}.` };
  }
  if (status >= 400) throw new Problem(content);
  return content;
}

export function showProblem(box, problem) {
  if (!(problem instanceof Problem)) throw problem;
  const { subject, problem: what, allowed, next_step: next } = problem.parts;
  const first = document.createElement("p");
  first.textContent = `${subject}: ${what}${allowed ? ` (allowed: ${allowed})` : ""}.`;
  box.replaceChildren(first);
  if (next) {
    const second = document.createElement("p");
    const strong = document.createElement("strong");
    strong.textContent = "Next: ";
    second.append(strong, `${next}.`);
    box.append(second);
  }
  box.hidden = false;
}

export function clock(seconds) {
  const whole = Math.floor(seconds);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}
