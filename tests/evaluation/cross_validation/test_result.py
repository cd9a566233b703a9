from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest

from tocco.errors import InputError
from tocco.evaluation.cross_validation.result import CrossValidationResult


def assert_same(a: CrossValidationResult, b: CrossValidationResult) -> None:
    for field in dataclasses.fields(a):
        x, y = getattr(a, field.name), getattr(b, field.name)
        if isinstance(x, np.ndarray):
            assert x.dtype == y.dtype
            np.testing.assert_array_equal(x, y)
        elif isinstance(x, dict):
            assert list(x) == list(y)
            for key in x:
                np.testing.assert_array_equal(x[key], y[key])
        else:
            assert x == y


def test_round_trip_through_files(small_result, tmp_path: Path):
    path = tmp_path / "run.v1" / "cross_validation"
    small_result.save(path)
    assert_same(small_result, CrossValidationResult.load(path))
    assert sorted(p.name for p in path.parent.iterdir()) == ["cross_validation.json", "cross_validation.npz"]
    first = [p.read_bytes() for p in sorted(path.parent.iterdir())]
    small_result.save(path)
    assert first == [p.read_bytes() for p in sorted(path.parent.iterdir())]


def test_a_subset_keeps_rows_together(small_result):
    part = small_result.subset(small_result.performers == "player3")
    assert len(part) == 24
    assert part.segment_ids[1] == "take008"
    np.testing.assert_array_equal(part.labels[1], small_result.labels[8])
    np.testing.assert_array_equal(part.predictions["poor"][1], small_result.predictions["poor"][8])
    np.testing.assert_array_equal(part.sd["good"][1], small_result.sd["good"][8])


def replaced(result, what, system, row, column, value):
    table = getattr(result, what)[system].copy()
    table[row, column] = value
    return dataclasses.replace(result, **{what: {**getattr(result, what), system: table}})


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: {"names": r.names[:3]}, r"labels have shape \(120, 4\), must be \(120, 3\)"),
        (lambda r: {"fold": r.fold[1:]}, r"fold have shape \(119,\)"),
        (lambda r: {"names": ("phrasing",) * 4}, "names repeat"),
        (lambda r: {"segment_ids": np.full(120, "x")}, "segment_ids repeat"),
        (lambda r: {"clusters": r.clusters.astype(object)}, "clusters must be a numpy array of str"),
        (lambda r: {"performers": r.performers.tolist()}, "performers must be a numpy array of str"),
        (lambda r: {"labels": r.labels / 100}, "multiply them by 100"),
        (lambda r: {"sd": {"other": r.sd["good"]}}, r"sd of systems without predictions: \['other'\]"),
        (lambda r: {"predictions": {"good": r.labels[:9]}}, r"prediction of good has shape \(9, 4\)"),
    ],
)
def test_what_does_not_fit_together_is_refused(small_result, change, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(small_result, **change(small_result))


def test_a_label_without_prediction_is_named(small_result):
    with pytest.raises(
        ValueError, match="prediction of poor is nan for phrasing of take003, which has a label"
    ):
        replaced(small_result, "predictions", "poor", 3, 1, np.nan)
    with pytest.raises(ValueError, match="sd of good is inf for pedal_clean_blurred of take003"):
        replaced(small_result, "sd", "good", 3, 3, np.inf)
    replaced(small_result, "predictions", "poor", 7, 1, np.nan)  # no label there
    apart = dataclasses.replace(small_result, fold=np.where(np.arange(120) == 3, -1, small_result.fold))
    replaced(apart, "predictions", "poor", 3, 1, np.nan)  # took no part


def test_files_that_are_missing_or_do_not_belong_together(small_result, tmp_path: Path):
    with pytest.raises(InputError, match=r"has no readable \.npz and \.json"):
        CrossValidationResult.load(tmp_path / "none")
    path = tmp_path / "result"
    small_result.save(path)
    index = tmp_path / "result.json"
    text = index.read_text()
    index.write_text(text.replace('"poor",', '"poor", "ridge",'))
    with pytest.raises(InputError, match=r"is no cross-validation result .*predictions_3"):
        CrossValidationResult.load(path)
    index.write_text(text)
    whole = (tmp_path / "result.npz").read_bytes()
    (tmp_path / "result.npz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(InputError, match="is no cross-validation result"):
        CrossValidationResult.load(path)
