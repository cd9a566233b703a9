"""A changed window: sound, notes and ratings still belong together."""

from pathlib import Path

import numpy as np
import pytest

from tocco.audio.augmentation import AugmentationConfig
from tocco.data.example_augmentation import TRANSCRIBER, ExampleAugmentation, augmented_window
from tocco.data.prepared import PreparedWindow, prepare_records
from tocco.data.records import read_labels
from tocco.music.octuple import COLUMNS

RATED = ("dynamics_control", "timbre_soft_loud", "phrasing", "timing_stable_unstable")


@pytest.fixture(scope="module")
def window(tiny_labels: Path, tmp_path_factory: pytest.TempPathFactory) -> PreparedWindow:
    cache = tmp_path_factory.mktemp("prepared")
    (record,) = prepare_records(read_labels(tiny_labels)[2:3], window_sec=6.0, overlap=0.5, cache_dir=cache)
    return record.windows[1]


def test_without_an_effect_the_inputs_are_the_cached_ones(
    window: PreparedWindow, rng: np.random.Generator
) -> None:
    nothing = ExampleAugmentation(enabled=True, transcriber_probability=0.0, audio=AugmentationConfig.only())
    for use_score in (True, False):
        changed = augmented_window(window, RATED, nothing, rng, use_score=use_score)
        kept = window.inputs(use_score=use_score)
        assert changed.effects == ()
        assert changed.valid_labels == set(RATED)
        np.testing.assert_array_equal(changed.inputs.waveform, kept.waveform)
        assert changed.inputs.level_db == pytest.approx(kept.level_db)
        for name in ("midi_tokens", "note_features", "note_time_sec", "statistics"):
            np.testing.assert_array_equal(
                getattr(changed.inputs.symbolic, name), getattr(kept.symbolic, name), err_msg=name
            )


def test_keys_follow_the_sound_to_another_pitch(window: PreparedWindow, rng: np.random.Generator) -> None:
    config = ExampleAugmentation(
        enabled=True, transcriber_probability=0.0, audio=AugmentationConfig.only("pitch_shift")
    )
    changed = augmented_window(window, RATED, config, rng, use_score=False)
    pitch = COLUMNS.index("pitch")
    before = window.without_score.midi_tokens[:, pitch]
    moved = np.unique(changed.inputs.symbolic.midi_tokens[:, pitch] - before)
    assert len(moved) == 1
    assert moved[0] in (-2, -1, 1, 2)
    assert changed.effects == ("pitch_shift",)


def test_notes_follow_the_sound_to_another_tempo(window: PreparedWindow, rng: np.random.Generator) -> None:
    config = ExampleAugmentation(
        enabled=True, transcriber_probability=0.0, audio=AugmentationConfig.only("time_stretch")
    )
    changed = augmented_window(window, RATED, config, rng, use_score=True)
    stretch = len(changed.inputs.waveform) / window.n_samples
    before = window.inputs(use_score=True).symbolic.note_time_sec
    np.testing.assert_allclose(changed.inputs.symbolic.note_time_sec, before * stretch, atol=0.01)
    assert "timing_stable_unstable" not in changed.valid_labels
    assert abs(stretch - 1.0) > 0.01


def test_a_transcriber_hears_other_times_but_the_same_sound(
    window: PreparedWindow, rng: np.random.Generator
) -> None:
    config = ExampleAugmentation(enabled=True, transcriber_probability=1.0, audio=AugmentationConfig.only())
    changed = augmented_window(window, RATED, config, rng, use_score=False)
    kept = window.inputs(use_score=False)
    assert changed.effects == (TRANSCRIBER,)
    np.testing.assert_array_equal(changed.inputs.waveform, kept.waveform)
    assert not np.array_equal(changed.inputs.symbolic.note_time_sec, kept.symbolic.note_time_sec)


def test_gain_enters_as_level_and_not_in_the_waveform(
    window: PreparedWindow, rng: np.random.Generator
) -> None:
    config = ExampleAugmentation(
        enabled=True, transcriber_probability=0.0, audio=AugmentationConfig.only("gain_variation")
    )
    changed = augmented_window(window, RATED, config, rng, use_score=False, level_shift_db=3.0)
    np.testing.assert_allclose(changed.inputs.waveform, window.inputs(use_score=False).waveform, atol=1e-5)
    assert 0.1 < abs(changed.inputs.level_db - window.level_db - 3.0) <= 6.0
