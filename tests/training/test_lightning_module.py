"""The Lightning module by itself: loaded from a checkpoint, called with recordings and their notes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from corpus import performance, sound
from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError, MismatchError
from tocco.music.octuple import BeatGrid, encode_octuple_midi
from tocco.rubrics import TARGETS
from tocco.training.checkpoint_file import network_state, read_checkpoint
from tocco.training.lightning_module import PerformanceEvaluationModel


@pytest.fixture(scope="module")
def model(whole: Path) -> PerformanceEvaluationModel:
    return PerformanceEvaluationModel.load_from_checkpoint(whole / "best.ckpt")


def take(velocity: float = 60.0):
    return performance(np.random.default_rng(3), velocity=velocity, jitter_sec=0.004)


def tokens_of(played) -> np.ndarray:
    return encode_octuple_midi(played, BeatGrid.regular(0.5, played.duration_sec)).token


def test_a_checkpoint_is_loaded_with_its_averaged_weights_and_settings(
    model: PerformanceEvaluationModel, whole: Path
) -> None:
    given = network_state(read_checkpoint(whole / "best.ckpt"))
    assert all(torch.equal(value, given[name]) for name, value in model.network.state_dict().items())
    assert not model.training
    assert model.labelled == ("dynamics_control", "phrasing", "timbre_soft_loud")
    assert (model.warmup_steps, model.scheduler, model.variance_weight) == (5, "cosine", 0.1)
    again = PerformanceEvaluationModel.load_from_checkpoint(str(whole / "last.ckpt"), map_location="cpu")
    assert again.device.type == "cpu"
    with pytest.raises(InputError, match="no such checkpoint"):
        PerformanceEvaluationModel.load_from_checkpoint(whole / "none.ckpt")


def test_a_recording_and_its_notes_are_rated_as_in_a_batch(model: PerformanceEvaluationModel) -> None:
    played = take()
    with torch.inference_mode():
        one = model(torch.from_numpy(sound(played)), played)
        two = model(np.stack([sound(played)] * 2), [played, played])
    assert one.rating.shape == (1, len(TARGETS))
    assert ((one.rating > 0) & (one.rating < 100)).all()
    torch.testing.assert_close(two.rating, one.rating.expand(2, -1), atol=1e-3, rtol=0)


def test_tokens_stand_for_the_performance_they_were_made_of(model: PerformanceEvaluationModel) -> None:
    played = take()
    tokens = torch.from_numpy(tokens_of(played))
    padded = torch.cat([tokens, torch.zeros(5, 8, dtype=torch.int64)])[None]
    with torch.inference_mode():
        by_notes = model(sound(played), played).rating
        by_tokens = model(sound(played), tokens).rating
        by_padded = model(sound(played)[None], padded).rating
    torch.testing.assert_close(by_tokens, by_padded)
    labelled = [TARGETS.index(name) for name in model.labelled]
    # Onsets on a grid of 20 ms and no pedal: the statistics move, and with them the ratings a little.
    assert (by_tokens - by_notes)[0, labelled].abs().max() < 10.0


def test_a_waveform_that_is_softer_is_rated_by_its_level_alone(model: PerformanceEvaluationModel) -> None:
    played = take()
    with torch.inference_mode():
        loud, soft = (model(gain * sound(played), played).rating for gain in (1.0, 0.1))
    assert not torch.equal(loud, soft)
    assert (loud - soft).abs().max() < 5.0


@pytest.mark.parametrize(
    ("audio", "midi", "message"),
    [
        (np.zeros((2, 4800)), take(), "has 2 rows, midi 1"),
        (np.zeros((1, 0)), take(), r"has the shape \(1, 0\)"),
        (np.ones(4800), torch.zeros(3, 7, dtype=torch.int64), r"midi: is torch.int64 of the shape \(3, 7\)"),
        (np.ones(4800), torch.zeros(3, 8), "midi: is torch.float32"),
        (np.ones(4800), torch.ones(3, 8, dtype=torch.int64), "stands for no value"),
    ],
)
def test_pairs_that_are_none_are_refused(model, audio, midi, message: str) -> None:
    with pytest.raises((InputError, MismatchError), match=message):
        model(audio, midi)


def test_a_waveform_without_notes_is_refused(model: PerformanceEvaluationModel) -> None:
    with pytest.raises(TypeError, match="needs the notes"):
        model(np.ones(4800))


def test_batches_are_taken_as_before(
    model: PerformanceEvaluationModel, records: list[PreparedRecord]
) -> None:
    from tocco.data.batching import collate_windows

    batch = collate_windows([record.windows[0].inputs(use_score=True) for record in records[:2]])
    with torch.inference_mode():
        assert torch.equal(model(batch).rating, model.network(batch).rating)
