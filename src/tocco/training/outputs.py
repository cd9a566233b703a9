"""Columns of labels and outputs: labels are in the order of `TARGETS`, a network may rate some of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from tocco.rubrics import TARGETS
from tocco.units import FloatArray, IntArray


def columns_of(names: Sequence[str]) -> list[int]:
    """Indices into `TARGETS`.

    >>> columns_of(["phrasing", "note_accuracy"])
    [6, 0]
    """
    return [TARGETS.index(name) for name in names]


def rated_targets(names: Sequence[str], label: FloatArray) -> IntArray:
    """Indices into `TARGETS` of what a network rates and records have labels for, ascending.

    Parameters
    ----------
    names : outputs of the network
    label : (R, D) in the order of `TARGETS`, NaN where missing
    """
    return np.flatnonzero(np.isfinite(label).any(axis=0) & np.isin(TARGETS, names))
