"""What masked pre-training of the MIDI encoder gains for ratings, against random weights.

    python benchmarks/midi_pretraining.py --labels data/percepiano/labels.jsonl \
        --config configs/midi_pretrain.yaml --encoder runs/midi_pretrain/midi_pretrain_best.safetensors \
        -o results/training/midi_pretrain

Two uses, both on the folds of new music (cv4_cluster) with score and notes alone, no audio:

- frozen: means and standard deviations over the notes of what the encoder gives, and a ridge regression whose
  penalty is chosen within the training folds; beside the note features without an encoder and the statistics;
- fine-tuned: the encoder with a linear head on that mean, all weights trained for a stated number of epochs.

Figures are R2 of out-of-fold ratings; differences are paired, with intervals over clusters of music.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from tocco import metrics
from tocco.audio.processing import segment_bounds
from tocco.data.preparation import SymbolicInputs, cut_windows, symbolic_inputs
from tocco.data.records import LabelRecord, read_labels
from tocco.data.sources import read_performance
from tocco.data.splits import fold_indices
from tocco.files import write_bytes
from tocco.models.masked_head import load_midi_encoder
from tocco.models.midi_encoder import MIDIBertEncoder
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.masked_notes.loop import encoder_of
from tocco.units import FloatArray, IntArray

PENALTIES = np.logspace(0.0, 5.0, 11)
INNER_FOLDS = 4
RANDOM_SEEDS = (1, 2, 3)
FEWEST_NOTES = 2
AT_ONCE = 16
DRAWS = 1000


@dataclass(frozen=True, eq=False)
class Rated:
    """One rated excerpt: the inputs of its windows."""

    record: LabelRecord
    windows: list[SymbolicInputs]


def read_rated(records: Sequence[LabelRecord], window_sec: float) -> list[Rated]:
    """Read, align and measure every excerpt."""
    rated = []
    for record in records:
        assert record.midi_path is not None
        read = read_performance(record.midi_path, record.score_path, refuse_other_score=False)
        bounds = segment_bounds(read.performance.duration_sec, window_sec, 0.5)
        cut = cut_windows(read.performance, read.alignment, bounds)
        windows = [symbolic_inputs(*window) for window in cut if len(window[0]) >= FEWEST_NOTES]
        rated.append(Rated(record, windows))
    return rated


def ridge(x: FloatArray, y: FloatArray, group: IntArray, new: FloatArray) -> FloatArray:
    """(M, D) ridge estimates for new rows; each target's penalty has the least error over inner folds."""
    folds = np.random.default_rng(0).permutation(group.max() + 1)[group] % INNER_FOLDS
    errors = np.zeros((len(PENALTIES), y.shape[1]))
    for k in range(INNER_FOLDS):
        paths = ridge_path(x[folds != k], y[folds != k], x[folds == k])
        errors += ((paths - y[folds == k]) ** 2).sum(axis=1)
    return np.take_along_axis(ridge_path(x, y, new), errors.argmin(axis=0)[None, None], axis=0)[0]


def ridge_path(x: FloatArray, y: FloatArray, new: FloatArray) -> FloatArray:
    """(P, M, D) ridge estimates at every penalty, on columns in standard deviations."""
    mean, sd = np.nanmean(x, axis=0), np.nanstd(x, axis=0)
    scale = np.where(sd > 1e-9, sd, np.inf)
    x, new = (np.nan_to_num((each - mean) / scale) for each in (x, new))
    u, s, vt = np.linalg.svd(x, full_matrices=False)
    projected = u.T @ (y - y.mean(axis=0))
    path = [vt.T @ ((s / (s**2 + penalty))[:, None] * projected) for penalty in PENALTIES]
    return np.stack([new @ weights + y.mean(axis=0) for weights in path])


@torch.no_grad()
def encoded(encoder: MIDIBertEncoder, rated: Sequence[Rated]) -> FloatArray:
    """(R, 2H) mean and standard deviation over the notes, averaged over windows."""
    encoder.eval()
    places = [(i, window) for i, one in enumerate(rated) for window in one.windows]
    places.sort(key=lambda place: len(place[1].midi_tokens))
    total = np.zeros((len(rated), 2 * encoder.output_size))
    for start in range(0, len(places), AT_ONCE):
        batch = places[start : start + AT_ONCE]
        rows = pooled(encoder, [window for _, window in batch]).numpy()
        np.add.at(total, [i for i, _ in batch], rows)
    return total / np.array([len(one.windows) for one in rated])[:, None]


def pooled(encoder: MIDIBertEncoder, windows: Sequence[SymbolicInputs]) -> Tensor:
    """(B, 2H) mean and standard deviation of the notes of every window."""
    length = torch.tensor([len(w.midi_tokens) for w in windows])
    tokens = nn.utils.rnn.pad_sequence([torch.as_tensor(np.array(w.midi_tokens)) for w in windows], True)
    features = nn.utils.rnn.pad_sequence([torch.as_tensor(np.array(w.note_features)) for w in windows], True)
    mask = torch.arange(tokens.shape[1]) < length[:, None]
    notes = encoder(tokens, features, mask)
    mean = notes.sum(1) / length[:, None]
    spread = (((notes - mean[:, None]) ** 2 * mask[..., None]).sum(1) / length[:, None] + 1e-6).sqrt()
    return torch.cat([mean, spread], dim=1)


def of_windows(rated: Sequence[Rated], measure: Callable[[SymbolicInputs], FloatArray]) -> FloatArray:
    """(R, P) a measure of every window, averaged over those of an excerpt where it is known."""
    rows = []
    for one in rated:
        values = np.stack([measure(window) for window in one.windows])
        known = np.isfinite(values)
        total = np.where(known, values, 0.0).sum(axis=0)
        rows.append(np.where(known.any(axis=0), total / np.maximum(known.sum(axis=0), 1), np.nan))
    return np.stack(rows)


def note_moments(window: SymbolicInputs) -> FloatArray:
    """Mean and standard deviation of every note feature and of every token column."""
    values = np.concatenate([window.note_features, window.midi_tokens[:, 1:6]], axis=1).astype(float)
    known = np.isfinite(values)
    count = known.sum(axis=0)
    mean = np.where(known, values, 0.0).sum(axis=0) / np.maximum(count, 1)
    spread = np.sqrt(np.where(known, (values - mean) ** 2, 0.0).sum(axis=0) / np.maximum(count, 1))
    return np.concatenate([np.where(count > 0, mean, np.nan), np.where(count > 0, spread, np.nan)])


def frozen(
    rated: Sequence[Rated], labels: FloatArray, config: ExperimentConfig, weights: Path
) -> dict[str, list[FloatArray]]:
    """Method -> out-of-fold ratings (R, D), one for each seed."""
    trained = load_midi_encoder(encoder_of(config.model), weights)
    statistics = of_windows(rated, lambda window: window.statistics)
    given = {
        "note features, no encoder": [of_windows(rated, note_moments)],
        "random encoder": [encoded(random_encoder(config, trained, seed), rated) for seed in RANDOM_SEEDS],
        "pre-trained encoder": [encoded(trained, rated)],
        "statistics": [statistics],
    }
    for name in ("random encoder", "pre-trained encoder"):
        given[f"statistics, {name}"] = [np.concatenate([statistics, x], axis=1) for x in given[name]]
    folds = fold_indices([one.record for one in rated], "cv4_cluster")
    group = np.unique([one.record.cluster_id for one in rated], return_inverse=True)[1]
    estimates = {}
    for name, inputs in given.items():
        estimates[name] = []
        for x in inputs:
            out = np.full_like(labels, np.nan)
            for train, test in folds:
                out[test] = ridge(x[train], labels[train], group[train], x[test])
            estimates[name].append(out)
    return estimates


def random_encoder(config: ExperimentConfig, like: MIDIBertEncoder, seed: int) -> MIDIBertEncoder:
    """An encoder of random weights, on the scales of the pre-trained one."""
    torch.manual_seed(seed)
    encoder = encoder_of(config.model)
    encoder.standardiser.load_state_dict(like.standardiser.state_dict())
    return encoder


@dataclass(frozen=True)
class FineTuning:
    """How encoder and head are trained; the same for every start."""

    epochs: int
    seed: int
    batch_size: int = 8
    encoder_lr: float = 3e-4
    head_lr: float = 1e-3
    warmup_steps: int = 50


def fine_tuned(
    rated: Sequence[Rated],
    labels: FloatArray,
    encoder: MIDIBertEncoder,
    train: IntArray,
    test: IntArray,
    how: FineTuning,
) -> list[FloatArray]:
    """Ratings (len(test), D) of the held-out excerpts after every epoch."""
    torch.manual_seed(how.seed)
    head = nn.Linear(2 * encoder.output_size, labels.shape[1])
    nn.init.zeros_(head.weight)
    nn.init.zeros_(head.bias)
    mean, sd = labels[train].mean(axis=0), labels[train].std(axis=0)
    target = torch.as_tensor((labels - mean) / sd, dtype=torch.float32)
    groups = [
        {"params": list(encoder.parameters()), "peak": how.encoder_lr},
        {"params": list(head.parameters()), "peak": how.head_lr},
    ]
    optimiser = torch.optim.AdamW(groups, lr=how.encoder_lr, weight_decay=0.05)
    generator = np.random.default_rng(how.seed)
    total = how.epochs * math.ceil(len(train) / how.batch_size)
    step, results = 0, []
    for _ in range(how.epochs):
        encoder.train()
        order = generator.permutation(train)
        for start in range(0, len(order), how.batch_size):
            batch = order[start : start + how.batch_size]
            windows = [rated[i].windows[generator.integers(len(rated[i].windows))] for i in batch]
            share = min(1.0, (step + 1) / how.warmup_steps) * 0.5 * (1.0 + math.cos(math.pi * step / total))
            for group in optimiser.param_groups:
                group["lr"] = share * group["peak"]
            loss = (head(pooled(encoder, windows)) - target[batch]).square().mean()
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_([*encoder.parameters(), *head.parameters()], 1.0)
            optimiser.step()
            step += 1
        with torch.no_grad():
            estimate = head(torch.as_tensor(encoded(encoder, [rated[i] for i in test])).float()).numpy()
        results.append(estimate * sd + mean)
    return results


def fine_tuned_folds(
    rated: Sequence[Rated],
    labels: FloatArray,
    config: ExperimentConfig,
    weights: Path,
    how: FineTuning,
    chosen: Sequence[int],
) -> dict[str, list[FloatArray]]:
    """Start -> ratings (R, D) after every epoch; NaN outside the chosen folds."""
    out = {
        name: [np.full_like(labels, np.nan) for _ in range(how.epochs)]
        for name in ("random encoder", "pre-trained encoder")
    }
    folds = fold_indices([one.record for one in rated], "cv4_cluster")
    for k in chosen:
        train, test = folds[k]
        for name, ratings in out.items():
            torch.manual_seed(how.seed)
            encoder = encoder_of(config.model)
            if name == "pre-trained encoder":
                load_midi_encoder(encoder, weights)
            else:
                notes = [w.note_features for i in train for w in rated[i].windows]
                encoder.standardiser.fit(torch.as_tensor(np.concatenate(notes)))
            begun = time.perf_counter()
            for epoch, estimate in enumerate(fine_tuned(rated, labels, encoder, train, test, how)):
                ratings[epoch][test] = estimate
            score = r2(labels[test], ratings[-1][test]).mean()
            print(f"fold {k} {name}: R2 {score:.3f}, {time.perf_counter() - begun:.0f} s", flush=True)
    return out


def r2(labels: FloatArray, estimate: FloatArray) -> FloatArray:
    """(D,) coefficient of determination of every target."""
    return np.array([metrics.r2(ref, est) for ref, est in zip(labels.T, estimate.T, strict=True)])


def with_mean(values: FloatArray) -> FloatArray:
    """The targets' values with their mean first."""
    return np.concatenate([[values.mean()], values])


def compared(
    rated: Sequence[Rated], labels: FloatArray, first: Sequence[FloatArray], second: Sequence[FloatArray]
) -> dict[str, FloatArray]:
    """R2 of both (mean over seeds), their difference and its interval; first of all targets together."""
    rows = np.flatnonzero(np.isfinite(first[0]).all(axis=1))
    clusters = np.array([rated[i].record.cluster_id for i in rows])

    def figure(estimates: Sequence[FloatArray]) -> Callable[[IntArray], FloatArray]:
        return lambda index: with_mean(
            np.mean([r2(labels[rows[index]], each[rows[index]]) for each in estimates], axis=0)
        )

    a, b = figure(first), figure(second)
    difference = metrics.paired_bootstrap_difference(a, b, clusters, np.random.default_rng(0), n=DRAWS)
    every = np.arange(len(rows))
    return {
        "first": a(every),
        "second": b(every),
        "difference": difference.value,
        "low": difference.low,
        "high": difference.high,
    }


def comparison_table(targets: Sequence[str], found: Mapping[str, FloatArray], names: tuple[str, str]) -> str:
    """Markdown table of a comparison, a row a target."""
    lines = [f"| R2 | {names[0]} | {names[1]} | difference | 95 % interval |", "|---|--:|--:|--:|--:|"]
    for i, target in enumerate(("mean", *targets)):
        a, b, d, low, high = (float(found[k][i]) for k in ("first", "second", "difference", "low", "high"))
        lines.append(f"| {target} | {a:.3f} | {b:.3f} | {d:+.3f} | {low:+.3f} to {high:+.3f} |")
    return "\n".join(lines) + "\n"


def fold_table(rated: Sequence[Rated], labels: FloatArray, methods: Mapping[str, list[FloatArray]]) -> str:
    """Markdown table of the mean R2 over targets in every fold, and of all folds together."""
    folds = fold_indices([one.record for one in rated], "cv4_cluster")
    chosen = [
        k for k, (_, test) in enumerate(folds) if np.isfinite(next(iter(methods.values()))[0][test]).all()
    ]
    lines = [f"| mean R2 | {' | '.join(f'fold {k}' for k in chosen)} | together |"]
    lines.append("|---|" + "--:|" * (len(chosen) + 1))
    tested = np.concatenate([folds[k][1] for k in chosen])
    for name, estimates in methods.items():
        rows = [folds[k][1] for k in chosen] + [tested]
        cells = [np.mean([r2(labels[row], one[row]).mean() for one in estimates]) for row in rows]
        lines.append(f"| {name} | {' | '.join(f'{cell:.3f}' for cell in cells)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure and write `downstream.md` and `downstream.json`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--config", type=Path, required=True)
    parser.add_argument("--encoder", type=Path, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--epochs", type=int, default=8, help="of fine-tuning")
    parser.add_argument(
        "--folds", type=int, nargs="*", default=[0, 1, 2, 3], help="to fine-tune; none: frozen"
    )
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    config = load_config(arguments.config)
    rated = read_rated(read_labels(arguments.labels, must_exist=True), config.data.window_sec)
    table = np.array([[one.record.labels.get(name, np.nan) for name in TARGETS] for one in rated])
    known = np.isfinite(table).all(axis=0)
    targets, labels = [name for name, k in zip(TARGETS, known, strict=True) if k], table[:, known]
    print(f"{len(rated)} excerpts, {len(targets)} targets", flush=True)

    ridges = frozen(rated, labels, config, arguments.encoder)
    pairs = [
        ("pre-trained encoder", "random encoder"),
        ("pre-trained encoder", "note features, no encoder"),
        ("statistics, pre-trained encoder", "statistics"),
    ]
    text = ["## Frozen encoder, ridge regression", "", fold_table(rated, labels, ridges)]
    figures: dict[str, object] = {"targets": targets}
    for pair in pairs:
        found = compared(rated, labels, ridges[pair[0]], ridges[pair[1]])
        figures[f"frozen: {pair[0]} against {pair[1]}"] = {k: v.round(4).tolist() for k, v in found.items()}
        text += [f"### {pair[0]} against {pair[1]}", "", comparison_table(targets, found, pair)]
    write(arguments.output, text, figures)
    if arguments.folds:
        how = FineTuning(arguments.epochs, arguments.seed)
        tuned = fine_tuned_folds(rated, labels, config, arguments.encoder, how, arguments.folds)
        last = {name: [epochs[-1]] for name, epochs in tuned.items()}
        pair = ("pre-trained encoder", "random encoder")
        found = compared(rated, labels, last[pair[0]], last[pair[1]])
        figures["fine-tuned"] = {k: v.round(4).tolist() for k, v in found.items()}
        rows = np.flatnonzero(np.isfinite(last[pair[0]][0]).all(axis=1))
        curve = {
            name: [float(r2(labels[rows], each[rows]).mean().round(4)) for each in epochs]
            for name, epochs in tuned.items()
        }
        figures["fine-tuned, mean R2 after every epoch"] = curve
        text += [f"## Fine-tuned, {how.epochs} epochs", "", fold_table(rated, labels, last)]
        text += [comparison_table(targets, found, pair), "Mean R2 after every epoch:", ""]
        text += [f"- {name}: {', '.join(f'{v:.3f}' for v in values)}" for name, values in curve.items()]
        write(arguments.output, text, figures)


def write(folder: Path, text: Sequence[str], figures: Mapping[str, object]) -> None:
    """Write what is known so far."""
    head = ["# Ratings of PercePiano from notes and score, folds of new music", ""]
    write_bytes(folder / "downstream.md", ("\n".join([*head, *text]).rstrip() + "\n").encode())
    write_bytes(folder / "downstream.json", (json.dumps(figures, indent=1) + "\n").encode())
    print("\n".join(text), flush=True)


if __name__ == "__main__":
    main()
