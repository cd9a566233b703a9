"""How an assessment is put into words: the same on the terminal and in the picture."""

from __future__ import annotations

from tocco.inference.assessment import Assessment, Rating
from tocco.inference.evidence import NoteOutcome
from tocco.music.places import bars_in_words


def title(name: str) -> str:
    """Name of a dimension for people.

    >>> title("note_accuracy")
    'Note accuracy'
    """
    return name.replace("_", " ").capitalize()


def in_words(rating: Rating) -> str:
    """Value and interval of a rating in whole points."""
    if rating.value is None:
        return "missing"
    if rating.interval_90 is None:
        return f"{rating.value:.0f}"
    low, high = rating.interval_90
    return f"{rating.value:.0f}   (90 %: {low:.0f} to {high:.0f})"


def mistake(note: NoteOutcome) -> str:
    """Bar and keys of a note that is not as written."""
    bar = bars_in_words(note.bar, note.bar)
    if note.expected is not None and note.played is not None:
        return f"{bar}: {note.played} for {note.expected}"
    return f"{bar}: {note.expected or note.played}"


def clock(time_sec: float) -> str:
    """Minutes and seconds.

    >>> clock(75.4)
    '1:15'
    """
    minutes, seconds = divmod(round(time_sec), 60)
    return f"{minutes}:{seconds:02d}"


def remarks(assessment: Assessment) -> list[str]:
    """Why something was not rated, one line a reason."""
    lines = [f"No rating: {reason}" for reason in assessment.abstained_reasons]
    reasons: dict[str, list[str]] = {}
    for name, rating in assessment.ratings.items():
        if rating.reason is not None and not assessment.abstained:
            reasons.setdefault(rating.reason, []).append(title(name))
    lines += [f"{', '.join(names)}: missing, {reason}" for reason, names in reasons.items()]
    return lines
