"""XML in odd clothes: encodings, namespaces, order by time, and lists of parts that do not fit."""

from __future__ import annotations

from pathlib import Path

import pytest

from musicxml_pages import FOUR, FOUR_STROKES, OPENING, bars, note, page, parts, read, strokes
from tocco.errors import InputError
from tocco.music.musicxml_tree import parse_xml

DOCTYPE = '<!DOCTYPE score-partwise PUBLIC "-//Recordare//DTD MusicXML 3.1 Partwise//EN" "partwise.dtd">'
WORDS = "<direction><direction-type><words>tr\u00e8s doux</words></direction-type></direction>"


@pytest.mark.parametrize(
    "content",
    [
        ('<?xml version="1.0" encoding="UTF-16"?>' + page(FOUR)).encode("utf-16"),
        ('<?xml version="1.0" encoding="UTF-16"?>' + page(WORDS + FOUR)).encode(),
        ('<?xml version="1.0" encoding="ISO-8859-1"?>' + page(WORDS + FOUR)).encode("latin-1"),
        ('<?xml version="1.0" encoding="UTF-8"?>' + page(WORDS + FOUR)).encode("latin-1"),
        page(WORDS + FOUR).encode("utf-8-sig"),
        ('\n  <?xml version="1.0"?>' + page(FOUR)).encode(),
        page(FOUR).encode() + b"\x00\x00\x1a\n",
        (DOCTYPE + page(FOUR)).encode(),
        ("<!DOCTYPE score-partwise [ ]><!-- made by hand -->" + page(FOUR)).encode(),
        page("<!-- a bar -->" + FOUR + "<?end of bar?>").encode(),
    ],
)
def test_encodings_and_prologues(tmp_path: Path, content: bytes) -> None:
    assert strokes(read(tmp_path, content)) == FOUR_STROKES


def test_namespaces_are_taken_off(tmp_path: Path) -> None:
    extension = '<e:playback xmlns:e="urn:extension"><e:note/></e:playback>'
    default = page(extension + FOUR).replace("<score-partwise ", '<score-partwise xmlns="urn:musicxml" ')
    assert strokes(read(tmp_path, default)) == FOUR_STROKES
    prefixed = page(FOUR).replace("<", "<m:").replace("<m:/", "</m:")
    prefixed = prefixed.replace("<m:score-partwise ", '<m:score-partwise xmlns:m="urn:musicxml" ')
    assert strokes(read(tmp_path, prefixed)) == FOUR_STROKES


def test_a_score_in_order_of_time_reads_like_one_in_order_of_parts(tmp_path: Path) -> None:
    low = note("C3", 16)
    high, low_too = (
        [f'<part id="{name}">{opening}{notes}</part>' for opening in (OPENING, "")]
        for name, notes in (("P2", FOUR), ("P1", low))
    )
    measures = "".join(f'<measure number="{k + 1}">{high[k]}{low_too[k]}</measure>' for k in (0, 1))
    listed = '<part-list><score-part id="P1"/><score-part id="P2"/></part-list>'
    timewise = read(tmp_path, f'<score-timewise version="3.0">{listed}{measures}</score-timewise>')
    partwise = read(tmp_path, parts(bars(low, low), bars(FOUR, FOUR)))
    assert strokes(timewise) == strokes(partwise)
    assert timewise.note_id == partwise.note_id
    assert timewise.staff.tolist() == partwise.staff.tolist() == [1, 2, 2, 2, 2] * 2
    assert timewise.bar_name == ("1", "2")


def part(said: str) -> str:
    return f"<part{said}>{bars(FOUR)}</part>"


@pytest.mark.parametrize(
    ("content", "n_parts"),
    [
        (part(""), 1),
        (part(' id="P7"'), 1),
        ('<part-list><part-group type="stop" number="1"/></part-list>' + part(' id="P1"'), 1),
        ('<part-list><score-part id="P1"/></part-list>' + part(' id="P1"') + part(' id="P2"'), 2),
        ('<part-list><score-part id="P1"/></part-list>' + part(' id="P1"') + part(' id="P1"'), 2),
        ('<part-list><score-part id="P1"/></part-list><part id="P1"/>' + part(' id="P2"'), 1),
        ('<part-list><score-part id="P8"/><score-part id="P1"/></part-list>' + part(' id="P1"'), 1),
    ],
)
def test_every_part_with_bars_is_read_once(tmp_path: Path, content: str, n_parts: int) -> None:
    score = read(tmp_path, f"<score-partwise>{content}</score-partwise>")
    assert strokes(score) == sorted(FOUR_STROKES * n_parts)
    assert len(set(score.note_id)) == 4 * n_parts


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (page(FOUR)[:-30], r"is broken XML \(line 1, column \d+\)"),
        ("<score-partwise>\n<part>\n</score-partwise>", r"is broken XML \(line 3, column \d+\)"),
        ("<score-timewise/>", "is MusicXML ordered by time without a bar"),
        ("<opus><score/></opus>", "is XML but no MusicXML"),
    ],
)
def test_what_is_no_score_is_refused_without_a_librarys_words(
    tmp_path: Path, content: str, problem: str
) -> None:
    with pytest.raises(InputError, match=problem) as caught:
        read(tmp_path, content)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("namespace", ["", ' xmlns:xlink="http://www.w3.org/1999/xlink"'])
def test_entities_of_the_dtd_are_letters(tmp_path: Path, namespace: str) -> None:
    title = "<movement-title>Pr&eacute;lude&nbsp;1&unheard-of;</movement-title>"
    text = page("<direction><direction-type><words>tr&egrave;s&unheard-of; doux</words></direction-type>")
    text = text.replace("</measure>", f"</direction>{FOUR}&nbsp;</measure>")
    text = text.replace("<part-list>", title + "<part-list>").replace(
        "<score-partwise", f"<score-partwise{namespace}"
    )
    assert strokes(read(tmp_path, DOCTYPE + text)) == FOUR_STROKES
    root = parse_xml((DOCTYPE + text).encode(), "page")
    assert root.findtext("movement-title") == "Pr\u00e9lude\u00a01"
    assert root.findtext(".//words") == "tr\u00e8s doux"
    assert all(isinstance(element.tag, str) for element in root.iter())
