"""Fit of the anchors: percentiles of planted windows, and too few are refused."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from damage_example import anchors
from rater_etude import play, study_score
from tocco.errors import InputError
from tocco.pseudo_labels.damage.catalogue import MEASURES
from tocco.pseudo_labels.fitting.damage import (
    FEWEST_WINDOWS,
    GOOD_PERCENTILE,
    MeasuredWindow,
    cut_window,
    draw_window,
    fit_anchors,
    measure_window,
)
from tocco.pseudo_labels.fitting.heavy_damage import HEAVY_DAMAGES
from tocco.pseudo_labels.observed.evidence import Evidence

SCORE = study_score()
POOL = anchors().pool


def windows(n: int) -> list[MeasuredWindow]:
    """Clean ones from 0 to .1, damaged ones from 1 to 2; of transcriptions ten times as much."""
    found = []
    for origin, scale in (("keys", 1.0), ("transcribed", 10.0)):
        for share in np.linspace(0.0, 1.0, n):
            for damage, value in (("", 0.1 * share), ("any", 1.0 + share)):
                found.append(MeasuredWindow(damage, origin, dict.fromkeys(MEASURES, scale * value)))  # type: ignore[arg-type]
    return found


def test_anchors_are_percentiles() -> None:
    fitted = fit_anchors(windows(101), POOL)
    for name, percent in GOOD_PERCENTILE.items():
        assert fitted.keys[name].good == pytest.approx(0.1 * percent / 100.0)
        assert fitted.keys[name].bad == pytest.approx(1.5)
        assert fitted.transcribed[name].bad == pytest.approx(15.0)
        assert (fitted.keys[name].n_good, fitted.keys[name].n_bad) == (101, 101)
        assert fitted.keys[name].good_percentile == percent
    assert set(GOOD_PERCENTILE) == set(MEASURES)


def test_too_few_windows_are_refused() -> None:
    fit_anchors(windows(FEWEST_WINDOWS), POOL)
    with pytest.raises(InputError, match="7 undamaged and 7 damaged windows"):
        fit_anchors(windows(FEWEST_WINDOWS - 1), POOL)


def test_a_window_is_twenty_five_seconds_of_the_music(rng: np.random.Generator) -> None:
    performance, alignment = play(SCORE)
    drawn = draw_window(performance, alignment, rng)
    assert drawn is not None
    cut, part = drawn
    assert cut.duration_sec == pytest.approx(25.0)
    assert len(part.match) == len(cut)


def test_windows_with_little_of_the_score_are_left_out(rng: np.random.Generator) -> None:
    performance, alignment = play(SCORE)
    few = performance.only(np.arange(29))
    assert draw_window(few, alignment.window(0.0, 1e4, np.arange(29)), rng) is None
    for share, is_drawn in ((0.55, False), (0.7, True)):
        matched = np.flatnonzero(np.arange(len(SCORE)) % 20 < 20 * share)
        part = replace(alignment, match=alignment.match[matched], confidence=alignment.confidence[matched])
        assert (draw_window(performance, part, rng) is not None) == is_drawn


def test_a_window_is_measured_clean_and_with_every_damage(rng: np.random.Generator) -> None:
    cut, part = cut_window(*play(SCORE), 2.0, 27.0)
    found = measure_window(cut, part, rng)
    of_keys = {window.damage: window for window in found if window.origin == "keys"}
    assert set(of_keys[""].values) == set(MEASURES)
    assert set(of_keys) >= set(HEAVY_DAMAGES) - {"drowned_pedal", ""}
    for name, window in of_keys.items():
        if name:
            assert set(window.values) <= set(HEAVY_DAMAGES[name].measures)
    assert {window.damage for window in found if window.origin == "transcribed"} >= {"", "wrong_notes"}


def test_the_evidence_of_a_cut_has_its_notes() -> None:
    cut, part = cut_window(*play(SCORE), 2.0, 27.0)
    assert Evidence(cut, part).written is not None
