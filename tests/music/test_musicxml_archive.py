"""Compressed MusicXML: containers of several files, odd paths, and none at all."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import pytest

from musicxml_pages import FOUR, FOUR_STROKES, note, page, read, strokes
from tocco.errors import InputError

LIST = "META-INF/container.xml"
GOOD, OTHER = page(FOUR), page(note("C4", 16))


def packed(files: dict[str, str]) -> bytes:
    """A zip archive."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def container(*rootfiles: str) -> str:
    listed = "".join(f"<rootfile {rootfile}/>" for rootfile in rootfiles)
    return f'<container xmlns="urn:container"><rootfiles>{listed}</rootfiles></container>'


SCORE = 'full-path="a.xml" media-type="application/vnd.recordare.musicxml+xml"'


@pytest.mark.parametrize(
    "rootfiles",
    [
        [SCORE],
        ['full-path="a.xml"'],
        ['full-path="a.pdf" media-type="application/pdf"', SCORE],
        ['full-path="a.pdf"', 'full-path="a.jpg" media-type="image/jpeg"', SCORE],
        [SCORE, 'full-path="b.xml"'],
        ['full-path="gone.xml"', SCORE],
        ['full-path="./a.xml"'],
        ['full-path="/a.xml"'],
        ['full-path="%61.xml"'],
        ['full-path=""', SCORE],
    ],
)
def test_the_first_score_of_the_container_is_read(tmp_path: Path, rootfiles: list[str]) -> None:
    files = packed({LIST: container(*rootfiles), "a.xml": GOOD, "b.xml": OTHER})
    assert strokes(read(tmp_path, files, "page.mxl")) == FOUR_STROKES


def test_an_archive_packed_by_hand_is_read(tmp_path: Path) -> None:
    files = packed({"__MACOSX/a.xml": "x", "folder/a.xml": GOOD, "a.jpg": "x"})
    assert strokes(read(tmp_path, files, "page.zip")) == FOUR_STROKES


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        (packed({"a.xml": GOOD, "b.xml": OTHER}), "is a zip archive of 2 XML files"),
        (packed({"a.jpg": "x"}), "is a zip archive without a score"),
        (packed({LIST: container('full-path="c.xml"')}), "a score 'c.xml' that it does"),
        (packed({LIST: container('full-path="c.pdf"')}), "names no score"),
        (packed({LIST: "<container>"}), r"is broken XML \(line 1"),
        (packed({"a.xml": GOOD})[:-40], r"is a broken \.mxl archive, or an encrypted one\. Next"),
        (packed({"a.xml": GOOD}).replace(b"\x14\x00\x00\x00\x08", b"\x14\x00\x00\x00\x63"), "is a broken"),
    ],
)
def test_archives_without_one_score_are_refused(tmp_path: Path, files: bytes, problem: str) -> None:
    with pytest.raises(InputError, match=problem):
        read(tmp_path, files, "page.mxl")
