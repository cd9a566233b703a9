"""A score whose printed notes are numbered, so that other programs can name the same notes.

The number is written into the MusicXML as the id of each note ("tn12"), and the score is read from that.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Final

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.music.musicxml import read_musicxml
from tocco.music.musicxml_tree import parse_musicxml
from tocco.music.score import Score, read_score_content, unfold_all
from tocco.music.score_midi import read_score_midi

PREFIX: Final = "tn"
_NUMBER: Final = re.compile(rf"(?:^|:){PREFIX}(\d+)(?:-\d+)?$")


@dataclass(frozen=True, eq=False)
class NumberedScore:
    """Every way through a score, and the MusicXML that it is read from.

    Attributes
    ----------
    readings : as of `score_readings`; the notes of MusicXML have ids by their numbers
    musicxml : None for a score MIDI, which holds no notation
    bar_of_note : place in its part of the bar that each numbered note is printed in, from 0
    n_bars : of the longest part
    """

    readings: tuple[Score, ...]
    musicxml: bytes | None = None
    bar_of_note: tuple[int, ...] = ()
    n_bars: int = 0


def read_numbered_score(path: str | PathLike[str]) -> NumberedScore:
    """Read a score, and number its printed notes in the order of the file.

    Parameters
    ----------
    path : as for `score_readings`

    Raises
    ------
    InputError
        As `score_readings`.
    """
    source = str(path)
    content, is_musicxml = read_score_content(Path(path))
    if not is_musicxml:
        return NumberedScore(unfold_all(read_score_midi(content, source)))
    root = parse_musicxml(content, source)
    bar_of_note = _number_notes(root)
    musicxml = etree.tostring(root, encoding="utf-8", xml_declaration=True)
    n_bars = max((len(part.findall("measure")) for part in root.iterfind("part")), default=0)
    return NumberedScore(unfold_all(read_musicxml(musicxml, source)), musicxml, bar_of_note, n_bars)


def number_of(note_id: str) -> int | None:
    """Number of the printed note that a note of a reading stands on; None where it has none.

    >>> number_of("tn12"), number_of("P2:tn3-2"), number_of("r1n1")
    (12, 3, None)
    """
    found = _NUMBER.search(note_id)
    return None if found is None else int(found[1])


def _number_notes(root: Any) -> tuple[int, ...]:
    """Write the ids; returns the place of the bar of each note."""
    bars: list[int] = []
    for part in root.iterfind("part"):
        for place, measure in enumerate(part.findall("measure")):
            for note in measure.iterfind("note"):
                note.set("id", f"{PREFIX}{len(bars)}")
                bars.append(place)
    return tuple(bars)
