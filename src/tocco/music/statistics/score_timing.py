"""Onsets against a smooth tempo, voices against each other, and evenness of equal written values."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.statistics.catalogue import Matter, Statistic
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import (
    MISSING,
    five,
    local_line,
    mean,
    median,
    percentile,
    sd,
)
from tocco.music.statistics.written import Written
from tocco.units import BoolArray, FloatArray

NARROW_BEAT: Final = 1.0
WIDE_BEAT: Final = 2.5
"""Half-widths of the two smoothings: within the bar, and across it."""
EQUAL_BEAT: Final = 0.01
RUN_BEAT: Final = 0.5
"""Equal written values up to a quaver are a run."""

_DEVIATION = Matter("onset deviation", needs_score=True)
_ASYNCHRONY = Matter("asynchrony", needs_score=True)
_EVEN = Matter("evenness", needs_score=True)


def _deviation_of(stem: str, smooth: str) -> tuple[Statistic, ...]:
    meaning = f"onsets against a tempo smoothed over {smooth}"
    return (
        *_DEVIATION.one(f"{stem}_sd_ms", "ms", f"{meaning}: spread"),
        *_DEVIATION.one(f"{stem}_sd_beat", "beats", f"{meaning}: spread in beats of the whole's tempo"),
        *_DEVIATION.one(f"{stem}_median_ms", "ms", f"{meaning}: median size"),
        *_DEVIATION.one(f"{stem}_p95_ms", "ms", f"{meaning}: 95th percentile of the size"),
    )


SCORE_TIMING: Final = (
    *_deviation_of("deviation_narrow", "a beat"),
    *_deviation_of("deviation_wide", "2.5 beats"),
    *_DEVIATION.one("downbeat_delay_ms", "ms", "downbeats later than other onsets, against 2.5 beats"),
    *_DEVIATION.one("offbeat_delay_ms", "ms", "onsets between the beats later than those on it"),
    *_ASYNCHRONY.five("written_spread_ms", "ms", "from the first to the last key of a written chord"),
    *_ASYNCHRONY.one("written_asynchrony_sd_ms", "ms", "notes against the median of their written chord"),
    *_ASYNCHRONY.one("written_melody_lead_ms", "ms", "lowest note after the highest of a written chord"),
    *_ASYNCHRONY.one("written_melody_lead_sd_ms", "ms", "highest note against its chord, spread"),
    *_ASYNCHRONY.one("staff_delay_ms", "ms", "upper staff after the lower one within chords"),
    *_EVEN.one(
        "run_unevenness", "log", "change between neighbouring times that are written alike, mean size"
    ),
    *_EVEN.one("run_unevenness_sd", "log", "spread of the changes between times that are written alike"),
    *_EVEN.one("run_velocity_unevenness", "velocity", "change of level between notes of a written run"),
    *_EVEN.one("run_lurch_fraction", "fraction", "changes beyond a fifth between times written alike"),
)


def onset_deviation_sec(written: Written, bandwidth_beat: float) -> FloatArray:
    """How late each written onset comes against the line that its neighbours draw.

    Rubato bends the line, unsteadiness leaves it.

    Returns
    -------
    (G,) seconds, positive is late
        NaN where fewer than four neighbours are near.
    """
    return written.onset_sec - local_line(written.onset_beat, written.onset_sec, bandwidth_beat)


def measure_score_timing(playing: Playing, _alignment: Alignment, written: Written) -> dict[str, float]:
    """Measure deviations, asynchrony and evenness."""
    wide = onset_deviation_sec(written, WIDE_BEAT)
    downbeat, on_beat = np.zeros((2, len(wide)), dtype=bool)
    downbeat[written.onset_of] = written.is_downbeat
    on_beat[written.onset_of] = written.is_on_beat
    return {
        **_deviation("deviation_narrow", onset_deviation_sec(written, NARROW_BEAT), written.beat_sec),
        **_deviation("deviation_wide", wide, written.beat_sec),
        "downbeat_delay_ms": _later(wide, downbeat),
        "offbeat_delay_ms": _later(wide, ~on_beat),
        **_asynchrony(playing, written),
        **_evenness(playing, written),
    }


def _deviation(stem: str, late_sec: FloatArray, beat_sec: float) -> dict[str, float]:
    late_sec = late_sec[np.isfinite(late_sec)]
    return {
        f"{stem}_sd_ms": 1000.0 * sd(late_sec),
        f"{stem}_sd_beat": sd(late_sec) / beat_sec,
        f"{stem}_median_ms": 1000.0 * median(np.abs(late_sec)),
        f"{stem}_p95_ms": 1000.0 * percentile(np.abs(late_sec), 95),
    }


def _later(late_sec: FloatArray, which: BoolArray) -> float:
    """Milliseconds by which some onsets come later than the others."""
    known = np.isfinite(late_sec)
    return 1000.0 * (mean(late_sec[known & which]) - mean(late_sec[known & ~which]))


def _asynchrony(playing: Playing, written: Written) -> dict[str, float]:
    onset = playing.struck.onset_sec[written.played]
    late_ms = 1000.0 * (onset - written.onset_sec[written.onset_of])
    n_onsets = len(written.onset_beat)
    latest, earliest = np.full(n_onsets, -np.inf), np.full(n_onsets, np.inf)
    np.maximum.at(latest, written.onset_of, late_ms)
    np.minimum.at(earliest, written.onset_of, late_ms)
    chords = np.bincount(written.onset_of, minlength=n_onsets) > 1
    top, bottom = late_ms[written.is_top & written.in_chord], late_ms[written.is_bottom & written.in_chord]
    return {
        **five("written_spread_ms", (latest - earliest)[chords]),
        "written_asynchrony_sd_ms": sd(late_ms[written.in_chord]),
        "written_melody_lead_ms": mean(bottom) - mean(top),
        "written_melody_lead_sd_ms": sd(top),
        "staff_delay_ms": mean(late_ms[written.staff == 1]) - mean(late_ms[written.staff == 2]),
    }


def _evenness(playing: Playing, written: Written) -> dict[str, float]:
    """Neighbouring times that are written alike, and the levels of their first two onsets."""
    written_ioi, wait = np.diff(written.onset_beat), np.diff(written.onset_sec)
    alike = (np.abs(np.diff(written_ioi)) < EQUAL_BEAT) & (written_ioi[1:] <= RUN_BEAT + EQUAL_BEAT)
    alike &= (wait[1:] > 0) & (wait[:-1] > 0)
    change = np.log(wait[1:][alike] / wait[:-1][alike])
    level = np.full(len(written.onset_beat), MISSING)
    level[written.onset_of[written.is_top]] = playing.struck.velocity[written.played[written.is_top]]
    return {
        "run_unevenness": mean(np.abs(change)),
        "run_unevenness_sd": sd(change),
        "run_velocity_unevenness": mean(np.abs(np.diff(level))[:-1][alike]),
        "run_lurch_fraction": mean((np.abs(change) > np.log(1.2)).astype(float)),
    }
