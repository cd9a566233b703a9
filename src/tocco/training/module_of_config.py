"""Network and losses of an experiment, with scales and linear initialisation from its training records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from tocco.data.dataset import LEVEL_JITTER_DB
from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError
from tocco.models.network import PerformanceNetwork, build_network
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.music.statistics import STATISTICS
from tocco.training.config import ExperimentConfig
from tocco.training.initialisation import new_parts_of, start_from
from tocco.training.lightning_module import PerformanceEvaluationModel
from tocco.training.masked_notes.start import start_midi_encoder
from tocco.training.model_config import COMPACT
from tocco.training.outputs import columns_of

_WORDED_ANEW: Final = {
    "audio_encoder",
    "mert_trainable",
    "gradient_checkpointing",
    "midi_encoder",
    "mtl_dimensions",
}
"""Settings of the model that are no arguments of `build_network`, or are worded otherwise there."""


def network_arguments(config: ExperimentConfig) -> dict[str, Any]:
    """Arguments of `build_network` in an experiment."""
    model = config.model
    is_mert = model.audio_encoder != COMPACT
    mert = {
        "checkpoint": model.audio_encoder,
        "trainable": model.mert_trainable,
        "gradient_checkpointing": model.gradient_checkpointing,
    }
    return {
        **model.model_dump(exclude=_WORDED_ANEW),
        "audio_encoder": "mert" if is_mert else COMPACT,
        "mert": mert if is_mert else None,
        "octuple_vocabulary": tuple(OCTUPLE_VOCABULARY.values()),
        "n_note_features": len(NOTE_FEATURES),
        "n_statistics": len(STATISTICS) if config.data.statistics else 0,
        "dimensions": model.dimensions,
    }


def network_from_config(config: ExperimentConfig) -> PerformanceNetwork:
    """The untrained network of an experiment."""
    return build_network(**network_arguments(config))


def build_module(
    config: ExperimentConfig,
    training: Sequence[PreparedRecord],
    start: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> PerformanceEvaluationModel:
    """Network and losses, with scales from the training records only, or weights of another stage.

    Parameters
    ----------
    config
    training
    start
        Checkpoint of the other stage. Its scales belong to its weights and are kept; dimensions that it has
        not learned, and parts that start anew, are initialised from the training records.
    say
        Receives a line about what was taken from it, or from the weights of a MIDI encoder.

    Raises
    ------
    InputError
        The labels rate nothing that the network does, or as in `start_from`.
    MismatchError
        As in `start_from`.
    """
    arguments = network_arguments(config)
    network = build_network(**arguments)
    label = _labels(network, training)
    is_known = np.atleast_1d(np.isfinite(label).any(axis=0)).tolist()
    labelled = [name for name, known in zip(network.dimensions, is_known, strict=True) if known]
    mean, sd = label_moments(label)
    given = np.zeros(len(mean), dtype=bool)
    new_parts = new_parts_of(config)
    if start is None or new_parts:
        _fit_standardisers(config, network, training)
    if start is None:
        line = start_midi_encoder(network, config.model)
    else:
        taken = start_from(network, start, labelled, new_parts=new_parts)
        given = np.isin(network.dimensions, taken.learned)
        labelled, line = [*taken.learned, *taken.anew], str(taken)
    if say is not None and line is not None:
        say(line)
    network.head.initialise(
        torch.from_numpy(np.where(given, np.nan, mean)).float(),
        torch.from_numpy(np.where(given, np.nan, sd)).float(),
    )
    if config.data.statistics:
        fit_linear_initialisation(
            network,
            training,
            np.where(given, np.nan, label),
            config.training.ridge_penalty,
            use_score=config.data.score_features,
        )
    return _module(config, network, arguments, sd, labelled)


def _labels(network: PerformanceNetwork, training: Sequence[PreparedRecord]) -> np.ndarray:
    """(R, D) labels of what the network rates."""
    outputs = columns_of(network.dimensions)
    label = np.stack([record.label[outputs] for record in training])
    if not np.isfinite(label).any():
        raise InputError(
            "labels",
            f"have no rating of {', '.join(network.dimensions)}",
            next_step="set model.mtl_dimensions to what they rate",
        )
    return label


def _fit_standardisers(
    config: ExperimentConfig, network: PerformanceNetwork, training: Sequence[PreparedRecord]
) -> None:
    use_score = config.data.score_features
    symbolic = [
        (use_score and window.with_score) or window.without_score
        for record in training
        for window in record.windows
    ]
    level_db = np.array([window.level_db for record in training for window in record.windows])
    network.fit_standardisers(
        note_features=torch.from_numpy(np.concatenate([s.note_features for s in symbolic])),
        statistics=torch.from_numpy(np.stack([s.statistics for s in symbolic])),
        level_db=torch.from_numpy(np.add.outer(level_db, np.linspace(*LEVEL_JITTER_DB, 9)).ravel()).float(),
    )


def _module(
    config: ExperimentConfig,
    network: PerformanceNetwork,
    arguments: dict[str, Any],
    sd: np.ndarray,
    labelled: Sequence[str],
) -> PerformanceEvaluationModel:
    settings = config.training
    return PerformanceEvaluationModel(
        network,
        label_sd=sd.tolist(),
        arguments=arguments,
        labelled=labelled,
        backbone_lr=settings.optimizer.backbone_lr,
        heads_lr=settings.optimizer.heads_lr,
        min_lr=settings.scheduler.min_lr,
        weight_decay=settings.optimizer.weight_decay,
        warmup_steps=settings.scheduler.warmup_steps,
        variance_weight=settings.variance_weight,
        scheduler=settings.scheduler.name,
        loss=settings.loss,
        rating_loss=settings.rating_loss,
    )


def fit_linear_initialisation(
    network: PerformanceNetwork,
    training: Sequence[PreparedRecord],
    label: np.ndarray,
    penalty: float,
    *,
    use_score: bool = True,
) -> None:
    """Initialise the head as a ridge regression on the statistics, with the score and without.

    Every record has the same weight, whatever its number of windows.

    Parameters
    ----------
    network
    training : R records
    label : (R, D) rating points; NaN where missing
    penalty : per record
    use_score : whether scores are inputs at all
    """
    statistics, labels, weights = [], [], []
    for record, row_label in zip(training, label, strict=True):
        rows = [w.with_score for w in record.windows if use_score and w.with_score is not None]
        rows += [w.without_score for w in record.windows]
        statistics += [row.statistics for row in rows]
        labels += [row_label] * len(rows)
        weights += [1.0 / len(rows)] * len(rows)
    network.head.fit_linear_initialisation(
        torch.from_numpy(np.stack(statistics)),
        torch.from_numpy(np.stack(labels)).float(),
        torch.tensor(weights),
        penalty,
    )


def label_moments(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of every target's labels; 50 and 25 for a target without labels.

    Parameters
    ----------
    labels : (R, D) rating points; NaN where missing
    """
    mean, sd = np.full(labels.shape[1], 50.0), np.full(labels.shape[1], 25.0)
    for d in range(labels.shape[1]):
        known = labels[np.isfinite(labels[:, d]), d]
        if len(known) > 1:
            mean[d], sd[d] = known.mean(), max(known.std(), 1.0)
    return mean, sd
