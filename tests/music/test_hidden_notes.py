"""Notes that a file holds but does not print: not written, yet allowed where they say how to play."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from alignment_etude import performance_of
from musicxml_pages import (
    FOUR,
    FOUR_STROKES,
    OPENING,
    back,
    bars,
    note,
    page,
    parts,
    read,
    rest,
    strokes,
)
from tocco.music.alignment import align_performance_to_score
from tocco.music.alignment_findings import sort_notes
from tocco.music.hidden_notes import separate_hidden_notes
from tocco.music.notation import PrintedNote
from tocco.music.score import Score

HIDDEN_TRILL = "".join(note(pitch, 1, voice="2", show="no") for pitch in ("E4", "D4", "E4", "D4"))
TRILL = note("C4") + note("D4", 4, "<notations><ornaments><trill-mark/></ornaments></notations>")


def hidden(score: Score) -> list[tuple[float, int]]:
    return list(zip(score.hidden_onset_beat.tolist(), score.hidden_pitch.tolist(), strict=True))


def test_a_trill_written_out_for_playback_is_not_written(tmp_path: Path) -> None:
    bar = TRILL + note("E4") + note("F4") + back(12) + HIDDEN_TRILL
    score = read(tmp_path, page(bar, FOUR))
    assert strokes(score) == [*FOUR_STROKES, (4.0, 60), (5.0, 62), (6.0, 64), (7.0, 65)]
    assert score.articulation[1] == "trill-mark"
    assert hidden(score) == [(1.0, 64), (1.25, 62), (1.5, 64), (1.75, 62)]


def test_hidden_notes_are_repeated_with_their_bar(tmp_path: Path) -> None:
    again = '<barline location="right"><repeat direction="backward"/></barline>'
    score = read(tmp_path, page(FOUR + back(16) + note("E5", 4, voice="2", show="no") + again))
    assert hidden(score) == [(0.0, 76), (4.0, 76)]
    assert len(score) == 8


@pytest.mark.parametrize(
    ("content", "n_printed", "n_hidden"),
    [
        (note("C4", show="no") + note("E4", before="<chord/>") + note("D4", 12), 2, 1),
        (note("C4") + note("E4", before="<chord/>", show="no") + note("D4", 12), 2, 1),
        (note("B3", None, before="<grace/>", show="no") + FOUR, 4, 1),
        (rest(16, show="no") + back(16) + FOUR, 4, 0),
    ],
)
def test_what_is_printed_keeps_its_place_beside_hidden_notes(
    tmp_path: Path, content: str, n_printed: int, n_hidden: int
) -> None:
    score = read(tmp_path, page(content, FOUR))
    assert score.bar_onset_beat.tolist() == [0.0, 4.0]
    assert score.onset_beat.tolist()[:2] == [0.0, 1.0]
    assert (len(score), len(score.hidden_pitch)) == (n_printed + 4, n_hidden)
    assert not score.is_grace.any()


def test_a_hidden_head_of_a_printed_tie_is_written(tmp_path: Path) -> None:
    start, stop = '<tie type="start"/>', '<tie type="stop"/>'
    tied = note("C4", 8, show="no", before="").replace("<voice>", f"{start}<voice>")
    rest_of_it = note("C4", 8).replace("<voice>", f"{stop}<voice>")
    score = read(tmp_path, page(tied + rest_of_it, FOUR))
    assert strokes(score)[0] == (0.0, 60)
    assert score.duration_beat[0] == 4.0


def test_a_page_whose_notes_are_all_hidden_is_written(tmp_path: Path) -> None:
    assert strokes(read(tmp_path, page(FOUR.replace("<note>", '<note print-object="no">')))) == FOUR_STROKES


LEFT = "".join(note(pitch, 4, "<staff>2</staff>", voice="5") for pitch in ("C3", "G2", "C3", "F2"))


def test_a_hand_that_is_hidden_as_a_whole_is_not_lost(tmp_path: Path) -> None:
    unseen = LEFT.replace("<note>", '<note print-object="no">')
    score = read(tmp_path, page(FOUR + back(16) + unseen))
    assert sorted(score.pitch.tolist()) == [41, 43, 48, 48, 60, 62, 64, 65]
    assert score.hidden_pitch.tolist() == []


def test_a_part_for_playback_is_not_written(tmp_path: Path) -> None:
    """It plays the trill, and doubles the rest."""
    played = note("C4") + HIDDEN_TRILL + note("E4") + note("F4")
    played = played.replace(' print-object="no"', "").replace("<note>", '<note print-object="no">')
    score = read(tmp_path, parts(bars(TRILL + note("E4") + note("F4")), bars(played)))
    assert strokes(score) == FOUR_STROKES
    assert len(score.hidden_pitch) == 7


@pytest.mark.parametrize("said", ["", ' number="2"'])
def test_a_staff_that_is_hidden_is_not_written(tmp_path: Path, said: str) -> None:
    unseen = OPENING.replace("</attributes>", f'<staff-details{said} print-object="no"/></attributes>')
    doubled = FOUR.replace("</note>", "<staff>2</staff></note>")
    score = read(tmp_path, parts(bars(FOUR), bars(doubled, opening=unseen)))
    assert strokes(score) == FOUR_STROKES
    assert len(score.hidden_pitch) == 4


def test_a_staff_that_is_shown_again_is_written_from_there_on(tmp_path: Path) -> None:
    unseen = OPENING.replace("</attributes>", '<staff-details print-object="no"/></attributes>')
    shown = '<attributes><staff-details print-object="yes"/></attributes>'
    score = read(tmp_path, page(FOUR, shown + FOUR, opening=unseen))
    assert score.onset_beat.tolist() == [4.0, 5.0, 6.0, 7.0]


@pytest.mark.parametrize(("n_adorning", "n_written"), [(1, 5), (2, 2)])
def test_a_hidden_staff_counts_by_how_much_of_it_adorns(n_adorning: int, n_written: int) -> None:
    printed = [PrintedNote("a", 0.0, 4.0, 60, staff=1), PrintedNote("b", 4.0, 1.0, 65, staff=1)]
    unseen = [PrintedNote(f"h{k}", 0.5, 0.5, 62 if k < n_adorning else 63, staff=2) for k in range(3)]
    written, hidden = separate_hidden_notes([*printed, *unseen], np.array([False] * 2 + [True] * 3))
    assert (len(written), len(hidden)) == (n_written, 5 - n_written)


def etude(tmp_path: Path) -> Score:
    """Eight bars, of which the third holds a note with four hidden ones that leap."""
    leaps = "".join(note(pitch, 1, voice="2", show="no") for pitch in ("C5", "G4", "C5", "G4"))
    strange = note("C4") + note("D4") + note("E4") + note("F4") + back(12) + leaps
    quiet = note("G4") + note("A4") + note("B4") + note("C5")
    return read(tmp_path, page(FOUR, quiet, strange, quiet, FOUR, quiet, FOUR, quiet))


def test_hidden_notes_are_neither_missing_nor_extra(tmp_path: Path) -> None:
    score = etude(tmp_path)
    onset = 1.0 + 0.5 * score.onset_beat
    faithful = align_performance_to_score(performance_of(onset, score.pitch), score)
    assert (faithful.n_match, faithful.n_missing, faithful.n_extra) == (32, 0, 0)
    added = 1.0 + 0.5 * score.hidden_onset_beat
    like_the_program = performance_of(
        np.concatenate([onset, added]), np.concatenate([score.pitch, score.hidden_pitch])
    )
    alignment = align_performance_to_score(like_the_program, score)
    notes = sort_notes(alignment)
    assert (len(notes.right), len(notes.missing), len(notes.wrong), len(notes.extra)) == (32, 0, 0, 0)
    assert len(notes.ornamental) == 4
    assert alignment.overall_confidence == 1.0
    assert {ornament.kind for ornament in alignment.ornaments} == {"other-ornament"}


def test_a_note_that_is_not_hidden_either_stays_extra(tmp_path: Path) -> None:
    score = etude(tmp_path)
    onset = np.append(1.0 + 0.5 * score.onset_beat, [1.0 + 0.5 * 9.1, 1.0 + 0.5 * 20.1])
    alignment = align_performance_to_score(performance_of(onset, np.append(score.pitch, [54, 72])), score)
    assert len(sort_notes(alignment).extra) == 2


def test_a_long_tremolo_written_out_for_playback_is_no_new_try(tmp_path: Path) -> None:
    """Where little is printed the hidden notes say where the player is."""
    strokes_of_bar = "".join(note(pitch, 1, voice="2", show="no") for _ in range(8) for pitch in ("C5", "G4"))
    tremolo = note("C4", 16) + back(16) + strokes_of_bar
    score = read(tmp_path, page(FOUR, tremolo, tremolo, tremolo, FOUR))
    onset = 1.0 + 0.5 * np.append(score.onset_beat, score.hidden_onset_beat)
    performance = performance_of(onset, np.append(score.pitch, score.hidden_pitch))
    alignment = align_performance_to_score(performance, score)
    assert (alignment.n_match, len(alignment.deletion)) == (11, 0)
    assert (alignment.retries, alignment.skips) == ((), ())
    assert len(sort_notes(alignment).extra) == 0
