"""The pipeline: what is drawn, how often, in which order, and what is said about it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from clicking_piano import clicking_performance, sounded
from tocco.audio import augmentation
from tocco.audio.augmentation import EFFECTS, AugmentationConfig, augment_pipeline
from tocco.audio.augmenting.effects import total_amounts
from tocco.music.label_rules import valid_labels
from tocco.rubrics import TARGETS
from tocco.units import SAMPLE_RATE_HZ

QUICK = ("gain_variation", "clip", "device_eq", "band_limit", "add_noise")


@pytest.fixture(scope="module")
def audio() -> np.ndarray:
    return sounded(clicking_performance())[:SAMPLE_RATE_HZ]


def test_at_most_three_effects_in_the_order_of_the_sound(audio: np.ndarray) -> None:
    config = AugmentationConfig()
    order = list(EFFECTS)
    counts = set()
    for seed in range(25):
        names = [
            effect.name for effect in augment_pipeline(audio, config, np.random.default_rng(seed)).applied
        ]
        assert names == sorted(names, key=order.index)
        assert len(set(names)) == len(names)
        counts.add(len(names))
    assert max(counts) == 3


def test_each_effect_comes_as_often_as_its_probability(audio: np.ndarray) -> None:
    config = AugmentationConfig.model_validate(
        {
            "most_effects": 12,
            **{name: {"probability": 0.0} for name in EFFECTS},
            "gain_variation": {"probability": 0.5},
            "clip": {"probability": 0.1},
        }
    )
    rng = np.random.default_rng(0)
    names = [e.name for _ in range(600) for e in augment_pipeline(audio[9_600:12_000], config, rng).applied]
    assert names.count("gain_variation") == pytest.approx(300, abs=4 * np.sqrt(600 * 0.25))
    assert names.count("clip") == pytest.approx(60, abs=4 * np.sqrt(600 * 0.09))
    assert set(names) == {"gain_variation", "clip"}


def test_where_too_many_coins_fall_all_are_as_likely(audio: np.ndarray) -> None:
    config = AugmentationConfig.only(*QUICK)
    rng = np.random.default_rng(0)
    names = [e.name for _ in range(200) for e in augment_pipeline(audio[9_600:12_000], config, rng).applied]
    assert len(names) == 3 * 200
    for name in QUICK:
        assert names.count(name) == pytest.approx(120, abs=4 * np.sqrt(200 * 0.24))


def test_no_effect_gives_the_recording_itself(audio: np.ndarray) -> None:
    heard = augment_pipeline(audio, AugmentationConfig.only(), np.random.default_rng(0))
    np.testing.assert_array_equal(heard.audio, audio)
    assert not np.shares_memory(heard.audio, audio)
    assert heard.applied == heard.refused == ()
    assert heard.time_map.is_identity
    assert heard.valid_labels == frozenset(TARGETS)
    assert heard.level_change_db == 0.0


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32))
def test_the_same_seed_gives_the_same_bytes(seed: int) -> None:
    piano = sounded(clicking_performance())[: SAMPLE_RATE_HZ // 2]
    one, other = (
        augment_pipeline(piano, AugmentationConfig(), np.random.default_rng(seed)) for _ in range(2)
    )
    assert one.audio.tobytes() == other.audio.tobytes()
    assert one.applied == other.applied


def test_the_record_survives_json(audio: np.ndarray) -> None:
    for seed in range(12):
        heard = augment_pipeline(audio, AugmentationConfig(), np.random.default_rng(seed))
        for effect in heard.applied:
            assert json.loads(json.dumps(effect.parameters)) == effect.parameters
            assert json.loads(json.dumps(effect.amounts)) == effect.amounts


def test_the_level_change_is_the_one_measured(audio: np.ndarray) -> None:
    heard = augment_pipeline(audio, AugmentationConfig.only("gain_variation"), np.random.default_rng(0))
    assert heard.level_change_db == pytest.approx(heard.applied[0].parameters["gain_db"], abs=1e-4)


def test_only_labels_that_every_effect_leaves_remain_valid(audio: np.ndarray) -> None:
    config = AugmentationConfig.only("pitch_shift", "time_stretch", "clip")
    heard = augment_pipeline(audio, config, np.random.default_rng(0))
    each = [valid_labels(effect.amounts) for effect in heard.applied]
    assert len(each) == 3
    assert heard.valid_labels <= frozenset.intersection(*each)


def test_amounts_of_a_chain() -> None:
    total = total_amounts([{"noise": -20.0, "room": 0.3}, {"noise": -20.0, "room": 1.0, "colour": 2.0}])
    assert total["noise"] == pytest.approx(-16.99, abs=0.01)
    assert total["room"] == 1.0
    assert total["colour"] == 2.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"pitch_shfit": {}}, "did you mean 'pitch_shift'"),
        ({"pitch_shift": {"semitones": [-3, 2]}}, "allowed is -2 to 2"),
        ({"time_stretch": {"rate": [1.1, 0.9]}}, "allowed is 0.85 to 1.15"),
        ({"add_noise": {"snr_db": [10, 40]}}, "allowed is 25 to 40"),
        ({"add_noise": {"snr_db": ["nan", 40]}}, "allowed is 25 to 40"),
        ({"room_acoustics": {"rooms": ["churhc"]}}, "did you mean 'church'"),
        ({"room_acoustics": {"rooms": []}}, "both empty"),
        ({"compress_audio": {"bitrates": [100]}}, "MP3 has no 100 kbit/s"),
        ({"compress_audio": {"bitrates": []}}, "is empty"),
        ({"clip": {"probability": 1.5}}, "less than or equal to 1"),
        ({"most_effects": -1}, "greater than or equal to 0"),
    ],
)
def test_a_wrong_config_is_refused(given: dict, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        AugmentationConfig.model_validate(given)


def test_every_effect_has_a_block_and_every_block_an_effect() -> None:
    assert list(EFFECTS) == [
        n for n in AugmentationConfig.model_fields if hasattr(getattr(AugmentationConfig(), n), "probability")
    ]
    assert AugmentationConfig().most_effects == 3


def test_every_public_name_is_there() -> None:
    for name in augmentation.__all__:
        assert hasattr(augmentation, name)


def test_nothing_heavy_is_loaded_at_import() -> None:
    code = "import sys, tocco.audio.augmentation; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "python_stretch", "fast_mp3_augment", "librosa"} & set(loaded.stdout.split())
