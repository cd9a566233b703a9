from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy import stats

from tocco.errors import BundleError, OutputError
from tocco.inference.intervals import DimensionCalibration, IntervalCalibration

NAMES = ("phrasing", "musicality", "note_accuracy")


@pytest.fixture
def calibrated() -> IntervalCalibration:
    return IntervalCalibration(
        protocol="four folds",
        dimensions={
            "phrasing": DimensionCalibration(scale=1.5, n=240, coverage=0.9, width=20.0, reliability=0.7),
            "musicality": DimensionCalibration(scale=3.0, n=240),
        },
    )


def test_scales_follow_the_names_that_are_asked_for(calibrated):
    scale = calibrated.scale(["musicality", "note_accuracy", "phrasing"])
    assert np.array_equal(scale, [3.0, math.nan, 1.5], equal_nan=True)


def test_intervals_are_held_to_the_scale_and_missing_ones_are_nan(calibrated):
    fit = calibrated
    low, high = fit.interval(NAMES, [[50.0, 98.0, 50.0], [2.0, 50.0, 50.0]], np.full((2, 3), 5.0))
    s = fit.scale(NAMES)
    assert low[0, :2] == pytest.approx([50 - 5 * s[0], 98 - 5 * s[1]])
    assert high[0, :2] == pytest.approx([50 + 5 * s[0], 100.0])
    assert low[1, 0] == 0.0
    assert np.isnan(low[:, 2]).all()
    assert np.isnan(high[:, 2]).all()
    with pytest.raises(ValueError, match="must both end in 2 dimensions"):
        fit.interval(NAMES[:2], np.zeros(3), np.zeros(3))


def test_sigma_is_the_normal_sd_with_the_same_interval(calibrated):
    fit = calibrated
    sigma = fit.sigma(NAMES, np.array([5.0, 5.0, 5.0]))
    low, high = stats.norm.interval(0.9, 50.0, sigma[:2])
    got_low, got_high = fit.interval(NAMES, np.full(3, 50.0), np.full(3, 5.0))
    assert got_low[:2] == pytest.approx(low)
    assert got_high[:2] == pytest.approx(high)


def test_round_trip_through_a_file(calibrated, tmp_path: Path):
    fit = calibrated
    path = tmp_path / "calibration.json"
    fit.save(path)
    assert IntervalCalibration.load(path) == fit
    assert [p.name for p in tmp_path.iterdir()] == ["calibration.json"]
    first = path.read_bytes()
    fit.save(path)
    assert path.read_bytes() == first


def changed(path: Path, change) -> Path:
    content = json.loads(path.read_text())
    change(content)
    path.write_text(json.dumps(content))
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda c: c["dimensions"]["phrasing"].update(scale=0.0), "phrasing.scale: .*greater than 0"),
        (
            lambda c: c["dimensions"]["phrasing"].update(reliability=1.2),
            "reliability: .*less than or equal to 1",
        ),
        (
            lambda c: c["dimensions"]["phrasing"].update(sclae=1.0),
            "phrasing: .sclae. is unknown, did you mean .scale.",
        ),
        (lambda c: c.update(level=90), "level: .*less than 1"),
        (lambda c: c.update(schema_version=2), "schema_version: .*should be 1"),
        (lambda c: c.update(dimensions={}), "no dimension is calibrated"),
        (lambda c: c.pop("protocol"), "has no 'protocol'"),
    ],
)
def test_a_changed_file_is_refused_by_name(calibrated, tmp_path: Path, change, message):
    path = tmp_path / "calibration.json"
    calibrated.save(path)
    with pytest.raises(BundleError, match=message) as caught:
        IntervalCalibration.load(changed(path, change))
    assert str(caught.value).startswith(str(path))
    assert "Next: use the file as it was exported" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_missing_broken_and_unwritable_files(calibrated, tmp_path: Path):
    with pytest.raises(BundleError, match=r"cannot be read \(No such file"):
        IntervalCalibration.load(tmp_path / "none.json")
    broken = tmp_path / "broken.json"
    broken.write_bytes(b"\xff{")
    with pytest.raises(BundleError, match="is not text"):
        IntervalCalibration.load(broken)
    broken.write_bytes(b"{")
    with pytest.raises(BundleError, match="is not valid JSON"):
        IntervalCalibration.load(broken)
    with pytest.raises(OutputError, match="cannot be written"):
        calibrated.save(broken / "calibration.json")


def test_a_calibration_does_not_change():
    fit = IntervalCalibration(protocol="p", dimensions={"phrasing": DimensionCalibration(scale=1.0, n=9)})
    with pytest.raises(ValidationError, match="frozen"):
        fit.level = 0.5
    with pytest.raises(ValidationError, match="frozen"):
        fit.dimensions["phrasing"].scale = 2.0
