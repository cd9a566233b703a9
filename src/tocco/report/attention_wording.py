"""What the network's attention means and what it does not: the same words in report and pictures."""

from __future__ import annotations

from typing import Final, Protocol

import numpy as np

from tocco.inference.assessment import Curve
from tocco.inference.attention import Attention
from tocco.report.wording import clock

EVEN: Final = (0.8, 1.25)
"""Attention within this range all through is called almost even; a second outside it is named."""

LEAST_RANGE: Final = 2.0
"""An axis goes at least from half to twice an even share: attention that is almost even is seen to be."""

_NO_REASON: Final = (
    "Where the network looked is not why a rating is high or low; what is weak is named by the findings and "
    "shown by the ratings over time."
)


class WithCurve(Protocol):
    """A performance with ratings over time, such as an assessment."""

    @property
    def curve(self) -> Curve:
        """Ratings over time."""
        ...


def attention_meaning(performance: WithCurve, attention: Attention) -> str:
    """What is shown, and what it comes to in this performance."""
    time_sec = performance.curve.time_sec
    known = [(v, t) for v, t in zip(attention.curve, time_sec, strict=True) if v is not None]
    (low, _), (high, at_sec) = min(known), max(known)
    shown = (
        f"How much the network looked at each second, compared with an even share within the "
        f"{attention.window_sec:.0f} s that it reads at once: {_times(low)} to {_times(high)} times"
    )
    if EVEN[0] <= low and high <= EVEN[1]:
        return f"{shown}, which is almost even: no second stands out."
    return f"{shown}, most at {clock(at_sec)}."


def attention_limits(attention: Attention) -> str:
    """What must not be read into it."""
    if attention.network_share == 0.0:
        weight = "0: it only shapes the ratings over time"
    else:
        weight = f"{100 * attention.network_share:.0f} %"
    return f"{_NO_REASON} The network's own weight in the ratings is {weight}."


def _times(ratio: float) -> str:
    """A multiple with two digits behind the point, fewer where it is large.

    >>> _times(0.984), _times(12.34)
    ('0.98', '12.3')
    """
    return f"{ratio:.2f}" if ratio < 10 else f"{ratio:.1f}"


def attention_range(attention: Attention) -> float:
    """Multiple of an even share at the upper end of an axis, its inverse at the lower: 2, 4 or 8."""
    known = np.array([v for v in attention.curve if v is not None])
    farthest = float(np.exp(np.abs(np.log(np.maximum(known, 1e-3))).max(initial=0.0)))
    return next(most for most in (LEAST_RANGE, 4.0, 8.0) if farthest <= most or most == 8.0)
