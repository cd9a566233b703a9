"""What is cached of a score for finding it: fingerprints, notes and bars, as arrays."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.cache import Arrays, ArraysInFile, cached_arrays, content_key
from tocco.errors import InputError
from tocco.music.matching.chords import WrittenNotes
from tocco.music.score import Score, load_score
from tocco.music.score_finding.fingerprints import Groups, fingerprints
from tocco.music.written_strokes import WrittenStrokes
from tocco.units import BoolArray, FloatArray, IntArray

SCORE_AHEAD: Final = 2
"""Groups by which the notes of a fingerprint of a score lie apart, at most."""

SAME_ONSET_BEAT: Final = 0.02
"""Notes of a chord may be written apart by the rounding of ticks."""

LAST_BITS: Final = 3
"""A place holds the group of the first note, and in so many bits how many groups later the third lies."""


@dataclass(frozen=True, eq=False)
class IndexedScore:
    """One reading of a score.

    Attributes
    ----------
    key, place : (F,) fingerprints, each once
        The place is the group of the first note times eight, plus the groups from there to the third.
    group_beat : (G,) beats of the unfolded score, of each group
    onset_beat, duration_beat : (S,) beats, of the notes that ask for a stroke; ascending by onset
    pitch, is_grace : (S,)
    bar_onset_beat, bar_name : (M,)
    """

    key: IntArray
    place: IntArray
    group_beat: FloatArray
    onset_beat: FloatArray
    duration_beat: FloatArray
    pitch: IntArray
    is_grace: BoolArray
    bar_onset_beat: FloatArray
    bar_name: tuple[str, ...]

    @classmethod
    def of(cls, score: Score) -> IndexedScore:
        """Compute the fingerprints of a score; its small notes, which take no time in it, have none."""
        main = ~score.is_grace
        groups = Groups.of(score.onset_beat[main], score.pitch[main], apart=SAME_ONSET_BEAT)
        found = fingerprints(groups, ahead=SCORE_AHEAD)
        both = np.unique((found.key << 32) + (found.first << LAST_BITS) + found.last - found.first)
        note = np.sort(WrittenStrokes.of(score).printed()[1])
        return cls(
            key=(both >> 32).astype(np.uint32),
            place=(both & 0xFFFFFFFF).astype(np.uint32),
            group_beat=groups.time,
            onset_beat=score.onset_beat[note],
            duration_beat=score.duration_beat[note],
            pitch=score.pitch[note],
            is_grace=score.is_grace[note],
            bar_onset_beat=score.bar_onset_beat,
            bar_name=score.bar_name,
        )

    def arrays(self) -> Arrays:
        """The same, as named arrays for a file."""
        names = np.frombuffer(json.dumps(self.bar_name).encode(), dtype=np.uint8)
        return {name: getattr(self, name) for name in _ARRAYS} | {"bar_name": names}

    @classmethod
    def of_arrays(cls, read: Callable[[str], np.ndarray]) -> IndexedScore:
        """The score of named arrays, each read by its name."""
        names = tuple(json.loads(read("bar_name").tobytes()))
        return cls(**{name: read(name) for name in _ARRAYS}, bar_name=names)

    def part(self, start_beat: float, end_beat: float) -> WrittenNotes:
        """The notes in `start <= beat < end`, on the clock of the whole."""
        low, high = np.searchsorted(self.onset_beat, [start_beat, end_beat])
        return WrittenNotes(
            self.onset_beat[low:high],
            self.duration_beat[low:high],
            self.pitch[low:high],
            self.is_grace[low:high],
        )

    def bars(self, start_beat: float, end_beat: float) -> tuple[str, str]:
        """Printed names of the first and the last bar of a span of beats."""
        first, last = np.searchsorted(self.bar_onset_beat, [start_beat + 1e-6, end_beat + 1e-6], side="right")
        names = self.bar_name
        return names[max(int(first) - 1, 0)], names[max(int(last) - 1, 0)]


_ARRAYS: Final = tuple(name for name in IndexedScore.__dataclass_fields__ if name != "bar_name")


@dataclass(frozen=True, eq=False)
class CachedScore:
    """What is cached of a score file.

    Attributes
    ----------
    path : of the score
    file : in the cache
    """

    path: Path
    file: Path

    @classmethod
    def of(cls, path: Path, sha256: str, folder: Path) -> CachedScore:
        """That of a score, in a folder of the cache; it need not be there yet.

        Parameters
        ----------
        path
        sha256 : of the score's file
        folder
        """
        return cls(path, folder / f"{sha256[:32]}-{content_key(__name__)}.safetensors")

    @property
    def problem(self) -> str:
        """Why the score cannot be read; "" where it can."""
        return self._arrays().array(_PROBLEM).tobytes().decode()

    def score(self) -> IndexedScore:
        """The score, read from its own file only if that was not done before."""
        return IndexedScore.of_arrays(self._arrays().array)

    def _arrays(self) -> ArraysInFile:
        return cached_arrays(self.file, self._read)

    def _read(self) -> Arrays:
        try:
            arrays = IndexedScore.of(load_score(self.path)).arrays()
        except InputError as error:
            return {_PROBLEM: np.frombuffer(error.problem.encode(), dtype=np.uint8)}
        return {**arrays, _PROBLEM: np.zeros(0, dtype=np.uint8)}


_PROBLEM: Final = "problem"
