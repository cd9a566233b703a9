"""The two files of a predictor: read whole and as they were written, or refused by what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tocco.errors import BundleError
from tocco.models.predictor_files import (
    ARRAYS,
    FORMAT,
    HEADER,
    ArrayKind,
    Header,
    read_arrays,
    read_header,
    refused,
    write_arrays,
    write_header,
)

GIVEN = Header("trees", ("phrasing", "musicality"), ("a", "b"), {"depth": 3})
KINDS = {"x": ArrayKind("float64", (2, None)), "n": ArrayKind("int32", (None,))}


@pytest.fixture
def arrays() -> dict[str, np.ndarray]:
    return {"x": np.arange(6.0).reshape(2, 3), "n": np.array([1, 2], dtype=np.int32)}


def test_a_header_is_read_as_it_was_written(tmp_path: Path) -> None:
    write_header(tmp_path, GIVEN)
    assert read_header(tmp_path) == read_header(tmp_path, "trees") == GIVEN
    text = (tmp_path / HEADER).read_text()
    assert json.loads(text)["format"] == FORMAT == 1
    assert text.startswith('{\n "format": 1,')
    assert text.endswith("}\n")
    with pytest.raises(BundleError, match=r"is of the kind 'trees' \(allowed: network\)"):
        read_header(tmp_path, "network")


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"format": 2}, r"has the format 2 \(allowed: 1\)"),
        ({"more": 1}, "has the keys format, kind, more, names, settings, statistics"),
        ({"kind": 1}, "'kind' has to be a string"),
        ({"settings": None}, "'settings' an object"),
        ({"names": "ab"}, "'names' has to be a list of strings"),
        ({"names": [1]}, "'names' has to be a list of strings"),
        ({"statistics": ["a", "a"]}, "'statistics' names one thing twice"),
    ],
)
def test_a_header_that_says_something_else_is_refused(
    tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    write_header(tmp_path, GIVEN)
    (tmp_path / HEADER).write_text(json.dumps(json.loads((tmp_path / HEADER).read_text()) | change))
    with pytest.raises(BundleError, match=problem):
        read_header(tmp_path)


@pytest.mark.parametrize(("content", "problem"), [(b"{", "not JSON"), (b"[]", "format"), (b"{}", "format")])
def test_a_file_that_is_no_header_is_refused(tmp_path: Path, content: bytes, problem: str) -> None:
    with pytest.raises(BundleError, match=r"cannot be read \(No such file"):
        read_header(tmp_path)
    (tmp_path / HEADER).write_bytes(content)
    with pytest.raises(BundleError, match=problem):
        read_header(tmp_path)


def test_arrays_are_read_as_they_were_written(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    write_arrays(tmp_path, arrays | {"x": np.asfortranarray(arrays["x"])})
    found = read_arrays(tmp_path, KINDS)
    assert found.keys() == arrays.keys()
    for name, array in arrays.items():
        assert np.array_equal(found[name], array)
        assert found[name].dtype == array.dtype


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"x": np.zeros((3, 3))}, r"x is float64 of shape \(3, 3\) \(allowed: float64 of shape \(2, any\)\)"),
        ({"x": np.zeros(2)}, r"x is float64 of shape \(2,\)"),
        ({"x": np.zeros((2, 3), np.float32)}, "x is float32"),
        ({"n": np.zeros(2, np.int64)}, "n is int64"),
        ({"x": np.array([[0.0, np.nan], [0.0, 0.0]])}, "x holds a NaN or an infinity"),
        ({"x": np.array([[0.0, np.inf], [0.0, 0.0]])}, "x holds a NaN or an infinity"),
        ({"y": np.zeros(1)}, r"holds n, x, y \(allowed: n, x\)"),
    ],
)
def test_arrays_that_are_not_what_they_have_to_be_are_refused(
    tmp_path: Path, arrays: dict[str, np.ndarray], change: dict[str, np.ndarray], problem: str
) -> None:
    write_arrays(tmp_path, arrays | change)
    with pytest.raises(BundleError, match=problem) as caught:
        read_arrays(tmp_path, KINDS)
    assert str(caught.value).startswith(str(tmp_path / ARRAYS))


def test_infinity_is_allowed_where_it_is_said(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    write_arrays(tmp_path, arrays | {"x": np.full((2, 1), np.inf)})
    free = KINDS | {"x": ArrayKind("float64", (2, None), finite=False)}
    assert np.isinf(read_arrays(tmp_path, free)["x"]).all()


def test_a_damaged_file_is_refused(tmp_path: Path, arrays: dict[str, np.ndarray]) -> None:
    with pytest.raises(BundleError, match="cannot be read"):
        read_arrays(tmp_path, KINDS)
    write_arrays(tmp_path, arrays)
    (tmp_path / ARRAYS).write_bytes((tmp_path / ARRAYS).read_bytes()[:-1])
    with pytest.raises(BundleError, match="is not a whole safetensors file"):
        read_arrays(tmp_path, KINDS)
    assert str(refused(tmp_path, "contradicts itself")).startswith(f"{tmp_path / ARRAYS}: contradicts itself")
