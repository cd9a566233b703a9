"""What the model abstains from at other limits: playing that is no music against pianists and students.

    python benchmarks/abstention_roc.py LABELS --statistics NPZ --graded TAKES.csv -o abstention.md

The gate has four limits: notes a second, share of notes in clusters of keys, keys as if drawn at random
(`tocco.inference.plausibility`), and share of measures out of the range of the training music
(`tocco.inference.applicability`). Each measure is divided by its limit; the largest of the four decides, and
the gate abstains above 1. Ranges are fitted here to whole excerpts, of the other works for an excerpt of
LABELS; in a bundle they are fitted to windows of 20 s. NPZ is what `calibration_predictions.py kernel` wrote.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from calibration_predictions import measured_statistics
from sklearn.metrics import roc_auc_score

from tocco.data.records import LabelRecord, read_labels
from tocco.evaluation.markdown import table
from tocco.evaluation.validity.graded import read_graded
from tocco.evaluation.validity.made_up import NO_MUSIC
from tocco.files import write_bytes
from tocco.inference.applicability import LIMIT, fit_applicability
from tocco.inference.plausibility import (
    FARTHEST_APART,
    LEAST_IN_SCALE,
    MOST_CLUSTERED,
    MOST_NOTES_A_SEC,
    clustered,
    keys_apart,
    notes_a_second,
    share_in_scale,
)
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.statistics import STATISTICS, performance_statistics
from tocco.units import FloatArray

LIMITS = (0.5, 0.7, 0.8, 0.9, 1.0, 1.1, 1.25, 1.5)
"""In units of the limits of the gate."""

N_MADE_UP = 100
FREE = [p for p, statistic in enumerate(STATISTICS) if not statistic.needs_score]
NAMES = [STATISTICS[p].name for p in FREE]
MEASURES = ("notes a second", "clusters", "random keys", "out of range")
SEED = 0


def shares_outside(training: FloatArray, rows: FloatArray) -> FloatArray:
    """Share of measures out of the range of `training`, of each row."""
    ranges = fit_applicability(NAMES, training)
    columns = [NAMES.index(name) for name in ranges.names]
    return np.array([ranges.outside(row[None, columns]).share for row in rows])


def of_keys(performance: Performance) -> tuple[float, float, float]:
    """The measures of plausibility, each in units of its limit."""
    order = np.lexsort((performance.pitch, performance.onset_sec))
    onset, pitch = performance.onset_sec[order], performance.pitch[order]
    # Both limits must be passed, so the one that is passed less decides.
    random = min(keys_apart(onset, pitch) / FARTHEST_APART, LEAST_IN_SCALE / share_in_scale(pitch))
    return notes_a_second(onset) / MOST_NOTES_A_SEC, clustered(onset, pitch) / MOST_CLUSTERED, random


def measured(performances: Iterable[Performance]) -> tuple[FloatArray, FloatArray]:
    """(N, 3) measures of plausibility, (N, P) score-free statistics."""
    pairs = [(of_keys(one), performance_statistics(one, None).values[FREE]) for one in performances]
    return np.array([keys for keys, _ in pairs]), np.stack([values for _, values in pairs])


def groups(records: list[LabelRecord], statistics: FloatArray, graded: Path | None) -> dict[str, FloatArray]:
    """(N, 4) measures of each group in units of their limits; pianists first."""
    works = np.array([record.work_id or record.piece_id for record in records])
    is_score = np.array([record.is_score_rendering for record in records])
    outside = np.full(len(records), np.nan)
    for work in np.unique(works):
        outside[works == work] = shares_outside(statistics[works != work], statistics[works == work])
    keys = np.array([of_keys(load_midi(record.midi_path)) for record in records])
    excerpts = np.column_stack([keys, outside / LIMIT])
    found = {"pianists": excerpts[~is_score], "renderings of the score": excerpts[is_score]}
    generator = np.random.default_rng(SEED)
    others = {name: [make(generator) for _ in range(N_MADE_UP)] for name, make in NO_MUSIC.items()}
    if graded is not None:
        others = {"students": [load_midi(take.midi) for take in read_graded(graded)], **others}
    for name, performances in others.items():
        keys, rows = measured(performances)
        found[name] = np.column_stack([keys, shares_outside(statistics, rows) / LIMIT])
    return found


def page(found: Mapping[str, FloatArray]) -> str:
    """Abstentions of each group at each limit, and how well each measure separates it from pianists."""
    at_limits, areas = [], []
    pianists = found["pianists"]
    for name, rows in found.items():
        largest = rows.max(axis=1)
        cells = [f"{100 * np.mean(largest > limit):.1f} %" for limit in LIMITS]
        at_limits.append([name, str(len(rows)), f"{np.median(largest):.2f}", f"{largest.max():.2f}", *cells])
        if name != "pianists":
            is_other = np.repeat([0, 1], [len(pianists), len(rows)])
            pooled = np.concatenate([pianists, rows])
            scores = [pooled.max(axis=1), *pooled.T]
            areas.append([name, *(f"{roc_auc_score(is_other, score):.3f}" for score in scores)])
    made_up = np.concatenate([found[name] for name in NO_MUSIC])
    passed = [f"{what} {100 * np.mean(made_up[:, m] > 1):.1f} %" for m, what in enumerate(MEASURES)]
    lines = [
        "# What the model abstains from, by limit",
        "",
        f"At its limits it abstains from {_above(made_up)} of playing that is no music and from",
        f"{_above(pianists)} of pianists' excerpts. Of the former each limit alone catches:",
        f"{', '.join(passed)}.",
        "",
        "Abstentions with all limits times a factor:",
        "",
        *table(["group", "n", "median", "most", *(f"{limit:g}" for limit in LIMITS)], at_limits),
        "Area under the ROC curve against pianists, of the largest measure and of each:",
        "",
        *table(["group", "largest", *MEASURES], areas),
    ]
    return "\n".join(lines)


def _above(rows: FloatArray) -> str:
    return f"{100 * np.mean((rows > 1).any(axis=1)):.1f} %"


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("labels", type=Path)
    parser.add_argument("--statistics", type=Path, required=True)
    parser.add_argument("--graded", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    records = read_labels(given.labels)
    statistics = measured_statistics(records, given.statistics, jobs=1)[:, FREE]
    text = page(groups(records, statistics, given.graded))
    write_bytes(given.output, text.encode())
    print(text)


if __name__ == "__main__":
    main()
