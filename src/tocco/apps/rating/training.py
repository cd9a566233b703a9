"""The examples of the training page: the takes that come with tocco, and what is known to be in them."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class Example:
    """A take that anyone may hear.

    Attributes
    ----------
    name : of its file, without the folder
    title
    known : what was planted in it, and what that means for a rating
    """

    name: str
    title: str
    known: str


_FOLDERS: Final = {
    "minuet.flac": "petzold_minuet",
    "prelude_fluent.webm": "bach_prelude",
    "prelude_struggling.webm": "bach_prelude",
    "gymnopedie.webm": "satie_gymnopedie",
}

EXAMPLES: Final = (
    Example(
        "prelude_fluent.webm",
        "Bach, Prelude in C major: fluent",
        "Nothing was planted. Compare it with the next take, which is the same music.",
    ),
    Example(
        "prelude_struggling.webm",
        "Bach, Prelude in C major: struggling",
        "Planted: 12 wrong notes, 5 hesitations, 3 restarts, half of the pedal changes left out, uneven "
        "dynamics. Rhythmic precision suffers most: a pulse that is lost again and again is a 30. "
        "Note accuracy suffers least: most notes are right.",
    ),
    Example(
        "minuet.flac",
        "Petzold, Minuet in G major: two slips",
        "Planted: a missing note at 0:42 and a wrong one at 0:57. By the guide that is a note accuracy of "
        "about 99.",
    ),
    Example(
        "gymnopedie.webm",
        "Satie, first Gymnopédie: slow and soft",
        "Nothing was planted. The piece is slow and soft throughout: rate how finely its loudness is graded, "
        "not how loud it is.",
    ),
)


def example_path(name: str) -> Path | None:
    """The file of an example; None for any other name."""
    folder = _FOLDERS.get(name)
    return None if folder is None else Path(str(files("tocco"))) / "examples" / folder / name
