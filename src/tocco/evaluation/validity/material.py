"""The files of every case: written into a folder as a user would have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.data.pseudo_labelling import generator_of
from tocco.errors import InputError
from tocco.evaluation.validity.case import Case, Files
from tocco.evaluation.validity.changes import CHANGES
from tocco.evaluation.validity.composites import COMPOSITE_MAKERS, Damaged, damaged_by
from tocco.evaluation.validity.excerpts import Excerpt, cut, excerpt_of, readings
from tocco.evaluation.validity.kinds import DAMAGES, RENDERING, STEPS, WHOLE_FILES
from tocco.evaluation.validity.made_up import NO_MUSIC, mechanical
from tocco.evaluation.validity.rows import Modality, RowName, RowPart
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import corrupt
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import Performance
from tocco.music.transcriber_noise import HeardBefore, transcriber_noise

Made = Iterator[tuple[RowName, Files]]


def files_of(case: Case, folder: Path) -> Made:
    """The files of a case, one set for each row, written when they are asked for.

    Raises
    ------
    ToccoError
        The case does not apply to its take.
    """
    yield from _MAKERS[case.part](case, folder)


def _clean(case: Case, folder: Path) -> Made:
    found = _excerpt(case)
    whole = np.arange(len(found.performance))
    heard = _heard(case, found.performance, Damaged(found.performance, whole))
    yield case.row(), _written(heard, folder, _score(case))


def _damaged(case: Case, folder: Path) -> Made:
    found = _excerpt(case)
    for step in case.steps:
        dose = DAMAGES[case.kind].doses[STEPS.index(step)]
        worse = _damage(case, found, dose)
        heard = _heard(case, found.performance, worse)
        yield case.row(step), _written(heard, folder, _score(case))


def _damage(case: Case, found: Excerpt, dose: float) -> Damaged:
    """The excerpt with one damage; the same draws for every dose and in every modality."""
    rng = generator_of(f"{case.take} {case.kind}", case.seed)
    if case.kind in COMPOSITE_MAKERS:
        return damaged_by(case.kind, found.performance, dose, rng, found.alignment)
    made = corrupt(found.performance, case.kind, dose, rng, alignment=found.alignment)
    return Damaged(made.performance, made.new_of_old)


def _changed(case: Case, folder: Path) -> Made:
    found = _excerpt(case)
    change = CHANGES[case.kind]
    midi, score = _files(case)
    take = load_midi(midi)
    start, end = found.start_sec, found.start_sec + case.seconds
    later = min(change.later_sec, take.duration_sec - end)
    played = found.performance if later == 0.0 else cut(take, max(start + later, 0.0), end + later)
    files = _written(change.playing(played), folder, change.score(score, folder))
    sound = change.sound(played, folder)
    yield case.row(), replace(files, audio=sound)


def _deadpan(case: Case, folder: Path) -> Made:
    """A mechanical rendering of an excerpt, another pianist's take of it, or a file that is there."""
    midi, score = _files(case)
    if case.kind in WHOLE_FILES:
        yield case.row(), Files(midi, _given(case, score))
        return
    found = excerpt_of(case.reference or midi, score, case.piece, case.seconds, case.seed)
    beat = found.alignment.performance_beat
    start_beat, end_beat = float(beat.min()), float(beat.max())
    if case.kind == RENDERING:
        rendered = mechanical(found.alignment, start_beat, end_beat)
        yield case.row(), _written(rendered, folder, _score(case))
        return
    take = load_midi(midi)
    whole = align_performance_to_score(take, readings(score))
    start_sec, end_sec = np.sort(whole.sec_at(np.array([start_beat, end_beat])))
    played = cut(take, max(float(start_sec) - 0.1, 0.0), float(end_sec) + 0.5)
    if not len(played):
        raise InputError(midi, "has no notes in the passage")
    yield case.row(), _written(played, folder, _score(case))


def _graded(case: Case, folder: Path) -> Made:
    del folder  # its files are there
    midi, score = _files(case)
    yield case.row(), Files(midi, _given(case, score))


def _no_music(case: Case, folder: Path) -> Made:
    made = NO_MUSIC[case.kind](generator_of(case.take, case.seed))
    yield case.row(), _written(made, folder, None)


_MAKERS: Final[Mapping[RowPart, Callable[[Case, Path], Made]]] = MappingProxyType(
    {
        "clean": _clean,
        "damage": _damaged,
        "invariance": _changed,
        "deadpan": _deadpan,
        "graded": _graded,
        "abstention": _no_music,
    }
)


def _files(case: Case) -> tuple[Path, Path]:
    if case.midi is None or case.score is None:
        raise InputError(case.take, "has no MIDI with a score", next_step="leave it out of the takes")
    return case.midi, case.score


def _given(case: Case, score: Path) -> Path | None:
    return score if _has_score(case.modality) else None


def _score(case: Case) -> Path | None:
    return _given(case, _files(case)[1])


def _has_score(modality: Modality) -> bool:
    return modality != "keys"


def _excerpt(case: Case) -> Excerpt:
    return excerpt_of(*_files(case), case.piece, case.seconds, case.seed)


def _heard(case: Case, clean: Performance, damaged: Damaged) -> Performance:
    """The notes in the modality of the case.

    A transcriber errs in the same places of an excerpt whether it is damaged or not.
    """
    if case.modality != "transcribed_score":
        return damaged.performance
    rng = generator_of(f"{case.take} heard", case.seed)
    before = HeardBefore(clean, damaged.new_of_old)
    return transcriber_noise(damaged.performance, rng, before=before).performance


def _written(played: Performance, folder: Path, score: Path | None) -> Files:
    midi = folder / "performance.mid"
    save_midi(_from_zero(played), midi)
    return Files(midi, score)


def _from_zero(played: Performance) -> Performance:
    """A performance whose clock starts no later than its first event: damage may have moved it before 0."""
    pedals = (played.sustain, played.sostenuto, played.soft)
    first = min(float(played.onset_sec.min()), *(float(c.time_sec[0]) for c in pedals if len(c)), 0.0)
    return played.shifted(-first) if first < 0.0 else played
