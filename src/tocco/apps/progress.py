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
def progress_bar(what: str) -> Iterator[Callable[[int, int], None]]:
    """Function `(done, total)` that updates a bar on a terminal, and elsewhere prints lines to stderr."""
    if not sys.stderr.isatty():
        yield _Lines(what)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(what, total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


class _Lines:
    """Prints a line for every tenth that is done, once the work has taken two seconds."""

    def __init__(self, what: str) -> None:
        self.what = what
        self.tenths = 0
        self.start_sec = time.monotonic()

    def __call__(self, done: int, total: int) -> None:
        tenths = 10 * done // max(total, 1)
        if tenths > self.tenths and time.monotonic() - self.start_sec >= _QUIET_SEC:
            share = f"{100 * done / total:.0f} %"
            print(f"{self.what}: {share} ({done} of {total})", file=sys.stderr, flush=True)  # noqa: T201
        self.tenths = max(tenths, self.tenths)
