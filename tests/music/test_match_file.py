"""The match file, read back by partitura."""

from __future__ import annotations

from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import InputError
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.match_file import match_file_text, performed_note_id, write_match_file
from tocco.music.matching.ornaments import Ornament
from tocco.music.midi import load_midi
from tocco.music.partitura_import import import_notation_library
from tocco.music.performance import Performance
from tocco.music.score import score_readings

FOLDER = Path(str(resources.files("tocco"))) / "examples" / "petzold_minuet"


@pytest.fixture(scope="module")
def performance() -> Performance:
    return load_midi(FOLDER / "minuet.mid")


@pytest.fixture(scope="module")
def alignment(performance: Performance) -> Alignment:
    return align_performance_to_score(performance, score_readings(FOLDER / "minuet.musicxml"))


def outcomes(path: Path) -> dict[str, set[tuple]]:
    """What partitura reads: pitch and beat of the written, pitch and tenth of a millisecond of the
    played note."""
    partitura = import_notation_library("partitura")
    performance, links, score = partitura.load_match(path, create_score=True)
    page = {
        n["id"]: (int(n["pitch"]), round(float(n["onset_quarter"]), 3))
        for n in score[0].note_array(include_grace_notes=True)
    }
    keys = {
        n["id"]: (int(n["pitch"]), round(1e4 * float(n["onset_sec"]))) for n in performance[0].note_array()
    }
    found: dict[str, set[tuple]] = {"match": set(), "insertion": set(), "deletion": set(), "ornament": set()}
    for link in links:
        written = page[link["score_id"]] if "score_id" in link else ()
        # partitura lists the key stroke of an ornament by its id alone, not among the performed notes.
        played = (
            keys.get(link["performance_id"], (link["performance_id"],)) if "performance_id" in link else ()
        )
        found[link["label"]].add((*written, *played))
    return found


def test_partitura_reads_back_the_same_outcomes(
    alignment: Alignment, performance: Performance, tmp_path: Path
) -> None:
    write_match_file(alignment, performance, tmp_path / "minuet.match")
    score = alignment.score

    def page(note: int) -> tuple[int, float]:
        return int(score.pitch[note]), round(float(score.onset_beat[note]), 3)

    def key(note: int) -> tuple[int, float]:
        return int(performance.pitch[note]), round(1e4 * float(performance.onset_sec[note]))

    found = outcomes(tmp_path / "minuet.match")
    assert found["match"] == {(*page(s), *key(p)) for s, p in alignment.match}
    assert found["deletion"] == {page(s) for s in alignment.deletion}
    assert found["insertion"] == {key(p) for p in alignment.insertion}
    assert (len(found["match"]), len(found["deletion"]), len(found["insertion"])) == (402, 2, 1)
    assert found["ornament"] == set()


def test_the_second_pass_has_bars_and_ids_of_its_own(alignment: Alignment, performance: Performance) -> None:
    lines = match_file_text(alignment, performance).splitlines()
    assert "info(scoreFileName,minuet.musicxml)." in lines
    assert "scoreprop(timeSignature,3/4,1:1,0,0.0000)." in lines
    assert sum(line.startswith("sustain(") for line in lines) == len(performance.sustain.value)
    (first,) = (line for line in lines if line.startswith("snote(r1n1,"))
    (second,) = (line for line in lines if line.startswith("snote(r1n1-2,"))
    assert first.startswith("snote(r1n1,[D,n],5,1:1,0,1/4,0.0000,1.0000,[")
    assert second.startswith("snote(r1n1-2,[D,n],5,17:1,0,1/4,48.0000,49.0000,[")


def test_names_and_metre_are_those_of_the_score(alignment: Alignment, performance: Performance) -> None:
    score = alignment.score
    six_eight = tuple((6, 8) for _ in score.bar_metre)
    printed = ("Cbb6", *score.spelling[1:])
    changed = replace(alignment, score=replace(score, bar_metre=six_eight, spelling=printed))
    lines = match_file_text(changed, performance).splitlines()
    assert "scoreprop(timeSignature,6/8,1:1,0,0.0000)." in lines
    assert any(line.startswith(f"snote({score.note_id[0]},[C,bb],6,") for line in lines)


def test_without_names_and_metre_both_are_estimated(alignment: Alignment, performance: Performance) -> None:
    bare = replace(alignment, score=replace(alignment.score, bar_metre=(), spelling=()))
    lines = match_file_text(bare, performance).splitlines()
    assert "scoreprop(timeSignature,3/4,1:1,0,0.0000)." in lines
    assert lines == match_file_text(alignment, performance).splitlines()


def test_an_ornament_is_a_line_of_its_own(
    alignment: Alignment, performance: Performance, tmp_path: Path
) -> None:
    added = int(alignment.insertion[0])
    adorned = replace(alignment, ornaments=(Ornament("trill", 7, (added,)),))
    write_match_file(adorned, performance, tmp_path / "trill.match")
    found = outcomes(tmp_path / "trill.match")
    score = alignment.score
    page = (int(score.pitch[7]), round(float(score.onset_beat[7]), 3))
    assert found["ornament"] == {(*page, performed_note_id(added))}
    assert found["insertion"] == set()
    assert len(found["match"]) == 402


def test_an_id_that_the_format_cannot_hold_is_refused(alignment: Alignment, performance: Performance) -> None:
    ids = ("a,b", *alignment.score.note_id[1:])
    broken = replace(alignment, score=replace(alignment.score, note_id=ids))
    with pytest.raises(InputError, match="'a,b'"):
        match_file_text(broken, performance)


def test_a_score_longer_than_the_format_counts_is_refused(
    alignment: Alignment, performance: Performance
) -> None:
    long = replace(alignment.score, onset_beat=alignment.score.onset_beat + np.float64(60_000))
    with pytest.raises(InputError, match="quarter notes long"):
        match_file_text(replace(alignment, score=long), performance)
