"""How far differences of ratings can be trusted, as `report.md`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from tocco.evaluation.cross_validation.difference_pairs import Pairs
from tocco.evaluation.cross_validation.differences import AGREED, CLEAR, MUSIC, DifferenceRow, fit_figures
from tocco.evaluation.markdown import number, table
from tocco.inference.difference import SAME_TAKE_DISTANCE
from tocco.metrics import BootstrapInterval
from tocco.units import FloatArray

COVERAGE_BAR: Final = (0.88, 0.92)
SAID_BAR: Final = 0.40
"""Written down before the figures were looked at, with `AGREED`."""

_HEADER: Final = (
    "dimension",
    "gain",
    "sd",
    "least difference",
    "covered",
    "said",
    "right",
    "clear pairs",
    "said of clear",
    "right of clear",
)


def document(
    facts: Mapping[str, str],
    pairs: Mapping[tuple[str, str], Pairs],
    rows: Mapping[tuple[str, str], Sequence[DifferenceRow]],
    distance: FloatArray,
) -> str:
    """The report.

    Parameters
    ----------
    facts : what was compared
    pairs : (condition, music) -> pairs
    rows : the same -> figures on held-out pairs
    distance : (P,) timing distance of the pairs of the same passage, NaN where it is not known
    """
    lines = ["# Differences of ratings", "", *(f"- {key}: {value}" for key, value in facts.items()), ""]
    lines += [
        "Which of two performances is better, and by how much, as raters say it. Every figure is of pairs of",
        "music that had no part in the ratings, nor in gain, sd and threshold. All performances count alike,",
        "however many partners they have. Brackets: 95 % bootstrap intervals over clusters of music.",
        "",
        "- **covered**: how often the difference of the raters' means lies in the 90 % interval, widened by",
        f"  the standard error of these means. Bar: {COVERAGE_BAR[0]:.0%} to {COVERAGE_BAR[1]:.0%}.",
        "- **said**: in how many pairs one performance is said to be better. **right**: how often the means",
        f"  of the raters then differ in that direction, their chance included. Bar: {AGREED:.0%}.",
        f"- **of clear pairs**: the same of pairs whose raters' means differ by more than {CLEAR:g} standard",
        f"  errors. Bar for said: {SAID_BAR:.0%}.",
        "",
    ]
    for (condition, music), found in rows.items():
        figures = fit_figures(pairs[condition, music])
        lines += [f"## Pairs of {music}, {condition}: {len(pairs[condition, music])}", ""]
        lines += table(
            _HEADER,
            (
                (
                    row.name,
                    number(figures[row.name].gain, ".2f"),
                    number(figures[row.name].sd),
                    number(figures[row.name].least_difference),
                    _with_ends(row.covered),
                    _percent(row.said),
                    _with_ends(row.right),
                    str(row.n_clear),
                    _with_ends(row.said_clear),
                    _percent(row.right_clear),
                )
                for row in found
            ),
        )
    return "\n".join([*lines, *_verdicts(rows), *_timing(distance)])


def _verdicts(rows: Mapping[tuple[str, str], Sequence[DifferenceRow]]) -> list[str]:
    """Whether the bars are met, on pairs of the same passage."""
    lines = ["## Bars, pairs of the same passage", ""]
    cells = []
    for (condition, music), found in rows.items():
        if music != MUSIC[0]:
            continue
        inside = [
            row for row in found if COVERAGE_BAR[0] <= round(float(row.covered.value), 3) <= COVERAGE_BAR[1]
        ]
        spoken = [row for row in found if row.said > 0.0]
        right = [row for row in spoken if row.right.value >= AGREED]
        often = [row for row in found if row.said_clear.value >= SAID_BAR]
        cells.append(
            (
                condition,
                f"{len(inside)} of {len(found)}",
                f"{len(right)} of {len(spoken)}",
                f"{len(often)} of {len(found)}",
            )
        )
    header = ("condition", "covered within the bar", "right within the bar, where said", "said often enough")
    return [*lines, *table(header, cells)]


def _timing(distance: FloatArray) -> list[str]:
    known = distance[np.isfinite(distance)]
    shares = np.percentile(known, [0, 1, 50])
    return [
        "## Distance of the timing",
        "",
        f"Between {len(known)} pairs of pianists in the same passage: least {shares[0]:.3f}, 1 in 100 below",
        f"{shares[1]:.3f}, median {shares[2]:.3f}. Below {SAME_TAKE_DISTANCE:g} two takes count as one take",
        "that was changed, and the error of the model as partly or wholly the same in both. No raters heard",
        "such pairs; that the error vanishes for the same notes is by construction, and how fast is assumed.",
        "",
    ]


def _with_ends(interval: BootstrapInterval) -> str:
    value, low, high = (float(one) for one in (interval.value, interval.low, interval.high))
    if not np.isfinite(value):
        return "-"
    if not (np.isfinite(low) and np.isfinite(high)):
        return _percent(value)
    return f"{_percent(value)} [{100 * low:.0f}, {100 * high:.0f}]"


def _percent(value: float) -> str:
    return number(100.0 * value, ".1f") + " %" if np.isfinite(value) else "-"
