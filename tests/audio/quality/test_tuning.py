"""Tuning in Hz."""

from __future__ import annotations

import pytest

from tocco.audio.quality.tuning import Tuning


def test_tuning_in_hertz() -> None:
    assert Tuning(0.0, 1.0).a4_hz == 440.0
    assert Tuning(-40.0, 1.0).a4_hz == pytest.approx(429.95, abs=0.01)


@pytest.mark.parametrize(("fit", "is_clear"), [(0.27, False), (0.29, False), (0.31, True), (0.33, True)])
def test_a_tuning_that_fits_badly_is_not_clear(fit: float, is_clear: bool) -> None:
    assert Tuning(10.0, fit).is_clear == is_clear
