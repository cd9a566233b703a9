"""Articulation: planted lengths come out as logarithms of the share that was held."""

from __future__ import annotations

import numpy as np
import pytest
from rater_etude import BEAT_SEC, play, study_score

from tocco.pseudo_labels.articulation_quality import (
    FREE_LONG_LOG,
    FREE_SHORT_LOG,
    STACCATO_SHARE,
    measure_articulation_quality,
)
from tocco.pseudo_labels.evidence import NO_AUDIO, NO_SCORE, Evidence
from tocco.units import FloatArray

SCORE = study_score()
UPPER = SCORE.staff == 1


def values(given: Evidence, span_sec: tuple[float, float] | None = None) -> dict[str, float]:
    return {name: c.value for name, c in measure_articulation_quality(given, span_sec).components.items()}


def held(share: FloatArray | float) -> Evidence:
    return Evidence(*play(SCORE, held=share))


def test_as_written_is_neither_short_nor_long() -> None:
    label = measure_articulation_quality(held(1.0))
    got = {name: c.value for name, c in label.components.items()}
    assert got["cut_short"] == pytest.approx(0.0, abs=1e-3)
    assert got["held_over"] == 0.0
    assert got["inconsistency"] == pytest.approx(0.0, abs=1e-9)
    assert label.missing["attack_clarity"] == NO_AUDIO
    assert label.missing["staccato_contrast"].startswith("fewer than three notes")


@pytest.mark.parametrize("share", [0.6, 0.5, 0.25])
def test_cut_short_is_the_logarithm_of_what_is_held(share: float) -> None:
    got = values(held(share))
    assert got["cut_short"] == pytest.approx(-np.log(share) - FREE_SHORT_LOG, abs=0.06)
    assert got["held_over"] == 0.0


@pytest.mark.parametrize("share", [1.3, 1.8])
def test_held_over_is_the_logarithm_of_what_is_held(share: float) -> None:
    got = values(held(share))
    assert got["held_over"] == pytest.approx(np.log(share) - FREE_LONG_LOG, abs=0.03)
    assert got["cut_short"] == 0.0


def test_unlike_neighbours_are_inconsistent() -> None:
    """Every other upper note at 60 %: a change of log(.6) from each upper note to the next."""
    share = np.where(UPPER & (np.round(2 * SCORE.onset_beat) % 2 == 1), 0.6, 1.0)
    assert values(held(share))["inconsistency"] == pytest.approx(-np.log(0.6), abs=0.02)


def test_staccato_is_no_cut_and_legato_staccato_is_held_over() -> None:
    signs = study_score("staccato")
    short = np.where(UPPER, STACCATO_SHARE, 1.0)
    crisp = values(Evidence(*play(signs, held=short)))
    broad = values(Evidence(*play(signs, held=1.0)))
    assert crisp["cut_short"] == pytest.approx(0.0, abs=1e-3)
    assert crisp["staccato_contrast"] == pytest.approx(np.log(2.0), abs=0.05)
    assert broad["staccato_contrast"] == pytest.approx(0.0, abs=0.02)
    assert broad["held_over"] == pytest.approx((np.log(2.0) - FREE_LONG_LOG) / 2.0, abs=0.03)


def test_lengths_follow_the_local_tempo() -> None:
    slowing = play(SCORE, sec_of_beat=lambda beat: BEAT_SEC * (beat + beat**2 / 100.0), held=0.6)
    assert values(Evidence(*slowing))["cut_short"] == pytest.approx(-np.log(0.6) - FREE_SHORT_LOG, abs=0.05)


def test_jitter_hardly_moves_it(rng: np.random.Generator) -> None:
    performance = play(SCORE, held=0.6, late_sec=rng.normal(0.0, 0.02, len(SCORE)))
    assert values(Evidence(*performance))["cut_short"] == pytest.approx(
        -np.log(0.6) - FREE_SHORT_LOG, abs=0.05
    )


def test_keys_held_through_a_hesitation_do_not_count() -> None:
    wait = np.where(SCORE.onset_beat >= 10.0, 1.5, 0.0)
    score = study_score()
    share = np.where((SCORE.onset_beat >= 9.0) & (SCORE.onset_beat < 10.0), 4.0, 0.9)
    got = values(Evidence(*play(score, late_sec=wait, held=share)))
    assert got["held_over"] < 0.05


def test_the_worst_notes_are_named() -> None:
    share = np.ones(len(SCORE))
    share[(SCORE.onset_beat == 12.5) & UPPER] = 0.2
    label = measure_articulation_quality(held(share))
    assert [c.kind for c in label.causes] == ["cut short"]
    assert label.causes[0].text.startswith("bar 4, beat 1.5: ")
    assert label.causes[0].text.endswith("is cut short (22 % of its written length)")


def test_spans_differ() -> None:
    share = np.where(SCORE.onset_beat < 32.0, 1.0, 0.5)
    given = held(share)
    assert values(given, (1.0, 11.0))["cut_short"] < 0.01
    assert values(given, (24.0, 34.0))["cut_short"] == pytest.approx(np.log(2.0) - FREE_SHORT_LOG, abs=0.05)


def test_without_a_score_only_the_overlap_is_told() -> None:
    performance, _ = play(SCORE, held=0.9)
    label = measure_articulation_quality(Evidence(performance))
    assert set(label.components) == {"overlap"}
    assert label.missing["cut_short"] == NO_SCORE
    assert label.confidence == 0.0
