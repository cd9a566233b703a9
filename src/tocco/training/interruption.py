"""Signals that end a training run: a checkpoint is written first, and one line says how to go on.

The first SIGINT or SIGTERM is remembered until the next optimiser step, where a checkpoint is exact; a second
one ends the process at once, with the last checkpoint as it was.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Final

from tocco.errors import ToccoError

SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class StoppedError(ToccoError):
    """A signal ended the training; the exit code is 128 plus its number, as in a shell.

    Parameters
    ----------
    folder
        Folder of the part of the run.
    number : of the signal
    step : optimiser steps that are done
    """

    def __init__(self, folder: Path, number: int, step: int) -> None:
        super().__init__(
            folder,
            f"stopped by {signal.Signals(number).name} after step {step}, which its checkpoint has",
            next_step="run the same command with --resume",
        )
        self.exit_code = 128 + number
        self._arguments = folder, number, step

    def __reduce__(self) -> tuple[object, ...]:
        return StoppedError, self._arguments


class StopRequest:
    """The signal that was received, if any.

    Attributes
    ----------
    number : of the signal; 0 for none
    """

    def __init__(self) -> None:
        self.number = 0

    def listen(self) -> None:
        """Receive the signals; does nothing outside the main thread, which has them."""
        if threading.current_thread() is threading.main_thread() and not self.number:
            for one in SIGNALS:
                signal.signal(one, self._received)

    def _received(self, number: int, frame: FrameType | None) -> None:
        self.number = number
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextmanager
def stop_requests() -> Iterator[StopRequest]:
    """Receive the signals within the block; the earlier handlers return after it."""
    earlier = {one: signal.getsignal(one) for one in SIGNALS}
    request = StopRequest()
    request.listen()
    try:
        yield request
    finally:
        if threading.current_thread() is threading.main_thread():
            for one, handler in earlier.items():
                signal.signal(one, handler)
