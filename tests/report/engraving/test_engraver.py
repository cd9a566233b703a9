"""Verovio in its own process: all systems, excerpts, and a reason where there is no picture."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from engraved_example import minuet, written_score
from score_page import FOUR, note, page
from tocco.report.engraving import engraver
from tocco.report.engraving.engraver import EXCERPT_WIDTH, NotEngravedError, View, engrave

NOTE = re.compile(r'id="tn(\d+)" class="note"')


def numbers(pictures: list[str]) -> list[int]:
    return [int(one) for picture in pictures for one in NOTE.findall(picture)]


def test_every_note_is_printed_once_under_its_number_and_excerpts_hold_their_bars() -> None:
    score = minuet()
    whole, excerpt = engrave(score.musicxml or b"", [View(), View((21, 22), EXCERPT_WIDTH)])
    assert len(whole) > 2
    assert sorted(numbers(whole)) == [n for n in range(len(score.bar_of_note)) if n in set(numbers(whole))]
    assert len(numbers(whole)) == 202
    assert {score.bar_of_note[n] for n in numbers(excerpt)} == {21, 22}
    assert numbers(excerpt) == [n for n in numbers(whole) if score.bar_of_note[n] in (21, 22)]


def test_the_same_music_gives_the_same_pictures() -> None:
    musicxml = minuet().musicxml or b""
    assert engrave(musicxml, [View((0, 1))]) == engrave(musicxml, [View((0, 1))])


def test_nothing_of_it_is_loaded_here() -> None:
    engrave(minuet().musicxml or b"", [View((0, 0))])
    assert "verovio" not in sys.modules


def test_what_verovio_cannot_read_has_a_reason() -> None:
    with pytest.raises(NotEngravedError, match="cannot read it"):
        engrave(b"<nothing/>", [View()])


def test_time_and_memory_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engraver, "MOST_BYTES", 2**24)
    with pytest.raises(NotEngravedError, match="cannot read it"):
        engrave(minuet().musicxml or b"", [View()])
    monkeypatch.setattr(engraver, "MOST_SECONDS", 0.001)
    with pytest.raises(NotEngravedError, match=r"longer than 0.001 seconds"):
        engrave(minuet().musicxml or b"", [View()])


def test_a_python_that_cannot_be_started_has_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    with pytest.raises(NotEngravedError, match="cannot be started"):
        engrave(b"", [View()])


def test_a_module_of_the_users_folder_is_not_taken_for_verovio(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "verovio.py").write_text("raise SystemExit(5)")
    monkeypatch.chdir(tmp_path)
    assert engrave(minuet().musicxml or b"", [View((0, 0))])


def test_notes_without_a_printed_value_are_printed(tmp_path: Path) -> None:
    score = written_score(tmp_path, page(FOUR, note("G4", 16)))
    (whole,) = engrave(score.musicxml or b"", [View()])
    assert numbers(whole) == [0, 1, 2, 3, 4]
