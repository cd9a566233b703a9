"""Tables of jurors are read in both forms, and every fault is named with its line."""

from pathlib import Path

import pytest

from tocco.errors import InputError
from tocco.ranking.jury import Mark, Recusal, Vote, mark_table, read_marks, read_recusals, read_votes

NAMES = ("anna", "ben", "cleo")
LONG = "juror,performance,mark\nx,anna,80\nx,ben,70.5\ny,anna,9\n"
WIDE = "performance;x;y\nanna;80;9\nben;70.5;\n"


@pytest.fixture
def table(tmp_path: Path):
    def write(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_both_forms_say_the_same(table):
    expected = {Mark("x", "anna", 80.0), Mark("x", "ben", 70.5), Mark("y", "anna", 9.0)}
    assert set(read_marks(table(LONG), NAMES).marks) == expected
    assert set(read_marks(table("\ufeff" + WIDE), NAMES).marks) == expected


def test_marks_of_own_students_are_recused_by_a_column(table):
    found = read_marks(table("juror,performance,mark,own_student\nx,anna,80,yes\nx,ben,70,no\n"), NAMES)
    assert found.recusals == {Recusal("x", "anna")}
    assert len(found.marks) == 2


def test_votes_and_ties(table):
    found = read_votes(table("juror,better,worse,tie\nx,anna,ben,\ny,ben,anna,yes\n"), NAMES)
    assert found.votes == (Vote("x", "anna", "ben"), Vote("y", "ben", "anna", is_tie=True))


def test_marks_stand_in_a_table_by_juror_and_performance(table):
    marks = read_marks(table(LONG), NAMES).marks
    found = mark_table(marks, ("x", "y"), ("ben", "anna"))
    assert found[0].tolist() == [70.5, 80.0]
    assert found[1, 1] == 9.0
    assert found[1, 0] != found[1, 0]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("juror,performance,mark\nx,anna,eight\n", ("line 2", "mark is 'eight'", "from 0 to 1000")),
        ("juror,performance,mark\nx,anna,8\nx,ben,-1\n", ("line 3", "'-1'", "from 0 to 1000")),
        ("juror,performance,mark\nx,anna,nan\n", ("line 2", "'nan'")),
        ("juror,performance,mark\nx,anna,1e9\n", ("line 2", "'1e9'")),
        ('juror,performance,mark\nx,anna,"8,5"\n', ("line 2", "'8,5'", "with a point")),
        ("juror,performance,mark\nx,ana,8\n", ("line 2", "did you mean 'anna'")),
        ("juror,performance,mark\n,anna,8\n", ("line 2", "juror is empty")),
        ("juror,performance,mark\nx,anna,8\nx,anna,9\n", ("line 3", "again, after line 2", "one mark")),
        ("juror,performance,mark\nx,anna\n", ("line 2", "2 cells", "allowed: 3")),
        ("juror,performance,mark,own_student\nx,anna,8,maybe\n", ("line 2", "'maybe'", "yes, no")),
        ("juror,performance,mark,comment\nx,anna,8,good\n", ("'comment'", "unknown", "own_student")),
        ("juror,mark\nx,8\n", ("no column 'performance'",)),
        ("performance,x\nanna,8\nanna,9\n", ("line 3", "line 2", "one row")),
        ("performance,x,x\nanna,8,9\n", ("column 'x' twice",)),
        ("performance,x,\nanna,8,9\n", ("no name for column 3",)),
        ("name,x\nanna,8\n", ("begins with 'name,x'", "performance, and one column a juror")),
        ("performance,x\nanna,\n", ("no marks",)),
        ("performance,x\n", ("no rows",)),
        ("", ("no rows",)),
        ('performance,x\n"anna,8\n', ("not valid CSV",)),
    ],
)
def test_what_is_wrong_with_marks_is_named(table, text, parts):
    path = table(text)
    with pytest.raises(InputError) as caught:
        read_marks(path, NAMES)
    message = str(caught.value)
    assert message.startswith(str(path))
    for part in parts:
        assert part in message, message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("juror,better,worse\nx,anna,anna\n", "line 2: better and worse are both 'anna'"),
        ("juror,better,worse\nx,anna,bem\n", "line 2: worse: 'bem' is unknown, did you mean 'ben'"),
        ("juror,better,worse,tie\nx,anna,ben,1\n", "line 2: tie is '1'"),
        ("juror,better\nx,anna\n", "has no column 'worse'"),
    ],
)
def test_what_is_wrong_with_votes_is_named(table, text, part):
    with pytest.raises(InputError, match=part):
        read_votes(table(text), NAMES)


def test_a_misspelt_juror_does_not_undo_a_recusal(table):
    path = table("juror,performance\nYuri,anna\n")
    with pytest.raises(InputError, match=r"line 2: juror: 'Yuri' is unknown, did you mean 'Yuriy'"):
        read_recusals(path, NAMES, ("Yuriy", "Ann"))
    assert read_recusals(path, NAMES, ("Yuri",)) == {Recusal("Yuri", "anna")}


def test_a_file_that_is_no_text_or_not_there_is_named(tmp_path):
    (tmp_path / "a.csv").write_bytes(b"juror\xff\xfe")
    for name, part in (("a.csv", "is not UTF-8 text"), ("none.csv", "cannot be read")):
        with pytest.raises(InputError, match=part):
            read_marks(tmp_path / name, NAMES)
