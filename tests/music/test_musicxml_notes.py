"""Odd notes: sounding pitch, chords on rests, drums, cues, alterations and voices that are no numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicxml_pages import (
    CASES,
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
from tocco.errors import InputError
from tocco.music.score import load_score

DRUM = "<note>{}<unpitched><display-step>E</display-step></unpitched><duration>4</duration></note>"


def transposed(inside: str, number: str = "") -> str:
    return OPENING.replace("</attributes>", f"<transpose{number}>{inside}</transpose></attributes>")


def test_a_transposition_by_nothing_is_none() -> None:
    assert strokes(load_score(CASES / "transpose_nothing.musicxml")) == FOUR_STROKES


@pytest.mark.parametrize(
    ("inside", "semitones"),
    [
        ("", 0),
        ("<diatonic>7</diatonic><chromatic>12</chromatic><octave-change>-1</octave-change>", 0),
        ("<chromatic>-12</chromatic><octave-change> 1 </octave-change>", 0),
        ("<chromatic>0.0</chromatic><octave-change>-1</octave-change>", -12),
        ("<chromatic>12</chromatic>", 12),
        ("<chromatic>0</chromatic><octave-change>2</octave-change>", 24),
    ],
)
def test_whole_octaves_sound_where_they_are_said_to(tmp_path: Path, inside: str, semitones: int) -> None:
    score = read(tmp_path, page(FOUR, opening=transposed(inside)))
    assert strokes(score) == [(beat, pitch + semitones) for beat, pitch in FOUR_STROKES]
    assert score.spelling[0] == f"C{4 + semitones // 12}"


def test_an_octave_of_one_staff_moves_that_staff_alone(tmp_path: Path) -> None:
    left = note("C3", 16, "<staff>2</staff>", voice="5")
    opening = transposed("<chromatic>0</chromatic><octave-change>-1</octave-change>", ' number="2"')
    score = read(tmp_path, page(FOUR + back(16) + left, opening=opening))
    assert strokes(score) == [(0.0, 36), *FOUR_STROKES]


def test_a_transposition_may_end_on_the_way(tmp_path: Path) -> None:
    up, none = (
        f"<attributes><transpose><chromatic>{k}</chromatic></transpose></attributes>" for k in (12, 0)
    )
    score = read(tmp_path, page(FOUR, up + note("C4", 16), none + note("C4", 16)))
    assert score.pitch.tolist()[4:] == [72, 60]


def test_an_instrument_in_another_key_is_refused(tmp_path: Path) -> None:
    inside = "<chromatic>-2</chromatic><octave-change>-1</octave-change>"
    with pytest.raises(InputError, match=r"holds a transposing instrument \(-14 semitones\)"):
        read(tmp_path, page(FOUR, opening=transposed(inside)))


def test_a_chord_of_drums_beside_the_piano_is_left_out() -> None:
    assert strokes(load_score(CASES / "drum_chord.musicxml")) == FOUR_STROKES


def test_notes_on_the_stem_of_a_drum_keep_their_place(tmp_path: Path) -> None:
    mixed = DRUM.format("") + note("D4", before="<chord/>") + note("A4", before="<chord/>") + note("E4", 12)
    score = read(tmp_path, page(mixed, FOUR))
    assert strokes(score)[:3] == [(0.0, 62), (0.0, 69), (1.0, 64)]
    assert score.duration_beat.tolist()[:3] == [1.0, 1.0, 3.0]


def test_pitches_under_a_percussion_clef_are_places_on_a_staff(tmp_path: Path) -> None:
    drums = OPENING.replace("</attributes>", "<clef><sign>percussion</sign></clef></attributes>")
    score = read(tmp_path, parts(bars(FOUR), bars(note("C5", 16), opening=drums)))
    assert strokes(score) == FOUR_STROKES


def test_a_small_drum_takes_no_time(tmp_path: Path) -> None:
    assert strokes(read(tmp_path, page("<note><grace/><unpitched/></note>" + FOUR))) == FOUR_STROKES


@pytest.mark.parametrize("first", [rest(4), note("C4", before="<cue/>")])
def test_a_note_on_the_stem_of_a_rest_or_cue_sounds_there(tmp_path: Path, first: str) -> None:
    score = read(tmp_path, page(first + note("D4", 2, before="<chord/>") + note("E4", 12), FOUR))
    assert strokes(score)[:2] == [(0.0, 62), (1.0, 64)]
    assert score.duration_beat.tolist()[:2] == [0.5, 3.0]


def test_a_small_note_on_the_stem_of_a_rest_takes_no_time(tmp_path: Path) -> None:
    small = note("B3", None, before="<grace/><chord/>")
    assert strokes(read(tmp_path, page(rest(4) + small + note("E4", 12)))) == [(0.0, 59), (1.0, 64)]


@pytest.mark.parametrize("first", ["", back(0)])
def test_a_note_on_the_stem_of_nothing_stands_where_it_is(tmp_path: Path, first: str) -> None:
    score = read(tmp_path, page(note("C4", 8) + first + note("D4", 8), first + note("E4", before="<chord/>")))
    assert strokes(score) == [(0.0, 60), (2.0, 62), (4.0, 64)]


def test_a_main_note_on_the_stem_of_a_small_one_takes_its_time(tmp_path: Path) -> None:
    small = note("B3", None, before="<grace/>")
    score = read(tmp_path, page(small + note("C4", 8, before="<chord/>") + note("E4", 8)))
    assert strokes(score) == [(0.0, 59), (0.0, 60), (2.0, 64)]
    assert score.duration_beat.tolist() == [0.0, 2.0, 2.0]


def test_a_rest_on_the_stem_of_a_note_is_none(tmp_path: Path) -> None:
    in_chord = "<note><chord/><rest/><duration>4</duration></note>"
    assert strokes(read(tmp_path, page(note("C4") + in_chord + note("D4", 12)))) == [(0.0, 60), (1.0, 62)]


@pytest.mark.parametrize(
    ("inside", "pitch"),
    [
        ("<alter/>", 60),
        ("<alter> 1.0 </alter>", 61),
        ("<alter>-2</alter>", 58),
    ],
)
def test_alterations_in_odd_words(tmp_path: Path, inside: str, pitch: int) -> None:
    text = page(note("C4", 16).replace("<octave>", f"{inside}<octave>"))
    assert read(tmp_path, text).pitch.tolist() == [pitch]


@pytest.mark.parametrize(
    ("sign", "pitch"), [("sharp", 61), ("sharp-sharp", 62), ("flat-flat", 58), ("natural-flat", 59)]
)
def test_a_printed_sign_alters_where_nothing_else_does(tmp_path: Path, sign: str, pitch: int) -> None:
    text = page(note("C4", 16, f"<accidental>{sign}</accidental>"))
    assert read(tmp_path, text).pitch.tolist() == [pitch]


@pytest.mark.parametrize("inside", ["<alter>0.5</alter>", "<alter>-1.5</alter>"])
def test_quarter_tones_are_refused(tmp_path: Path, inside: str) -> None:
    with pytest.raises(InputError, match="a piano has no quarter tones"):
        read(tmp_path, page(note("C4").replace("<octave>", f"{inside}<octave>")))
    with pytest.raises(InputError, match="holds an accidental of 'quarter-flat'"):
        read(tmp_path, page(note("C4", 4, "<accidental>quarter-flat</accidental>")))


@pytest.mark.parametrize("pitch", ["H4", "C", "C4.5", "Cx", "4"])
def test_a_pitch_that_is_none_is_refused_with_its_line(tmp_path: Path, pitch: str) -> None:
    written = f"<pitch><step>{pitch[:1]}</step><octave>{pitch[1:]}</octave></pitch>"
    with pytest.raises(InputError, match=r"pitch '.*' \(line 2\)|octave of '.*' \(line 2\)"):
        read(tmp_path, page(f"\n<note>{written}<duration>4</duration></note>"))


def test_a_pitch_in_odd_spelling_is_read(tmp_path: Path) -> None:
    written = "<pitch><step> c\n</step><octave> 4.0 </octave></pitch>"
    score = read(tmp_path, page(f"<note>{written}<duration> 16 </duration></note>"))
    assert score.spelling == ("C4",)


@pytest.mark.parametrize("number", ["", "x", "1.5"])
def test_a_staff_that_is_no_number_is_the_first(tmp_path: Path, number: str) -> None:
    score = read(tmp_path, page(note("C4", 16, f"<staff>{number}</staff><voice/>")))
    assert (score.staff.tolist(), score.voice.tolist()) == ([1], [1])


def test_voices_with_names_stay_apart(tmp_path: Path) -> None:
    upper, lower = note("C5", 16, voice="1"), note("C4", 16, voice="LH")
    score = read(tmp_path, page(upper + back(16) + lower))
    assert score.voice.tolist() == [2, 1]


def test_a_voice_of_endless_digits_is_a_name(tmp_path: Path) -> None:
    upper, lower = note("C5", 16, voice="3"), note("C4", 16, voice="9" * 5000)
    score = read(tmp_path, page(upper + back(16) + lower))
    assert strokes(score) == [(0.0, 60), (0.0, 72)]
    assert score.voice.tolist() == [4, 3]


def tied(*kinds: str) -> str:
    return "<notations>" + "".join(f'<tied type="{kind}"/>' for kind in kinds) + "</notations>"


@pytest.mark.parametrize("middle", [("stop", "start"), ("continue",)])
def test_notes_that_are_only_printed_as_tied_are_tied(tmp_path: Path, middle: tuple[str, ...]) -> None:
    first = note("C4", 8) + note("D4", 8, tied("start"))
    score = read(
        tmp_path, page(first, note("D4", 16, tied(*middle)), note("D4", 8, tied("stop")) + note("D4", 8))
    )
    assert strokes(score) == [(0.0, 60), (2.0, 62), (10.0, 62)]
    assert score.duration_beat.tolist() == [2.0, 8.0, 2.0]


def test_a_note_that_is_left_to_ring_is_not_tied(tmp_path: Path) -> None:
    score = read(tmp_path, page(note("D4", 16, tied("let-ring")), note("D4", 16)))
    assert strokes(score) == [(0.0, 62), (4.0, 62)]


def test_what_is_heard_as_tied_outweighs_what_is_printed(tmp_path: Path) -> None:
    only_stop = '<tie type="stop"/>' + tied("stop", "start")
    score = read(tmp_path, page(note("D4", 16, tied("start")), note("D4", 16, only_stop), note("D4", 16)))
    assert strokes(score) == [(0.0, 62), (8.0, 62)]


@pytest.mark.parametrize("heard", ["", '<tie type="stop"/><tie type="start"/>'])
@pytest.mark.parametrize("kinds", [("stop", "start"), ("continue",)])
def test_the_strokes_of_a_tied_tremolo_stay_apart(tmp_path: Path, heard: str, kinds: tuple[str, ...]) -> None:
    sign = "<ornaments><tremolo>1</tremolo></ornaments></notations>"
    tremolo = note("D4", 16, heard + tied(*kinds).replace("</notations>", sign))
    score = read(tmp_path, page(note("D4", 16, tied("start")), tremolo, note("D4", 16)))
    assert score.onset_beat.tolist() == [0.0, *(4.5 + k / 2 for k in range(7)), 8.0]
    assert score.duration_beat.tolist() == [4.5, *[0.5] * 7, 4.0]
