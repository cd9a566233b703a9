"""Tables and page of a comparison of calibration methods."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

import numpy as np

from tocco.evaluation.interval_calibration.compare import ALL, CoverageRow, DistributionRow
from tocco.evaluation.interval_calibration.methods import Method
from tocco.evaluation.interval_calibration.picture import Diagram, reliability_figure
from tocco.evaluation.markdown import number, table
from tocco.evaluation.png import save_png
from tocco.files import write_bytes
from tocco.metrics import Score, Undefined

COVERAGE, DISTRIBUTIONS, PAGE, PICTURE = (
    "coverage.csv",
    "distributions.csv",
    "calibration.md",
    "reliability.png",
)

_SHOWN: Final = (
    ("calibration_error", ".3f", "central error"),
    ("calibration_error_p95", ".3f", "null p95"),
    ("clustered_p95", ".3f", "null p95, clustered"),
    ("quantile_calibration_error", ".3f", "quantile error"),
    ("quantile_clustered_p95", ".3f", "null p95, clustered"),
    ("ence", ".3f", "ENCE"),
    ("ence_p95", ".3f", "null p95"),
    ("mean_squared_z", ".2f", "mean z2"),
    ("sharpness", ".2f", "mean sd"),
    ("sd_spread", ".2f", "its spread"),
    ("gaussian_crps", ".2f", "CRPS"),
)


@dataclass(frozen=True)
class Verdict:
    """How a method did on all parts together.

    Attributes
    ----------
    method
    held, n : parts and levels at which the coverage was within chance of the level, of how many
    width, score : rating points, means over parts and levels
    """

    method: str
    held: int
    n: int
    width: float
    score: float


def verdicts(rows: Iterable[CoverageRow]) -> list[Verdict]:
    """Verdict on each method by its pooled rows, those that held most first, then by interval score."""
    pooled = [row for row in rows if row.dimension == ALL]
    found = []
    for name in dict.fromkeys(row.method for row in pooled):
        own = [row for row in pooled if row.method == name]
        found.append(
            Verdict(
                name,
                held=sum(row.holds for row in own),
                n=len(own),
                width=float(np.mean([row.width for row in own])),
                score=float(np.mean([row.score for row in own])),
            )
        )
    return sorted(found, key=lambda one: (-one.held / one.n, one.score))


def conclusion(rows: Sequence[CoverageRow]) -> str:
    """The first line: which methods hold their level everywhere, and which of them is best."""
    found = verdicts(rows)
    whole = [one for one in found if one.held == one.n]
    n_parts = len({(row.split, row.input) for row in rows})
    levels = ", ".join(f"{100 * level:.0f}" for level in sorted({row.level for row in rows}))
    where = f"at {levels} %" + (f" in all {n_parts} parts" if n_parts > 1 else "")
    if not whole:
        best = found[0]
        return (
            f"No method holds its level {where}; the nearest is {best.method}: {best.held} of {best.n} "
            f"coverages are within chance of their level."
        )
    line = (
        f"{_listed([one.method for one in whole])} {'hold' if len(whole) > 1 else 'holds'} the level {where}"
    )
    if len(whole) > 1:
        line += f"; {whole[0].method} has the best mean interval score ({whole[0].score:.1f})"
    others = _listed([f"{one.method} {one.held} of {one.n}" for one in found if one.held < one.n])
    return line + (f". Coverages within chance of the others: {others}." if others else ".")


def _listed(names: Sequence[str]) -> str:
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def write_comparison(
    folder: Path,
    rows: Sequence[CoverageRow],
    found: Sequence[DistributionRow],
    drawn: Sequence[Diagram],
    methods: Sequence[Method],
    header: Sequence[tuple[str, str]],
) -> str:
    """Write both tables, the page and the picture; the page is returned.

    Parameters
    ----------
    folder : exists
    rows, found, drawn : of `compare`, `distributions` and `diagrams`
    methods
    header : names and values of lines about the input
    """
    _write_csv(folder / COVERAGE, [field.name for field in fields(CoverageRow)], map(_cells, rows))
    columns = list(found[0].figures)
    _write_csv(
        folder / DISTRIBUTIONS,
        ["split", "input", "dimension", "method", "shared", *columns],
        (
            [r.split, r.input, r.dimension, r.method, _text(r.shared), *map(_text, r.figures.values())]
            for r in found
        ),
    )
    save_png(reliability_figure(drawn), folder / PICTURE)
    text = page(rows, found, drawn, methods, header)
    write_bytes(folder / PAGE, text.encode())
    return text


def page(
    rows: Sequence[CoverageRow],
    found: Sequence[DistributionRow],
    drawn: Sequence[Diagram],
    methods: Sequence[Method],
    header: Sequence[tuple[str, str]],
) -> str:
    """The page in Markdown, conclusion first."""
    used = {row.method for row in rows}
    lines = [
        "# Calibration of intervals",
        "",
        conclusion(rows),
        "",
        *(f"- {name}: {value}" for name, value in header),
        *(f"- {one.name}: {one.about}" for one in methods if one.name in used),
        "",
        "Every interval is calibrated on labels of the same dimension in other folds (by work: in other",
        "works), never on a cluster that it is tested on. A coverage is within chance of its level where the",
        "95 % bootstrap interval over clusters contains the level; with few clusters that asks little.",
        "Widths and scores are in rating points. A part is a split with an input.",
        "",
        "## All methods",
        "",
        *table(
            ["method", "coverages within chance of the level", "mean width", "mean interval score"],
            ([v.method, f"{v.held} of {v.n}", f"{v.width:.1f}", f"{v.score:.1f}"] for v in verdicts(rows)),
        ),
        "## Coverage and width by split and input",
        "",
        *_part_table(rows),
        "## Coverage by dimension",
        "",
        "Lowest and highest coverage of a dimension, over all splits and inputs.",
        "",
        *_dimension_table(rows),
        "## Distributions",
        "",
        "Medians over dimensions. *Clustered*: of a perfect model whose errors are as correlated within",
        "clusters as these; how many dimensions exceed it is in brackets.",
        "",
        *_distribution_table(found),
        "## Reliability",
        "",
        f"![Observed less nominal coverage]({PICTURE})",
        "",
        "All dimensions pooled. Correlation of errors within a cluster, median dimension: "
        + "; ".join(f"{one.title or 'all'} {one.shared:.2f}" for one in drawn)
        + ".",
        "",
    ]
    return "\n".join(lines)


def _part_table(rows: Sequence[CoverageRow]) -> list[str]:
    pooled = [row for row in rows if row.dimension == ALL]
    levels = sorted({row.level for row in pooled})
    body = []
    for split, kind, method in dict.fromkeys((row.split, row.input, row.method) for row in pooled):
        own = {
            row.level: row for row in pooled if (row.split, row.input, row.method) == (split, kind, method)
        }
        cells = [split or "-", kind or "-", method]
        cells += [_covered(own[level]) for level in levels] + [f"{own[level].width:.1f}" for level in levels]
        body.append(cells)
    percents = [f"{100 * level:.0f} %" for level in levels]
    return table(["split", "input", "method", *percents, *(f"width {p}" for p in percents)], body)


def _covered(row: CoverageRow) -> str:
    text = f"{100 * row.coverage:.1f}"
    if row.low is None or row.high is None:
        return text
    text += f" [{100 * row.low:.0f}, {100 * row.high:.0f}]"
    return text if row.holds else f"**{text}**"


def _dimension_table(rows: Sequence[CoverageRow]) -> list[str]:
    single = [row for row in rows if row.dimension != ALL]
    levels = sorted({row.level for row in single})
    body = []
    for method in dict.fromkeys(row.method for row in single):
        cells = [method]
        for level in levels:
            own = sorted(
                (r for r in single if (r.method, r.level) == (method, level)), key=lambda r: r.coverage
            )
            low, high = own[0], own[-1]
            cells.append(
                f"{100 * low.coverage:.0f} ({low.dimension}) to {100 * high.coverage:.0f} ({high.dimension})"
            )
        body.append(cells)
    return table(["method", *(f"{100 * level:.0f} %" for level in levels)], body)


def _distribution_table(found: Sequence[DistributionRow]) -> list[str]:
    body = []
    for split, kind, method in dict.fromkeys((row.split, row.input, row.method) for row in found):
        own = [row for row in found if (row.split, row.input, row.method) == (split, kind, method)]
        cells = [split or "-", kind or "-", method]
        for metric, form, _ in _SHOWN:
            cells.append(number(_median(row.figures[metric] for row in own), form))
        for metric, null, place in (
            ("calibration_error", "clustered_p95", 5),
            ("quantile_calibration_error", "quantile_clustered_p95", 7),
        ):
            above = sum(_value(row.figures[metric]) > _value(row.figures[null]) for row in own)
            cells[place] += f" ({above} of {len(own)})"
        body.append(cells)
    return table(["split", "input", "method", *(title for _, _, title in _SHOWN)], body)


def _median(values: Iterable[Score]) -> float:
    known = [value for value in map(_value, values) if np.isfinite(value)]
    return float(np.median(known)) if known else float("nan")


def _value(score: Score) -> float:
    return float("nan") if isinstance(score, Undefined) else score


def _cells(row: CoverageRow) -> list[str]:
    return [_text(getattr(row, field.name)) for field in fields(row)]


def _text(value: Score | str | int | None) -> str:
    """A figure with six digits; the reason of one that is undefined; nothing for None."""
    if value is None:
        return ""
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(rows)
    write_bytes(path, text.getvalue().encode())
