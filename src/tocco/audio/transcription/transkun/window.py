"""What is heard in one window of sound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from tocco.audio.transcription.transkun.intervals import best_intervals
from tocco.audio.transcription.transkun.network import (
    FRAME_SAMPLES,
    FRAME_SEC,
    HEARD_KEYS,
    HOP_SAMPLES,
    TranskunNetwork,
)
from tocco.units import FloatArray, amplitude_from_db

SILENT_PEAK_DBFS: Final = -75.0
"""A window without a sample above this holds no note, and is not listened to."""


class Heard(NamedTuple):
    """A note or a press of a pedal.

    Attributes
    ----------
    key : MIDI pitch; negative for a pedal
    onset_sec, offset_sec : on the clock of the recording
    velocity : 0..127
    has_onset, has_offset : whether it begins and ends within what was listened to
    log_odds : of the interval against silence in its place
    """

    key: int
    onset_sec: float
    offset_sec: float
    velocity: int
    has_onset: bool
    has_offset: bool
    log_odds: float


@dataclass(frozen=True)
class WindowHeard:
    """What was heard in a window.

    Attributes
    ----------
    start_sec, end_sec : of the window, on the clock of the recording
    events : by onset
    """

    start_sec: float
    end_sec: float
    events: tuple[Heard, ...]


def frames_of(sound: Tensor) -> Tensor:
    """(T, 4096) frames of a sound (S,), the first and the last centred on its ends."""
    n_frames = -(-len(sound) // HOP_SAMPLES) + 1
    half = FRAME_SAMPLES // 2
    right = (n_frames - 1) * HOP_SAMPLES + half - len(sound)
    return functional.pad(sound, (half, right)).unfold(0, FRAME_SAMPLES, HOP_SAMPLES)


@torch.inference_mode()
def hear_window(network: TranskunNetwork, sound: FloatArray, start_sec: float) -> WindowHeard:
    """Notes and pedals of one window.

    Parameters
    ----------
    network
    sound : (S,) mono at 44.1 kHz
    start_sec : where it begins in the recording
    """
    end_sec = start_sec + len(sound) * FRAME_SEC / HOP_SAMPLES
    if np.abs(sound).max(initial=0.0) < amplitude_from_db(SILENT_PEAK_DBFS):
        return WindowHeard(start_sec, end_sec, ())
    device = network.device
    frames = frames_of(torch.from_numpy(np.ascontiguousarray(sound)).to(device))
    keys = network.heard_keys(frames)
    found = best_intervals(*network.scorer(keys))
    if not len(found):
        return WindowHeard(start_sec, end_sec, ())
    key, begin, end = (torch.from_numpy(part).to(device) for part in (found.key, found.begin, found.end))
    velocity, shift, is_inside = network.describe(keys[key, begin], keys[key, end])
    last = len(frames) - 1
    events = _events(
        np.asarray(HEARD_KEYS)[found.key],
        start_sec + FRAME_SEC * (found.begin + shift[:, 0].cpu().numpy().astype(float)),
        start_sec + FRAME_SEC * (found.end + shift[:, 1].cpu().numpy().astype(float)),
        velocity.argmax(dim=1).cpu().numpy(),
        (found.begin > 0) | is_inside[:, 0].cpu().numpy(),
        (found.end < last) | is_inside[:, 1].cpu().numpy(),
        found.weight,
    )
    return WindowHeard(start_sec, end_sec, events)


def _events(*columns: np.ndarray) -> tuple[Heard, ...]:
    """Events by onset; those of one key, which come by time, do not overlap."""
    rows = [Heard(*row) for row in zip(*(column.tolist() for column in columns), strict=True)]
    clean: list[Heard] = []
    for row in rows:
        onset = row.onset_sec
        if clean and clean[-1].key == row.key:
            onset = max(onset, clean[-1].offset_sec)
        clean.append(row._replace(onset_sec=onset, offset_sec=max(row.offset_sec, onset)))
    return tuple(sorted(clean, key=lambda event: (event.onset_sec, event.key)))
