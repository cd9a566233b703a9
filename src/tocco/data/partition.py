"""Partition into training (70 %), validation (15 %) and test (15 %) without common music.

Segments are assigned in groups that must not be divided. As far as the groups allow, every part has its share
of every piece and of easy and difficult music.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Final, Literal, get_args

import numpy as np

from tocco.data.duplicates import Overlap, clusters, overlaps
from tocco.data.records import LabelRecord
from tocco.data.splits import (
    NEAR_DUPLICATE_SHARE,
    Barrier,
    assert_disjoint,
    field_of,
    fingerprints,
    partition_hash,
)
from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.music.midi import load_midi
from tocco.units import FloatArray, IntArray

Grouping = Literal["cluster", "performer", "piece", "both"]
"""Unit of the groups: overlapping music, a pianist, a piece, or both piece and pianist."""

PART_NAMES: Final = ("train", "validation", "test")

PART_SHARES: Final = (0.70, 0.15, 0.15)
"""Shares of the segments, in the order of `PART_NAMES`."""

PART_BARRIERS: Final[Mapping[Grouping, tuple[Barrier, ...]]] = {
    "cluster": ("cluster", "content"),
    "performer": ("performer", "content"),
    "piece": ("piece", "content"),
    "both": ("piece", "performer", "content"),
}
"""What no two parts may have in common."""

_LEFT_OUT = -1
_ORDERS = 64
_ORDER_NOISE = 0.5


@dataclass(frozen=True, eq=False)
class Partition:
    """Disjoint training, validation and test sets; verified when it is created.

    Attributes
    ----------
    train, validation, test : index into the records, ascending
    left_out : index into the records
        Empty except for "both" where pieces and pianists are crossed: a segment whose piece is in one part
        and whose pianist is in another belongs to neither.
    grouped_by, seed
        How it was drawn.
    sha256 : of the segment ids in each part, independent of the order of the records
    """

    train: IntArray
    validation: IntArray
    test: IntArray
    left_out: IntArray
    grouped_by: Grouping
    seed: int
    sha256: str

    def save(self, path: Path, records: Sequence[LabelRecord]) -> None:
        """Write the parts as JSON: segment ids, grouping, seed and hash."""
        ids = {
            name: sorted(records[i].segment_id for i in getattr(self, name))
            for name in (*PART_NAMES, "left_out")
        }
        content = {"grouped_by": self.grouped_by, "seed": self.seed, "sha256": self.sha256, **ids}
        write_bytes(path, (json.dumps(content, indent=1) + "\n").encode())


def partition(
    records: Sequence[LabelRecord],
    *,
    by: Grouping = "cluster",
    seed: int = 0,
    shares: tuple[float, float, float] = PART_SHARES,
) -> Partition:
    """Assign the segments to train, validation and test; the seed determines the result.

    Near-duplicates by note content stay together, whatever their ids.

    Parameters
    ----------
    records
        Each with a MIDI and with the ids that `by` needs. A score rendering has no pianist: where
        pianists are separated, it is used for training only.
    by
        "both" separates pieces and pianists. Where they are crossed (each pianist plays many pieces),
        segments that would connect two parts are left out.
    seed
    shares : three positive numbers that sum to 1

    Raises
    ------
    InputError
        A record lacks an id or its MIDI, the shares are invalid, or a part would be empty.
    """
    if by not in get_args(Grouping):
        raise InputError("by", f"is {by!r}", allowed=", ".join(get_args(Grouping)))
    if len(shares) != 3 or min(shares) <= 0 or abs(sum(shares) - 1.0) > 1e-9:
        raise InputError("shares", f"are {shares}", allowed="three positive numbers that sum to 1")
    prints = fingerprints(records)
    copies = overlaps(prints, NEAR_DUPLICATE_SHARE)
    part = _parts(records, by, copies, np.asarray(shares), seed)
    train, validation, test = (np.flatnonzero(part == k) for k in range(3))
    for name, indices in zip(PART_NAMES, (train, validation, test), strict=True):
        if not len(indices):
            raise InputError(
                "partition",
                f"would have an empty {name} part",
                allowed=f"three or more groups by {by}, none of them too large",
                next_step="group by a finer unit",
            )
    assert_parts_disjoint(records, (train, validation, test), by=PART_BARRIERS[by], prints=prints)
    return Partition(
        train=train,
        validation=validation,
        test=test,
        left_out=np.flatnonzero(part == _LEFT_OUT),
        grouped_by=by,
        seed=seed,
        sha256=partition_hash(records, dict(zip(PART_NAMES, (train, validation, test), strict=True))),
    )


def assert_parts_disjoint(
    records: Sequence[LabelRecord],
    parts: Sequence[IntArray],
    *,
    by: Sequence[Barrier],
    prints: Mapping[str, IntArray] | None = None,
) -> None:
    """Refuse parts with common music or pianists; see `assert_disjoint`."""
    known = fingerprints(records) if prints is None and "content" in by else prints
    pianists_apart = "performer" in by
    for first, second in combinations(parts, 2):
        sides = [[records[i] for i in side] for side in (first, second)]
        for barrier in by:
            # A score rendering has no pianist.
            compared = [
                [r for r in side if not (pianists_apart and barrier == "performer" and _has_no_pianist(r))]
                for side in sides
            ]
            assert_disjoint(*compared, by=[barrier], prints=known)


def notes_per_sec(record: LabelRecord) -> float:
    """Difficulty of a segment, estimated by its note density: onsets per second.

    Corpora state no difficulty. Playing speed is the first of the criteria of Sebastien et al.
    (ISMIR 2012), and can be computed from the performance alone.
    """
    if record.midi_path is None:
        raise InputError(record.segment_id, "has no MIDI to count notes in", next_step="give its midi_path")
    played = load_midi(record.midi_path)
    end_sec = played.duration_sec if record.end_time is None else record.end_time
    struck = np.count_nonzero((played.onset_sec >= record.start_time) & (played.onset_sec < end_sec))
    return float(struck / max(end_sec - record.start_time, 1e-3))


def terciles(value: FloatArray) -> IntArray:
    """(R,) 0 for the lowest third of the values, 1 for the middle, 2 for the highest.

    >>> terciles(np.array([9.0, 1.0, 5.0, 2.0, 6.0, 8.0])).tolist()
    [2, 0, 1, 0, 1, 2]
    """
    edges = np.quantile(value, [1 / 3, 2 / 3])
    return np.searchsorted(edges, value, side="right")


def _parts(
    records: Sequence[LabelRecord],
    by: Grouping,
    copies: Sequence[Overlap],
    shares: FloatArray,
    seed: int,
) -> IntArray:
    """(R,) part of each record, or `_LEFT_OUT`."""
    strata = _strata(records)
    draw = np.random.default_rng(seed)
    if by in ("cluster", "piece"):
        return assign_groups(_linked(records, (by,), copies), strata, shares, draw)
    part = np.zeros(len(records), dtype=np.int64)
    played = np.array([i for i, r in enumerate(records) if not _has_no_pianist(r)], dtype=np.int64)
    people = [records[i] for i in played]
    if by == "performer":
        part[played] = assign_groups(_linked(people, ("performer",), copies), strata[played], shares, draw)
        return part
    linked = _linked(people, ("piece", "performer"), copies)
    if np.unique(linked, return_counts=True)[1].max() <= min(shares) * len(people):
        part[played] = assign_groups(linked, strata[played], shares, draw)
    else:
        sides = [
            assign_groups(_linked(people, (field,), copies), strata[played], shares, draw)
            for field in ("piece", "performer")
        ]
        part[played] = np.where(sides[0] == sides[1], sides[0], _LEFT_OUT)
    held_out = {field_of(records[i], "piece") for i in played if part[i] in (1, 2)}
    for i, record in enumerate(records):
        if _has_no_pianist(record) and field_of(record, "piece") in held_out:
            part[i] = _LEFT_OUT
    return part


def assign_groups(
    group: IntArray, strata: IntArray, shares: FloatArray, draw: np.random.Generator
) -> IntArray:
    """Assign whole groups to parts, so that every part has its share of the segments and of every stratum.

    The greedy rule of scikit-learn's StratifiedGroupKFold (large groups first, each to the part that
    makes the strata most even), for parts of unequal size: unions of equal folds are impossible where
    there are fewer groups than folds. The most even result of several orders is used.

    Parameters
    ----------
    group : (R,) numbers of any kind
    strata : (R, F) numbers of any kind
        F stratifications of the segments, each with the same weight as the sizes of the parts.
    shares : (P,) sums to 1

    Returns
    -------
    (R,) 0..P-1
    """
    _, group = np.unique(group, return_inverse=True)
    kinds = _kinds(strata)
    counts = np.zeros((group.max() + 1, kinds.shape[1]))
    np.add.at(counts, group, kinds)
    wanted = np.outer(shares, counts.sum(axis=0))
    size = np.bincount(group).astype(float)
    best, least = np.zeros(len(counts), dtype=np.int64), np.inf
    for _ in range(_ORDERS):
        order = np.argsort(-size * np.exp(_ORDER_NOISE * draw.normal(size=len(size))), kind="stable")
        part_of = np.zeros(len(counts), dtype=np.int64)
        table = np.zeros_like(wanted)
        for g in order:
            # Chi-square against the wanted counts; only the terms that the group changes are computed.
            change = np.sum(counts[g] * (2.0 * (table - wanted) + counts[g]) / wanted, axis=1)
            part_of[g] = int(np.argmin(change))
            table[part_of[g]] += counts[g]
        cost = float(np.sum((table - wanted) ** 2 / wanted))
        if cost < least:
            best, least = part_of, cost
    return best[group]


def _kinds(strata: IntArray) -> FloatArray:
    """(R, 1 + all strata) a column of ones for the size, then one for each stratum of each stratification.

    The columns of one stratification together have the same weight as the first.
    """
    columns = [np.ones((len(strata), 1))]
    for stratum in strata.T:
        names, number = np.unique(stratum, return_inverse=True)
        columns.append(np.eye(len(names))[number] / len(names))
    return np.concatenate(columns, axis=1)


def _strata(records: Sequence[LabelRecord]) -> IntArray:
    """(R, 2) index of each record's piece, and tercile of its difficulty."""
    difficulty = terciles(np.array([notes_per_sec(record) for record in records]))
    piece = np.unique([record.piece_id for record in records], return_inverse=True)[1]
    return np.stack([piece, difficulty], axis=1)


def _linked(records: Sequence[LabelRecord], fields: Sequence[Barrier], copies: Sequence[Overlap]) -> IntArray:
    """(R,) index of the group: records with a common id or the same notes, directly or transitively."""
    ids = [record.segment_id for record in records]
    pairs: list[Overlap | tuple[str, str]] = [c for c in copies if {c.first, c.second} <= set(ids)]
    for field in fields:
        first: dict[str, str] = {}
        pairs += [(first.setdefault(field_of(r, field), r.segment_id), r.segment_id) for r in records]
    group = clusters(ids, pairs)
    return np.unique([group[name] for name in ids], return_inverse=True)[1]


def _has_no_pianist(record: LabelRecord) -> bool:
    return record.is_score_rendering
