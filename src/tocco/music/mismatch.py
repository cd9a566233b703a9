"""What is wrong where a performance does not follow its score: another key, or another piece."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from tocco.errors import MismatchError, TransposedError
from tocco.music.matching.chords import PlayedNotes
from tocco.music.matching.matcher import match_notes
from tocco.music.performance import Performance
from tocco.music.written_strokes import WrittenStrokes

_TRIED_SHIFTS: Final = 3
"""Transpositions that are matched in full, the likeliest ones by their pitches."""

_TRANSPOSED_MATCH_RATE: Final = 0.8
"""So much has to agree once the performance is moved to the key of the score. Above what is asked of one in
its own key, since three shifts are tried."""


def mismatch(
    performance: Performance, page: WrittenStrokes, played: PlayedNotes, rate: float, *, least_rate: float
) -> MismatchError:
    """The error for a performance that does not follow the score: it is in another key, or another piece.

    Parameters
    ----------
    performance : for the message
    page, played : what was compared
    rate : 0..1, how much of both agrees
    least_rate : 0..1, how much has to agree
    """
    semitones = _transposition(page, played)
    subject, score = performance.source or "performance", page.score.source or "the score"
    if semitones:
        side, amount = ("above" if semitones > 0 else "below"), _semitones(semitones)
        error = TransposedError(
            subject,
            f"stands {amount} {side} {score}",
            allowed="the key and the octave of the score",
            next_step=f"move the notes {'down' if semitones > 0 else 'up'} by {amount}, "
            "or give the score in the key that was played",
        )
        error.semitones = semitones
        return error
    return MismatchError(
        subject,
        f"is not a performance of {score}: {100 * rate:.0f} % of the notes agree, "
        "no more than with another piece",
        allowed=f"{100 * least_rate:.0f} %, or fewer where they follow the score in a steady tempo",
        next_step="give the score of the piece that was played, or leave the score out",
    )


def _semitones(amount: int) -> str:
    return {1: "1 semitone", 12: "an octave"}.get(abs(amount), f"{abs(amount)} semitones")


def _transposition(page: WrittenStrokes, played: PlayedNotes) -> int:
    """Semitones by which a performance stands above the score; 0 where no shift up to an octave fits.

    The three shifts whose count of notes by key is most like that of the score are tried.
    """
    written = np.bincount(page.score.pitch, minlength=128).astype(float)
    sounding = np.bincount(played.pitch, minlength=128).astype(float)
    shifts = [k for k in range(-12, 13) if k]
    alike = [float(np.roll(sounding, -k) @ written) for k in shifts]
    for k in np.argsort(alike)[::-1][:_TRIED_SHIFTS]:
        pitch = played.pitch - shifts[k]
        if pitch.min() < 0 or pitch.max() > 127:
            continue
        result = match_notes(page.written, replace(played, pitch=pitch))
        if result is not None and result.overall >= _TRANSPOSED_MATCH_RATE:
            return shifts[k]
    return 0
