"""Tables of agreement with listeners: dimensions, descriptors, systems, protocols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from results_page.sources import (
    COMBINED,
    HUMAN,
    INTERPRETIVE,
    LISTENERS,
    MEAN_9,
    MEAN_19,
    RIDGE,
    TECHNICAL,
    Figure,
    Sources,
)
from results_page.writing import number, percent, plain, table, with_interval

ENTRIES: Final = {
    "percepiano_kernel_ridge": "kernel ridge, 320 statistics",
    "percepiano_ridge": "linear regression, 10 features",
    "percepiano_pianist_mean": "pianist mean, hears nothing",
    "percepiano_passage_mean": "passage mean, hears nothing",
    "percepiano_constant": "constant, hears nothing",
}
"""File of the leaderboard -> name in the table."""

PROTOCOLS: Final = {
    "clusters": "new music",
    "performer": "new pianist",
    "both": "new music by a new pianist",
    "work": "new work",
    "published": "published performer split",
}


def section(sources: Sources) -> str:
    """All tables of agreement."""
    parts = (dimensions, descriptors, systems, protocols, pieces, published)
    return "\n\n".join(part(sources) for part in parts)


def dimensions(sources: Sources) -> str:
    """The ratings that people see, each dimension."""
    rows = []
    for name in TECHNICAL + INTERPRETIVE:
        metrics = ("pearson_r", "r2", "mae", "mae_skill")
        r, r2, mae, skill = (sources.ratings(name, metric).value for metric in metrics)
        pairs = sources.ratings(name, "pair_accuracy_within").value
        covered, width = (
            sources.ratings(name, metric).value for metric in ("coverage_90", "interval_width_90")
        )
        cells = (number(r), number(r2), number(sources.reliability(name)), number(mae, 1), number(skill, 2))
        rows.append((plain(name), *cells, number(pairs), percent(covered), number(width, 1)))
    header = (
        "dimension",
        "r",
        "R2",
        "highest R2",
        "MAE",
        "skill",
        "pairs, same passage",
        "90 % holds",
        "width",
    )
    planted = sources.found(
        "results/alignment/errors.txt", r"2% each of [^\n]*\n  tocco, all +(\d+) performances"
    )
    return (
        "### Ten dimensions\n\nAgreement with listeners of the ratings that people see"
        " (results/perception), music not learned from. Skill is 1 − MAE / MAE of a constant; of pairs"
        " half are right by guessing. *Highest R2* is the reliability of the raters' mean.\n\n"
        + table(header, rows)
        + "\n\nNote accuracy is counted from the alignment with the score. Of planted errors, "
        + _planted(sources)
        + f" ({planted} performances, 2 % each of wrong, missing and added notes;"
        " results/alignment/errors.txt)."
    )


def _planted(sources: Sources) -> str:
    line = r"2% each of [^\n]*\n  tocco, all [^\n]*"
    figures = {
        f"{kind} {name}": sources.found("results/alignment/errors.txt", rf"{line}{kind} {shape}")
        for kind in ("missing", "extra")
        for name, shape in (("P", r"P ([\d.]+)"), ("R", r"P [\d.]+ R ([\d.]+)"))
    }
    found = {name: percent(value) for name, value in figures.items()}
    return (
        f"missing notes are found with precision {found['missing P']} and recall {found['missing R']},"
        f" added ones with {found['extra P']} and {found['extra R']}"
    )


def descriptors(sources: Sources) -> str:
    """The model of listeners, each descriptor."""
    names = sorted(sources.descriptors(), key=lambda name: -sources.listeners(name, "r2").value)
    rows = []
    for name in names:
        r, mae = (sources.listeners(name, metric).value for metric in ("pearson_r", "mae"))
        covered = sources.listeners(name, "coverage_90").value
        linear = sources.listeners(name, "r2", system=RIDGE).value
        cells = (number(r), number(sources.listeners(name, "r2").value), number(sources.reliability(name)))
        rows.append((plain(name), *cells, number(linear), number(mae, 1), percent(covered)))
    header = ("descriptor", "r", "R2", "highest R2", "R2, linear regression", "MAE", "90 % holds")
    return (
        f"### Nineteen descriptors\n\nThe model of listeners ({LISTENERS}; results/statistics_models),"
        f" best first.\n\n{table(header, rows)}"
    )


def systems(sources: Sources) -> str:
    """What is learned beside baselines, means over the targets."""
    nine = [
        ("ratings that people see", sources.ratings, COMBINED),
        ("the same, without a score", sources.ratings, "combined, no score"),
        ("perception within them, nothing taken off", sources.ratings, "perception"),
        ("model of listeners", sources.listeners, LISTENERS),
        ("network", sources.network, "tocco"),
        ("linear regression, 10 features", sources.listeners, RIDGE),
        ("pianist mean, hears nothing", sources.network, "pianist mean"),
        ("constant", sources.listeners, "constant"),
    ]
    nineteen = [row for row in nine if row[1] != sources.ratings]
    nineteen[1:1] = [
        ("the same, without a score", sources.listeners, f"{LISTENERS}, no score"),
        ("trees alone", sources.listeners, "trees"),
        ("kernel alone", sources.listeners, "norm kernel"),
    ]
    header = ("system", "r", "R2", "R2, human performances", "MAE", "skill", "pairs", "pairs, same passage")
    parts = []
    for target, chosen in ((MEAN_9, nine), (MEAN_19, nineteen)):
        rows = []
        for words, read, system in chosen:
            r2, human = read(target, "r2", system=system), read(target, "r2", system=system, part=HUMAN)
            r, mae, skill, pairs, within = (
                read(target, metric, system=system).value
                for metric in ("pearson_r", "mae", "mae_skill", "pair_accuracy", "pair_accuracy_within")
            )
            cells = (number(r), with_interval(r2), number(human.value), number(mae, 2), number(skill, 2))
            rows.append((words, *cells, number(pairs), number(within)))
        parts.append(f"**{target.capitalize()}**\n\n{table(header, rows)}")
    return "### Systems and baselines\n\nNew music (`cv4_cluster`).\n\n" + "\n\n".join(parts)


def protocols(sources: Sources) -> str:
    """Five protocols of the benchmark."""
    family = "19 descriptors"
    ceiling = sources.ceilings(family)
    rows = []
    for protocol, words in PROTOCOLS.items():
        for entry, name in ENTRIES.items():
            found = sources.leaderboard(entry, protocol, family)
            r2 = Figure(*(found["r2"][end] for end in ("value", "low", "high")))
            r, pairs, within = (found[metric]["value"] for metric in ("r", "pairs", "pairs_same_passage"))
            cells = (with_interval(r2), number(ceiling[protocol]), number(r), number(pairs), number(within))
            rows.append((words, name, *cells))
    header = ("what is new", "system", "R2", "highest R2", "r", "pairs", "pairs, same passage")
    return (
        "### Five protocols of the benchmark\n\nMean of 19 descriptors (benchmarks/leaderboard). The best"
        " model o listeners was not run on all five; kernel ridge is the part of it that was. Where a"
        " pianist or a passage"
        " is known, its mean alone explains much.\n\n" + table(header, rows, words=2)
    )


def pieces(sources: Sources) -> str:
    """Whole pieces of one player beside excerpts."""
    rows = sources.rows("results/error_patterns/percepiano/pieces.csv")
    cells = []
    for unit, words in (("excerpt", "excerpts"), ("piece", "pieces of one player, excerpts averaged")):
        part = [row for row in rows if row["unit"] == unit]
        means = [_mean([float(row[metric]) for row in part]) for metric in ("pearson_r", "r2", "mae")]
        cells.append((words, part[0]["n"], number(means[0]), number(means[1]), number(means[2], 2)))
    return (
        "### Whole pieces\n\nHuman performances, mean over nine dimensions, kernel ridge on new music"
        " (results/error_patterns).\n\n" + table(("unit", "n", "r", "R2", "MAE"), cells)
    )


def published(sources: Sources) -> str:
    """Beside the published figure of a split that does not leak."""
    listed = sources.table("results/percepiano_benchmark/kernel_ridge.md", "## Published figures")
    entry = sources.leaderboard("percepiano_kernel_ridge", "published", "19 descriptors")
    passage = sources.leaderboard("percepiano_passage_mean", "published", "19 descriptors")
    rows = [(row["published figure"], row["system"], row["split"], row["leaks"]) for row in listed]
    own = Figure(*(entry["r2"][end] for end in ("value", "low", "high")))
    return (
        "### Published figures\n\nOnly the split by pianist can be compared: there kernel ridge has R2"
        f" {with_interval(own)}, and the passage mean, which hears nothing,"
        f" {number(passage['r2']['value'])}.\n\n"
        + table(("figure", "system", "split", "leaks"), rows, words=4)
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
