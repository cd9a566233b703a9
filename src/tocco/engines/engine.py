"""Interface of the engines."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from pathlib import Path
from typing import Protocol, TypeVar

from tocco.errors import OutputError

Item = TypeVar("Item")
Result = TypeVar("Result")

Progress = Callable[[int, int], None]
"""Called with (done, total) after every item."""


class Engine(Protocol):
    """Maps a function over many items, in parallel where possible."""

    def map(
        self, function: Callable[[Item], Result], items: Sequence[Item], progress: Progress | None = None
    ) -> Generator[Result, None, None]:
        """Apply the function to every item; results are in the order of the items.

        A result is yielded as soon as it and all before it are available. A caller that may stop early,
        by an interruption or an error of its own, closes the generator (`contextlib.closing`), which ends
        the running work.

        Parameters
        ----------
        function
            Defined at module level, so that another process can import it. It may be called again for an
            item whose worker was lost: it has to write files atomically and under the same names.
        items
            Values that can be pickled. A path refers to the same file on every machine; a relative path is
            relative to the working directory of this program.
        progress

        Raises
        ------
        ToccoError
            Raised by the function for an item, after the results of the items before it.
        MissingPartError
            Workers were killed more often than the engine retries.
        """
        ...


def counted(results: Iterator[Result], total: int, progress: Progress | None) -> Iterator[Result]:
    """Yield the same results, and report progress after each."""
    for done, result in enumerate(results, start=1):
        if progress is not None:
            progress(done, total)
        yield result


def assert_arrived(path: Path) -> None:
    """Refuse a file that a worker has written and that is not visible here: no shared folder.

    Raises
    ------
    OutputError
        There is no such file.
    """
    if not path.is_file():
        raise OutputError(
            path,
            "was written by a worker, and is not on this machine",
            next_step="name a folder that all machines of the cluster share under the same path",
        )
