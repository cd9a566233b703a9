"""Where in a recording the music is: from the first struck note to the end of the last sound."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.data.sources import SHORTEST_SEC
from tocco.errors import InputError
from tocco.music.performance import PEDAL_DOWN, Performance
from tocco.units import FloatArray

LEAD_SEC: Final = 0.05
"""The hammer is heard so little before the time of its note, by which clocks differ as well."""

DECAY_SEC: Final = 1.0
"""A damped string and the room are heard for about so long after the damper has fallen."""

LONGEST_RING_SEC: Final = 10.0
"""Under a pedal that stays down, strings of the middle register have died away after about so long."""


def music_span(performance: Performance, sound_sec: float) -> tuple[float, float]:
    """Start and end of the music on the clock of the recording.

    The end is that of the last note to fall silent: its release, or the release of a sustain pedal that is
    down then (at most `LONGEST_RING_SEC` later), and `DECAY_SEC` more.

    Parameters
    ----------
    performance : at least one note
    sound_sec : length of the recording in seconds; the music lies within

    Raises
    ------
    InputError
        The music is too short to be rated.
    """
    start = max(0.0, float(performance.onset_sec.min()) - LEAD_SEC)
    end = min(sound_sec, float(_silent_sec(performance).max()) + DECAY_SEC)
    if end - start < SHORTEST_SEC:
        raise InputError(
            performance.source or "performance",
            f"holds {max(end - start, 0.0):.1f} s of music",
            allowed=f"{SHORTEST_SEC:.0f} s to 3 h",
            next_step="give a longer excerpt",
        )
    return start, end


def _silent_sec(performance: Performance) -> FloatArray:
    """(N,) when the damper falls on each note."""
    released, pedal = performance.offset_sec, performance.sustain
    lifted = pedal.time_sec[pedal.value < PEDAL_DOWN]
    following = np.append(lifted, np.inf)[np.searchsorted(lifted, released)]
    held = np.minimum(following, released + LONGEST_RING_SEC)
    return np.where(pedal.at(released) >= PEDAL_DOWN, held, released)
