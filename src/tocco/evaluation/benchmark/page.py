"""The page of a benchmark: figures beside no listening, beside the human ceiling, beside published ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from tocco.evaluation.benchmark.benchmark import BenchmarkResult
from tocco.evaluation.benchmark.figures import (
    COVERAGE_LEVELS,
    NO_LISTENING,
    SUBMISSION,
    PartFigures,
    ProtocolFigures,
    metric_index,
)
from tocco.evaluation.benchmark.protocols import PROTOCOLS
from tocco.evaluation.benchmark.published import PublishedFigure
from tocco.evaluation.cross_validation.summary import LEAST_CLUSTERS, METRICS
from tocco.evaluation.markdown import table
from tocco.metrics import BootstrapInterval
from tocco.units import FloatArray

FEW_CLUSTERS: Final = 10
"""With fewer clusters, the intervals of a bootstrap over them are too narrow; see also `LEAST_CLUSTERS`."""

_TITLES: Final = {
    "pearson_r": "r",
    "r2": "R2",
    "mae": "MAE",
    "mae_skill": "skill",
    "pair_accuracy": "pairs",
    "pair_accuracy_within": "pairs, same passage",
}
_LEGEND: Final = """\
r and R2 are pooled over the folds of a protocol. MAE is in points of 0 to 100; skill is 1 - MAE / MAE of the
constant. Pairs: how often the better rated of two performances is predicted higher, .5 is guessing; *same
passage* counts human performances of the same bars. In brackets: 95 % intervals of a bootstrap over clusters
of shared music.

Three systems need no listening: the **constant** is the mean training rating, the **passage mean** that of
the same bars, the **pianist mean** that of the same pianist. The **human ceiling** is the highest figure
that a perfect system can be expected to reach, since other raters would have given other means (R2: the
reliability of the labels)."""


def markdown(result: BenchmarkResult, provenance: Sequence[tuple[str, str]]) -> str:
    """The page.

    Parameters
    ----------
    result
    provenance : (what, which), printed in this order
    """
    blocks = [f"# {result.title} benchmark", summary(result)]
    blocks.append("\n".join(f"- {what}: {which}" for what, which in (*provenance, *_facts(result))))
    blocks.append(_LEGEND)
    for figures in result.protocols:
        blocks += _protocol_blocks(result, figures)
    if result.published:
        blocks += _published_blocks(result.published)
    return "\n\n".join(blocks).rstrip() + "\n"


def figures_csv(result: BenchmarkResult) -> str:
    """Every figure, one row each."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("protocol", "part", "system", "target", "n", "metric", "value", "low_95", "high_95"))
    for figures in result.protocols:
        for part in figures.parts:
            writer.writerows((figures.protocol, part.part, *row) for row in _rows(part))
    return stream.getvalue()


def fold_sentence(result: BenchmarkResult, figures: ProtocolFigures) -> str:
    """What is known of the folds that the predictions come from."""
    if result.is_untrained:
        return "the system is said to have learned nothing from these labels; that cannot be checked here"
    if figures.predicted.is_fold_stated:
        return (
            "every tested excerpt states its fold, and the right one; whether each model was trained without "
            "its fold cannot be checked here"
        )
    return "**not stated: whether these predictions come from held-out folds cannot be checked**"


def summary(result: BenchmarkResult) -> str:
    """The table of the most important figures, one row a protocol and family."""
    head = ["protocol", "new in the test part", "targets", "R2", "human ceiling", "best without listening"]
    head += ["R2 above that", "r", "pairs, same passage"]
    rows = []
    r2 = metric_index("r2")
    for figures in result.protocols:
        part = figures.parts[0]
        for f, family in enumerate(part.families):
            best = best_without_listening(part, f)
            rows.append(
                [
                    figures.protocol,
                    PROTOCOLS[figures.protocol],
                    family,
                    _with_ends(part.of_family, (0, r2, f), "r2"),
                    _number(float(part.family_mean(part.ceiling.reliability)[f]), "r2"),
                    part.systems[best],
                    _with_ends(part.gain, (best, r2, f), "r2"),
                    _number(float(part.of_family.value[0, metric_index("pearson_r"), f]), "r"),
                    _number(float(part.of_family.value[0, metric_index("pair_accuracy_within"), f]), "pairs"),
                ]
            )
    return "\n".join(table(head, rows)).rstrip()


def family_title(family: str) -> str:
    """Title of a family: "mean of 19 descriptors", or the name of its only member."""
    return f"mean of {family}" if family[:1].isdigit() else family


def best_without_listening(part: PartFigures, family: int) -> int:
    """Place in `part.systems` of the system without listening that has the highest R2 of a family."""
    r2 = part.of_family.value[1:, metric_index("r2"), family]
    return 1 + int(np.argmax(np.where(np.isnan(r2), -np.inf, r2)))


def _facts(result: BenchmarkResult) -> Iterator[tuple[str, str]]:
    yield "labels", f"sha256 {result.labels_sha256[:16]} of ids, ratings and folds"
    yield "predictions", f"sha256 {result.predictions_sha256}"


def _protocol_blocks(result: BenchmarkResult, figures: ProtocolFigures) -> list[str]:
    predicted, first = figures.predicted, figures.parts[0]
    facts = [f"Folds: {figures.n_folds}; {fold_sentence(result, figures)}."]
    facts.append(f"Predicted: {predicted.n_predicted} of {predicted.n_tested} tested excerpts.")
    if predicted.n_predicted < predicted.n_tested:
        facts.append("A missing prediction counts as the constant.")
    if predicted.n_unknown:
        facts.append(f"Ignored: {predicted.n_unknown} segments that the labels have not.")
    if first.n_clusters < LEAST_CLUSTERS:
        facts.append(f"{first.n_clusters} clusters are too few for intervals.")
    elif first.n_clusters < FEW_CLUSTERS:
        facts.append(f"With {first.n_clusters} clusters the intervals are too narrow.")
    blocks = [f"## {figures.protocol}: {PROTOCOLS[figures.protocol]}", " ".join(facts)]
    for part in figures.parts:
        for f, family in enumerate(part.families):
            blocks.append(f"**{family_title(family)}, {part.n_excerpts} {part.part}**")
            blocks.append("\n".join(table(["system", *_TITLES.values()], _mean_rows(part, f))).rstrip())
    blocks.append(f"**Each target, {first.n_excerpts} {first.part}**")
    blocks.append(_target_table(first))
    return blocks


def _mean_rows(part: PartFigures, f: int) -> Iterator[list[str]]:
    for s, system in enumerate(part.systems):
        yield [
            system,
            *(_with_ends(part.of_family, (s, metric_index(metric), f), metric) for metric in _TITLES),
        ]
    ceiling = part.ceiling
    known = {
        "pearson_r": ceiling.r,
        "r2": ceiling.reliability,
        "pair_accuracy": ceiling.pairs,
        "pair_accuracy_within": ceiling.pairs_within,
    }
    yield [
        "human ceiling",
        *(_number(_of_family(part, known, metric, f), metric) for metric in _TITLES),
    ]


def _of_family(part: PartFigures, known: dict[str, FloatArray], metric: str, f: int) -> float:
    return float(part.family_mean(known[metric])[f]) if metric in known else np.nan


def _target_table(part: PartFigures) -> str:
    head = ["target", "n", *_TITLES.values(), "Spearman", "R2: human ceiling"]
    head += [f"R2: {name}" for name in NO_LISTENING]
    covered = (
        {} if part.coverage is None else dict(zip(part.coverage.names, part.coverage.coverage, strict=True))
    )
    width = {} if part.coverage is None else dict(zip(part.coverage.names, part.coverage.width, strict=True))
    if covered:
        head += [f"{100 * level:.0f} % interval covers" for level in COVERAGE_LEVELS] + ["its width at 90 %"]
    rows = []
    for d, name in enumerate(part.names):
        row = [name, str(part.n_labels[d])]
        row += [_with_ends(part.of_name, (0, metric_index(metric), d), metric) for metric in _TITLES]
        row.append(_number(float(part.rank_correlation[d]), "r"))
        row.append(_number(float(part.ceiling.reliability[d]), "r2"))
        places = [part.systems.index(system) for system in NO_LISTENING]
        row += [_number(float(part.of_name.value[s, metric_index("r2"), d]), "r2") for s in places]
        if covered:
            shares = covered.get(name, np.full(len(COVERAGE_LEVELS), np.nan))
            row += [_number(float(share), "coverage") for share in shares]
            row.append(_number(float(width[name][-1]) if name in width else np.nan, "mae"))
        rows.append(row)
    return "\n".join(table(head, rows)).rstrip()


def _published_blocks(published: Sequence[PublishedFigure]) -> list[str]:
    head = ["published figure", "system", "split", "leaks", "how that is known", "source", "compare with"]
    rows = [
        [
            one.text,
            one.system,
            one.split,
            f"**{one.leaks}**" if one.leaks == "yes" else one.leaks,
            one.why.strip(),
            one.source + (f", doi:{one.doi}" if one.doi else ""),
            f"`{one.comparable}`" if one.comparable else "nothing here",
        ]
        for one in published
    ]
    return [
        "## Published figures",
        "Means over the 19 descriptors, as their authors state them. A figure of a split that leaks is no "
        "figure of new music or of a new pianist.",
        "\n".join(table(head, rows)).rstrip(),
    ]


def _rows(part: PartFigures) -> Iterator[tuple[str, ...]]:
    for s, system in enumerate(part.systems):
        for m, metric in enumerate(METRICS):
            for f, (family, mask) in enumerate(part.families.items()):
                ends = _digits(part.of_family, (s, m, f))
                yield (system, family_title(family), str(int(mask.sum())), metric, *ends)
                if system != SUBMISSION:
                    difference = _digits(part.gain, (s, m, f))
                    who = f"{SUBMISSION} minus {system}"
                    yield (who, family_title(family), str(int(mask.sum())), metric, *difference)
            for d, name in enumerate(part.names):
                yield (system, name, str(part.n_labels[d]), metric, *_digits(part.of_name, (s, m, d)))
    for d, name in enumerate(part.names):
        rank = _digit(float(part.rank_correlation[d]))
        yield (SUBMISSION, name, str(part.n_labels[d]), "spearman_rho", rank, "", "")
    ceiling = part.ceiling
    for metric, values in (
        ("pearson_r", ceiling.r),
        ("r2", ceiling.reliability),
        ("pair_accuracy", ceiling.pairs),
        ("pair_accuracy_within", ceiling.pairs_within),
    ):
        for d, name in enumerate(part.names):
            yield ("human ceiling", name, str(part.n_labels[d]), metric, _digit(float(values[d])), "", "")
    if part.coverage is not None:
        for n, name in enumerate(part.coverage.names):
            for k, level in enumerate(COVERAGE_LEVELS):
                for what, values in (("coverage", part.coverage.coverage), ("width", part.coverage.width)):
                    value = _digit(float(values[n, k]))
                    yield (SUBMISSION, name, "", f"{what}_{100 * level:.0f}", value, "", "")


def _digits(interval: BootstrapInterval, at: tuple[int, int, int]) -> tuple[str, str, str]:
    value, low, high = (_digit(float(a[at])) for a in (interval.value, interval.low, interval.high))
    return value, low, high


def _digit(value: float) -> str:
    return f"{value:.6f}" if np.isfinite(value) else ""


def _with_ends(interval: BootstrapInterval, at: tuple[int, int, int], metric: str) -> str:
    value, low, high = (_number(float(a[at]), metric) for a in (interval.value, interval.low, interval.high))
    return value if low == high == "–" else f"{value} [{low}, {high}]"


def _number(value: float, metric: str) -> str:
    """Three decimals for shares, two for rating points."""
    if not np.isfinite(value):
        return "–"
    text = f"{value:.2f}" if metric in ("mae", "rmse") else f"{value:.3f}"
    return text.replace("-0.000", "0.000").replace("-", "−")
