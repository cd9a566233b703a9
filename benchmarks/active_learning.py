"""How much better ratings become by choosing which performances are rated next.

    tocco data percepiano PERCEPIANO -o LABELS --no-render
    OMP_NUM_THREADS=1 python benchmarks/active_learning.py LABELS/labels.jsonl -o results/labelling

The ratings of PercePiano are hidden and shown in rounds: 40 excerpts at random, then 40 more a round, either
at random or as `tocco label next` chooses them, or by one of its parts. After each round the mean of a ridge
and a kernel regression of the 320 statistics rates the folds that were not shown (`cv4_cluster`; no fold
shares music with another). R2 is the mean over nine dimensions, of the ratings of all four folds together.
Every seed begins with other excerpts, the same for every strategy.

Set before the run, after a trial with two seeds: what is compared is the difference to random choice within
a seed, at 80, 200 and 400 excerpts; it counts as shown where its 95 % interval over the seeds leaves out 0.
The interval is about the draw of excerpts. It says nothing of other music, other raters or other models.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from tocco.data.records import LabelRecord, read_labels
from tocco.data.splits import fold_indices
from tocco.errors import InputError
from tocco.evaluation.cross_validation.shallow_models import measure_excerpts
from tocco.evaluation.markdown import table
from tocco.evaluation.png import save_png
from tocco.files import read_text, replacing, write_bytes
from tocco.labelling.choosing import choose, relative_uncertainty
from tocco.labelling.committee import committee_rating
from tocco.metrics import bootstrap_interval
from tocco.models.statistics_models import fit_statistics_scale
from tocco.rubrics import DIMENSIONS
from tocco.units import FloatArray, IntArray

PROTOCOL = "cv4_cluster"
STEP = 40
SIZES = tuple(range(STEP, 401, STEP))
REPORTED = (80, 200, 400)
RANDOM, SHIPPED = "random", "as `tocco label next`"
STRATEGIES = (RANDOM, SHIPPED, "novelty alone", "disagreement alone", "expected error alone")
COLOURS = ("0.35", "#b3261e", "#2f6db5", "#3a8a4d", "#c98a00")


@dataclass(frozen=True)
class Material:
    """What the simulation works on.

    Attributes
    ----------
    statistics : (R, 320)
    labels : (R, D)
    folds : of (training, test) indices
    names : of the D dimensions
    """

    statistics: FloatArray
    labels: FloatArray
    folds: Sequence[tuple[IntArray, IntArray]]
    names: Sequence[str]


def measured(records: Sequence[LabelRecord], cache: Path | None, jobs: int) -> FloatArray:
    """The statistics of the records, from the cache if it is of the same ones."""
    ids = np.array([record.segment_id for record in records])
    if cache is not None and cache.is_file():
        with np.load(cache) as stored:
            if np.array_equal(stored["segment_ids"], ids):
                return stored["statistics"]
    statistics = measure_excerpts(records, jobs=jobs).statistics
    if cache is not None:
        with replacing(cache) as temporary, temporary.open("wb") as file:
            np.savez(file, statistics=statistics, segment_ids=ids)
    return statistics


def read_material(path: Path, cache: Path | None, jobs: int) -> Material:
    """Labels, statistics and folds."""
    records = read_labels(path, must_exist=True)
    names = [name for name in DIMENSIONS if all(name in record.labels for record in records)]
    if not names:
        raise InputError(path, "has no dimension that every record is rated on")
    labels = np.array([[record.labels[name] for name in names] for record in records])
    return Material(measured(records, cache, jobs), labels, fold_indices(records, PROTOCOL), names)


def next_ones(
    strategy: str, z: FloatArray, labels: FloatArray, shown: Sequence[int], hidden: IntArray, n: int
) -> IntArray:
    """The next `n` of the hidden excerpts, by a strategy that is not random."""
    if strategy == "novelty alone":
        return hidden[choose(z[hidden], z[shown], n)]
    found = committee_rating(z[shown], labels[shown], z[hidden])
    if strategy == "disagreement alone":
        return hidden[np.argsort(-found.disagreement, kind="stable")[:n]]
    if strategy == "expected error alone":
        return hidden[np.argsort(-found.error_sd, kind="stable")[:n]]
    uncertainty = relative_uncertainty(found.error_sd, found.disagreement)
    return hidden[choose(z[hidden], z[shown], n, uncertainty)]


def curve(material: Material, strategy: str, seed: int) -> list[float]:
    """R2 for each of `SIZES`."""
    rating = np.full((len(SIZES), *material.labels.shape), np.nan)
    for k, (train, test) in enumerate(material.folds):
        z = fit_statistics_scale(material.statistics[train]).standardised(material.statistics)
        order = np.random.default_rng([seed, k]).permutation(train)
        shown = list(order[:STEP])
        for s, size in enumerate(SIZES):
            if strategy == RANDOM:
                shown = list(order[:size])
            elif size > len(shown):
                hidden = np.setdiff1d(train, shown)
                shown += next_ones(strategy, z, material.labels, shown, hidden, size - len(shown)).tolist()
            rating[s, test] = committee_rating(z[shown], material.labels[shown], z[test]).mean
    return [mean_r2(one, material) for one in rating]


def mean_r2(rating: FloatArray, material: Material) -> float:
    """Mean over the dimensions, of the excerpts that were tested."""
    tested = np.isfinite(rating).all(axis=1)
    labels = material.labels[tested]
    error = np.square(labels - rating[tested]).sum(axis=0)
    return float(np.mean(1.0 - error / np.square(labels - labels.mean(axis=0)).sum(axis=0)))


def r2_of_all(material: Material) -> tuple[int, float]:
    """Mean size of the training sides, and R2 when all of it is shown."""
    rating = np.full(material.labels.shape, np.nan)
    for train, test in material.folds:
        z = fit_statistics_scale(material.statistics[train]).standardised(material.statistics)
        rating[test] = committee_rating(z[train], material.labels[train], z[test]).mean
    return round(np.mean([len(train) for train, _ in material.folds])), mean_r2(rating, material)


def gains(r2: Mapping[str, FloatArray]) -> dict[str, list[dict[str, float]]]:
    """Difference to random choice by strategy and size, with its interval over the seeds."""
    found: dict[str, list[dict[str, float]]] = {}
    n_seeds = len(r2[RANDOM])
    for strategy in STRATEGIES[1:]:
        difference = r2[strategy] - r2[RANDOM]
        interval = bootstrap_interval(
            lambda seeds, d=difference: d[seeds].mean(axis=0),
            np.arange(n_seeds),
            np.random.default_rng(0),
            n=5000,
        )
        found[strategy] = [
            {"n": n, "difference": float(v), "low": float(a), "high": float(b)}
            for n, v, a, b in zip(SIZES, interval.value, interval.low, interval.high, strict=True)
        ]
    return found


def saved(r2: Mapping[str, FloatArray]) -> list[tuple[int, float]]:
    """For sizes of the shipped strategy: how many excerpts at random reach the same mean R2; NaN beyond."""
    random, shipped = r2[RANDOM].mean(axis=0), r2[SHIPPED].mean(axis=0)
    rising = np.maximum.accumulate(random)
    return [
        (n, float(np.interp(value, rising, SIZES)) if value <= rising[-1] else float("nan"))
        for n, value in zip(SIZES, shipped, strict=True)
    ]


def document(result: Mapping[str, Any], r2: Mapping[str, FloatArray]) -> str:
    """The page, conclusion first."""
    gain = {row["n"]: row for row in result["gains"][SHIPPED]}
    equal = dict(result["random_that_reach_the_same"])
    found = [
        f"- {n} rated excerpts: R2 {r2[SHIPPED][:, SIZES.index(n)].mean():.3f} where they were chosen, "
        f"{r2[RANDOM][:, SIZES.index(n)].mean():.3f} where they were drawn; difference "
        f"{gain[n]['difference']:+.3f} (95 % interval {gain[n]['low']:+.3f} to {gain[n]['high']:+.3f}): "
        f"{_verdict(gain[n])}. {_as_many(equal[n])}"
        for n in REPORTED
    ]
    lines = [
        "# Choosing what is rated next, simulated",
        "",
        *found,
        f"- all {result['n_all']} of a training side: {result['r2_all']:.3f}.",
        "",
        "![R2 by number of rated excerpts](active_learning.png)",
        "",
        f"Measured on {result['n_excerpts']} excerpts of PercePiano, {result['n_seeds']} seeds; method and "
        "limits: `benchmarks/active_learning.py`. Each cell: mean R2, and the difference to random choice "
        "with its 95 % interval over the seeds.",
        "",
    ]
    header = ["rated", RANDOM, *STRATEGIES[1:]]
    rows = []
    for s, n in enumerate(SIZES):
        cells = [f"{r2[RANDOM][:, s].mean():.3f}"]
        for strategy in STRATEGIES[1:]:
            row = result["gains"][strategy][s]
            cells.append(
                f"{r2[strategy][:, s].mean():.3f} ({row['difference']:+.3f}; "
                f"{row['low']:+.3f} to {row['high']:+.3f})"
            )
        rows.append([str(n), *cells])
    lines += table(header, rows)
    lines += [
        f"The first {STEP} are drawn for every strategy. What it gives on other music and with other raters "
        "is unknown.",
        "The pool has many excerpts of the same passages, which choice avoids and a draw does not; in a pool "
        "without such, less can be gained.",
        "",
        f"    {result['command']}",
        "",
    ]
    return "\n".join(lines)


def _verdict(row: Mapping[str, float]) -> str:
    if row["low"] > 0.0:
        return "choosing helps"
    return "choosing harms" if row["high"] < 0.0 else "no difference is shown"


def _as_many(equal: float | None) -> str:
    found = f"{equal:.0f}" if equal is not None else f"more than {SIZES[-1]}"
    return f"Drawn, it takes {found} to be as good."


def draw(r2: Mapping[str, FloatArray], n_all: int, r2_all: float, path: Path) -> None:
    """The curves, and the difference to random choice below them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(8.0, 7.0), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 2))
    above.axhline(r2_all, color="0.7", linewidth=1.0, linestyle=":")
    above.annotate(f"all {n_all}", (SIZES[-1], r2_all), ha="right", va="bottom", color="0.4")
    for strategy, colour in zip(STRATEGIES, COLOURS, strict=True):
        is_main = strategy in {RANDOM, SHIPPED}
        style = {"color": colour, "linewidth": 2.2 if is_main else 1.1, "zorder": 3 if is_main else 2}
        above.plot(SIZES, r2[strategy].mean(axis=0), marker="o", markersize=3.5, label=strategy, **style)
        if strategy != RANDOM:
            below.plot(SIZES, (r2[strategy] - r2[RANDOM]).mean(axis=0), marker="o", markersize=3.5, **style)
    rows = gains(r2)[SHIPPED]
    below.fill_between(
        SIZES, [row["low"] for row in rows], [row["high"] for row in rows], color=COLOURS[1], alpha=0.18
    )
    below.axhline(0.0, color=COLOURS[0], linewidth=2.2)
    above.set_ylabel("R2, mean of nine dimensions")
    below.set_ylabel("difference to random")
    below.set_xlabel("rated excerpts")
    above.legend(frameon=False, loc="lower right")
    for axes in (above, below):
        axes.grid(color="0.92")
        axes.spines[["top", "right"]].set_visible(False)
    save_png(figure, path)


def main() -> None:
    """Simulate, write the page, the figures and the picture."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("labels", type=Path)
    parser.add_argument("--statistics", type=Path, help="cache of the statistics (.npz)")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--redraw", action="store_true", help="page and picture from active_learning.json")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    figures = options.output / "active_learning.json"
    if not options.redraw:
        result = simulated(options.labels, options.statistics, options.seeds, options.jobs)
        write_bytes(figures, (json.dumps(result, indent=1) + "\n").encode())
    result = json.loads(read_text(figures))
    r2 = {strategy: np.array(result["r2"][strategy]) for strategy in STRATEGIES}
    draw(r2, result["n_all"], result["r2_all"], options.output / "active_learning.png")
    text = document(result, r2)
    write_bytes(options.output / "active_learning.md", text.encode())
    print(text)


def simulated(labels: Path, statistics: Path | None, seeds: int, jobs: int) -> dict[str, Any]:
    """The figures of every strategy."""
    began = time.monotonic()
    material = read_material(labels, statistics, jobs)
    r2: dict[str, FloatArray] = {}
    for strategy in STRATEGIES:
        r2[strategy] = np.array([curve(material, strategy, seed) for seed in range(seeds)])
        print(strategy, r2[strategy].mean(axis=0).round(3), flush=True)
    n_all, r2_all = r2_of_all(material)
    return {
        "command": f"python benchmarks/active_learning.py labels.jsonl --seeds {seeds} -o FOLDER",
        "n_excerpts": len(material.labels),
        "n_seeds": seeds,
        "protocol": PROTOCOL,
        "dimensions": list(material.names),
        "sizes": list(SIZES),
        "r2": {strategy: found.round(4).tolist() for strategy, found in r2.items()},
        "gains": gains(r2),
        "random_that_reach_the_same": [
            (n, None if np.isnan(equal) else round(equal, 1)) for n, equal in saved(r2)
        ],
        "n_all": n_all,
        "r2_all": r2_all,
        "wall_sec": round(time.monotonic() - began, 1),
    }


if __name__ == "__main__":
    main()
