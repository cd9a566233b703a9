"""What is asked for beside the ratings: the calibration to a person, a marking scheme."""

from __future__ import annotations

from pathlib import Path

from tocco.files import assert_plain_file
from tocco.marking.apply import Marking
from tocco.marking.calibration import read_calibration
from tocco.marking.scheme import load_scheme


def read_marking(calibration: Path | None, rubric: str | None) -> Marking:
    """Read both, before anything heavy is loaded.

    Parameters
    ----------
    calibration : file that `tocco calibrate` wrote
    rubric : name of a marking scheme that ships, or a YAML file
    """
    if calibration is not None:
        assert_plain_file(calibration)
    return Marking(
        calibration=None if calibration is None else read_calibration(calibration),
        scheme=None if rubric is None else load_scheme(rubric),
    )
