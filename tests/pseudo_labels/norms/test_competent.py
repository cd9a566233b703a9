"""What is usual in competent playing."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from competent_example import competent
from tocco.pseudo_labels.norms.competent import PlaceRates, competent_playing
from tocco.pseudo_labels.raters.registry import RATERS


def test_a_place_is_as_rare_as_those_that_are_as_large() -> None:
    usual = competent()
    assert usual.per_minute("rhythmic_precision", "late", 0.95) == pytest.approx(1 / 100)
    assert usual.per_minute("rhythmic_precision", "late", 0.55) == pytest.approx(5 / 100)
    assert usual.per_minute("rhythmic_precision", "late", 0.6) == pytest.approx(5 / 100)


def test_the_largest_counts_as_one_and_the_smallest_as_all() -> None:
    usual = competent()
    assert usual.per_minute("rhythmic_precision", "late", 7.0) == pytest.approx(1 / 100)
    assert usual.per_minute("rhythmic_precision", "late", 0.01) == pytest.approx(400 / 100)
    assert usual.per_minute("pedaling_technique", "hole", 1.0) == pytest.approx(50 / 100)


def test_what_the_pool_has_not_is_not_known() -> None:
    assert competent().per_minute("rhythmic_precision", "early", 1.0) is None
    assert competent().per_minute("tone_quality", "voicing", 1.0) is None
    assert competent().usual("tone_quality", "voicing_lead", 60.0) is None


@pytest.mark.parametrize(
    ("lasts_sec", "low"), [(14.9, None), (15.0, 15.0), (29.9, 15.0), (30.0, 20.0), (900.0, 20.0)]
)
def test_ranges_are_those_of_music_as_long(lasts_sec: float, low: float | None) -> None:
    found = competent().usual("dynamics_control", "level_range", lasts_sec)
    assert (None if found is None else found.low) == low


@pytest.mark.parametrize(("n", "size"), [(3, (2.0, 1.0)), (1, (1.0, 2.0))])
def test_sizes_that_cannot_be_are_refused(n: int, size: tuple[float, ...]) -> None:
    with pytest.raises(ValidationError, match=r"does not ascend|of 1 places"):
        PlaceRates(n_places=n, size=size)


def test_the_one_that_ships_is_of_the_pool_and_knows_every_rated_measure_without_sound() -> None:
    usual = competent_playing()
    assert len(usual.pool.pieces) == usual.pool.n_performances == 104
    assert 400.0 < usual.minutes < 500.0
    for name, rater in RATERS.items():
        for kind in rater.scaled:
            for lasts_sec in (15.0, 30.0, 60.0, 120.0):
                found = usual.usual(name, kind.name, lasts_sec)
                assert (found is None) == (kind.needs == "audio"), kind.name
                if found is not None:
                    assert found.least <= found.low <= found.middle <= found.high <= found.most
    assert [ranges.from_sec for ranges in usual.lengths] == [15.0, 30.0, 60.0, 120.0]
    assert usual.per_minute("rhythmic_precision", "hesitation", 4.3) < 0.02  # pyright: ignore[reportOptionalOperand]
