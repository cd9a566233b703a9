"""Distributions of a stream in constant memory."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.units import FloatArray

LOWEST_DB: Final = -130.0
_N_STEPS: Final = 140


class LevelHistograms:
    """How often each of some levels had each value, to one decibel.

    Parameters
    ----------
    n_rows : number of levels that are watched
    """

    def __init__(self, n_rows: int) -> None:
        self._count = np.zeros((n_rows, _N_STEPS), np.int64)

    def add(self, level_db: FloatArray) -> None:
        """Take in levels.

        Parameters
        ----------
        level_db : (T, n_rows) dB; counted as the nearest of -130..9
        """
        step = np.clip(np.round(level_db - LOWEST_DB), 0, _N_STEPS - 1).astype(int)
        for row in range(len(self._count)):
            self._count[row] += np.bincount(step[:, row], minlength=_N_STEPS)

    def quantile(self, share: float, *, above_db: float = LOWEST_DB - 1.0) -> FloatArray:
        """Level that a share of the values does not pass, of those above a level.

        Returns
        -------
        (n_rows,) dB; `LOWEST_DB` where there are none
        """
        first = max(0, int(np.ceil(above_db - LOWEST_DB)))
        count = self._count.copy()
        count[:, :first] = 0
        total = count.sum(axis=1, keepdims=True)
        reached = np.cumsum(count, axis=1) >= np.maximum(share * total, 1)
        return np.where(total[:, 0] > 0, LOWEST_DB + reached.argmax(axis=1), LOWEST_DB)

    @property
    def n(self) -> int:
        """Values of each row so far."""
        return int(self._count[0].sum())
