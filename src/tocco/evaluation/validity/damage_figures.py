"""Does damage ever pay? The figures of damaged excerpts beside undamaged ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.evaluation.validity.bars import (
    FIRST_STEP,
    INTERPRETIVE,
    LEAST_FALL,
    MOST_AGGREGATE_RISE,
    MOST_RISE,
)
from tocco.evaluation.validity.figures import (
    Figure,
    change,
    figure_of,
    is_silent,
    mean_by_kind,
    median,
    rating,
)
from tocco.evaluation.validity.kinds import DAMAGES, Damage, Group
from tocco.evaluation.validity.rows import Row
from tocco.metrics import spearman_rho
from tocco.rubrics import AGGREGATE_WEIGHTS
from tocco.schema import StrictModel
from tocco.units import FloatArray, IntArray

GROUPS: Final[tuple[Group, ...]] = ("seen", "held_out", "composite")
OVERALL: Final = "overall_quality"
SIZES: Final = (
    ("sustain_pedaling", "sustain_held", "pedaling_technique"),
    ("sustain_overall", "sustain_held", OVERALL),
    ("mess_overall", "mess", OVERALL),
    ("wrong_notes_overall", "wrong_notes_40", OVERALL),
    ("velocities_overall", "random_velocities", OVERALL),
    ("velocities_dynamics", "random_velocities", "dynamics_control"),
)
"""Bar, damage at its full dose, dimension that falls."""
_LAST_STEP: Final = 5


@dataclass(frozen=True)
class Pair:
    """A damaged excerpt beside the undamaged one.

    Attributes
    ----------
    row : of the damaged one
    clean : None where it was not assessed
    """

    row: Row
    clean: Row | None

    @property
    def damage(self) -> Damage:
        """What was done."""
        return DAMAGES[self.row.kind]

    @property
    def target(self) -> str | None:
        """Dimension that has to fall; None where it cannot be known."""
        return self.damage.target_in(self.row.modality)

    @property
    def is_rightly_silent(self) -> bool:
        """Whether nothing is said, where that is a right answer."""
        return self.damage.may_abstain and is_silent(self.row)

    def change(self, dimension: str) -> float:
        """Points by which a rating differs; NaN where one is missing."""
        return change(self.row, self.clean, dimension)

    def meets(self, dimension: str, is_met: Callable[[float], bool]) -> float:
        """1 where the change of a rating meets a condition, 0 where not, or where it is missing."""
        return float(self.is_rightly_silent or is_met(self.change(dimension)))


class KindFigures(StrictModel):
    """One damage in one modality."""

    kind: str
    group: str
    modality: str
    target: str | None
    n: int
    """Pairs from the third step on."""

    target_falls: float | None
    overall_falls: float | None
    target_change: float | None
    """Median at the last step, in points."""

    overall_change: float | None
    aggregate_change: float | None
    interpretive_change: float | None
    """Mean of the one of musicality, phrasing and expressiveness that rises most."""

    n_silent: int
    """Abstentions and refusals."""


def pairs_of(rows: Sequence[Row]) -> list[Pair]:
    """Every damaged excerpt with its reference."""
    clean = {(r.take, r.modality): r for r in rows if r.part == "clean"}
    return [Pair(r, clean.get((r.take, r.modality))) for r in rows if r.part == "damage"]


def damage_figures(rows: Sequence[Row]) -> list[Figure]:
    """Figures of the damage and size bars, for every modality and group of kinds."""
    pairs, found = pairs_of(rows), []
    for modality in sorted({pair.row.modality for pair in pairs}):
        here = [pair for pair in pairs if pair.row.modality == modality]
        for group in GROUPS:
            found += _of_group(modality, group, [p for p in here if p.damage.group == group])
        if modality != "keys":
            found += [_of_size(modality, here, *size) for size in SIZES]
    return found


def _of_group(modality: str, group: Group, pairs: Sequence[Pair]) -> list[Figure]:
    if not pairs:
        return []
    gross = [pair for pair in pairs if pair.row.step >= FIRST_STEP and pair.target is not None]
    weighty = [pair for pair in gross if pair.target in AGGREGATE_WEIGHTS]

    def of_pairs(bar: str, some: Sequence[Pair], value: Sequence[float]) -> Figure:
        statistic = mean_by_kind(np.array(value), _kinds(some))
        return figure_of(bar, modality, group, statistic, [pair.row.piece for pair in some])

    return [
        of_pairs("target_falls", gross, [_target_falls(pair) for pair in gross]),
        of_pairs("overall_falls", gross, [pair.meets(OVERALL, _falls) for pair in gross]),
        of_pairs("aggregate_falls", weighty, [pair.meets("aggregate", _is_less) for pair in weighty]),
        of_pairs("aggregate_never_rises", pairs, [pair.meets("aggregate", _hardly_rises) for pair in pairs]),
        _worst_of_three("interpretive_mean", modality, group, pairs),
        _worst_of_three("interpretive_rise", modality, group, pairs),
        *_correlations(modality, group, pairs),
    ]


def _falls(points: float) -> bool:
    return points <= -LEAST_FALL


def _is_less(points: float) -> bool:
    return points < 0.0


def _hardly_rises(points: float) -> bool:
    return points <= MOST_AGGREGATE_RISE


def _rises_little(points: float) -> bool:
    return points <= MOST_RISE


def _target_falls(pair: Pair) -> float:
    return pair.meets(str(pair.target), _falls)


def _kinds(pairs: Sequence[Pair]) -> IntArray:
    names = sorted({pair.row.kind for pair in pairs})
    return np.array([names.index(pair.row.kind) for pair in pairs], dtype=np.int64)


def _worst_of_three(bar: str, modality: str, group: str, pairs: Sequence[Pair]) -> Figure:
    """The interpretive dimension that rises most: by its mean, or by its share of small rises."""
    kind, is_mean = _kinds(pairs), bar == "interpretive_mean"
    values = [
        np.array([p.change(name) if is_mean else p.meets(name, _rises_little) for p in pairs])
        for name in INTERPRETIVE
    ]
    parts = [mean_by_kind(value, kind) for value in values]
    worst = np.max if is_mean else np.min

    def statistic(index: IntArray) -> float:
        return float(worst([part(index) for part in parts]))

    return figure_of(bar, modality, group, statistic, [pair.row.piece for pair in pairs])


def _correlations(modality: str, group: str, pairs: Sequence[Pair]) -> list[Figure]:
    """Mean rank correlation with severity: of the target, and of the overall quality."""
    ladders: dict[tuple[str, str], list[Pair]] = {}
    for pair in pairs:
        if pair.target is not None:
            ladders.setdefault((pair.row.take, pair.row.kind), []).append(pair)
    several = list(ladders.values())
    first = [ladder[0] for ladder in several]
    pieces, kind = [pair.row.piece for pair in first], _kinds(first)
    found = []
    for bar in ("target_rho", "overall_rho"):
        rho = [_rho(one, str(one[0].target) if bar == "target_rho" else OVERALL) for one in several]
        found.append(figure_of(bar, modality, group, mean_by_kind(np.array(rho), kind), pieces))
    return found


def _rho(ladder: Sequence[Pair], dimension: str) -> float:
    """Rank correlation of a rating with the step; 0 with fewer than three ratings: missing is failed."""
    clean = None if ladder[0].clean is None else rating(ladder[0].clean, dimension)
    points = [] if clean is None else [(0.0, clean)]
    for pair in ladder:
        value = 0.0 if pair.is_rightly_silent else rating(pair.row, dimension)
        points += [] if value is None else [(float(pair.row.step), value)]
    if len(points) < 3:
        return 0.0
    step, value_at = np.array(points).T
    return spearman_rho(step, value_at)


def _of_size(modality: str, pairs: Sequence[Pair], bar: str, kind: str, dimension: str) -> Figure:
    """Median fall at the full dose; a missing rating has not fallen."""
    full = [pair for pair in pairs if pair.row.kind == kind and pair.row.step == _LAST_STEP]
    fall = np.array([-pair.change(dimension) for pair in full])
    fall[~np.isfinite(fall)] = 0.0
    return figure_of(bar, modality, "", median(fall), [pair.row.piece for pair in full])


def kind_figures(rows: Sequence[Row]) -> list[KindFigures]:
    """Every damage in every modality, in the order of `DAMAGES`."""
    pairs = pairs_of(rows)
    found = []
    for modality in sorted({pair.row.modality for pair in pairs}):
        for name in DAMAGES:
            here = [p for p in pairs if p.row.modality == modality and p.row.kind == name]
            if here:
                found.append(_of_kind(modality, here))
    return found


def _of_kind(modality: str, pairs: Sequence[Pair]) -> KindFigures:
    damage, target = pairs[0].damage, pairs[0].target
    gross = [pair for pair in pairs if pair.row.step >= FIRST_STEP]
    last = [pair for pair in pairs if pair.row.step == _LAST_STEP]
    rises = [_mean([p.change(name) for p in pairs]) for name in INTERPRETIVE]
    known = [rise for rise in rises if rise is not None]
    is_known = target is not None
    return KindFigures(
        kind=damage.name,
        group=damage.group,
        modality=modality,
        target=target,
        n=len(gross),
        target_falls=_mean([_target_falls(p) for p in gross]) if is_known else None,
        overall_falls=_mean([p.meets(OVERALL, _falls) for p in gross]) if is_known else None,
        target_change=_median([p.change(str(target)) for p in last]) if is_known else None,
        overall_change=_median([p.change(OVERALL) for p in last]),
        aggregate_change=_median([p.change("aggregate") for p in last]),
        interpretive_change=max(known) if known else None,
        n_silent=sum(is_silent(pair.row) for pair in pairs),
    )


def _finite(values: Sequence[float]) -> FloatArray:
    array = np.array(values, dtype=float)
    return array[np.isfinite(array)]


def _mean(values: Sequence[float]) -> float | None:
    known = _finite(values)
    return round(float(known.mean()), 4) if len(known) else None


def _median(values: Sequence[float]) -> float | None:
    known = _finite(values)
    return round(float(np.median(known)), 4) if len(known) else None
