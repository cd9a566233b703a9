"""What pianists make of hints: ridge regression over a pool in which every piece has one vote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.units import FloatArray, IntArray

PENALTY: Final = 0.02
DIGITS: Final = 2
"""More digits than these move with the choice of the pool."""

MOST_FOLDS: Final = 5

_STILL = 1e-6
"""What a hint that never moves may come to by rounding."""

_SMALLEST = 1e-9


def coefficients(
    hints: Sequence[FloatArray],
    followed: Sequence[FloatArray],
    pieces: Sequence[str],
    penalty: float = PENALTY,
) -> FloatArray:
    """Ridge regression (Hoerl and Kennard 1970) on hints of unit size, without a constant.

    Every piece has one vote, and each take of it the same part of that.

    Parameters
    ----------
    hints : (H, N) of each performance
    followed : (N,) velocity of each: what is to be explained
    pieces : that each performance is of
    penalty : of a hint of unit size

    Returns
    -------
    (H,) velocity for one unit of each hint, as it is; 0 for a hint that never moves
    """
    n_takes = Counter(pieces)
    n_hints = len(hints[0])
    square, product = np.zeros((n_hints, n_hints)), np.zeros(n_hints)
    for hint, value, piece in zip(hints, followed, pieces, strict=True):
        vote = 1.0 / (len(value) * n_takes[piece] * len(n_takes))
        square += vote * hint @ hint.T
        product += vote * hint @ value
    size = np.sqrt(np.diag(square))
    moves = size > _STILL
    size = np.where(moves, size, 1.0)
    unit = square / np.outer(size, size) + penalty * np.eye(n_hints)
    return np.where(moves, np.linalg.solve(unit, product / size) / size, 0.0)


def folds_of(pieces: Sequence[str], rng: np.random.Generator) -> IntArray:
    """(P,) which part of the pool each performance belongs to, a fifth each where there are five pieces.

    Parameters
    ----------
    pieces : (P,) that each performance is of; all takes of one are in one part
    rng : draws which pieces are left out together
    """
    names = sorted(set(pieces))
    n_folds = min(MOST_FOLDS, len(names))
    fold_of = dict(zip(rng.permutation(names).tolist(), np.arange(len(names)) % n_folds, strict=True))
    return np.array([fold_of[piece] for piece in pieces])


def left_out(
    hints: Sequence[FloatArray],
    followed: Sequence[FloatArray],
    pieces: Sequence[str],
    fold: IntArray,
    likeness: Callable[[int, FloatArray], Sequence[float]],
) -> list[float]:
    """Likeness of what was played and what was suggested, of pieces that were left out of the fit.

    Nothing where there is one part alone: no piece is left to fit to.

    Parameters
    ----------
    hints, followed, pieces : as of `coefficients`
    fold : (P,) of `folds_of`
    likeness : (performance, suggested (N,)) -> any number of correlations
    """
    found: list[float] = []
    parts = np.unique(fold)
    for out in parts if len(parts) > 1 else ():
        kept = np.flatnonzero(fold != out).tolist()
        fitted = coefficients(
            [hints[k] for k in kept], [followed[k] for k in kept], [pieces[k] for k in kept]
        )
        for k in np.flatnonzero(fold == out).tolist():
            found += likeness(k, fitted @ hints[k])
    return found


def refuse_still(names: Sequence[str], hints: Sequence[FloatArray], next_step: str) -> None:
    """Refuse a pool in which a hint never moves.

    Raises
    ------
    InputError
        Which hints these are.
    """
    still = [name for k, name in enumerate(names) if all(np.abs(hint[k]).max() <= _STILL for hint in hints)]
    if still:
        listed = " and ".join(part for part in (", ".join(still[:-1]), still[-1]) if part)
        never = "never changes" if len(still) == 1 else "never change"
        raise InputError("pool", f"tells nothing of {listed}, which {never} in it", next_step=next_step)


def likeness_of(first: FloatArray, second: FloatArray) -> float:
    """Correlation of two series about their means; 0 where one is still."""
    a, b = first - first.mean(), second - second.mean()
    size = float(np.sqrt((a @ a) * (b @ b)))
    return float(a @ b) / size if size > _SMALLEST else 0.0


def mean_likeness(found: Sequence[float]) -> float:
    """To three decimals; 0 where there is none."""
    return round(float(np.mean(found)), 3) if found else 0.0


def to_digits(values: FloatArray) -> list[float]:
    """Values to the digits that are written."""
    return [float(f"{value:.{DIGITS}g}") + 0.0 for value in values]
