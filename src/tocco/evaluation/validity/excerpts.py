"""Excerpts of takes, with their whole score."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np

from tocco.data.pseudo_labelling import generator_of
from tocco.data.records import LabelRecord
from tocco.errors import InputError, ToccoError
from tocco.files import file_name
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi, segment_midi
from tocco.music.performance import Performance
from tocco.music.score import Score, score_readings

FEWEST_NOTES: Final = 40
LEAST_AGREEMENT: Final = 0.9
"""An undamaged excerpt agrees with its score at least so much: else the score is of another edition."""
_PLACES: Final = 12
"""Places of a take that are tried, in random order, before it is refused."""


@dataclass(frozen=True, eq=False)
class Excerpt:
    """A part of a take.

    Attributes
    ----------
    performance : on a clock that starts with the excerpt
    alignment : with the whole score
    start_sec : in the take
    """

    performance: Performance
    alignment: Alignment
    start_sec: float


@dataclass(frozen=True)
class ChosenTakes:
    """Takes that have an excerpt.

    Attributes
    ----------
    takes : one of each piece, in random order
    passed_over : take -> why it has none
    """

    takes: tuple[LabelRecord, ...]
    passed_over: Mapping[str, str]


def chosen_takes(
    records: Sequence[LabelRecord], pieces: Sequence[str], n: int, seconds: float, seed: int
) -> ChosenTakes:
    """One take each of so many pieces in random order; those of a smaller number are among a larger one's.

    Parameters
    ----------
    records
    pieces : names of the pieces that may be used
    n : pieces; all of them where there are fewer
    seconds : length of the excerpts
    seed
    """
    takes: list[LabelRecord] = []
    passed_over: dict[str, str] = {}
    for take in _in_random_order(records, pieces, seed):
        if len(takes) == n:
            break
        try:
            excerpt_of(Path(str(take.midi_path)), Path(str(take.score_path)), take.piece_id, seconds, seed)
        except ToccoError as error:
            passed_over[take.segment_id] = error.problem
        else:
            takes.append(take)
    return ChosenTakes(tuple(takes), passed_over)


def _in_random_order(
    records: Sequence[LabelRecord], pieces: Sequence[str], seed: int
) -> Iterator[LabelRecord]:
    """A take of each piece; of versions of the same music (one `cluster_id`) only one."""
    allowed = {file_name(piece) for piece in pieces}
    of_piece: dict[str, list[LabelRecord]] = {}
    for record in sorted(records, key=lambda record: record.segment_id):
        if file_name(record.piece_id) in allowed and _is_usable(record):
            of_piece.setdefault(record.cluster_id or record.piece_id, []).append(record)
    names = sorted(of_piece)
    for place in generator_of("order of the pieces", seed).permutation(len(names)):
        takes = of_piece[names[place]]
        yield takes[int(generator_of(names[place], seed).integers(len(takes)))]


def other_takes(records: Sequence[LabelRecord], take: LabelRecord, n: int) -> list[LabelRecord]:
    """Up to so many takes of the same piece by others."""
    same = [r for r in records if r.piece_id == take.piece_id and r.segment_id != take.segment_id]
    return sorted((r for r in same if _is_usable(r)), key=lambda record: record.segment_id)[:n]


def _is_usable(record: LabelRecord) -> bool:
    return bool(record.midi_path and record.score_path) and not (
        record.is_score_rendering or record.is_transcribed
    )


@lru_cache(maxsize=2)
def readings(score: Path) -> tuple[Score, ...]:
    """The readings of a score, parsed once for the cases that follow each other."""
    return score_readings(score)


@lru_cache(maxsize=2)
def excerpt_of(midi: Path, score: Path, name: str, seconds: float, seed: int) -> Excerpt:
    """The excerpt of a take: the first of some random places where it agrees with its score.

    Raises
    ------
    InputError
        No place has enough notes that agree.
    """
    take = load_midi(midi)
    rng = generator_of(name, seed)
    latest = max(take.duration_sec - seconds, 0.0)
    for start_sec in rng.uniform(0.05, 0.95, _PLACES) * latest:
        played = cut(take, float(start_sec), float(start_sec) + seconds)
        if len(played) < FEWEST_NOTES:
            continue
        alignment = align_performance_to_score(played, readings(score))
        if alignment.match_rate >= LEAST_AGREEMENT:
            return Excerpt(played, alignment, float(start_sec))
    raise InputError(
        midi,
        f"has no place of {seconds:g} s that agrees with its score",
        allowed=f"{FEWEST_NOTES} notes, {LEAST_AGREEMENT:.0%} of them as written",
        next_step="leave the piece out of --pieces",
    )


def cut(take: Performance, start_sec: float, end_sec: float) -> Performance:
    """The notes that are struck in a part of a take, with the pedals; keys are up at its end."""
    part = segment_midi(take, np.array([[start_sec, end_sec]]))[0]
    struck = part.only(part.struck_inside)
    return Performance(
        onset_sec=struck.onset_sec,
        offset_sec=np.minimum(struck.offset_sec, struck.duration_sec),
        pitch=struck.pitch,
        velocity=struck.velocity,
        sustain=struck.sustain,
        sostenuto=struck.sostenuto,
        soft=struck.soft,
        duration_sec=struck.duration_sec,
        source=struck.source,
    )
