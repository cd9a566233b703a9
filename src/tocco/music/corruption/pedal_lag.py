"""The usual pedal lag: how long after the bass a player lifts the sustaining pedal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.corruption.context import Context
from tocco.units import BoolArray, FloatArray

USUAL_LAG_SEC: Final = 0.04
"""In legato pedalling the pedal is lifted with the new bass or just after it (Banowetz 1985, The Pianist's
Guide to Pedaling; Repp 1996, "Pedal timing and tempo in expressive piano performance")."""

AROUND_SEC: Final = 0.5
"""A bass is the lowest of what is struck in this time before and after it."""

REACH_SEC: Final = 0.6
"""A lift that is farther from any bass belongs to none."""

FEWEST_LAGS: Final = 8

MOST_AHEAD_SEC: Final = 0.1
"""In direct (rhythmic) pedalling the pedal is lifted before the new harmony and pressed with it. Lifted
later, it would be legato pedalling, which is no fault; and what rings into a rest is not cut off by an
earlier lift."""

MOST_STRAY_SEC: Final = 0.4
"""Where the middle half of the lifts strays farther, the pedal follows something else than the bass, and none
of its movements can be called late or early."""


@dataclass(frozen=True)
class PedalLag:
    """Where the lifts of a performance lie against its bass.

    Attributes
    ----------
    lag_sec : seconds, median; below 0 before the bass
    stray_sec : seconds from the first to the third quartile
    """

    lag_sec: float
    stray_sec: float


def measure_pedal_lag(context: Context, released_sec: FloatArray) -> PedalLag:
    """Measure the usual lag of a pedal that joins one harmony to the next.

    Parameters
    ----------
    context
    released_sec : (P,) seconds, ascending; inf for a pedal that is never lifted

    Raises
    ------
    InputError
        Too few lifts are near a bass, they come ahead of it by habit, or they do not follow it.
    """
    lags = lags_of_lifts(context, released_sec[np.isfinite(released_sec)])
    if len(lags) < FEWEST_LAGS:
        raise _refusal(
            context, f"lifts the sustaining pedal {len(lags)} times near a bass", f"at least {FEWEST_LAGS}"
        )
    first, middle, third = np.percentile(lags, [25, 50, 75])
    lag = PedalLag(float(middle), float(third - first))
    if lag.lag_sec < -MOST_AHEAD_SEC:
        raise _refusal(
            context,
            f"lifts the sustaining pedal {-lag.lag_sec:.2f} s ahead of the bass: it is pedalled directly",
            f"at most {MOST_AHEAD_SEC:g} s ahead",
        )
    if lag.stray_sec > MOST_STRAY_SEC:
        raise _refusal(
            context,
            f"has lifts of the sustaining pedal that stray {lag.stray_sec:.2f} s about the bass",
            f"at most {MOST_STRAY_SEC:g} s between the quartiles",
        )
    return lag


def lags_of_lifts(context: Context, lifted_sec: FloatArray) -> FloatArray:
    """Time from the nearest bass to each lift.

    Parameters
    ----------
    context
    lifted_sec : (K,) seconds

    Returns
    -------
    (L,) seconds, at most 0.6 either way; of the lifts that are so near to one
    """
    bass_sec = np.concatenate(([-np.inf], context.group_sec[_is_bass(context)], [np.inf]))
    after = np.searchsorted(bass_sec, lifted_sec)
    since, until = lifted_sec - bass_sec[after - 1], bass_sec[after] - lifted_sec
    lag = np.where(since <= until, since, -until)
    return lag[np.abs(lag) <= REACH_SEC]


def _is_bass(context: Context) -> BoolArray:
    """(G,) whether nothing lower is struck within half a second of each chord."""
    played = context.performance
    starts = np.flatnonzero(np.diff(context.group_of, prepend=-1))
    lowest = np.minimum.reduceat(played.pitch, starts)
    first = np.searchsorted(played.onset_sec, context.group_sec - AROUND_SEC)
    last = np.searchsorted(played.onset_sec, context.group_sec + AROUND_SEC, side="right")
    around = [played.pitch[a:b].min() for a, b in zip(first, last, strict=True)]
    return lowest <= np.array(around)


def _refusal(context: Context, problem: str, allowed: str) -> InputError:
    return InputError(
        context.performance.source or "performance",
        problem,
        allowed=allowed,
        next_step="choose another corruption for this piece",
    )
