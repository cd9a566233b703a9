"""Means of the losses over an epoch, which go on exactly after an interruption within it."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor


class EpochMeans:
    """Weighted means of named figures over the batches of an epoch.

    The sums stay on the device of the figures, so that no step waits for them.

    Parameters
    ----------
    names : (M,) of the figures
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._sums = torch.zeros(2, len(self.names), dtype=torch.float64)

    def clear(self) -> None:
        """Forget all batches."""
        self._sums = torch.zeros_like(self._sums)

    def add(self, figures: Tensor, weight: int) -> None:
        """Add a batch.

        Parameters
        ----------
        figures : (M,) not finite where the batch has no such figure
        weight : examples of the batch
        """
        # Apple's GPU has no double precision.
        kind = torch.float32 if figures.device.type == "mps" else torch.float64
        figures = figures.detach().to(kind)
        known = torch.isfinite(figures)
        added = torch.stack([torch.where(known, figures, 0.0), known.to(kind)]) * weight
        self._sums = self._sums.to(added) + added

    def sums(self) -> Tensor:
        """(2, M) weighted sums and weights, to be added up over processes."""
        return self._sums

    def means(self, sums: Tensor | None = None) -> dict[str, float]:
        """Name -> mean over the batches that have the figure; others are left out."""
        totals, weights = (self._sums if sums is None else sums).cpu().tolist()
        return {
            name: total / weight
            for name, total, weight in zip(self.names, totals, weights, strict=True)
            if weight
        }

    def state_dict(self) -> dict[str, Tensor]:
        """The sums so far."""
        return {"sums": self._sums.cpu()}

    def load_state_dict(self, state: dict[str, Tensor]) -> None:
        """Go on from the sums of a checkpoint."""
        self._sums = state["sums"].clone()
