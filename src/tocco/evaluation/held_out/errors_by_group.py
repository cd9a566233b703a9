"""Where the network errs: by work, by passage, and by how high the raters went."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.evaluation.cross_validation.protocols import NETWORK
from tocco.evaluation.held_out.evaluation import Evaluation
from tocco.evaluation.held_out.tables import as_csv, column_mean
from tocco.units import FloatArray

HEADER: Final = ("by", "group", "n", "mae", "bias", "constant_mae")
THIRDS: Final = ("lowest third of the ratings", "middle third", "highest third")
LEAST: Final = 3
"""A passage of fewer excerpts is not listed: its error is that of one or two takes."""


@dataclass(frozen=True)
class GroupError:
    """Error of the network over the excerpts of a group, all dimensions with equal weight.

    Attributes
    ----------
    by : "work", "passage", "rating" or "player"
    group
    n : excerpts; of "rating": labels
    mae, constant_mae : rating points, of the network and of the training mean
    bias : rating points, mean of predicted minus rated
    """

    by: str
    group: str
    n: int
    mae: float
    bias: float
    constant_mae: float


def errors_by_group(found: Evaluation) -> list[GroupError]:
    """Errors by work, passage, third of the ratings, and human player against score rendering."""
    result = found.result
    works = np.array([one.record.work_id or one.record.piece_id for one in found.records])
    players = np.where(result.is_score, "score rendering", "pianist")
    by_row = {"work": (works, 1), "passage": (result.passages, LEAST), "player": (players, 1)}
    rows: list[GroupError] = []
    for by, (groups, least) in by_row.items():
        for group in np.unique(groups).tolist():
            members = groups == group
            if members.sum() >= least:
                rows.append(_error(found, by, group, int(members.sum()), np.where(members)[0]))
    return rows + _by_rating(found)


def _error(found: Evaluation, by: str, group: str, n: int, rows: npt.NDArray) -> GroupError:
    labels = found.result.labels[rows]
    own, base = (found.result.predictions[s][rows] - labels for s in (NETWORK, "constant"))
    return _of_errors(by, group, n, own, base)


def _of_errors(by: str, group: str, n: int, own: FloatArray, base: FloatArray) -> GroupError:
    return GroupError(by, group, n, column_mean(np.abs(own)), column_mean(own), column_mean(np.abs(base)))


def _by_rating(found: Evaluation) -> list[GroupError]:
    """By thirds of the ratings of each dimension: a network that shrinks to the mean errs up, then down."""
    labels = found.result.labels
    own, base = (found.result.predictions[s] - labels for s in (NETWORK, "constant"))
    low, high = np.nanquantile(labels, [1 / 3, 2 / 3], axis=0)
    third = np.where(np.isnan(labels), -1, (labels > low).astype(int) + (labels > high))
    return [
        _of_errors("rating", name, int((third == k).sum()), own[third == k], base[third == k])
        for k, name in enumerate(THIRDS)
    ]


def errors_csv(rows: Sequence[GroupError]) -> str:
    """One row a group."""
    return as_csv(
        HEADER,
        [(r.by, r.group, str(r.n), f"{r.mae:.4f}", f"{r.bias:.4f}", f"{r.constant_mae:.4f}") for r in rows],
    )
