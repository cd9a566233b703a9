"""Several performances on the terminal, the best aggregate first."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.table import Table

from tocco.inference.assessment import Assessment

_NONE = "–"


def print_batch(assessments: Mapping[str, Assessment], console: Console | None = None) -> None:
    """Print one row a performance, sorted by aggregate; those without one come last.

    Parameters
    ----------
    assessments : id -> assessment
    console
        Standard output if not given.
    """
    console = console or Console(highlight=False)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("performance", overflow="fold")
    for column in ("aggregate", "90 %", "note accuracy", "overall quality"):
        table.add_column(column, justify="right", no_wrap=True)
    for name, assessment in sorted(assessments.items(), key=_order):
        found = assessment.aggregate
        table.add_row(
            name,
            _NONE if found.value is None else f"{found.value:.1f}",
            _NONE if found.interval_90 is None else "{:.0f}–{:.0f}".format(*found.interval_90),
            *(_value(assessment, dimension) for dimension in ("note_accuracy", "overall_quality")),
        )
    console.print(table)


def _order(item: tuple[str, Assessment]) -> tuple[bool, float, str]:
    name, assessment = item
    value = assessment.aggregate.value
    return value is None, -(value or 0.0), name


def _value(assessment: Assessment, dimension: str) -> str:
    rating = assessment.ratings.get(dimension)
    return _NONE if rating is None or rating.value is None else f"{rating.value:.1f}"
