"""Progress of long commands: a bar on a terminal, else a line for every tenth."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

_QUIET_SEC: Final = 2.0
"""Shorter work prints no lines."""


@contextmanager
def progress_bar(
    what: str, shown: Callable[[float], str] = "{:.0f}".format, *, at_once: bool = True
) -> Iterator[Callable[[float, float], None]]:
    """Function `(done, total)` that updates a bar on a terminal, and elsewhere prints lines to stderr.

    Parameters
    ----------
    what : is done
    shown : how an amount of it is written, such as `clock` for seconds
    at_once : whether there is a bar before the first amount is known, and after the last
    """
    if not sys.stderr.isatty():
        yield _Lines(what, shown)
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    amount = TextColumn("{task.fields[amount]}", markup=False)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), amount, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None, amount="", visible=at_once)

        def advance(done: float, total: float) -> None:
            amount = f"{shown(done)}/{shown(total)}"
            bar.update(task, completed=done, total=total, amount=amount, visible=at_once or done < total)

        yield advance


class _Lines:
    """Prints a line for every tenth that is done, once the work has taken two seconds."""

    def __init__(self, what: str, shown: Callable[[float], str]) -> None:
        self.what = what
        self.shown = shown
        self.tenths = 0
        self.start_sec = time.monotonic()

    def __call__(self, done: float, total: float) -> None:
        tenths = int(10 * done / total) if total > 0 else 0
        if tenths > self.tenths and time.monotonic() - self.start_sec >= _QUIET_SEC:
            share = f"{100 * done / total:.0f} %"
            of = f"{self.shown(done)} of {self.shown(total)}"
            print(f"{self.what}: {share} ({of})", file=sys.stderr, flush=True)  # noqa: T201
        self.tenths = max(tenths, self.tenths)
