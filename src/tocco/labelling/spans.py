"""Spans of a segment that were heard."""

from __future__ import annotations

from collections.abc import Iterable


def merged(
    spans: Iterable[tuple[float, float]], duration_sec: float, join_sec: float = 0.05
) -> tuple[tuple[float, float], ...]:
    """Disjoint spans, ascending, within the segment.

    Parameters
    ----------
    spans : (start, end) in seconds, in any order; those that end before they start are left out
    duration_sec : of the segment
    join_sec
        Gaps up to this are closed: players report positions a few hundredths of a second apart.

    Examples
    --------
    >>> merged([(4.0, 9.0), (0.0, 5.0), (12.0, 99.0)], 20.0)
    ((0.0, 9.0), (12.0, 20.0))
    """
    inside = sorted((max(0.0, start), min(end, duration_sec)) for start, end in spans)
    result: list[tuple[float, float]] = []
    for start, end in inside:
        if end <= start:
            continue
        if result and start <= result[-1][1] + join_sec:
            result[-1] = (result[-1][0], max(result[-1][1], end))
        else:
            result.append((start, end))
    return tuple(result)


def share_of(spans: Iterable[tuple[float, float]], duration_sec: float) -> float:
    """Share of a segment that disjoint spans cover, 0 to 1.

    >>> share_of([(0.0, 9.0), (12.0, 20.0)], 20.0)
    0.85
    """
    return min(1.0, sum(end - start for start, end in spans) / duration_sec)
