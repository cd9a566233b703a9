"""File formats of ASAP: names of pianists and works, beat annotations, links to MAESTRO."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ValidationError

from tocco.data.corpora.annotations import Beats, KeySignature, Recording, TimeSignature
from tocco.errors import InputError
from tocco.files import file_name
from tocco.schema import one_line

_MAESTRO = "{maestro}/"

# Movements of one composition, and a prelude with its fugue. Etudes, preludes and the like stand alone.
_WORK_RULES = (
    (re.compile(r"(?:Prelude|Fugue)_(bwv_\d+)"), r"\1"),
    (re.compile(r"((?:Piano|Keyboard)_Sonatas_\d+)-.+"), r"\1"),
    (re.compile(r"(Sonata_\d+)_(?:1st|2nd|3rd|4th)"), r"\1"),
    (re.compile(r"(Kreisleriana)_\d+"), r"\1"),
    (re.compile(r"(.+?)_repeat"), r"\1"),
)
_PERFORMER = re.compile(r"[^\W\d][^\d]*")


def performer_of(stem: str) -> str | None:
    """Pianist from a file name: the letters before the first digit, in lower case.

    Names are those of the competition's files: a surname, some with initials ("LEE_K05M", "ChenL02").

    >>> performer_of("LEE_K05M"), performer_of("Feiner_2006_02"), performer_of("FEINER03"), performer_of("07")
    ('leek', 'feiner', 'feiner', None)
    """
    found = _PERFORMER.match(stem)
    return found[0].replace("_", "").casefold() if found else None


def work_of(composer: str, title: str) -> str:
    """The composition that a piece belongs to.

    >>> work_of("Beethoven", "Piano_Sonatas_31-3_4"), work_of("Bach", "Fugue_bwv_846")
    ('Beethoven_Piano_Sonatas_31', 'Bach_bwv_846')
    >>> work_of("Chopin", "Etudes_op_10_3")
    'Chopin_Etudes_op_10_3'
    """
    for pattern, work in _WORK_RULES:
        if found := pattern.fullmatch(title):
            return file_name(f"{composer}_{found.expand(work)}")
    return file_name(f"{composer}_{title}")


def read_beats(path: Path) -> Beats:
    """Read the annotation of one file: one line per beat, `seconds TAB seconds TAB label`.

    A label is "b", "db" (downbeat) or "bR" (ambiguous position), followed by a new time signature and
    a new key signature (sharps), separated by commas, each of which may be empty.

    Raises
    ------
    InputError
        A line has another format; the message names it.
    """
    beat: list[float] = []
    down: list[float] = []
    rough: list[float] = []
    times: list[TimeSignature] = []
    keys: list[KeySignature] = []
    for number, line in enumerate(_lines(path), start=1):
        if not line.strip():
            continue
        try:
            at, _, label = line.split("\t")
            kind, metre, sharps = (*label.strip().split(","), "", "")[:3]
            beat.append(float(at))
            if metre:
                over, under = metre.split("/")
                times.append(TimeSignature(start_sec=beat[-1], numerator=int(over), denominator=int(under)))
            if sharps:
                keys.append(KeySignature(start_sec=beat[-1], sharps=int(sharps)))
        except ValueError as error:
            raise InputError(
                f"{path}, line {number}", f"is {line!r}", allowed="seconds, seconds, label"
            ) from error
        if kind not in ("b", "db", "bR"):
            raise InputError(f"{path}, line {number}", f"has the label {kind!r}", allowed="b, db, bR")
        down += beat[-1:] if kind == "db" else []
        rough += beat[-1:] if kind == "bR" else []
    try:
        return Beats(
            beat_sec=tuple(beat),
            downbeat_sec=tuple(down),
            rough_beat_sec=tuple(rough),
            time_signatures=tuple(times),
            key_signatures=tuple(keys),
        )
    except ValidationError as error:
        raise InputError(path, one_line(error)) from error


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise InputError(path, f"is not UTF-8 text (byte {error.start})") from error


def recording_of(cells: Mapping[str, str]) -> Recording | None:
    """The recording in MAESTRO; None for a performance without audio.

    Parameters
    ----------
    cells
        A row of metadata.csv.
    """
    if not cells["maestro_audio_performance"]:
        return None
    subject = f"metadata.csv, {cells['midi_performance']}"
    try:
        return Recording(
            corpus="MAESTRO v2.0.0",
            midi=cells["maestro_midi_performance"].removeprefix(_MAESTRO),
            audio=cells["maestro_audio_performance"].removeprefix(_MAESTRO),
            start_sec=float(cells["start"] or 0.0),
            end_sec=float(cells["end"]) if cells["end"] else None,
        )
    except ValueError as error:  # pydantic's kind is one as well
        raise InputError(
            subject, f"has start {cells['start']!r} and end {cells['end']!r}", allowed="seconds"
        ) from error
