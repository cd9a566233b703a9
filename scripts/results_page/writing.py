"""Figures and tables as markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from results_page.sources import Figure

MINUS = "−"


def number(value: float | str, decimals: int = 3, sign: bool = False) -> str:
    """A figure, with a typographic minus."""
    text = f"{float(value):{'+' if sign else ''}.{decimals}f}"
    is_zero = float(text) == 0
    return text.lstrip("+-") if is_zero else text.replace("-", MINUS)


def percent(share: float | str, decimals: int = 1) -> str:
    """A share as a percentage."""
    return f"{number(100 * float(share), decimals)} %"


def with_interval(figure: Figure, decimals: int = 3) -> str:
    """A figure with its 95 % interval in brackets."""
    if figure.low is None or figure.high is None:
        return number(figure.value, decimals)
    return (
        f"{number(figure.value, decimals)} [{number(figure.low, decimals)}, {number(figure.high, decimals)}]"
    )


def plain(name: str) -> str:
    """A name of a dimension, descriptor or bar in words."""
    return name.replace("_", " ")


def listed(names: Iterable[str]) -> str:
    """`a, b and c`."""
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def table(header: Sequence[str], rows: Iterable[Sequence[str]], words: int = 1) -> str:
    """A markdown table; columns after the first `words` are aligned right."""
    rule = ["---"] * words + ["--:"] * (len(header) - words)
    lines = [header, *rows]
    body = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([body[0], f"|{'|'.join(rule)}|", *body[1:]])
