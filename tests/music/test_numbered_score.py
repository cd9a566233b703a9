"""Numbers of printed notes: in the file's order, the same in every reading, and in packed files."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import numpy as np
import pytest

from engraved_example import minuet, played
from score_page import BACKWARD, FORWARD, FOUR, note, page, tie, write
from tocco.errors import InputError
from tocco.music.midi import save_midi
from tocco.music.numbered_score import number_of, read_numbered_score
from tocco.music.score import score_readings


def test_notes_are_numbered_in_the_order_of_the_file_and_read_as_before(tmp_path: Path) -> None:
    path = write(tmp_path, page(FORWARD + FOUR, note("G4", 16) + BACKWARD))
    numbered, plain = read_numbered_score(path), score_readings(path)
    assert [number_of(name) for name in numbered.readings[0].note_id] == [0, 1, 2, 3, 4] * 2
    assert numbered.bar_of_note == (0, 0, 0, 0, 1)
    assert numbered.n_bars == 2
    assert len(numbered.readings) == len(plain) == 2
    for one, other in zip(numbered.readings, plain, strict=True):
        assert one.repeats == other.repeats
        np.testing.assert_array_equal(one.onset_beat, other.onset_beat)
        np.testing.assert_array_equal(one.pitch, other.pitch)


def test_rests_count_and_tied_notes_are_one_strike(tmp_path: Path) -> None:
    rest = "<note><rest/><duration>4</duration><voice>1</voice></note>"
    held = note("C4", 4, tie("start")) + note("C4", 4, tie("stop"))
    numbered = read_numbered_score(write(tmp_path, page(rest + held + note("D4"))))
    assert [number_of(name) for name in numbered.readings[0].note_id] == [1, 3]
    assert numbered.bar_of_note == (0, 0, 0, 0)


def test_parts_go_on_counting(tmp_path: Path) -> None:
    numbered = read_numbered_score(write(tmp_path, page(FOUR, FOUR, parts=2)))
    assert sorted(number_of(name) or 0 for name in numbered.readings[0].note_id) == list(range(16))
    assert numbered.bar_of_note == (0, 0, 0, 0, 1, 1, 1, 1) * 2


def test_the_ids_of_the_file_are_written_over_and_stand_in_the_musicxml(tmp_path: Path) -> None:
    text = page(FOUR).replace("<note>", '<note id="tn99">', 1)
    numbered = read_numbered_score(write(tmp_path, text))
    assert numbered.musicxml is not None
    assert re.findall(r'<note[^>]* id="(\w+)"', numbered.musicxml.decode()) == ["tn0", "tn1", "tn2", "tn3"]


def test_a_packed_file_is_read_alike(tmp_path: Path) -> None:
    path = tmp_path / "a.mxl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.musicxml", page(FOUR))
    numbered = read_numbered_score(path)
    assert [number_of(name) for name in numbered.readings[0].note_id] == [0, 1, 2, 3]
    assert numbered.musicxml is not None


def test_a_score_midi_has_readings_and_no_notation(tmp_path: Path) -> None:
    save_midi(played(minuet().readings[0]), tmp_path / "score.mid")
    numbered = read_numbered_score(tmp_path / "score.mid")
    assert numbered.musicxml is None
    assert len(numbered.readings) == 1
    assert number_of(numbered.readings[0].note_id[0]) is None


def test_what_is_no_score_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.musicxml"
    path.write_text("<html/>")
    with pytest.raises(InputError, match="no MusicXML"):
        read_numbered_score(path)
