"""Effects that change when a note sounds, or which one: transposition, tempo, wow and flutter.

Each returns what it did to time or pitch, so that the notes can follow (`tocco.audio.augmentation`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import soxr
from scipy import ndimage

from tocco.audio.augmenting.checks import check_range, checked_waveform
from tocco.errors import MissingPartError
from tocco.music.time_map import TimeMap
from tocco.units import SAMPLE_RATE_HZ, FloatArray

SEMITONES: Final = (-2.0, 2.0)
STRETCH_RATE: Final = (0.85, 1.15)
WOW_HZ: Final = (0.2, 4.0)
FLUTTER_HZ: Final = (4.0, 30.0)
WOBBLE_PERCENT: Final = (0.0, 1.0)

_LEAST_SEC = 0.25
"""Twice the stretcher's window and some."""

_FINER = 4
_ANCHOR_SEC = 0.002


def pitch_shift(audio: FloatArray, semitones: float, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """The recording in another key, at the same tempo.

    Parameters
    ----------
    audio : (S,) mono, 0.25 s or longer
    semitones : -2..2, fractions allowed
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
        In step with the input; not limited, peaks may pass full scale.
    """
    audio = checked_waveform(audio, least_sec=_LEAST_SEC, sample_rate_hz=sample_rate_hz)
    check_range("semitones", semitones, *SEMITONES, "semitones")
    if semitones == 0.0:
        return audio.copy()
    # Slower and then played faster: the stretcher's own transposition is up to 42 cents off in the bass,
    # this way within half a cent.
    ratio = 2.0 ** (semitones / 12.0)
    slower = _stretched(audio, 1.0 / ratio, sample_rate_hz)
    return _of_length(soxr.resample(slower, sample_rate_hz * ratio, sample_rate_hz), len(audio))


def time_stretch(audio: FloatArray, rate: float, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """The recording at another tempo, in the same key.

    Parameters
    ----------
    audio : (S,) mono, 0.25 s or longer
    rate : 0.85..1.15; above 1 is faster
    sample_rate_hz : Hz

    Returns
    -------
    (round(S / rate),) float32
        A moment `t` of the input sounds at `t / rate`; not limited, peaks may pass full scale.
    """
    audio = checked_waveform(audio, least_sec=_LEAST_SEC, sample_rate_hz=sample_rate_hz)
    check_range("rate", rate, *STRETCH_RATE, "times the tempo")
    if rate == 1.0:
        return audio.copy()
    return _of_length(_stretched(audio, rate, sample_rate_hz), round(len(audio) / rate))


def _stretched(audio: FloatArray, rate: float, sample_rate_hz: int) -> FloatArray:
    """Signalsmith's stretcher, which keeps attacks sharp; it gets every waveform at the same level."""
    try:
        from python_stretch.Signalsmith import Stretch
    except ImportError as error:
        raise MissingPartError(
            "python-stretch", "is not installed", next_step="install tocco[train]"
        ) from error
    peak = np.abs(audio).max()
    if peak == 0.0:
        return np.zeros(round(len(audio) / rate), np.float32)
    stretcher = Stretch()
    stretcher.preset(1, float(sample_rate_hz))
    stretcher.setTimeFactor(float(rate))
    return np.asarray(stretcher.process((audio / peak)[None]), np.float32)[0] * peak


def _of_length(audio: FloatArray, n_samples: int) -> FloatArray:
    """The stretcher rounds lengths its own way, by a sample."""
    return np.pad(audio[:n_samples], (0, max(0, n_samples - len(audio)))).astype(np.float32)


@dataclass(frozen=True)
class Wobble:
    """How unevenly a tape or a worn disc runs.

    Attributes
    ----------
    wow_hz, flutter_hz : Hz, 0.2..4 and 4..30
    wow_percent, flutter_percent : largest deviation of the speed, 0..1 each
    wow_turn, flutter_turn : phase at the start, 0..1 of a turn
    """

    wow_hz: float
    wow_percent: float
    flutter_hz: float
    flutter_percent: float
    wow_turn: float = 0.0
    flutter_turn: float = 0.0

    def __post_init__(self) -> None:
        check_range("wow_hz", self.wow_hz, *WOW_HZ, "Hz")
        check_range("flutter_hz", self.flutter_hz, *FLUTTER_HZ, "Hz")
        check_range("wow_percent", self.wow_percent, *WOBBLE_PERCENT, "%")
        check_range("flutter_percent", self.flutter_percent, *WOBBLE_PERCENT, "%")
        check_range("wow_turn", self.wow_turn, 0.0, 1.0, "turns")
        check_range("flutter_turn", self.flutter_turn, 0.0, 1.0, "turns")

    @property
    def largest_speed(self) -> float:
        """Highest speed as a ratio to the true one."""
        return 1.0 + (self.wow_percent + self.flutter_percent) / 100.0

    def source_sec(self, heard_sec: FloatArray) -> FloatArray:
        """Which moment of the input sounds at a moment of the output.

        Parameters
        ----------
        heard_sec : any shape, seconds

        Returns
        -------
        Seconds, of the same shape; ascending with `heard_sec`, and 0 at 0.
            The speed is `1 + depth sin(2 pi f t + phase)`; this is its integral.
        """
        source = np.asarray(heard_sec, dtype=float)
        moved = source.copy()
        for hz, percent, turn in (
            (self.wow_hz, self.wow_percent, self.wow_turn),
            (self.flutter_hz, self.flutter_percent, self.flutter_turn),
        ):
            omega, phase = 2.0 * np.pi * hz, 2.0 * np.pi * turn
            moved += percent / 100.0 / omega * (np.cos(phase) - np.cos(omega * source + phase))
        return moved

    def time_map(self, duration_sec: float) -> TimeMap:
        """When the moments of a recording sound.

        Parameters
        ----------
        duration_sec : seconds

        Returns
        -------
        TimeMap
            With an anchor every 2 ms: between them a straight line is right within a microsecond.
        """
        heard = np.linspace(0.0, duration_sec, max(2, int(np.ceil(duration_sec / _ANCHOR_SEC)) + 1))
        return TimeMap(self.source_sec(heard), heard)


def wow_and_flutter(audio: FloatArray, wobble: Wobble, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> FloatArray:
    """The recording from a player of uneven speed: pitch and time waver together.

    Parameters
    ----------
    audio : (S,) mono
    wobble
        `Wobble.time_map` says how the notes move.
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
        Beyond the input's end is silence, for a few milliseconds at most.
    """
    audio = checked_waveform(audio)
    place = wobble.source_sec(np.arange(len(audio)) / sample_rate_hz) * sample_rate_hz
    return _read_between(audio, place)


def _read_between(audio: FloatArray, place: FloatArray) -> FloatArray:
    """The waveform between its samples: band-limited to four times the rate, then by cubic splines."""
    finer = soxr.resample(audio, 1.0, float(_FINER))
    heard = ndimage.map_coordinates(finer, place[None] * _FINER, order=3, mode="constant")
    return np.asarray(heard, np.float32)
