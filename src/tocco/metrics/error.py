"""Errors of estimates, in rating points."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.metrics.validation import validate_some


def mae(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Mean absolute error.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    rating points, >= 0

    Raises
    ------
    MetricUndefined
        No label.
    """
    ref, est = validate_some(ref, est)
    return float(np.mean(np.abs(ref - est)))


def rmse(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Root mean squared error; large errors weigh more.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    rating points, >= 0

    Raises
    ------
    MetricUndefined
        No label.
    """
    ref, est = validate_some(ref, est)
    return float(np.sqrt(np.mean((ref - est) ** 2)))


def mae_skill(ref: npt.ArrayLike, est: npt.ArrayLike, constant: npt.ArrayLike) -> float:
    """Reduction of the MAE relative to a constant estimate: 1 - MAE / MAE of `constant`.

    Parameters
    ----------
    ref, est : (N,) rating
    constant : () or (N,) rating
        The constant estimate: the training mean, or one for each fold.

    Returns
    -------
    <= 1; 0 for an estimate no better than the constant

    Raises
    ------
    MetricUndefined
        No label, or the constant has no error.

    Examples
    --------
    >>> mae_skill([40, 60], [45, 55], 50)
    0.5
    """
    ref = np.asarray(ref, dtype=float)
    base = mae(ref, np.broadcast_to(np.asarray(constant, dtype=float), ref.shape))
    if base == 0:
        raise MetricUndefined(Reason.EXACT_CONSTANT)
    return 1.0 - mae(ref, est) / base
