"""Playing that is no music, and mechanical renderings."""

from __future__ import annotations

import numpy as np
import pytest

from corruption_etude import BEAT_SEC, etude
from tocco.evaluation.validity.made_up import FLAT_VELOCITY, NO_MUSIC, mechanical, performance_of


@pytest.mark.parametrize("name", NO_MUSIC)
def test_it_is_a_valid_performance_of_24_seconds(name: str) -> None:
    played = NO_MUSIC[name](np.random.default_rng(3))
    assert played.duration_sec == pytest.approx(24.0, abs=1.0)
    assert np.all(played.offset_sec > played.onset_sec)
    assert played.pitch.min() >= 21
    assert played.pitch.max() <= 108
    for key in np.unique(played.pitch):
        one = played.pitch == key
        assert np.all(played.onset_sec[one][1:] >= played.offset_sec[one][:-1])


def test_fast_is_fifty_notes_a_second_at_one_velocity() -> None:
    played = NO_MUSIC["fast"](np.random.default_rng(3))
    assert len(played) == 1200
    assert len(np.unique(played.velocity)) == 1


def test_random_notes_are_six_a_second_over_the_keyboard() -> None:
    played = NO_MUSIC["random"](np.random.default_rng(3))
    assert len(played) == pytest.approx(144, abs=3)
    assert np.std(played.pitch) > 20


def test_a_mechanical_rendering_is_strict_flat_and_complete() -> None:
    _, alignment = etude()
    rendered = mechanical(alignment, 8.0, 24.0)
    score = alignment.score
    written = (score.onset_beat >= 8.0) & (score.onset_beat < 24.0)
    assert len(rendered) == written.sum()
    assert np.allclose(rendered.onset_sec, (score.onset_beat[written] - 8.0) * BEAT_SEC, atol=1e-6)
    assert np.array_equal(np.unique(rendered.velocity), [FLAT_VELOCITY])
    assert len(rendered.sustain) == 0
    length = rendered.offset_sec - rendered.onset_sec
    assert np.allclose(length, 0.97 * BEAT_SEC * score.duration_beat[written], atol=1e-6)


def test_equal_strikes_of_a_key_are_one() -> None:
    played = performance_of(
        np.array([0.0, 0.0, 1.0]), np.array([2.0, 1.0, 1.5]), np.array([60, 60, 60]), np.array([64, 64, 64])
    )
    assert played.onset_sec.tolist() == [0.0, 1.0]
    assert played.offset_sec.tolist() == [1.0, 1.5]
