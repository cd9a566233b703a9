"""Normal predictions, a mean and an sd each: proper scores, and how sharp they are."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from tocco.metrics.undefined import MetricUndefined, Reason
from tocco.metrics.validation import standardised, validate_sd
from tocco.units import FloatArray


def gaussian_nll(ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> float:
    """Mean negative log-likelihood of the ratings under normal predictions: smaller is better.

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0

    Returns
    -------
    nats per rating

    Raises
    ------
    MetricUndefined
        No label.
    """
    z, labelled_sd = standardised(ref, mean, sd)
    return float(np.mean(0.5 * z**2 + np.log(labelled_sd) + 0.5 * math.log(2.0 * math.pi)))


def gaussian_crps(ref: npt.ArrayLike, mean: npt.ArrayLike, sd: npt.ArrayLike) -> float:
    """Mean continuous ranked probability score of normal predictions: smaller is better.

    sd * (z (2 Phi(z) - 1) + 2 phi(z) - 1 / sqrt(pi)), z = (ref - mean) / sd; a proper score, and the
    absolute error for an sd towards 0 (Gneiting, Raftery, Westveld & Goldman, Monthly Weather Review
    133, 2005, eq. 5).

    Parameters
    ----------
    ref, mean : (N,) rating
    sd : (N,) rating points, > 0

    Returns
    -------
    rating points, >= 0

    Raises
    ------
    MetricUndefined
        No label.
    """
    from scipy.special import ndtr

    z, labelled_sd = standardised(ref, mean, sd)
    density = np.exp(-0.5 * z**2) / math.sqrt(2.0 * math.pi)
    score = z * (2.0 * ndtr(z) - 1.0) + 2.0 * density - 1.0 / math.sqrt(math.pi)
    return float(np.mean(labelled_sd * score))


def sharpness(sd: npt.ArrayLike) -> float:
    """Mean predicted sd: smaller is sharper. It says nothing by itself about calibration.

    Parameters
    ----------
    sd : (N,) rating points, > 0

    Returns
    -------
    rating points, > 0

    Raises
    ------
    MetricUndefined
        No prediction.
    """
    return float(np.mean(_some_sd(sd)))


def sd_spread(sd: npt.ArrayLike) -> float:
    """Coefficient of variation of the predicted sds: their own sd (N - 1) over their mean.

    0 where the model is equally sure of every performance (Levi, Gispan, Giladi & Fetaya, Sensors 22,
    2022).

    Parameters
    ----------
    sd : (N,) rating points, > 0

    Returns
    -------
    >= 0

    Raises
    ------
    MetricUndefined
        Fewer than three predictions.
    """
    sd = _some_sd(sd)
    if len(sd) < 3:
        raise MetricUndefined(Reason.FEW_LABELS)
    return float(np.std(sd, ddof=1) / np.mean(sd))


def _some_sd(sd: npt.ArrayLike) -> FloatArray:
    sd = validate_sd(sd)
    if len(sd) == 0:
        raise MetricUndefined(Reason.NO_LABEL)
    return sd
