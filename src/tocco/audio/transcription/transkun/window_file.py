"""Windows that were heard already, kept in a file, so that an interrupted transcription goes on."""

from __future__ import annotations

import json
from pathlib import Path

from tocco.audio.transcription.transkun.window import Heard, WindowHeard
from tocco.errors import OutputError


class WindowFile:
    """Heard windows, a JSON line each; two runs of the same recording may write to one file.

    Parameters
    ----------
    path : None keeps nothing. A last line that was cut off is heard again.
    """

    def __init__(self, path: Path | None) -> None:
        self._path = path
        heard = [] if path is None or not path.is_file() else _complete(path)
        self._heard = {_tick(one.start_sec): one for one in heard}

    def found(self, start_sec: float) -> WindowHeard | None:
        """The window that starts there; None where it has not been heard."""
        return self._heard.get(_tick(start_sec))

    def add(self, heard: WindowHeard) -> None:
        """Keep the next window.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        if self._path is None:
            return
        line = json.dumps([heard.start_sec, heard.end_sec, heard.events]) + "\n"
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(line)
        except OSError as error:
            raise OutputError(
                self._path,
                f"cannot be written ({error.strerror})",
                next_step="choose a folder on another disk",
            ) from error


def _tick(start_sec: float) -> int:
    return round(1e3 * start_sec)


def _complete(path: Path) -> list[WindowHeard]:
    """The whole lines of a file, to which it is cut."""
    whole = path.read_bytes().rpartition(b"\n")
    path.write_bytes(whole[0] + whole[1])
    return [_window(line) for line in whole[0].splitlines()]


def _window(line: bytes) -> WindowHeard:
    start_sec, end_sec, events = json.loads(line)
    return WindowHeard(start_sec, end_sec, tuple(Heard(*event) for event in events))
