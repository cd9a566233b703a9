"""Rules of competitions: own students are not judged, and marks far off those of the others are changed.

A rule looks at the marks as they were given, never at what another was moved to, so that the order of the
jurors has no influence. What a rule changes is returned with its reason.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from tocco.errors import UsageError
from tocco.ranking.jury import Jury, Mark, Recusal, Vote

LEAST_OTHERS: Final = 2
"""A mark is compared with the mean of at least so many others: of two jurors each is far off the other."""


@dataclass(frozen=True)
class Change:
    """A mark that a rule changed.

    Attributes
    ----------
    mark : as it was given
    value : what counts instead; None where it was left out
    reason
    """

    mark: Mark
    value: float | None
    reason: str


@dataclass(frozen=True)
class Rules:
    """Which marks are changed.

    Attributes
    ----------
    correct_beyond : marks that are more points off the mean of the others are moved to that bound
    delete_beyond : marks that are more points off it are left out

    Raises
    ------
    UsageError
        A mark to be left out would be nearer to the mean than one to be moved.
    """

    correct_beyond: float | None = None
    delete_beyond: float | None = None

    def __post_init__(self) -> None:
        corrected, deleted = self.correct_beyond, self.delete_beyond
        if corrected is not None and deleted is not None and deleted <= corrected:
            raise UsageError(
                "--delete-beyond",
                f"is {self.delete_beyond:g}, and --correct-beyond is {self.correct_beyond:g}",
                allowed="more than --correct-beyond",
                next_step="use one of the two rules, or delete farther off than you correct",
            )


@dataclass(frozen=True)
class Ruled:
    """What counts of a jury after the rules.

    Attributes
    ----------
    jury : marks and votes that count
    given : marks as they were given, without those of recused jurors
    changes : in the order of the marks: deleted first, then corrected
    recused : marks that were left out since the juror may not judge the performance
    recused_votes : the same of votes
    """

    jury: Jury
    given: tuple[Mark, ...]
    changes: tuple[Change, ...]
    recused: tuple[Mark, ...]
    recused_votes: tuple[Vote, ...]


def apply_rules(jury: Jury, rules: Rules) -> Ruled:
    """Leave out what recused jurors said, then delete and correct marks far off the mean of the others."""
    barred = {(one.juror, one.performance) for one in jury.recusals}
    given = tuple(one for one in jury.marks if (one.juror, one.performance) not in barred)
    votes = tuple(one for one in jury.votes if not {(one.juror, one.better), (one.juror, one.worse)} & barred)
    deleted = _changes(given, rules.delete_beyond, lambda mark, mean, far: None, "left out")
    gone = {change.mark for change in deleted}
    left = tuple(one for one in given if one not in gone)
    corrected = _changes(left, rules.correct_beyond, _moved, "moved to that bound")
    value_of = {change.mark: change.value for change in corrected if change.value is not None}
    marks = tuple(replace(one, value=value_of.get(one, one.value)) for one in left)
    return Ruled(
        Jury(marks, votes, jury.recusals),
        given,
        (*deleted, *corrected),
        tuple(one for one in jury.marks if one not in given),
        tuple(one for one in jury.votes if one not in votes),
    )


def recusals_without_effect(jury: Jury) -> tuple[Recusal, ...]:
    """Recusals of jurors who gave no mark and no vote on the performance anyway."""
    said = {(one.juror, one.performance) for one in jury.marks}
    said |= {(one.juror, name) for one in jury.votes for name in (one.better, one.worse)}
    return tuple(
        sorted(
            (one for one in jury.recusals if (one.juror, one.performance) not in said),
            key=lambda one: (one.juror, one.performance),
        )
    )


def _moved(mark: float, mean: float, far: float) -> float:
    return mean + far if mark > mean else max(mean - far, 0.0)


def _changes(
    marks: Sequence[Mark], far: float | None, change: Callable[[float, float, float], float | None], said: str
) -> tuple[Change, ...]:
    if far is None:
        return ()
    found = []
    for one in marks:
        others = [two.value for two in marks if two.performance == one.performance and two.juror != one.juror]
        if len(others) < LEAST_OTHERS:
            continue
        mean = sum(others) / len(others)
        off = one.value - mean
        if abs(off) > far + 1e-9:
            side = "above" if off > 0.0 else "below"
            reason = (
                f"{abs(off):.1f} {side} the mean of the other {len(others)} marks ({mean:.1f}), "
                f"more than {far:g}: {said}"
            )
            found.append(Change(one, change(one.value, mean, far), reason))
    return tuple(found)
