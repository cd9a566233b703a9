"""Which way through a score was played: from the bars that an assessment names."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from tocco.inference.evidence import AlignmentReport, NoteOutcome
from tocco.music.places import place_of
from tocco.music.score import Score
from tocco.units import FloatArray

NoteKey = tuple[str, float, int]
"""What an assessment says of a written note: printed bar, beat in the bar, key."""


@dataclass(frozen=True, eq=False)
class PlayedReading:
    """A way through a score, with the time of its bars.

    Attributes
    ----------
    score
    first : index of the first bar that was played
    bar_sec : (P,) seconds, when each bar from there on was reached
    """

    score: Score
    first: int
    bar_sec: FloatArray

    @property
    def bars(self) -> range:
        """Indices of the bars that were played."""
        return range(self.first, self.first + len(self.bar_sec))

    @cached_property
    def note_keys(self) -> tuple[NoteKey, ...]:
        """(S,) what an assessment calls each note of the score."""
        places = (place_of(self.score, float(onset)) for onset in self.score.onset_beat)
        pitches = self.score.pitch.tolist()
        return tuple((bar, beat, pitch) for (bar, beat), pitch in zip(places, pitches, strict=True))

    def bar_at(self, name: str, time_sec: float) -> int | None:
        """Index of the played bar of a printed name that is nearest to a time; None where there is none."""
        named = [bar for bar in self.bars if self.score.bar_name[bar] == name]
        ends = np.append(self.bar_sec[1:], np.inf)

        def away(bar: int) -> float:
            start, end = self.bar_sec[bar - self.first], ends[bar - self.first]
            return float(max(start - time_sec, time_sec - end, 0.0))

        return min(named, key=away, default=None)

    def due_sec(self) -> FloatArray:
        """(S,) seconds at which each note was due, evenly within its bar."""
        onset = self.score.bar_onset_beat[list(self.bars)]
        length = self.score.bar_beats[self.bars[-1]]
        pace = (self.bar_sec[-1] - self.bar_sec[0]) / max(onset[-1] - onset[0], 1.0) or 0.5
        beat = np.append(onset, onset[-1] + length)
        sec = np.append(self.bar_sec, self.bar_sec[-1] + pace * length)
        return np.interp(self.score.onset_beat, beat, sec)


def played_reading(readings: Sequence[Score], report: AlignmentReport) -> PlayedReading | None:
    """The reading with the bars and the notes that were played; None where no reading has these bars.

    Parameters
    ----------
    readings : every way through the score
    report : of the performance
    """
    names = tuple(name for name, _ in report.bars)
    if not names:
        return None
    sec = np.array([start for _, start in report.bars])
    ordered = sorted(readings, key=lambda score: score.repeats != report.repeats)
    found = [PlayedReading(score, first, sec) for score in ordered for first in _starts(score, names)]
    if len(found) < 2:
        return found[0] if found else None
    return max(found, key=lambda one: _agreement(one, report))


def _starts(score: Score, names: tuple[str, ...]) -> Iterator[int]:
    """Where the bars of these names stand one after another."""
    for first in range(len(score.bar_name) - len(names) + 1):
        if tuple(score.bar_name[first : first + len(names)]) == names:
            yield first


def written_outcomes(report: AlignmentReport) -> Iterator[tuple[str, NoteOutcome]]:
    """Every written note that an assessment speaks of, and what became of it."""
    for kind, notes in (
        ("right", report.match),
        ("wrong", report.substitution),
        ("missing", report.deletion),
        ("unheard", report.unheard),
    ):
        for note in notes:
            yield kind, note


def key_of(note: NoteOutcome) -> NoteKey:
    """What an assessment calls a written note."""
    return note.bar, note.beat, note.expected_pitch or 0


def _agreement(reading: PlayedReading, report: AlignmentReport) -> int:
    """How many of the outcomes have a note among the bars of a reading."""
    score, bars = reading.score, reading.bars
    inside = (score.bar >= bars[0]) & (score.bar <= bars[-1])
    has = Counter(key for key, there in zip(reading.note_keys, inside, strict=True) if there)
    spoken = Counter(key_of(note) for _, note in written_outcomes(report))
    return (has & spoken).total()
