"""How an assessment is put into words: the same on the terminal and in the picture."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Final

from tocco.inference.assessment import Aggregate, Assessment, Rating
from tocco.inference.evidence import NoteOutcome, PlayedBars
from tocco.music.places import bars_in_words

_WORTH_SAYING_SEC = 2.0
_NAMED_NOTES = 3
LOW_RATING: Final = 30.0
"""Below, a rating is said where there is no finding: at 30 a dimension is weak by the rating guide."""
"""So much silence is usual at either end of a recording."""

_MOST_SHOWN: Final = 3
_LEAST_SHOWN: Final = 0.05
"""Parts of a rating that would read 0.0 are left out."""

_MEASURES: Final[Mapping[str, str]] = {
    "lost_time": "time lost in stops",
    "worst_stop": "the longest stops",
    "note_errors": "note errors at their worst",
    "unsteadiness": "an unsteady beat",
    "slowness": "a slow tempo",
    "flat_levels": "flat loudness",
    "random_levels": "random loudness",
    "smear_sec": "notes sounding on",
    "pedal_held": "the pedal held through",
    "hands_apart": "hands that are not together",
    "overlap": "keys held over",
    "clusters": "clusters of neighbouring keys",
    "density": "too many notes at once",
}
"""What a rating is reduced for, beside the dimensions that are rated by rule."""


def _share(weight: float) -> str:
    return f"{weight:.3f}".removeprefix("0")


def title(name: str) -> str:
    """Name of a dimension for people.

    >>> title("note_accuracy")
    'Note accuracy'
    """
    return name.replace("_", " ").capitalize()


def points(value: float) -> str:
    """A rating to the tenth of a point, everywhere.

    >>> points(74.26)
    '74.3'
    """
    return f"{value:.1f}"


def in_words(rating: Rating | Aggregate) -> str:
    """Value and interval of a rating; the ends of an interval in whole points."""
    if rating.value is None:
        return "missing"
    if rating.interval_90 is None:
        return points(rating.value)
    return f"{points(rating.value)}   ({interval_in_words(rating)})"


def interval_in_words(rating: Rating | Aggregate) -> str:
    """The interval in whole points; empty where there is none."""
    if rating.interval_90 is None:
        return ""
    low, high = rating.interval_90
    return f"90 %: {low:.0f} to {high:.0f}"


def measure_in_words(name: str) -> str:
    """What a rating is reduced for."""
    return _MEASURES.get(name, f"{title(name).lower()} by rule")


def account(rating: Rating) -> str:
    """What a rating was put together from, the largest parts by name; empty where it was not."""
    if rating.perception is None:
        return ""
    parts = sorted(rating.deductions.items(), key=lambda part: -abs(part[1]))
    parts = [(measure_in_words(name), off) for name, off in parts if abs(off) >= _LEAST_SHOWN]
    shown, rest = parts[:_MOST_SHOWN], parts[_MOST_SHOWN:]
    in_sum = sum(off for _, off in rest)
    if abs(in_sum) >= _LEAST_SHOWN:
        shown.append((f"{len(rest)} more", in_sum))
    said = [f"{'less' if off >= 0.0 else 'plus'} {abs(off):.1f} for {name}" for name, off in shown]
    if rest and abs(in_sum) < _LEAST_SHOWN:
        said.append(f"{len(rest)} more cancel out")
    return ", ".join([f"{points(rating.perception)} by the model of listeners", *said])


def aggregate_parts(aggregate: Aggregate) -> str:
    """What an aggregate consists of; empty where there is none."""
    parts = [
        f"{title(part.dimension).lower()} {points(part.value)} × {_share(part.weight)}"
        for part in aggregate.parts
    ]
    return f"Aggregate: {' + '.join(parts)}" if parts else ""


def mistake(note: NoteOutcome) -> str:
    """Bar and keys of a note that is not as written."""
    bar = bars_in_words(note.bar, note.bar)
    if note.expected is not None and note.played is not None:
        return f"{bar}: {note.played} for {note.expected}"
    return f"{bar}: {note.expected or note.played}"


def transcribed_by(transcriber: str) -> str:
    """How a transcriber is called in a sentence: by its name, or by the program of a command.

    >>> transcribed_by("transkun 2.0.1"), transcribed_by("/opt/bin/hear {audio} {midi}")
    ('transcribed by transkun 2.0.1', "transcribed by the command 'hear'")
    """
    if "{audio}" not in transcriber:
        return f"transcribed by {transcriber}"
    return f"transcribed by the command {PurePath(shlex.split(transcriber)[0]).name!r}"


def clock(time_sec: float) -> str:
    """Minutes and seconds.

    >>> clock(75.4)
    '1:15'
    """
    minutes, seconds = divmod(round(time_sec), 60)
    return f"{minutes}:{seconds:02d}"


def first_curve(assessment: Assessment) -> str:
    """The dimension whose curve is shown first: the overall quality where it is rated."""
    names = [name for name, values in assessment.curve.value.items() if any(v is not None for v in values)]
    return next((name for name in names if name == "overall_quality"), names[0])


def nothing_stands_out(assessment: Assessment) -> str:
    """What is said where there is no finding, and what was not looked at."""
    rated = {name: one.value for name, one in assessment.ratings.items() if one.value is not None}
    lowest = min(rated, key=lambda name: rated[name], default=None)
    if assessment.abstained and assessment.alignment is None:
        return "Nothing was compared: the model abstains, and there is no score"
    said = "Nothing stands out"
    if lowest is not None and rated[lowest] < LOW_RATING:
        low = f"{title(lowest).lower()} ({points(rated[lowest])})"
        said = f"No single place stands out; the lowest rating is {low}"
    if assessment.alignment is None:
        return f"{said}; without a score only passages are compared, and no notes or measures"
    return said


def remarks(assessment: Assessment) -> list[str]:
    """What was not rated and why, and what is doubtful, one line each."""
    lines = [f"No rating: {reason}" for reason in assessment.abstained_reasons]
    reasons: dict[str, list[str]] = {}
    for name, rating in assessment.ratings.items():
        if rating.reason is not None and not assessment.abstained:
            reasons.setdefault(rating.reason, []).append(title(name))
    lines += [f"{', '.join(names)}: missing, {_within(reason)}" for reason, names in reasons.items()]
    return [
        *lines,
        *_on_the_aggregate(assessment.aggregate),
        *_on_the_search(assessment),
        *_on_the_score(assessment),
        *_on_the_music(assessment),
        *_on_the_transcriber(assessment),
        *(assessment.inputs.recording.warnings if assessment.inputs.recording is not None else ()),
    ]


def _within(sentence: str) -> str:
    """A sentence as it goes on after a comma.

    >>> _within("It ends at 3,850 Hz."), _within("MIDI is missing")
    ('it ends at 3,850 Hz', 'MIDI is missing')
    """
    is_word = sentence[1:2].islower() or sentence[1:2] == " "
    return (sentence[:1].lower() if is_word else sentence[:1]) + sentence[1:].removesuffix(".")


def _on_the_aggregate(aggregate: Aggregate) -> list[str]:
    if aggregate.value is None or not aggregate.without:
        return []
    names = ", ".join(title(name).lower() for name in aggregate.without)
    return [f"Aggregate: without {names}; the other weights are scaled up to sum to 1"]


def _on_the_score(assessment: Assessment) -> list[str]:
    alignment = assessment.alignment
    if alignment is None:
        return []
    lines = [f"{flag[:1].upper()}{flag[1:]}; what rests on it is less certain" for flag in alignment.flags]
    if alignment.part is not None:
        lines.append(f"{played_bars(alignment.part)}, and only these are rated")
    if alignment.unheard:
        lines.append(unheard_notes(alignment.unheard))
    return lines


def unheard_notes(notes: Sequence[NoteOutcome]) -> str:
    """Which written notes a transcriber did not hear, and that they may have been played softly."""
    named = [f"{note.expected} (bar {note.bar}, beat {note.beat:g})" for note in notes[:_NAMED_NOTES]]
    more = f" and {len(notes) - len(named)} more" if len(notes) > len(named) else ""
    counts = "it counts" if len(notes) == 1 else "they count"
    return (
        f"Not heard, left out or too soft to hear: {', '.join(named)}{more}; {counts} neither as right nor "
        "as missing"
    )


def sought_score(assessment: Assessment) -> str:
    """What was found of the score that was sought, in words; "" where none was sought."""
    search, alignment = assessment.inputs.score_search, assessment.alignment
    if search is None:
        return ""
    if search.file is None or alignment is None:
        return search.reason or ""
    part = alignment.part
    bars = "all of it" if part is None else part.where or bars_in_words(part.first, part.last)
    return f"score found: {search.file}, {bars}"


def _on_the_search(assessment: Assessment) -> list[str]:
    search = assessment.inputs.score_search
    if search is None or not search.alike:
        return []
    return [f"As well as {search.file} there fits {', '.join(search.alike)}; name one with --score"]


def played_bars(part: PlayedBars) -> str:
    """Which bars of the score were played, where it was not all of them."""
    bars = part.where or bars_in_words(part.first, part.last)
    return f"{bars[:1].upper()}{bars[1:]} of {part.n_bars} were played"


def _on_the_transcriber(assessment: Assessment) -> list[str]:
    """That the figures of another transcriber were used, where they were."""
    inputs = assessment.inputs
    if inputs.transcription_loss is None or inputs.transcriber == inputs.transcription_loss:
        return []
    other = "whatever transcribed these notes" if inputs.transcriber is None else "this transcriber"
    return [
        f"Ratings are corrected, and intervals widened, for what {inputs.transcription_loss} misses; it is "
        f"not known what {other} misses"
    ]


def _on_the_music(assessment: Assessment) -> list[str]:
    music, total = assessment.inputs.music, assessment.inputs.audio.duration_sec
    recording = assessment.inputs.recording
    if music is None or total is None or (recording is not None and recording.is_cut):
        return []
    cut = [(music.start_sec, "before"), (total - music.end_sec, "after")]
    said = [f"{sec:.0f} s {side} the music" for sec, side in cut if sec >= _WORTH_SAYING_SEC]
    return [f"Not rated: {' and '.join(said)}"] if said else []
