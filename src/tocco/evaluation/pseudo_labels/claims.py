"""Validation of the pseudo-labels: six claims, each with a threshold set before anything was measured.

(a) monotone, (b) specific, (c) detection, (d) not difficulty, (e) listeners, (f) robust to transcription.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.stats import rankdata

from tocco.data.pseudo_labelling import LEAST_CONFIDENCE
from tocco.data.records import LabelRecord
from tocco.evaluation.pseudo_labels.measures import (
    CLEAN,
    Modality,
    PieceLadders,
    RatedExcerpt,
    RatedTake,
    column,
)
from tocco.evaluation.pseudo_labels.planted_errors import ERROR_KINDS, precision_recall
from tocco.metrics import BootstrapInterval, bootstrap_interval, pearson_r, spearman_rho, value_or_nan
from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.pseudo_labels.scale.peers import Take, expectations, mean_standing, variance_parts
from tocco.units import FloatArray, IntArray

MONOTONE_RHO: Final = -0.9
SPECIFIC_SHARE: Final = 1.0 / 3.0
LEAST_PRECISION: Final = 0.97
LEAST_RECALL: Final = 0.95
MOST_DENSITY_R: Final = 0.2

DRAWS: Final = 1000
FEWEST_STEPS: Final = 4
FEWEST_RATED: Final = 10
FEWEST_SEGMENTS: Final = 3

THRESHOLDS: Final[Mapping[str, str]] = {
    "(a) monotone": f"Spearman between severity and the target's rating <= {MONOTONE_RHO:g} for every "
    "corruption: the mean of the excerpts' own, and of the mean change at each severity",
    "(b) specific": "for every corruption, the mean change of each other dimension is less than a third of "
    "the target's, over the whole ladder",
    "(c) detection": f"planted note errors at 3 %: precision >= {LEAST_PRECISION:g}, "
    f"recall >= {LEAST_RECALL:g}",
    "(d) not difficulty": "variance between performers of a piece exceeds variance between pieces; "
    f"|r| with note density < {MOST_DENSITY_R:g}; for the labels as written, compared with peers, and with "
    "the variance between performers before that comparison",
    "(e) listeners": "rank correlation with the ratings of listeners, whatever its value",
    "(f) robust to transcription": "(a) and (b) on transcriptions",
}
"""Claim -> criterion."""

TECHNICAL_DIMENSIONS: Final = tuple(RATERS)
"""The six dimensions that are rated by rule."""


@dataclass(frozen=True, eq=False)
class LadderResult:
    """Effect of one kind of corruption on the ratings, over a ladder of severities.

    Attributes
    ----------
    kind, target
    n : excerpts
    change : (L, 6) mean change of each dimension at each severity, relative to the uncorrupted excerpt
        NaN where nothing could be rated.
    rho : mean over excerpts of Spearman between severity and the target's rating
    rho_pooled : Spearman between severity and the mean change
    rho_of : (n,) Spearman of each excerpt, NaN where fewer than four steps could be rated
    """

    kind: str
    target: str
    n: int
    change: FloatArray
    rho: float
    rho_pooled: float
    rho_of: FloatArray

    @property
    def n_rated(self) -> int:
        """Excerpts with enough rated steps."""
        return int(np.isfinite(self.rho_of).sum())

    @property
    def mean_change(self) -> FloatArray:
        """(6,) over the ladder; NaN for a dimension that could not be rated."""
        return _mean(self.change, axis=0)

    @property
    def own_change(self) -> float:
        """Mean change of the target over the ladder, in points; NaN where it could not be rated."""
        return float(self.mean_change[TECHNICAL_DIMENSIONS.index(self.target)])

    @property
    def side_share(self) -> float:
        """The largest mean change of another dimension, as a share of the target's."""
        moved = np.abs(self.mean_change)
        target = TECHNICAL_DIMENSIONS.index(self.target)
        others = np.delete(moved, target)
        known = np.isfinite(others).any() and moved[target] > 0.0
        return float(np.nanmax(others) / moved[target]) if known else float("nan")

    @property
    def most_moved(self) -> str:
        """The other dimension that moves most; "-" where none could be rated."""
        moved = np.abs(self.mean_change)
        moved[TECHNICAL_DIMENSIONS.index(self.target)] = np.nan
        return TECHNICAL_DIMENSIONS[int(np.nanargmax(moved))] if np.isfinite(moved).any() else "-"

    @property
    def is_monotone(self) -> bool:
        """Claim (a)."""
        return self.rho <= MONOTONE_RHO and self.rho_pooled <= MONOTONE_RHO

    @property
    def is_specific(self) -> bool:
        """Claim (b)."""
        return self.side_share < SPECIFIC_SHARE and self.own_change < 0.0


def ladder_results(ladders: Sequence[PieceLadders], modality: Modality) -> list[LadderResult]:
    """Effect of every corruption, for one input of the raters; kinds that were never applied are omitted."""
    found = []
    for kind in CORRUPTIONS:
        tables = [table for one in ladders if (table := _changes(one, kind, modality)) is not None]
        if tables:
            found.append(_ladder_result(kind, np.stack(tables)))
    return found


def _changes(one: PieceLadders, kind: str, modality: Modality) -> FloatArray | None:
    """(L, 6) change at each severity of one excerpt, NaN where a step was not rated; None without steps."""
    steps = {step.level: step for step in one.steps if step.kind == kind and step.modality == modality}
    clean = next((step for step in one.steps if step.kind == CLEAN and step.modality == modality), None)
    if clean is None or not steps:
        return None
    table = np.full((len(CORRUPTIONS[kind].ladder), len(TECHNICAL_DIMENSIONS)), np.nan)
    base = column([clean.ratings.get(name) for name in TECHNICAL_DIMENSIONS])
    for level, step in steps.items():
        table[level - 1] = column([step.ratings.get(name) for name in TECHNICAL_DIMENSIONS]) - base
    return table


def _ladder_result(kind: str, tables: FloatArray) -> LadderResult:
    target = CORRUPTIONS[kind].target
    severity = np.array([0.0, *CORRUPTIONS[kind].ladder])
    own = tables[:, :, TECHNICAL_DIMENSIONS.index(target)]
    each = np.array([_rho(severity, np.array([0.0, *row])) for row in own])
    change = _mean(tables, axis=0)
    pooled = _rho(severity, np.array([0.0, *change[:, TECHNICAL_DIMENSIONS.index(target)]]))
    return LadderResult(kind, target, len(tables), change, float(_mean(each, axis=0)), pooled, each)


def _rho(severity: FloatArray, rating: FloatArray) -> float:
    """Spearman over the rated steps; 0 where the rating is constant; NaN with too few."""
    known = np.isfinite(rating)
    if known.sum() < FEWEST_STEPS:
        return float("nan")
    if np.ptp(rankdata(rating[known])) == 0.0:
        return 0.0
    return value_or_nan(spearman_rho, severity[known], rating[known])


def _mean(values: FloatArray, axis: int) -> FloatArray:
    """Mean of the finite values; NaN without any."""
    known = np.isfinite(values)
    count = known.sum(axis=axis)
    total = np.where(known, values, 0.0).sum(axis=axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def side_matrix(kinds: Sequence[LadderResult]) -> FloatArray:
    """(6, 6) mean size of the change of each dimension (column) by the corruptions of each (row).

    The absolute mean change of each kind is averaged, so that opposite effects of two kinds do not cancel.
    """
    matrix = np.full((len(TECHNICAL_DIMENSIONS), len(TECHNICAL_DIMENSIONS)), np.nan)
    for row, target in enumerate(TECHNICAL_DIMENSIONS):
        moved = [np.abs(one.mean_change) for one in kinds if one.target == target]
        if moved:
            matrix[row] = _mean(np.stack(moved), axis=0)
    return matrix


def detection_table(
    ladders: Sequence[PieceLadders], *, by_key: bool = False
) -> dict[str, tuple[float, float, int]]:
    """Kind, and "all note errors" where there are any -> precision, recall, marks planted."""
    found = [detection for one in ladders for detection in one.detections if detection.by_key == by_key]
    groups = {kind: [d for d in found if d.kind == kind] for kind in dict.fromkeys(d.kind for d in found)}
    note_errors = [detection for detection in found if detection.kind in ERROR_KINDS]
    if note_errors:
        groups["all note errors"] = note_errors
    return {
        kind: (*precision_recall(group), sum(d.n_planted for d in group)) for kind, group in groups.items()
    }


def detection_interval(
    ladders: Sequence[PieceLadders], generator: np.random.Generator, *, by_key: bool = False
) -> BootstrapInterval:
    """Precision and recall of all note errors, (2,), with a bootstrap interval over pieces.

    Parameters
    ----------
    ladders : of at least two pieces
    generator : source of the draws
    by_key
    """
    own = [[d for d in one.detections if d.by_key == by_key and d.kind in ERROR_KINDS] for one in ladders]

    def figures(index: IntArray) -> FloatArray:
        return np.array(precision_recall([d for k in index for d in own[k]]))

    return bootstrap_interval(figures, [one.piece for one in ladders], generator, n=DRAWS)


def false_claims(ladders: Sequence[PieceLadders]) -> list[tuple[str, int]]:
    """Performance, and the number of marks found there that were not planted; most first."""
    counted = ([d for d in one.detections if not d.by_key and d.kind in ERROR_KINDS] for one in ladders)
    found = [
        (one.performance, sum(d.n_claimed - d.n_true for d in detections))
        for one, detections in zip(ladders, counted, strict=True)
    ]
    return sorted(found, key=lambda claim: (-claim[1], claim[0]))


@dataclass(frozen=True)
class Difficulty:
    """Variance of a dimension between players and between pieces, and its correlation with note density.

    Attributes
    ----------
    dimension
    n_takes, n_pieces
    within : points squared, between performers of a piece
    between : points squared, between pieces, variance component; may be below 0
    piece_means : points squared, variance of the means of the pieces
    density_r : Pearson with notes per second, over segments
    density_r_takes : the same over performances
    """

    dimension: str
    n_takes: int
    n_pieces: int
    within: float
    between: float
    piece_means: float
    density_r: float
    density_r_takes: float


def is_playing(alone: Difficulty, peers: Difficulty) -> bool:
    """Claim (d), for labels that are compared with peers.

    The comparison increases differences between players and changes their sampling variance in no simple way.
    Variance between players is therefore taken from before it, and the variance of the piece means is not
    corrected for sampling.
    """
    return alone.within > peers.piece_means and abs(peers.density_r) < MOST_DENSITY_R


def difficulty(takes: Sequence[RatedTake]) -> list[Difficulty]:
    """Variance components of each dimension, over pieces played by at least two pianists."""
    found = []
    for name in TECHNICAL_DIMENSIONS:
        rows = []
        for take in takes:
            if take.refusal is not None:
                continue
            rating = column(take.ratings[name])
            known = np.isfinite(rating)
            if known.sum() >= FEWEST_SEGMENTS:
                weight = np.array(take.confidence[name])[known]
                density = np.array(take.notes_per_sec)
                rows.append((take, float(np.average(rating[known], weights=weight)), rating, density))
        players = {piece: {row[0].performer for row in rows if row[0].piece == piece}
                   for piece in {row[0].piece for row in rows}}  # fmt: skip
        rows = [row for row in rows if len(players[row[0].piece]) >= 2]
        if len(rows) < FEWEST_RATED or len({row[0].piece for row in rows}) < 2:
            continue
        mean = np.array([row[1] for row in rows])
        pieces = np.array([row[0].piece for row in rows])
        within, between = variance_parts(mean, pieces.tolist())
        segments, density = (np.concatenate([row[k] for row in rows]) for k in (2, 3))
        known = np.isfinite(segments)
        own = np.array([row[3].mean() for row in rows])
        found.append(
            Difficulty(
                dimension=name,
                n_takes=len(rows),
                n_pieces=len(set(pieces)),
                within=within,
                between=between,
                piece_means=float(
                    np.var([mean[pieces == piece].mean() for piece in np.unique(pieces)], ddof=1)
                ),
                density_r=value_or_nan(pearson_r, density[known], segments[known]),
                density_r_takes=value_or_nan(pearson_r, own, mean),
            )
        )
    return found


def compared_with_peers(takes: Sequence[RatedTake], scale: ReferenceScale) -> list[RatedTake]:
    """The takes with ratings relative to their peers, as `tocco pseudo-label` writes them."""
    rated = [take for take in takes if take.refusal is None]
    standing = [Take(take.performance, take.piece, take.performer, _standing(take, scale)) for take in rated]
    expected = expectations(standing, scale)
    return [
        take.model_copy(update={"ratings": _relative_to(take, expected[take.performance].standing, scale)})
        for take in rated
    ]


def _standing(take: RatedTake, scale: ReferenceScale) -> dict[str, float]:
    segments = range(len(take.notes_per_sec))
    confidence = [{name: values[k] for name, values in take.confidence.items()} for k in segments]
    ratings = [
        {
            name: float(values[k] or 0.0)
            for name, values in take.ratings.items()
            if values[k] is not None and confidence[k][name] >= LEAST_CONFIDENCE
        }
        for k in segments
    ]
    return mean_standing(ratings, confidence, scale)


def _relative_to(
    take: RatedTake, expected: Mapping[str, float], scale: ReferenceScale
) -> dict[str, tuple[float | None, ...]]:
    return {
        name: tuple(
            rating if rating is None or name not in expected else scale.compared(name, rating, expected[name])
            for rating in ratings
        )
        for name, ratings in take.ratings.items()
    }


@dataclass(frozen=True)
class Agreement:
    """Agreement of a pseudo-label with ratings of listeners on the same excerpts.

    Attributes
    ----------
    dimension
    counterpart : dimension rated by listeners
    n : excerpts played by pianists
    rho : Spearman over them
    rho_within : mean over passages with at least five takes
    n_passages
    """

    dimension: str
    counterpart: str
    n: int
    rho: float
    rho_within: float
    n_passages: int


def agreement(records: Sequence[LabelRecord], excerpts: Sequence[RatedExcerpt]) -> list[Agreement]:
    """Rank correlation of each pseudo-label with its counterpart by listeners, without score renderings.

    Listeners did not rate note accuracy, so it is compared with the overall impression.
    """
    found = []
    for name in TECHNICAL_DIMENSIONS:
        counterpart = name if any(name in record.labels for record in records) else "overall_quality"
        passages: dict[str, list[tuple[float, float]]] = {}
        for record, excerpt in zip(records, excerpts, strict=True):
            rating = excerpt.ratings.get(name)
            if rating is not None and counterpart in record.labels and not record.is_score_rendering:
                pairs = passages.setdefault(record.passage_id or record.piece_id, [])
                pairs.append((record.labels[counterpart], rating))
        everyone = np.array([pair for pairs in passages.values() for pair in pairs]).reshape(-1, 2)
        if len(everyone) < FEWEST_RATED:
            continue
        large = [np.array(pairs) for pairs in passages.values() if len(pairs) >= 5]
        own = np.array([_rho(pairs[:, 0], pairs[:, 1]) for pairs in large])
        found.append(
            Agreement(
                dimension=name,
                counterpart=counterpart,
                n=len(everyone),
                rho=value_or_nan(spearman_rho, everyone[:, 0], everyone[:, 1]),
                rho_within=float(_mean(own, axis=0)) if len(own) else float("nan"),
                n_passages=len(large),
            )
        )
    return found
