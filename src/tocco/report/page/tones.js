"use strict";
// Plain tones: a few decaying partials a note, scheduled a little ahead. Notes are {start, end, pitch, velocity}, in seconds.
function notesFrom(numbers) {
  const NUMBERS_A_NOTE = 4, notes = [];
  for (let k = 0; k < numbers.length; k += NUMBERS_A_NOTE) {
    const [onset, lasts, pitch, velocity] = numbers.slice(k, k + NUMBERS_A_NOTE);
    notes.push({ start: onset / 1000, end: (onset + lasts) / 1000, pitch, velocity });
  }
  return notes.sort((one, other) => one.start - other.start);
}

function plainTones() {
  return {
    context: null, timer: 0, from: 0, started: 0, next: 0, rate: 1, list: [], voices: new Set(),
    strike(note, at, lasts) {
      const peak = 0.22 * (note.velocity / 127) ** 1.5;
      const frequency = 440 * 2 ** ((note.pitch - 69) / 12);
      const gain = this.context.createGain();
      gain.connect(this.context.destination);
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(peak, at + 0.006);
      gain.gain.setTargetAtTime(peak * 0.15, at + 0.01, 0.6);
      gain.gain.setTargetAtTime(0, at + lasts, 0.08);
      [1, 0.4, 0.18].forEach((level, k) => {
        const voice = this.context.createOscillator();
        const part = this.context.createGain();
        part.gain.value = level;
        voice.frequency.value = frequency * (k + 1);
        voice.connect(part).connect(gain);
        voice.start(at);
        voice.stop(at + lasts + 0.5);
        this.voices.add(voice);
        voice.onended = () => this.voices.delete(voice);
      });
    },
    play(from, list) {
      this.context ??= new AudioContext();
      this.context.resume();
      this.stop();
      this.list = list;
      this.from = from;
      this.started = this.context.currentTime + 0.05;
      this.next = list.findIndex((note) => note.start >= from - 0.01);
      if (this.next < 0) this.next = list.length;
      const ahead = () => {
        const until = this.time() + 0.4 * this.rate;
        while (this.next < this.list.length && this.list[this.next].start < until) {
          const note = this.list[this.next++];
          const at = this.started + Math.max(note.start - this.from, 0) / this.rate;
          this.strike(note, at, Math.max(Math.min((note.end - note.start) / this.rate, 4), 0.08));
        }
      };
      ahead();
      this.timer = setInterval(ahead, 100);
    },
    stop() {
      clearInterval(this.timer);
      this.timer = 0;
      for (const voice of this.voices) voice.stop();
      this.voices.clear();
    },
    time() { return this.from + Math.max(this.context.currentTime - this.started, 0) * this.rate; },
  };
}
