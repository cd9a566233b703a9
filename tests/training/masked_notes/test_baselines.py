import numpy as np
import pytest
import torch

from tocco.models.midi_encoder import MASK, NOTE, PITCH, TYPE
from tocco.training.masked_notes.baselines import before_and_answer, count, measure_counted
from tocco.training.masked_notes.corpus import Batch

SIZES = {"pitch": 6}


def _batch(pitch: list[int], hidden: list[int]) -> Batch:
    answer = torch.full((1, len(pitch), 8), NOTE)
    answer[0, :, PITCH] = torch.tensor(pitch)
    shown = answer.clone()
    shown[0, hidden, PITCH] = MASK
    shown[0, hidden, TYPE] = MASK
    mask = torch.ones(1, len(pitch), dtype=torch.bool)
    return Batch(shown, torch.zeros(1, len(pitch), 0), mask, answer)


def test_the_note_before_is_the_last_shown_one():
    before, answer = before_and_answer(_batch([3, 4, 5, 2, 3], [0, 2, 3]), "pitch")
    assert before.tolist() == [0, 4, 4]
    assert answer.tolist() == [3, 5, 2]


def test_frequencies_are_those_of_training_with_one_added():
    counted = count([_batch([2, 3, 2, 3, 2, 5], [1, 3, 5])], SIZES)["pitch"]
    np.testing.assert_allclose(counted.unigram[2:], np.array([1, 3, 1, 2]) / 7)
    np.testing.assert_allclose(counted.after[2, 3], (2 + 20 * 3 / 7) / 23)
    np.testing.assert_allclose(counted.after.sum(axis=1), 1.0)


def test_cross_entropy_and_right_guesses():
    counted = count([_batch([2, 3, 2, 3, 2, 5], [1, 3, 5])], SIZES)
    figures = measure_counted([_batch([2, 3, 2, 5], [1, 3])], counted)
    nats, right = figures["unigram"]["pitch"]
    assert nats == pytest.approx(-(np.log(3 / 7) + np.log(2 / 7)) / 2)
    assert right == 0.5
    assert figures["previous note"]["pitch"][0] < nats
