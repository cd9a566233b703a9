"""Input of the raters: one performance with its alignment and audio, analysed once for all spans.

Everything is measured on the whole performance and its alignment, and a span selects which notes count:
tempo, melody and sounding strings of a ten-second segment depend on what comes before it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, TypeVar, cast

import numpy as np

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.score import Score
from tocco.music.statistics.playing import Playing, read_playing
from tocco.music.statistics.written import FEWEST_MATCHES, Written, read_written
from tocco.pseudo_labels.observed.onsets import OnsetGroups, group_onsets
from tocco.pseudo_labels.observed.register_bias import without_register_bias
from tocco.pseudo_labels.observed.transcribed import without_press_lag
from tocco.pseudo_labels.pseudo_label import Cause, Component, ComponentKind, PseudoLabel
from tocco.units import BoolArray, FloatArray, IntArray

Span = tuple[float, float]

_Read = TypeVar("_Read")

NO_SCORE: Final = "no score was given"
TOO_FEW_MATCHES: Final = "fewer than ten notes match the score"
NO_BEAT: Final = "the notes that match lie on fewer than five onsets, or its beats pass faster than any tempo"
NO_PEDAL: Final = "the MIDI holds no pedal data"
NO_AUDIO: Final = "no audio was given"
HIDDEN_TOUCH: Final = (
    "the pedal masks the key releases of more than a third of the notes, so a transcription cannot show them"
)
MOST_CAUSES: Final = 8
FULL_CONFIDENCE_NOTES: Final = 40
"""Number of notes beyond which a median barely becomes more stable."""


@dataclass(frozen=True, eq=False)
class Evidence:
    """A performance with its alignment and audio, on one time axis.

    Attributes
    ----------
    performance
        The whole performance.
    alignment
        Of the whole performance with its score; None without a score.
    audio : (S,) mono at 24 kHz, full scale 1; None without a recording
        Second 0 is second 0 of the performance.
    """

    performance: Performance
    alignment: Alignment | None = None
    audio: FloatArray | None = None
    _read: dict[Callable[[Evidence], Any], Any] = field(default_factory=dict, init=False, repr=False)

    def __post_init__(self) -> None:
        found = self.alignment
        if found is not None and len(found.performance_onset_sec) != len(self.performance):
            raise InputError(
                self.performance.source or "performance",
                f"has {len(self.performance)} notes, and its alignment {len(found.performance_onset_sec)}",
                allowed="the alignment of this performance",
                next_step="make it with align_performance_to_score",
            )
        if self.audio is not None and (self.audio.ndim != 1 or not np.all(np.isfinite(self.audio))):
            raise InputError("audio", f"has shape {self.audio.shape}", allowed="finite mono samples (S,)")

    @property
    def is_transcribed(self) -> bool:
        """Whether the notes were transcribed from audio: then only what that can show is measured."""
        return self.performance.origin == "transcribed"

    @property
    def score(self) -> Score | None:
        """The reading of the score (its repeats) that was played."""
        return None if self.alignment is None else self.alignment.score

    @cached_property
    def playing(self) -> Playing:
        """The performance as sounding notes and chords; its time axis starts at the first onset."""
        if not self.is_transcribed:
            return read_playing(self.performance)
        return read_playing(replace(self.performance, sustain=without_press_lag(self.performance.sustain)))

    @cached_property
    def clock_sec(self) -> float:
        """Second of the performance at which the time axis of `playing` and `written` starts."""
        index = self.playing.index
        return float(self.performance.onset_sec[index[0]]) if len(index) else 0.0

    @cached_property
    def written(self) -> Written | None:
        """The matched notes; None without a score, and where fewer than ten match."""
        if self.alignment is None or not len(self.playing.struck):
            return None
        return read_written(self.playing, self.alignment)

    @cached_property
    def written_onset_sec(self) -> FloatArray:
        """(G,) seconds of the performance at which each written onset was played."""
        return np.zeros(0) if self.written is None else self.written.onset_sec + self.clock_sec

    @cached_property
    def onset_groups(self) -> OnsetGroups:
        """The onsets and their notes."""
        return group_onsets(self.playing, self.written, self.clock_sec)

    @cached_property
    def velocity(self) -> FloatArray:
        """(N,) MIDI velocity of `playing.struck`.

        1..127 as recorded. Of a transcription the estimated register-dependent bias is removed, and the
        values are not bounded.
        """
        struck = self.playing.struck
        if not self.is_transcribed:
            return struck.velocity
        return without_register_bias(struck.pitch, struck.velocity, self.onset_groups)

    @cached_property
    def stretch_of(self) -> IntArray:
        """(G,) index of the uninterrupted passage that each written onset belongs to.

        A restart or a skip begins a new passage: time goes on there while the score position jumps, which
        says nothing about tempo.
        """
        if self.alignment is None or self.written is None:
            return np.zeros(0, dtype=np.int64)
        cuts = [retry.start_beat for retry in self.alignment.retries]
        cuts += [skip.start_beat for skip in self.alignment.skips]
        return np.searchsorted(np.sort(cuts) - 1e-6, self.written.onset_beat, side="right")

    def once(self, read: Callable[[Evidence], _Read]) -> _Read:
        """Result of `read` on this evidence, computed once however many spans are rated."""
        if read not in self._read:
            self._read[read] = read(self)
        return cast(_Read, self._read[read])

    def why_unwritten(self) -> str:
        """Why nothing can be compared with the score."""
        if self.alignment is None:
            return NO_SCORE
        return NO_BEAT if len(self.alignment.match) >= FEWEST_MATCHES else TOO_FEW_MATCHES

    def covers(self, time_sec: FloatArray, span_sec: Span | None) -> BoolArray:
        """Which times, in seconds of the performance, lie in a span; its end is excluded."""
        if span_sec is None:
            return np.ones(len(time_sec), dtype=bool)
        return (time_sec >= span_sec[0]) & (time_sec < span_sec[1])

    def struck_within(self, span_sec: Span | None) -> BoolArray:
        """(N,) which notes of `playing.struck` begin in a span."""
        return self.covers(self.playing.struck.onset_sec + self.clock_sec, span_sec)

    def chords_within(self, span_sec: Span | None) -> BoolArray:
        """(C,) which chords of `playing` begin in a span."""
        return self.covers(self.playing.chord_onset_sec + self.clock_sec, span_sec)

    def groups_within(self, span_sec: Span | None) -> BoolArray:
        """(G,) which onsets of `onset_groups` were played in a span."""
        return self.covers(self.onset_groups.onset_sec, span_sec)

    def onsets_within(self, span_sec: Span | None) -> BoolArray:
        """(G,) which written onsets were played in a span."""
        return self.covers(self.written_onset_sec, span_sec)

    def matched_within(self, span_sec: Span | None) -> BoolArray:
        """(K,) which matched notes belong to a written onset that was played in a span."""
        if self.written is None:
            return np.zeros(0, dtype=bool)
        return self.onsets_within(span_sec)[self.written.onset_of]


class Findings:
    """Collects measured and missing components, and builds the unscaled pseudo-label from them.

    Parameters
    ----------
    dimension
    kinds : every component that the rater may measure
    """

    def __init__(self, dimension: str, kinds: Sequence[ComponentKind]) -> None:
        self._dimension = dimension
        self._kinds = {kind.name: kind for kind in kinds}
        self._components: dict[str, Component] = {}
        self._missing: dict[str, str] = {}
        self._causes: list[Cause] = []

    def measured(self, name: str, value: float, otherwise: str) -> None:
        """Record a value; where it is not finite, record the reason `otherwise`."""
        kind = self._kinds[name]
        if np.isfinite(value):
            self._components[name] = Component(float(value), kind.unit, kind.meaning)
        else:
            self._missing[name] = otherwise

    def without(self, reason: str, *needs: str) -> None:
        """Record that all components with one of these needs are missing; without needs, all components."""
        for kind in self._kinds.values():
            if not needs or kind.needs in needs:
                self._missing[kind.name] = reason

    def caused(self, causes: Sequence[Cause]) -> None:
        """Record causes that lower the rating."""
        self._causes.extend(causes)

    def label(self, evidence: Evidence, n_notes: int) -> PseudoLabel:
        """The pseudo-label, not yet on the reference scale.

        Parameters
        ----------
        evidence
        n_notes : number of notes considered
        """
        total = sum(kind.weight for kind in self._kinds.values())
        known = sum(self._kinds[name].weight for name in self._components)
        stability = min(1.0, n_notes / FULL_CONFIDENCE_NOTES) ** 0.5
        trust = 1.0 if evidence.alignment is None else evidence.alignment.overall_confidence
        missing = dict(self._missing)
        if known == 0.0:
            reasons = list(dict.fromkeys(missing.values()))
            missing[self._dimension] = "; ".join(reasons) or "nothing was played in this span"
        most_severe = sorted(self._causes, key=lambda cause: (-cause.size, cause.start_sec))[:MOST_CAUSES]
        return PseudoLabel(
            dimension=self._dimension,
            rating=None,
            components=self._components,
            causes=tuple(most_severe),
            confidence=round(known / total * stability * trust, 4),
            missing=missing,
        )
