"""Note by note: each written note finds its key stroke, at most one each."""

from __future__ import annotations

import numpy as np

from tocco.units import FloatArray, IntArray

_SWAP_SHARE = 0.5
"""A stroke that is left over takes a note from another if it is at most half as far from its due time."""

_FAR_SHARE = 0.9
"""How much of a match's worth is lost at the edge of the tolerance."""


def match_by_pitch(
    expected_sec: FloatArray,
    written_pitch: IntArray,
    early_sec: FloatArray,
    late_sec: FloatArray,
    onset_sec: FloatArray,
    played_pitch: IntArray,
) -> IntArray:
    """The best one-to-one matching that keeps the order of notes on the same key.

    Parameters
    ----------
    expected_sec : (S,) seconds
        When each written note is due.
    written_pitch : (S,)
    early_sec, late_sec : (S,) seconds, > 0
        How much earlier and later than due a note may be struck.
    onset_sec : (N,) seconds
    played_pitch : (N,)

    Returns
    -------
    (K, 2) index into the written, index into the played notes; ascending by the first
    """
    if len(expected_sec) == 0 or len(onset_sec) == 0:
        return np.zeros((0, 2), dtype=np.int64)
    # All keys in one sequence: each key has a stretch of the time line to itself.
    low = min(expected_sec.min(), onset_sec.min()) - early_sec.max()
    high = max(expected_sec.max(), onset_sec.max()) + late_sec.max()
    due = (expected_sec - low) + written_pitch * (high - low) * 2
    struck = (onset_sec - low) + played_pitch * (high - low) * 2
    written_order, played_order = np.argsort(due, kind="stable"), np.argsort(struck, kind="stable")
    due, struck = due[written_order], struck[played_order]
    early, late = early_sec[written_order], late_sec[written_order]
    first = np.maximum.accumulate(np.searchsorted(struck, due - early, side="left"))
    stop = np.maximum.accumulate(np.searchsorted(struck, due + late, side="right"))
    wanted = np.zeros(len(struck) + 1, dtype=np.int64)
    np.add.at(wanted, first, 1)
    np.add.at(wanted, stop, -1)
    wanted = np.cumsum(wanted)[:-1]
    alone = (stop - first == 1) & (wanted[np.minimum(first, len(struck) - 1)] == 1)
    contested = np.flatnonzero((stop > first) & ~alone)
    certain = np.column_stack([np.flatnonzero(alone), first[alone]])
    found = np.concatenate([certain, _ordered_matching(contested, due, early, late, struck, first, stop)])
    found = np.column_stack([written_order[found[:, 0]], played_order[found[:, 1]]])
    return found[np.argsort(found[:, 0], kind="stable")]


def _ordered_matching(
    rows: IntArray,
    due: FloatArray,
    early: FloatArray,
    late: FloatArray,
    struck: FloatArray,
    first: IntArray,
    stop: IntArray,
) -> IntArray:
    """Dynamic programme over written notes (rows), each against the few strokes in its reach."""
    pairs: list[tuple[int, int]] = []
    start = 0
    rows_list = rows.tolist()
    for end in range(1, len(rows_list) + 1):
        if end < len(rows_list) and first[rows_list[end]] < stop[rows_list[end - 1]]:
            continue
        pairs.extend(_match_cluster(rows_list[start:end], due, early, late, struck, first, stop))
        start = end
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _match_cluster(
    rows: list[int],
    due: FloatArray,
    early: FloatArray,
    late: FloatArray,
    struck: FloatArray,
    first: IntArray,
    stop: IntArray,
) -> list[tuple[int, int]]:
    """Match one cluster of notes on one key whose reaches overlap."""
    tables: list[FloatArray] = []
    worths: list[FloatArray] = []
    total = np.zeros(1)
    total_first = int(first[rows[0]])
    for row in rows:
        low, high = int(first[row]), int(stop[row])
        # total[j] is the best worth using strokes before total_first + j, of the rows so far
        needed = high - total_first + 1
        if needed > len(total):
            total = np.concatenate([total, np.full(needed - len(total), total[-1])])
        total, total_first = total[low - total_first :], low
        offset = struck[low:high] - due[row]
        distance = np.where(offset < 0, offset / early[row], offset / late[row])
        worth = 1.0 - _FAR_SHARE * distance**2
        tables.append(total)
        worths.append(worth)
        taken = total.copy()
        np.maximum(taken[1 : high - low + 1], total[: high - low] + worth, out=taken[1 : high - low + 1])
        total = np.maximum.accumulate(taken)
    pairs = []
    at = total_first + len(total) - 1
    for row, table, worth in zip(reversed(rows), reversed(tables), reversed(worths), strict=True):
        low = int(first[row])
        at = min(at, low + len(table) - 1)
        here = at - low
        # Best choice for this row among strokes before `at`: leave it, or take stroke j.
        n = min(here, len(worth))
        if n > 0:
            gain = table[:n] + worth[:n]
            best = int(np.argmax(gain))
            if gain[best] > table[here]:
                pairs.append((row, low + best))
                at = low + best
    return pairs[::-1]


def settle_repeated_keys(
    match: IntArray, due_sec: FloatArray, written_pitch: IntArray, onset_sec: FloatArray, left_over: IntArray
) -> IntArray:
    """Give a note to the stroke that its neighbours' time speaks for, where two strokes fit.

    A wrong note may sound like the next written one, take its place, and pull the clock after it; the
    right stroke is then left over. Told by the clock of the other notes, it is the nearer one.

    Parameters
    ----------
    match : (K, 2) index into the written, index into the played notes
    due_sec : (S,) seconds
        When each written note is due by the notes around it, without its own match.
    written_pitch : (S,)
    onset_sec : (N,) seconds
    left_over : (I, 2) index into the played notes, pitch
        Strokes without a note.

    Returns
    -------
    (K, 2) in the order of `match`
    """
    settled = match.copy()
    for stroke, pitch in left_over.tolist():
        rows = np.flatnonzero(written_pitch[settled[:, 0]] == pitch)
        if not len(rows):
            continue
        due = due_sec[settled[rows, 0]]
        offered = np.abs(onset_sec[stroke] - due)
        taken = np.abs(onset_sec[settled[rows, 1]] - due)
        better = np.flatnonzero(offered < _SWAP_SHARE * taken)
        if len(better):
            row = rows[better[np.argmin(offered[better])]]
            settled[row, 1] = stroke
    return settled
