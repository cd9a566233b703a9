"""A performance in another key, or at another tempo, and all that has to move along with it.

An augmentation changes what a model is shown. Each returns, beside the performance, how times, keys and
note indices moved and which ratings still hold (`label_rules`), so that score, alignment, segment bounds
and labels can go along. Transposition and a change of tempo are other playing: beyond what listeners
notice, the ratings that depend on register, tempo and evenness are left out.
"""

from __future__ import annotations

from typing import Final

from tocco.errors import InputError
from tocco.music.augmented import Augmented, moved_along
from tocco.music.label_rules import tempo_amount, valid_labels
from tocco.music.performance import Performance
from tocco.music.time_map import TimeMap
from tocco.units import HIGHEST_PIANO_KEY, LOWEST_PIANO_KEY

__all__ = ["Augmented", "scale_tempo", "transpose"]

MAX_SEMITONES: Final = 12
TEMPO_RATIO_RANGE: Final = (0.5, 2.0)


def transpose(performance: Performance, semitones: int) -> Augmented:
    """The performance in another key.

    Parameters
    ----------
    performance
    semitones : -12..12, up or down

    Raises
    ------
    InputError
        The step is too large, or a key would leave the piano (21 to 108).
    """
    if semitones != int(semitones) or abs(semitones) > MAX_SEMITONES:
        raise InputError(
            "transposition",
            f"by {semitones:g} semitones",
            allowed=f"whole steps, -{MAX_SEMITONES} to {MAX_SEMITONES}",
        )
    pitch = performance.pitch + int(semitones)
    if len(pitch) and not LOWEST_PIANO_KEY <= pitch.min() <= pitch.max() <= HIGHEST_PIANO_KEY:
        raise InputError(
            performance.source or "performance",
            f"transposed by {semitones} semitones reaches keys {pitch.min()} to {pitch.max()}",
            allowed=f"{LOWEST_PIANO_KEY} to {HIGHEST_PIANO_KEY}",
            next_step="choose a smaller step",
        )
    kept = valid_labels({"pitch": abs(semitones)})
    return moved_along(performance, TimeMap.identity(), int(semitones), kept)


def scale_tempo(performance: Performance, ratio: float) -> Augmented:
    """The performance faster or slower throughout, keys and pedals alike.

    Parameters
    ----------
    performance
    ratio : 0.5..2, new tempo over old

    Raises
    ------
    InputError
        The ratio is out of range.
    """
    low, high = TEMPO_RATIO_RANGE
    if not low <= ratio <= high:
        raise InputError("tempo ratio", f"is {ratio:g}", allowed=f"{low:g} to {high:g}")
    kept = valid_labels({"tempo": tempo_amount(ratio)})
    return moved_along(performance, TimeMap.linear(1.0 / ratio), 0, kept)
