"""Lightning module of the network: losses, optimiser, schedule, metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

import lightning.pytorch as pl
import numpy as np
import torch

from tocco.data.batching import ExampleBatch, network_batch
from tocco.data.loaders import record_indices
from tocco.errors import MismatchError
from tocco.losses.uncertainty_loss import UncertaintyWeightedLoss, WeightedLoss, heteroscedastic_nll
from tocco.models.network import PerformanceBatch, PerformanceNetwork, PerformanceOutput
from tocco.training.checkpoint_file import DESCRIPTION, FORMAT, network_of, read_checkpoint
from tocco.training.checkpoints import portable_arguments
from tocco.training.epoch_means import EpochMeans
from tocco.training.held_out import held_out_metrics, merged_by_record, metrics_by_dimension
from tocco.training.outputs import columns_of
from tocco.training.pair_inputs import Notes, pair_batch

STEP_LOSS: Final = "step_loss"
"""Logged loss of a batch; the means of an epoch are `train_loss` and others."""

_SETTINGS: Final = (
    "backbone_lr",
    "heads_lr",
    "min_lr",
    "weight_decay",
    "warmup_steps",
    "variance_weight",
    "scheduler",
)


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
    arguments
        Of `build_network`, from which a checkpoint builds the network again.
    labelled
        Names of the dimensions that have training labels; all if not given.
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
        arguments: Mapping[str, Any] | None = None,
        labelled: Sequence[str] | None = None,
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
        self._losses_named = {"loss": loss, "rating_loss": rating_loss}
        self.labelled = network.dimensions if labelled is None else tuple(labelled)
        self._arguments = {} if arguments is None else portable_arguments(arguments, network)
        self.means = EpochMeans(
            ["train_loss", *(f"{kind}/{d}" for kind in ("train_mse", "sigma") for d in network.dimensions)]
        )
        self._columns = columns_of(network.dimensions)
        self._position: dict[str, Any] | None = None
        self._held_out: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []

    @classmethod
    def load_from_checkpoint(  # type: ignore[override]
        cls, checkpoint_path: str | Path, map_location: torch.device | str = "cpu"
    ) -> PerformanceEvaluationModel:
        """The network of a checkpoint with its averaged weights, in evaluation mode.

        Raises
        ------
        InputError
            The checkpoint is missing, damaged, or not of this release.
        """
        checkpoint = read_checkpoint(Path(checkpoint_path))
        described = checkpoint[DESCRIPTION]
        network = network_of(checkpoint)
        module = cls(
            network,
            label_sd=[12.0] * len(network.dimensions),
            arguments=described["network"],
            labelled=described["labelled"],
            **described["settings"],
        )
        module.loss.load_state_dict({"log_variance": checkpoint["state_dict"]["loss.log_variance"]})
        return module.eval().to(map_location)

    def forward(
        self, audio: PerformanceBatch | torch.Tensor | np.ndarray, midi: Notes | None = None
    ) -> PerformanceOutput:
        """Ratings of a batch, or of recordings and their notes.

        Parameters
        ----------
        audio
            A batch (see `PerformanceNetwork`), or (S,) or (B, S) 24 kHz mono.
        midi
            Of recordings only: (B, L, 8) tokens or performances; see `pair_batch`.
        """
        if isinstance(audio, PerformanceBatch):
            return self.network(audio)
        if midi is None:
            raise TypeError("forward(audio, midi) needs the notes beside a waveform")
        return self.network(pair_batch(audio, midi).to(self.device))

    def on_train_epoch_start(self) -> None:
        """Set the epoch, which determines order and windows."""
        self.means.clear()
        loader = self.trainer.train_dataloader
        if loader is not None:
            loader.set_epoch(self.current_epoch)

    def on_save_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Save what the network is built from; position, generators and sums of the epoch."""
        checkpoint[DESCRIPTION] = {
            "format": FORMAT,
            "network": self._arguments,
            "labelled": list(self.labelled),
            "settings": {name: getattr(self, name) for name in _SETTINGS} | self._losses_named,
        }
        checkpoint["place"] = self._of_every_process(self._place())

    def _place(self) -> dict[str, Any]:
        loader = self.trainer.train_dataloader
        return {
            "cpu": torch.get_rng_state(),
            "cuda": torch.cuda.get_rng_state_all(),
            "loader": None if loader is None else loader.state_dict(),
            "means": self.means.state_dict(),
        }

    def _of_every_process(self, here: dict[str, Any]) -> list[dict[str, Any]]:
        """The value of each process, in the order of their ranks."""
        if self.trainer.world_size == 1:
            return [here]
        found: list[Any] = [None] * self.trainer.world_size
        torch.distributed.all_gather_object(found, here)
        return found

    def on_load_checkpoint(self, checkpoint: dict[str, Any]) -> None:
        """Store the position until loader and trainer are set up."""
        places = checkpoint["place"]
        if len(places) != self.trainer.world_size:
            raise MismatchError(
                "checkpoint",
                f"was written by {len(places)} processes, now {self.trainer.world_size}",
                next_step="resume with as many processes",
            )
        self._position = places[self.trainer.global_rank]

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
            if self._position["loader"]["epoch"] == self.current_epoch:
                self.means.load_state_dict(self._position["means"])
            # At the end of an epoch the position is in the epoch before.
            loader.set_epoch(self.current_epoch)
        torch.set_rng_state(self._position["cpu"].cpu())
        torch.cuda.set_rng_state_all([state.cpu() for state in self._position["cuda"]])
        self._position = None

    def training_step(self, batch: ExampleBatch, batch_index: int) -> torch.Tensor:
        """Uncertainty-weighted rating loss plus the per-sample variance loss."""
        total, single = self._losses(self.network(network_batch(batch)), batch)
        figures = torch.cat([total.detach()[None], single.squared_error, single.sigma])
        without_label = torch.isfinite(single.squared_error).logical_not()
        figures[1 + len(without_label) :][without_label] = torch.nan
        self.means.add(figures, len(batch["labels"]))
        self.log(STEP_LOSS, total, batch_size=len(batch["labels"]), prog_bar=True)
        return total

    def epoch_means(self) -> dict[str, float]:
        """Means over the epoch so far, of all processes: the loss, and per dimension error and spread."""
        sums = self.means.sums()
        if self.trainer.world_size > 1:
            sums = self.trainer.strategy.reduce(sums.clone(), reduce_op="sum")
        return self.means.means(sums)

    def validation_step(self, batch: ExampleBatch, batch_index: int) -> None:
        """Collect the ratings of the windows until the end of the epoch."""
        output = self.network(network_batch(batch))
        total, _ = self._losses(output, batch)
        self.log(f"{self._stage}_loss", total, batch_size=len(batch["labels"]))
        labels = batch["labels"][:, self._columns].cpu().numpy()
        self._held_out.append((record_indices(batch), labels, output.rating.float().cpu().numpy()))

    def on_validation_epoch_end(self) -> None:
        """Metrics over records: the mean rating of a record's windows against its label."""
        index, label, rating = (np.concatenate(part) for part in zip(*self._held_out, strict=True))
        self._held_out.clear()
        label, rating = merged_by_record(index, label, rating)
        figures = held_out_metrics(label, rating)
        figures |= metrics_by_dimension(self.network.dimensions, label, rating)
        self.log_dict({f"{self._stage}_{name}": value for name, value in figures.items()})

    def test_step(self, batch: ExampleBatch, batch_index: int) -> None:
        """As in validation."""
        self.validation_step(batch, batch_index)

    def on_test_epoch_end(self) -> None:
        """As in validation."""
        self.on_validation_epoch_end()

    @property
    def _stage(self) -> str:
        return "test" if self.trainer.testing else "val"

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
        labels = batch["labels"][:, self._columns]
        rating_loss = self.loss(output.rating, labels)
        variance_loss = heteroscedastic_nll(output.rating, output.log_variance, labels)
        return rating_loss.total + self.variance_weight * variance_loss, rating_loss


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
