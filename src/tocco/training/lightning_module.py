"""Lightning module of the network: losses, optimiser, schedule, metrics."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, Literal

import lightning.pytorch as pl
import numpy as np
import torch

from tocco import metrics
from tocco.data.batching import ExampleBatch, network_batch
from tocco.data.loaders import record_indices
from tocco.errors import InputError
from tocco.losses.uncertainty_loss import UncertaintyWeightedLoss, WeightedLoss, heteroscedastic_nll
from tocco.models.network import PerformanceBatch, PerformanceNetwork, PerformanceOutput
from tocco.training.outputs import columns_of


class PerformanceEvaluationModel(pl.LightningModule):
    """A `PerformanceNetwork` with its losses, optimiser and metrics.

    Parameters
    ----------
    network
    label_sd : (D,) rating points
        Spread of the training labels, for the initial scale of the loss.
    backbone_lr, heads_lr, min_lr, weight_decay
        AdamW; backbone is the two encoders, heads is everything else. Norms, biases and the loss's own
        variances have no weight decay.
    warmup_steps
        Optimiser steps (not batches) of linear warm-up, then as `scheduler` says.
    variance_weight
        Weight of the per-sample variance loss.
    scheduler
        "cosine" to `min_lr` at the last step, or "constant".
    loss
        "uncertainty" learns the weights of the dimensions, "equal" gives all the same.
    rating_loss
        One of `tocco.losses.rating_losses.RATING_LOSSES`.
    """

    def __init__(
        self,
        network: PerformanceNetwork,
        *,
        label_sd: Sequence[float],
        backbone_lr: float = 1e-5,
        heads_lr: float = 1e-4,
        min_lr: float = 1e-6,
        weight_decay: float = 0.01,
        warmup_steps: int = 500,
        variance_weight: float = 0.1,
        scheduler: Literal["cosine", "constant"] = "cosine",
        loss: Literal["uncertainty", "equal"] = "uncertainty",
        rating_loss: str = "mse",
    ) -> None:
        super().__init__()
        self.network = network
        self.loss = UncertaintyWeightedLoss(
            network.dimensions, rating_loss=rating_loss, learned=loss == "uncertainty"
        )
        self.loss.initialise(torch.tensor(label_sd))
        self.backbone_lr = backbone_lr
        self.heads_lr = heads_lr
        self.min_lr = min_lr
        self.weight_decay = weight_decay
        self.warmup_steps = warmup_steps
        self.variance_weight = variance_weight
        self.scheduler = scheduler
        self._columns = columns_of(network.dimensions)
        self._position: dict[str, Any] | None = None
        self._held_out: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    def forward(self, batch: PerformanceBatch) -> PerformanceOutput:
        """Ratings of a batch; see `PerformanceNetwork`."""
        return self.network(batch)

    def on_train_epoch_start(self) -> None:
        """Set the epoch, which determines order and windows."""
        loader = self.trainer.train_dataloader
        if loader is not None:
            loader.set_epoch(self.current_epoch)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save the position in the epoch and the state of torch's generators, to reproduce dropout."""
        loader = self.trainer.train_dataloader
        checkpoint["place"] = {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all(),
            "loader": None if loader is None else loader.state_dict(),
        }

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the position until loader and trainer are set up."""
        if "place" not in checkpoint:
            raise InputError(
                "checkpoint",
                "does not contain the position of its run: an earlier release wrote it",
                next_step="start the run again without --resume",
            )
        self._position = checkpoint["place"]

    def on_train_start(self) -> None:
        """Continue at the position of the checkpoint.

        Lightning would restore the state of the loader only if the number of batches had not been requested
        before, and `configure_optimizers` has to request it.
        """
        if self._position is None:
            return
        loader = self.trainer.train_dataloader
        if loader is not None and self._position["loader"] is not None:
            loader.load_state_dict(self._position["loader"])
            # At the end of an epoch the position is in the epoch before.
            loader.set_epoch(self.current_epoch)
        torch.set_rng_state(self._position["cpu"].cpu())
        torch.cuda.set_rng_state_all([state.cpu() for state in self._position["cuda"]])
        self._position = None

    def training_step(self, batch: ExampleBatch, batch_index: int) -> torch.Tensor:
        """Uncertainty-weighted rating loss plus the per-sample variance loss."""
        total, single = self._losses(self.network(network_batch(batch)), batch)
        size = len(batch["labels"])
        self.log("train_loss", total, batch_size=size, on_epoch=True, on_step=False)
        for name, error, sigma in zip(self.loss.dimensions, single.squared_error, single.sigma, strict=True):
            if torch.isfinite(error):
                self.log(f"train_mse/{name}", error, batch_size=size, on_epoch=True, on_step=False)
                self.log(f"sigma/{name}", sigma, batch_size=size, on_epoch=True, on_step=False)
        return total

    def validation_step(self, batch: ExampleBatch, batch_index: int) -> None:
        """Collect the ratings of the windows until the end of the epoch."""
        output = self.network(network_batch(batch))
        total, _ = self._losses(output, batch)
        self.log("val_loss", total, batch_size=len(batch["labels"]))
        self._held_out.append(
            (record_indices(batch), self._labels(batch).cpu().numpy(), output.rating.cpu().numpy())
        )

    def on_validation_epoch_end(self) -> None:
        """Metrics over records: the mean rating of a record's windows against its label."""
        index, label, rating = (np.concatenate(part) for part in zip(*self._held_out, strict=True))
        self._held_out.clear()
        records, first = np.unique(index, return_index=True)
        merged = np.stack([rating[index == record].mean(axis=0) for record in records])
        for name, value in held_out_metrics(label[first], merged).items():
            self.log(f"val_{name}", value)
        for name, value in metrics_by_dimension(self.network.dimensions, label[first], merged).items():
            self.log(f"val_{name}", value)

    def test_step(self, batch: ExampleBatch, batch_index: int) -> None:
        """As in validation."""
        self.validation_step(batch, batch_index)

    def on_test_epoch_end(self) -> None:
        """As in validation."""
        self.on_validation_epoch_end()

    def configure_optimizers(self) -> Any:
        """AdamW over backbone and heads, one schedule for both."""
        optimizer = torch.optim.AdamW(self.parameter_groups())
        steps = int(self.trainer.estimated_stepping_batches)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer,
            [
                lambda step, peak=group["lr"]: warmup_cosine(
                    step,
                    steps=steps,
                    warmup_steps=self.warmup_steps,
                    floor=1.0 if self.scheduler == "constant" else self.min_lr / peak,
                )
                for group in optimizer.param_groups
            ],
        )
        return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Trainable parameters, grouped by learning rate and weight decay."""
        groups: dict[tuple[bool, bool], list[torch.nn.Parameter]] = {}
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                backbone = name.startswith(("network.audio_encoder.", "network.midi_encoder."))
                decayed = parameter.ndim > 1 and name.startswith("network.")
                groups.setdefault((backbone, decayed), []).append(parameter)
        return [
            {
                "params": parameters,
                "lr": self.backbone_lr if backbone else self.heads_lr,
                "weight_decay": self.weight_decay if decayed else 0.0,
            }
            for (backbone, decayed), parameters in groups.items()
        ]

    def _losses(self, output: PerformanceOutput, batch: ExampleBatch) -> tuple[torch.Tensor, WeightedLoss]:
        labels = self._labels(batch)
        rating_loss = self.loss(output.rating, labels)
        variance_loss = heteroscedastic_nll(output.rating, output.log_variance, labels)
        return rating_loss.total + self.variance_weight * variance_loss, rating_loss

    def _labels(self, batch: ExampleBatch) -> torch.Tensor:
        """(B, D) labels of the network's outputs; a batch has those of all `TARGETS`."""
        return batch["labels"][:, self._columns]


def warmup_cosine(step: int, *, steps: int, warmup_steps: int, floor: float) -> float:
    """Learning rate relative to its peak: linear rise, then half a cosine down to `floor`.

    The warm-up takes at most a tenth of all steps.

    >>> [round(warmup_cosine(s, steps=1000, warmup_steps=100, floor=0.1), 3) for s in (0, 99, 550, 1000)]
    [0.01, 1.0, 0.55, 0.1]
    """
    warmup_steps = min(warmup_steps, max(1, steps // 10))
    if step < warmup_steps:
        return (step + 1) / warmup_steps
    progress = min(1.0, (step - warmup_steps) / max(1, steps - warmup_steps))
    return floor + (1.0 - floor) * 0.5 * (1.0 + math.cos(math.pi * progress))


def held_out_metrics(label: np.ndarray, rating: np.ndarray) -> dict[str, float]:
    """Mean r, R2 and MAE over the targets that have labels.

    Parameters
    ----------
    label, rating : (R, D) rating points; NaN where a label is missing
    """
    figures = metrics_by_dimension([str(d) for d in range(label.shape[1])], label, rating)
    return {
        kind: float(np.mean([value for name, value in figures.items() if name.startswith(f"{kind}/")]))
        for kind in _FIGURES
    }


def metrics_by_dimension(names: Sequence[str], label: np.ndarray, rating: np.ndarray) -> dict[str, float]:
    """r, R2 and MAE of every target that has more than two labels.

    Parameters
    ----------
    names : (D,)
    label, rating : (R, D) rating points; NaN where a label is missing

    Returns
    -------
    "r/NAME", "r2/NAME", "mae/NAME" -> figure
    """
    figures = {}
    for d, name in enumerate(names):
        known = np.isfinite(label[:, d])
        if known.sum() > 2:
            for kind, figure in _FIGURES.items():
                figures[f"{kind}/{name}"] = float(figure(label[known, d], rating[known, d]))
    return figures


_FIGURES: Final = {"r": metrics.pearson_r, "r2": metrics.r2, "mae": metrics.mae}
