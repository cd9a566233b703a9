"""Where the notes of a MusicXML bar stand, when the file's steps back and forth leave the bar.

MusicXML writes one voice of a bar after the other. Between two voices a `<backup>` steps back, and a
`<forward>` steps over time in which a voice is silent. No step may leave the bar (MusicXML 4.0, element
backup), yet MuseScore writes such steps: hidden notes that it has put far ahead of the bar take it there
with a backup of hundreds of beats, and a forward of as many brings it back; and where the rounded
durations of a tuplet add up to a little less than its beats, the way back is a little too long.
"""

from __future__ import annotations

from typing import Any

from lxml import etree  # pyright: ignore[reportAttributeAccessIssue]  # compiled, ships no stubs

_STEPS = ("backup", "forward")


def keep_cursor_in_bars(root: Any) -> None:
    """Rewrite the steps of every bar so that none leaves it, in place.

    Parameters
    ----------
    root : the tree's `score-partwise` element, durations in whole numbers

    Notes
    -----
    The file's own place is followed past the bar line: a step that leads ahead of the bar and one that
    leads back cancel, and what comes after stands where the file says. What would stand ahead of the bar
    itself is moved as little as its voice allows: its first note to the start of the bar, the following
    ones in their order and their lengths after it.

    A step of a negative number leads the other way. A forward lengthens a bar as a rest does, one that
    only makes up for a step ahead of the bar does not. A bar whose steps stay inside is left as it is.
    """
    for measure in root.iter("measure"):
        _keep_cursor_in(measure)


def _keep_cursor_in(measure: Any) -> None:
    place = 0
    ahead = 0
    chord_end = None
    for element in list(measure):
        if element.tag == "note":
            if element.find("chord") is None or chord_end is None:
                chord_end = place + int(element.findtext("duration") or 0)
            place = chord_end
        elif element.tag in _STEPS:
            size = int(element.findtext("duration") or 0)
            step = size if element.tag == "forward" else -size
            target = _target(place, ahead, step)
            ahead += target - place - step
            if target - place != step or size < 0:
                _rewrite(element, target - place)
            place = target


def _target(place: int, ahead: int, step: int) -> int:
    """Where a step leads inside the bar, in divisions from its start.

    Parameters
    ----------
    place : >= 0
        Where the next note would stand without the step.
    ahead : >= 0
        How far ahead of that the file itself is.
    step : negative steps back
    """
    said = place - ahead + step
    if said >= 0:
        return said
    return max(place + step, 0) if step < 0 else place


def _rewrite(element: Any, step: int) -> None:
    """Make a backup or forward take another step; one of nothing goes."""
    if step == 0:
        element.getparent().remove(element)
        return
    element.tag = "forward" if step > 0 else "backup"
    duration = element.find("duration")
    if duration is None:
        duration = etree.SubElement(element, "duration")
    duration.text = str(abs(step))
