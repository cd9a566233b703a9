"""What a metric says where it has no value: a named reason, never NaN.

A metric function raises `MetricUndefined`. `evaluate` and `attempt` give `Undefined` in the place of
the number, which prints as its reason. `value_or_nan` is for arrays of figures, which hold numbers only.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Reason(StrEnum):
    """Why a metric has no value."""

    NO_LABEL = "no label"
    FEW_LABELS = "fewer than 3 labels"
    CONSTANT_LABELS = "the labels do not differ"
    NO_PAIR = "no pair of labels that differ"
    ONE_RATER = "no performance has two raters"
    FEW_RATERS = "no performance has three raters"
    EXACT_CONSTANT = "the constant estimate has no error"
    PERFECT_CORRELATION = "a correlation of 1 or -1 has no Fisher z"
    NO_WEIGHT = "the weights sum to 0"
    FEWER_LABELS_THAN_BINS = "fewer labels than bins"
    DIMENSION_UNDEFINED = "undefined for a dimension that has labels"
    DRAWS_UNDEFINED = "undefined for too many draws"


class MetricUndefined(ValueError):  # noqa: N818 - a state of the data, not a fault of the caller
    """A metric has no value for these labels.

    Attributes
    ----------
    reason : Reason
    """

    def __init__(self, reason: Reason) -> None:
        self.reason = Reason(reason)
        super().__init__(self.reason.value)

    def __reduce__(self) -> tuple[type[MetricUndefined], tuple[Reason]]:
        return type(self), (self.reason,)


@dataclass(frozen=True)
class Undefined:
    """Stands where a figure would stand; prints as its reason.

    Examples
    --------
    >>> str(Undefined(Reason.FEW_LABELS))
    'fewer than 3 labels'
    """

    reason: Reason

    def __str__(self) -> str:
        return self.reason.value


Score = float | Undefined
"""A figure, or the reason why there is none."""


def attempt(metric: Callable[..., float], *args: Any, **named: Any) -> Score:
    """The metric of these arguments, or why it has none.

    Examples
    --------
    >>> from tocco.metrics import mae
    >>> attempt(mae, [50.0], [48.0]), str(attempt(mae, [], []))
    (2.0, 'no label')
    """
    try:
        return metric(*args, **named)
    except MetricUndefined as undefined:
        return Undefined(undefined.reason)


def value_or_nan(metric: Callable[..., float], *args: Any, **named: Any) -> float:
    """The metric of these arguments, NaN where it is undefined: for arrays of figures."""
    value = attempt(metric, *args, **named)
    return math.nan if isinstance(value, Undefined) else value
