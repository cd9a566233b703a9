"""Right, wrong, missing and extra notes, hesitations and steps back; also what the score asks for."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.music.alignment import Alignment
from tocco.music.statistics.catalogue import Matter
from tocco.music.statistics.playing import Playing
from tocco.music.statistics.summaries import MISSING, fraction, mean, median
from tocco.music.statistics.written import SAME_BEAT, Written

HESITATION_RATIO: Final = 1.6
"""A wait this much longer than the beat around it allows is heard as a stop, not as rubato."""
HESITATION_SEC: Final = 0.15
STEP_BACK_BEAT: Final = 0.5

_ACCURACY = Matter("accuracy", needs_score=True)
_FLUENCY = Matter("fluency", needs_score=True)
_PAGE = Matter("page", needs_score=True)

ACCURACY: Final = (
    *_ACCURACY.one("deletion_fraction", "fraction", "written notes that were due and not played"),
    *_ACCURACY.one("insertion_fraction", "fraction", "played notes that are not written"),
    *_ACCURACY.one("substitution_fraction", "fraction", "written notes for which a wrong one was played"),
    *_ACCURACY.one("insertion_velocity", "velocity", "level of extra notes above that of the right ones"),
)

FLUENCY: Final = (
    *_FLUENCY.one("hesitation_rate", "fraction", "written onsets that come late by 60 % of the beat around"),
    *_FLUENCY.one("hesitation_longest_beat", "beats", "longest wait beyond what the beat around allows"),
    *_FLUENCY.one("step_back_fraction", "fraction", "moves to a place more than half a beat earlier"),
    *_PAGE.one("score_span_beat", "beats", "length of what was played, as written"),
    *_PAGE.one("score_density", "1/beat", "written notes a beat"),
    *_PAGE.one("score_ioi_beat_median", "beats", "written time from one onset to the next"),
    *_PAGE.one("score_chord_size", "count", "written notes for each onset"),
    *_PAGE.one("score_duration_beat", "beats", "written duration of the notes"),
    *_PAGE.one("score_bar_beat", "beats", "length of a bar, median"),
    *_PAGE.one("score_velocity_mean", "velocity", "level that a score MIDI states"),
    *_PAGE.one("score_velocity_sd", "velocity", "spread of the level that a score MIDI states"),
    *_PAGE.one("score_tempo_bpm", "1/min", "quarter notes a minute that the score states"),
)


def measure_accuracy(playing: Playing, alignment: Alignment) -> dict[str, float]:
    """Count the errors against what was due.

    The alignment leaves out what was not performed, and what lies outside the window.
    """
    inside = np.zeros(len(alignment.performance_beat), dtype=bool)
    inside[playing.index] = True
    velocity = np.full(len(inside), MISSING)
    velocity[playing.index] = playing.struck.velocity
    right = alignment.match[:, 1][inside[alignment.match[:, 1]]]
    extra = alignment.insertion[inside[alignment.insertion]]
    n_written = len(right) + len(alignment.deletion)
    return {
        "deletion_fraction": len(alignment.deletion) / n_written if n_written else MISSING,
        "substitution_fraction": len(alignment.substitution) / n_written if n_written else MISSING,
        "insertion_fraction": len(extra) / (len(extra) + len(right)) if len(extra) + len(right) else MISSING,
        "insertion_velocity": mean(velocity[extra]) - mean(velocity[right]),
    }


def measure_fluency(playing: Playing, alignment: Alignment, written: Written) -> dict[str, float]:
    """Measure hesitations and steps back, and describe the page between first and last match."""
    wait, due = np.diff(written.onset_sec), np.diff(written.onset_beat) * written.local_beat_sec[:-1]
    late = (wait > HESITATION_RATIO * due) & (wait > due + HESITATION_SEC)
    order = np.argsort(playing.struck.onset_sec[written.played], kind="stable")
    place = written.beat[order]
    return {
        "hesitation_rate": fraction(late),
        "hesitation_longest_beat": float(np.max((wait - due) / written.local_beat_sec[:-1])),
        "step_back_fraction": fraction(np.diff(place) < -STEP_BACK_BEAT),
        **_page(alignment, written),
    }


def _page(alignment: Alignment, written: Written) -> dict[str, float]:
    score, span = alignment.score, written.span_beat
    inside = (score.onset_beat >= written.onset_beat[0] - SAME_BEAT) & ~score.is_grace
    inside &= score.onset_beat <= written.onset_beat[-1] + SAME_BEAT
    stated = score.velocity[inside & (score.velocity > 0)].astype(float)
    onsets = np.unique(np.round(score.onset_beat[inside], 3))
    bars = np.unique(score.bar[inside])
    return {
        "score_span_beat": span,
        "score_density": int(inside.sum()) / max(span, 1.0),
        "score_ioi_beat_median": median(np.diff(onsets)),
        "score_chord_size": int(inside.sum()) / len(onsets),
        "score_duration_beat": mean(score.duration_beat[inside]),
        "score_bar_beat": median(score.bar_beats[bars]),
        "score_velocity_mean": mean(stated),
        "score_velocity_sd": float(stated.std()) if len(stated) > 1 else MISSING,
        "score_tempo_bpm": score.tempo_bpm if score.tempo_bpm > 0 else MISSING,
    }
