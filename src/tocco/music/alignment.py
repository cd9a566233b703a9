"""What was played against what is written."""

from __future__ import annotations

from dataclasses import dataclass

from tocco.music.score import Score
from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Alignment:
    """Every note of a performance and of its score, told apart as match, insertion or deletion.

    Attributes
    ----------
    score
        The reading of the score that was played (repeats as the performance took them).
    match : (K, 2) index into score, index into performance; ascending by score index
    deletion : (D,) index into score: written, not played
    insertion : (I,) index into performance: played, not written
    substitution : (Q, 2) index into deletion's score notes, index into insertion's performance notes
        Pairs (score index, performance index) that are one wrong note: close in time and pitch.
        Every pair's members are also listed in `deletion` and `insertion`.
    anchor_beat, anchor_sec : (G,) ascending
        The beat-to-seconds map: one point for each score onset with a match.
    performance_beat : (N,) beats
        Position of every performed note: its score note's onset for a match, else read off the map.
    """

    score: Score
    match: IntArray
    deletion: IntArray
    insertion: IntArray
    substitution: IntArray
    anchor_beat: FloatArray
    anchor_sec: FloatArray
    performance_beat: FloatArray
