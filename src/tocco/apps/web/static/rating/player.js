// Plays one take: speed without change of pitch, a loop, and what has been heard.
export const SPEEDS = [0.5, 0.6, 0.75, 0.9, 1, 1.25, 1.5];

const SHORTEST_LOOP_SEC = 0.3;
const LONGEST_STEP_SEC = 1.5;  // between two looks at the clock; a longer one is a jump

export class Player {
  // `on` has tick(sec), span(from, to), changed(), trouble(message).
  constructor(on) {
    this.on = on;
    this.duration = 0;
    this.from = null;  // where the span that is being heard began
    this.last = 0;
    this.loop = { a: null, b: null };
    this.speed = 1;
    const audio = this.audio = new Audio();
    audio.preload = "auto";
    audio.preservesPitch = true;
    audio.addEventListener("timeupdate", () => this.look());
    audio.addEventListener("playing", () => { this.last = this.from = audio.currentTime; this.follow(); });
    audio.addEventListener("pause", () => { this.look(); this.close(); on.changed(); });
    audio.addEventListener("play", () => on.changed());
    audio.addEventListener("seeking", () => this.close());
    audio.addEventListener("seeked", () => { this.last = this.from = audio.currentTime; on.tick(this.now); });
    audio.addEventListener("ended", () => this.ended());
    audio.addEventListener("error", () => {
      if (audio.getAttribute("src")) on.trouble("The sound cannot be loaded.");
    });
  }

  get isPlaying() { return !this.audio.paused; }
  get now() { return Math.min(this.audio.currentTime || this.start || 0, this.duration); }

  load(url, durationSec, atSec) {
    this.audio.pause();
    this.close();
    this.duration = durationSec;
    this.loop = { a: null, b: null };
    this.start = atSec < durationSec - 0.3 ? atSec : 0;
    this.audio.src = url;
    this.audio.addEventListener("loadedmetadata", () => {
      if (this.start > 0) this.audio.currentTime = this.start;
      this.audio.playbackRate = this.speed;
    }, { once: true });
    this.on.changed();
    this.on.tick(this.start);
  }

  // Pause, with everything that was heard given at once: what is heard from here on is of another take.
  finish() {
    this.look();
    this.audio.pause();
    this.close();
  }

  async play() {
    this.audio.playbackRate = this.speed;
    if (this.now >= this.duration - 0.05) this.audio.currentTime = this.loop.a ?? 0;
    try {
      await this.audio.play();
    } catch (error) {
      if (error.name !== "AbortError") this.on.trouble(`The browser did not play: ${error.message}`);
    }
  }
  pause() { this.audio.pause(); }
  toggle() { if (this.isPlaying) this.pause(); else this.play(); }

  seek(sec) {
    const to = Math.min(Math.max(sec, 0), this.duration);
    this.look();
    this.start = to;
    this.audio.currentTime = to;
    this.on.tick(to);
  }

  changeSpeed(steps) {
    const at = SPEEDS.indexOf(this.speed) + steps;
    this.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
    this.audio.playbackRate = this.speed;
    this.on.changed();
  }

  setLoop(a, b) {
    this.loop = { a, b };
    if (a !== null && b !== null) {
      const [low, high] = a < b ? [a, b] : [b, a];
      this.loop = high - low < SHORTEST_LOOP_SEC ? { a: low, b: null } : { a: low, b: high };
    }
    this.on.changed();
  }
  get isLooping() { return this.loop.a !== null && this.loop.b !== null; }

  follow() {
    if (!this.isPlaying) return;
    this.look();
    requestAnimationFrame(() => this.follow());
  }

  look() {
    const sec = this.audio.currentTime;
    if (this.from !== null) {
      if (sec < this.last || sec - this.last > LONGEST_STEP_SEC * Math.max(this.speed, 1)) this.close();
      if (this.from === null && this.isPlaying && !this.audio.seeking) this.from = sec;
      this.last = sec;
    }
    if (this.isPlaying && this.isLooping && (sec >= this.loop.b || sec < this.loop.a - 0.05)) {
      this.close();
      this.audio.currentTime = this.loop.a;
    }
    this.on.tick(this.now);
  }

  // The span that was heard without a jump ends here; a page that listens gets it in one piece.
  close() {
    if (this.from !== null && this.last > this.from) this.on.span(this.from, Math.min(this.last, this.duration));
    this.from = null;
  }
  // What has been heard until now, while it goes on.
  cut() {
    if (this.from === null) return;
    const sec = this.last;
    this.close();
    this.from = sec;
  }

  ended() {
    if (this.from !== null) this.last = this.duration;
    this.close();
    if (this.isLooping || this.loop.a !== null) {
      this.audio.currentTime = this.loop.a;
      this.play();
      return;
    }
    this.on.changed();
    this.on.tick(this.duration);
  }
}
