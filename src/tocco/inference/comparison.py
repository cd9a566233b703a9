"""Takes of one piece beside each other: their differences, and the same bars of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Annotated, Final, Literal

from pydantic import Field

from tocco.errors import MismatchError, UsageError
from tocco.inference.assessment import Assessment, Interval
from tocco.inference.bundle import Bundle
from tocco.inference.difference import RatingDifference, figures_of, rating_differences
from tocco.inference.evidence import BundleIdentity, NoteOutcome
from tocco.schema import Points, Seconds, StrictModel, laid_out

MOST_TAKES: Final = 12
"""So many can be read beside each other; `tocco rank` orders more."""

_ADDED_BEAT: Final = 0.5
"""Beats: added notes of one key that lie this close are the same in both; they have no written place."""

_ONE_PIECE: Final = "takes of one piece, all beside the same score or all without"

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Count = Annotated[int, Field(strict=True, ge=0)]


class NoteErrors(StrictModel):
    """Notes of a take that are not as written."""

    wrong: _Count
    """Another key in place of the written one."""

    missing: _Count
    """Written, not played."""

    extra: _Count
    """Played, not written."""


class ComparedTake(StrictModel):
    """One take, and what it is rated."""

    id: _Text
    """Name of its assessment."""

    ratings: dict[str, Points]
    """Dimension -> rating; "aggregate" is among them. What is missing is absent."""

    intervals: dict[str, Interval]
    """The same -> [low, high] of its own 90 % interval."""

    note_errors: NoteErrors | None
    """Null without a score."""

    notes: Literal["keys", "transcribed"]
    """Where its notes come from."""

    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
    """Hash of the recording, or of the MIDI where no recording was given."""


class PairDifference(StrictModel):
    """How one take differs from an earlier one."""

    take: _Text
    """Which one."""

    compared_with: _Text
    """With which one."""

    differences: dict[str, RatingDifference]
    """Dimension, or "aggregate" -> difference, `take` minus `compared_with`; what either lacks is absent."""

    solved: tuple[NoteOutcome, ...]
    """Note errors of `compared_with` at places that `take` played as written."""

    new: tuple[NoteOutcome, ...]
    """The reverse."""

    def reversed(self) -> PairDifference:
        """The same, seen from the other take."""
        return PairDifference(
            take=self.compared_with,
            compared_with=self.take,
            differences={name: found.reversed() for name, found in self.differences.items()},
            solved=self.new,
            new=self.solved,
        )


class ComparedBar(StrictModel):
    """A bar, with its start in every take."""

    bar: _Text
    """Printed number."""

    passage: Annotated[int, Field(ge=1)]
    """How often the bar has come by then: 2 in a repeat."""

    start_sec: tuple[Seconds | None, ...]
    """One a take; null where the take did not play it."""


class Comparison(StrictModel):
    """Takes of one piece, in the order in which they were given."""

    comparison_version: Literal["1.0"] = "1.0"
    """Version of this format."""

    takes: tuple[ComparedTake, ...]
    """In the order given, which is taken for the order in time."""

    pairs: tuple[PairDifference, ...]
    """Every take against every earlier one."""

    bars: tuple[ComparedBar, ...]
    """In the order of the score; empty without one."""

    score_sha256: str | None
    """Of the score that all were played from; null where none was given, so that nobody checked."""

    bundle: BundleIdentity
    """The model that rated all of them."""

    def pair(self, take: str, compared_with: str) -> PairDifference:
        """The differences of one take from another.

        Raises
        ------
        KeyError
            There is no such pair, or it stands the other way round.
        """
        for pair in self.pairs:
            if (pair.take, pair.compared_with) == (take, compared_with):
                return pair
        raise KeyError((take, compared_with))


def compare(assessments: Mapping[str, Assessment], bundle: Bundle) -> Comparison:
    """Compare takes of one piece.

    Parameters
    ----------
    assessments : id -> assessment, in the order in time
    bundle : that rated them

    Raises
    ------
    UsageError
        Fewer than two takes, or more than `MOST_TAKES`.
    MismatchError
        The takes are not of one score, or were not rated by one bundle.
    BundleError
        The bundle does not know how far differences can be trusted.
    """
    assert_number(len(assessments))
    names, first = list(assessments), next(iter(assessments.values()))
    figures = figures_of(bundle.calibration.differences, bundle.config.name)
    for name, assessment in assessments.items():
        _assert_rated_by(bundle, name, assessment)
        _assert_comparable(names[0], first, name, assessment)
    errors = {name: _errors_by_place(one) for name, one in assessments.items()}
    pairs = tuple(
        PairDifference(
            take=later,
            compared_with=earlier,
            differences=rating_differences(
                assessments[later],
                assessments[earlier],
                figures,
                same_music=True,
                loss=bundle.calibration.transcription,
            ),
            solved=_only_in(errors[earlier], errors[later], assessments[later]),
            new=_only_in(errors[later], errors[earlier], assessments[earlier]),
        )
        for earlier, later in combinations(names, 2)
    )
    return Comparison(
        takes=tuple(_take(name, one) for name, one in assessments.items()),
        pairs=pairs,
        bars=common_bars(list(assessments.values())),
        score_sha256=None if first.inputs.score is None else first.inputs.score.sha256,
        bundle=first.bundle,
    )


def assert_number(n_takes: int) -> None:
    """Refuse fewer than two takes, and more than can be read beside each other.

    Raises
    ------
    UsageError
        It is so.
    """
    if not 2 <= n_takes <= MOST_TAKES:
        raise UsageError(
            "compare",
            f"got {n_takes} performance{'s' if n_takes != 1 else ''}",
            allowed=f"2 to {MOST_TAKES} takes of one piece",
            next_step="`tocco assess` rates one, `tocco rank` orders many",
        )


def _assert_comparable(name: str, one: Assessment, other_name: str, other: Assessment) -> None:
    mine, theirs = (None if a.inputs.score is None else a.inputs.score.sha256 for a in (one, other))
    if mine == theirs:
        return
    if mine is None or theirs is None:
        with_score, without = (name, other_name) if theirs is None else (other_name, name)
        raise MismatchError(
            without,
            f"was rated without a score, and {with_score} with one",
            allowed=_ONE_PIECE,
            next_step="give the same score for all",
        )
    raise MismatchError(
        other_name,
        f"was rated beside another score than {name}",
        allowed=_ONE_PIECE,
        next_step="`tocco rank` orders performances of different pieces",
    )


def _assert_rated_by(bundle: Bundle, name: str, assessment: Assessment) -> None:
    if assessment.bundle.sha256 != bundle.sha256:
        raise MismatchError(
            name,
            f"was rated by {assessment.bundle.name} {assessment.bundle.version} "
            f"({assessment.bundle.sha256[:12]}), and this is {bundle.config.name} {bundle.config.version} "
            f"({bundle.sha256[:12]})",
            allowed="takes that this bundle rated",
            next_step="assess it again, or name its bundle with --bundle",
        )


def _performance_sha256(assessment: Assessment) -> str:
    inputs = assessment.inputs
    return inputs.audio.sha256 if inputs.audio.origin == "given" else inputs.midi.sha256


def _take(name: str, assessment: Assessment) -> ComparedTake:
    rated = {**assessment.ratings, "aggregate": assessment.aggregate}
    counts = None if assessment.alignment is None else assessment.alignment.counts
    return ComparedTake(
        id=name,
        ratings={key: one.value for key, one in rated.items() if one.value is not None},
        intervals={key: one.interval_90 for key, one in rated.items() if one.interval_90 is not None},
        note_errors=None
        if counts is None
        else NoteErrors(wrong=counts["substitution"], missing=counts["deletion"], extra=counts["insertion"]),
        notes=assessment.inputs.notes,
        sha256=_performance_sha256(assessment),
    )


_Place = tuple[str, float, int]
"""Bar, beat and pitch of a written note that was not played, or of a played one that is not written."""


def _errors_by_place(assessment: Assessment) -> dict[tuple[str, _Place], NoteOutcome]:
    """(kind, place) -> note; of several of one kind at one place (in a repeat) the first."""
    report = assessment.alignment
    found: dict[tuple[str, _Place], NoteOutcome] = {}
    if report is None:
        return found
    for kind, notes in (
        ("written", (*report.substitution, *report.deletion)),
        ("added", report.insertion),
    ):
        for note in notes:
            pitch = note.expected_pitch if kind == "written" else note.played_pitch
            beat = round(note.beat, 2) if kind == "written" else round(note.beat / _ADDED_BEAT) * _ADDED_BEAT
            found.setdefault((kind, (note.bar, beat, pitch or 0)), note)
    return found


def _only_in(
    errors: Mapping[tuple[str, _Place], NoteOutcome],
    others: Mapping[tuple[str, _Place], NoteOutcome],
    other: Assessment,
) -> tuple[NoteOutcome, ...]:
    """Errors that another take, which played the bar, does not have, in the order of time."""
    played = {name for name, _ in other.alignment.bars} if other.alignment is not None else set()
    found = [note for key, note in errors.items() if key not in others and note.bar in played]
    return tuple(sorted(found, key=lambda note: note.time_sec))


def common_bars(assessments: Sequence[Assessment]) -> tuple[ComparedBar, ...]:
    """The bars of all takes in the order of the score, each bar of a repeat for itself."""
    starts = [_starts(one) for one in assessments]
    order: list[tuple[str, int]] = []
    for of_take in starts:
        place = 0
        for key in of_take:
            if key in order:
                place = order.index(key) + 1
            else:
                order.insert(place, key)
                place += 1
    return tuple(
        ComparedBar(
            bar=bar, passage=passage, start_sec=tuple(of_take.get((bar, passage)) for of_take in starts)
        )
        for bar, passage in order
    )


def _starts(assessment: Assessment) -> dict[tuple[str, int], float]:
    """(printed number, how often it has come) -> second of the bar line."""
    if assessment.alignment is None:
        return {}
    seen: dict[str, int] = {}
    found = {}
    for name, sec in assessment.alignment.bars:
        seen[name] = seen.get(name, 0) + 1
        found[(name, seen[name])] = sec
    return found


def comparison_json(comparison: Comparison) -> str:
    """The text of the file."""
    return laid_out(comparison.model_dump(mode="json")) + "\n"
