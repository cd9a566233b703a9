"""Signs around the notes that partitura stumbles over, and those that it reads in part."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicxml_pages import CASES, FOUR, FOUR_STROKES, OPENING, note, page, read, strokes
from tocco.music.score import load_score

LONG = "9" * 5000
"""More digits than Python reads as a number."""


def test_letters_for_fingers() -> None:
    assert strokes(load_score(CASES / "fingering_letter.musicxml")) == [(0.0, 60), (1.0, 62), (2.0, 64)]


ODD_NOTATIONS = [
    *(
        f"<technical><fingering>{finger}</fingering></technical>"
        for finger in ("", "p", "T", "4_1", "1-2", "\u2460")
    ),
    "<technical><fingering/><string>x</string><pluck/></technical>",
    "<tuplet/>",
    '<tuplet type="stop"/>',
    '<tuplet type="start" number="x"/>',
    "<slur/>",
    '<slur type="stop"/>',
    '<slur type="start"/><slur type="start" number="x"/><slur type="stop"/>',
    '<slur type="let-ring"/>',
    '<glissando type="start"/><other-notation type="single"/><accidental-mark>flat</accidental-mark>',
]


@pytest.mark.parametrize("inside", ODD_NOTATIONS)
def test_odd_notations_are_passed_over(tmp_path: Path, inside: str) -> None:
    odd = note("C4", 4, f"<notations>{inside}</notations>")
    score = read(tmp_path, page(odd + note("D4", 4, f"<notations>{inside}</notations>") + FOUR))
    assert score.pitch.tolist() == [60, 62, 60, 62, 64, 65]
    assert score.onset_beat.tolist() == [0, 1, 2, 3, 4, 5]


ODD_IN_BARS = [
    "<direction/>",
    "<direction><direction-type/></direction>",
    "<direction><direction-type><words/></direction-type><staff>x</staff></direction>",
    "<direction><direction-type><words>q = 0</words></direction-type></direction>",
    "<direction><direction-type><words>q = 99999999999</words></direction-type></direction>",
    "<direction><direction-type><dynamics/></direction-type></direction>",
    '<direction><direction-type><wedge type="stop" number="x"/></direction-type></direction>',
    '<direction><direction-type><pedal type="start"/></direction-type></direction>',
    '<direction><direction-type><octave-shift type="up" size="x"/></direction-type></direction>',
    '<direction><sound tempo="60,5"/></direction>',
    *(f'<sound tempo="{tempo}"/>' for tempo in ("", "x", "0", "-3", "nan", "1e400")),
    '<sound dynamics="loud"/>',
    "<harmony><root><root-step>C</root-step><root-alter>x</root-alter></root><kind>major</kind></harmony>",
    "<figured-bass/>",
    '<bookmark id="x"/>',
    "<?page break?>",
    "<unheard-of/>",
    "<barline/>",
    "<attributes><staves>two</staves><clef><sign>x</sign><line>q</line></clef></attributes>",
    "<attributes><key><cancel>3</cancel><fifths>-2</fifths></key></attributes>",
    "<attributes><key><key-step>F</key-step><key-alter>0.5</key-alter></key></attributes>",
    "<forward/>",
    "<backup/>",
]


@pytest.mark.parametrize("inside", ODD_IN_BARS)
def test_odd_things_in_bars_are_passed_over(tmp_path: Path, inside: str) -> None:
    score = read(tmp_path, page(inside + note("C4") + note("D4") + inside + note("E4") + note("F4") + inside))
    assert strokes(score) == FOUR_STROKES
    assert score.bar_beats.tolist() == [4.0]
    assert score.tempo_bpm == 0.0


def test_signs_of_several_lists_are_all_read(tmp_path: Path) -> None:
    lists = (
        "<notations><fermata/></notations><notations>"
        "<articulations><staccato/></articulations><articulations><accent/></articulations></notations>"
    )
    score = read(tmp_path, page(note("C4", 16, lists)))
    assert set(score.articulation[0].split(",")) == {"staccato", "accent", "fermata"}


@pytest.mark.parametrize(
    ("time", "metre"),
    [
        ("<beats>3+2</beats><beat-type>8</beat-type>", (5, 8)),
        ("<beats> 2 + 2 + 3 </beats><beat-type>8</beat-type>", (7, 8)),
        ("<beats>3</beats><beat-type>4</beat-type><beats>3</beats><beat-type>8</beat-type>", (9, 8)),
        ("<beats>4</beats><beat-type>4</beat-type></time><time number='2'><beats>8</beats>", (4, 4)),
        ("<beats>many</beats><beat-type>4</beat-type>", None),
        ("<beats>0</beats><beat-type>4</beat-type>", None),
        ("<beats>4</beats>", None),
        ("<beats>1024</beats><beat-type>1024</beat-type>", (1024, 1024)),
        ("<beats>1025</beats><beat-type>4</beat-type>", None),
        (f"<beats>{LONG}</beats><beat-type>4</beat-type>", None),
        (f"<beats>3+{LONG}</beats><beat-type>4</beat-type>", None),
        (f"<beats>4</beats><beat-type>{LONG}</beat-type>", None),
    ],
)
def test_time_signatures_in_other_words(tmp_path: Path, time: str, metre: tuple[int, int] | None) -> None:
    opening = OPENING.replace("<beats>4</beats><beat-type>4</beat-type>", time)
    assert read(tmp_path, page(FOUR, opening=opening)).bar_metre == (metre,)


@pytest.mark.parametrize(
    ("said", "names"), [("", ("1",)), ('number="X1"', ("X1",)), ('number=" 7 "', ("7",))]
)
def test_bars_with_odd_numbers(tmp_path: Path, said: str, names: tuple[str, ...]) -> None:
    assert read(tmp_path, page(FOUR).replace('number="1"', said)).bar_name == names


@pytest.mark.parametrize(
    ("tempo", "bpm"),
    [("72", 72.0), (" 72.5 ", 72.5), ("+60.", 60.0), ("2000", 2000.0)]
    + [(odd, 0.0) for odd in ("1e30000000", "1e-30000000", "1/3", "6e1", "6_0", "2000.1", "9" * 5000)],
)
def test_a_tempo_is_a_plain_decimal(tmp_path: Path, tempo: str, bpm: float) -> None:
    score = read(tmp_path, page(f'<sound tempo="{tempo}"/>' + FOUR))
    assert strokes(score) == FOUR_STROKES
    assert score.tempo_bpm == bpm


def test_a_tremolo_of_endless_digits_is_one_stroke(tmp_path: Path) -> None:
    sign = f"<notations><ornaments><tremolo>{LONG}</tremolo></ornaments></notations>"
    assert strokes(read(tmp_path, page(note("C4", 16, sign)))) == [(0.0, 60)]
