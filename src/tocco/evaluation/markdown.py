"""Parts of a report in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Lines of a table, with a blank line behind it."""
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return [*lines, *("| " + " | ".join(row) + " |" for row in rows), ""]


def number(value: float, form: str = ".1f") -> str:
    """A figure, or a dash where it is not a finite number."""
    return format(value, form) if np.isfinite(value) else "-"


def verdict(is_met: bool) -> str:
    """Whether a bar was met; a failure stands out."""
    return "yes" if is_met else "**no**"
