"""Where a MIDI lies on the clock of its recording, and whether it belongs to it.

Three steps: a line of time is sought over all lags and small drifts, by pitch (`lag_search`); it is
sharpened on the edges of the sound to a few milliseconds; then two measures tell whether the notes
are really heard there. Neither the level nor the colour of the sound enters, only ranks of rises.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from tocco.errors import InputError, MismatchError
from tocco.music.lag_search import (
    MAX_DRIFT,
    ClockLine,
    PartialOnsets,
    SalienceSpectrum,
    salience_spectrum,
    search_lines,
)
from tocco.music.midi import segment_midi
from tocco.music.midi_features import onset_groups
from tocco.music.onset_salience import EDGE_HOP_SEC, PITCH_HOP_SEC, OnsetSalience, onset_salience
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

# Chosen on rendered right and wrong pairs (cut, drifting, at 8 kHz, in noise; another piece or pianist, a
# semitone off, reversed, slower).
MIN_SCORE: Final = 0.69
MIN_CONTRAST: Final = 0.02
MIN_FAR_CONTRAST: Final = 0.0
"""Above transpositions of 3 to 12 semitones, which share partials with the notes themselves.

Of rendered pairs, also in noise and at 8 kHz, the right ones stand 0.019 or more above their octaves, and
those an octave off 0.021 or more below the right one.
"""
MAX_RESIDUAL_SEC: Final = 0.010
MIN_ONSETS: Final = 8

_REACH_SEC = 0.12
_PEAK_REACH_SEC = 0.05
_TYPICAL_SEC = 0.005
_N_SETTLINGS = 3
_MAX_SHARPENING = 600  # onsets; more do not make the line surer
_SMOOTHING = np.array([0.25, 0.5, 1.0, 0.5, 0.25])
_NEAR = (-2, -1, 1, 2)
_FAR = (*range(-12, -2), *range(3, 13))
_N_STRETCHES, _STRETCH_SEC = 6, 20.0  # notes on which a transposition is sought
_N_SOUGHT = 4
_RIGHT_MIDI = "give the MIDI that was recorded together with this audio"
_LOST_TEMPO_RATIOS = (0.5, 2.0)


@dataclass(frozen=True)
class Synchrony:
    """How the clock of a MIDI runs against that of its recording.

    Time of the recording = offset_sec + (1 + drift) * time of the MIDI.

    Attributes
    ----------
    offset_sec : seconds
        Where the MIDI's time 0 lies in the recording; below 0 where the recording starts later.
    drift : relative, within +-0.006
        Above 0 the recording's clock runs faster.
    residual_sec : seconds, >= 0
        Median distance between an onset of the MIDI and the edge of the sound next to it.
    score : 0..1
        Mean rank, among all moments of the recording, of the rise of level at the notes' pitches
        when they begin. 0.5 is chance; a MIDI that belongs to its recording reaches 0.7 to 0.95.
    n_onsets_used : onset groups inside the recording
    overlap_sec : seconds
        From the first to the last sounding key inside the recording; what lies outside is cut off
        by `apply`.
    audio_duration_sec : seconds
    """

    offset_sec: float
    drift: float
    residual_sec: float
    score: float
    n_onsets_used: int
    overlap_sec: float
    audio_duration_sec: float

    def apply(self, performance: Performance) -> Performance:
        """The performance on the clock of the recording, cut to its duration like a segment."""
        moved = performance.shifted(self.offset_sec, 1.0 + self.drift)
        return segment_midi(moved, np.array([[0.0, self.audio_duration_sec]]))[0]


@dataclass(frozen=True)
class _Match:
    """A line of time, and what speaks for it.

    `contrast` is what the score is above that of the MIDI moved by one or two semitones, the best such,
    and `far_contrast` the same for three to twelve.
    """

    line: ClockLine
    residual_sec: float
    score: float
    contrast: float
    far_contrast: float
    n_onsets: int

    @property
    def belongs(self) -> bool:
        return (
            self.n_onsets >= MIN_ONSETS
            and self.score >= MIN_SCORE
            and self.residual_sec <= MAX_RESIDUAL_SEC
            and self.contrast >= MIN_CONTRAST
            and self.far_contrast >= MIN_FAR_CONTRAST
        )


def align_midi_to_audio(
    performance: Performance,
    audio: FloatArray | Iterable[FloatArray],
    *,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
    audio_source: str = "recording",
) -> Synchrony:
    """Offset and drift between a MIDI and its recording, or the refusal of a MIDI of something else.

    The recording may begin before or after the MIDI and end before or after it; every overlap is
    looked at. Drifts up to 0.6 % are found.

    Parameters
    ----------
    performance
        Eight onsets or more.
    audio : (S,) or consecutive blocks of it, mono, full scale 1
        Of blocks, no more than one is held at a time.
    sample_rate_hz : 4000..384000
    audio_source
        Name of the recording, for messages.

    Raises
    ------
    InputError
        The recording is silent or holds values that are no numbers; the MIDI has too few onsets.
    MismatchError
        The MIDI does not belong to the recording.
    """
    source = performance.source or "MIDI"
    n_onsets = len(_group_onsets(performance))
    if n_onsets < MIN_ONSETS:
        raise InputError(
            source,
            f"has {n_onsets} onsets, too few to lay against a recording",
            allowed=f"{MIN_ONSETS} or more",
            next_step="give the whole performance",
        )
    salience = onset_salience(audio, sample_rate_hz, audio_source)
    if salience.is_silent:
        raise InputError(audio_source, "is silent", next_step="check that the recording has sound")
    spectrum = salience_spectrum(salience)
    match = _match(performance, salience, spectrum)
    if not match.belongs:
        relation, why, next_step = _refusal(match, performance, salience, spectrum)
        raise MismatchError(source, f"{relation} {audio_source}: {why}", next_step=next_step)
    line = match.line
    offset = line.lag_sec - line.drift * line.centre_sec
    first, last = line.at(np.array([performance.onset_sec[0], performance.offset_sec.max()]))
    return Synchrony(
        offset_sec=float(offset),
        drift=float(line.drift),
        residual_sec=match.residual_sec,
        score=match.score,
        n_onsets_used=match.n_onsets,
        overlap_sec=float(min(last, salience.duration_sec) - max(first, 0.0)),
        audio_duration_sec=salience.duration_sec,
    )


def _match(performance: Performance, salience: OnsetSalience, spectrum: SalienceSpectrum) -> _Match:
    """The best of the lines that were found: much new sound at the right pitches, over many onsets."""
    lines = search_lines(performance, spectrum)
    matches = [_match_along(line, performance, salience) for line in lines]
    return max(matches, key=lambda match: (match.score - 0.5) * np.sqrt(match.n_onsets))


def _match_along(line: ClockLine, performance: Performance, salience: OnsetSalience) -> _Match:
    onset = _group_onsets(performance)
    line, residual, n_onsets = _settled(_sharpened(line, onset, salience), onset, salience)
    partials = PartialOnsets.of(performance)
    score = _score(partials, salience, line)
    near, far = (
        score - max(_score(partials, salience, line, shift) for shift in shifts) for shifts in (_NEAR, _FAR)
    )
    return _Match(line, residual, score, near, far, n_onsets)


def _refusal(
    match: _Match, performance: Performance, salience: OnsetSalience, spectrum: SalienceSpectrum
) -> tuple[str, str, str]:
    """How the MIDI stands to the recording, why it is refused, and what to do about it."""
    shift = _transposition(performance, salience, spectrum)
    if shift:
        distance = _interval_name(abs(shift))
        return (
            "does not belong to",
            f"the audio stands {distance} {'above' if shift > 0 else 'below'} the MIDI",
            f"move the MIDI {'up' if shift > 0 else 'down'} by {distance}, or {_RIGHT_MIDI}",
        )
    for ratio in _LOST_TEMPO_RATIOS:
        scaled = _match(performance.shifted(0.0, ratio), salience, spectrum)
        if scaled.n_onsets >= MIN_ONSETS and scaled.score >= MIN_SCORE:
            return "is not on the clock of", f"there its notes are {ratio:g} times as far apart", _RIGHT_MIDI
    return "does not belong to", _shortcoming(match), _RIGHT_MIDI


def _shortcoming(match: _Match) -> str:
    """What the best of all positions still lacks, in words."""
    if match.n_onsets < MIN_ONSETS:
        return f"wherever it is laid, only {match.n_onsets} of its onsets are heard ({MIN_ONSETS} are needed)"
    if match.score < MIN_SCORE:
        return (
            "wherever it is laid, too few of its notes are heard to begin "
            f"(score {match.score:.2f}, {MIN_SCORE:g} is needed and chance gives 0.5)"
        )
    if match.residual_sec > MAX_RESIDUAL_SEC:
        return (
            f"at the best place its onsets are {1000 * match.residual_sec:.0f} ms from the attacks heard "
            f"({1000 * MAX_RESIDUAL_SEC:.0f} ms are allowed)"
        )
    return "other pitches than those of its notes are heard as clearly"


def _interval_name(n_semitones: int) -> str:
    """An amount of transposition: 1 semitone, 2 semitones, an octave (12 semitones)."""
    if n_semitones == 12:
        return "an octave (12 semitones)"
    return f"{n_semitones} semitone" + "s" * (n_semitones > 1)


def _transposition(
    performance: Performance, salience: OnsetSalience, spectrum: SalienceSpectrum
) -> int | None:
    """Semitones by which the notes must be moved to belong to the recording; None where that is no help.

    Every transposition has its own best line of time. They are sought with some of the notes, and the
    best few are looked at with all of them.
    """
    moved = {shift: _moved(performance, shift) for shift in (*_NEAR, *_FAR)}
    found = []
    for shift, whole in moved.items():
        some = _some_stretches(whole)
        if len(some) >= MIN_ONSETS:
            partials = PartialOnsets.of(some)
            lines = search_lines(some, spectrum)
            score, best = max(
                ((_score(partials, salience, line), i) for i, line in enumerate(lines)),
                key=lambda pair: pair[0],
            )
            found.append((score, shift, lines[best]))
    found.sort(key=lambda one: -one[0])
    matches = [(shift, _match_along(line, moved[shift], salience)) for _, shift, line in found[:_N_SOUGHT]]
    fitting = [(match.score, shift) for shift, match in matches if match.belongs]
    return max(fitting)[1] if fitting else None


def _moved(performance: Performance, shift: int) -> Performance:
    """The notes at other pitches; those that would leave the range of MIDI are left out."""
    pitch = performance.pitch + shift
    inside = (pitch >= 0) & (pitch <= 127)
    return replace(performance, pitch=np.clip(pitch, 0, 127)).only(inside)


def _some_stretches(performance: Performance) -> Performance:
    """A few stretches of the notes, spread over the whole."""
    onset = performance.onset_sec
    if len(onset) == 0:
        return performance
    starts = np.linspace(onset[0], max(onset[-1] - _STRETCH_SEC, onset[0]), _N_STRETCHES)
    inside = np.any((onset >= starts[:, None]) & (onset < starts[:, None] + _STRETCH_SEC), axis=0)
    return performance.only(inside)


def _group_onsets(performance: Performance) -> FloatArray:
    """(G,) seconds: onset of the loudest note of every onset group, the one that makes its edge."""
    if len(performance) == 0:
        return np.zeros(0)
    group = onset_groups(performance.onset_sec)
    order = np.lexsort((-performance.velocity, group))
    return performance.onset_sec[order[np.searchsorted(group[order], np.arange(group[-1] + 1))]]


def _inside(line: ClockLine, onset: FloatArray, salience: OnsetSalience) -> FloatArray:
    """(G',) seconds of the MIDI: the onsets that the line puts into the recording."""
    placed = line.at(onset)
    return onset[(placed >= 0.0) & (placed < salience.duration_sec)]


def _edges_around(
    predicted_sec: FloatArray, reach_sec: float, edge: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """(R,) lags, and (G, R) edge of the sound at each of them from each predicted onset."""
    n = round(reach_sec / EDGE_HOP_SEC)
    lag = np.arange(-n, n + 1) * EDGE_HOP_SEC
    at = (predicted_sec[:, None] + lag) / EDGE_HOP_SEC
    return lag, np.interp(at, np.arange(len(edge)), edge, left=0.0, right=0.0)


def _sharpened(line: ClockLine, onset: FloatArray, salience: OnsetSalience) -> ClockLine:
    """The line within 120 ms of a coarse one, at either end, that meets most edges; steps of 5 ms."""
    onset = _inside(line, onset, salience)
    if len(onset) == 0:
        return line
    onset = onset[:: -(-len(onset) // _MAX_SHARPENING)]
    # Compressed, so that many edges count for more than a few strong ones; smoothed a little, so that
    # lines that are one step off still meet them.
    clear = float(np.quantile(salience.edge, 0.9)) + 1e-9
    smooth = np.convolve(salience.edge / (salience.edge + clear), _SMOOTHING, mode="same")
    lag, rows = _edges_around(line.at(onset), _REACH_SEC, smooth)
    centre = (onset[0] + onset[-1]) / 2
    half_span = max((onset[-1] - onset[0]) / 2, 1e-3)
    n = len(lag) // 2
    drifts = np.arange(-n, n + 1) * EDGE_HOP_SEC / half_span
    drifts = drifts[np.abs(line.drift + drifts) <= MAX_DRIFT]
    best_total, best_lag, best_drift = -np.inf, 0.0, 0.0
    for drift in [0.0, *drifts.tolist()]:
        shift = np.rint(drift * (onset - centre) / EDGE_HOP_SEC).astype(int)
        column = np.arange(len(lag)) + shift[:, None]
        inside = (column >= 0) & (column < len(lag))
        edge = np.take_along_axis(rows, np.clip(column, 0, len(lag) - 1), axis=1)
        total = np.where(inside, edge, 0.0).sum(axis=0)
        i = int(np.argmax(total))
        if total[i] > best_total:
            best_total, best_lag, best_drift = float(total[i]), float(lag[i]), drift
    moved = best_drift * (line.centre_sec - centre)
    return ClockLine(line.lag_sec + best_lag + moved, line.drift + best_drift, line.centre_sec)


def _settled(line: ClockLine, onset: FloatArray, salience: OnsetSalience) -> tuple[ClockLine, float, int]:
    """The line through the single edges next to the onsets; their median distance; their count."""
    residual_sec, n_inside = float("inf"), 0
    for _ in range(_N_SETTLINGS):
        inside = _inside(line, onset, salience)
        n_inside = len(inside)
        if n_inside < MIN_ONSETS:
            return line, float("inf"), n_inside
        lag, rows = _edges_around(line.at(inside), _PEAK_REACH_SEC, salience.edge)
        line, distance_sec = _through(line, inside, _peak_lag(lag, rows))
        residual_sec = float(np.median(distance_sec))
    return line, residual_sec, n_inside


def _through(line: ClockLine, onset: FloatArray, lag: FloatArray) -> tuple[ClockLine, FloatArray]:
    """The line moved through the edges that lie `lag` from it, and how far each is from it then.

    Some onsets make no edge of their own (soft notes under a loud chord), so the fit is robust.
    """
    from scipy.optimize import least_squares

    x = onset - line.centre_sec
    scale = max(float(np.ptp(x)) / 2, 1e-3)
    lowest = np.array([-_PEAK_REACH_SEC, (-MAX_DRIFT - line.drift) * scale - 1e-9])
    highest = np.array([_PEAK_REACH_SEC, (MAX_DRIFT - line.drift) * scale + 1e-9])
    fit = least_squares(
        lambda c: c[0] + c[1] * x / scale - lag,
        # A search may end a step beyond the drift that is allowed: the fit begins at the edge then.
        x0=np.clip(0.0, lowest, highest),
        bounds=(lowest, highest),
        loss="soft_l1",
        f_scale=_TYPICAL_SEC,
    )
    moved = ClockLine(line.lag_sec + fit.x[0], line.drift + fit.x[1] / scale, line.centre_sec)
    return moved, np.abs(fit.fun)


def _peak_lag(lag: FloatArray, rows: FloatArray) -> FloatArray:
    """(G,) seconds: the highest edge of each row, between the steps by a parabola."""
    i = np.clip(np.argmax(rows, axis=1), 1, len(lag) - 2)
    row = np.arange(len(rows))
    before, top, after = rows[row, i - 1], rows[row, i], rows[row, i + 1]
    bend = np.minimum(before - 2 * top + after, -1e-9)
    return lag[i] + np.clip(0.5 * (before - after) / bend, -1.0, 1.0) * EDGE_HOP_SEC


def _score(
    partials: PartialOnsets, salience: OnsetSalience, line: ClockLine, transposition: int = 0
) -> float:
    """Weighted mean rank of the rise where the partials should begin; 0 where none is inside."""
    frame = np.rint(line.at(partials.onset_sec) / PITCH_HOP_SEC).astype(np.int64)
    band = partials.band + transposition
    n_frames, n_bands = salience.pitch.shape
    inside = (frame >= 0) & (frame < n_frames) & (band >= 0) & (band < n_bands)
    if not np.any(inside):
        return 0.0
    rank = salience.pitch[frame[inside], band[inside]]
    return float(np.average(rank, weights=partials.weight[inside]))
