"""A ranking on the terminal."""

from __future__ import annotations

from typing import Final

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from tocco.ranking.document import Ranking
from tocco.report.ranking_words import (
    AID,
    DECISIONS,
    agreement_in_words,
    apart_in_words,
    chance_in_words,
    cut_in_words,
    groups_in_words,
    headline,
    ranks_in_words,
    run_offs_in_words,
)
from tocco.report.wording import points

_NONE: Final = "–"
_MOST_RUN_OFFS: Final = 5


def print_ranking(ranking: Ranking, console: Console | None = None) -> None:
    """Print the order, and below it what is not sure about it.

    Parameters
    ----------
    ranking
    console
        Standard output if not given.
    """
    console = console or Console(highlight=False)
    console.print(_table(ranking))
    lines = [headline(ranking), apart_in_words(ranking), *groups_in_words(ranking), *cut_in_words(ranking)]
    lines += [
        f"{one.juror}, {one.performance}: {one.given:g} {_counts(one.counts)}: {one.reason}"
        for one in ranking.changed_marks
    ]
    lines += [
        f"{one.juror}: vote on {one.one} and {one.other} left out, recused" for one in ranking.left_out_votes
    ]
    lines.append(run_offs_in_words(ranking))
    lines += [
        f"  {pair.one} – {pair.other}: {chance_in_words(pair)}" for pair in ranking.run_offs[:_MOST_RUN_OFFS]
    ]
    lines += agreement_in_words(ranking)
    lines += [f"Not ranked: {one.name}: {one.reason}" for one in ranking.apart]
    for line in (*lines, AID):
        console.print(escape(line))


def _table(ranking: Ranking) -> Table:
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim")
    table.add_column("rank", justify="right", no_wrap=True)
    table.add_column("90 %", no_wrap=True)
    table.add_column("performance", overflow="fold")
    for column in ("strength", "90 %", "rating", "marks"):
        table.add_column(column, justify="right", no_wrap=True)
    if ranking.cut is not None:
        table.add_column("", no_wrap=True)
    digits = 1 if ranking.strength_unit == "points" else 2
    for entry in ranking.entries:
        low, high = entry.strength_90
        cells = [
            str(entry.rank),
            ranks_in_words(entry),
            escape(entry.name),
            f"{entry.strength:+.{digits}f}",
            f"{low:+.{digits}f} {high:+.{digits}f}",
            _NONE if entry.rating is None else points(entry.rating),
            _NONE if entry.mean_mark is None else f"{entry.mean_mark:.2f}",
        ]
        if entry.decision is not None:
            cells.append(DECISIONS[entry.decision])
        table.add_row(*cells)
    return table


def _counts(value: float | None) -> str:
    return "does not count" if value is None else f"counts as {value:.4g}"
