"""How often somebody may ask: a token bucket for each person and kind of request."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

_MOST_BUCKETS: Final = 10_000
"""Buckets of those who asked last; an older one has long been full again."""


@dataclass(frozen=True)
class Rate:
    """So many requests in so many seconds, all at once if need be.

    Attributes
    ----------
    count : size of the bucket
    seconds : in which an empty bucket fills up
    """

    count: int
    seconds: float


@dataclass
class Buckets:
    """Token buckets by key (Turner, 1986: "leaky bucket as a meter").

    Attributes
    ----------
    clock : seconds, never going back
    """

    clock: Callable[[], float] = time.monotonic
    _state: OrderedDict[tuple[str, ...], tuple[float, float]] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait_sec(self, key: tuple[str, ...], rate: Rate) -> float:
        """Take one token.

        Returns
        -------
        seconds, >= 0
            Zero where there was one, else the time until there is one again.
        """
        with self._lock:
            now = self.clock()
            tokens, before = self._state.pop(key, (float(rate.count), now))
            tokens = min(rate.count, tokens + (now - before) * rate.count / rate.seconds)
            is_allowed = tokens >= 1.0
            self._state[key] = (tokens - 1.0 if is_allowed else tokens, now)
            while len(self._state) > _MOST_BUCKETS:
                self._state.popitem(last=False)
            return 0.0 if is_allowed else (1.0 - tokens) * rate.seconds / rate.count
