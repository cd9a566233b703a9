"""A performance as named numbers: timing, dynamics, articulation, pedal, sound, and the score.

`STATISTICS` is the fixed, ordered catalogue; `performance_statistics` measures it. Statistics that
compare the playing with the score are missing (NaN) without an alignment, and so is every number
whose question has no answer in a performance: a missing number is never 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.statistics.articulation import ARTICULATION, measure_articulation
from tocco.music.statistics.catalogue import Chapter, Statistic
from tocco.music.statistics.dynamics import DYNAMICS, measure_dynamics
from tocco.music.statistics.pedal import PEDAL, measure_pedal
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.reading import Reading, read_performance
from tocco.music.statistics.resonance import RESONANCE, measure_resonance
from tocco.music.statistics.score_accuracy import ACCURACY, FLUENCY, measure_accuracy, measure_fluency
from tocco.music.statistics.score_articulation import SCORE_ARTICULATION, measure_score_articulation
from tocco.music.statistics.score_dynamics import SCORE_DYNAMICS, measure_score_dynamics
from tocco.music.statistics.score_tempo import RUBATO, TEMPO, measure_tempo
from tocco.music.statistics.score_timing import SCORE_TIMING, measure_score_timing
from tocco.music.statistics.sound import SOUND, measure_sound
from tocco.music.statistics.texture import CONTOUR, TEXTURE, measure_contour, measure_texture
from tocco.music.statistics.timing import TIMING, measure_timing
from tocco.music.statistics.tonality import TONALITY, measure_tonality
from tocco.music.statistics.written import Written
from tocco.units import FloatArray

__all__ = ["STATISTICS", "PerformanceStatistics", "Statistic", "performance_statistics", "statistics_of"]

_PLAYED: Final[tuple[Chapter[Playing], ...]] = (
    Chapter(TEXTURE, measure_texture),
    Chapter(CONTOUR, measure_contour),
    Chapter(TIMING, measure_timing),
    Chapter(DYNAMICS, measure_dynamics),
    Chapter(ARTICULATION, measure_articulation),
    Chapter(PEDAL, measure_pedal),
    Chapter(RESONANCE, measure_resonance),
    Chapter(SOUND, measure_sound),
    Chapter(TONALITY, measure_tonality),
)
_MATCHED: Final[tuple[Chapter[Playing, Alignment], ...]] = (Chapter(ACCURACY, measure_accuracy),)
_AGAINST_PAGE: Final[tuple[Chapter[Playing, Alignment, Written], ...]] = (
    Chapter(FLUENCY, measure_fluency),
    Chapter((*TEMPO, *RUBATO), measure_tempo),
    Chapter(SCORE_TIMING, measure_score_timing),
    Chapter(SCORE_DYNAMICS, measure_score_dynamics),
    Chapter(SCORE_ARTICULATION, measure_score_articulation),
)

STATISTICS: Final[tuple[Statistic, ...]] = tuple(
    statistic for chapter in (*_PLAYED, *_MATCHED, *_AGAINST_PAGE) for statistic in chapter.statistics
)
"""Every statistic, in the order of `PerformanceStatistics.values`."""

_NAMES: Final = tuple(statistic.name for statistic in STATISTICS)


@dataclass(frozen=True, eq=False)
class PerformanceStatistics:
    """All statistics of one performance.

    Attributes
    ----------
    values : (P,) in the order and units of `STATISTICS`; NaN is missing
    """

    values: FloatArray

    @property
    def names(self) -> tuple[str, ...]:
        """(P,) the name of each value."""
        return _NAMES

    @cached_property
    def _by_name(self) -> dict[str, float]:
        return dict(zip(_NAMES, self.values.tolist(), strict=True))

    def __getitem__(self, name: str) -> float:
        return self._by_name[name]

    def as_dict(self) -> dict[str, float]:
        """Name to value; NaN is missing."""
        return dict(self._by_name)


def performance_statistics(
    performance: Performance, alignment: Alignment | None = None
) -> PerformanceStatistics:
    """Measure every statistic of a performance.

    Parameters
    ----------
    performance
        Whole, or a window cut from a longer one: notes with a negative onset ring into it, and are
        not onsets of it.
    alignment
        The same performance against its score. Without it, and where fewer than ten notes match, the
        statistics that need a score are missing.

    Examples
    --------
    >>> from tocco.music.performance import PedalCurve
    >>> up = PedalCurve()
    >>> scale = Performance(
    ...     onset_sec=np.arange(8) / 4, offset_sec=np.arange(1, 9) / 4,
    ...     pitch=60 + np.array([0, 2, 4, 5, 7, 9, 11, 12]), velocity=np.arange(60, 76, 2),
    ...     sustain=up, sostenuto=up, soft=up, duration_sec=2.0,
    ... )
    >>> measured = performance_statistics(scale)
    >>> measured["onset_rate"], measured["velocity_mean"], measured["melody_legato_mean"]
    (4.0, 67.0, 1.0)
    >>> measured["tempo_bpm"]
    nan
    """
    return statistics_of(read_performance(performance, alignment))


def statistics_of(reading: Reading) -> PerformanceStatistics:
    """`performance_statistics` of a performance that has been read."""
    measured: dict[str, float] = {}
    playing, alignment, written = reading.playing, reading.alignment, reading.written
    if len(playing.struck):
        for chapter in _PLAYED:
            measured |= chapter.measure(playing)
        if alignment is not None:
            for chapter in _MATCHED:
                measured |= chapter.measure(playing, alignment)
            if written is not None:
                for chapter in _AGAINST_PAGE:
                    measured |= chapter.measure(playing, alignment, written)
    else:
        measured["note_count"] = 0.0
    return PerformanceStatistics(np.array([measured.get(name, np.nan) for name in _NAMES]))
