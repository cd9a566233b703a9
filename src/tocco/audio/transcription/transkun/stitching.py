"""Windows that overlap, joined without a note doubled or cut.

Two neighbours meet at a seam within their overlap, as far as possible from any onset. A note is that of the
window on whose side it begins; one that sounds across the seam ends where the later window hears its end.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np

from tocco.audio.transcription.transkun.window import Heard, WindowHeard

EDGE_SHARE: Final = 0.25
"""Share of the overlap at each end without a seam: what begins there is heard with too little around it."""

SAME_STRIKE_SEC: Final = 0.05
"""Two onsets of one key on both sides of a seam, and no further apart, are one strike."""


def stitched(windows: Iterable[WindowHeard]) -> Iterator[Heard]:
    """The events of a recording.

    Parameters
    ----------
    windows : by time; each begins before the last one ends

    Yields
    ------
    Events with onset and offset, ordered within a window, as soon as their end is known.
    """
    left: WindowHeard | None = None
    for right in windows:
        if left is None:
            left = right
            continue
        done, left = _joined(left, right)
        yield from done
    if left is not None:
        yield from (event for event in left.events if event.has_onset)


def seam_sec(left: WindowHeard, right: WindowHeard) -> float:
    """Where two neighbours meet: the middle of the longest time without an onset in their overlap."""
    edge = EDGE_SHARE * (left.end_sec - right.start_sec)
    first, last = right.start_sec + edge, left.end_sec - edge
    onsets = [event.onset_sec for window in (left, right) for event in window.events]
    inside = sorted(onset for onset in onsets if first < onset < last)
    bounds = np.array([first, *inside, last])
    longest = int(np.argmax(np.diff(bounds)))
    return float((bounds[longest] + bounds[longest + 1]) / 2)


def _joined(left: WindowHeard, right: WindowHeard) -> tuple[list[Heard], WindowHeard]:
    """What is known for good, and the later window with what goes on into it."""
    seam = seam_sec(left, right)
    before = [event for event in left.events if event.onset_sec < seam and event.has_onset]
    done = [event for event in before if event.offset_sec <= seam and event.has_offset]
    across = [event for event in before if event.offset_sec > seam or not event.has_offset]
    carried = [_ended(event, right, seam) for event in across]
    struck = {event.key: event.onset_sec for event in before}
    later = {event.key: event.onset_sec for event in reversed(left.events) if event.onset_sec >= seam}
    after = [
        event
        for event in right.events
        if event.onset_sec - struck.get(event.key, -np.inf) > SAME_STRIKE_SEC
        and (event.onset_sec >= seam or _is_same_strike(event, later.get(event.key)))
    ]
    joined = sorted([*carried, *after], key=lambda event: (event.onset_sec, event.key))
    return done, WindowHeard(right.start_sec, right.end_sec, tuple(joined))


def _is_same_strike(event: Heard, later_sec: float | None) -> bool:
    """Whether a note that the later window hears before the seam is one that the earlier hears after it."""
    return event.has_onset and later_sec is not None and later_sec - event.onset_sec <= SAME_STRIKE_SEC


def _ended(event: Heard, right: WindowHeard, seam: float) -> Heard:
    """A note that sounds at the seam, with the end that the later window hears."""
    same = [
        other
        for other in right.events
        if other.key == event.key and other.onset_sec < seam < other.offset_sec
    ]
    if same:
        return event._replace(offset_sec=same[0].offset_sec, has_offset=same[0].has_offset)
    return event._replace(has_offset=True)
