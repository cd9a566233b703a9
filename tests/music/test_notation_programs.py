"""Files of notation programs are named, with the step that exports a score."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from musicxml_pages import FOUR, FOUR_STROKES, page, read, strokes
from tocco.errors import InputError


def packed(*names: str, content: str = "<x/>") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name in names:
            archive.writestr(name, content)
    return stream.getvalue()


CAPELLA_XML = '<score xmlns="http://www.whc.de/capella/2.0"/>'

BY_CONTENT = {
    "MuseScore": [
        packed("META-INF/container.xml", "page.mscx"),
        b'<?xml version="1.0"?><museScore version="4.20"/>',
    ],
    "Finale": [packed("META-INF/container.xml", "score.dat"), b"ENIGMA BINARY FILE\x00\x01"],
    "Sibelius": [b"\x0fSIBELIUS\x00\x00"],
    "Dorico": [packed("score.dtn", "scorelibrary.dtn")],
    "Guitar Pro": [packed("VERSION", "Content/score.gpif"), b"\x18FICHIER GUITAR PRO v5.00", b"BCFZ\x00"],
    "capella": [packed("score.xml", content=CAPELLA_XML), CAPELLA_XML.encode(), b"cap3-v:\x00"],
    "LilyPond": [b'% a waltz\n\\version "2.24.0"\n\\score { c4 }', b"\xef\xbb\xbf\\relative c' { c4 }"],
    "ABC": [b"X:1\nT:Waltz\nK:C\nCDEF|", b"%abc-2.1\n"],
    "Humdrum": [b"!!!COM: Bach\n**kern\t**kern\n4c\t4e\n*-\t*-\n"],
    "MEI": [b'<mei xmlns="http://www.music-encoding.org/ns/mei"/>'],
    "PDF": [b"%PDF-1.7\n"],
    "NoteWorthy Composer": [b"[NoteWorthy ArtWare]\x00"],
    "Encore": [b"SCOW\x00"],
    "Overture": [b"OVSC\x00"],
}


@pytest.mark.parametrize(
    ("program", "content"), [(name, content) for name, contents in BY_CONTENT.items() for content in contents]
)
def test_a_program_is_told_by_content(tmp_path: Path, program: str, content: bytes) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, "page.xml")
    message = str(caught.value)
    assert "\n" not in message
    assert f"{program} file" in message or f"({program})" in message
    assert "not a score (allowed: MusicXML, compressed MusicXML (.mxl) or score MIDI). Next: " in message


def test_a_musescore_file_is_told_how_to_become_a_score(tmp_path: Path) -> None:
    path = tmp_path / "page.mscz"
    with pytest.raises(InputError) as caught:
        read(tmp_path, packed("page.mscx"), path.name)
    assert str(caught.value) == (
        f"{path}: is a MuseScore file, not a score (allowed: MusicXML, compressed MusicXML (.mxl) or score"
        " MIDI). Next: in MuseScore, File > Export > MusicXML."
    )


@pytest.mark.parametrize(
    ("suffix", "program"),
    [
        ("mscz", "MuseScore"),
        ("mscx", "MuseScore"),
        ("sib", "Sibelius"),
        ("musx", "Finale"),
        ("mus", "Finale"),
        ("dorico", "Dorico"),
        ("gp", "Guitar Pro"),
        ("gp5", "Guitar Pro"),
        ("cap", "capella"),
        ("capx", "capella"),
        ("ly", "LilyPond"),
        ("abc", "ABC"),
        ("krn", "Humdrum"),
        ("MSCZ", "MuseScore"),
        ("pdf", "PDF"),
    ],
)
@pytest.mark.parametrize("content", [b"\x01\x02\x03", b"PK\x03\x04 cut off", packed("something")])
def test_a_program_is_told_by_suffix(tmp_path: Path, suffix: str, program: str, content: bytes) -> None:
    with pytest.raises(InputError, match=program):
        read(tmp_path, content, f"page.{suffix}")


def test_a_score_is_read_whatever_its_suffix(tmp_path: Path) -> None:
    assert strokes(read(tmp_path, page(FOUR), "page.mscx")) == FOUR_STROKES
