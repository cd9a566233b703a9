"""Where new sound begins in a recording, pitch by pitch, for laying notes against it.

The recording is read block by block and only its salience is kept, 16 kB for a second of it, so that
an hour needs no more than that.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.units import FloatArray, hz_from_pitch

LOWEST_BAND: Final = 48
HIGHEST_BAND: Final = 108
PITCH_HOP_SEC: Final = 0.02
EDGE_HOP_SEC: Final = 0.005

_RATE_HZ = 12_000
_PITCH_WINDOW = 2048  # 171 ms: semitones apart from about 200 Hz on
_EDGE_WINDOW = 256  # 21 ms: times
_EDGE_BAND_HZ = (60.0, 250.0, 500.0, 1000.0, 2000.0, 3500.0)
_FLOOR_DB = 60.0
_BLOCK_SAMPLES = 1 << 17


@dataclass(frozen=True, eq=False)
class OnsetSalience:
    """How much new sound each moment brings.

    Attributes
    ----------
    pitch : (T, P) 0..1, frame t centred on t * 20 ms
        For each semitone band from C3 to C8, the rank of the rise of its level among all moments of
        the recording; 0.5 on average whatever the level, the room or the piece.
    edge : (U,) >= 0, mean about 1; frame u centred on u * 5 ms
        Rise of level in six broad bands together.
    duration_sec : seconds
    is_silent : no sample differs from zero
    """

    pitch: FloatArray
    edge: FloatArray
    duration_sec: float
    is_silent: bool


def onset_salience(
    audio: FloatArray | Iterable[FloatArray], sample_rate_hz: int, source: str = "recording"
) -> OnsetSalience:
    """Onset salience of a mono recording.

    Parameters
    ----------
    audio : (S,) or consecutive blocks of it, full scale 1
    sample_rate_hz : 4000..384000
    source
        Name of the recording, for messages.

    Raises
    ------
    InputError
        A sample is no number, or the rate is out of range.
    """
    if not 4000 <= sample_rate_hz <= 384_000:
        raise InputError(source, f"has a sample rate of {sample_rate_hz} Hz", allowed="4000 to 384000 Hz")
    blocks = iter((audio,)) if isinstance(audio, np.ndarray) else iter(audio)
    pitch_frames = _Frames(_PITCH_WINDOW, round(PITCH_HOP_SEC * _RATE_HZ), _semitone_bands())
    edge_frames = _Frames(_EDGE_WINDOW, round(EDGE_HOP_SEC * _RATE_HZ), _broad_bands())
    n_samples = 0
    for block in _resampled(blocks, sample_rate_hz, source):
        n_samples += len(block)
        pitch_frames.push(block)
        edge_frames.push(block)
    edge_power = edge_frames.finish()
    is_silent = not np.any(edge_power)
    return OnsetSalience(
        pitch=_ranked(_rise(pitch_frames.finish(), lag=2)),
        edge=_together(_rise(edge_power, lag=1)),
        duration_sec=n_samples / _RATE_HZ,
        is_silent=is_silent,
    )


def _resampled(blocks: Iterator[FloatArray], sample_rate_hz: int, source: str) -> Iterator[FloatArray]:
    """The recording at the analysis rate, in blocks of a bounded size."""
    import soxr

    stream = soxr.ResampleStream(sample_rate_hz, _RATE_HZ, 1, dtype="float32", quality="MQ")
    for block in blocks:
        for start in range(0, len(block), _BLOCK_SAMPLES):
            part = np.asarray(block[start : start + _BLOCK_SAMPLES], dtype=np.float32)
            if not np.all(np.isfinite(part)):
                raise InputError(source, "holds samples that are no numbers", next_step="export it again")
            yield stream.resample_chunk(part)
    yield stream.resample_chunk(np.zeros(0, dtype=np.float32), last=True)


class _Frames:
    """Band powers of overlapping windows over a stream; frame t is centred on sample t * hop."""

    def __init__(self, window: int, hop: int, bands: FloatArray) -> None:
        self.window, self.hop, self.bands = np.hanning(window + 1)[:-1].astype(np.float32), hop, bands
        self.rest = np.zeros(window // 2, dtype=np.float32)
        self.power: list[FloatArray] = []

    def push(self, block: FloatArray) -> None:
        signal = np.concatenate((self.rest, block))
        n = max(0, (len(signal) - len(self.window)) // self.hop + 1)
        if n:
            view = np.lib.stride_tricks.sliding_window_view(signal, len(self.window))[:: self.hop][:n]
            spectrum = np.fft.rfft(view * self.window, axis=1)
            self.power.append((spectrum.real**2 + spectrum.imag**2) @ self.bands)
        self.rest = signal[n * self.hop :]

    def finish(self) -> FloatArray:
        self.push(np.zeros(len(self.window) // 2, dtype=np.float32))
        power = np.concatenate(self.power) if self.power else np.zeros((0, self.bands.shape[1]), np.float32)
        self.power.clear()
        return power


def _semitone_bands() -> FloatArray:
    """(F, P): for each semitone a bell one semitone wide, or two bins where those are wider."""
    hz = np.fft.rfftfreq(_PITCH_WINDOW, 1 / _RATE_HZ)
    centre = hz_from_pitch(np.arange(LOWEST_BAND, HIGHEST_BAND + 1))
    width = np.maximum(centre * (2 ** (1 / 24) - 2 ** (-1 / 24)), 2 * hz[1]) / 2
    return np.exp(-0.5 * np.square((hz[:, None] - centre) / (0.6 * width))).astype(np.float32)


def _broad_bands() -> FloatArray:
    hz = np.fft.rfftfreq(_EDGE_WINDOW, 1 / _RATE_HZ)
    low, high = np.array(_EDGE_BAND_HZ[:-1]), np.array(_EDGE_BAND_HZ[1:])
    return ((hz[:, None] >= low) & (hz[:, None] < high)).astype(np.float32)


def _rise(power: FloatArray, lag: int) -> FloatArray:
    """Change of level, in nepers of power, from `lag` frames before to `lag` frames after each frame.

    The power is used up: an hour of it is large.
    """
    if len(power) <= 2 * lag:
        return np.zeros_like(power)
    floor = max(float(power.max()) * 10 ** (-_FLOOR_DB / 10), float(np.finfo(np.float32).tiny))
    level = power
    level += np.float32(floor)
    np.log(level, out=level)
    rise = np.zeros_like(level)
    np.subtract(level[2 * lag :], level[: -2 * lag], out=rise[lag:-lag])
    return rise


def _ranked(rise: FloatArray) -> FloatArray:
    """Rank of each moment within its band, from 0 to 1, in place of its rise; equal moments share theirs."""
    from scipy.stats import rankdata

    for band in range(rise.shape[1]):
        rise[:, band] = (rankdata(rise[:, band]) - 0.5) / max(1, len(rise))
    return rise


def _together(rise: FloatArray) -> FloatArray:
    """Mean of the rising bands in units of their own mean, the clearer bands counting more.

    A band is clear where few great rises stand out (mean square over squared mean); in one that is
    full of noise all rises are alike.
    """
    if len(rise) == 0:
        return np.zeros(0)
    rising = np.maximum(rise, 0.0)
    mean = np.maximum(rising.mean(axis=0), 1e-9)
    clarity = np.square(rising).mean(axis=0) / mean**2
    return rising @ (clarity / mean / max(float(clarity.sum()), 1e-9))
