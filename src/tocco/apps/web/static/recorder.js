// A recording from the microphone, as it sounds: no suppression of noise or echo, no automatic level.

const KINDS = [
  ["audio/webm;codecs=opus", "webm"],
  ["audio/mp4", "m4a"],
  ["audio/ogg;codecs=opus", "ogg"],
];
const BITS_PER_SECOND = 256000;
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };

export function canRecord() {
  return Boolean(navigator.mediaDevices?.getUserMedia && window.MediaRecorder);
}

export class Recorder {
  // `onLevel` is called with the largest sample of the last moment, 0 to 1.
  static async start(onLevel) {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: SOUND });
    return new Recorder(stream, onLevel);
  }

  constructor(stream, onLevel) {
    const [type, suffix] = KINDS.find(([kind]) => MediaRecorder.isTypeSupported(kind)) ?? ["", "webm"];
    this.suffix = suffix;
    this.stream = stream;
    this.parts = [];
    this.recorder = new MediaRecorder(stream, { mimeType: type || undefined, audioBitsPerSecond: BITS_PER_SECOND });
    this.recorder.addEventListener("dataavailable", ({ data }) => {
      if (data.size) this.parts.push(data);
    });
    this.context = new AudioContext();
    const meter = this.context.createAnalyser();
    meter.fftSize = 2048;
    this.context.createMediaStreamSource(stream).connect(meter);
    const samples = new Float32Array(meter.fftSize);
    this.timer = setInterval(() => {
      meter.getFloatTimeDomainData(samples);
      let peak = 0;
      for (const sample of samples) peak = Math.max(peak, Math.abs(sample));
      onLevel(peak);
    }, 100);
    this.recorder.start(1000);
    this.startMs = performance.now();
  }

  get seconds() {
    return (performance.now() - this.startMs) / 1000;
  }

  // The recording as a file.
  async stop() {
    const stopped = new Promise((resolve) => this.recorder.addEventListener("stop", resolve, { once: true }));
    this.recorder.stop();
    await stopped;
    this.release();
    const now = new Date();
    const two = (value) => String(value).padStart(2, "0");
    const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
    const name = `Recording ${day} ${two(now.getHours())}.${two(now.getMinutes())}.${this.suffix}`;
    return new File(this.parts, name, { type: this.recorder.mimeType });
  }

  release() {
    clearInterval(this.timer);
    for (const track of this.stream.getTracks()) track.stop();
    this.context.close();
  }
}

export function inWords(error) {
  const subject = "microphone";
  if (error.name === "NotAllowedError") {
    return { subject, problem: "may not be used", next_step: "allow it for this page in the browser, then record again" };
  }
  if (error.name === "NotFoundError") {
    return { subject, problem: "is not there", next_step: "connect one, or choose a file" };
  }
  return { subject, problem: `cannot be used (${error.name})`, next_step: "close other programs that use it, or choose a file" };
}
