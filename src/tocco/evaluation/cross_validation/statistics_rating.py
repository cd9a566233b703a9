"""Cross-validation of the predictors that rate a whole performance by its measures.

Members are boosted trees on the statistics and a kernel regression on the measures expressed against norms;
their mean is the rating. Each has learned twice, with scores and without, and is tested with the score and
with the score withheld. Settings are chosen inside each training side (`kernel_settings`).
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from tocco.cache import Arrays, cached_arrays, content_key
from tocco.data.records import LabelRecord
from tocco.data.splits import BARRIERS, Fold, Protocol, checked_folds, field_of
from tocco.engines import LocalEngine, Progress
from tocco.evaluation.cross_validation.baselines import Baseline, constant, ridge10
from tocco.evaluation.cross_validation.kernel_settings import choose_kernel_settings
from tocco.evaluation.cross_validation.measured_excerpts import SCORE_FREE, MeasuredExcerpts
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.models import boosted_trees
from tocco.models.boosted_trees import BoostedTrees, fit_boosted_trees
from tocco.models.by_score import ByScore
from tocco.models.norm_kernel import KernelSettings, NormKernelRidge, fit_kernel_to_features
from tocco.models.predictor import Predictor, PredictorInput, StatisticsTable
from tocco.models.predictor_files import HEADER
from tocco.models.read_off import ReadOff, Recipe, recipe_for
from tocco.models.statistics_models import label_sd
from tocco.models.statistics_norms import NormNames, StatisticsNorms
from tocco.music.measures import HALF_NAMES, MEASURES, SCORE_NAMES, WHOLE_NAMES
from tocco.rubrics import TARGETS
from tocco.units import BoolArray, FloatArray

TREES, KERNEL, BLEND = "trees", "norm kernel", "trees + norm kernel"
WITHHELD: Final = ", no score"

FORESTS_WITHOUT_SCORE: Final = 4
"""One fewer than with a score, so that a bundle has less than 50 MB. The published cross-validation of
2026-11-30 had five."""

Member = TypeVar("Member", BoostedTrees, NormKernelRidge)

PAGE: Final = (
    "score_density",
    "score_ioi_beat_median",
    "score_chord_size",
    "score_duration_beat",
    "score_bar_beat",
)
"""Statistics of a performance that the score alone determines."""

NORM_NAMES: Final = NormNames(WHOLE_NAMES, HALF_NAMES, (*SCORE_NAMES, *PAGE))


@dataclass(frozen=True, eq=False)
class TrainingSide:
    """What predictors of one fold learn from.

    Attributes
    ----------
    names : (D,) targets
    measures : (N, M) in the order of `MEASURES`
    labels : (N, D) rating, NaN where missing
    groups : (N,) what inner folds must not divide
    norms
    seed : of the inner folds
    """

    names: tuple[str, ...]
    measures: FloatArray
    labels: FloatArray
    groups: npt.NDArray
    norms: StatisticsNorms
    seed: int

    @cached_property
    def recipe(self) -> Recipe:
        """Targets that are not learned, since they are means of others."""
        return recipe_for(self.names, self.labels)

    @property
    def learned(self) -> tuple[str, ...]:
        """Targets that are learned, in order."""
        return tuple(name for name in self.names if name not in self.recipe)

    @property
    def learned_labels(self) -> FloatArray:
        """(N, len(learned)) their labels."""
        return self.labels[:, [self.names.index(name) for name in self.learned]]

    def columns(self, names: Sequence[str]) -> FloatArray:
        """(N, len(names)) measures by name."""
        return StatisticsTable(MEASURES, self.measures).columns(names)


@dataclass(frozen=True, eq=False)
class FittedMembers:
    """The two members, each for performances with a score and for those without.

    Attributes
    ----------
    trees, kernel : with a score, without
    """

    trees: tuple[BoostedTrees, BoostedTrees]
    kernel: tuple[NormKernelRidge, NormKernelRidge]

    @property
    def settings(self) -> tuple[KernelSettings, KernelSettings]:
        """Of the kernel with a score, and without."""
        return self.kernel[0].settings, self.kernel[1].settings


def fit_members(side: TrainingSide, cache_dir: Path | None = None) -> FittedMembers:
    """Fit both members to a training side.

    Parameters
    ----------
    side
    cache_dir : where each fitted predictor is kept, for a run that is resumed; None for nowhere
    """

    def cached_fit(fit: Callable[..., Member], kind: type[Member], member: str, use_score: bool) -> Member:
        if cache_dir is None:
            return fit(side, use_score=use_score)
        folder = cache_dir / _key(member, side, use_score=use_score)
        if not (folder / HEADER).is_file():
            fit(side, use_score=use_score).save(folder)  # the header is written last
        return kind.load(folder)

    trees = [cached_fit(fit_trees, BoostedTrees, TREES, use_score) for use_score in (True, False)]
    kernel = [cached_fit(fit_kernel, NormKernelRidge, KERNEL, use_score) for use_score in (True, False)]
    return FittedMembers((trees[0], trees[1]), (kernel[0], kernel[1]))


def _key(member: str, side: TrainingSide, *, use_score: bool, test: FloatArray | None = None) -> str:
    """Name of a file that holds what a member learned of a side, or rated of its test measures."""
    arrays = [side.measures, side.labels, np.zeros(0) if test is None else test]
    if member == KERNEL:
        arrays += [*side.norms.arrays().values(), np.unique(side.groups, return_inverse=True)[1]]
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(array).tobytes() for array in arrays)).hexdigest()
    key = content_key(__name__, member, use_score, side.seed, side.names, digest)
    return f"{member.replace(' ', '_')}-{key}"


def by_score(
    side: TrainingSide, pair: tuple[Predictor, Predictor], sd: tuple[FloatArray, FloatArray]
) -> ByScore:
    """One predictor of every target from those of what is learned.

    Parameters
    ----------
    side : that the pair has learned from
    pair, sd : with a score, without; sd is (D,) rating points
    """
    with_score, without = (
        ReadOff(side.names, member, side.recipe, spread) for member, spread in zip(pair, sd, strict=True)
    )
    return ByScore(with_score, without)


def fit_trees(side: TrainingSide, *, use_score: bool) -> BoostedTrees:
    """Boosted trees on the statistics of the whole, or on those that need no score."""
    names = WHOLE_NAMES if use_score else SCORE_FREE
    n_forests = boosted_trees.N_FORESTS if use_score else FORESTS_WITHOUT_SCORE
    return fit_boosted_trees(
        side.learned, names, side.columns(names), side.learned_labels, n_forests=n_forests
    )


def fit_kernel(side: TrainingSide, *, use_score: bool) -> NormKernelRidge:
    """Kernel regression on all measures against the norms, or on those that need no score.

    Its settings are those that are best on inner folds.
    """
    norms = side.norms if use_score else side.norms.performed(SCORE_FREE)
    names = norms.names.all
    features = norms.features(StatisticsTable(names, side.columns(names)))
    generator = np.random.default_rng(side.seed)
    settings = choose_kernel_settings(features, side.learned_labels, side.groups, generator)
    return fit_kernel_to_features(side.learned, norms, features, side.learned_labels, settings)


@dataclass(frozen=True, eq=False)
class StatisticsResult:
    """Held-out ratings of members and blend.

    Attributes
    ----------
    result : with the score, with the score withheld (`WITHHELD`), and of baselines
    settings : of each fold's kernel, chosen inside its training side, with the score and without
    """

    result: CrossValidationResult
    settings: tuple[tuple[KernelSettings, KernelSettings], ...]


def statistics_result(
    records: Sequence[LabelRecord],
    measured: MeasuredExcerpts,
    norms: StatisticsNorms,
    protocol: Protocol,
    *,
    seed: int = 0,
    cache_dir: Path | None = None,
    jobs: int = 1,
    progress: Progress | None = None,
) -> StatisticsResult:
    """Held-out ratings of every record.

    Parameters
    ----------
    records, measured, norms
    protocol
    seed : of the inner folds
    cache_dir : where each member's ratings of each fold are kept, for a run that is resumed; None for nowhere
    jobs, progress

    Raises
    ------
    InputError
        The protocol is unknown, the records do not state it, or a fold leaks.
    """
    folds = checked_folds(records, protocol)
    fold = np.full(len(records), -1)
    for k, (_, test) in enumerate(folds):
        fold[test] = k
    names, labels = rated_labels(records, fold >= 0)
    groups = np.array([group_of(record, protocol) for record in records])
    sides = [_sides(measured, norms, names, labels, groups, one, seed) for one in folds]
    conditions = [(member, use_score) for use_score in (True, False) for member in (TREES, KERNEL)]
    tasks = [_Task(*condition, *side, cache_dir) for condition in conditions for side in sides]
    done = LocalEngine(jobs).map(_rate_fold, tasks, progress)
    found = {condition: [next(done) for _ in folds] for condition in conditions}
    baselines = {
        "ridge, 10 features": _held_out(ridge10, measured.ridge, labels, folds),
        "constant": _held_out(constant, fold, labels, folds),
    }
    result = CrossValidationResult(
        names=names,
        segment_ids=np.array([record.segment_id for record in records]),
        clusters=np.array([record.cluster_id or record.piece_id for record in records]),
        passages=np.array([record.passage_id or record.piece_id for record in records]),
        performers=np.array([record.performer_id or "" for record in records]),
        is_score=np.array([record.is_score_rendering for record in records]),
        fold=fold,
        labels=labels,
        predictions={**_systems(found, "rating", folds, measured.has_score), **baselines},
        sd=_systems(found, "sd", folds, measured.has_score),
    )
    kernels = zip(found[KERNEL, True], found[KERNEL, False], strict=True)
    return StatisticsResult(result, tuple((_settings(one), _settings(other)) for one, other in kernels))


def rated_labels(records: Sequence[LabelRecord], tested: BoolArray) -> tuple[tuple[str, ...], FloatArray]:
    """Targets that have a label among the tested records, and (R, D) all labels of them."""
    labels = np.array([[record.labels.get(name, np.nan) for name in TARGETS] for record in records])
    rated = np.flatnonzero(np.isfinite(labels[tested]).any(axis=0))
    return tuple(TARGETS[d] for d in rated), labels[:, rated]


def group_of(record: LabelRecord, protocol: Protocol) -> str:
    """What inner folds must not divide: the pianist where new pianists are tested, else shared music."""
    if BARRIERS[protocol][0] == "performer":
        return record.performer_id or ""  # all score renderings are one group
    return field_of(record, "cluster")


@dataclass(frozen=True, eq=False)
class _Task:
    """Fit of one member to a training side, and its ratings of the test side.

    Attributes
    ----------
    member : `TREES` or `KERNEL`
    use_score
    side
    test : (M, ...) measures, with the score
    cache_dir
    """

    member: str
    use_score: bool
    side: TrainingSide
    test: FloatArray
    cache_dir: Path | None


def _sides(
    measured: MeasuredExcerpts,
    norms: StatisticsNorms,
    names: tuple[str, ...],
    labels: FloatArray,
    groups: npt.NDArray,
    fold: Fold,
    seed: int,
) -> tuple[TrainingSide, FloatArray]:
    train, test = fold
    side = TrainingSide(names, measured.measures[train], labels[train], groups[train], norms, seed)
    return side, measured.measures[test]


def _rate_fold(task: _Task) -> Arrays:
    """Ratings and sd, and the settings of a kernel; read where they are cached."""
    if task.cache_dir is None:
        return _fold_ratings(task)
    task.cache_dir.mkdir(parents=True, exist_ok=True)
    key = _key(task.member, task.side, use_score=task.use_score, test=task.test)
    path = task.cache_dir / f"{key}.safetensors"
    read = cached_arrays(path, functools.partial(_fold_ratings, task))
    return {name: read.array(name) for name in ("rating", "sd", "settings")}


def _fold_ratings(task: _Task) -> Arrays:
    side, settings = task.side, np.zeros(0)
    if task.member == KERNEL:
        kernel = fit_kernel(side, use_score=task.use_score)
        settings, member = np.array(list(asdict(kernel.settings).values())), kernel
    else:
        member = fit_trees(side, use_score=task.use_score)
    predictor = ReadOff(side.names, member, side.recipe, label_sd(side.labels))
    said = predictor.predict(PredictorInput(statistics=StatisticsTable(MEASURES, task.test)))
    return {"rating": said.rating, "sd": said.sd, "settings": settings}


def _settings(found: Arrays) -> KernelSettings:
    return KernelSettings(*found["settings"].tolist())


def _systems(
    found: Mapping[tuple[str, bool], Sequence[Arrays]], what: str, folds: Sequence[Fold], has_score: BoolArray
) -> dict[str, FloatArray]:
    """Table of each system in the order of the records; NaN where no fold tests.

    As in what ships, a record without a usable score is rated by the members that need none.
    """
    joined: dict[str, FloatArray] = {}
    for use_score, suffix in ((False, WITHHELD), (True, "")):
        for member in (TREES, KERNEL):
            width = found[member, use_score][0][what].shape[1]
            table = joined[member + suffix] = np.full((len(has_score), width), np.nan)
            for (_, test), one in zip(folds, found[member, use_score], strict=True):
                table[test] = one[what]
            if use_score:
                table[~has_score] = joined[member + WITHHELD][~has_score]
        joined[BLEND + suffix] = (joined[TREES + suffix] + joined[KERNEL + suffix]) / 2.0
    order = [name + suffix for suffix in ("", WITHHELD) for name in (TREES, KERNEL, BLEND)]
    return {name: joined[name] for name in order}


def _held_out(model: Baseline, inputs: npt.NDArray, labels: FloatArray, folds: Sequence[Fold]) -> FloatArray:
    est = np.full(labels.shape, np.nan)
    for train, test in folds:
        est[test] = model(inputs[train], labels[train], inputs[test])
    return est
