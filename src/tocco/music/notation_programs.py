"""Files of notation programs given in place of a score: which program, and how it exports MusicXML."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import PurePath

from tocco.errors import InputError

SCORE_KINDS = "MusicXML, compressed MusicXML (.mxl) or score MIDI"


@dataclass(frozen=True)
class _Kind:
    """A kind of file, and what to do with one.

    Attributes
    ----------
    name : "a MuseScore file"
    next_step : how a score comes out of it
    suffixes : of its files, in small letters
    """

    name: str
    next_step: str
    suffixes: tuple[str, ...] = ()


_EXPORT = "File > Export > MusicXML"
_MUSESCORE = _Kind("a MuseScore file", f"in MuseScore, {_EXPORT}", (".mscz", ".mscx", ".mscs"))
_FINALE = _Kind("a Finale file", f"in Finale, {_EXPORT}", (".musx", ".mus", ".ftmx"))
_SIBELIUS = _Kind("a Sibelius file", f"in Sibelius, {_EXPORT}", (".sib",))
_DORICO = _Kind("a Dorico file", f"in Dorico, {_EXPORT}", (".dorico",))
_CAPELLA = _Kind("a capella file", f"in capella, {_EXPORT}", (".cap", ".capx"))
_GUITAR_PRO = _Kind(
    "a Guitar Pro file", f"in Guitar Pro, {_EXPORT}", (".gp", ".gpx", ".gp3", ".gp4", ".gp5", ".gtp")
)
_ENCORE = _Kind("an Encore file", f"in Encore, {_EXPORT}", (".enc",))
_OVERTURE = _Kind("an Overture file", f"in Overture, {_EXPORT}", (".ove", ".ovex"))
_NOTEWORTHY = _Kind("a NoteWorthy Composer file", f"in NoteWorthy Composer, {_EXPORT}", (".nwc", ".nwctxt"))
_NOTION = _Kind("a Notion file", f"in Notion, {_EXPORT}", (".notion",))
_LILYPOND = _Kind(
    "a LilyPond file",
    "add \\midi { } to its \\score block, and give the MIDI that LilyPond writes",
    (".ly", ".ily", ".lily"),
)
_ABC = _Kind("an ABC file", "turn it into MusicXML with abc2xml or EasyABC (File > Export)", (".abc",))
_HUMDRUM = _Kind(
    "a Humdrum file",
    "turn it into MusicXML with hum2xml or the Verovio Humdrum Viewer",
    (".krn", ".hmd"),
)
_MEI = _Kind("an MEI file", "turn it into MusicXML with MuseScore: open it, then " + _EXPORT, (".mei",))
_PDF = _Kind(
    "a picture of a score (PDF)",
    f"in the notation program that made it, {_EXPORT}; or read it with a program for music recognition"
    " and correct what it read",
    (".pdf",),
)
_KINDS = (
    _MUSESCORE,
    _FINALE,
    _SIBELIUS,
    _DORICO,
    _CAPELLA,
    _GUITAR_PRO,
    _ENCORE,
    _OVERTURE,
    _NOTEWORTHY,
    _NOTION,
    _LILYPOND,
    _ABC,
    _HUMDRUM,
    _MEI,
    _PDF,
)

_MAGIC = (
    (b"%PDF", _PDF),
    (b"\x0fSIBELIUS", _SIBELIUS),
    (b"ENIGMA BINARY FILE", _FINALE),
    (b"\x18FICHIER GUITAR PRO", _GUITAR_PRO),
    (b"BCFZ", _GUITAR_PRO),
    (b"BCFS", _GUITAR_PRO),
    (b"cap3-v:", _CAPELLA),
    (b"SCOW", _ENCORE),
    (b"SCO5", _ENCORE),
    (b"OVSC", _OVERTURE),
    (b"[NoteWorthy ArtWare]", _NOTEWORTHY),
    (b"!NoteWorthyComposer", _NOTEWORTHY),
    (b"[NWZ]", _NOTEWORTHY),
    (b"%abc", _ABC),
)

_XML_ROOTS = {"museScore": _MUSESCORE, "GPIF": _GUITAR_PRO, "mei": _MEI}
_CAPELLA_NAMESPACE = "whc.de/capella"

_MEMBERS: tuple[tuple[Callable[[str], bool], _Kind], ...] = (
    (lambda name: name.endswith((".mscx", ".mscs")), _MUSESCORE),
    (lambda name: name.endswith(".gpif"), _GUITAR_PRO),
    (lambda name: name in ("score.dat", "NotationMetadata.xml"), _FINALE),
    (lambda name: name.endswith(".dtn"), _DORICO),
)
"""What only the archives of one program hold."""

_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)

_TEXT_BYTES = 4096
"""Of a text file so much tells what it is."""


def refuse_program_file(content: bytes, source: str) -> None:
    """Name the notation program of a file that is no score, if its content or else its suffix shows it.

    Parameters
    ----------
    content : of the whole file; neither MusicXML nor MIDI, or a zip archive
    source : path, for the suffix and for messages

    Raises
    ------
    InputError
        The file is one of a notation program, with the step that exports a score from there.
    """
    kind = next((kind for magic, kind in _MAGIC if content.startswith(magic)), None)
    if kind is None and content.startswith(b"PK"):
        kind = _archive_kind(content, source)
    elif kind is None:
        kind = _text_kind(content[:_TEXT_BYTES]) or _suffix_kind(source)
    if kind is not None:
        _refuse(kind, source)


def refuse_program_xml(tag: str, source: str) -> None:
    """Name the notation program of an XML file by the tag of its outermost element.

    Parameters
    ----------
    tag : with its namespace in braces, if it has one
    source : for messages
    """
    namespace, _, name = tag.rpartition("}")
    kind = _CAPELLA if _CAPELLA_NAMESPACE in namespace else _XML_ROOTS.get(name)
    if kind is not None:
        _refuse(kind, source)


def _refuse(kind: _Kind, source: str) -> None:
    raise InputError(source, f"is {kind.name}, not a score", allowed=SCORE_KINDS, next_step=kind.next_step)


def _archive_kind(content: bytes, source: str) -> _Kind | None:
    """By what lies in a zip archive; None for compressed MusicXML."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if "score.xml" in names and _CAPELLA_NAMESPACE in _head_of(archive, "score.xml"):
                return _CAPELLA
    except _ZIP_FAULTS:
        return _suffix_kind(source)
    for belongs, kind in _MEMBERS:
        if any(belongs(name) for name in names):
            return kind
    return None if "META-INF/container.xml" in names else _suffix_kind(source)


def _head_of(archive: zipfile.ZipFile, name: str) -> str:
    with archive.open(name) as member:
        return member.read(_TEXT_BYTES).decode("utf-8", errors="replace")


def _text_kind(head: bytes) -> _Kind | None:
    """By the first lines of a text file."""
    lines = [line.strip() for line in head.removeprefix(b"\xef\xbb\xbf").splitlines()]
    lines = [line for line in lines if line]
    if any(line.startswith((b"**kern", b"**mens")) for line in lines):
        return _HUMDRUM
    if any(line.startswith((b"\\version", b"\\relative", b"\\score", b"\\header")) for line in lines):
        return _LILYPOND
    has_tune = any(line.startswith(b"X:") for line in lines)
    return _ABC if has_tune and any(line.startswith(b"K:") for line in lines) else None


def _suffix_kind(source: str) -> _Kind | None:
    suffix = PurePath(source).suffix.lower()
    return next((kind for kind in _KINDS if suffix in kind.suffixes), None)
