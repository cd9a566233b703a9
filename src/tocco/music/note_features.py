"""What each note expresses: its touch, timing and pedal against its surroundings and the page.

The features stand beside the tokens that say which note it is. Each is in its own documented unit;
whoever feeds a model standardises them on training data.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.statistics.articulation import SHORTEST_IOI_SEC
from tocco.music.statistics.dynamics import chord_velocity
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.reading import Reading, read_performance
from tocco.music.statistics.resonance import RING_ON_SEC, ringing
from tocco.music.statistics.score_articulation import articulation_log
from tocco.music.statistics.score_dynamics import velocity_beyond_page
from tocco.music.statistics.score_timing import WIDE_BEAT, onset_deviation_sec
from tocco.music.statistics.summaries import rolling_mean
from tocco.music.statistics.timing import chord_spread_sec
from tocco.music.statistics.written import SAME_BEAT, Written
from tocco.units import FloatArray, IntArray

DENSITY_REACH_SEC: Final = 1.0


@dataclass(frozen=True)
class NoteFeature:
    """One thing that is said about a note.

    Attributes
    ----------
    name : unique, lower case
    unit : "velocity", "log" (natural logarithm of a ratio, or of seconds), "ms", "beats", "pedal" (0 up
        to 127 down), "count", "1/s", "fraction", "flag" (1 or 0)
    needs_score : True where it is missing without an alignment
    meaning : in a musician's words
    """

    name: str
    unit: str
    needs_score: bool
    meaning: str


NOTE_FEATURES: Final[tuple[NoteFeature, ...]] = (
    NoteFeature("velocity", "velocity", False, "how fast the key is struck"),
    NoteFeature("duration_log", "log", False, "logarithm of the time the key is down, in seconds"),
    NoteFeature("sounding_log", "log", False, "logarithm of the time it sounds, pedal included, in seconds"),
    NoteFeature("pedal_depth_at_offset", "pedal", False, "sustaining pedal as the key comes up"),
    NoteFeature(
        "velocity_against_surroundings", "velocity", False, "above the mean of the nine chords around"
    ),
    NoteFeature("velocity_in_chord", "velocity", False, "above the mean of its chord"),
    NoteFeature("ioi_log", "log", False, "logarithm of the time to the next chord, in seconds"),
    NoteFeature(
        "line_overlap_log", "log", False, "key down against the time to its line's next note: 0 is legato"
    ),
    NoteFeature("pedal_depth_at_onset", "pedal", False, "sustaining pedal as the key goes down"),
    NoteFeature("soft_depth_at_onset", "pedal", False, "soft pedal as the key goes down"),
    NoteFeature("chord_size", "count", False, "notes struck together with it, itself included"),
    NoteFeature("chord_spread_ms", "ms", False, "from the first to the last key of its chord"),
    NoteFeature("onset_in_chord_ms", "ms", False, "after the first key of its chord"),
    NoteFeature("is_top", "flag", False, "the highest note of its chord"),
    NoteFeature("is_bottom", "flag", False, "the lowest note of its chord"),
    NoteFeature("onset_density", "1/s", False, "chords struck in the second before and the second after"),
    NoteFeature("ringing", "count", False, "earlier notes that ring as it is struck"),
    NoteFeature("matched", "flag", True, "written in the score"),
    NoteFeature("is_grace", "flag", True, "written as a grace note"),
    NoteFeature(
        "onset_deviation_ms", "ms", True, "later than the tempo around it, smoothed over 2.5 beats, asks"
    ),
    NoteFeature("onset_deviation_beat", "beats", True, "the same in beats of the tempo around"),
    NoteFeature("chord_asynchrony_ms", "ms", True, "later than the median of its written chord"),
    NoteFeature("tempo_log", "log", True, "logarithm of quarter notes a minute around it"),
    NoteFeature(
        "tempo_change", "log", True, "time before its onset against the time after, as written: > 0 speeds up"
    ),
    NoteFeature("articulation_log", "log", True, "key down against the written duration at the tempo around"),
    NoteFeature("velocity_beyond_page", "velocity", True, "above what pitch, voice and metre would suggest"),
    NoteFeature("metrical_strength", "count", True, "3 downbeat, 2 quarter, 1 half a quarter, 0 between"),
    NoteFeature("bar_position", "fraction", True, "0 at the start of the bar, 1 at its end"),
)
"""Every feature, in the order of the columns of `note_features`."""

_COLUMN: Final = {feature.name: column for column, feature in enumerate(NOTE_FEATURES)}


def note_features(performance: Performance, alignment: Alignment | None = None) -> npt.NDArray[np.float32]:
    """Describe every note of a performance.

    Parameters
    ----------
    performance
        Whole, or a window cut from a longer one. Notes that were struck before the window ring into
        it: their velocity, durations and release are known, their onset is not part of it.
    alignment
        The same performance against its score. Without it the features that need a score are missing,
        and so they are, apart from `matched` and `is_grace`, for extra notes, for grace notes, and
        where fewer than ten notes match.

    Returns
    -------
    (N, F) in the order and units of `NOTE_FEATURES`; NaN is missing
    """
    return note_features_of(read_performance(performance, alignment))


def note_features_of(reading: Reading) -> npt.NDArray[np.float32]:
    """(N, F) `note_features` of a performance that has been read."""
    playing, written = reading.playing, reading.written
    n_notes = len(reading.performance)
    table = np.full((n_notes, len(NOTE_FEATURES)), np.nan, dtype=np.float32)
    everywhere = np.arange(n_notes)
    _fill(table, everywhere, _of_all(playing))
    if len(playing.struck):
        _fill(table, playing.index, _of_struck(playing))
    if reading.alignment is not None:
        _fill(table, everywhere, _of_aligned(reading.alignment))
        if written is not None:
            _fill(table, playing.index[written.played], _of_written(playing, reading.alignment, written))
    return table


def _fill(table: npt.NDArray[np.float32], rows: IntArray, columns: dict[str, FloatArray]) -> None:
    for name, values in columns.items():
        table[rows, _COLUMN[name]] = values


def _of_all(playing: Playing) -> dict[str, FloatArray]:
    """(N,) each: what is known of a note wherever its onset lies."""
    notes = playing.sounding
    return {
        "velocity": notes.velocity,
        "duration_log": np.log(notes.offset_sec - notes.onset_sec + 1e-3),
        "sounding_log": np.log(notes.end_sec - notes.onset_sec + 1e-3),
        "pedal_depth_at_offset": playing.sustain.at(notes.offset_sec),
    }


def _of_struck(playing: Playing) -> dict[str, FloatArray]:
    """(N,) each: what belongs to the onset of a struck note."""
    struck, sounding, chord = playing.struck, playing.sounding, playing.chord_of
    onset = playing.chord_onset_sec
    level = chord_velocity(playing)
    is_top, is_bottom = np.zeros((2, len(struck)))
    is_top[playing.top], is_bottom[playing.bottom] = 1.0, 1.0
    wait = np.append(playing.ioi_sec, np.nan)
    reach = DENSITY_REACH_SEC + 1e-9
    near = np.searchsorted(onset, onset + reach) - np.searchsorted(onset, onset - reach)
    rings = ringing(sounding.onset_sec, sounding.end_sec, onset, 0.0, RING_ON_SEC)
    return {
        "velocity_against_surroundings": struck.velocity - rolling_mean(level, 9)[chord],
        "velocity_in_chord": struck.velocity - level[chord],
        "ioi_log": np.log(wait + 1e-3)[chord],
        "line_overlap_log": line_overlap_log(playing),
        "pedal_depth_at_onset": playing.sustain.at(struck.onset_sec),
        "soft_depth_at_onset": playing.soft.at(struck.onset_sec),
        "chord_size": playing.chord_size[chord].astype(float),
        "chord_spread_ms": 1000.0 * chord_spread_sec(playing)[chord],
        "onset_in_chord_ms": 1000.0 * (struck.onset_sec - onset[chord]),
        "is_top": is_top,
        "is_bottom": is_bottom,
        "onset_density": near[chord] / (2.0 * DENSITY_REACH_SEC),
        "ringing": rings[chord],
    }


def line_overlap_log(playing: Playing) -> FloatArray:
    """Key duration against the time to the next note of the same line.

    The line of a highest note goes on with the highest note of the next chord, that of a lowest with
    the lowest, and inner notes wait for the next chord.

    Returns
    -------
    (N,) logarithm of the ratio: 0 is legato, below detached, above overlapping
        NaN in the last chord.
    """
    struck, chord = playing.struck, playing.chord_of
    following = np.append(playing.chord_onset_sec[1:], np.nan)[chord]
    following[playing.bottom[:-1]] = struck.onset_sec[playing.bottom[1:]]
    following[playing.top[:-1]] = struck.onset_sec[playing.top[1:]]
    wait = np.maximum(following - struck.onset_sec, SHORTEST_IOI_SEC)
    return np.log((struck.offset_sec - struck.onset_sec + 1e-3) / wait)


def _of_aligned(alignment: Alignment) -> dict[str, FloatArray]:
    """(N,) each: what the alignment says of every note, grace notes and extra notes included."""
    matched, grace = np.zeros((2, len(alignment.performance_beat)))
    matched[alignment.match[:, 1]] = 1.0
    grace[alignment.match[:, 1]] = alignment.score.is_grace[alignment.match[:, 0]]
    return {"matched": matched, "is_grace": np.where(matched > 0, grace, np.nan)}


def _of_written(playing: Playing, alignment: Alignment, written: Written) -> dict[str, FloatArray]:
    """(K,) each: what the score says of the matched notes."""
    score, struck, place = alignment.score, playing.struck, written.onset_of
    late = struck.onset_sec[written.played] - written.onset_sec[place]
    deviation = late + onset_deviation_sec(written, WIDE_BEAT)[place]
    beat_sec = written.local_beat_sec[place]
    bar = score.bar[written.note]
    in_bar = written.beat - score.bar_onset_beat[bar]
    half = np.abs(2.0 * in_bar - np.round(2.0 * in_bar)) < 2.0 * SAME_BEAT
    strength = np.select([written.is_downbeat, written.is_on_beat, half], [3.0, 2.0, 1.0], 0.0)
    held = articulation_log(written, (struck.offset_sec - struck.onset_sec)[written.played])
    return {
        "onset_deviation_ms": 1000.0 * deviation,
        "onset_deviation_beat": deviation / beat_sec,
        "chord_asynchrony_ms": 1000.0 * late,
        "tempo_log": np.log(60.0 / beat_sec),
        "tempo_change": tempo_change(written)[place],
        "articulation_log": held,
        "velocity_beyond_page": velocity_beyond_page(alignment, written, struck.velocity[written.played]),
        "metrical_strength": strength,
        "bar_position": np.clip(in_bar / score.bar_beats[bar], 0.0, 1.0),
    }


def tempo_change(written: Written) -> FloatArray:
    """How the tempo changes at each written onset.

    Returns
    -------
    (G,) logarithm of the beat's length before against after it: above 0 the music moves on
        NaN at the first and the last onset, and where the alignment steps back.
    """
    wait = np.diff(written.onset_sec)
    pace = np.log(np.where(wait > 0, wait, np.nan) / np.diff(written.onset_beat))
    return np.concatenate([[np.nan], pace[:-1] - pace[1:], [np.nan]])
