"""A recording measured as its blocks pass: one pass, bounded memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import numpy as np

from tocco.audio.description import AudioDescription
from tocco.audio.quality.bounds import STEP_FRAMES, MusicBounds, Track, music_bounds
from tocco.audio.quality.classifier import CLASSES, SoundClassifier, load_classifier
from tocco.audio.quality.histograms import LevelHistograms
from tocco.audio.quality.levels import SlowSpectra
from tocco.audio.quality.measures import Measures
from tocco.audio.quality.samples import Dropouts, Peaks
from tocco.audio.quality.spectra import BIN_HZ, FRAMES_A_SEC, HOP_SAMPLES, POWER_FLOOR, Frames
from tocco.audio.quality.speech import SPEECH_FRAME_SEC, SpeechDetector
from tocco.audio.quality.texture import WINDOW_FRAMES, WINDOW_HOP_FRAMES, texture
from tocco.audio.quality.tuning import Tuning
from tocco.units import SAMPLE_RATE_HZ, FloatArray

_LEAST_FRAMES: Final = 96
"""A rest of two seconds is a window of its own; less is not enough to hear how notes decay."""
_OCTAVES: Final = tuple(slice(int(hz / BIN_HZ), int(2 * hz / BIN_HZ)) for hz in (250, 500, 1_000, 2_000))
_LOWEST_BIN: Final = int(100 / BIN_HZ)
_AUDIBLE_DB: Final = 30.0
"""Windows this far below the loudest say nothing about the instrument."""
_FRAME_SEC: Final = HOP_SAMPLES / SAMPLE_RATE_HZ


class QualityGauge:
    """Running measures of a recording for `Measures`.

    Three hours leave about eight megabytes: a row of texture every two seconds, a step of the track every
    quarter of a second, a probability of speech every 32 ms.

    Parameters
    ----------
    classifier : the one that this release was made with, if None
    """

    def __init__(self, classifier: SoundClassifier | None = None) -> None:
        self._classifier = load_classifier() if classifier is None else classifier
        self._sounds = SoundTextures()
        self._slow = SlowSpectra()
        self._dropouts, self._peaks = Dropouts(), Peaks()

    def watched(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """The same blocks, each measured as it passes."""
        for block in blocks:
            self.add(block)
            yield block

    def add(self, block: FloatArray) -> None:
        """Take in the next samples.

        Parameters
        ----------
        block : (S,) mono at 24 kHz, full scale = 1
        """
        self._sounds.add(block)
        self._slow.add(block)
        self._dropouts.add(block)
        self._peaks.add(block)

    def measures(self, description: AudioDescription) -> Measures:
        """Everything that was measured; the recording ends here.

        Parameters
        ----------
        description
            Of the same recording: level, clipping, band and faults of its channels are measured there.
        """
        self._sounds.finish()
        track, textures = self._sounds.track(self._classifier), self._sounds.textures
        bounds = music_bounds(track)
        inside = self._sounds.chosen(None if bounds is None else (bounds.start_sec, bounds.end_sec))
        likely = self._classifier.probabilities(textures[inside]).mean(axis=0) if inside.any() else None
        in_music = np.arange(len(self._sounds.speech)) * SPEECH_FRAME_SEC
        if bounds is not None:
            talk = self._sounds.speech[(in_music >= bounds.start_sec) & (in_music < bounds.end_sec)]
        else:
            talk = self._sounds.speech
        cents, fit = self._slow.tuning
        return Measures(
            description=description,
            bounds=bounds,
            probability=None if likely is None else dict(zip(CLASSES, likely.tolist(), strict=True)),
            speech_share=float((talk > 0.5).mean()) if len(talk) else 0.0,
            snr_db=self._slow.snr_db,
            range_db=self._sounds.range_db,
            hum=self._slow.hum,
            decay_sec=self._classifier.decay_sec(textures[inside]) if inside.any() else None,
            n_dropouts=_count_inside(self._dropouts.time_sec, bounds),
            crowding=self._peaks.crowding,
            tuning=Tuning(cents, fit),
        )


def _count_inside(time_sec: Sequence[float], bounds: MusicBounds | None) -> int:
    """How many times lie within the music; all of them where there is none."""
    if bounds is None:
        return len(time_sec)
    return sum(bounds.start_sec <= time < bounds.end_sec for time in time_sec)


def _peakedness(power: FloatArray) -> FloatArray:
    """(T,) dB of the arithmetic over the geometric mean of bins: 2.5 for noise, more for partials."""
    power = power + POWER_FLOOR
    return 10.0 * (np.log10(power.mean(axis=1)) - np.log10(power).mean(axis=1))


class SoundTextures:
    """Textures, levels and speech of a stream, on one clock."""

    def __init__(self) -> None:
        self._speech = SpeechDetector()
        self._frames = Frames()
        self._speech_parts: list[FloatArray] = []
        self._n_speech = 0
        self._power: list[FloatArray] = []
        self._n_waiting, self._begin = 0, 0
        self._rows: list[FloatArray] = []
        self._steps: list[FloatArray] = []
        self._levels = LevelHistograms(1)
        self._step_rest = np.zeros((0, 2))
        self.n_samples = 0

    def add(self, block: FloatArray) -> None:
        """Take in samples: (S,) mono at 24 kHz."""
        self.n_samples += len(block)
        self._hear(self._speech.add(block))
        for power in self._frames.add(block):
            self._follow(power)
            self._power.append(power)
            self._n_waiting += len(power)
            while self._n_waiting >= WINDOW_FRAMES:
                self._take(WINDOW_FRAMES)

    def finish(self) -> None:
        """Let the end count: the last frame of speech, the last window if it is long enough."""
        self._hear(self._speech.add(np.zeros(0, np.float32), last=True))
        is_new = self._n_waiting > WINDOW_FRAMES - WINDOW_HOP_FRAMES or not self._rows
        if is_new and self._n_waiting >= _LEAST_FRAMES:
            self._take(self._n_waiting)

    def _hear(self, speech: FloatArray) -> None:
        self._speech_parts.append(speech.astype(np.float32))
        self._n_speech += len(speech)

    def _follow(self, power: FloatArray) -> None:
        """Level and tonality of each frame, gathered into steps of the track."""
        level = 10.0 * np.log10(power[:, _LOWEST_BIN:].sum(axis=1) + POWER_FLOOR)
        tonality = np.mean([_peakedness(power[:, octave]) for octave in _OCTAVES], axis=0)
        self._levels.add(level[:, None])
        rows = np.concatenate([self._step_rest, np.stack([level, tonality], axis=1)])
        n_steps = len(rows) // STEP_FRAMES
        self._step_rest = rows[n_steps * STEP_FRAMES :]
        steps = rows[: n_steps * STEP_FRAMES].reshape(n_steps, STEP_FRAMES, 2).mean(axis=1)
        self._steps.append(steps.astype(np.float32))

    def _take(self, n_frames: int) -> None:
        """Measure the window that waits, and move on by half of it."""
        power = np.concatenate(self._power)
        window = power[:n_frames]
        start, end = (int((self._begin + k) * _FRAME_SEC / SPEECH_FRAME_SEC) for k in (0, n_frames))
        measured = texture(window, self._speech_between(start, end))
        level = 10.0 * np.log10(float(window.sum(axis=1).mean()) + POWER_FLOOR)
        self._rows.append(np.array([self._begin * _FRAME_SEC, level, *measured.values()], np.float32))
        self._power = [power[WINDOW_HOP_FRAMES:]]
        self._n_waiting -= WINDOW_HOP_FRAMES
        self._begin += WINDOW_HOP_FRAMES

    def _speech_between(self, start: int, end: int) -> FloatArray:
        """Probabilities of frames `start` to `end`; the newest are at hand."""
        after, parts = self._n_speech, []
        for part in reversed(self._speech_parts):
            after -= len(part)
            parts.append(part)
            if after <= start:
                break
        joined = np.concatenate(parts[::-1]) if parts else np.zeros(0, np.float32)
        return joined[max(start - after, 0) : max(end - after, 0)]

    @property
    def speech(self) -> FloatArray:
        """(K,) probability of speech, every 32 ms."""
        return np.concatenate([np.zeros(0, np.float32), *self._speech_parts])

    @property
    def textures(self) -> FloatArray:
        """(N, F) measures of each window."""
        return self._table[:, 2:]

    @property
    def _table(self) -> FloatArray:
        return np.stack(self._rows) if self._rows else np.zeros((0, 2))

    @property
    def range_db(self) -> float:
        """Between the softest and the loudest twentieth of what lies within 50 dB of the loudest."""
        top = float(self._levels.quantile(0.95)[0])
        return top - float(self._levels.quantile(0.05, above_db=top - 50.0)[0])

    def chosen(self, span_sec: tuple[float, float] | None) -> np.ndarray:
        """(N,) windows that count: with their middle within a span, and not much softer than the loudest."""
        table = self._table
        middle = table[:, 0] + 0.5 * WINDOW_FRAMES / FRAMES_A_SEC
        inside = np.ones(len(table), bool)
        if span_sec is not None:
            inside = (middle >= span_sec[0]) & (middle <= span_sec[1])
            inside = inside if inside.any() else np.ones(len(table), bool)
        level = table[:, 1]
        return inside & (level > level[inside].max(initial=-np.inf) - _AUDIBLE_DB)

    def track(self, classifier: SoundClassifier) -> Track:
        """What `music_bounds` reads."""
        steps = np.concatenate([np.zeros((0, 2), np.float32), *self._steps])
        step_sec = STEP_FRAMES * _FRAME_SEC
        edge = (np.arange(len(steps) + 1) * step_sec / SPEECH_FRAME_SEC).astype(int)
        heard = np.concatenate([[0.0], np.cumsum(self.speech)])
        edge = np.minimum(edge, len(heard) - 1)
        speech = np.diff(heard[edge]) / np.maximum(np.diff(edge), 1)
        table = self._table
        applause = np.zeros(len(steps))
        if len(table):
            likely = classifier.probabilities(table[:, 2:])
            clap, noise = likely[:, CLASSES.index("applause")], likely[:, CLASSES.index("noise")]
            middle = table[:, 0] + 0.5 * WINDOW_FRAMES / FRAMES_A_SEC
            applause = np.interp((np.arange(len(steps)) + 0.5) * step_sec, middle, clap - noise)
        return Track(
            level_db=steps[:, 0],
            tonal_db=steps[:, 1],
            speech=speech,
            applause=applause,
            step_sec=step_sec,
            duration_sec=self.n_samples / SAMPLE_RATE_HZ,
        )
