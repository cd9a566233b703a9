"""MusicXML and compressed MusicXML: mended where it is odd, then read as notation.

partitura reads the music. What it would misread in silence, or cannot read though it is plain, is first
brought into a form that it reads; what makes no musical sense is refused.
"""

from __future__ import annotations

import io
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.errors import InputError
from tocco.music.bar_cursor import keep_cursor_in_bars
from tocco.music.hidden_notes import NotePlace, unprinted_notes
from tocco.music.musicxml_archive import unpack_mxl
from tocco.music.musicxml_bars import even_out_bars, trim_pickup, unmeasured_bars
from tocco.music.musicxml_clock import set_whole_durations
from tocco.music.musicxml_notes import set_played_notes
from tocco.music.musicxml_signs import keep_plain_signs
from tocco.music.musicxml_tree import parse_musicxml
from tocco.music.notation import Notation
from tocco.music.partitura_import import import_notation_library
from tocco.music.partitura_notation import PageSigns, notation_from_parts
from tocco.music.structure_signs import take_structure_signs
from tocco.music.ties import take_ties
from tocco.music.tremolo import write_out_tremolos

__all__ = ["read_musicxml", "unpack_mxl"]

# What partitura raises on notation that is valid XML but makes no musical sense (a repeat without a bar).
# It has no exception of its own.
_NOTATION_FAULTS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    ArithmeticError,
    AssertionError,
    StopIteration,
)


def read_musicxml(content: bytes, source: str) -> Notation:
    """The page behind a MusicXML file.

    Parameters
    ----------
    content : uncompressed MusicXML
    source : for messages

    Raises
    ------
    InputError
        Not XML, not MusicXML, unsafe, or not readable as music.
    """
    root = parse_musicxml(content, source)
    _mend(root, source)
    signs = PageSigns(
        chord_notes=_chord_notes(root),
        ties=take_ties(root),
        structure=take_structure_signs(root),
        hidden_notes=unprinted_notes(root),
        unmeasured_bars=unmeasured_bars(root),
    )
    partitura = import_notation_library("partitura")
    try:
        parts = partitura.load_musicxml(
            io.BytesIO(etree.tostring(root)), force_note_ids="keep", quiet=True
        ).parts
        return notation_from_parts(parts, source, signs)
    except _NOTATION_FAULTS as error:
        raise InputError(
            source,
            "cannot be read as music: its notes, directions or repeats do not fit together",
            next_step="check it in a notation program and export it again as MusicXML",
        ) from error


def _mend(root: Any, source: str) -> None:
    """Bring what partitura would misread, or not read at all, into a form that it reads, or refuse it."""
    set_whole_durations(root, source)
    set_played_notes(root, source)
    keep_cursor_in_bars(root)
    write_out_tremolos(root)
    keep_plain_signs(root)
    trim_pickup(root)
    even_out_bars(root)


def _chord_notes(root: Any) -> frozenset[NotePlace]:
    """Place of each note that stands on the stem of the one before it."""
    return frozenset(
        (part.get("id"), place)
        for part in root.iter("part")
        for place, note in enumerate(part.findall("measure/note"))
        if note.find("chord") is not None
    )
