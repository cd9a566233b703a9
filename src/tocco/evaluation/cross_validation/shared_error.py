"""Share of a model's error that is constant within a performance, as opposed to between its excerpts."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from tocco.units import FloatArray


def shared_error_share(error: FloatArray, take: npt.NDArray[np.str_]) -> float:
    """Correlation of the errors of two excerpts of one performance, about zero.

    For a performance of n excerpts with errors e_i, the mean product of two different ones is
    ((sum e)^2 - sum e^2) / (n (n - 1)). These means, each weighed by n, are divided by the mean square of
    all errors: 1 where a performance has one error, 0 where the errors of its excerpts are independent. A
    bias that all performances have in common counts as shared.

    Parameters
    ----------
    error : (N,) label minus held-out rating
    take : (N,) the performance of each excerpt; performances with a single excerpt are ignored

    Examples
    --------
    >>> shared_error_share(np.array([3.0, 3.0, -2.0, -2.0]), np.array(["a", "a", "b", "b"]))
    1.0
    >>> shared_error_share(np.array([1.0, -1.0, 5.0]), np.array(["a", "a", "b"]))
    -1.0
    """
    products, squares, total = 0.0, 0.0, 0
    for name in np.unique(take):
        of_take = error[take == name]
        n = len(of_take)
        if n > 1:
            square = float(np.sum(of_take**2))
            products += (float(of_take.sum()) ** 2 - square) / (n - 1)
            squares += square
            total += n
    if total == 0:
        raise ValueError("no performance has two excerpts")
    return products / squares
