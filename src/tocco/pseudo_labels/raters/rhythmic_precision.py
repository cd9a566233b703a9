"""Rhythmic precision: steadiness of the onsets relative to the performed tempo.

The tempo is estimated from the performance itself, onset by onset, so that rubato is no error: the local
regression line follows it, and only deviations from that line count. Wrong, missing and added notes do not
enter; the time of a written onset is the median of its matched notes.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.music.statistics.score_accuracy import HESITATION_RATIO, HESITATION_SEC
from tocco.music.statistics.score_timing import EQUAL_BEAT, NARROW_BEAT, RUN_BEAT
from tocco.music.statistics.summaries import MISSING, local_line, mean, median, sd
from tocco.music.statistics.timing import chord_spread_sec
from tocco.music.statistics.written import SHORTEST_BEAT_SEC, Written
from tocco.pseudo_labels.observed.evidence import Evidence, Findings, Span
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind, PseudoLabel
from tocco.units import BoolArray, FloatArray, IntArray

RHYTHMIC_PRECISION: Final = "rhythmic_precision"

COMPONENTS: Final = (
    ComponentKind(
        "onset_deviation",
        "ms",
        "deviation of onsets from the local regression line over about two beats, median size",
        "less",
        0.25,
        shape="log",
        from_value=2.0,
    ),
    ComponentKind(
        "run_unevenness",
        "log",
        "change of successive inter-onset intervals where equal short values are written, median size",
        "less",
        0.2,
        shape="log",
        from_value=0.01,
    ),
    ComponentKind(
        "hesitation", "s/min", "time lost in hesitations beyond the local tempo", "less", 0.15, shape="root"
    ),
    ComponentKind(
        "tempo_lurch",
        "log",
        "tempo over the two seconds after an onset relative to the two before, root mean square",
        "less",
        0.15,
        shape="log",
        from_value=0.02,
    ),
    ComponentKind(
        "tempo_wander",
        "log",
        "standard deviation of the tempo over two seconds: dragging and rushing",
        "less",
        0.2,
        shape="log",
        from_value=0.01,
    ),
    ComponentKind(
        "chord_asynchrony",
        "ms",
        "deviation of keys from the median of their written chord, mean size, without rolled chords",
        "less",
        0.05,
        shape="log",
        from_value=2.0,
    ),
    ComponentKind("tempo_trend", "log", "tempo change from start to end: growth is rushing", "reported"),
    ComponentKind(
        "chord_spread", "ms", "from the first to the last key of a chord, median", "reported", needs="midi"
    ),
)

FEWEST: Final = 5
"""Fewer values give no stable median."""

TEMPO_SEC: Final = 2.0
"""Tempo is perceived over about two seconds, eight beats of a scherzo and one of an adagio: temporal
integration extends over two to three seconds (Poeppel 1997, Trends in Cognitive Sciences 1)."""

ROLLED_SEC: Final = 0.08
"""A chord with a larger spread is arpeggiated (as in the alignment)."""

_CLEAR_DEVIATION_SEC = 0.05
"""Single displacements of about 50 ms are noticed even in rubato (Repp 1992, Cognition 44)."""


@dataclass(frozen=True, eq=False)
class Timing:
    """Timing at each written onset.

    Attributes
    ----------
    late_sec : (G,) deviation from the local regression line, positive is late; NaN with too few neighbours
    ioi_sec : (G - 1,) to the next written onset; NaN across a restart or a skip
    lost_sec : (G - 1,) part of it beyond the local tempo: 0 except at hesitations
    tempo_log : (G,) logarithm of beats per second over two seconds; NaN near a break
    lurch_log : (G,) log ratio of the tempo over the two seconds after to the two before; NaN near a break
    async_sec : (K,) each matched note relative to the median of its chord; NaN for single notes and rolled
        chords
    """

    late_sec: FloatArray
    ioi_sec: FloatArray
    lost_sec: FloatArray
    tempo_log: FloatArray
    lurch_log: FloatArray
    async_sec: FloatArray


def read_timing(evidence: Evidence) -> Timing | None:
    """Measure the onsets of a whole performance; None where it is not matched to a score."""
    written = evidence.written
    if written is None:
        return None
    passage = evidence.stretch_of
    late, tempo, lurch = np.full((3, len(written.onset_beat)), MISSING)
    for part in np.unique(passage):
        of = np.flatnonzero(passage == part)
        beat, sec = written.onset_beat[of], written.onset_sec[of]
        late[of] = sec - local_line(beat, sec, NARROW_BEAT)
        window_beat = TEMPO_SEC / written.beat_sec
        tempo[of], lurch[of] = _tempo_log(beat, sec, window_beat)
    ioi = np.where(np.diff(passage) == 0, np.diff(written.onset_sec), MISSING)
    lost = _lost_sec(evidence, written, ioi)
    return Timing(late, ioi, lost, tempo, lurch, _asynchrony_sec(evidence, written))


def _tempo_log(beat: FloatArray, sec: FloatArray, window_beat: float) -> tuple[FloatArray, FloatArray]:
    """Tempo around each onset, and the ratio of the tempo after it to the tempo before.

    Parameters
    ----------
    beat, sec : (G,) ascending
    window_beat : beats over which a tempo is measured

    Returns
    -------
    (G,) logarithm of beats per second, (G,) log ratio of the two tempi; NaN near the ends
    """
    half_before, half_after = _passing_sec(beat, sec, window_beat / 2.0)
    before, after = _passing_sec(beat, sec, window_beat)
    return np.log(window_beat / (half_before + half_after)), np.log(before / after)


def _passing_sec(beat: FloatArray, sec: FloatArray, reach_beat: float) -> tuple[FloatArray, FloatArray]:
    """(G,) and (G,) seconds of `reach_beat` beats before and after each onset; NaN near the ends."""
    inside = (beat - reach_beat >= beat[0] - 1e-6) & (beat + reach_beat <= beat[-1] + 1e-6)
    before = sec - np.interp(beat - reach_beat, beat, sec)
    after = np.interp(beat + reach_beat, beat, sec) - sec
    known = inside & (before > SHORTEST_BEAT_SEC) & (after > SHORTEST_BEAT_SEC)
    return np.where(known, before, MISSING), np.where(known, after, MISSING)


def _lost_sec(evidence: Evidence, written: Written, ioi: FloatArray) -> FloatArray:
    """(G - 1,) seconds of each hesitation beyond the interval due at the local tempo, without fermatas."""
    due = np.diff(written.onset_beat) * written.local_beat_sec[:-1]
    late = (ioi > HESITATION_RATIO * due) & (ioi > due + HESITATION_SEC)
    held = np.zeros(len(written.onset_beat), dtype=bool)
    if evidence.score is not None:
        signs = [("fermata" in evidence.score.articulation[note]) for note in written.note]
        held[written.onset_of[np.array(signs, dtype=bool)]] = True
    return np.where(late & ~held[:-1], ioi - due, 0.0)


def _asynchrony_sec(evidence: Evidence, written: Written) -> FloatArray:
    """(K,) seconds of each matched note relative to the median of its chord."""
    onset = evidence.playing.struck.onset_sec[written.played]
    n_onsets = len(written.onset_beat)
    first, last = np.full(n_onsets, np.inf), np.full(n_onsets, -np.inf)
    np.minimum.at(first, written.onset_of, onset)
    np.maximum.at(last, written.onset_of, onset)
    struck = written.in_chord & ((last - first) <= ROLLED_SEC)[written.onset_of]
    return np.where(struck, onset - written.onset_sec[written.onset_of], MISSING)


def run_changes(written: Written, ioi_sec: FloatArray) -> tuple[IntArray, FloatArray]:
    """Changes of successive inter-onset intervals where equal values up to a quaver are written.

    Returns
    -------
    (R,) index of the middle onset, (R,) log ratio of the second interval to the first
    """
    ioi_beat = np.diff(written.onset_beat)
    alike = (np.abs(np.diff(ioi_beat)) < EQUAL_BEAT) & (ioi_beat[1:] <= RUN_BEAT + EQUAL_BEAT)
    with np.errstate(invalid="ignore"):
        alike &= (ioi_sec[1:] > 0.0) & (ioi_sec[:-1] > 0.0)
    middle = np.flatnonzero(alike) + 1
    return middle, np.log(ioi_sec[middle] / ioi_sec[middle - 1])


def measure_rhythmic_precision(evidence: Evidence, span_sec: Span | None = None) -> PseudoLabel:
    """Measure steadiness, evenness, hesitations, tempo and chord asynchrony of a span, unscaled."""
    findings = Findings(RHYTHMIC_PRECISION, COMPONENTS)
    timing, written = evidence.once(read_timing), evidence.written
    if timing is None or written is None:
        findings.without(evidence.why_unwritten(), "score")
    inside = evidence.chords_within(span_sec) & (evidence.playing.chord_size > 1)
    spread = chord_spread_sec(evidence.playing)[inside]
    findings.measured("chord_spread", 1000.0 * _enough(spread, median), "fewer than five chords")
    if timing is None or written is None:
        return findings.label(evidence, int(inside.sum()))
    onsets = evidence.onsets_within(span_sec)
    late = timing.late_sec[onsets & np.isfinite(timing.late_sec)]
    findings.measured(
        "onset_deviation", 1000.0 * _enough(np.abs(late), median), "fewer than five onsets with neighbours"
    )
    middle, change = run_changes(written, timing.ioi_sec)
    run = np.abs(change[onsets[middle]])
    findings.measured("run_unevenness", _enough(run, median), "no run of equal short values is written")
    lost = timing.lost_sec[
        onsets[1:] & onsets[:-1]
    ]  # an interval that began before the span belongs to another
    lasts_min = _lasts_sec(evidence, onsets) / 60.0
    enough = onsets.sum() >= FEWEST and lasts_min > 0
    findings.measured(
        "hesitation", float(lost.sum()) / lasts_min if enough else MISSING, "fewer than five onsets"
    )
    _measure_tempo(findings, written, timing, onsets)
    asynchrony = timing.async_sec[onsets[written.onset_of]]
    asynchrony = np.abs(asynchrony[np.isfinite(asynchrony)])
    findings.measured("chord_asynchrony", 1000.0 * _enough(asynchrony, mean), "fewer than five chord notes")
    findings.caused(_causes(evidence, written, timing, onsets))
    return findings.label(evidence, int(onsets.sum()))


def _enough(x: FloatArray, number: Callable[[FloatArray], float]) -> float:
    """Statistic of at least five values, else missing."""
    return number(x) if len(x) >= FEWEST else MISSING


def _root_mean_square(x: FloatArray) -> float:
    return float(np.sqrt(np.mean(x**2)))


def _lasts_sec(evidence: Evidence, onsets: BoolArray) -> float:
    """Seconds from the first to the last written onset of a span."""
    inside = evidence.written_onset_sec[onsets]
    return float(np.ptp(inside)) if len(inside) > 1 else 0.0


def _measure_tempo(findings: Findings, written: Written, timing: Timing, onsets: BoolArray) -> None:
    """Measure spread, local change and trend of the tempo over a span."""
    known = onsets & np.isfinite(timing.tempo_log)
    tempo, beat = timing.tempo_log[known], written.onset_beat[known]
    short = "the span is too short for a tempo"
    long_enough = len(tempo) >= FEWEST and float(np.ptp(beat)) * written.beat_sec >= TEMPO_SEC
    findings.measured("tempo_wander", sd(tempo) if long_enough else MISSING, short)
    lurch = timing.lurch_log[onsets & np.isfinite(timing.lurch_log)]
    findings.measured("tempo_lurch", _enough(lurch, _root_mean_square), short)
    rise = np.polyfit(beat - beat.mean(), tempo, 1)[0] * np.ptp(beat) if long_enough else MISSING
    findings.measured("tempo_trend", float(rise), short)


def _causes(evidence: Evidence, written: Written, timing: Timing, onsets: BoolArray) -> list[Cause]:
    """Hesitations and onsets that are clearly early or late."""
    seconds = evidence.written_onset_sec
    found = []
    for g in np.flatnonzero((timing.lost_sec > 0.0) & onsets[1:]):
        lost = float(timing.lost_sec[g])
        where = place(evidence.alignment, float(written.onset_beat[g + 1]), float(seconds[g + 1]))
        text = f"{where}: comes {lost:.1f} s late"
        found.append(_cause(evidence, written, int(g) + 1, "hesitation", text, lost, float(seconds[g])))
    with np.errstate(invalid="ignore"):
        off = np.flatnonzero((np.abs(timing.late_sec) > _CLEAR_DEVIATION_SEC) & onsets)
    for g in off:
        late = float(timing.late_sec[g])
        where = place(evidence.alignment, float(written.onset_beat[g]), float(seconds[g]))
        kind = "late" if late > 0 else "early"
        text = f"{where}: {abs(late) * 1000:.0f} ms {kind} relative to the local tempo"
        found.append(_cause(evidence, written, int(g), kind, text, abs(late)))
    return found


def _cause(
    evidence: Evidence,
    written: Written,
    onset: int,
    kind: str,
    text: str,
    size: float,
    start_sec: float | None = None,
) -> Cause:
    members = written.onset_of == onset
    at_sec = float(evidence.written_onset_sec[onset])
    return Cause(
        at_sec if start_sec is None else start_sec,
        at_sec,
        kind,
        text,
        tuple(int(k) for k in evidence.playing.index[written.played[members]]),
        tuple(int(k) for k in written.note[members]),
        size,
    )
