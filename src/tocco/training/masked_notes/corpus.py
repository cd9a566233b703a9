"""Performances with hidden notes: split by piece, prepared once, read in batches.

Every performance has one cached file with each of its windows, asked `len(spans)` times. Only the places of
the questions are in memory.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from tocco.cache import ArraysInFile, cached_arrays, content_key
from tocco.data.records import LabelRecord
from tocco.errors import InputError, ToccoError
from tocco.files import read_names, sha256_of
from tocco.training.config import ExperimentConfig
from tocco.training.masked_notes.questions import Hiding, Question, question_arrays
from tocco.units import IntArray

_USUAL_VALIDATION = 0.15


class Parts(NamedTuple):
    """Performances by what they are for; no piece is in two of them."""

    training: list[LabelRecord]
    validation: list[LabelRecord]
    held_out: list[LabelRecord]


@dataclass(frozen=True)
class Asked:
    """The questions of one performance.

    Attributes
    ----------
    segment_id
    path : the cached file; None where the performance cannot be used
    bounds : (Q, 2) rows of its arrays, in the order window, hiding
    refusal : why it cannot be used; "" where it can
    """

    segment_id: str
    path: Path | None
    bounds: IntArray
    refusal: str = ""


class Batch(NamedTuple):
    """Questions, padded at the end.

    Attributes
    ----------
    shown, answer : (B, L, 8) Octuple
    note_features : (B, L, F), NaN = missing
    mask : (B, L) True = a note
    """

    shown: Tensor
    note_features: Tensor
    mask: Tensor
    answer: Tensor


def divide(records: Sequence[LabelRecord], config: ExperimentConfig) -> Parts:
    """Divide performances by piece: `data.val_split` of the training pieces choose the best epoch.

    Raises
    ------
    InputError
        A list of pieces cannot be read, or no performance is left for a part.
    """
    masking, seed = config.masking, config.training.seed
    usable = _at_most(
        [r for r in records if r.piece_id not in masking.left_out_pieces], masking.performances_per_piece
    )
    every = {r.piece_id for r in usable}
    held_out = _listed(masking.held_out_pieces) or _drawn(every, config.data.test_split, [seed, 1])
    training = every if masking.pieces is None else _listed(masking.pieces)
    training = (
        training | {r.piece_id for r in usable if r.source in masking.whole_sources}
    ) & every - held_out
    validation = _drawn(training, config.data.val_split or _USUAL_VALIDATION, seed)
    sides = (training - validation, validation, held_out)
    parts = Parts(*([r for r in usable if r.piece_id in side] for side in sides))
    for name, part in parts._asdict().items():
        if not part:
            raise InputError(
                "masking",
                f"leaves no performance for {name}",
                next_step="give more pieces, or other --labels",
            )
    return parts


def _listed(path: str | None) -> set[str]:
    return set() if path is None else set(read_names(Path(path)))


def _drawn(pieces: set[str], share: float, seed: int | list[int]) -> set[str]:
    order = np.random.default_rng(seed).permutation(len(pieces))
    names = sorted(pieces)
    return {names[i] for i in order[: round(share * len(names))]}


def _at_most(records: Sequence[LabelRecord], n: int) -> list[LabelRecord]:
    """The first performances of every piece, by their id."""
    count: dict[str, int] = {}
    kept = []
    for record in sorted(records, key=lambda each: each.segment_id):
        count[record.piece_id] = count.get(record.piece_id, 0) + 1
        if count[record.piece_id] <= n:
            kept.append(record)
    return kept


def prepare_questions(record: LabelRecord, config: ExperimentConfig, cache_dir: Path) -> Asked:
    """Hide notes in every window of a performance; later runs read the cached file."""
    cache_dir.mkdir(parents=True, exist_ok=True)
    files = [f for f in (record.midi_path, record.score_path) if f is not None]
    hiding = Hiding(
        config.data.window_sec,
        config.data.score_dropout,
        config.masking.mask_share,
        config.masking.spans,
        config.training.seed,
    )
    span = (record.start_time, record.end_time)
    key = content_key(question_arrays.__module__, record.segment_id, span, hiding, *map(sha256_of, files))
    path = cache_dir / f"{record.segment_id}-{key}.safetensors"
    try:
        arrays = cached_arrays(path, lambda: question_arrays(record, hiding))
    except ToccoError as error:
        return Asked(record.segment_id, None, np.zeros((0, 2), dtype=np.int64), str(error))
    return Asked(record.segment_id, path, arrays.array("bounds"))


def batches(
    asked: Sequence[Asked], hiding: int, n_hidings: int, size: int, order: np.random.Generator | None = None
) -> Iterator[list[tuple[int, int]]]:
    """Batches of questions of one hiding, of similar length: (performance, question) each.

    Parameters
    ----------
    asked
    hiding : 0..n_hidings-1
    n_hidings
    size : questions in a batch
    order
        Of training; None for all questions in their own order.
    """
    places = [(i, q) for i, one in enumerate(asked) for q in range(hiding, len(one.bounds), n_hidings)]
    if order is None:
        yield from (places[i : i + size] for i in range(0, len(places), size))
        return
    length = [int(np.diff(asked[i].bounds[q])[0]) for i, q in places]
    shuffled = order.permutation(len(places))
    groups = []
    for start in range(0, len(places), 16 * size):
        near = sorted(shuffled[start : start + 16 * size], key=lambda place: length[place])
        groups += [near[i : i + size] for i in range(0, len(near), size)]
    for i in order.permutation(len(groups)):
        yield [places[place] for place in groups[i]]


def read_batch(asked: Sequence[Asked], places: Sequence[tuple[int, int]]) -> Batch:
    """Read and pad the questions of a batch."""
    rows = [read_question(asked[i], q) for i, q in places]
    longest = max(len(row.shown) for row in rows)

    def padded(name: str, fill: float) -> Tensor:
        arrays = [torch.from_numpy(np.array(getattr(row, name))) for row in rows]
        out = arrays[0].new_full((len(rows), longest, arrays[0].shape[1]), fill)
        for place, array in zip(out, arrays, strict=True):
            place[: len(array)] = array
        return out

    length = torch.tensor([len(row.shown) for row in rows])
    mask = torch.arange(longest) < length[:, None]
    return Batch(
        padded("shown", 0).long(), padded("note_features", float("nan")), mask, padded("answer", 0).long()
    )


def read_question(asked: Asked, number: int) -> Question:
    """One question of a performance."""
    start, stop = (int(b) for b in asked.bounds[number])
    arrays = _file(asked.path)
    return Question(*(arrays.part(name, start, stop) for name in ("shown", "note_features", "answer")))


@functools.lru_cache(maxsize=64)
def _file(path: Path) -> ArraysInFile:
    return ArraysInFile(path)
