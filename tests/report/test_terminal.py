import io

import pytest
from rich.console import Console

from assessment_example import NO_SCORE, example
from page_example import assessed
from tocco.inference.assessment import Assessment
from tocco.inference.evidence import Music, PlayedBars
from tocco.report.terminal import interval_bar, print_assessment


def printed(*, score: bool, width: int = 110, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, highlight=False)
    print_assessment(example(score=score), console)
    return stream.getvalue()


def shown(assessment: Assessment) -> str:
    stream = io.StringIO()
    print_assessment(assessment, Console(file=stream, width=110, highlight=False))
    return stream.getvalue()


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_every_dimension_has_its_numbers():
    text = printed(score=True)
    phrasing = line_of(text, "Phrasing").split()
    assert phrasing[1:3] == ["74.2", "60–88"]
    assert phrasing[-2:] == ["0.72", "model"]
    assert line_of(text, "Note accuracy").split()[-1] == "rule"
    assert line_of(text, "Aggregate ").split()[1] == "74.5"


def test_where_the_notes_come_from_is_in_the_first_line():
    assert "etude.flac recording and MIDI, score etude.musicxml\n" in printed(score=True)
    made = example().model_dump(mode="json")
    made["inputs"] |= {"notes": "transcribed"}
    assert "recording and MIDI, notes transcribed, score" in shown(Assessment.model_validate(made))
    made["inputs"] |= {"transcriber": "hearer 3", "transcription_sha256": "e" * 64, "synchrony": None}
    made["inputs"]["midi"] |= {"origin": "derived"}
    said = shown(Assessment.model_validate(made))
    assert "etude.flac recording, notes transcribed by hearer 3, score etude.musicxml\n" in said


def test_missing_says_why_and_what_the_aggregate_is_without():
    text = printed(score=False)
    assert line_of(text, "Note accuracy ").split() == ["Note", "accuracy", "–", "missing"]
    assert f"Note accuracy: missing, {NO_SCORE}" in text
    assert line_of(text, "Aggregate ").split()[1] == "69.7"
    assert "Aggregate: without note accuracy; the other weights are scaled up to sum to 1" in text
    assert "without" not in printed(score=True)


def test_the_aggregate_says_what_it_consists_of():
    text = printed(score=True, width=400)
    assert line_of(text, "Aggregate: ").startswith("Aggregate: note accuracy 97.1 × .175 + rhythmic")


def test_one_list_says_where_to_look_in_order_of_time():
    text = printed(score=True)
    places = text.split("Where to look\n")[1].splitlines()
    said = [" ".join(line.split()) for line in places]
    assert "0:24 bar 12, beat 3: wrong note: F4 for F#4" in said
    assert "0:42 bar 21, beat 2.5: missing note: A3" in said
    assert "0:43 bar 21, beat 3: extra note: B5" in said
    assert "0:42–0:48 bars 21–23: Expressiveness falls to 67.2 (whole: 85.3)" in said  # the furthest fall
    assert "0:08 Dynamics control: bar 5, beat 1: one note sticks out" in said
    starts = [line.split("–")[0].split()[0] for line in said]
    assert starts == sorted(starts)
    assert sum(" to " in line for line in said) == 4
    assert text.count("Where to look") == 1


def test_without_a_passage_that_stands_out_it_says_so():
    stream = io.StringIO()
    even = example().model_copy(update={"moments": ()})
    print_assessment(even, Console(file=stream, width=110, highlight=False))
    assert "no passage of several bars is clearly better or worse than the whole" in stream.getvalue()
    assert "no passage" not in printed(score=True)


def test_what_rests_on_a_doubtful_score_and_what_was_not_rated_is_said():
    whole = example()
    assert whole.alignment is not None
    alignment = whole.alignment.model_copy(
        update={
            "flags": ("many notes differ from the score: 43 % agree",),
            "part": PlayedBars(first="1", last="11", where="bars 1–16, then 1–11 (repeat)", n_bars=64),
        }
    )
    inputs = whole.inputs.model_copy(update={"music": Music(start_sec=12.2, end_sec=61.1)})
    stream = io.StringIO()
    changed = whole.model_copy(update={"alignment": alignment, "inputs": inputs})
    print_assessment(changed, Console(file=stream, width=110, highlight=False))
    text = stream.getvalue()
    assert "Many notes differ from the score: 43 % agree; what rests on it is less certain" in text
    assert "Bars 1–16, then 1–11 (repeat) of 64 were played, and only these are rated" in text
    assert "Not rated: 12 s before the music and 5 s after the music" in text


def test_colour_on_a_terminal_only():
    assert "\x1b[" not in printed(score=True)
    assert "\x1b[" in printed(score=True, terminal=True)


@pytest.mark.parametrize(
    ("width", "with_bar", "with_source"),
    [(50, False, False), (60, False, True), (80, True, True), (200, True, True)],
)
def test_a_narrow_terminal_drops_the_bar_first_then_the_source_and_never_a_number(
    width, with_bar, with_source
):
    text = printed(score=True, width=width)
    assert max(map(len, text.splitlines())) <= width
    accuracy, phrasing = line_of(text, "Note accuracy"), line_of(text, "Phrasing")
    assert ("●" in accuracy) == with_bar
    assert ("rule" in accuracy) == with_source
    assert phrasing.split()[1:3] == ["74.2", "60–88"]
    assert "0.72" in phrasing


@pytest.mark.parametrize(
    ("value", "interval", "bar"),
    [
        (0.0, (0.0, 10.0), "●─·········"),
        (100.0, None, "··········●"),
        (50.0, (50.0, 50.0), "·····●·····"),
        (30.0, (0.0, 100.0), "───●───────"),
    ],
)
def test_the_bar_shows_the_interval(value, interval, bar):
    assert interval_bar(value, interval, cells=11) == bar


def test_what_to_work_on_first_is_in_the_words_of_the_findings():
    text = shown(assessed())
    listed = text.split("What to work on first\n")[1].split("\n\n")[0].splitlines()
    assert [line.rstrip() for line in listed] == [
        "0:24  Bar 12, beat 3: F4 instead of F#4.",
        "      In competent playing 0.2 to 2.0 % of the notes are wrong.",
        "0:42  Bar 21, beat 2.5: A3 is missing.",
        "      In competent playing 0.2 to 2.0 % of the notes are wrong.",
    ]
    assert "What to work on first" not in shown(assessed(findings=None))


def test_where_nothing_stands_out_the_terminal_says_so():
    assert "Nothing stands out" in shown(assessed(findings=()))
    bare = example(score=False).model_copy(update={"findings": ()})
    assert "without a score only passages are compared" in " ".join(shown(bare).split())
