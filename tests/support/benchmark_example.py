"""Made-up rated excerpts: three works, six clusters, four pianists, and a rendering of each passage."""

from pathlib import Path

import numpy as np

from tocco.data.records import LabelRecord, write_labels
from tocco.evaluation.benchmark import Benchmark
from tocco.evaluation.benchmark.predictions import Prediction, Predictions, predictions_csv
from tocco.evaluation.benchmark.protocols import HeldOutFold
from tocco.rubrics import DESCRIPTORS, dimensions_from_descriptors

N_CLUSTERS, N_PIANISTS = 6, 4
RATER_SD, N_RATERS = 12.0, 4


def records(folder: Path, names: tuple[str, ...] = DESCRIPTORS, seed: int = 3) -> list[LabelRecord]:
    """Labels are an effect of the music, of the pianist, of both, and of raters."""
    rng = np.random.default_rng(seed)
    music, pianist = rng.normal(0.0, 11.0, (2, 12, len(names)))
    found = []
    for cluster in range(N_CLUSTERS):
        for passage in (2 * cluster, 2 * cluster + 1):
            for player in range(N_PIANISTS + 1):
                is_score = player == N_PIANISTS
                noise = rng.normal(0.0, np.hypot(3.0, RATER_SD / N_RATERS**0.5), len(names))
                who = 0.0 if is_score else pianist[player]
                values = np.clip(50.0 + music[cluster] + who + noise, 1.0, 99.0)
                labels = {name: round(float(v), 3) for name, v in zip(names, values, strict=True)}
                labels |= dimensions_from_descriptors(labels)
                name = f"passage{passage:02d}_{'score' if is_score else f'pianist{player}'}"
                found.append(
                    LabelRecord(
                        segment_id=name,
                        piece_id=f"piece{cluster}",
                        performer_id="Score" if is_score else f"pianist{player}",
                        source="Made up",
                        midi_path=folder / f"{name}.mid",
                        labels=labels,
                        label_sd=dict.fromkeys(labels, RATER_SD),
                        n_raters=N_RATERS,
                        work_id=f"work{cluster // 2}",
                        passage_id=f"passage{passage:02d}",
                        cluster_id=f"cluster{cluster}",
                        is_score_rendering=is_score,
                    )
                )
    return found


def label_file(folder: Path, names: tuple[str, ...] = DESCRIPTORS) -> Path:
    """A label file of them, without MIDI."""
    path = folder / "labels.jsonl"
    write_labels(records(folder, names), path)
    return path


def predictions_of(
    folds: tuple[HeldOutFold, ...], benchmark: Benchmark, seed: int = 5, *, with_sd: bool = False
) -> dict[str, Prediction]:
    """What a system says that hears half of what the raters say."""
    rng = np.random.default_rng(seed)
    said = {}
    for fold in folds:
        for i in fold.test:
            record = benchmark.records[i]
            rating = {
                name: float(np.clip(0.5 * value + 25.0 + rng.normal(0.0, 4.0), 0.0, 100.0))
                for name, value in record.labels.items()
                if name in DESCRIPTORS
            }
            said[record.segment_id] = Prediction(
                fold.name, rating, dict.fromkeys(rating, 10.0) if with_sd else {}
            )
    return said


def write_predictions(path: Path, said: dict[str, dict[str, Prediction]]) -> Path:
    """A CSV of them."""
    path.write_text(predictions_csv(said))
    return path


def as_predictions(said: dict[str, Prediction], protocol: str = "") -> Predictions:
    """As they are read from a file."""
    return Predictions("0" * 64, {protocol: said})
