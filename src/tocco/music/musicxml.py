"""MusicXML and compressed MusicXML, read safely: first as XML within limits, then as notation.

Files come from strangers. The XML is parsed without network, without external or internal entities,
and within limits of size and depth; only then does partitura read it as music.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

from tocco.errors import InputError
from tocco.music.bar_cursor import keep_cursor_in_bars
from tocco.music.notation import MAX_SCORE_BARS, MAX_SCORE_BYTES, Notation
from tocco.music.partitura_import import import_notation_library
from tocco.music.partitura_notation import PageSigns, notation_from_parts
from tocco.music.structure_signs import take_structure_signs
from tocco.music.ties import take_ties
from tocco.music.tremolo import write_out_tremolos

_MAX_DEPTH = 64
"""MusicXML nests to about a dozen."""

_MAX_CONTAINER_BYTES = 2**16

_NEXT_STEP = "export the score again as MusicXML from a notation program"

# What partitura raises on notation that is valid XML but makes no musical sense (a pitch without a step,
# a repeat without a bar). It has no exception of its own.
_NOTATION_FAULTS = (ValueError, TypeError, LookupError, AttributeError, ArithmeticError, AssertionError)


def unpack_mxl(content: bytes, source: str) -> bytes:
    """The MusicXML inside a compressed .mxl.

    Parameters
    ----------
    content : a zip archive
    source : for messages

    Raises
    ------
    InputError
        The archive is broken, holds no score, or unpacks to more than the limit.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if "META-INF/container.xml" not in archive.namelist():
                raise InputError(
                    source,
                    "is a zip archive without a score (no META-INF/container.xml)",
                    allowed="compressed MusicXML (.mxl)",
                    next_step=_NEXT_STEP,
                )
            container = _extract(archive, "META-INF/container.xml", _MAX_CONTAINER_BYTES, source)
            name = _rootfile(container, source)
            if name not in archive.namelist():
                raise InputError(
                    source, f"names a score {name!r} that it does not hold", next_step=_NEXT_STEP
                )
            return _extract(archive, name, MAX_SCORE_BYTES, source)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError) as error:
        raise InputError(source, f"is a broken .mxl archive ({error})", next_step=_NEXT_STEP) from error


def _extract(archive: zipfile.ZipFile, name: str, limit_bytes: int, source: str) -> bytes:
    """Read a member up to a limit; the size that the archive claims is not believed."""
    with archive.open(name) as member:
        content = member.read(limit_bytes + 1)
    if len(content) > limit_bytes:
        raise InputError(
            source, f"unpacks {name!r} to more than {limit_bytes // 1024:,} KiB", next_step=_NEXT_STEP
        )
    return content


def _rootfile(container: bytes, source: str) -> str:
    for element in _parse_xml(container, source).iter("{*}rootfile"):
        path = element.get("full-path")
        media = element.get("media-type", "application/vnd.recordare.musicxml+xml")
        if path and "pdf" not in media:
            return path
    raise InputError(source, "is an .mxl archive that names no score", next_step=_NEXT_STEP)


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
    root = _parse_xml(content, source)
    _check_is_partwise(root, source)
    _normalise(root, source)
    signs = PageSigns(_chord_notes(root), take_ties(root), take_structure_signs(root))
    partitura = import_notation_library("partitura")
    try:
        parts = partitura.load_musicxml(
            io.BytesIO(etree.tostring(root)), force_note_ids="keep", quiet=True
        ).parts
        return notation_from_parts(parts, source, signs)
    except _NOTATION_FAULTS as error:
        raise InputError(
            source, f"cannot be read as music ({type(error).__name__}: {error})", next_step=_NEXT_STEP
        ) from error


def _chord_notes(root: Any) -> frozenset[tuple[str, int]]:
    """Part, and place among its notes, of each note that stands on the stem of the one before it."""
    return frozenset(
        (part.get("id"), place)
        for part in root.iter("part")
        for place, note in enumerate(part.findall("measure/note"))
        if note.find("chord") is not None
    )


def _parse_xml(content: bytes, source: str) -> Any:
    """Parse XML without trusting it: no entities, no network, bounded depth."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as error:
        raise InputError(source, f"is broken XML ({error.msg})", next_step=_NEXT_STEP) from error
    declared = root.getroottree().docinfo.internalDTD
    if declared is not None and any(True for _ in declared.iterentities()):
        raise InputError(source, "declares XML entities, which a score never needs", next_step=_NEXT_STEP)
    depth = max(_depths(root))
    if depth > _MAX_DEPTH:
        raise InputError(
            source, f"nests XML {depth} levels deep", allowed=f"up to {_MAX_DEPTH}", next_step=_NEXT_STEP
        )
    return root


def _depths(root: Any) -> Iterator[int]:
    depth = 0
    for event, _ in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        yield depth


def _check_is_partwise(root: Any, source: str) -> None:
    if root.tag == "score-timewise":
        raise InputError(
            source,
            "is MusicXML ordered by time",
            allowed="MusicXML ordered by part (score-partwise), which every notation program writes",
            next_step=_NEXT_STEP,
        )
    if root.tag != "score-partwise":
        raise InputError(
            source, f"is XML but no MusicXML (it is a {str(root.tag)[:60]!r})", next_step=_NEXT_STEP
        )
    bars = sum(1 for _ in root.iter("measure"))
    if bars > MAX_SCORE_BARS:
        raise InputError(source, f"has {bars:,} bars", allowed=f"up to {MAX_SCORE_BARS:,}")


def _normalise(root: Any, source: str) -> None:
    """Bring what partitura would misread in silence into a form that it reads, or refuse it."""
    for name in ("duration", "divisions", "alter"):
        for element in list(root.iter(name)):
            _as_whole_number(element, name, source)
    for transpose in root.iter("transpose"):
        if (transpose.findtext("chromatic") or "0").strip() not in ("0", "") or transpose.find(
            "octave-change"
        ) is not None:
            raise InputError(
                source, "holds a transposing instrument", allowed="piano parts", next_step=_NEXT_STEP
            )
    is_small_only = any("MuseScore" in (software.text or "") for software in root.iter("software"))
    for note in list(root.iter("note")):
        cue = note.find("cue")
        if cue is None:
            continue
        if is_small_only:
            # MuseScore knows no cue notes: it writes small ones so, such as those of a cadenza.
            note.remove(cue)
        else:
            _silence(note)
    keep_cursor_in_bars(root)
    for part in root.iter("part"):
        first_bar = part.find("measure")
        if first_bar is not None:
            _trim_pickup(first_bar)
    write_out_tremolos(root)


def _trim_pickup(bar: Any) -> None:
    """Drop unprinted rests that pad a pickup bar at its end: the next bar follows at once.

    Rests of all voices that end in one; the way back to the next voice becomes shorter by as much.
    """
    for rest in bar.findall("note[rest][@print-object='no']"):
        following = rest.getnext()
        while following is not None and following.tag not in ("note", "backup", "forward"):
            following = following.getnext()
        if following is not None and following.tag != "backup":
            continue
        if following is not None:
            back = following.find("duration")
            back.text = str(max(int(back.text) - int(rest.findtext("duration") or 0), 0))
        bar.remove(rest)


def _as_whole_number(element: Any, name: str, source: str) -> None:
    """A value such as "2.0" as "2": partitura would read it as no value at all."""
    text = (element.text or "").strip()
    try:
        value = float(text)
        whole = int(value)
    except (ValueError, OverflowError) as error:
        raise InputError(source, f"holds a {name} of {text[:30]!r}", next_step=_NEXT_STEP) from error
    if name == "duration" and whole < 0 and element.getparent().tag not in ("backup", "forward"):
        # Finale writes such where it took two tuplets for one in the other: the rest of the voice is then
        # as wrong, and nothing in the file says how long its notes are.
        raise InputError(
            source,
            f"holds a note with a duration of {text[:30]!r} (line {element.sourceline}), in a bar whose"
            " rhythm is damaged",
            allowed="durations from 0",
            next_step="correct the tuplets of this bar in a notation program and export it again",
        )
    if value != whole or (name == "divisions" and whole < 1):
        raise InputError(
            source,
            f"holds a {name} of {text[:30]!r} (line {element.sourceline})",
            allowed="whole numbers; a piano has no quarter tones",
            next_step=_NEXT_STEP,
        )
    element.text = str(whole)


def _silence(note: Any) -> None:
    """Turn a cue note, which is read along but not played, into a rest of its length."""
    if note.find("grace") is not None or note.find("chord") is not None:
        note.getparent().remove(note)
        return
    for name in ("cue", "pitch", "unpitched", "tie", "notations"):
        for element in note.findall(name):
            note.remove(element)
    note.insert(0, etree.Element("rest"))
