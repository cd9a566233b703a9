// Events on their way to the server: kept by the browser until they are acknowledged, and sent in order.
import { inTurn, newId, store } from "./elements.js";

// Thrown by `save` for an event that will never be accepted; whatever else it throws is tried again.
export class Refused extends Error {}

const LONGEST_WAIT_MS = 8000;

export class Outbox {
  // `key` names the rater; `save` sends one event; `on` has saved(event, answer), refused(event, message), changed().
  constructor(key, save, on) {
    this.prefix = `tocco-rate/${key}/event/`;
    this.save = save;
    this.on = on;
    this.trouble = "";
    this.isSending = false;
    this.failures = 0;
    this.wake = () => {};
    // Left behind by an earlier visit. Another tab may send them too: each is saved once, by its id.
    this.queue = store.keys(this.prefix).map((name) => ({ name, event: JSON.parse(store.get(name) ?? "null") }))
      .filter((one) => one.event);
    addEventListener("online", () => this.retry());
    this.run();
  }

  get waiting() { return this.queue.map((one) => one.event); }

  // For a page that is about to go. An order cannot be held then, so only the first goes; the others are kept by
  // the browser. Where it keeps nothing, all of them go.
  forLeaving() { return this.waiting.slice(0, store.works ? 1 : undefined); }

  add(event) {
    const full = { ...event, given: { event_id: newId(), client_time_sec: Date.now() / 1000, ...event.given } };
    const name = `${this.prefix}${inTurn()}-${full.given.event_id}`;
    store.set(name, JSON.stringify(full));
    this.queue.push({ name, event: full });
    this.on.changed();
    if (this.isSending) this.retry(); else this.run();
    return full.given.event_id;
  }

  retry() {
    this.failures = 0;
    this.wake();
  }

  async run() {
    if (this.isSending) return;
    this.isSending = true;
    while (this.queue.length) {
      const head = this.queue[0];
      try {
        const answer = await this.save(head.event);
        this.leave(head);
        this.on.saved(head.event, answer);
      } catch (error) {
        if (error instanceof Refused) {
          this.leave(head);
          this.on.refused(head.event, error.message);
        } else {
          this.trouble = error.message;
          this.on.changed();
          const waitMs = Math.min(500 * 2 ** this.failures++, LONGEST_WAIT_MS);
          await new Promise((resolve) => { this.wake = resolve; setTimeout(resolve, waitMs); });
        }
      }
    }
    this.isSending = false;
    this.on.changed();
  }

  leave(head) {
    store.remove(head.name);
    this.queue.shift();
    this.trouble = "";
    this.failures = 0;
    this.on.changed();
  }
}

// What was heard of each item, and where its playback stands: spans add up, so an order is not needed.
export class HeardLog {
  constructor(key, save, saved) {
    this.prefix = `tocco-rate/${key}/heard/`;
    this.save = save;
    this.saved = saved;
    this.unsent = new Map();
    for (const name of store.keys(this.prefix)) {
      const kept = JSON.parse(store.get(name) ?? "null");
      if (kept) this.unsent.set(Number(name.slice(this.prefix.length)), kept);
    }
  }

  // Second of an item that was reached and not sent yet; null where the server knows better.
  secondOf(position) { return this.unsent.get(position)?.sec ?? null; }

  note(position, span, sec) {
    const kept = this.unsent.get(position) ?? { spans: [], sec };
    const last = kept.spans.at(-1);
    if (span && last && span[0] >= last[0] && span[0] <= last[1] + 0.05) last[1] = Math.max(last[1], span[1]);
    else if (span) kept.spans.push([...span]);
    kept.sec = sec;
    this.unsent.set(position, kept);
    store.set(this.prefix + position, JSON.stringify(kept));
  }

  async send() {
    for (const [position, kept] of [...this.unsent]) {
      this.unsent.delete(position);
      try {
        const answer = await this.save(this.message(position, kept));
        if (!this.unsent.has(position)) store.remove(this.prefix + position);
        this.saved(position, answer);
      } catch (error) {
        if (error instanceof Refused) { store.remove(this.prefix + position); continue; }
        const newer = this.unsent.get(position);
        const spans = [...kept.spans, ...(newer?.spans ?? [])];
        this.unsent.set(position, { spans, sec: newer?.sec ?? kept.sec });
        store.set(this.prefix + position, JSON.stringify(this.unsent.get(position)));
        return;
      }
    }
  }

  // Everything at once, for a page that is about to go; what does not arrive is sent at the next visit.
  messages() { return [...this.unsent].map(([position, kept]) => this.message(position, kept)); }

  message(position, kept) {
    const given = { position_sec: Math.max(kept.sec, 0), heard: kept.spans, client_time_sec: Date.now() / 1000 };
    return { kind: "listening", position, given };
  }
}
