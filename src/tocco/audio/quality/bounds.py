"""Where in a recording the music lies: between the talk and noise before it and the applause after it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.units import BoolArray, FloatArray

STEP_FRAMES: Final = 12
"""Spectra that one step of the track stands for: 0.256 s."""

_TONAL_DB: Final = 5.7
"""Of applause, a twentieth lies above 5.3 dB; of pianos, a hundredth below 6.2 dB."""
_RANGE_DB: Final = 45.0
_SPEECH: Final = 0.5
_SPREAD_STEPS: Final = 3
"""A pause between words is speech too: 0.77 s on either side."""
_CORE_STEPS: Final = 10
_CORE_SHARE: Final = 0.7
_LEAST_CUT_SEC: Final = 1.5
"""Less is left where it is: no bound is that sure."""
_LEAD_SEC: Final = 0.2
_DIES_AWAY_SEC: Final = 0.5


@dataclass(frozen=True)
class MusicBounds:
    """The part of a recording that is music.

    Attributes
    ----------
    start_sec, end_sec : seconds
    before, after : what is cut off there: "speech", "applause", "noise"; None where nothing is
        Silence stays: nothing is heard in it, and a last soft note may hide there.
    """

    start_sec: float
    end_sec: float
    before: str | None = None
    after: str | None = None

    @property
    def sentence(self) -> str | None:
        """What was cut off, in words; None where nothing was."""
        cut = [
            f"{what} {where}"
            for what, where in ((self.before, "before it"), (self.after, "after it"))
            if what is not None
        ]
        if not cut:
            return None
        span = f"from {self.start_sec:.1f} s to {self.end_sec:.1f} s"
        return f"Only the music {span} is assessed; {' and '.join(cut)} is left out."


@dataclass(frozen=True, eq=False)
class Track:
    """The recording in steps of `step_sec`.

    Attributes
    ----------
    level_db : (T,)
    tonal_db : (T,) arithmetic over geometric mean of the bins of an octave, mean of four from 250 Hz on
    speech : (T,) 0..1
    applause : (T,) -1..1, probability of applause less that of other noise
        Windows across the last chord are neither, and have no say.
    step_sec
    duration_sec
    """

    level_db: FloatArray
    tonal_db: FloatArray
    speech: FloatArray
    applause: FloatArray
    step_sec: float
    duration_sec: float


def music_bounds(track: Track) -> MusicBounds | None:
    """Where the music begins and ends.

    Parameters
    ----------
    track

    Returns
    -------
    MusicBounds or None
        None where nothing in the recording is music.
    """
    if len(track.level_db) == 0:
        return None
    talk = _spread(track.speech > _SPEECH)
    loud = track.level_db > track.level_db.max() - _RANGE_DB
    music = loud & ~talk & (track.tonal_db > _TONAL_DB)
    n = min(_CORE_STEPS, len(music))
    share = np.convolve(music, np.ones(n), "valid") / n
    core = np.flatnonzero(share >= _CORE_SHARE)
    if len(core) == 0:
        return None
    first = _first(music, int(core[0]))
    last = _first(music[::-1], len(music) - int(core[-1]) - n)
    start = max(first * track.step_sec - _LEAD_SEC, 0.0)
    end = min((len(music) - last) * track.step_sec + _DIES_AWAY_SEC, track.duration_sec)
    before = _what(track, talk, loud, slice(0, first)) if start > _LEAST_CUT_SEC else None
    is_cut = track.duration_sec - end > _LEAST_CUT_SEC
    after = _what(track, talk, loud, slice(len(music) - last, len(music))) if is_cut else None
    return MusicBounds(
        start if before is not None else 0.0, end if after is not None else track.duration_sec, before, after
    )


def _spread(talk: BoolArray) -> BoolArray:
    """Talk, with the pauses between its words; a lone step is no talk."""
    edge = np.pad(talk, 1)
    joined = talk & (edge[:-2] | edge[2:])
    near = np.pad(joined, _SPREAD_STEPS)
    return np.any([near[k : k + len(talk)] for k in range(2 * _SPREAD_STEPS + 1)], axis=0)


def _first(music: BoolArray, begin: int) -> int:
    """First step of the music, from the beginning of the first stretch that is mostly music."""
    return begin + int(np.argmax(music[begin:]))


def _what(track: Track, talk: BoolArray, loud: BoolArray, part: slice) -> str | None:
    """What a part that is no music is; None for silence."""
    if talk[part].mean() > 0.3:
        return "speech"
    if not loud[part].mean() > 0.3:
        return None
    return "applause" if track.applause[part].mean() > 0.0 else "noise"
