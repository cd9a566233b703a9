"""Marks of a person and of a marking scheme on the terminal, below the ratings."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocco.inference.assessment import Assessment
from tocco.inference.marks import PersonalMarks, SchemeMarks
from tocco.report.marks_wording import (
    MarkRow,
    personal_rows,
    personal_scale,
    personal_weights,
    scheme_rows,
)


def print_marks(assessment: Assessment, console: Console) -> None:
    """Print what was asked for beside the ratings; nothing where nothing was."""
    if assessment.personal is not None:
        _print_personal(assessment, assessment.personal, console)
    if assessment.marking_scheme is not None:
        _print_scheme(assessment.marking_scheme, console)


def _print_personal(assessment: Assessment, personal: PersonalMarks, console: Console) -> None:
    console.print()
    console.print(
        Text(f"As {personal.name} would mark it", style="bold"),
        Text(f"({personal_scale(personal)}; beside the ratings, not in their place)", style="dim"),
    )
    console.print(_table(personal_rows(assessment, personal), "rating"))
    if weights := personal_weights(personal):
        console.print(Text(f"Weights of the whole: {weights}", style="dim"))
    for sentence in personal.sentences:
        console.print(Text(f"{sentence}.", style="yellow"))


def _print_scheme(scheme: SchemeMarks, console: Console) -> None:
    console.print()
    console.print(Text(scheme.title, style="bold"), Text(scheme.link, style="dim"))
    console.print(Text(f"{scheme.disclaimer}.", style="yellow"))
    console.print(_table(scheme_rows(scheme), None))
    console.print(Text(scheme.convention, style="dim"))


def _table(rows: Sequence[MarkRow], rating: str | None) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("", overflow="fold")
    if rating is not None:
        table.add_column(rating, justify="right", no_wrap=True)
    for column in ("mark", "90 %"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("", overflow="fold")
    for row in rows:
        cells = [Text(row.heading), *([] if rating is None else [Text(row.rating, style="dim")])]
        table.add_row(*cells, Text(row.mark, style="bold"), Text(row.interval), Text(row.words, style="dim"))
    return table
