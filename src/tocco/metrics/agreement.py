"""Agreement of estimates with ratings: how alike their order, their shape and their values are.

All of these need three labels that are not all equal. A constant estimate has a correlation of 0: it
has no information about the order.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.metrics.validation import is_constant, validate
from tocco.units import FloatArray

FEWEST_LABELS = 3


def _varied(ref: npt.ArrayLike, est: npt.ArrayLike) -> tuple[FloatArray, FloatArray]:
    ref, est = validate(ref, est)
    if len(ref) == 0:
        raise MetricUndefined(Reason.NO_LABEL)
    if len(ref) < FEWEST_LABELS:
        raise MetricUndefined(Reason.FEW_LABELS)
    if is_constant(ref):
        raise MetricUndefined(Reason.CONSTANT_LABELS)
    return ref, est


def _correlation(ref: FloatArray, est: FloatArray) -> float:
    if is_constant(est):
        return 0.0
    a, b = ref - ref.mean(), est - est.mean()
    return float(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1.0, 1.0))


def pearson_r(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Pearson correlation of estimate and rating.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    -1..1; 0 for a constant estimate

    Raises
    ------
    MetricUndefined
        Fewer than three labels, or labels that do not differ.

    Examples
    --------
    >>> pearson_r([20, 40, 60], [1, 2, 3]), pearson_r([20, 40, 60], [5, 5, 5])
    (1.0, 0.0)
    """
    return _correlation(*_varied(ref, est))


def spearman_rho(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Spearman rank correlation; tied values share their mean rank.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    -1..1; 0 for a constant estimate

    Raises
    ------
    MetricUndefined
        Fewer than three labels, or labels that do not differ.
    """
    from scipy import stats

    ref, est = _varied(ref, est)
    return _correlation(stats.rankdata(ref), stats.rankdata(est))


def kendall_tau_b(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Kendall's tau-b: pairs in the same order minus pairs in the other, corrected for ties.

    Kendall, The treatment of ties in ranking problems, Biometrika 33, 1945.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    -1..1; 0 for a constant estimate

    Raises
    ------
    MetricUndefined
        Fewer than three labels, or labels that do not differ.
    """
    from scipy import stats

    ref, est = _varied(ref, est)
    if is_constant(est):
        return 0.0
    tau, _ = stats.kendalltau(ref, est, variant="b")
    return float(tau)  # pyright: ignore[reportArgumentType]  # its stubs type the pair as objects


def ccc(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Concordance correlation coefficient: agreement in value, not only in order.

    2 cov / (var_ref + var_est + (mean_ref - mean_est)^2), with moments over N (Lin, Biometrics 45, 1989).
    Equal to the Pearson correlation where mean and variance agree, and smaller otherwise.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    -1..1; 0 for a constant estimate

    Raises
    ------
    MetricUndefined
        Fewer than three labels, or labels that do not differ.

    Examples
    --------
    >>> ccc([20, 40, 60], [20, 40, 60]), round(ccc([20, 40, 60], [40, 60, 80]), 3)
    (1.0, 0.571)
    """
    ref, est = _varied(ref, est)
    covariance = np.mean((ref - ref.mean()) * (est - est.mean()))
    return float(2.0 * covariance / (ref.var() + est.var() + (ref.mean() - est.mean()) ** 2))


def r2(ref: npt.ArrayLike, est: npt.ArrayLike) -> float:
    """Coefficient of determination: explained share of the variance of `ref`.

    Parameters
    ----------
    ref, est : (N,) rating

    Returns
    -------
    <= 1; below 0 where the mean rating has smaller errors

    Raises
    ------
    MetricUndefined
        Fewer than three labels, or labels that do not differ.
    """
    ref, est = _varied(ref, est)
    return 1.0 - float(np.sum((ref - est) ** 2) / np.sum((ref - ref.mean()) ** 2))
