"""How well hidden notes can be guessed without a network: by counting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from tocco.models.midi_encoder import FIRST_VALUE, MASK, PREDICTED_COLUMNS, TYPE
from tocco.training.masked_notes.corpus import Batch
from tocco.units import FloatArray, IntArray

_PRIOR_COUNT = 20.0
"""Weight of the frequencies of all notes beside those after one value of the note before."""


@dataclass(frozen=True, eq=False)
class CountedGuesses:
    """Frequencies of the values of one column in training.

    Attributes
    ----------
    unigram : (V,) probability of each value
    after : (V, V) probability of each value (column) after a value of the shown note before it (row)
    """

    unigram: FloatArray
    after: FloatArray


class Tally:
    """Sum over hidden notes of the cross-entropy, and count of the right first guesses."""

    def __init__(self) -> None:
        self.nats = self.right = 0.0
        self.n = 0

    def add(self, log_probability: Tensor, answer: Tensor) -> None:
        """Count guesses: (K, V) logarithms of probabilities against (K,) answers."""
        self.nats -= float(log_probability.gather(1, answer[:, None]).sum())
        self.right += float((log_probability.argmax(1) == answer).sum())
        self.n += len(answer)

    def figures(self) -> tuple[float, float]:
        """Mean cross-entropy in nats a note, and share of right first guesses."""
        return self.nats / self.n, self.right / self.n


def count(questions: Iterable[Batch], sizes: dict[str, int]) -> dict[str, CountedGuesses]:
    """Count the answers of training questions.

    Parameters
    ----------
    questions
    sizes : column -> size V of its vocabulary
    """
    pairs = {name: np.zeros((n, n)) for name, n in sizes.items()}
    for batch in questions:
        for name in sizes:
            before, answer = before_and_answer(batch, name)
            np.add.at(pairs[name], (before, answer), 1.0)
    return {name: _frequencies(table) for name, table in pairs.items()}


def _frequencies(pairs: FloatArray) -> CountedGuesses:
    total = pairs.sum(axis=0)
    total[FIRST_VALUE:] += 1.0
    unigram = total / total.sum()
    after = (pairs + _PRIOR_COUNT * unigram) / (pairs.sum(axis=1, keepdims=True) + _PRIOR_COUNT)
    return CountedGuesses(unigram, after)


def before_and_answer(batch: Batch, name: str) -> tuple[IntArray, IntArray]:
    """(K,), (K,) value of the last shown note before each hidden one (0 if none), and its own."""
    column = PREDICTED_COLUMNS[name]
    hidden = batch.shown[..., TYPE] == MASK
    known = (~hidden & batch.mask).long() * torch.arange(1, hidden.shape[1] + 1)
    last = known.cummax(dim=1).values
    padded = torch.nn.functional.pad(batch.shown[..., column], (1, 0))
    return padded.gather(1, last)[hidden].numpy(), batch.answer[..., column][hidden].numpy()


def measure_counted(
    questions: Iterable[Batch], counted: dict[str, CountedGuesses]
) -> dict[str, dict[str, tuple[float, float]]]:
    """Baseline -> column -> cross-entropy in nats and share of right guesses."""
    tallies = {kind: {name: Tally() for name in counted} for kind in ("unigram", "previous note")}
    for batch in questions:
        for name, guesses in counted.items():
            before, answer = before_and_answer(batch, name)
            unigram = np.tile(guesses.unigram, (len(answer), 1))
            rows = {"unigram": unigram, "previous note": guesses.after[before]}
            for kind, probability in rows.items():
                with np.errstate(divide="ignore"):
                    log = torch.from_numpy(np.log(probability))
                tallies[kind][name].add(log, torch.from_numpy(answer))
    return {kind: {name: each.figures() for name, each in one.items()} for kind, one in tallies.items()}
