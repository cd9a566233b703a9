"""Which played note is which written note. The one place that knows the alignment library."""

from __future__ import annotations

from difflib import SequenceMatcher
from typing import Literal

import numpy as np
import numpy.typing as npt

from tocco.music.partitura_door import import_notation_library
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.units import BoolArray, FloatArray, IntArray

_CHORD_SPREAD_SEC = 0.1
"""A key so much before the median of its chord still belongs to the chord."""


def match_notes(performance: Performance, score: Score, stretch: BoolArray) -> IntArray:
    """Match the notes of a performance with those of a stretch of its score.

    Two passes of dynamic time warping on pitch, forward and backward, agree on a map from beats to
    seconds; then the notes of each pitch are matched along that map (Peter 2023, "Online Symbolic
    Music Alignment with Offline Reinforcement Learning", ISMIR; the parangonar library).

    Parameters
    ----------
    performance
    score
    stretch : (S,) the notes of the score that take part

    Returns
    -------
    (K, 2) index into score, index into performance; ascending, one-to-one, equal in pitch
    """
    members = np.flatnonzero(stretch)
    if len(members) == 0 or len(performance) == 0:
        return np.zeros((0, 2), dtype=np.int64)
    matchers = import_notation_library("parangonar.match.matchers")
    found = matchers.DualDTWNoteMatcher()(
        _score_array(score, members), _performance_array(performance), process_ornaments=False
    )
    pairs = sorted((int(m["score_id"]), int(m["performance_id"])) for m in found if m["label"] == "match")
    return _one_to_one(pairs)


def match_leftovers(
    performance: Performance,
    score: Score,
    stretch: BoolArray,
    match: IntArray,
    anchors: tuple[FloatArray, FloatArray],
) -> IntArray:
    """Match, in order, what is left on both sides between two neighbouring chords that are certain.

    Where the tempo changes faster than a map can follow (a held last chord, a written-out arpeggio, a
    stop), notes are too far from where the map expects them; that they come in the right order between
    the same neighbours is evidence enough.

    Parameters
    ----------
    performance, score, stretch
        As for `match_notes`.
    match : (K, 2) what is matched already
    anchors : (G,) beats and (G,) seconds of the chords that are certain

    Returns
    -------
    (L, 2) further pairs: index into score, index into performance
    """
    found = match
    # A leftover of a chord that is itself certain may come after the chord's median or before it.
    passes: tuple[tuple[Literal["left", "right"], float], ...] = (("right", _CHORD_SPREAD_SEC), ("left", 0.0))
    for side, early_sec in passes:
        written = np.setdiff1d(np.flatnonzero(stretch), found[:, 0])
        # Grace notes precede the note that they adorn.
        order = np.lexsort((score.pitch[written], ~score.is_grace[written], score.onset_beat[written]))
        written = written[order]
        played = np.setdiff1d(np.arange(len(performance)), found[:, 1])
        pairs = _pairs_in_gaps(
            (written, score.pitch[written], np.searchsorted(anchors[0], score.onset_beat[written], side)),
            (
                played,
                performance.pitch[played],
                np.searchsorted(anchors[1], performance.onset_sec[played] + early_sec, side),
            ),
        )
        found = np.concatenate((found, pairs))
    return found[len(match) :]


def _pairs_in_gaps(
    written: tuple[IntArray, IntArray, IntArray], played: tuple[IntArray, IntArray, IntArray]
) -> IntArray:
    """Pairs of equal pitch, in order within each gap; each side is (index, pitch, gap)."""
    pairs: list[tuple[int, int]] = []
    for gap in np.intersect1d(written[2], played[2]):
        in_gap = [(index[of == gap], pitch[of == gap].tolist()) for index, pitch, of in (written, played)]
        (a, a_pitch), (b, b_pitch) = in_gap
        for block in SequenceMatcher(None, a_pitch, b_pitch, autojunk=False).get_matching_blocks():
            pairs.extend((int(a[block.a + k]), int(b[block.b + k])) for k in range(block.size))
    return np.array(pairs, dtype=np.int64).reshape(-1, 2)


def _one_to_one(pairs: list[tuple[int, int]]) -> IntArray:
    """The library may name a note twice where a pitch stands twice at one beat; the first counts."""
    kept: list[tuple[int, int]] = []
    used: set[int] = set()
    for written, played in pairs:
        if played in used or (kept and kept[-1][0] == written):
            continue
        used.add(played)
        kept.append((written, played))
    return np.array(kept, dtype=np.int64).reshape(-1, 2)


def _score_array(score: Score, members: IntArray) -> npt.NDArray[np.void]:
    array = np.zeros(
        len(members),
        dtype=[
            ("onset_beat", "f8"),
            ("duration_beat", "f8"),
            ("pitch", "i8"),
            ("id", "U16"),
            ("is_grace", "?"),
        ],
    )
    array["onset_beat"] = score.onset_beat[members]
    array["duration_beat"] = score.duration_beat[members]
    array["pitch"] = score.pitch[members]
    array["id"] = members.astype("U16")
    array["is_grace"] = score.is_grace[members]
    return array


def _performance_array(performance: Performance) -> npt.NDArray[np.void]:
    array = np.zeros(
        len(performance),
        dtype=[
            ("onset_sec", "f8"),
            ("duration_sec", "f8"),
            ("pitch", "i8"),
            ("velocity", "i8"),
            ("id", "U16"),
        ],
    )
    array["onset_sec"] = performance.onset_sec
    array["duration_sec"] = performance.offset_sec - performance.onset_sec
    array["pitch"] = performance.pitch
    array["velocity"] = performance.velocity
    array["id"] = np.arange(len(performance)).astype("U16")
    return array
