"""Transcription of a stream of sound by transkun, with what is done kept for another run."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch

from tocco.audio.transcription.transcriber import OnHeard, no_notes
from tocco.audio.transcription.transkun.network import SOFT_KEY, SUSTAIN_KEY, TranskunNetwork
from tocco.audio.transcription.transkun.sound_windows import SoundWindow, sound_windows
from tocco.audio.transcription.transkun.stitching import stitched
from tocco.audio.transcription.transkun.weights import load_network, weights_path
from tocco.audio.transcription.transkun.window import Heard, WindowHeard, hear_window
from tocco.audio.transcription.transkun.window_file import WindowFile
from tocco.music.performance import PedalCurve, Performance
from tocco.units import FloatArray

SHORTEST_NOTE_SEC: Final = 0.01
"""A note that would be shorter, or end where it begins, lasts so long."""

PEDAL_VALUE: Final = 127.0
"""Of a pressed pedal: how far it is down cannot be heard."""


class Transkun:
    """The notes and pedals of a piano recording by transkun 2.0.

    Parameters
    ----------
    device : of torch; by default the GPU where there is one

    Raises
    ------
    MissingPartError
        Its weights are not installed.
    """

    def __init__(self, device: str | None = None) -> None:
        weights_path()
        self._device = torch.device(device or ("cuda" if torch.cuda.is_available() else "cpu"))

    @property
    def version(self) -> str:
        """Name and release of the weights."""
        return "transkun 2.0.1"

    def transcribe(
        self,
        blocks: Iterable[FloatArray],
        source: str,
        *,
        on_heard: OnHeard | None = None,
        partial: Path | None = None,
    ) -> Performance:
        """The notes and pedals of a recording, as of `Transcriber.transcribe`.

        Memory does not grow with the length of the recording, but for its notes.
        """
        network = _network(self._device)
        kept = WindowFile(partial)
        heard = list(stitched(_heard_windows(network, sound_windows(blocks), kept, on_heard)))
        performance = performance_of(heard, source)
        if performance is None:
            raise no_notes(source)
        return performance


@functools.lru_cache(maxsize=1)
def _network(device: torch.device) -> TranskunNetwork:
    return load_network(device)


def _heard_windows(
    network: TranskunNetwork, windows: Iterable[SoundWindow], kept: WindowFile, on_heard: OnHeard | None
) -> Iterator[WindowHeard]:
    for window in windows:
        heard = kept.found(window.start_sec)
        if heard is None:
            heard = hear_window(network, window.sound, window.start_sec)
            kept.add(heard)
        if on_heard is not None:
            on_heard(max(window.end_sec, 0.0))
        yield heard


def performance_of(events: Sequence[Heard], source: str) -> Performance | None:
    """Events as a performance; None where there is no note among them.

    Notes of one key do not overlap, and nothing is earlier than 0 s.
    """
    notes = sorted((e for e in events if e.key > 0), key=lambda e: (e.key, e.onset_sec))
    if not notes:
        return None
    key = np.array([e.key for e in notes])
    onset = np.maximum([e.onset_sec for e in notes], 0.0)
    offset = np.maximum([e.offset_sec for e in notes], onset + SHORTEST_NOTE_SEC)
    is_followed = np.append(key[1:] == key[:-1], False)
    following = np.append(onset[1:], np.inf)
    has_room = ~(is_followed & (following - onset < SHORTEST_NOTE_SEC))
    offset = np.where(is_followed, np.minimum(offset, following), offset)
    order = np.lexsort((key, onset))
    order = order[has_room[order]]
    velocity = np.clip([e.velocity for e in notes], 1, 127)
    sustain, soft = (_pedal([e for e in events if e.key == k]) for k in (SUSTAIN_KEY, SOFT_KEY))
    ends = [float(offset[order].max()), *(float(p.time_sec[-1]) for p in (sustain, soft) if len(p))]
    return Performance(
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=key[order],
        velocity=velocity[order],
        sustain=sustain,
        sostenuto=PedalCurve(),
        soft=soft,
        duration_sec=max(ends),
        source=source,
        origin="transcribed",
    )


def _pedal(presses: Sequence[Heard]) -> PedalCurve:
    """Presses of a pedal as its curve; those that touch are one."""
    time: list[float] = []
    for press in sorted(presses, key=lambda e: e.onset_sec):
        down, up = max(press.onset_sec, 0.0), press.offset_sec
        if time and down <= time[-1]:
            time[-1] = max(time[-1], up)
        elif up > down:
            time += [down, up]
    return PedalCurve(np.array(time), np.tile([PEDAL_VALUE, 0.0], len(time) // 2))
