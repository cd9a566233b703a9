"""The aligners that the benchmark compares: ours, parangonar's DualDTW, and plain time warping."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from tocco.music.matching.chords import N_PITCHES, PlayedNotes, WrittenNotes, group_onsets
from tocco.music.matching.matcher import match_notes
from tocco.music.matching.tempo_map import TempoMap, map_through
from tocco.music.partitura_import import import_notation_library
from tocco.units import IntArray

_CHORD_SEC = 0.05
"""Plain time warping takes strokes closer than this as one chord."""

Aligner = Callable[[WrittenNotes, PlayedNotes], IntArray]


@dataclass(frozen=True, eq=False)
class Timed:
    """Matches and the processor time they took."""

    match: IntArray
    cpu_sec: float


def timed(align: Aligner, written: WrittenNotes, played: PlayedNotes) -> Timed:
    """Run an aligner once; processor time, because the machine may be shared."""
    begin = time.process_time()
    match = align(written, played)
    return Timed(match, time.process_time() - begin)


def peak_mib(align: Aligner, written: WrittenNotes, played: PlayedNotes) -> float:
    """Most memory that an aligner holds at a time, in MiB."""
    tracemalloc.start()
    align(written, played)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak / 2**20


def tocco(written: WrittenNotes, played: PlayedNotes) -> IntArray:
    """Ours."""
    result = match_notes(written, played)
    return np.zeros((0, 2), dtype=np.int64) if result is None else result.match


def dual_dtw(written: WrittenNotes, played: PlayedNotes) -> IntArray:
    """DualDTW (Peter, 2023) as parangonar ships it."""
    matchers = import_notation_library("parangonar.match.matchers")
    page = np.zeros(
        len(written),
        dtype=[
            ("onset_beat", "f8"),
            ("duration_beat", "f8"),
            ("pitch", "i8"),
            ("id", "U16"),
            ("is_grace", "?"),
        ],
    )
    page["onset_beat"], page["duration_beat"] = written.onset_beat, written.duration_beat
    page["pitch"], page["is_grace"] = written.pitch, written.is_grace
    page["id"] = np.arange(len(written)).astype(str)
    keys = np.zeros(
        len(played),
        dtype=[
            ("onset_sec", "f8"),
            ("duration_sec", "f8"),
            ("pitch", "i8"),
            ("velocity", "i8"),
            ("id", "U16"),
        ],
    )
    keys["onset_sec"], keys["duration_sec"] = played.onset_sec, played.offset_sec - played.onset_sec
    keys["pitch"], keys["velocity"] = played.pitch, played.velocity
    keys["id"] = np.arange(len(played)).astype(str)
    found = matchers.DualDTWNoteMatcher()(page, keys, process_ornaments=False)
    pairs = sorted((int(m["score_id"]), int(m["performance_id"])) for m in found if m["label"] == "match")
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def plain_dtw(written: WrittenNotes, played: PlayedNotes) -> IntArray:
    """Dynamic time warping of written chords against struck ones, then pitch by pitch along the way."""
    groups = group_onsets(written)
    chord_of = np.cumsum(np.diff(played.onset_sec, prepend=played.onset_sec[0]) > _CHORD_SEC)
    struck = np.zeros((int(chord_of[-1]) + 1, N_PITCHES), dtype=np.float32)
    struck[chord_of, played.pitch] = 1.0
    page = groups.holds_pitch.T.astype(np.float32)
    common = page @ struck.T
    cost = 1.0 - common / np.maximum(page.sum(axis=1)[:, None] + struck.sum(axis=1) - common, 1.0)
    match: list[tuple[int, int]] = []
    used_pages: set[int] = set()
    used_keys: set[int] = set()
    keys_of = np.searchsorted(chord_of, np.arange(len(struck) + 1))
    for group, chord in _warp(cost):
        for key in range(keys_of[chord], keys_of[chord + 1]):
            for note in range(groups.first_note[group], groups.first_note[group + 1]):
                same = written.pitch[note] == played.pitch[key]
                if same and note not in used_pages and key not in used_keys:
                    match.append((note, key))
                    used_pages.add(note)
                    used_keys.add(key)
    return np.array(sorted(match), dtype=np.int64).reshape(-1, 2)


def _warp(cost: np.ndarray) -> list[tuple[int, int]]:
    """The cheapest way through a full table of costs, by anti-diagonals."""
    n, m = cost.shape
    total = np.full((n + 1, m + 1), np.inf, dtype=np.float32)
    total[0, 0] = 0.0
    for diagonal in range(n + m - 1):
        i = np.arange(max(0, diagonal - m + 1), min(n, diagonal + 1))
        j = diagonal - i
        before = np.minimum(np.minimum(total[i, j], total[i, j + 1]), total[i + 1, j])
        total[i + 1, j + 1] = cost[i, j] + before
    way = [(n - 1, m - 1)]
    while way[-1] != (0, 0):
        i, j = way[-1]
        steps = ((i - 1, j - 1), (i - 1, j), (i, j - 1))
        way.append(min((s for s in steps if min(s) >= 0), key=lambda s: total[s[0] + 1, s[1] + 1]))
    return way[::-1]


def clock_of(written: WrittenNotes, played: PlayedNotes, match: IntArray) -> TempoMap | None:
    """The same beat-to-seconds map for every aligner's matches."""
    groups = group_onsets(written)
    in_time = match[~written.is_grace[match[:, 0]]]
    return map_through(groups, groups.group_of[in_time[:, 0]], played.onset_sec[in_time[:, 1]])
