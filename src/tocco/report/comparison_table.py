"""Takes compared on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from tocco.inference.comparison import Comparison, PairDifference
from tocco.inference.difference import AGGREGATE, RatingDifference
from tocco.report.comparison_words import (
    OF_INTERVALS,
    OF_NO_DIFFERENCE,
    SIGNS,
    VERDICTS,
    caution,
    heading,
    interval,
    note_sentences,
    sentences,
    signed,
)

_NONE = "–"
_NOT_COMPARED = (_NONE, _NONE, "not compared")


def print_comparison(comparison: Comparison, console: Console | None = None) -> None:
    """Print what is better in the last take than in the first, and of several takes each against the first.

    Parameters
    ----------
    comparison
    console
        Standard output if not given; colour only on a terminal.
    """
    console = console or Console(highlight=False)
    first, last = comparison.takes[0].id, comparison.takes[-1].id
    pair = comparison.pair(last, first)
    for place, line in enumerate(sentences(pair)):
        console.print(Text(line, style="" if place else "bold"))
    for line in caution(comparison):
        console.print(Text(line, style="yellow"))
    console.print()
    console.print(Text(f"A is {first}, B is {last}", style="dim"))
    console.print(_table(comparison, pair))
    for line in (OF_INTERVALS, f"{SIGNS['undecided']} {OF_NO_DIFFERENCE}"):
        console.print(Text(line, style="dim"))
    for line in note_sentences(comparison, pair):
        console.print(Text(line))
    if len(comparison.takes) > 2:
        console.print()
        console.print(Text(f"Every take compared with {first}", style="bold"))
        console.print(_progress(comparison))


def _table(comparison: Comparison, pair: PairDifference) -> Table:
    earlier, later = (
        next(take for take in comparison.takes if take.id == name) for name in (pair.compared_with, pair.take)
    )
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("dimension", overflow="fold")
    for column in ("A", "B", "difference", "90 %"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("B is", no_wrap=True)
    for name in (*(key for key in earlier.ratings if key != AGGREGATE), AGGREGATE):
        found = pair.differences.get(name)
        values = [
            f"{of_take.ratings[name]:.1f}" if name in of_take.ratings else _NONE
            for of_take in (earlier, later)
        ]
        said = _NOT_COMPARED if found is None else (signed(found.value), interval(found), _said(found))
        table.add_row(heading(name), *values, *said)
    return table


def _said(found: RatingDifference) -> str:
    """Sign and word; of no difference the sign alone, which a line below explains."""
    return SIGNS[found.verdict] + ("" if found.verdict == "undecided" else f" {found.verdict}")


def _progress(comparison: Comparison) -> Table:
    first = comparison.takes[0]
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("take", overflow="fold")
    for column in ("weighted mean", "difference", "90 %"):
        table.add_column(column, justify="right", no_wrap=True)
    table.add_column("on the whole", overflow="fold")
    for take in comparison.takes:
        value = take.ratings.get(AGGREGATE)
        shown = _NONE if value is None else f"{value:.1f}"
        found = None if take is first else comparison.pair(take.id, first.id).differences.get(AGGREGATE)
        said = (_NONE, _NONE, "") if found is None else (
            signed(found.value),
            interval(found),
            VERDICTS[found.verdict],
        )  # fmt: skip
        table.add_row(take.id, shown, *said)
    return table
