"""Sounds that the gate for recordings learns from and is measured on: General MIDI, voices, noises, applause.

Everything is drawn from a passed generator, mono at 24 kHz.
"""

from __future__ import annotations

import io
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
import soxr
from scipy.signal import butter, lfilter, sosfilt

from tocco.audio.augmenting.noise import NOISES
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

_SYNTH_HZ: Final = 48_000
_DRUMS: Final = 9
_STEP_SEC: Final = 0.01


@dataclass(frozen=True)
class Part:
    """What one instrument plays.

    Attributes
    ----------
    program : General MIDI, 0..127
    performance : its notes; those of `struck_inside` count
    volume : 0..127
    is_drums : played on the channel of drums
    is_expressive : swells and vibrato are drawn
    """

    program: int
    performance: Performance
    volume: int = 100
    is_drums: bool = False
    is_expressive: bool = False


def band_pass(low_hz: float, high_hz: float) -> FloatArray:
    """Second-order sections that let a band through."""
    return np.asarray(butter(2, (low_hz, high_hz), "bandpass", fs=SAMPLE_RATE_HZ, output="sos"))


class Band:
    """Instruments of one soundfont.

    Parameters
    ----------
    font
    """

    def __init__(self, font: Path) -> None:
        import fluidsynth

        self._synth = fluidsynth.Synth(gain=0.5, samplerate=float(_SYNTH_HZ))
        self._synth.setting("synth.reverb.active", 0)
        self._synth.setting("synth.chorus.active", 0)
        self._font = self._synth.sfload(str(font))

    def play(self, parts: Sequence[Part], duration_sec: float, rng: np.random.Generator) -> FloatArray:
        """(S,) the parts together."""
        events: list[tuple[float, int, Callable[[], Any]]] = []
        self._synth.system_reset()
        channels = [c for c in range(16) if c != _DRUMS]
        for part in parts:
            channel = _DRUMS if part.is_drums else channels.pop(0)
            self._synth.program_select(channel, self._font, 128 if part.is_drums else 0, part.program)
            self._synth.cc(channel, 7, part.volume)
            events += self._events(part, channel, duration_sec, rng)
        events.sort(key=lambda event: (event[0], event[1]))
        sound, done = [], 0
        for time_sec, _, act in events:
            until = int(time_sec * _SYNTH_HZ)
            if until > done:
                sound.append(self._synth.get_samples(until - done))
                done = until
            act()
        sound.append(self._synth.get_samples(max(int(duration_sec * _SYNTH_HZ) - done, 1)))
        mono = np.concatenate(sound).reshape(-1, 2).mean(axis=1).astype(np.float32) / 32768.0
        return soxr.resample(mono, _SYNTH_HZ, SAMPLE_RATE_HZ).astype(np.float32)

    def _events(
        self, part: Part, channel: int, duration_sec: float, rng: np.random.Generator
    ) -> list[tuple[float, int, Callable[[], Any]]]:
        synth, played = self._synth, part.performance
        events: list[tuple[float, int, Callable[[], Any]]] = []
        for n in np.flatnonzero(played.struck_inside & (played.onset_sec < duration_sec)):
            pitch, velocity = int(played.pitch[n]), int(played.velocity[n])
            events.append(
                (float(played.onset_sec[n]), 1, lambda p=pitch, v=velocity: synth.noteon(channel, p, v))
            )
            events.append((float(played.offset_sec[n]), 0, lambda p=pitch: synth.noteoff(channel, p)))
        for time, value in zip(played.sustain.time_sec, played.sustain.value, strict=True):
            events.append((max(float(time), 0.0), 0, lambda v=int(value): synth.cc(channel, 64, v)))
        if part.is_expressive:
            vibrato, rate_hz = int(rng.integers(0, 90)), rng.uniform(0.15, 0.7)
            events.append((0.0, 0, lambda: synth.cc(channel, 1, vibrato)))
            phase, depth = rng.uniform(0, 2 * np.pi), rng.uniform(10, 45)
            for time in np.arange(0.0, duration_sec, 0.04):
                value = int(np.clip(82 + depth * np.sin(2 * np.pi * rate_hz * time + phase), 1, 127))
                events.append((float(time), 0, lambda v=value: synth.cc(channel, 11, v)))
        return [event for event in events if event[0] < duration_sec]


def drums(duration_sec: float, rng: np.random.Generator) -> Performance:
    """A bar of drums over and over, with small changes."""
    beat_sec = 60.0 / rng.uniform(75, 160)
    grid = np.arange(0.0, duration_sec, beat_sec / 4)
    step = np.arange(len(grid)) % 16
    hat = rng.choice([42, 46, 51])
    strikes: list[tuple[float, int, int]] = []
    kick, density = {0, 8, int(rng.integers(1, 16))}, rng.choice([1, 2, 4])
    for time, s in zip(grid, step, strict=True):
        if s in kick:
            strikes.append((time, 36, int(rng.integers(85, 120))))
        if s in (4, 12):
            strikes.append((time, 38, int(rng.integers(80, 120))))
        if s % density == 0:
            strikes.append((time, int(hat), int(rng.integers(50, 95))))
    onset, pitch, velocity = (np.array(column) for column in zip(*strikes, strict=True))
    return notes(onset, onset + 0.1, pitch.astype(int), velocity.astype(int), duration_sec)


def notes(
    onset: FloatArray, offset: FloatArray, pitch: np.ndarray, velocity: np.ndarray, duration_sec: float
) -> Performance:
    """A performance of notes alone."""
    from tocco.music.performance import PedalCurve

    order = np.lexsort((pitch, onset))
    none = PedalCurve()
    return Performance(
        onset[order], offset[order], pitch[order], velocity[order], none, none, none, duration_sec
    )


def melody(played: Performance, low: int, high: int) -> Performance:
    """The highest notes alone, one at a time, moved by octaves into a range."""
    order = np.argsort(played.onset_sec, kind="stable")
    kept: list[int] = []
    for n in order:
        if kept and played.onset_sec[n] - played.onset_sec[kept[-1]] < 0.05:
            if played.pitch[n] > played.pitch[kept[-1]]:
                kept[-1] = int(n)
        else:
            kept.append(int(n))
    kept = [n for n in kept if played.pitch[n] >= 60] or kept
    pitch = np.array([played.pitch[n] for n in kept])
    while len(pitch) and np.median(pitch) > high:
        pitch = pitch - 12
    while len(pitch) and np.median(pitch) < low:
        pitch = pitch + 12
    onset = played.onset_sec[kept]
    offset = np.append(onset[1:], played.duration_sec)
    return notes(
        onset,
        np.minimum(offset, onset + 3.0),
        np.clip(pitch, 20, 110),
        played.velocity[kept],
        played.duration_sec,
    )


def bass_line(played: Performance) -> Performance:
    """The lowest notes, an octave or two down."""
    turned = melody(
        notes(
            played.onset_sec,
            played.offset_sec,
            120 - played.pitch,
            played.velocity,
            played.duration_sec,
        ),
        60,
        90,
    )
    pitch = 28 + (120 - turned.pitch) % 12
    return notes(turned.onset_sec, turned.offset_sec, pitch, np.full(len(pitch), 100), played.duration_sec)


_VOWELS: Final = (
    (800, 1150, 2900),
    (350, 2000, 2800),
    (270, 2140, 2950),
    (450, 800, 2830),
    (325, 700, 2700),
)
"""First three formants in Hz of a, e, i, o, u (sopranos and tenors lie around them)."""


def singing(line: Performance, rng: np.random.Generator) -> FloatArray:
    """A voice that sings a melody: harmonics under formants, with glides, vibrato and consonants."""
    n = int(line.duration_sec * SAMPLE_RATE_HZ)
    size, vibrato_hz, depth = rng.uniform(0.85, 1.2), rng.uniform(4.5, 6.5), rng.uniform(0.1, 0.9)
    sound = np.zeros(n)
    last = None
    for k in range(len(line)):
        start, end = int(line.onset_sec[k] * SAMPLE_RATE_HZ), int(line.offset_sec[k] * SAMPLE_RATE_HZ)
        start, end = max(start, 0), min(end, n)
        if end - start < 1200:
            continue
        t = np.arange(end - start) / SAMPLE_RATE_HZ
        pitch = float(line.pitch[k])
        glide = (pitch if last is None else last) + (pitch - (pitch if last is None else last)) * (
            1 - np.exp(-t / 0.04)
        )
        last = pitch
        wave = depth * np.sin(2 * np.pi * vibrato_hz * t) * np.minimum(t / 0.3, 1.0)
        f0 = 440.0 * 2.0 ** ((glide + wave - 69) / 12)
        phase = 2 * np.pi * np.cumsum(f0) / SAMPLE_RATE_HZ
        formants = np.array(_VOWELS[rng.integers(len(_VOWELS))]) * size
        note = np.zeros(len(t))
        for h in range(1, min(int(9000 / f0.max()), 40) + 1):
            f = h * f0
            gain = sum(
                g / (1 + ((f - centre) / width) ** 2)
                for centre, width, g in zip(formants, (90, 120, 180), (1.0, 0.6, 0.3), strict=True)
            )
            note += (gain + 0.01) / h**0.6 * np.sin(h * phase)
        envelope = np.minimum(t / rng.uniform(0.03, 0.12), 1.0) * np.minimum((t[-1] - t) / 0.05 + 1e-3, 1.0)
        swell = 1.0 + 0.5 * np.sin(np.pi * t / t[-1])
        note *= np.clip(envelope, 0, 1) * swell
        if rng.random() < 0.6:
            burst = rng.normal(size=len(t)) * np.exp(-t / rng.uniform(0.015, 0.05))
            note += sosfilt(band_pass(2_000.0, 8_000.0), burst) * rng.uniform(0.05, 0.4)
        sound[start:end] += note * (0.5 + line.velocity[k] / 200)
    return (sound / max(np.abs(sound).max(), 1e-9) * 0.5).astype(np.float32)


def additive_piano(played: Performance, rng: np.random.Generator) -> FloatArray:
    """A piano of drawn build: stiff strings that decay in two stages, a hammer, dampers."""
    rate, n = SAMPLE_RATE_HZ, int(played.duration_sec * SAMPLE_RATE_HZ)
    sound = np.zeros(n + rate)
    stiffness, slope, ring = rng.uniform(0.5, 2.0), rng.uniform(0.7, 1.8), rng.uniform(0.5, 1.8)
    hammer, detune = rng.uniform(0.002, 0.05), rng.uniform(0.2, 1.5)
    position = rng.uniform(0.1, 0.16)
    for k in np.flatnonzero(played.struck_inside):
        pitch, velocity = int(played.pitch[k]), played.velocity[k] / 127.0
        start = int(played.onset_sec[k] * rate)
        down = played.sustain.at(np.array([played.offset_sec[k]]))[0] >= 64
        held = played.offset_sec[k] - played.onset_sec[k] + (rng.uniform(0.3, 1.5) if down else 0.0)
        t = np.arange(min(int((held + 0.4) * rate), n + rate - start)) / rate
        if len(t) < 50:
            continue
        f0 = 440.0 * 2.0 ** ((pitch - 69) / 12)
        b = stiffness * 3e-4 * 2.0 ** ((pitch - 60) / 9.0)
        decay = ring * 12.0 * 2.0 ** (-(pitch - 36) / 14.0)
        note = np.zeros(len(t))
        for h in range(1, min(int(10_000 / f0), 24) + 1):
            f = h * f0 * np.sqrt(1 + b * h * h)
            level = (
                abs(np.sin(np.pi * h * position))
                * h ** -(slope + 1.2 * (1 - velocity))
                * rng.uniform(0.4, 1.6)
            )
            tau = decay / (1 + 0.25 * h) / 3
            mix = rng.uniform(0.02, 0.25)
            beat = detune * rng.uniform(-0.5, 0.5)
            envelope = (1 - mix) * np.exp(-t / tau) * np.cos(2 * np.pi * beat * t) + mix * np.exp(
                -t / (4 * tau)
            )
            note += level * envelope * np.sin(2 * np.pi * f * t + rng.uniform(0, 2 * np.pi))
        note *= 1 - np.exp(-t / rng.uniform(0.0008, 0.003))
        knock = rng.normal(size=len(t)) * np.exp(-t / 0.012) * hammer * 6
        note += lfilter([0.2], [1, -0.8], knock)
        note *= np.where(t < held, 1.0, np.exp(-(t - held) / rng.uniform(0.03, 0.09)))
        sound[start : start + len(t)] += note * velocity**1.7
    sound = sound[:n]
    return (sound / max(np.abs(sound).max(), 1e-9) * 0.5).astype(np.float32)


def speech(voice: str, words: str, duration_sec: float, rng: np.random.Generator) -> FloatArray:
    """A synthetic voice that speaks."""
    speed, pitch, gap = (str(int(rng.integers(*span))) for span in ((110, 210), (10, 90), (0, 12)))
    command = ["espeak-ng", "-v", voice, "-s", speed, "-p", pitch, "-g", gap, "--stdout", words]
    done = subprocess.run(command, capture_output=True, check=True)
    sound, rate = soundfile.read(io.BytesIO(done.stdout), dtype="float32")
    sound = soxr.resample(sound, rate, SAMPLE_RATE_HZ)
    n = int(duration_sec * SAMPLE_RATE_HZ)
    pause = np.zeros(int(rng.uniform(0.2, 0.8) * SAMPLE_RATE_HZ), np.float32)
    return np.resize(np.concatenate([sound, pause]), n).astype(np.float32)


def applause(duration_sec: float, rng: np.random.Generator) -> FloatArray:
    """Many hands, each at its own pace."""
    rate, n = SAMPLE_RATE_HZ, int(duration_sec * SAMPLE_RATE_HZ)
    impulses = np.zeros((6, n))
    for _ in range(int(rng.integers(5, 150))):
        pace, first = rng.uniform(2.5, 5.5), rng.uniform(0, 0.4)
        times = np.cumsum(rng.normal(1 / pace, 0.02, int(duration_sec * pace * 1.2) + 2).clip(0.05)) + first
        at = (times[times < duration_sec - 0.05] * rate).astype(int)
        np.add.at(impulses[rng.integers(6)], at, rng.uniform(0.2, 1.0) * rng.uniform(0.7, 1.3, len(at)))
    sound = np.zeros(n)
    for row in impulses:
        t = np.arange(int(0.06 * rate)) / rate
        low = rng.uniform(500, 1500)
        clap = sosfilt(band_pass(low, low * rng.uniform(2, 4)), rng.normal(size=len(t)))
        clap *= np.exp(-t / rng.uniform(0.004, 0.015))
        sound += np.convolve(row, clap)[:n]
    return (sound / np.abs(sound).max() * 0.5).astype(np.float32)


def _clicks(n: int, rate: int, rng: np.random.Generator, a_sec: float, decay_sec: float) -> FloatArray:
    impulses = (rng.random(n) < a_sec / rate) * rng.exponential(1.0, n)
    t = np.arange(int(decay_sec * 5 * rate)) / rate
    return np.convolve(impulses, np.exp(-t / decay_sec) * rng.normal(size=len(t)))[:n]


def _street(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
    sound = NOISES["brown"](n, rate, rng).astype(float)
    sound /= sound.std()
    t = np.arange(n) / rate
    for _ in range(int(rng.integers(1, 5))):
        centre, width = rng.uniform(0, n / rate), rng.uniform(0.8, 3.0)
        passing = sosfilt(band_pass(60.0, rng.uniform(600, 2500)), rng.normal(size=n))
        sound += passing / passing.std() * rng.uniform(0.5, 2.5) * np.exp(-(((t - centre) / width) ** 2))
    return sound


def _knocks(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
    slow = _clicks(n, rate, rng, rng.uniform(1.0, 8.0), rng.uniform(0.002, 0.03))
    return slow / max(np.abs(slow).max(), 1e-9) + 0.01 * rng.normal(size=n)


def _rain(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
    drops = _clicks(n, rate, rng, rng.uniform(200, 3000), 0.0015)
    return drops / drops.std() + 0.3 * NOISES["pink"](n, rate, rng)


OTHER_SOUNDS: Final[Mapping[str, Callable[[int, int, np.random.Generator], FloatArray]]] = {
    "white": lambda n, rate, rng: rng.normal(size=n),
    "pink": NOISES["pink"],
    "brown": NOISES["brown"],
    "hum_50": NOISES["hum_50"],
    "hum_60": NOISES["hum_60"],
    "babble": NOISES["babble"],
    "knocks": _knocks,
    "street": _street,
    "rain": _rain,
}
"""Noises, by name."""


def noise(kind: str, duration_sec: float, rng: np.random.Generator) -> FloatArray:
    """One of `OTHER_SOUNDS`, half full scale."""
    sound = OTHER_SOUNDS[kind](int(duration_sec * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ, rng)
    return (sound / np.abs(sound).max() * 0.5).astype(np.float32)
