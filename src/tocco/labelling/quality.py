"""The quality of a project's ratings: agreement in every dimension, and every rater."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.labelling.agreement import Figure, complete_block, icc_1_1, icc_2_k, krippendorff_alpha
from tocco.labelling.project import Project
from tocco.labelling.rater_checks import Outlier, RaterChecks, check_raters, outliers
from tocco.labelling.raters import raters
from tocco.labelling.severity import fit_severity
from tocco.labelling.store import RatingStore
from tocco.labelling.table import RatingTable, rating_table


@dataclass(frozen=True)
class DimensionQuality:
    """Agreement in one dimension.

    Attributes
    ----------
    dimension
    n_ratings, n_segments : that count, and the segments that have them
    mean, sd : points, of all ratings
    n_block, k_block : segments and raters of the largest block without gaps, which the correlations are of
    icc_1_1 : reliability of one rating
    icc_2_k : reliability of the mean of the block's raters
    alpha : Krippendorff's, of all segments with two ratings or more
    uncertain : share of the ratings that their raters were not sure of
    cannot_say : share of the answers without a value
    """

    dimension: str
    n_ratings: int
    n_segments: int
    mean: float
    sd: float
    n_block: int
    k_block: int
    icc_1_1: Figure
    icc_2_k: Figure
    alpha: Figure
    uncertain: float
    cannot_say: float


@dataclass(frozen=True)
class Quality:
    """The quality of a project's ratings.

    Attributes
    ----------
    title
    n_segments : of the project, without anchors
    n_rated : of these, with a rating that counts
    n_not_heard : ratings that do not count, since too little was heard
    dimensions, raters
    outliers : farthest first
    groups : of raters that share no segment with each other; severities compare within a group alone
    without_ratings : raters of the project who gave none that counts
    """

    title: str
    n_segments: int
    n_rated: int
    n_not_heard: int
    dimensions: tuple[DimensionQuality, ...]
    raters: tuple[RaterChecks, ...]
    outliers: tuple[Outlier, ...]
    groups: int
    without_ratings: tuple[str, ...]


def project_quality(project: Project, store: RatingStore) -> Quality:
    """Everything about the ratings of a project."""
    ratings = store.ratings()
    names = project.settings.dimensions
    table = rating_table(ratings, names)
    labels = table.labels()
    severity = fit_severity(labels)
    counted = [one for one in ratings if one.counts and one.dimension in names]
    uncertain = {name: [one.uncertain for one in counted if one.dimension == name] for name in names}
    unsaid = {name: [one.value is None for one in counted if one.dimension == name] for name in names}
    known = {
        (segment, dimension): value
        for segment in project.segments
        for dimension, value in project.known(segment).items()
    }
    rated = set(np.array(labels.segments, dtype=object)[labels.segment].tolist())
    return Quality(
        project.settings.title,
        sum(one.role != "anchor" for one in project.facts.values()),
        len(rated),
        sum(not one.counts for one in ratings),
        tuple(
            _of_dimension(labels, d, _share(uncertain[name]), _share(unsaid[name]))
            for d, name in enumerate(names)
        ),
        check_raters(table, severity, known),
        outliers(labels, severity),
        severity.groups,
        tuple(one.rater_id for one in raters(store) if one.rater_id not in table.raters),
    )


def _of_dimension(labels: RatingTable, d: int, uncertain: float, cannot_say: float) -> DimensionQuality:
    matrix = labels.matrix(d)
    block = complete_block(matrix)
    value = labels.value[labels.dimension == d]
    return DimensionQuality(
        labels.dimensions[d],
        len(value),
        len(set(labels.segment[labels.dimension == d].tolist())),
        float(value.mean()) if len(value) else float("nan"),
        float(value.std(ddof=1)) if len(value) > 1 else float("nan"),
        block.shape[0],
        block.shape[1],
        icc_1_1(block),
        icc_2_k(block),
        krippendorff_alpha(matrix),
        uncertain,
        cannot_say,
    )


def _share(flags: list[bool]) -> float:
    return sum(flags) / len(flags) if flags else float("nan")
