"""Verovio in a process of its own: MusicXML in, pictures of its systems out.

Verovio writes to the console from C++, can end the process on odd files, and keeps its state for a whole
process. So this module is never imported: `engraver.py` runs it, with limits of time and memory.
"""

from __future__ import annotations

import json
import os
import sys
from typing import IO, Any

_CANNOT_READ = 3
"""Exit code for music that Verovio does not read."""


def _limit(seconds: int, memory_bytes: int) -> None:
    """Processor time and address space; systems without such limits have the caller's clock alone."""
    if sys.platform == "win32":
        return
    import resource

    for kind, limit in ((resource.RLIMIT_CPU, seconds), (resource.RLIMIT_AS, memory_bytes)):
        hard = resource.getrlimit(kind)[1]
        most = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (most, most))


def _own_output() -> IO[bytes]:
    """The pipe to the caller; whatever is printed from here on goes nowhere."""
    pipe = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    return pipe


def _engraved(task: dict[str, Any]) -> list[list[str]] | None:
    """The systems of each view as SVG; None for music that Verovio does not read."""
    import verovio

    verovio.enableLog(verovio.LOG_OFF)
    toolkit = verovio.toolkit()
    toolkit.setOptions({**task["options"], "pageWidth": task["views"][0]["width"]})
    if not toolkit.loadData(task["musicxml"]):
        return None
    views = []
    for view in task["views"]:
        if view["bars"] is not None:
            first, last = view["bars"]
            toolkit.setOptions({"pageWidth": view["width"]})
            toolkit.select({"measureRange": f"{first + 1}-{last + 1}"})
            toolkit.redoLayout()
        views.append([toolkit.renderToSVG(page + 1) for page in range(toolkit.getPageCount())])
    return views


def main() -> int:
    """Read the task as JSON from standard input, write the pictures as JSON."""
    task = json.load(sys.stdin)
    _limit(task["most_seconds"], task["most_bytes"])
    pipe = _own_output()
    views = _engraved(task)
    if views is None:
        return _CANNOT_READ
    with pipe:
        pipe.write(json.dumps(views).encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
