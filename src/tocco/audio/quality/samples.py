"""Faults that show in the samples themselves: dropouts, peaks that were cut off."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.units import SAMPLE_RATE_HZ, FloatArray

_STEP_SAMPLES: Final = 120
_BEFORE: Final = 2
_AFTER: Final = 3
_LONGEST_STEPS: Final = 40
"""Dropouts last up to 0.2 s; a longer gap may be a rest."""

_FALL_DB: Final = 45.0
_LOUD_DB: Final = -50.0
_EDGE_DB: Final = 1.0
_STEPS_A_DB: Final = 4


class Dropouts:
    """Gaps in the sound: the level falls by 45 dB within a hundredth of a second, and comes back.

    Attributes
    ----------
    time_sec : where each begins
    """

    def __init__(self) -> None:
        self._rest = np.zeros(0, np.float32)
        self._level = np.zeros(0)
        self._first_step = 0
        self.time_sec: list[float] = []

    def add(self, block: FloatArray) -> None:
        """Take in samples: (S,) mono at 24 kHz."""
        samples = np.concatenate([self._rest, block])
        n_steps = len(samples) // _STEP_SAMPLES
        self._rest = samples[n_steps * _STEP_SAMPLES :].copy()
        rows = samples[: n_steps * _STEP_SAMPLES].reshape(n_steps, _STEP_SAMPLES)
        power = np.square(rows).mean(axis=1, dtype=float)
        self._level = np.concatenate([self._level, 10.0 * np.log10(power + 1e-13)])
        # a gap is searched once what follows it is known; two steps before the next are looked back on
        done = max(_BEFORE, len(self._level) - _LONGEST_STEPS - _AFTER)
        self._search(done)
        self._level = self._level[done - _BEFORE :].copy()
        self._first_step += done - _BEFORE

    def _search(self, until: int) -> None:
        """Count the gaps that begin before a step; each begins where the level falls in two steps."""
        level = self._level
        at = np.arange(_BEFORE, until)
        fallen = (level[at - 2] > _LOUD_DB) & (level[at] < level[at - 2] - _FALL_DB)
        fallen &= level[at - 1] >= level[at - 2] - _FALL_DB
        for begin in at[fallen]:
            after = level[begin : begin + _LONGEST_STEPS + _AFTER]
            back = np.flatnonzero(after > level[begin - 2] - 20.0)
            # music comes back by an attack; a gap comes back at the level it left
            if len(back) and after[back[0] : back[0] + _AFTER].max() < level[begin - 2] + 6.0:
                self.time_sec.append((self._first_step + int(begin)) * _STEP_SAMPLES / SAMPLE_RATE_HZ)


class Peaks:
    """Distribution of the absolute values of samples: cut peaks crowd at the ceiling, even after a codec."""

    def __init__(self) -> None:
        self._count = np.zeros(100 * _STEPS_A_DB, np.int64)

    def add(self, block: FloatArray) -> None:
        """Take in samples: (S,) mono."""
        step = -20.0 * _STEPS_A_DB * np.log10(np.maximum(np.abs(block), 1e-5) / 4.0)
        self._count += np.bincount(
            np.clip(step, 0, len(self._count) - 1).astype(int), minlength=len(self._count)
        )

    @property
    def crowding(self) -> float:
        """Share of the samples within 1 dB of the highest hundred-thousandth; 0 for silence."""
        total = self._count.sum()
        if total == 0:
            return 0.0
        top = int((np.cumsum(self._count) > total * 1e-5).argmax())
        if top >= len(self._count) - 20 * _STEPS_A_DB:
            return 0.0
        return float(self._count[: top + round(_EDGE_DB * _STEPS_A_DB) + 1].sum() / total)
