"""How loud a recording is, measured while it streams by."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator

import numpy as np

from tocco.audio.processing import normalizing_gain_db
from tocco.units import FloatArray, db_from_amplitude


class LevelMeter:
    """Peak and RMS of everything that has passed.

    Examples
    --------
    >>> meter = LevelMeter()
    >>> n_blocks = sum(1 for _ in meter.watch([np.array([0.5, -0.5]), np.array([0.1])]))
    >>> round(meter.peak_dbfs, 2), round(meter.gain_db(), 2)
    (-6.02, 3.02)
    """

    def __init__(self) -> None:
        self._peak = 0.0
        self._squares = 0.0
        self._n_samples = 0

    def watch(self, blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
        """The same blocks, measured on their way.

        Parameters
        ----------
        blocks : iterable of (b,) full scale = 1
        """
        for block in blocks:
            self._peak = max(self._peak, float(np.abs(block).max(initial=0.0)))
            self._squares += float(np.square(block, dtype=float).sum())
            self._n_samples += len(block)
            yield block

    @property
    def peak_dbfs(self) -> float:
        """Highest sample so far, dB re full scale."""
        return float(db_from_amplitude(self._peak))

    @property
    def rms_dbfs(self) -> float:
        """Integrated level so far, dB re full scale."""
        return float(db_from_amplitude(math.sqrt(self._squares / max(1, self._n_samples))))

    def gain_db(self) -> float:
        """What brings the peak to where the model expects it; 0 for silence."""
        return normalizing_gain_db(self.peak_dbfs)
