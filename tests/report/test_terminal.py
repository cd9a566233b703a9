import io

import pytest
from rich.console import Console

from assessment_example import NO_SCORE, example
from tocco.report.terminal import interval_bar, print_assessment


def printed(*, score: bool, width: int = 110, terminal: bool = False) -> str:
    stream = io.StringIO()
    console = Console(file=stream, width=width, force_terminal=terminal, highlight=False)
    print_assessment(example(score=score), console)
    return stream.getvalue()


def line_of(text: str, start: str) -> str:
    return next(line for line in text.splitlines() if line.startswith(start))


def test_every_dimension_has_its_numbers():
    text = printed(score=True)
    phrasing = line_of(text, "Phrasing").split()
    assert phrasing[1:3] == ["74.2", "60–88"]
    assert phrasing[-2:] == ["0.72", "model"]
    assert line_of(text, "Note accuracy").split()[-1] == "rule"
    assert line_of(text, "Aggregate").split()[1] == "74.5"


def test_missing_says_why():
    text = printed(score=False)
    assert line_of(text, "Note accuracy ").split() == ["Note", "accuracy", "–", "missing"]
    assert f"Note accuracy: missing, {NO_SCORE}" in text
    assert line_of(text, "Aggregate").split() == ["Aggregate", "–", "missing"]


def test_mistakes_stand_with_bar_beat_and_second():
    text = printed(score=True)
    for start, said in (
        ("0:24 ", "0:24 bar 12, beat 3 wrong note: F4 for F#4"),
        ("0:42 ", "0:42 bar 21, beat 2.5 missing note: A3"),
        ("0:43 ", "0:43 bar 21, beat 3 extra note: B5"),
    ):
        assert " ".join(line_of(text, start).split()) == said
    deepest = line_of(text, "0:42–0:48")  # 85 in all, 67 there: the furthest fall
    assert " ".join(deepest.split()) == "0:42–0:48 bars 21–23 Expressiveness falls to 67"
    assert text.count("falls to") == 4
    assert "bar" not in printed(score=False)


def test_what_stands_out_most_is_named_once_a_dimension():
    text = printed(score=True)
    assert (
        line_of(text, "0:08  Dynamics control").split(maxsplit=3)[3] == "bar 5, beat 1: one note sticks out"
    )
    assert "Pedaling technique  " not in text.split("stands out most")[1]


def test_colour_on_a_terminal_only():
    assert "\x1b[" not in printed(score=True)
    assert "\x1b[" in printed(score=True, terminal=True)


@pytest.mark.parametrize("width", [80, 110, 200])
def test_no_line_is_wider_than_the_terminal(width):
    text = printed(score=True, width=width)
    assert line_of(text, "Note accuracy").split()[-1] == "rule"
    assert max(map(len, text.splitlines())) <= width


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
