"""A stream of sound as overlapping windows; no more than one window and one block is held."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.audio.transcription.transkun.network import HOP_SAMPLES, NETWORK_RATE_HZ
from tocco.units import SAMPLE_RATE_HZ, FloatArray

WINDOW_FRAMES: Final = 690
"""16.0 s, which the network was trained with."""

HOP_FRAMES: Final = 560
"""13.0 s from window to window, which leaves an overlap of 3.0 s."""

LEAD_FRAMES: Final = 43
"""1.0 s of silence before the recording and after it, so that its first and last notes have an edge."""


@dataclass(frozen=True, eq=False)
class SoundWindow:
    """One window of sound.

    Attributes
    ----------
    start_sec : on the clock of the recording; the first window starts before it
    sound : (S,) mono at 44.1 kHz
    """

    start_sec: float
    sound: FloatArray

    @property
    def end_sec(self) -> float:
        """Where it ends."""
        return self.start_sec + len(self.sound) / NETWORK_RATE_HZ


def sound_windows(blocks: Iterable[FloatArray], lead_frames: int = LEAD_FRAMES) -> Iterator[SoundWindow]:
    """The windows of a recording, all of one length.

    The last one is shifted back to end with the recording; silence fills up a recording that is shorter than
    a window. In windows of another length than those of its training, the network misses notes.

    Parameters
    ----------
    blocks : (n,) mono at 24 kHz each
    lead_frames : silence before the recording
    """
    window, hop = WINDOW_FRAMES * HOP_SAMPLES, HOP_FRAMES * HOP_SAMPLES
    held = np.zeros(lead_frames * HOP_SAMPLES, np.float32)  # from the window before the next one on
    start, following = -len(held), -len(held)
    for block in _with_silence(_at_network_rate(blocks)):
        held = np.concatenate([held, block])
        while start + len(held) > following + window:
            yield _window(held, start, following)
            held = held[following - start :]
            start, following = following, following + hop
    held = np.pad(held, (0, max(0, window - len(held))))
    yield _window(held, start, start + len(held) - window)


def _window(held: FloatArray, start: int, following: int) -> SoundWindow:
    at = following - start
    return SoundWindow(following / NETWORK_RATE_HZ, held[at : at + WINDOW_FRAMES * HOP_SAMPLES])


def _at_network_rate(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    import soxr

    resampler = soxr.ResampleStream(SAMPLE_RATE_HZ, NETWORK_RATE_HZ, 1, dtype="float32", quality="HQ")
    for block in blocks:
        yield resampler.resample_chunk(np.asarray(block, np.float32))
    yield resampler.resample_chunk(np.zeros(0, np.float32), last=True)


def _with_silence(blocks: Iterable[FloatArray]) -> Iterator[FloatArray]:
    yield from blocks
    yield np.zeros(LEAD_FRAMES * HOP_SAMPLES, np.float32)
