"""Engraves MusicXML by Verovio in a child process, and says why where that does not work."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

MOST_SECONDS: Final = 60
"""Of processor time, and of the clock; ten thousand notes take about three."""

MOST_BYTES: Final = 2 * 2**30
"""Address space of the child; ten thousand notes take a tenth of it."""

PAGE_WIDTH: Final = 2100
"""In Verovio's units: a staff is a thirtieth as high as a system is wide, as in print."""

_OPTIONS: Final = {
    "adjustPageHeight": True,
    "breaks": "auto",
    "expandNever": True,
    "footer": "none",
    "header": "none",
    "pageHeight": 100,
    "pageMarginBottom": 0,
    "pageMarginLeft": 0,
    "pageMarginRight": 0,
    "pageMarginTop": 0,
    "scale": 100,
    "svgFormatRaw": True,
    "svgRemoveXlink": True,
    "svgViewBox": True,
    "systemMaxPerPage": 1,
    "xmlIdSeed": 1,
}
"""One system a page, as high as it needs; the seed makes the same music the same picture."""

EXCERPT_WIDTH: Final = 1000
"""Of a few bars beside text, at a size that can still be read there."""


@dataclass(frozen=True)
class View:
    """Bars to engrave.

    Attributes
    ----------
    bars : first and last by their place in the file, from 0; None for all of them
    width : of a system
    """

    bars: tuple[int, int] | None = None
    width: int = PAGE_WIDTH


class NotEngravedError(Exception):
    """Why a score is not engraved, as the end of a sentence."""


def engrave(musicxml: bytes, views: Sequence[View]) -> list[list[str]]:
    """The systems of each view, as Verovio's SVG.

    Parameters
    ----------
    musicxml : from `read_numbered_score`
    views : one of all bars comes first

    Raises
    ------
    NotEngravedError
        Verovio does not read it, ends, or takes more than `MOST_SECONDS` or `MOST_BYTES`.
    """
    task = {
        "musicxml": musicxml.decode(),
        "options": _OPTIONS,
        "views": [{"bars": view.bars, "width": view.width} for view in views],
        "most_seconds": MOST_SECONDS,
        "most_bytes": MOST_BYTES,
    }
    try:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "tocco.report.engraving.child"],
            input=json.dumps(task).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise NotEngravedError(f"it takes longer than {MOST_SECONDS} seconds") from error
    except OSError as error:
        raise NotEngravedError(f"the engraving program cannot be started ({error.strerror})") from error
    if done.returncode != 0:
        raise NotEngravedError(f"the engraving program cannot read it (code {done.returncode})")
    return [[str(system) for system in view] for view in json.loads(done.stdout)]
