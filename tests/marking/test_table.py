"""Tables of marks and votes, and their scales."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.errors import InputError, UsageError
from tocco.inference.marks import MarkScale
from tocco.marking.table import AGGREGATE, MarkedTake, Vote, read_scale, read_table, scale_of


def table(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "my.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_marks_are_read_with_any_separator_and_either_decimal_sign(tmp_path):
    for text in (
        'id,Phrasing,overall,piece,note\na,3,"4,5",minuet,loud\n\nb,,2,,\nc,,,,\n',
        "id;phrasing;mark;piece\na;3;4,5;minuet\nb;;2;\n",
        "\ufeffid\tphrasing\taggregate\tpiece\na\t3.0\t4.5\tminuet\nb\t\t2\t\n",
    ):
        rows = read_table(table(tmp_path, text))
        first, second = rows[:2]
        assert isinstance(first, MarkedTake)
        assert (first.id, first.marks, first.piece) == ("a", {"phrasing": 3.0, AGGREGATE: 4.5}, "minuet")
        assert isinstance(second, MarkedTake)
        assert (second.marks, second.piece, len(rows)) == ({AGGREGATE: 2.0}, None, 2)


def test_votes_are_read(tmp_path):
    rows = read_table(table(tmp_path, "better,worse,note\na,b,\nc,a,close\n"))
    path = tmp_path / "my.csv"
    assert rows == (Vote(f"{path}, line 2", "a", "b"), Vote(f"{path}, line 3", "c", "a"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "has no rows"),
        (
            "id,phrasng\na,3\n",
            "column 'phrasng' is unknown, did you mean 'phrasing' (allowed: columns id; if wanted",
        ),
        ("phrasing\n3\n", "has no column 'id'"),
        ("id,mark,overall\na,3,3\n", "has aggregate twice, as 'mark' and 'overall'"),
        ("id,mark\n,3\n", "line 2: id is empty"),
        ("id,mark\na,good\n", "line 2: mark is 'good' (allowed: a number, or nothing)"),
        ("id,mark\na,nan\n", "mark is 'nan'"),
        ("id,mark\na,4,5\n", "line 2: has 3 cells (allowed: 2, as the header has)"),
        ("id,mark\na,\n", "has no marks"),
        ('id,mark\na,"3\n', "is not valid CSV"),
        ("better,worse\na,a\n", "line 2: calls 'a' better than itself"),
        ("better,worse\na,\n", "line 2: worse is empty"),
        ("better,worse\n", "has no rows"),
        ("id,better,worse\nx,a,b\n", "column 'id' is unknown, known are 'better', 'note', 'worse'"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path, text, said):
    with pytest.raises(InputError) as caught:
        read_table(table(tmp_path, text))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "ends"),
    [("0-30", (0, 30)), ("6-1", (6, 1)), ("1 to 5", (1, 5)), ("-5..5", (-5, 5)), ("0:7.5", (0, 7.5))],
)
def test_a_scale_is_the_worst_and_the_best_mark(text, ends):
    scale = read_scale(text)
    assert (scale.worst, scale.best, scale.source) == (*ends, "given")


@pytest.mark.parametrize("text", ["", "30", "5-5", "one-five", "1-5-6"])
def test_a_scale_that_is_none_is_refused(text):
    with pytest.raises(UsageError, match=r"--scale: is .*6-1 where 1 is the best"):
        read_scale(text)


def takes(*marks: float) -> tuple[MarkedTake, ...]:
    return tuple(
        MarkedTake(f"my.csv, line {k + 2}", f"t{k}", {AGGREGATE: mark}) for k, mark in enumerate(marks)
    )


@pytest.mark.parametrize(
    ("marks", "ends"),
    [
        ((2, 5), (1, 5)), ((1, 6), (1, 6)), ((0, 5), (0, 10)), ((14,), (0, 20)), ((21, 30), (0, 30)),
        ((31,), (0, 100)), ((0, 100), (0, 100)),
    ],
)  # fmt: skip
def test_the_narrowest_usual_scale_is_found(marks, ends):
    scale = scale_of(takes(*marks), (AGGREGATE,), None)
    assert (scale.worst, scale.best, scale.source) == (*ends, "found")


def test_a_mark_off_the_scale_is_named():
    with pytest.raises(InputError, match=r"my.csv, line 3: aggregate is 7 \(allowed: 6 to 1\)"):
        scale_of(takes(2, 7), (AGGREGATE,), read_scale("6-1"))
    with pytest.raises(InputError, match=r"line 2: aggregate is -1 \(allowed: 0 to 100\).*--scale"):
        scale_of(takes(-1, 7), (AGGREGATE,), None)


def test_points_and_marks_are_the_same_line():
    scale = MarkScale(worst=6.0, best=1.0, source="given")
    assert [scale.points(mark) for mark in (6, 3.5, 1)] == [0.0, 50.0, 100.0]
    assert [scale.mark(points) for points in (0.0, 50.0, 100.0)] == [6.0, 3.5, 1.0]
    assert scale.holds(1.0)
    assert not scale.holds(6.5)
