from __future__ import annotations

import numpy as np
import pytest

from tocco.errors import InputError
from tocco.evaluation.interval_calibration.predictions import read_predictions

HEADER = "segment,dimension,label,mean,sd,cluster,work,fold"
LINES = ("a,phrasing,50,48.5,4,c1,w1,0", "b,phrasing,60,55,5,c2,w1,1")


def written(tmp_path, *lines, header=HEADER):
    path = tmp_path / "mine.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_table_is_read_and_written_again(make, tmp_path):
    rows = make(40, 8, split="cv4_cluster", given="with score", dimensions=("phrasing", "musicality"))
    rows.save(tmp_path / "rows.csv")
    again = read_predictions(tmp_path / "rows.csv")
    assert len(again) == 80
    for name, column in vars(rows).items():
        if column.dtype.kind == "f":
            assert getattr(again, name) == pytest.approx(column, abs=5e-5)
        else:
            assert np.array_equal(getattr(again, name), column)


def test_a_row_without_a_label_is_left_out(tmp_path):
    found = read_predictions(written(tmp_path, *LINES, "c,phrasing,,50,4,c1,w1,0"))
    assert found.segment.tolist() == ["a", "b"]
    assert found.split.tolist() == ["", ""]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("c,phrasing,101,50,4,c3,w1,0", r"line 4: label is 101 \(allowed: 0 to 100\)"),
        ("c,phrasing,50,-1,4,c3,w1,0", r"line 4: mean is -1 \(allowed: 0 to 100\)"),
        ("c,phrasing,50,nan,4,c3,w1,0", "line 4: mean is nan"),
        ("c,phrasing,50,high,4,c3,w1,0", "line 4: mean is high"),
        ("c,phrasing,50,50,0,c3,w1,0", r"line 4: sd is 0 \(allowed: a number above 0\)"),
        ("c,phrasing,50,50,inf,c3,w1,0", "line 4: sd is inf"),
        ("c,phrasing,50,50,,c3,w1,0", "line 4: sd is empty"),
        ("c,phrasing,50,50,4,,w1,0", "line 4: cluster is empty"),
        ("c,phrasing,50,50,4,c2,w1,0", "has cluster c2 in folds 1 and 0"),
        ("a,phrasing,50,50,4,c1,w1,0", "has phrasing of a twice"),
    ],
)
def test_what_is_wrong_is_said(tmp_path, line, message):
    with pytest.raises(InputError, match=message):
        read_predictions(written(tmp_path, *LINES, line))


def test_a_missing_column_a_single_fold_no_label_and_labels_up_to_one(tmp_path):
    with pytest.raises(InputError, match="has no column 'sd'"):
        read_predictions(_without_sd(tmp_path))
    with pytest.raises(InputError, match="has one fold"):
        read_predictions(written(tmp_path, LINES[0]))
    with pytest.raises(InputError, match="has no label"):
        read_predictions(written(tmp_path, "a,phrasing,,50,4,c1,w1,0"))
    small = [f"s{i},phrasing,0.{i},0.5,0.1,c{i},w1,{i % 2}" for i in range(10)]
    with pytest.raises(InputError, match="has no label above 1"):
        read_predictions(written(tmp_path, *small))


def _without_sd(tmp_path):
    return written(tmp_path, "a,phrasing,50,50,c1,w1,0", header=HEADER.replace("sd,", ""))


def test_one_segment_may_be_in_two_splits(tmp_path):
    lines = [f"{line},{split}" for split in ("new music", "new pianist") for line in LINES]
    found = read_predictions(written(tmp_path, *lines, header=HEADER + ",split"))
    assert len(found) == 4
