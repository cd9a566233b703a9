"""Audio, notes and score positions of one segment on one clock, and how they move together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np

from tocco.audio.augmenting.checks import checked_waveform
from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.augmented import moved_along
from tocco.music.performance import Performance
from tocco.music.time_map import TimeMap
from tocco.rubrics import TARGETS
from tocco.schema import nearest
from tocco.units import HIGHEST_PIANO_KEY, LOWEST_PIANO_KEY, SAMPLE_RATE_HZ, FloatArray


def _no_bounds() -> FloatArray:
    return np.zeros((0, 2))


@dataclass(frozen=True, eq=False)
class Triple:
    """One segment as training uses it: audio, performance, score positions and ratings.

    All times are seconds from the first sample of `audio`.

    Attributes
    ----------
    audio : (S,) float32, mono
    performance
        On the clock of the audio; notes held over an edge may lie outside of it, as `segment_midi` cuts.
    alignment
        The score positions of the performance; None where no score is known.
    labels : target -> 0..100; what was not rated is absent
    bounds_sec : (K, 2) seconds
        Spans that must stay on the music: windows, bars, marked places.
    sample_rate_hz : Hz
    """

    audio: FloatArray
    performance: Performance
    alignment: Alignment | None = None
    labels: Mapping[str, float] = field(default_factory=dict)
    bounds_sec: FloatArray = field(default_factory=_no_bounds)
    sample_rate_hz: int = SAMPLE_RATE_HZ

    def __post_init__(self) -> None:
        checked_waveform(self.audio)
        bounds = np.asarray(self.bounds_sec)
        if bounds.ndim != 2 or bounds.shape[1] != 2 or not np.all(bounds[:, 0] < bounds[:, 1]):
            raise InputError("bounds_sec", "holds no spans", allowed="(K, 2) seconds, start before end")
        unknown = [name for name in self.labels if name not in TARGETS]
        if unknown:
            raise InputError("labels", nearest(unknown[0], TARGETS))
        if self.alignment is not None and len(self.alignment.performance_beat) != len(self.performance):
            raise InputError(
                "alignment",
                f"counts {len(self.alignment.performance_beat)} notes",
                allowed=f"the performance's {len(self.performance)}",
                next_step="cut both with the same bounds",
            )

    @property
    def duration_sec(self) -> float:
        """Length of the audio."""
        return len(self.audio) / self.sample_rate_hz


def moved_triple(
    triple: Triple,
    audio: FloatArray,
    time_map: TimeMap,
    semitones: int,
    valid_labels: frozenset[str],
) -> Triple:
    """The triple around a changed recording: notes, score positions, spans and labels follow it.

    Parameters
    ----------
    audio : (S',) the changed recording
    time_map, semitones
        What was done to it.
    valid_labels
        Targets whose labels still hold; the others are left out.

    Raises
    ------
    InputError
        A note would leave the keyboard.
    """
    low, high = semitone_room(triple.performance)
    if not low <= semitones <= high:
        raise InputError(
            triple.performance.source or "performance",
            f"leaves the keyboard when transposed by {semitones}",
            allowed=f"{low} to {high} semitones",
        )
    change = moved_along(triple.performance, time_map, semitones, valid_labels)
    return replace(
        triple,
        audio=audio,
        performance=change.performance,
        alignment=None if triple.alignment is None else change.alignment(triple.alignment),
        labels=change.labels(triple.labels),
        bounds_sec=time_map(triple.bounds_sec),
    )


def semitone_room(performance: Performance) -> tuple[int, int]:
    """How far a performance can be transposed down (<= 0) and up (>= 0) on an 88-key piano.

    A performance that lies outside the piano already has no room: 0, 0.
    """
    if len(performance) == 0:
        return LOWEST_PIANO_KEY - HIGHEST_PIANO_KEY, HIGHEST_PIANO_KEY - LOWEST_PIANO_KEY
    low = LOWEST_PIANO_KEY - int(performance.pitch.min())
    high = HIGHEST_PIANO_KEY - int(performance.pitch.max())
    return (low, high) if low <= 0 <= high else (0, 0)
