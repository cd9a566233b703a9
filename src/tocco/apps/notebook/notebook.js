// The rating page in a notebook: its transport is the kernel, by messages of the widget.
import { rateItems } from "./items.js";
import { newId } from "./elements.js";
import { Refused } from "./outbox.js";
import { ratePairs } from "./pairs.js";

const ANSWER_WITHIN_MS = 30000;

function transportOf(model) {
  const waiting = new Map();
  model.on("msg:custom", (message, buffers) => {
    waiting.get(message.id)?.(message, buffers);
    waiting.delete(message.id);
  });
  const ask = (what, ...args) => new Promise((resolve, reject) => {
    const id = newId();
    const late = setTimeout(() => {
      waiting.delete(id);
      reject(new Error("the kernel does not answer."));
    }, ANSWER_WITHIN_MS);
    waiting.set(id, (message, buffers) => {
      clearTimeout(late);
      if (message.refused) reject(new Refused(message.refused));
      else if (message.trouble) reject(new Error(message.trouble));
      else resolve(buffers?.length ? buffers[0] : message.answer);
    });
    model.send({ id, ask: what, args });
  });
  const sounds = new Map();
  const sound = async (...args) => {
    const name = args.join();
    if (!sounds.has(name)) sounds.set(name, URL.createObjectURL(new Blob([await ask(...args)], { type: "audio/flac" })));
    return sounds.get(name);
  };
  return {
    session: () => ask("session"),
    item: (i) => ask("item", i),
    score: (i) => ask("score", i),
    feedback: (i) => ask("feedback", i),
    pair: (n) => ask("pair", n),
    sound: (i) => sound("sound", i),
    soundOfPair: (n, side) => sound("sound_of_pair", n, side),
    save: (event) => ask("save", event),
    leaving(events) { for (const event of events) model.send({ id: newId(), ask: "save", args: [event] }); },
  };
}

export async function render({ model, el }) {
  // JupyterLab has keys of its own, which delete cells: none of them while this has the focus.
  el.dataset.lmSuppressShortcuts = "true";
  el.classList.add("tocco-rating");
  const root = document.createElement("div");
  el.append(root);
  const start = model.get("mode") === "pairs" ? ratePairs : rateItems;
  let page = null;
  try {
    page = await start(root, transportOf(model), { keys: root });
  } catch (error) {
    root.textContent = error.message;
  }
  return () => page?.end();
}
