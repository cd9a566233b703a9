"""From a trained and evaluated run to a bundle: its config and its model card."""

from __future__ import annotations

import json
from collections.abc import Sequence
from importlib import resources
from importlib.metadata import version
from pathlib import Path

import numpy as np

from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError
from tocco.inference.applicability import Applicability, fit_applicability
from tocco.inference.bundle import BundleConfig
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.music.statistics import STATISTICS
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.module_of_config import network_arguments
from tocco.training.outputs import rated_targets

FIGURES = "cross_validation.md"
"""The tables of an evaluation, which go into the card."""


def bundle_config(
    config: ExperimentConfig, records: Sequence[PreparedRecord], run_dir: Path, labels_sha256: str
) -> BundleConfig:
    """The settings and the provenance of the network that learned from every record."""
    split = json.loads((run_dir / "full" / "split.json").read_text(encoding="utf-8"))
    if split["train"] != sorted(record.record.segment_id for record in records):
        raise InputError(run_dir / "full", "was not trained on this label file", next_step="train it again")
    rated = rated_targets(config.model.dimensions, np.stack([record.label for record in records]))
    return BundleConfig(
        name="tocco-compact",
        version=version("tocco"),
        tocco_version=version("tocco"),
        window_sec=config.data.window_sec,
        overlap=config.data.overlap,
        network=network_arguments(config),
        statistics=tuple(statistic.name for statistic in STATISTICS),
        note_features=tuple(feature.name for feature in NOTE_FEATURES),
        octuple_vocabulary=tuple(OCTUPLE_VOCABULARY.values()),
        rated=tuple(TARGETS[d] for d in rated),
        training={
            "labels": "PercePiano, development part",
            "labels_sha256": labels_sha256,
            "licence_of_the_data": "MIT (repository); the article is CC BY-NC-ND",
            "n_records": len(records),
            "split_sha256": split["sha256"],
            "revision": split["revision"],
            "settings": config.model_dump(mode="json"),
        },
    )


def training_range(records: Sequence[PreparedRecord]) -> Applicability:
    """The range of every score-free statistic in the windows that were learned from."""
    free = [p for p, statistic in enumerate(STATISTICS) if not statistic.needs_score]
    measured = np.stack([w.without_score.statistics for record in records for w in record.windows])
    return fit_applicability([STATISTICS[p].name for p in free], measured[:, free].astype(float))


def model_card(
    config: ExperimentConfig,
    records: Sequence[PreparedRecord],
    run_dir: Path,
    evaluation: Path,
    labels_sha256: str,
) -> str:
    """The card, with the cross-validation's own tables in it."""
    figures = (evaluation / FIGURES).read_text(encoding="utf-8")
    trained = json.loads((run_dir / "full" / "split.json").read_text(encoding="utf-8"))
    about = [record.record for record in records]
    template = resources.files("tocco.evaluation") / "model_card.md"
    return template.read_text(encoding="utf-8").format(
        name="tocco-compact",
        version=version("tocco"),
        n_records=len(about),
        n_human=sum(not r.is_score_rendering for r in about),
        n_score=sum(r.is_score_rendering for r in about),
        n_clusters=len({r.cluster_id for r in about}),
        labels_sha256=labels_sha256,
        seed=config.training.seed,
        revision=trained["revision"],
        protocol=config.data.protocol,
        config=config.name,
        figures="\n".join(f"#{line}" if line.startswith("#") else line for line in figures.splitlines()),
    )
