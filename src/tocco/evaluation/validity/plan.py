"""Which cases the suite asks about, by size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeVar

from tocco.data.records import LabelRecord
from tocco.evaluation.validity.case import Case
from tocco.evaluation.validity.changes import SOUND_CHANGES, SYMBOLIC_CHANGES
from tocco.evaluation.validity.excerpts import chosen_takes, other_takes
from tocco.evaluation.validity.graded import GradedTake
from tocco.evaluation.validity.kinds import DAMAGES, PIANIST, RENDERING, STEPS, WHOLE_FILES
from tocco.evaluation.validity.made_up import NO_MUSIC
from tocco.evaluation.validity.rows import Modality, RowPart

_Item = TypeVar("_Item")

SCORED: Final[Modality] = "keys_score"
MODALITIES: Final[tuple[Modality, ...]] = ("keys_score", "keys", "transcribed_score")


@dataclass(frozen=True)
class Size:
    """How much is asked.

    Attributes
    ----------
    n_excerpts : pieces whose excerpt is damaged, notes of the keys with the score
    n_others : how many of them also in the other modalities
    n_professionals : pieces whose undamaged excerpt is assessed
    n_changed, n_recorded : excerpts for the changes of notes, and of sound
    n_passages, n_pianists : passages with a mechanical rendering, and the pianists of each
    n_no_music : of each sort of playing that is no music
    steps : severities, of five
    """

    n_excerpts: int
    n_others: int
    n_professionals: int
    n_changed: int
    n_recorded: int
    n_passages: int
    n_pianists: int
    n_no_music: int
    steps: tuple[int, ...] = STEPS


FULL: Final = Size(12, 12, 60, 12, 4, 24, 6, 20)
"""At most an hour on two cores."""

QUICK: Final = Size(2, 1, 10, 2, 1, 5, 3, 5, steps=(3, 5))
"""About five minutes on two cores."""


@dataclass(frozen=True)
class Material:
    """What the suite draws from.

    Attributes
    ----------
    takes : of pianists, with scores
    pieces : names of the pieces of `takes` that may be used
    graded : takes that teachers graded
    passages : label records with renderings of the score
    seconds : length of the excerpts
    seed
    """

    takes: Sequence[LabelRecord]
    pieces: Sequence[str]
    graded: Sequence[GradedTake] = field(default=())
    passages: Sequence[LabelRecord] = field(default=())
    seconds: float = 24.0
    seed: int = 0


@dataclass(frozen=True)
class Plan:
    """What is asked.

    Attributes
    ----------
    cases : those of one take beside each other
    passed_over : take -> why it has no excerpt; another piece is in its place
    """

    cases: tuple[Case, ...]
    passed_over: Mapping[str, str]


def planned(material: Material, size: Size) -> Plan:
    """All cases; excerpts in random order of their pieces.

    Damage with the score comes before damage in the other modalities: an interrupted run says something
    of every piece.
    """
    n = max(size.n_excerpts, size.n_professionals, size.n_changed, size.n_recorded)
    chosen = chosen_takes(material.takes, material.pieces, n, material.seconds, material.seed)
    cases = [*_graded(material), *_no_music(material, size), *_passages(material, size)]
    for place, take in enumerate(chosen.takes[: max(size.n_excerpts, size.n_changed, size.n_recorded)]):
        cases += _of_excerpt(material, size, take, place)
    for take in chosen.takes[: size.n_others]:
        cases += [one for modality in MODALITIES[1:] for one in _damages(material, size, take, modality)]
    for take in chosen.takes[size.n_excerpts : size.n_professionals]:
        cases += _clean(material, take)
    return Plan(tuple(cases), chosen.passed_over)


def _of_excerpt(material: Material, size: Size, take: LabelRecord, place: int) -> list[Case]:
    cases = []
    if place < size.n_excerpts:
        cases += _clean(material, take)
        cases += _damages(material, size, take, SCORED)
        cases += _deadpan(material, size, take)
    if place < size.n_changed:
        cases += [_case(material, take, "invariance", kind, SCORED) for kind in SYMBOLIC_CHANGES]
    if place < size.n_recorded:
        cases += [_case(material, take, "invariance", kind, "sound") for kind in SOUND_CHANGES]
    return cases


def _clean(material: Material, take: LabelRecord) -> list[Case]:
    return [_case(material, take, "clean", "", modality) for modality in MODALITIES]


def _damages(material: Material, size: Size, take: LabelRecord, modality: Modality) -> list[Case]:
    return [_case(material, take, "damage", kind, modality, steps=size.steps) for kind in DAMAGES]


def _deadpan(material: Material, size: Size, take: LabelRecord) -> list[Case]:
    """A rendering of the excerpt, and other pianists' takes of it."""
    cases = [_case(material, take, "deadpan", RENDERING, SCORED)]
    for other in other_takes(material.takes, take, size.n_pianists - 1):
        one = _case(material, other, "deadpan", PIANIST, SCORED, reference=take)
        cases.append(one)
    return cases


def _case(
    material: Material,
    take: LabelRecord,
    part: RowPart,
    kind: str,
    modality: Modality,
    steps: tuple[int, ...] = (),
    reference: LabelRecord | None = None,
) -> Case:
    return Case(
        part=part,
        kind=kind,
        modality=modality,
        take=take.segment_id,
        piece=take.piece_id,
        midi=take.midi_path,
        score=take.score_path if reference is None else reference.score_path,
        steps=steps,
        seconds=material.seconds,
        seed=material.seed,
        reference=None if reference is None else reference.midi_path,
    )


def _graded(material: Material) -> list[Case]:
    return [
        Case("graded", "", "transcribed_score", take.id, take.piece, take.midi, take.score)
        for take in material.graded
    ]


def _passages(material: Material, size: Size) -> list[Case]:
    """Renderings and pianists of passages that have both."""
    of_passage: dict[str, list[LabelRecord]] = {}
    for record in sorted(material.passages, key=lambda record: record.segment_id):
        if record.midi_path is not None and record.score_path is not None:
            of_passage.setdefault(record.passage_id or record.piece_id, []).append(record)
    both = {
        name: several
        for name, several in of_passage.items()
        if any(r.is_score_rendering for r in several) and any(not r.is_score_rendering for r in several)
    }
    cases = []
    for name in _spread(sorted(both), size.n_passages):
        pianists = [r for r in both[name] if not r.is_score_rendering]
        rendering = next(r for r in both[name] if r.is_score_rendering)
        for record in (rendering, *_spread(pianists, size.n_pianists)):
            kind = WHOLE_FILES[0 if record.is_score_rendering else 1]
            named = (record.segment_id, name, record.midi_path, record.score_path)
            cases.append(Case("deadpan", kind, SCORED, *named))
    return cases


def _spread(several: Sequence[_Item], n: int) -> list[_Item]:
    """So many of a list, evenly spread."""
    if len(several) <= n:
        return list(several)
    return [several[k * len(several) // n] for k in range(n)]


def _no_music(material: Material, size: Size) -> list[Case]:
    return [
        Case("abstention", kind, "keys", f"{kind}_{k}", kind, seed=material.seed)
        for kind in NO_MUSIC
        for k in range(size.n_no_music)
    ]
