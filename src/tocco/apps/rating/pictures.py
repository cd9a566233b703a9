"""The pictures of a segment, or of all: `python -m tocco.apps.rating.pictures FOLDER [ID]`.

Reading scores and recordings takes memory and time that a server of many raters has not.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any, Final

import numpy as np

from tocco.apps.rating.score_following import score_of
from tocco.errors import ToccoError
from tocco.files import write_bytes
from tocco.labelling import media
from tocco.labelling.project import Project, read_project
from tocco.music.names import key_name
from tocco.report.page.material import STATUSES, Notes
from tocco.report.page.roll import KEY_PX, keys_around, note_paths
from tocco.report.page.svg import element, joined, number
from tocco.report.page.timeline import Axis, pedal_outline, waveform

VERSION: Final = 1
"""Of the files; a change of what is drawn makes them anew."""

WIDTH: Final = 1000
"""Of every picture, in its own units: pages stretch it to their width."""

_WAVE_HEIGHT: Final = 80.0
_PEDAL_HEIGHT: Final = 20.0
_N_PEAKS: Final = 500


def pictures_path(project: Project, segment_id: str) -> Path:
    """Where the pictures of a segment are kept; the name shows nothing of it."""
    record = project.record(segment_id)
    sources = (record.audio_path, record.midi_path, record.score_path, record.start_time, record.end_time)
    name = hashlib.sha256(f"{VERSION}|{sources}".encode()).hexdigest()[:24]
    return project.folder / "pictures" / f"{name}.json"


def draw(project: Project, segment_id: str) -> dict[str, Any]:
    """Everything that is shown of a segment.

    Returns
    -------
    "wave", "roll", "pedal": markup, `WIDTH` units wide; the last two are "" without MIDI.
    "octaves": [share of the height from the top, name] of each C in the roll. "score": as of `score_of`.

    Raises
    ------
    InputError
        A file of the segment cannot be used.
    OutputError
        The project's folder cannot be written to.
    """
    wave = waveform(media.peaks(project, segment_id, _N_PEAKS), WIDTH, _WAVE_HEIGHT, _N_PEAKS)
    return {
        "wave": str(_stretched("wave", _WAVE_HEIGHT, wave)),
        **_notes(media.piano_roll(project, segment_id)),
        "score": score_of(project.record(segment_id)),
    }


def _notes(roll: media.PianoRoll | None) -> dict[str, Any]:
    if roll is None:
        return {"roll": "", "pedal": "", "octaves": []}
    axis = Axis(roll.duration_sec, WIDTH / roll.duration_sec)
    low, high = keys_around(roll.pitch.tolist())
    height = KEY_PX * (high - low + 1)
    status = np.full(len(roll.pitch), STATUSES.index("other"))
    notes = Notes(roll.onset_sec, roll.offset_sec, roll.pitch, roll.velocity, status, roll.sustain)

    def y(pitch: float) -> float:
        return KEY_PX * (high - pitch)

    octaves = [pitch for pitch in range(low, high + 1) if pitch % 12 == 0]
    grid = [element("path", class_="grid", d=f"M0 {number(y(one) + KEY_PX)}H{WIDTH}") for one in octaves]
    pedal = ""
    if len(roll.sustain):
        outline = pedal_outline(roll.sustain, axis, _PEDAL_HEIGHT)
        pedal = str(_stretched("pedal", _PEDAL_HEIGHT, element("path", class_="pedal", d=outline)))
    return {
        "roll": str(_stretched("roll", height, joined([*grid, *note_paths(notes, axis, y)]))),
        "pedal": pedal,
        "octaves": [[round((y(one) + KEY_PX / 2) / height, 4), key_name(one)] for one in octaves],
    }


def _stretched(name: str, height: float, content: Any) -> Any:
    """A picture that fills whatever box it is put into."""
    return element(
        "svg",
        content,
        viewBox=f"0 0 {WIDTH} {number(height)}",
        preserveAspectRatio="none",
        class_=f"lane {name}",
        aria_hidden="true",
    )


def write_pictures(project: Project, segment_id: str) -> None:
    """Draw a segment and store the pictures. Raises as `draw`."""
    content = json.dumps(draw(project, segment_id), separators=(",", ":"))
    write_bytes(pictures_path(project, segment_id), content.encode())


def main(folder: str, segment_id: str | None = None) -> int:
    """Draw one segment, or in the background all that have not been drawn; an error is one line.

    A segment of all that cannot be drawn is passed over: it is reported when it is asked for.
    """
    try:
        project = read_project(Path(folder))
        if segment_id is not None:
            write_pictures(project, segment_id)
            return 0
    except ToccoError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    if hasattr(os, "nice"):
        os.nice(10)
    for one in project.segments:
        if not pictures_path(project, one).exists():
            with contextlib.suppress(ToccoError):
                write_pictures(project, one)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
