// Small pieces of a document.
export function make(name, attributes = {}, ...content) {
  const one = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === false) continue;
    if (key.startsWith("on")) one.addEventListener(key.slice(2), value);
    else if (key === "class") one.className = value;
    else if (value === true) one.setAttribute(key, "");
    else one.setAttribute(key, value);
  }
  one.append(...content);
  return one;
}

export function clock(sec) {
  const whole = Math.floor(sec);
  return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
}

export const percent = (share) => `${Math.floor(100 * share + 1e-6)} %`;

// What a browser keeps, where it lets us: in a private window it may refuse.
export const store = {
  works: true,
  get(key) {
    try { return localStorage.getItem(key); } catch { this.works = false; return null; }
  },
  set(key, value) {
    try { localStorage.setItem(key, value); } catch { this.works = false; }
  },
  remove(key) {
    try { localStorage.removeItem(key); } catch { this.works = false; }
  },
  keys(start) {
    try { return Object.keys(localStorage).filter((key) => key.startsWith(start)).sort(); } catch { return []; }
  },
};

let counted = 0;
// Unlike crypto.randomUUID, this exists on pages without https as well.
export function newId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return [...bytes].map((one) => one.toString(16).padStart(2, "0")).join("");
}
export const inTurn = () => `${String(Date.now()).padStart(15, "0")}${String(counted++ % 100000).padStart(5, "0")}`;
