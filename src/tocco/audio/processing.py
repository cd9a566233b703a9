"""Recordings as mono waveforms at 24 kHz: read, described, levelled and cut into windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

import numpy as np

from tocco.audio.decoding import AUDIO_LIMITS, AudioLimits, Sound, open_sound
from tocco.audio.description import SILENT_PEAK_DBFS, AudioDescription, AudioGauge, describe_audio
from tocco.audio.downmix import channel_heard, to_mono
from tocco.errors import InputError
from tocco.files import sha256_of
from tocco.units import (
    SAMPLE_RATE_HZ,
    FloatArray,
    amplitude_from_db,
    db_from_amplitude,
    samples_from_sec,
)

__all__ = [
    "AUDIO_LIMITS",
    "AudioDescription",
    "AudioLimits",
    "AudioSegment",
    "DescribedStream",
    "NormalizedAudio",
    "describe_audio",
    "load_audio",
    "normalize_audio",
    "segment_audio",
    "segment_bounds",
    "stream_audio",
]


BLOCK_SEC = 10.0
"""Length of a block where none is asked for."""


def stream_audio(
    path: str | PathLike[str],
    *,
    block_sec: float = BLOCK_SEC,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    limits: AudioLimits = AUDIO_LIMITS,
) -> Iterator[FloatArray]:
    """A recording as a row of mono blocks; memory does not grow with its length.

    Channels are averaged, or one of them is taken where they cancel each other; the rate is changed by a
    band-limited resampler that runs through the blocks, so that their joints cannot be heard. All blocks
    but the last have the same length.

    Parameters
    ----------
    path
        Any kind that `containers` names; the content decides, not the extension.
    block_sec : seconds, > 0
    sample_rate_hz : Hz of the result
    limits
        What is accepted as a recording.

    Returns
    -------
    iterator of (n,) float32, full scale = 1

    Raises
    ------
    InputError
        While iterating, as soon as the fault is seen: a fault in the last second comes after the
        first blocks. Of several channels, half a minute is read ahead.
    """
    block_samples = samples_from_sec(block_sec, sample_rate_hz)
    if block_samples < 1:
        raise InputError("block_sec", f"is {block_sec} s", allowed="at least one sample")
    return _stream(Path(path), block_samples, sample_rate_hz, limits)


def _stream(
    path: Path,
    block_samples: int,
    sample_rate_hz: int,
    limits: AudioLimits,
    watch: Callable[[Sound, int | None], Iterator[FloatArray]] = lambda sound, channel: sound.blocks,
) -> Iterator[FloatArray]:
    channel = channel_heard(path, limits)
    with open_sound(path, limits) as sound:
        mono = (to_mono(block, channel) for block in watch(sound, channel))
        yield from _regrouped(_resampled(mono, sound.header.sample_rate_hz, sample_rate_hz), block_samples)


class DescribedStream:
    """A recording as mono blocks, described as they pass: decoding is the slow part, and is done once.

    Parameters
    ----------
    path, limits
        As for `stream_audio`.

    Yields
    ------
    (n,) float32
        The blocks of `stream_audio`.
    """

    def __init__(self, path: str | PathLike[str], *, limits: AudioLimits = AUDIO_LIMITS) -> None:
        self._path, self._limits = Path(path), limits
        self._description: AudioDescription | None = None

    def __iter__(self) -> Iterator[FloatArray]:
        block_samples = samples_from_sec(BLOCK_SEC, SAMPLE_RATE_HZ)
        return _stream(self._path, block_samples, SAMPLE_RATE_HZ, self._limits, self._watched)

    def _watched(self, sound: Sound, channel: int | None) -> Iterator[FloatArray]:
        gauge = AudioGauge(sound.header, channel)
        for block in sound.blocks:
            gauge.add(block)
            yield block
        self._description = gauge.description(sha256_of(self._path))

    @property
    def description(self) -> AudioDescription:
        """What `describe_audio` says, once the last block has passed."""
        if self._description is None:
            raise ValueError(f"{self._path} has not been read to its end")
        return self._description


def _resampled(blocks: Iterable[FloatArray], from_hz: int, to_hz: int) -> Iterator[FloatArray]:
    """Mono blocks at another rate; their joined length is that of the sound, to the nearest sample."""
    import soxr

    if from_hz == to_hz:
        yield from blocks
        return
    resampler = soxr.ResampleStream(from_hz, to_hz, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield resampler.resample_chunk(block)
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _regrouped(blocks: Iterable[FloatArray], block_samples: int) -> Iterator[FloatArray]:
    """The same samples in blocks of one length; only the last may be shorter."""
    waiting: list[FloatArray] = []
    n_waiting = 0
    for block in blocks:
        waiting.append(block)
        n_waiting += len(block)
        if n_waiting >= block_samples:
            joined = np.concatenate(waiting)
            n_whole = n_waiting // block_samples * block_samples
            for start in range(0, n_whole, block_samples):
                yield joined[start : start + block_samples].copy()
            waiting, n_waiting = [joined[n_whole:].copy()], n_waiting - n_whole
    if n_waiting:
        yield np.concatenate(waiting)


def load_audio(
    path: str | PathLike[str], *, sample_rate_hz: int = SAMPLE_RATE_HZ, limits: AudioLimits = AUDIO_LIMITS
) -> FloatArray:
    """A whole recording as one mono waveform.

    The waveform grows in place while the file is decoded: three hours take the 1.04 GB of the result
    and at most an eighth more.

    Parameters
    ----------
    path, sample_rate_hz, limits
        As for `stream_audio`.

    Returns
    -------
    (S,) float32, full scale = 1
        S is the duration times the rate, to the nearest sample.

    Raises
    ------
    InputError
        The file is missing, not audio, cut off, empty, not finite, too short or too long.
    """
    waveform = np.empty(samples_from_sec(60.0, sample_rate_hz), np.float32)
    n_filled = 0
    for block in stream_audio(path, sample_rate_hz=sample_rate_hz, limits=limits):
        n_after = n_filled + len(block)
        if n_after > len(waveform):
            # refcheck=False: no view of the array exists yet; growing in place spares a second copy
            waveform.resize(max(n_after, len(waveform) * 9 // 8), refcheck=False)
        waveform[n_filled:n_after] = block
        n_filled = n_after
    waveform.resize(n_filled, refcheck=False)
    return waveform


@dataclass(frozen=True, eq=False)
class NormalizedAudio:
    """A waveform at a set peak, and how loud it was before.

    Attributes
    ----------
    waveform : (S,) float32
    gain_db : dB that were added; 0 for silence
    original_peak_dbfs, original_rms_dbfs : dB re full scale, -120 for digital silence
    """

    waveform: FloatArray
    gain_db: float
    original_peak_dbfs: float
    original_rms_dbfs: float


TARGET_PEAK_DBFS = -3.0
"""Peak of a recording when it is given to a model."""


def normalizing_gain_db(peak_dbfs: float, target_db: float = TARGET_PEAK_DBFS) -> float:
    """Gain that brings a peak to a set level; 0 for silence, which stays silence.

    >>> normalizing_gain_db(-10.0), normalizing_gain_db(-120.0)
    (7.0, 0.0)
    """
    return 0.0 if peak_dbfs < SILENT_PEAK_DBFS else target_db - peak_dbfs


def normalize_audio(audio: FloatArray, target_db: float = TARGET_PEAK_DBFS) -> NormalizedAudio:
    """A waveform brought to a set peak; silence stays silence.

    Parameters
    ----------
    audio : (S,) full scale = 1
    target_db : dB re full scale, <= 0
        Peak of the result.

    Returns
    -------
    NormalizedAudio
        With the original level, which is a feature of its own.
    """
    audio = _checked_waveform(audio)
    if not (math.isfinite(target_db) and target_db <= 0.0):
        raise InputError("target_db", f"is {target_db} dB", allowed="0 dB re full scale or less")
    peak_dbfs = float(db_from_amplitude(np.abs(audio).max()))
    rms_dbfs = float(db_from_amplitude(math.sqrt(np.square(audio, dtype=float).mean())))
    gain_db = normalizing_gain_db(peak_dbfs, target_db)
    waveform = (audio * np.float32(amplitude_from_db(gain_db))).astype(np.float32)
    return NormalizedAudio(waveform, gain_db, peak_dbfs, rms_dbfs)


def _checked_waveform(audio: FloatArray) -> FloatArray:
    """A waveform that is one; refused where it is empty, not mono or not finite."""
    audio = np.asarray(audio)
    if audio.ndim != 1 or len(audio) == 0:
        raise InputError("audio", f"has shape {audio.shape}", allowed="(S,) mono samples, S >= 1")
    if not np.isfinite(audio).all():
        raise InputError("audio", "holds NaN or infinite samples", next_step="check what computed it")
    return audio


def segment_bounds(duration_sec: float, segment_sec: float = 10.0, overlap: float = 0.5) -> FloatArray:
    """Where the windows of a recording start and end.

    The last window is shifted back to end with the recording, never padded: an encoder that sees
    padding rates the padding. A recording shorter than a window is one window of its own length.

    Parameters
    ----------
    duration_sec : seconds, > 0
    segment_sec : seconds, > 0
    overlap : 0..1, 1 excluded
        Share of a window that the next one repeats.

    Returns
    -------
    (K, 2) seconds, ascending
        Start and end of each window; together they cover the recording.

    Examples
    --------
    >>> segment_bounds(22.0).tolist()
    [[0.0, 10.0], [5.0, 15.0], [10.0, 20.0], [12.0, 22.0]]
    """
    if not (math.isfinite(duration_sec) and duration_sec > 0.0):
        raise InputError("duration_sec", f"is {duration_sec} s", allowed="more than 0 s")
    if not (math.isfinite(segment_sec) and segment_sec > 0.0):
        raise InputError("segment_sec", f"is {segment_sec} s", allowed="more than 0 s")
    if not 0.0 <= overlap < 1.0:
        raise InputError("overlap", f"is {overlap}", allowed="0 up to, not including, 1")
    if duration_sec <= segment_sec:
        return np.array([[0.0, duration_sec]])
    hop_sec = segment_sec * (1.0 - overlap)
    last_sec = duration_sec - segment_sec
    # a hair under a whole hop is a whole hop: else rounding would add a window on top of the last
    n_windows = math.ceil(last_sec / hop_sec - 1e-9) + 1
    start_sec = np.minimum(np.arange(n_windows) * hop_sec, last_sec)
    return np.stack([start_sec, start_sec + segment_sec], axis=1)


@dataclass(frozen=True, eq=False)
class AudioSegment:
    """One window of a recording.

    Attributes
    ----------
    start_sec, end_sec : seconds of the recording
    waveform : (S,) a view, never written to
    """

    start_sec: float
    end_sec: float
    waveform: FloatArray


def segment_audio(
    audio: FloatArray,
    segment_sec: float = 10.0,
    overlap: float = 0.5,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> tuple[AudioSegment, ...]:
    """A waveform in overlapping windows.

    Parameters
    ----------
    audio : (S,) mono
    segment_sec, overlap
        As for `segment_bounds`.
    sample_rate_hz : Hz

    Returns
    -------
    K segments, all of the same number of samples
        Their waveforms share memory with `audio`.
    """
    audio = _checked_waveform(audio)
    bounds = segment_bounds(len(audio) / sample_rate_hz, segment_sec, overlap)
    # Whole samples, upwards: windows a fraction of a sample apart would leave one between them unheard.
    length = min(len(audio), math.ceil(segment_sec * sample_rate_hz - 1e-6))
    last = len(audio) - length
    segments = []
    for place, (start_sec, _) in enumerate(bounds):
        is_last = place == len(bounds) - 1
        start = last if is_last else min(samples_from_sec(start_sec, sample_rate_hz), last)
        view = audio[start : start + length]
        view.flags.writeable = False
        segments.append(AudioSegment(start / sample_rate_hz, (start + length) / sample_rate_hz, view))
    return tuple(segments)
