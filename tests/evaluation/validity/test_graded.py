"""Tables of graded takes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tocco.errors import InputError
from tocco.evaluation.validity.graded import read_graded

HEADER = "id,midi,score,piece,player,instructor1,instructor2"


def table(folder: Path, *lines: str) -> Path:
    path = folder / "takes.csv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_paths_are_relative_to_the_table(tmp_path: Path) -> None:
    (take,) = read_graded(table(tmp_path, HEADER, "a-1,midi/a.mid,score/a.mxl,a,s6,4,5"))
    assert (take.id, take.piece, take.player, take.grades) == ("a-1", "a", "s6", (4.0, 5.0))
    assert take.midi == tmp_path / "midi" / "a.mid"
    assert take.mean_grade == 4.5
    assert take.points == 87.5


def test_a_take_without_a_player_stands_for_itself(tmp_path: Path) -> None:
    (take,) = read_graded(
        table(tmp_path, "id,midi,score,piece,instructor1,instructor2", "a-1,a.mid,a.mxl,a,4,5")
    )
    assert take.player == "a-1"


@pytest.mark.parametrize("grade", ["0.9", "5.1", "good", ""])
def test_a_grade_outside_one_to_five_is_refused(tmp_path: Path, grade: str) -> None:
    with pytest.raises(InputError, match=r"grades a-1 .* \(allowed: 1 to 5\)"):
        read_graded(table(tmp_path, HEADER, f"a-1,a.mid,a.mxl,a,s6,4,{grade}"))


def test_a_missing_column_and_a_single_teacher_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="lacks piece"):
        read_graded(table(tmp_path, "id,midi,score,instructor1,instructor2"))
    with pytest.raises(InputError, match="lacks teachers"):
        read_graded(table(tmp_path, "id,midi,score,piece,instructor1"))
