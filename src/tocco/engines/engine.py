"""What every engine can do."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from tocco.errors import OutputError

Item = TypeVar("Item")
Found = TypeVar("Found")

Progress = Callable[[int, int], None]
"""Told (done, total) after every item."""


class Engine(Protocol):
    """Works through many items, at once where it can."""

    def map(
        self, function: Callable[[Item], Found], items: Sequence[Item], progress: Progress | None = None
    ) -> Generator[Found, None, None]:
        """The function of every item, in the order of the items.

        Each result is handed on as soon as it and all before it are there. Whoever may stop asking half way,
        by an interruption or an error of its own, closes the generator (`contextlib.closing`), which ends
        what was begun.

        Parameters
        ----------
        function
            Defined at the top of a module, so that another process can import it. It may be called
            again for an item whose worker was lost half way: what it writes, it writes whole or not at
            all, and under the same name again.
        items
            Values that can be pickled. A path among them means the same file on every machine; a
            relative one counts from the folder that this program runs in.
        progress

        Raises
        ------
        ToccoError
            What the function raised for an item, after the results of the items before it.
        MissingPartError
            A worker was ended from outside, more often than the engine tries again.
        """
        ...


def counted(results: Iterator[Found], total: int, progress: Progress | None) -> Iterator[Found]:
    """The same results, each counted as it is handed on."""
    for done, result in enumerate(results, start=1):
        if progress is not None:
            progress(done, total)
        yield result


def assert_arrived(path: Path) -> None:
    """Refuse a result that a worker says it wrote and that is not here: the two have no common folder.

    Raises
    ------
    OutputError
        There is no such file.
    """
    if not path.is_file():
        raise OutputError(
            path,
            "was written by a worker, and is not on this machine",
            next_step="name a folder that every machine of the cluster shares under the same path",
        )
