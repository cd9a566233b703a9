"""Each limit, what follows beyond it, and the words that are used."""

from __future__ import annotations

from typing import Any

import pytest

from quality_sounds import likely, measures
from tocco.audio.quality.bounds import MusicBounds
from tocco.audio.quality.findings import findings_of, heard
from tocco.audio.quality.levels import Hum
from tocco.audio.quality.thresholds import THRESHOLDS
from tocco.audio.quality.tuning import Tuning

LIMITS: dict[str, tuple[float, bool, str]] = {
    "not_a_piano": (0.20, False, "refuse"),
    "other_keyboard": (0.50, True, "warn"),
    "unsure_instrument": (0.60, False, "warn"),
    "singing_along": (0.45, True, "warn"),
    "other_instrument": (0.45, True, "warn"),
    "speech": (0.10, True, "warn"),
    "clipped_at_full_scale": (1e-3, True, "abstain"),
    "cut_peaks": (4e-3, True, "abstain"),
    "telephone_band": (4_800.0, False, "abstain"),
    "narrow_band": (7_000.0, False, "warn"),
    "noisy": (15.0, False, "warn"),
    "drowned_in_noise": (10.0, False, "abstain"),
    "level_without_range": (4.0, False, "abstain"),
    "hum": (-25.0, True, "warn"),
    "reverberant": (0.75, True, "warn"),
    "dropouts": (1.0, True, "warn"),
    "off_pitch": (12.0, True, "warn"),
    "soft": (-45.0, False, "warn"),
    "little_music": (3.0, False, "warn"),
}


def with_value(name: str, value: float) -> dict[str, Any]:
    """What to change so that the measure of a threshold has a value."""
    return {
        "not_a_piano": {"probability": likely(piano=value)},
        "unsure_instrument": {"probability": likely(piano=value)},
        "other_keyboard": {"probability": likely(keyboard=value, piano=1.0 - value)},
        "singing_along": {"probability": likely(sung=value, piano=1.0 - value)},
        "other_instrument": {"probability": likely(played=value, piano=1.0 - value)},
        "speech": {"speech_share": value},
        "clipped_at_full_scale": {"clipped_fraction": value},
        "cut_peaks": {"crowding": value},
        "telephone_band": {"bandwidth_hz": value},
        "narrow_band": {"bandwidth_hz": value},
        "noisy": {"snr_db": value},
        "drowned_in_noise": {"snr_db": value},
        "level_without_range": {"range_db": value},
        "hum": {"hum": Hum(50, value)},
        "reverberant": {"decay_sec": value},
        # a whole number of gaps in as long as it takes
        "dropouts": {"n_dropouts": 1, "duration_sec": 60.0 / value},
        "off_pitch": {"tuning": Tuning(-value, 0.9)},
        "soft": {"rms_dbfs": value},
        "little_music": {"bounds": MusicBounds(1.0, 1.0 + value)},
    }[name]


def names(**changed: Any) -> list[str]:
    return [one.name for one in findings_of(measures(**changed))]


def test_every_threshold_is_in_the_list_of_this_test() -> None:
    assert set(THRESHOLDS) == set(LIMITS)


@pytest.mark.parametrize("name", LIMITS)
def test_a_limit_lies_where_it_is_stated_to_a_tenth(name: str) -> None:
    limit, is_upper, consequence = LIMITS[name]
    above, below = limit + 0.1 * abs(limit), limit - 0.1 * abs(limit)
    beyond, within = (above, below) if is_upper else (below, above)
    assert name in names(**with_value(name, beyond))
    assert name not in names(**with_value(name, within))
    (found,) = (one for one in findings_of(measures(**with_value(name, beyond))) if one.name == name)
    assert found.consequence == consequence
    assert found.value == pytest.approx(beyond)


def test_a_faultless_recording_of_a_piano_gives_no_finding() -> None:
    assert findings_of(measures()) == ()


@pytest.mark.parametrize(
    ("changed", "dimensions"),
    [
        ({"crowding": 0.02}, {"dynamics_control"}),
        ({"clipped_fraction": 0.01}, {"dynamics_control"}),
        ({"range_db": 2.0}, {"dynamics_control"}),
        ({"bandwidth_hz": 3_900.0}, {"tone_quality"}),
        ({"snr_db": 6.0}, {"dynamics_control", "tone_quality"}),
        ({"snr_db": 12.0}, set()),
    ],
)
def test_what_is_not_rated(changed: dict[str, Any], dimensions: set[str]) -> None:
    found = findings_of(measures(**changed))
    assert {name for one in found for name in one.dimensions} == dimensions


def test_the_stronger_finding_of_a_matter_stands_alone() -> None:
    assert names(probability=likely(held=0.9, piano=0.1)) == ["not_a_piano"]
    assert names(bandwidth_hz=4_000.0) == ["telephone_band"]
    assert names(snr_db=5.0) == ["drowned_in_noise"]
    assert names(crowding=0.1, clipped_fraction=0.1) == ["clipped_at_full_scale"]


def test_refusals_come_first_then_what_is_not_rated() -> None:
    found = findings_of(measures(speech_share=0.5, crowding=0.1, probability=likely(band=0.9)))
    assert [one.consequence for one in found] == ["refuse", "abstain", "warn"]


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"probability": likely(band=0.9)}, "several instruments with drums or bass"),
        ({"probability": likely(plucked=0.8)}, "a plucked or struck instrument"),
        ({"probability": likely(held=0.8)}, "an instrument or voices with held notes"),
        ({"bounds": None, "speech_share": 0.8, "probability": likely(held=0.8)}, "speech"),
        ({"bounds": None, "probability": likely(applause=0.8)}, "applause"),
        ({"bounds": None, "flags": ("silent",)}, "silence"),
        ({"bounds": None, "probability": None}, "silence"),
    ],
)
def test_what_is_heard_in_words(changed: dict[str, Any], words: str) -> None:
    assert heard(measures(**changed)).startswith(words)


def test_nothing_is_refused_for_what_is_not_known() -> None:
    assert names(probability=None, snr_db=None, decay_sec=None) == []


def test_no_bounds_means_no_music() -> None:
    (found, *_) = findings_of(measures(bounds=None, speech_share=0.9))
    assert (found.name, found.consequence) == ("no_music", "refuse")
    assert found.sentence == "holds no music: speech"


def test_a_tuning_that_fits_nothing_is_not_stated() -> None:
    assert names(tuning=Tuning(40.0, 0.35)) == ["off_pitch"]
    assert names(tuning=Tuning(40.0, 0.25)) == []


def test_the_tuning_is_given_in_cents_and_hertz() -> None:
    (found,) = findings_of(measures(tuning=Tuning(-18.0, 0.9)))
    assert "18 cents below A = 440 Hz (A = 435 Hz" in found.sentence


def test_faults_of_channels_are_said() -> None:
    assert names(flags=("dead_channel",)) == ["dead_channel"]
    assert names(flags=("out_of_phase",)) == ["out_of_phase"]
