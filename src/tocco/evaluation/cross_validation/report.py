"""Report of a cross-validation: tables and figures.

`write_report` writes to one folder
   cross_validation.md             the tables, with explanations
   cross_validation.csv            every metric, one per row
   cross_validation_scatter.png    predicted against actual rating
   cross_validation_r2.png         comparison of systems
   cross_validation_reliability.png  nominal and observed coverage, where the main system predicts an sd

The same result and the same seed give the same bytes of text.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from tocco.evaluation.cross_validation.calibration import (
    CrossFittedCoverage,
    cross_fitted_coverage,
    reliability_diagram,
)
from tocco.evaluation.cross_validation.figures import (
    comparison_figure,
    reliability_figure,
    scatter_figure,
)
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.cross_validation.summary import (
    CONSTANT,
    EVERYONE,
    HUMANS,
    METRICS,
    PartSummary,
    summarise_part,
)
from tocco.evaluation.png import save_png
from tocco.files import write_bytes
from tocco.metrics import BootstrapInterval, coverage, interval_width

STEM = "cross_validation"

_TITLES = {
    "pearson_r": "r",
    "r2": "R2",
    "mae": "MAE",
    "mae_skill": "skill",
    "pair_accuracy": "pairs",
    "pair_accuracy_within": "pairs, same passage",
}
_SHOWN = tuple(METRICS.index(metric) for metric in _TITLES)

_LEGEND = """\
r, R2: pooled over folds, then averaged over the targets of a family. MAE in rating points of 0 to 100.
Skill: 1 - MAE / MAE of the constant (the mean training rating). Pairs: how often the better rated of two
performances is predicted higher, .5 is guessing; *same passage* counts human performances of the same
music. In brackets: 95 % intervals from a bootstrap over clusters of shared music."""


def write_report(
    result: CrossValidationResult,
    folder: Path,
    title: str,
    provenance: Mapping[str, str],
    *,
    main: str,
    generator: np.random.Generator,
    n_resamples: int = 1000,
) -> tuple[PartSummary, PartSummary]:
    """Write tables and figures.

    Parameters
    ----------
    result
        Must contain the systems `main` and `constant`.
    folder
        Created if missing.
    title
        First line of the Markdown file.
    provenance : name -> value (data, protocol, revision, command), printed in this order
    main
        The system of the report; the others are compared with it.
    generator
        Random generator of the bootstrap.
    n_resamples : >= 1

    Returns
    -------
    The metrics of the tables: of all performances, and of human ones.
    """
    rated = result.subset(result.fold >= 0)
    parts = (
        summarise_part(rated, EVERYONE, main, generator, n_resamples),
        summarise_part(rated, HUMANS, main, generator, n_resamples),
    )
    intervals = _intervals(rated, main)
    write_bytes(folder / f"{STEM}.csv", _csv(rated, parts, intervals, main).encode())
    text = _markdown(rated, parts, intervals, title, provenance, main)
    write_bytes(folder / f"{STEM}.md", text.encode())
    _write_figures(rated, parts[0], intervals, folder, main)
    return parts


def _intervals(result: CrossValidationResult, main: str) -> CrossFittedCoverage | None:
    if main not in result.sd:
        return None
    # The folds are used as clusters, since a protocol of new pianists divides clusters.
    return cross_fitted_coverage(
        result.names, result.labels, result.predictions[main], result.sd[main], result.fold, result.fold
    )


def _coverage_of(
    result: CrossValidationResult, intervals: CrossFittedCoverage, part: str
) -> dict[str, tuple[float, float]]:
    """Coverage and mean width for each target over one part of the performances."""
    outside = result.is_score & (part == HUMANS)
    labels = np.where(outside[:, None], np.nan, result.labels)
    found: dict[str, tuple[float, float]] = {}
    for d, name in enumerate(result.names):
        if not np.isnan(labels[:, d]).all():
            column = labels[:, d], intervals.low[:, d], intervals.high[:, d]
            found[name] = coverage(*column), interval_width(*column)
    return found


def _csv(
    result: CrossValidationResult,
    parts: Sequence[PartSummary],
    intervals: CrossFittedCoverage | None,
    main: str,
) -> str:
    """One metric per row: part, system, target, metric, value, and its interval where there is one."""
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("part", "system", "target", "n", "metric", "value", "low_95", "high_95"))
    for part in parts:
        for (family, system), interval in part.means.items():
            n = int(part.families[family].sum())
            for m, metric in enumerate(METRICS):
                ends = (interval.value[m], interval.low[m], interval.high[m])
                writer.writerow((part.part, system, f"mean of {family}", n, metric, *map(_digits, ends)))
        for (family, system), interval in part.gains.items():
            n = int(part.families[family].sum())
            for m, metric in enumerate(METRICS):
                ends = (interval.value[m], interval.low[m], interval.high[m])
                who = f"{main} minus {system}"
                writer.writerow((part.part, who, f"mean of {family}", n, metric, *map(_digits, ends)))
        for system, scores in part.scores.items():
            for d, name in enumerate(part.names):
                for m, metric in enumerate(METRICS):
                    row = (part.part, system, name, part.labels[d], metric, _digits(scores[m, d]), "", "")
                    writer.writerow(row)
        covered = {} if intervals is None else _coverage_of(result, intervals, part.part)
        for d, name in enumerate(part.names):
            for metric, value in zip(
                ("coverage_90", "interval_width_90"), covered.get(name, ()), strict=False
            ):
                writer.writerow((part.part, main, name, part.labels[d], metric, _digits(value), "", ""))
    return stream.getvalue()


def _digits(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.6f}"


def _number(value: float, metric: str) -> str:
    """A formatted value: three decimals for shares, two for rating points."""
    if math.isnan(value):
        return "–"
    text = f"{value:.2f}" if metric in ("mae", "rmse") else f"{value:.3f}"
    return text.replace("-0.000", "0.000").replace("-", "−")


def _with_ends(interval: BootstrapInterval, m: int) -> str:
    value, low, high = (
        _number(float(a[m]), METRICS[m]) for a in (interval.value, interval.low, interval.high)
    )
    return f"{value} [{low}, {high}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    rule = "|" + "|".join("---" if i == 0 else "--:" for i in range(len(head))) + "|"
    return "\n".join([line(head), rule, *(line(row) for row in rows)])


def _markdown(
    result: CrossValidationResult,
    parts: Sequence[PartSummary],
    intervals: CrossFittedCoverage | None,
    title: str,
    provenance: Mapping[str, str],
    main: str,
) -> str:
    blocks = [f"# {title}", "\n".join(f"- {what}: {which}" for what, which in provenance.items())]
    blocks.append(
        f"{len(result)} performances ({int((~result.is_score).sum())} human), "
        f"{len(np.unique(result.clusters))} clusters, {len(np.unique(result.fold))} folds. "
        f"Main system: {main}."
    )
    blocks.append(_LEGEND)
    for part in parts:
        blocks.append(f"## {part.part.capitalize()} ({part.n_performances})")
        for family in part.families:
            blocks.append(f"Mean of {family}:")
            blocks.append(_table(("system", *_TITLES.values()), _mean_rows(part, family)))
        if part.gains:
            blocks.append(f"{main} minus each other system, on the same draws:")
            blocks.append(_table(("against", *_TITLES.values()), _gain_rows(part)))
    for part in parts:
        blocks.append(f"## {main}, target by target: {part.part}")
        blocks.append(_target_table(result, part, intervals, main))
    return "\n\n".join(block for block in blocks if block) + "\n"


def _mean_rows(part: PartSummary, family: str) -> Iterable[Sequence[str]]:
    for (of_family, system), interval in part.means.items():
        if of_family == family:
            yield system, *(_with_ends(interval, m) for m in _SHOWN)


def _gain_rows(part: PartSummary) -> Iterable[Sequence[str]]:
    for family in part.families:
        for (of_family, system), interval in part.gains.items():
            if of_family == family:
                yield f"{system}, {family}", *(_with_ends(interval, m) for m in _SHOWN)


def _target_table(
    result: CrossValidationResult, part: PartSummary, intervals: CrossFittedCoverage | None, main: str
) -> str:
    """Every metric of the main system, and the R2 of the others."""
    covered = {} if intervals is None else _coverage_of(result, intervals, part.part)
    others = [system for system in part.scores if system not in (main, CONSTANT)]
    head = ["target", "n", *_TITLES.values()]
    head += ["90 % interval covers", "width"] if covered else []
    head += [f"R2 of {system}" for system in others]
    rows = []
    for d, name in enumerate(part.names):
        row = [name, str(part.labels[d])]
        row += [_number(float(part.scores[main][m, d]), METRICS[m]) for m in _SHOWN]
        if covered:
            row += [_number(covered[name][0], "coverage"), f"{covered[name][1]:.1f}"]
        row += [_number(float(part.scores[system][METRICS.index("r2"), d]), "r2") for system in others]
        rows.append(row)
    return _table(head, rows)


def _write_figures(
    result: CrossValidationResult,
    part: PartSummary,
    intervals: CrossFittedCoverage | None,
    folder: Path,
    main: str,
) -> None:
    columns = [result.names.index(name) for name in part.names]
    labels, est = result.labels[:, columns], result.predictions[main][:, columns]
    r2 = METRICS.index("r2")
    scores = part.scores[main]
    captions = {
        name: f"r {_number(float(scores[0, d]), 'r')}, R2 {_number(float(scores[r2, d]), 'r2')}"
        for d, name in enumerate(part.names)
    }
    save_png(
        scatter_figure(part.names, labels, est, result.is_score, captions), folder / f"{STEM}_scatter.png"
    )
    by_system = {system: table[r2] for system, table in part.scores.items()}
    save_png(comparison_figure(part.names, by_system, main), folder / f"{STEM}_r2.png")
    if intervals is not None:
        diagrams = {
            "sd as predicted": reliability_diagram(labels, est, result.sd[main][:, columns]),
            "sd scaled on the other folds": reliability_diagram(labels, est, intervals.sigma[:, columns]),
        }
        save_png(reliability_figure(diagrams), folder / f"{STEM}_reliability.png")
