"""The loop of masked pre-training: seeded, and exactly resumable.

The folder of a run has

- `config.yaml`, `split.json`: resolved settings; performances of each part, those refused, and the revision
- `last.ckpt`: weights, optimiser and generators, for resuming
- `midi_pretrain_best.safetensors`: the encoder of the epoch with the lowest validation loss
- `best.ckpt`: the same with the heads that guess, for measuring
- `metrics.csv`, `curves.png`: training and validation loss, and cross-entropy by column
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from torch import nn

from tocco.errors import InputError
from tocco.files import replacing
from tocco.models.masked_head import MaskedNoteModel, save_midi_encoder
from tocco.models.midi_encoder import MASK, PREDICTED_COLUMNS, TYPE, MIDIBertEncoder
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.training.config import ExperimentConfig, ModelConfig, TrainingConfig
from tocco.training.epoch_log import write_epochs
from tocco.training.masked_notes.baselines import Tally
from tocco.training.masked_notes.corpus import Asked, Batch, batches, read_batch
from tocco.training.run_folder import CHECKPOINT

ENCODER_FILE: Final = "midi_pretrain_best.safetensors"
BEST: Final = "best.ckpt"
_FITTED_BATCHES: Final = 100
"""Enough for means and standard deviations, and little to hold in memory."""


@dataclass
class Progress:
    """Where a run stands.

    Attributes
    ----------
    epoch, batch : of the next optimiser step
    step : optimiser steps done
    losses : of the steps of this epoch
    best : lowest validation loss so far
    rows : of `metrics.csv`
    """

    epoch: int = 0
    batch: int = 0
    step: int = 0
    losses: list[float] = field(default_factory=list)
    best: float = math.inf
    rows: list[dict[str, float]] = field(default_factory=list)


def encoder_of(model: ModelConfig) -> MIDIBertEncoder:
    """The untrained MIDI encoder of a network."""
    return MIDIBertEncoder(
        vocabulary=tuple(OCTUPLE_VOCABULARY.values()),
        n_note_features=len(NOTE_FEATURES),
        size=model.midi_size,
        layers=model.midi_layers,
        heads=model.midi_heads,
        dropout=model.dropout,
    )


class Pretraining:
    """One run of masked pre-training.

    Parameters
    ----------
    config
    training, validation : performances with questions
    folder : of the run
    resume : continue from `last.ckpt`
    report : called with the row of every finished epoch

    Raises
    ------
    InputError
        Nothing to resume from.
    """

    def __init__(
        self,
        config: ExperimentConfig,
        training: Sequence[Asked],
        validation: Sequence[Asked],
        folder: Path,
        *,
        resume: bool = False,
        report: Callable[[dict[str, float]], None] = lambda row: None,
    ) -> None:
        self.config, self.training, self.validation, self.folder = config, training, validation, folder
        self.report = report
        settings = config.training
        torch.set_num_threads(settings.threads or torch.get_num_threads())
        torch.manual_seed(settings.seed)
        self.model = MaskedNoteModel(encoder_of(config.model))
        self.optimiser = torch.optim.AdamW(
            self.model.parameters(),
            lr=settings.optimizer.backbone_lr,
            weight_decay=settings.optimizer.weight_decay,
        )
        self.progress = Progress()
        if resume:
            self._load()
        else:
            self.model.encoder.standardiser.fit(self._features())
        self.total = settings.max_epochs * max(1, len(list(self._epoch_batches(0))))

    def run(self, *, until_step: int | None = None) -> Path:
        """Train to the end, or until a step; returns the best encoder's file."""
        while self.progress.epoch < self.config.training.max_epochs:
            if not self._run_epoch(until_step):
                break
        return self.folder / ENCODER_FILE

    def _run_epoch(self, until_step: int | None) -> bool:
        """Train the rest of an epoch; False if stopped within."""
        at = self.progress
        self.model.train()
        for places in list(self._epoch_batches(at.epoch))[at.batch :]:
            if until_step is not None and at.step >= until_step:
                return False
            at.losses.append(self._step(read_batch(self.training, places)))
            at.batch, at.step = at.batch + 1, at.step + 1
            every = self.config.callbacks.checkpoint.every_steps
            if every and at.step % every == 0:
                self._save()
        self._end_epoch()
        return True

    def _step(self, batch: Batch) -> float:
        settings = self.config.training
        for group in self.optimiser.param_groups:
            group["lr"] = learning_rate(settings, self.progress.step, self.total)
        loss = self.model.loss(*batch).total
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(self.model.parameters(), settings.gradient_clip)
        self.optimiser.step()
        return float(loss.detach())

    def _end_epoch(self) -> None:
        at = self.progress
        figures = measure(self.model, self.questions(self.validation))
        nats = {f"val_nats/{name}": value for name, (value, _) in figures.items()}
        right = {f"val_right/{name}": value for name, (_, value) in figures.items()}
        loss = float(np.mean(list(nats.values())))
        row = {"epoch": float(at.epoch), "step": float(at.step), "train_loss": float(np.mean(at.losses))}
        at.rows.append({**row, "val_loss": loss, **nats, **right})
        write_epochs(at.rows, self.folder)
        if loss < at.best:
            at.best = loss
            save_midi_encoder(self.model.encoder, self.folder / ENCODER_FILE)
            _save_torch(self.model.state_dict(), self.folder / BEST)
        at.epoch, at.batch, at.losses = at.epoch + 1, 0, []
        self._save()
        self.report(at.rows[-1])

    def questions(self, asked: Sequence[Asked]) -> Iterable[Batch]:
        """One hiding of every window, in order."""
        spans = len(self.config.masking.spans)
        for places in batches(asked, 0, spans, self.config.data.batch_size):
            yield read_batch(asked, places)

    def _epoch_batches(self, epoch: int) -> Iterable[list[tuple[int, int]]]:
        n = len(self.config.masking.spans)
        order = np.random.default_rng([self.config.training.seed, epoch])
        return batches(self.training, epoch % n, n, self.config.data.batch_size, order)

    def _features(self) -> torch.Tensor:
        """Note features of the shown notes of so many batches, drawn over all performances."""
        order = np.random.default_rng([self.config.training.seed, 0])
        drawn = batches(self.training, 0, len(self.config.masking.spans), self.config.data.batch_size, order)
        read = (read_batch(self.training, places) for places in islice(drawn, _FITTED_BATCHES))
        return torch.cat([batch.note_features[batch.mask & _shown(batch)] for batch in read])

    def _save(self) -> None:
        state = {
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "generator": torch.get_rng_state(),
            "progress": dict(vars(self.progress)),
        }
        _save_torch(state, self.folder / CHECKPOINT)

    def _load(self) -> None:
        path = self.folder / CHECKPOINT
        if not path.is_file():
            raise InputError(path, "no such checkpoint", next_step="start without --resume")
        state = torch.load(path, weights_only=True)
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        torch.set_rng_state(state["generator"])
        self.progress = Progress(**state["progress"])


def best_model(config: ExperimentConfig, folder: Path) -> MaskedNoteModel:
    """The model of the best epoch of a finished run."""
    model = MaskedNoteModel(encoder_of(config.model))
    model.load_state_dict(torch.load(folder / BEST, weights_only=True))
    return model.eval()


def learning_rate(settings: TrainingConfig, step: int, total: int) -> float:
    """Linear warm-up of at most a tenth of all steps, then as the scheduler says."""
    peak, least = settings.optimizer.backbone_lr, settings.scheduler.min_lr
    warmup = min(settings.scheduler.warmup_steps, total // 10)
    warm = min(1.0, (step + 1) / max(1, warmup))
    if settings.scheduler.name == "constant":
        return warm * peak
    done = min(1.0, max(0, step - warmup) / max(1, total - warmup))
    return warm * (least + (peak - least) * 0.5 * (1.0 + math.cos(math.pi * done)))


@torch.no_grad()
def measure(model: MaskedNoteModel, questions: Iterable[Batch]) -> dict[str, tuple[float, float]]:
    """Column -> mean cross-entropy in nats a hidden note, and share of right first guesses."""
    model.eval()
    tallies = {name: Tally() for name in PREDICTED_COLUMNS}
    for batch in questions:
        hidden = ~_shown(batch)
        for name, logits in model.guesses(batch.shown, batch.note_features, batch.mask).items():
            tallies[name].add(logits.log_softmax(1), batch.answer[..., PREDICTED_COLUMNS[name]][hidden])
    return {name: tally.figures() for name, tally in tallies.items()}


def _shown(batch: Batch) -> torch.Tensor:
    return batch.shown[..., TYPE] != MASK


def _save_torch(state: dict[str, Any], path: Path) -> None:
    with replacing(path) as temporary:
        torch.save(state, temporary)
