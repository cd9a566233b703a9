"""The engraved bars of a segment, and when each printed note sounds; no mark says what was wrong."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from tocco.data.records import LabelRecord
from tocco.errors import InputError, MismatchError
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.numbered_score import NumberedScore, number_of, read_numbered_score
from tocco.music.performance import Performance
from tocco.report.engraving.engraver import NotEngravedError, View, engrave
from tocco.report.engraving.engraving import systems_of
from tocco.report.engraving.glyphs import Glyphs
from tocco.report.engraving.picture import plain_system
from tocco.report.page.svg import joined

NO_NOTATION: Final = "The score is a MIDI file, which holds no notation."
NOT_FOLLOWED: Final = "The score does not follow the sound: the notes that were played do not fit it."

SYSTEM_WIDTH: Final = 1400
"""In the engraver's units: two thirds of a printed one, since the score stands beside the ratings."""

_UNKNOWN_SEC: Final = 0.4
"""A written note that was not played is shown for so long."""


def score_of(record: LabelRecord) -> dict[str, Any] | None:
    """The score of a segment for a page.

    Returns
    -------
    None for a segment without a score. Else "svg" and "definitions", markup, "" where the score is not
    engraved; "events", four numbers for each time that a printed note sounds: its number, start and
    duration in ms of the segment, 0; "remark", a sentence on what is missing, or "".

    Raises
    ------
    InputError
        Score or MIDI cannot be read.
    """
    if record.score_path is None:
        return None
    numbered = read_numbered_score(record.score_path)
    if numbered.musicxml is None:
        return {"svg": "", "definitions": "", "events": [], "remark": NO_NOTATION}
    found = _aligned(record, numbered)
    view, events = (View(width=SYSTEM_WIDTH), []) if found is None else _events(record, numbered, *found)
    glyphs = Glyphs()
    try:
        (pictures,) = engrave(numbered.musicxml, [view])
    except NotEngravedError as reason:
        return {"svg": "", "definitions": "", "events": [], "remark": f"The score is not engraved: {reason}."}
    names = _bar_names(numbered)
    systems = [plain_system(system, names, SYSTEM_WIDTH) for system in systems_of(pictures, view, glyphs)]
    return {
        "svg": str(joined(systems)),
        "definitions": str(glyphs.definitions()),
        "events": events,
        "remark": "" if events else NOT_FOLLOWED,
    }


def _aligned(record: LabelRecord, numbered: NumberedScore) -> tuple[Performance, Alignment] | None:
    if record.midi_path is None:
        return None
    performance = load_midi(record.midi_path)
    try:
        return performance, align_performance_to_score(performance, numbered.readings)
    except (MismatchError, InputError):
        return None


def _events(
    record: LabelRecord, numbered: NumberedScore, performance: Performance, alignment: Alignment
) -> tuple[View, list[int]]:
    """The bars that are played in the segment, and its events."""
    start, end = record.start_time, record.end_time or performance.duration_sec
    score, note = alignment.match[:, 0], alignment.match[:, 1]
    written = np.concatenate([score, alignment.deletion])
    onset = np.concatenate([performance.onset_sec[note], alignment.due_sec(alignment.deletion)])
    unplayed = np.full(len(alignment.deletion), _UNKNOWN_SEC)
    lasts = np.concatenate([(performance.offset_sec - performance.onset_sec)[note], unplayed])
    inside = np.flatnonzero((onset >= start) & (onset < end))
    rows, places = [], set()
    for k in inside[np.argsort(onset[inside], kind="stable")]:
        number = number_of(alignment.score.note_id[written[k]])
        if number is not None:
            rows += [
                number,
                round(1000.0 * float(onset[k] - start)),
                max(round(1000.0 * float(lasts[k])), 1),
                0,
            ]
            places.add(numbered.bar_of_note[number])
    if not places:
        return View(width=SYSTEM_WIDTH), []
    return View((min(places), max(places)), SYSTEM_WIDTH), rows


def _bar_names(numbered: NumberedScore) -> Mapping[int, str]:
    """Place of a bar in the file -> its printed number; bars without notes are left out."""
    names: dict[int, str] = {}
    for reading in numbered.readings:
        for bar, name in zip(reading.bar.tolist(), reading.note_id, strict=True):
            number = number_of(name)
            if number is not None:
                names.setdefault(numbered.bar_of_note[number], reading.bar_name[bar])
    return names
