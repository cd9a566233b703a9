"""What became of every printed note, each time that its bar was played."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from tocco.inference.evidence import AlignmentReport, NoteOutcome
from tocco.music.names import written_name
from tocco.music.numbered_score import NumberedScore, number_of
from tocco.report.played_reading import PlayedReading, key_of, written_outcomes
from tocco.units import FloatArray

KINDS: Final = ("wrong", "missing", "unheard", "extra")
"""What is drawn; a note that was right is not."""


@dataclass(frozen=True)
class Turn:
    """One of the times that a bar was played.

    Attributes
    ----------
    number : 1 for the first time
    of : how often it was played in all
    """

    number: int
    of: int

    @property
    def words(self) -> str:
        """For people; empty where the bar was played once.

        >>> Turn(2, 2).words, Turn(1, 1).words
        ('2nd time', '')
        """
        suffix = {1: "st", 2: "nd", 3: "rd"}.get(self.number, "th")
        return f"{self.number}{suffix} time" if self.of > 1 else ""


@dataclass(frozen=True)
class Event:
    """One written note, once.

    Attributes
    ----------
    kind : "right" | "wrong" | "missing" | "unheard"
    note : as the assessment names it
    turn : of its bar
    """

    kind: str
    note: NoteOutcome
    turn: Turn


@dataclass(frozen=True)
class Extra:
    """A note that was played and is not written.

    Attributes
    ----------
    note : as the assessment names it
    bar : place of its bar in the file, from 0
    turn : of its bar
    """

    note: NoteOutcome
    bar: int
    turn: Turn


@dataclass(frozen=True)
class Printed:
    """A printed note that is struck.

    Attributes
    ----------
    name : as printed, "F#4"
    bar : place of its bar in the file, from 0
    beat : in the bar, which starts at 1
    is_small : a grace note stands on the beat of its main note
    """

    name: str
    bar: int
    beat: float
    is_small: bool


@dataclass(frozen=True, eq=False)
class Outcomes:
    """What was played, on the printed page.

    Attributes
    ----------
    reading
    bar_place : index of a bar of the reading -> its place in the file, from 0
    turns : index of a bar that was played -> which time it was
    events : number of a printed note -> what became of it, in order of time
    extras : in order of time
    lost : how many outcomes have no printed note
    """

    reading: PlayedReading
    bar_place: tuple[int, ...]
    turns: Mapping[int, Turn]
    events: Mapping[int, tuple[Event, ...]]
    extras: tuple[Extra, ...]
    lost: int

    def place_at(self, name: str, time_sec: float) -> int | None:
        """Place in the file of the bar of a printed name that was played nearest to a time."""
        bar = self.reading.bar_at(name, time_sec)
        return None if bar is None else self.bar_place[bar]

    def turn_at(self, name: str, time_sec: float) -> Turn:
        """Which time it was that this bar was played."""
        bar = self.reading.bar_at(name, time_sec)
        return Turn(1, 1) if bar is None else self.turns[bar]

    @cached_property
    def bar_names(self) -> Mapping[int, str]:
        """Place of a bar in the file -> its printed number."""
        return dict(zip(self.bar_place, self.reading.score.bar_name, strict=True))

    @cached_property
    def printed(self) -> Mapping[int, Printed]:
        """Number of a note -> what is printed."""
        return _printed(self)


def outcomes_of(numbered: NumberedScore, reading: PlayedReading, report: AlignmentReport) -> Outcomes:
    """Gather what an assessment says of the notes of a score, by printed note.

    Parameters
    ----------
    numbered : from MusicXML
    reading : that was played
    report : of the performance
    """
    numbers = _numbers(reading)
    places = _bar_places(numbered, reading, numbers)
    turns = _turns(reading)
    events: defaultdict[int, list[Event]] = defaultdict(list)
    lost = 0
    for written, kind, note in _paired(reading, report):
        number = None if written is None else numbers[written]
        if written is None or number is None:
            lost += 1
            continue
        events[number].append(Event(kind, note, turns.get(int(reading.score.bar[written]), Turn(1, 1))))
    return Outcomes(
        reading=reading,
        bar_place=places,
        turns=turns,
        events={n: tuple(sorted(found, key=lambda e: e.note.time_sec)) for n, found in events.items()},
        extras=tuple(_extras(reading, report, places, turns)),
        lost=lost,
    )


def _numbers(reading: PlayedReading) -> list[int | None]:
    """Number of the printed note of each note of a reading.

    The strokes of a tremolo that is written out stand on the one note that is printed for them.
    """
    score = reading.score
    found = [number_of(name) for name in score.note_id]
    printed: dict[tuple[int, int], int] = {}
    for k, (bar, pitch) in enumerate(zip(score.bar.tolist(), score.pitch.tolist(), strict=True)):
        number = found[k]
        if number is not None:
            printed[bar, pitch] = number
        else:
            found[k] = printed.get((bar, pitch))
    return found


def _bar_places(
    numbered: NumberedScore, reading: PlayedReading, numbers: Sequence[int | None]
) -> tuple[int, ...]:
    """Place in the file of each bar of a reading, by its notes; bars of rests follow the one before."""
    score = reading.score
    printed = score.bar_printed or tuple(range(len(score.bar_name)))
    known: dict[int, int] = {}
    for bar, number in zip(score.bar.tolist(), numbers, strict=True):
        if number is not None:
            known.setdefault(printed[bar], numbered.bar_of_note[number])
    place = -1
    places: dict[int, int] = {}
    for bar in range(max(printed, default=-1) + 1):
        place = known.get(bar, min(place + 1, numbered.n_bars - 1))
        places[bar] = place
    return tuple(places[bar] for bar in printed)


def _turns(reading: PlayedReading) -> dict[int, Turn]:
    """Index of each played bar -> which time it was of how many."""
    printed = reading.score.bar_printed or tuple(range(len(reading.score.bar_name)))
    by_bar: defaultdict[int, list[int]] = defaultdict(list)
    for bar in reading.bars:
        by_bar[printed[bar]].append(bar)
    return {bar: Turn(k, len(passes)) for passes in by_bar.values() for k, bar in enumerate(passes, start=1)}


def _paired(reading: PlayedReading, report: AlignmentReport) -> Iterator[tuple[int | None, str, NoteOutcome]]:
    """Every outcome with the note of the reading that it speaks of."""
    due = reading.due_sec()
    written: defaultdict[tuple[str, float, int], list[int]] = defaultdict(list)
    for note, key in enumerate(reading.note_keys):
        written[key].append(note)
    spoken: defaultdict[tuple[str, float, int], list[tuple[str, NoteOutcome]]] = defaultdict(list)
    for kind, outcome in written_outcomes(report):
        spoken[key_of(outcome)].append((kind, outcome))
    for key, said in spoken.items():
        said.sort(key=lambda one: one[1].time_sec)
        chosen = _nearest(written[key], [one.time_sec for _, one in said], due)
        for note, (kind, outcome) in zip(chosen, said, strict=True):
            yield note, kind, outcome


def _nearest(notes: Sequence[int], times: Sequence[float], due: FloatArray) -> list[int | None]:
    """For each time the note that was due then, each note once; None where no note is left."""
    if len(notes) == len(times):
        return list(notes)
    chosen: list[int | None] = [None] * len(times)
    free = set(notes)
    distances = sorted((abs(due[note] - sec), k, note) for k, sec in enumerate(times) for note in notes)
    for _, k, note in distances:
        if chosen[k] is None and note in free:
            chosen[k] = note
            free.discard(note)
    return chosen


def _extras(
    reading: PlayedReading, report: AlignmentReport, places: Sequence[int], turns: Mapping[int, Turn]
) -> Iterator[Extra]:
    for note in sorted(report.insertion, key=lambda one: one.time_sec):
        bar = reading.bar_at(note.bar, note.time_sec)
        if bar is not None:
            yield Extra(note, places[bar], turns[bar])


def _printed(outcomes: Outcomes) -> Mapping[int, Printed]:
    score = outcomes.reading.score
    found: dict[int, Printed] = {}
    for k, name in enumerate(score.note_id):
        number = number_of(name)
        if number is not None and number not in found:
            bar = int(score.bar[k])
            beat = float(score.onset_beat[k] - score.bar_onset_beat[bar]) + 1.0
            is_small = bool(score.is_grace[k])
            found[number] = Printed(written_name(score, k), outcomes.bar_place[bar], beat, is_small)
    return found
