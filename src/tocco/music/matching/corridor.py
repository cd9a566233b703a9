"""A rough idea, found cheaply, of where in the score the player may be at each moment.

Performance and score are cut into blocks of equally many notes, and blocks are compared by their pitches.
A block of music that was played takes as many notes as it has in the score, whatever the tempo, so the
way through the table of blocks is close to a diagonal, but for jumps. Every place that a nearly best way
visits stays open for the exact search. The number of blocks is bounded, so a long piece has long blocks
and not a large table.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from tocco.music.matching.chords import N_PITCHES, OnsetGroups, PlayedNotes, WrittenNotes
from tocco.units import FloatArray, IntArray

_BLOCK_NOTES = 24
_MAX_BLOCKS = 800
_HOPS_PER_BLOCK = 2

_STRAY_COST = 0.12
"""For each half block that the player is ahead of or behind the note count."""

_JUMP_COST = 1.5
"""In blocks of perfect agreement."""

_KEEP_WITHIN = 1.2
"""A place stays open if the best way through it is worse than the best by no more than this."""

_MARGIN_BLOCKS = 2


@dataclass(frozen=True, eq=False)
class Corridor:
    """The onset groups that stay open for each block of played notes.

    Attributes
    ----------
    first_note : (B + 1,) index into the performance, where each block starts
    open_groups : for each block, (W,) indices of onset groups, ascending
        Some of them are open in the next block, too.
    """

    first_note: IntArray
    open_groups: tuple[IntArray, ...]


def find_corridor(written: WrittenNotes, groups: OnsetGroups, played: PlayedNotes) -> Corridor:
    """The places of the score worth searching for each block of the performance.

    Parameters
    ----------
    written, groups : the score
    played : at least one note
    """
    most = max(len(written), len(played))
    block_notes = max(_BLOCK_NOTES, -(-most // _MAX_BLOCKS))
    hop = block_notes // _HOPS_PER_BLOCK
    first_played = np.arange(0, len(played), block_notes)
    first_written = np.arange(0, len(written), hop)
    similarity = _block_similarity(written, played, first_written, first_played, block_notes)
    is_open = _nearly_best(similarity)
    margin = _MARGIN_BLOCKS * _HOPS_PER_BLOCK
    columns = []
    for block in range(len(first_played)):
        near = is_open[max(block - 1, 0) : block + 2].any(axis=0)
        columns.append(_groups_of_hops(np.flatnonzero(near), margin, first_written, hop, groups))
    return Corridor(np.append(first_played, len(played)), tuple(columns))


def _block_similarity(
    written: WrittenNotes,
    played: PlayedNotes,
    first_written: IntArray,
    first_played: IntArray,
    block_notes: int,
) -> FloatArray:
    """(B, H) cosine of the pitch contents of blocks, common pitches counting for less."""
    page = _pitch_counts(written.pitch, first_written, block_notes)
    keys = _pitch_counts(played.pitch, first_played, block_notes)
    rarity = np.log1p(len(page) / (1.0 + (page > 0).sum(axis=0)))
    page, keys = np.sqrt(page) * rarity, np.sqrt(keys) * rarity
    page /= np.maximum(np.linalg.norm(page, axis=1, keepdims=True), 1e-9)
    keys /= np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), 1e-9)
    return keys @ page.T


def _pitch_counts(pitch: IntArray, first: IntArray, block_notes: int) -> FloatArray:
    """(B, 128) how often each pitch occurs in the block that starts at each given note."""
    total = np.zeros((len(pitch) + 1, N_PITCHES), dtype=np.int32)
    total[np.arange(1, len(pitch) + 1), pitch] = 1
    np.cumsum(total, axis=0, out=total)
    return (total[np.minimum(first + block_notes, len(pitch))] - total[first]).astype(float)


def _nearly_best(similarity: FloatArray) -> np.ndarray:
    """(B, H) the places whose best way through, before and after, is close to the best of all."""
    before = _best_until(similarity)
    after = _best_until(similarity[::-1, ::-1])[::-1, ::-1]
    through = before + after - similarity
    return through >= through.max() - _KEEP_WITHIN


def _best_until(similarity: FloatArray) -> FloatArray:
    """(B, H) worth of the best way that ends at each place."""
    n_blocks, n_hops = similarity.shape
    best = np.empty_like(similarity)
    best[0] = similarity[0]
    for block in range(1, n_blocks):
        last = best[block - 1]
        come = np.full(n_hops, last.max() - _JUMP_COST)
        for ahead in range(min(2 * _HOPS_PER_BLOCK + 2, n_hops)):
            cost = _STRAY_COST * abs(ahead - _HOPS_PER_BLOCK)
            np.maximum(come[ahead:], last[: n_hops - ahead] - cost, out=come[ahead:])
        best[block] = come + similarity[block]
    return best


def _groups_of_hops(
    hops: IntArray, margin: int, first_written: IntArray, hop: int, groups: OnsetGroups
) -> IntArray:
    """Onset groups within a margin of the given places, ascending, each once."""
    n_notes = int(groups.first_note[-1])
    low = groups.group_of[np.maximum(first_written[hops] - margin * hop, 0)]
    high = (
        groups.group_of[np.minimum(first_written[hops] + (margin + _HOPS_PER_BLOCK) * hop, n_notes - 1)] + 1
    )
    change = np.zeros(len(groups) + 1, dtype=np.int64)
    np.add.at(change, low, 1)
    np.add.at(change, high, -1)
    return np.flatnonzero(np.cumsum(change[:-1]) > 0)
