"""The first three sentences: what was rated and from what, the result, and how far to trust it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tocco.inference.assessment import Assessment
from tocco.inference.evidence import InputFile
from tocco.report.wording import clock, points, title, transcribed_by


def heard_file(assessment: Assessment) -> InputFile:
    """The file that the performance is called by: the recording where there is one."""
    inputs = assessment.inputs
    return inputs.audio if inputs.audio.origin == "given" else inputs.midi


def summary(assessment: Assessment) -> list[str]:
    """Three sentences; the second says why where nothing was rated."""
    return [_what(assessment), _result(assessment), _trust(assessment)]


_SOURCES: Final[Mapping[tuple[str, str], str]] = {
    ("recorded", "keys"): "from the recording and the MIDI of the keys",
    (
        "recorded",
        "transcribed",
    ): "from the recording and notes that were transcribed from sound, so soft notes, "
    "releases and pedal are less sure",
    ("rendered", "keys"): "from the MIDI of the keys alone: its sound was rendered, so nothing here is about "
    "instrument or room",
    (
        "rendered",
        "transcribed",
    ): "from transcribed notes alone: their sound was rendered, so nothing here is about "
    "instrument or room, and soft notes, releases and pedal are less sure",
}
"""Where the sound and where the notes come from -> how that is said."""


def _what(assessment: Assessment) -> str:
    inputs = assessment.inputs
    music = inputs.music
    length = "" if music is None else f" ({clock(music.end_sec - music.start_sec)} of music)"
    score = "without a score" if inputs.score is None else f"beside the score {inputs.score.name}"
    source = _SOURCES[inputs.sound, inputs.notes]
    if inputs.transcriber is not None:
        source = (
            f"from the recording alone: its notes were {transcribed_by(inputs.transcriber)}, "
            "so soft notes, releases and pedal are less sure"
        )
    verb = "examined" if assessment.abstained else "rated"
    return f"{heard_file(assessment).name}{length} was {verb} {score}, {source}."


def _result(assessment: Assessment) -> str:
    if assessment.abstained:
        return f"Nothing was rated by the model: {'; '.join(assessment.abstained_reasons)}."
    total = assessment.aggregate
    if total.value is None:
        return f"There is no overall mark ({total.reason})."
    said = f"The weighted mean of its ratings is {points(total.value)} of 100"
    if total.interval_90 is None:
        return f"{said}."
    low, high = total.interval_90
    return f"{said}, with an interval from {low:.0f} to {high:.0f}."


def _trust(assessment: Assessment) -> str:
    learned = [
        one
        for one in assessment.ratings.values()
        if one.source in ("model", "combined") and one.interval_90 is not None
    ]
    counted = [title(name).lower() for name, one in assessment.ratings.items() if one.source == "rule"]
    parts = []
    if learned:
        width = sum(one.interval_90[1] - one.interval_90[0] for one in learned if one.interval_90) / len(
            learned
        )
        parts.append(
            f"{len(learned)} ratings are learned from raters, with intervals {width:.0f} points wide on "
            "average: a few points more or less say nothing"
        )
    if counted:
        verb = "is" if len(counted) == 1 else "are"
        notes = "transcribed notes" if assessment.inputs.notes == "transcribed" else "MIDI"
        parts.append(f"{', '.join(counted)} {verb} computed from {notes} and score")
    if not parts:
        parts.append("what was measured of the playing is shown below, without a grade")
    said = "; ".join(parts)
    return f"{said[:1].upper()}{said[1:]}."
