"""Cross-validation splits, and checks that no music is in both training and test.

A segment can be in a data set twice: cut longer, cut again at a repeat, or under another id. A model that was
trained on one copy must not be tested on the other.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import FloatArray, IntArray

if TYPE_CHECKING:
    from scipy import sparse

Protocol = Literal["cv4_cluster", "cv4_performer", "leave_one_work_out"]
Barrier = Literal["cluster", "performer", "piece", "work", "content"]
Fold = tuple[IntArray, IntArray]
"""(train, test): indices into the records, ascending."""

BARRIERS: Mapping[Protocol, tuple[Barrier, ...]] = {
    "cv4_cluster": ("cluster", "content"),
    "cv4_performer": ("performer", "content"),
    "leave_one_work_out": ("work", "cluster", "content"),
}
"""What training and test of a protocol may not have in common."""

GRAM_NOTES: Final = 8
"""Notes in one n-gram of a fingerprint."""

IOI_STEP_SEC: Final = 0.02
"""Grid of the inter-onset intervals."""

NEAR_DUPLICATE_SHARE: Final = 0.15
"""Minimum share of n-grams for two segments to count as one take.

On PercePiano, overlapping cuts of one take share 0.2 to 1.0 of the shorter one's n-grams, and two
pianists playing the same bars at most 0.06.
"""

_FIELDS: Mapping[str, str] = {
    "cluster": "cluster_id",
    "performer": "performer_id",
    "piece": "piece_id",
    "work": "work_id",
}
# An odd multiplier with well-mixed bits (Knuth's, 2^64 / golden ratio) spreads the hash over 64 bits.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def fold_indices(
    records: Sequence[LabelRecord], protocol: Protocol, *, as_published: bool = False
) -> list[Fold]:
    """Train and test indices of every fold.

    Parameters
    ----------
    records
    protocol
        "cv4_cluster" tests new music, "cv4_performer" a new pianist, "leave_one_work_out" a new work.
    as_published
        Test score renderings in "cv4_performer" too, as the published split does. That leaks: only for
        comparison with published results.

    Returns
    -------
    list of (train, test)
        In order of the fold's number, or of the work's name. No segment is tested twice. A segment
        with fold -1 is in neither part. A score rendering, which has no pianist, is used only for training in
        "cv4_performer".

    Raises
    ------
    InputError
        The protocol is unknown, a record does not state its fold, or there are fewer than two folds.
    """
    if protocol not in BARRIERS:
        raise InputError("protocol", f"is {protocol!r}", allowed=", ".join(BARRIERS))
    if protocol == "leave_one_work_out":
        works = [field_of(record, "work") for record in records]
        key_of = np.array([sorted(set(works)).index(work) for work in works], dtype=np.int64)
    else:
        key_of = np.array([_fold(record, protocol) for record in records], dtype=np.int64)
    keys = [key for key in np.unique(key_of) if key >= 0]
    if len(keys) < 2:
        raise InputError(protocol, f"has {len(keys)} folds in these records", allowed="two or more")
    # The same score rendering has several ids: as a "new pianist" it would be in training and test.
    only_trains = protocol == "cv4_performer" and not as_published
    never_tested = np.array([only_trains and record.is_score_rendering for record in records])
    return [
        (
            np.flatnonzero((key_of >= 0) & ((key_of != key) | never_tested)),
            np.flatnonzero((key_of == key) & ~never_tested),
        )
        for key in keys
    ]


def checked_folds(
    records: Sequence[LabelRecord], protocol: Protocol, *, prints: Mapping[str, IntArray] | None = None
) -> list[Fold]:
    """The folds of a protocol, each checked for leaks.

    Parameters
    ----------
    records
    protocol
    prints
        Fingerprints by segment_id, where they are known already; else every MIDI is read.

    Raises
    ------
    InputError
        As `fold_indices`, or a fold leaks.
    """
    folds = fold_indices(records, protocol)
    prints = fingerprints(records) if prints is None else prints
    for train, test in folds:
        assert_disjoint(
            [records[i] for i in train], [records[i] for i in test], by=BARRIERS[protocol], prints=prints
        )
    return folds


def assert_disjoint(
    train: Sequence[LabelRecord],
    test: Sequence[LabelRecord],
    *,
    by: Iterable[Barrier] = ("cluster", "content"),
    prints: Mapping[str, IntArray] | None = None,
) -> None:
    """Refuse a split with common ids or common music in training and test.

    Parameters
    ----------
    train, test
    by
        "cluster", "performer", "piece" and "work" compare ids; "content" compares the notes that were played,
        and finds copies and overlapping cuts of one take whatever their ids.
    prints
        Fingerprints by segment_id, if already computed.

    Raises
    ------
    InputError
        Names the first pair, or the segment without the compared field.
    """
    for barrier in by:
        if barrier == "content":
            _assert_other_notes(train, test, fingerprints([*train, *test]) if prints is None else prints)
            continue
        first = {field_of(record, barrier): record.segment_id for record in reversed(train)}
        for record in test:
            shared = field_of(record, barrier)
            if shared in first:
                raise _leak(first[shared], record.segment_id, f"share the {barrier} {shared!r}")


def inner_split(
    records: Sequence[LabelRecord],
    train: IntArray,
    fraction: float,
    generator: np.random.Generator,
    *,
    by: Literal["cluster", "performer", "work"] = "cluster",
) -> Fold:
    """Split off a part of the training data, for choosing settings without the test data.

    Whole clusters are drawn until the part is as close to the fraction as possible.

    Parameters
    ----------
    records
    train : (N,) indices into the records
    fraction : 0 < fraction < 1
        Share of the training segments to split off.
    generator
    by
        Unit of the draw.

    Returns
    -------
    (inner train, validation) : indices into the records, ascending, neither empty
    """
    if not 0.0 < fraction < 1.0:
        raise InputError("fraction", f"is {fraction}", allowed="more than 0 and less than 1")
    group_of = np.array([field_of(records[i], by) for i in train])
    groups, sizes = np.unique(group_of, return_counts=True)
    if len(groups) < 2:
        raise InputError("inner split", f"has {len(groups)} groups by {by}", allowed="two or more")
    order = generator.permutation(len(groups))
    drawn = np.concatenate([[0], np.cumsum(sizes[order])])
    # Neither part may be empty: at least one group is drawn and at least one is left.
    n_groups = 1 + int(np.argmin(np.abs(drawn[1:-1] - fraction * len(train))))
    apart = np.isin(group_of, groups[order[:n_groups]])
    return np.sort(train[~apart]), np.sort(train[apart])


def split_hash(records: Sequence[LabelRecord], folds: Iterable[Fold]) -> str:
    """SHA-256 of the training and test segments of each fold, independent of the order of the records."""
    digest = hashlib.sha256()
    for train, test in folds:
        _hash_sides(digest, records, {"train": train, "test": test})
    return digest.hexdigest()


def partition_hash(records: Sequence[LabelRecord], parts: Mapping[str, IntArray]) -> str:
    """SHA-256 of the segments of each named part, independent of the order of the records."""
    digest = hashlib.sha256()
    _hash_sides(digest, records, parts)
    return digest.hexdigest()


def fingerprints(records: Iterable[LabelRecord]) -> dict[str, IntArray]:
    """Segment_id -> fingerprint of the notes played in the segment.

    Raises
    ------
    InputError
        A record has no MIDI, so that its notes cannot be compared.
    """
    prints: dict[str, IntArray] = {}
    for record in records:
        if record.midi_path is None:
            raise InputError(
                record.segment_id,
                "has no MIDI, so its notes cannot be compared with other segments'",
                next_step="give its midi_path, or leave 'content' out of the comparison",
            )
        prints[record.segment_id] = record_fingerprint(record, load_midi(record.midi_path))
    return prints


def record_fingerprint(record: LabelRecord, performance: Performance) -> IntArray:
    """(G,) `fingerprint` of the segment that a record rates, of its whole performance."""
    end_sec = np.inf if record.end_time is None else record.end_time
    return fingerprint(performance, record.start_time, end_sec)


def fingerprint(performance: Performance, start_sec: float = 0.0, end_sec: float = np.inf) -> IntArray:
    """Fingerprint of a take: runs of pitches with inter-onset intervals, which other takes do not share.

    Parameters
    ----------
    performance
    start_sec, end_sec : seconds
        Range of the onsets, end excluded.

    Returns
    -------
    (G,) uint64, ascending, distinct
        Hashes of runs of `GRAM_NOTES` notes, independent of the start of the segment. A segment with
        fewer notes has one run, of all its notes.
    """
    inside = (performance.onset_sec >= start_sec) & (performance.onset_sec < end_sec)
    onset_sec: FloatArray = performance.onset_sec[inside]
    pitch = performance.pitch[inside]
    if len(onset_sec) == 0:
        return np.zeros(0, dtype=np.uint64)
    n = min(GRAM_NOTES, len(onset_sec))
    step = np.rint(np.diff(onset_sec) / IOI_STEP_SEC).astype(np.uint64)
    pitch_runs = np.lib.stride_tricks.sliding_window_view(pitch.astype(np.uint64), n)
    step_runs = (
        np.lib.stride_tricks.sliding_window_view(step, n - 1) if n > 1 else np.zeros((1, 0), np.uint64)
    )
    symbols = np.concatenate([pitch_runs, step_runs + np.uint64(128)], axis=1)
    hashed = np.zeros(len(symbols), dtype=np.uint64)
    for column in symbols.T:
        hashed = (hashed ^ column) * _MULTIPLIER
        hashed ^= hashed >> np.uint64(29)
    return np.unique(hashed)


def _assert_other_notes(
    train: Sequence[LabelRecord], test: Sequence[LabelRecord], prints: Mapping[str, IntArray]
) -> None:
    sides = [[prints[record.segment_id] for record in side] for side in (train, test)]
    sizes = [np.array([len(grams) for grams in side], dtype=float) for side in sides]
    if not sum(map(len, sides[0])) or not sum(map(len, sides[1])):
        return
    vocabulary = np.unique(np.concatenate([grams for side in sides for grams in side]))
    ours, theirs = (_incidence(side, vocabulary) for side in sides)
    shared = (ours @ theirs.T).tocoo()
    share = shared.data / np.minimum(sizes[0][shared.row], sizes[1][shared.col])
    if not len(share) or share.max() < NEAR_DUPLICATE_SHARE:
        return
    worst = int(np.argmax(share))
    raise _leak(
        train[shared.row[worst]].segment_id,
        test[shared.col[worst]].segment_id,
        f"share {100 * share[worst]:.0f} % of their note runs",
    )


def _incidence(side: Sequence[IntArray], vocabulary: IntArray) -> sparse.csr_array:
    """(segments, n-grams) 1 where the segment contains the n-gram."""
    from scipy import sparse

    columns = np.searchsorted(vocabulary, np.concatenate(list(side)))
    starts = np.concatenate([[0], np.cumsum([len(grams) for grams in side])])
    ones = np.ones(len(columns), dtype=np.int64)
    return sparse.csr_array((ones, columns, starts), shape=(len(side), len(vocabulary)))


def _hash_sides(digest: Any, records: Sequence[LabelRecord], sides: Mapping[str, IntArray]) -> None:
    for side, indices in sides.items():
        ids = sorted(records[i].segment_id for i in indices)
        digest.update("\n".join([side, *ids, ""]).encode())


def _leak(train_id: str, test_id: str, why: str) -> InputError:
    return InputError(
        "split",
        f"leaks: {train_id!r} (train) and {test_id!r} (test) {why}",
        next_step="put both into the same part",
    )


def field_of(record: LabelRecord, barrier: Barrier) -> str:
    """The id that a barrier compares.

    Raises
    ------
    InputError
        The record does not state it.
    """
    value = getattr(record, _FIELDS[barrier])
    if value is None:
        raise InputError(record.segment_id, f"has no {_FIELDS[barrier]}, which the split needs")
    return value


def _fold(record: LabelRecord, protocol: str) -> int:
    if protocol not in record.folds:
        raise InputError(
            record.segment_id, f"has no fold {protocol!r}", next_step="import the data set again"
        )
    return record.folds[protocol]
