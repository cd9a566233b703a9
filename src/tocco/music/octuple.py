"""Notes as tokens of eight numbers, on a grid of beats.

After OctupleMIDI (Zeng et al., MusicBERT, 2021), with the columns in tocco's order and without its
limits: every pitch, any number of bars, any metre, every velocity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score
from tocco.units import FloatArray, IntArray

STEPS_PER_BEAT: Final = 24
"""Positions in a beat: thirty-second notes (8) and sixteenth triplets (6) both fall on one."""

DURATIONS_PER_OCTAVE: Final = 8
SHORTEST_DURATION_BEAT: Final = 2.0**-8
_N_DURATIONS = 16 * DURATIONS_PER_OCTAVE

PADDING: Final = 0
MASK: Final = 1
FIRST_VALUE: Final = 2
"""In every column 0 is padding and 1 a masked entry; value v is written as v + 2."""

TYPE_NOTE: Final = 2
TYPE_CARRIED: Final = 3
"""A note that was already held when the segment began."""

COLUMNS: Final = ("type", "beat", "position", "pitch", "duration", "velocity", "instrument", "bar")

OCTUPLE_VOCABULARY: Final[Mapping[str, int]] = MappingProxyType(
    {
        "type": 8,
        "beat": FIRST_VALUE + 32,
        "position": FIRST_VALUE + STEPS_PER_BEAT,
        "pitch": FIRST_VALUE + 128,
        "duration": FIRST_VALUE + _N_DURATIONS,
        "velocity": FIRST_VALUE + 127,
        "instrument": FIRST_VALUE + 1,
        "bar": FIRST_VALUE + 256,
    }
)
"""Rows of the embedding of each column. Type ids 4 to 7 are reserved. Bars, and the beats of a very
long bar, are counted on without end in the tokens; `fold_octuple` brings them into these rows."""

_TYPE, _BEAT, _POSITION, _PITCH, _DURATION, _VELOCITY, _INSTRUMENT, _BAR = range(8)
_EDGE_BEATS = 4.0


@dataclass(frozen=True, eq=False)
class BeatGrid:
    """Where the beats and the bars of a performance lie.

    Between two anchors time runs evenly; outside them it goes on at the mean tempo of the four beats
    at that end. Outside the bars that are known, bars of the commonest length are counted on, below
    zero before the first.

    Attributes
    ----------
    anchor_beat, anchor_sec : (G,) both strictly ascending, at least two
        The map from beats (quarter notes) to seconds.
    bar_onset_beat : (M,) beats, strictly ascending, at least one
    bar_beats : (M,) beats, > 0
        Length of each bar; of a bar before the last, what lies between it and the next counts.
    """

    anchor_beat: FloatArray
    anchor_sec: FloatArray
    bar_onset_beat: FloatArray
    bar_beats: FloatArray

    def __post_init__(self) -> None:
        for name in ("anchor_beat", "anchor_sec", "bar_onset_beat"):
            values = getattr(self, name)
            if not np.all(np.isfinite(values)) or np.any(np.diff(values) <= 0):
                raise ValueError(f"{name} must ascend strictly")
        if len(self.anchor_beat) < 2 or len(self.anchor_beat) != len(self.anchor_sec):
            raise ValueError("a beat grid needs two anchors or more, each with a beat and a time")
        if len(self.bar_beats) == 0 or len(self.bar_beats) != len(self.bar_onset_beat):
            raise ValueError("a beat grid needs a bar or more, each with an onset and a length")
        if np.any(self.bar_beats <= 0):
            raise ValueError("bar_beats must be above 0")

    @classmethod
    def from_alignment(cls, alignment: Alignment) -> BeatGrid:
        """The beats of the score where the performance played them.

        Raises
        ------
        InputError
            Fewer than two score onsets were played one after the other.
        """
        # Onsets out of order (a rolled chord over the next note) have no place in a map of time.
        latest = np.concatenate(([-np.inf], np.maximum.accumulate(alignment.anchor_sec)[:-1]))
        kept = alignment.anchor_sec > latest + 1e-6
        if np.count_nonzero(kept) < 2:
            raise InputError(
                alignment.score.source or "score",
                "has fewer than two onsets that the performance plays, so its beats have no times",
                next_step="check that score and performance are of one piece",
            )
        return cls(
            alignment.anchor_beat[kept],
            alignment.anchor_sec[kept],
            alignment.score.bar_onset_beat,
            alignment.score.bar_beats,
        )

    @classmethod
    def from_score(cls, score: Score) -> BeatGrid:
        """The beats of a score at its own tempo, for a score that is itself rendered.

        Raises
        ------
        InputError
            The score states no tempo.
        """
        if score.tempo_bpm <= 0:
            raise InputError(
                score.source or "score", "states no tempo", next_step="align it with a performance"
            )
        end = float(score.bar_onset_beat[-1] + score.bar_beats[-1])
        anchor_beat = np.array([0.0, end])
        return cls(anchor_beat, anchor_beat * 60.0 / score.tempo_bpm, score.bar_onset_beat, score.bar_beats)

    @classmethod
    def regular(cls, period_sec: float, duration_sec: float, *, beats_per_bar: float = 4.0) -> BeatGrid:
        """A clock in place of a metre, for music whose beats are not known.

        Parameters
        ----------
        period_sec : seconds, > 0
            Length of what stands for a beat.
        duration_sec : seconds, > 0
        beats_per_bar : > 0
        """
        if not (period_sec > 0 and duration_sec > 0):
            raise ValueError(f"a grid of {period_sec} s over {duration_sec} s: both must be above 0")
        return cls(
            anchor_beat=np.array([0.0, duration_sec / period_sec]),
            anchor_sec=np.array([0.0, duration_sec]),
            bar_onset_beat=np.zeros(1),
            bar_beats=np.array([float(beats_per_bar)]),
        )

    def beat_at(self, time_sec: FloatArray) -> FloatArray:
        """Beats at given seconds, any shape."""
        beat, sec = self._extended
        return _along(time_sec, sec, beat)

    def sec_at(self, beat: FloatArray) -> FloatArray:
        """Seconds at given beats, any shape; the inverse of `beat_at`."""
        beats, sec = self._extended
        return _along(beat, beats, sec)

    @property
    def usual_bar_beats(self) -> float:
        """The commonest length of a bar."""
        lengths, counts = np.unique(self.bar_beats, return_counts=True)
        return float(lengths[np.argmax(counts)])

    def bar_at(self, beat: FloatArray) -> IntArray:
        """Index of the bar that holds each beat; below 0 before the first."""
        usual, end = self.usual_bar_beats, self.bar_onset_beat[-1] + self.bar_beats[-1]
        known = np.searchsorted(self.bar_onset_beat, beat, side="right") - 1
        after = len(self.bar_beats) + np.floor((beat - end) / usual)
        before = np.floor((beat - self.bar_onset_beat[0]) / usual)
        return np.where(beat >= end, after, np.where(known < 0, before, known)).astype(np.int64)

    def bar_start(self, bar: IntArray) -> FloatArray:
        """Onset of each bar in beats, for any index."""
        usual, n = self.usual_bar_beats, len(self.bar_beats)
        end = self.bar_onset_beat[-1] + self.bar_beats[-1]
        known = self.bar_onset_beat[np.clip(bar, 0, n - 1)]
        return np.where(
            bar >= n, end + (bar - n) * usual, np.where(bar < 0, self.bar_onset_beat[0] + bar * usual, known)
        )

    @property
    def _extended(self) -> tuple[FloatArray, FloatArray]:
        """The anchors with one more at either end, a beat away at the tempo of that end."""
        beat, sec = self.anchor_beat, self.anchor_sec
        last = max(0, int(np.searchsorted(beat, beat[-1] - _EDGE_BEATS, side="right")) - 1)
        first = min(len(beat) - 1, int(np.searchsorted(beat, beat[0] + _EDGE_BEATS)))
        slow_in = (sec[first] - sec[0]) / (beat[first] - beat[0])
        slow_out = (sec[-1] - sec[last]) / (beat[-1] - beat[last])
        return (
            np.concatenate(([beat[0] - 1.0], beat, [beat[-1] + 1.0])),
            np.concatenate(([sec[0] - slow_in], sec, [sec[-1] + slow_out])),
        )


def _along(x: FloatArray, xs: FloatArray, ys: FloatArray) -> FloatArray:
    """A broken line through (xs, ys), its end pieces going on for ever."""
    i = np.clip(np.searchsorted(xs, x, side="right") - 1, 0, len(xs) - 2)
    return ys[i] + (x - xs[i]) * ((ys[i + 1] - ys[i]) / (xs[i + 1] - xs[i]))


@dataclass(frozen=True, eq=False)
class OctupleTokens:
    """The notes of a performance as tokens, in the order bar, beat, position, pitch.

    Attributes
    ----------
    token : (L, 8) ids, columns as in `COLUMNS`
        Bars count up from 0 without end.
    note_index : (L,) index into the performance
        The note that each token stands for.
    first_bar : <= 0
        The grid's index of the bar that is written as 0.
    """

    token: IntArray
    note_index: IntArray
    first_bar: int

    def __len__(self) -> int:
        return len(self.token)


def encode_octuple_midi(
    performance: Performance, grid: BeatGrid, *, onset_beat: FloatArray | None = None
) -> OctupleTokens:
    """Notes as tokens of type, beat, position, pitch, duration, velocity, instrument and bar.

    A beat is a quarter note; `beat` counts from the start of the bar, `position` 24 steps in a beat.
    An onset goes to the nearest step, a start of a bar being one. Durations lie on 128 values, eight
    to the octave from 1/256 beat to 234 beats: within that range the error is 4.4 % at most. Pitch
    and velocity are exact. The instrument is the piano.

    Parameters
    ----------
    performance
    grid
        On the performance's clock.
    onset_beat : (N,) beats
        Position of every note where it is known better than from its time
        (`Alignment.performance_beat`); else it is read off the grid.
    """
    played_beat = grid.beat_at(performance.onset_sec)
    beat = played_beat if onset_beat is None else np.asarray(onset_beat, dtype=float)
    if beat.shape != played_beat.shape:
        raise ValueError(f"onset_beat of shape {beat.shape} for {len(performance)} notes")
    bar, step = _nearest_step(beat, grid)
    duration = np.maximum(grid.beat_at(performance.offset_sec) - played_beat, SHORTEST_DURATION_BEAT)
    duration_bin = np.rint(DURATIONS_PER_OCTAVE * np.log2(duration / SHORTEST_DURATION_BEAT))
    first_bar = min(0, int(bar.min(initial=0)))
    token = np.empty((len(performance), len(COLUMNS)), dtype=np.int64)
    token[:, _TYPE] = np.where(performance.onset_sec < 0, TYPE_CARRIED, TYPE_NOTE)
    token[:, _BEAT] = FIRST_VALUE + step // STEPS_PER_BEAT
    token[:, _POSITION] = FIRST_VALUE + step % STEPS_PER_BEAT
    token[:, _PITCH] = FIRST_VALUE + performance.pitch
    token[:, _DURATION] = FIRST_VALUE + np.minimum(duration_bin, _N_DURATIONS - 1)
    token[:, _VELOCITY] = FIRST_VALUE + performance.velocity - 1
    token[:, _INSTRUMENT] = FIRST_VALUE
    token[:, _BAR] = FIRST_VALUE + bar - first_bar
    order = np.lexsort((token[:, _PITCH], step, bar))
    return OctupleTokens(token[order], order, first_bar)


def _nearest_step(beat: FloatArray, grid: BeatGrid) -> tuple[IntArray, IntArray]:
    """Bar, and the step within it, that is nearest to each beat."""
    bar = grid.bar_at(beat)
    start, end = grid.bar_start(bar), grid.bar_start(bar + 1)
    step = np.rint((beat - start) * STEPS_PER_BEAT).astype(np.int64)
    # The next bar may begin between two steps, where a bar's length is no whole number of them.
    is_next = (step >= (end - start) * STEPS_PER_BEAT - 1e-9) | (
        end - beat < np.abs(start + step / STEPS_PER_BEAT - beat)
    )
    return np.where(is_next, bar + 1, bar), np.where(is_next, 0, step)


def decode_octuple(tokens: OctupleTokens, grid: BeatGrid) -> Performance:
    """The notes that tokens stand for, with times from the grid and without pedals.

    Padding is passed over. Onsets come back within half a step (1/48 beat), durations within 4.4 %
    where the grid's tempo is even.

    Raises
    ------
    ValueError
        An entry is masked or outside its column.
    """
    token = tokens.token[tokens.token[:, _TYPE] != PADDING]
    value = token - FIRST_VALUE
    size = np.array([OCTUPLE_VOCABULARY[name] for name in COLUMNS])
    size[[_BEAT, _BAR]] = np.iinfo(np.int64).max
    if np.any(value < 0) or np.any(token >= size):
        row, column = np.argwhere((value < 0) | (token >= size))[0]
        raise ValueError(f"token {row}: {COLUMNS[column]} id {token[row, column]} stands for no value")
    step = value[:, _BEAT] * STEPS_PER_BEAT + value[:, _POSITION]
    beat = grid.bar_start(value[:, _BAR] + tokens.first_bar) + step / STEPS_PER_BEAT
    duration = SHORTEST_DURATION_BEAT * 2.0 ** (value[:, _DURATION] / DURATIONS_PER_OCTAVE)
    onset, offset = grid.sec_at(beat), grid.sec_at(beat + duration)
    order = np.lexsort((value[:, _PITCH], onset))
    return Performance(
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=value[order, _PITCH],
        velocity=value[order, _VELOCITY] + 1,
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(offset.max(initial=0.0)),
        source="octuple tokens",
    )


def fold_octuple(token: IntArray) -> IntArray:
    """Tokens whose every id has a row in `OCTUPLE_VOCABULARY`.

    Bars are counted modulo 256 and beats modulo 32: a model sees where a note stands in its
    neighbourhood, and its absolute place by the clock.

    Parameters
    ----------
    token : (..., 8) ids

    Returns
    -------
    (..., 8) ids
        A copy; padding and masks are left as they are.
    """
    folded = np.array(token)
    for column in (_BEAT, _BAR):
        ids = folded[..., column]
        n_values = OCTUPLE_VOCABULARY[COLUMNS[column]] - FIRST_VALUE
        wrapped = FIRST_VALUE + (ids - FIRST_VALUE) % n_values
        folded[..., column] = np.where(ids >= FIRST_VALUE, wrapped, ids)
    return folded
