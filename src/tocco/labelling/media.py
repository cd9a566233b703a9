"""Sound, waveform, notes and score of a segment, for whoever presents it.

Sound is cut out of its recording at the recording's own rate, or rendered from the notes where there is no
recording, and cached in the project's folder `clips`.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.decoding import open_sound
from tocco.audio.processing import load_audio
from tocco.audio.rendering import shared_renderer
from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.files import replacing
from tocco.labelling.project import Project
from tocco.music.midi import load_midi, segment_midi
from tocco.music.performance import PedalCurve
from tocco.units import SAMPLE_RATE_HZ, FloatArray, IntArray

LEAD_SEC: Final = 5.0
"""Rendered before the start of a segment and cut off again: what rings on into it."""


@dataclass(frozen=True, eq=False)
class PianoRoll:
    """The notes of a segment on its own clock, for a picture.

    Attributes
    ----------
    onset_sec, offset_sec : (N,) seconds, cut at the ends of the segment
    pitch : (N,) 0..127
    velocity : (N,) 1..127
    sustain : pedal steps
    duration_sec
    """

    onset_sec: FloatArray
    offset_sec: FloatArray
    pitch: IntArray
    velocity: IntArray
    sustain: PedalCurve
    duration_sec: float


def clip(project: Project, segment_id: str) -> Path:
    """The sound of a segment, as a FLAC file; made at the first use.

    Raises
    ------
    InputError
        The recording or the MIDI cannot be used, or ends before the segment does.
    OutputError
        The project's folder cannot be written to.
    """
    record = project.record(segment_id)
    path = project.folder / "clips" / f"{_name(record)}.flac"
    if not path.exists():
        sound, rate_hz = _recorded(record) if record.audio_path is not None else _rendered(record)
        _write(path, sound, rate_hz)
    return path


def peaks(project: Project, segment_id: str, n: int = 1000) -> FloatArray:
    """Waveform for a picture: the largest absolute sample in each of `n` equal parts.

    Returns
    -------
    (n,) 0..1
    """
    waveform = np.abs(load_audio(clip(project, segment_id)))
    edges = np.linspace(0, len(waveform), n + 1).astype(int)
    return np.array([float(waveform[a : max(b, a + 1)].max()) for a, b in pairwise(edges)])


def piano_roll(project: Project, segment_id: str) -> PianoRoll | None:
    """The notes of a segment; None where it has no MIDI.

    Raises
    ------
    InputError
        The MIDI cannot be used.
    """
    record = project.record(segment_id)
    if record.midi_path is None or record.end_time is None:
        return None
    bounds = np.array([[record.start_time, record.end_time]])
    (part,) = segment_midi(load_midi(record.midi_path), bounds)
    end = part.duration_sec
    return PianoRoll(
        np.clip(part.onset_sec, 0.0, end),
        np.clip(part.offset_sec, 0.0, end),
        part.pitch,
        part.velocity,
        part.sustain,
        end,
    )


def score_path(project: Project, segment_id: str) -> Path | None:
    """The score of a segment's piece; None where there is none."""
    return project.record(segment_id).score_path


def _name(record: LabelRecord) -> str:
    """Name of the cached sound: it changes with the source and the span, and shows neither."""
    source = record.audio_path or record.midi_path
    text = f"{source}|{record.start_time}|{record.end_time}"
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def _recorded(record: LabelRecord) -> tuple[FloatArray, int]:
    """(S, C) samples of the span, and their rate."""
    assert record.audio_path is not None
    assert record.end_time is not None
    with open_sound(record.audio_path) as sound:
        rate = sound.header.sample_rate_hz
        first, last = round(record.start_time * rate), round(record.end_time * rate)
        parts, n_seen = [], 0
        for block in sound.blocks:
            parts.append(block[max(first - n_seen, 0) : max(last - n_seen, 0)])
            n_seen += len(block)
            if n_seen >= last:
                break
    samples = np.concatenate(parts) if parts else np.zeros((0, 1))
    if len(samples) < 0.99 * (last - first):
        raise InputError(
            record.audio_path,
            f"ends at {n_seen / rate:.2f} s, before its segment {record.segment_id}",
            allowed=f"{record.end_time:.2f} s or more",
            next_step="correct start_time and end_time, or prepare the project again",
        )
    return np.clip(samples[:, :2], -1.0, 1.0), rate


def _rendered(record: LabelRecord) -> tuple[FloatArray, int]:
    """(S, 1) samples of the span, played by the sampled piano."""
    assert record.midi_path is not None
    assert record.end_time is not None
    lead = min(LEAD_SEC, record.start_time)
    (part,) = segment_midi(
        load_midi(record.midi_path), np.array([[record.start_time - lead, record.end_time]])
    )
    part = part.only(part.struck_inside)
    if len(part) == 0:
        raise InputError(record.midi_path, f"has no note in segment {record.segment_id}")
    sound = shared_renderer().render(part)
    first, n = round(lead * SAMPLE_RATE_HZ), round((record.end_time - record.start_time) * SAMPLE_RATE_HZ)
    inside = sound[first : first + n]
    return np.pad(inside, (0, n - len(inside)))[:, None], SAMPLE_RATE_HZ


def _write(path: Path, samples: FloatArray, rate_hz: int) -> None:
    import soundfile

    with replacing(path) as temporary:
        soundfile.write(temporary, samples, rate_hz, format="FLAC", subtype="PCM_16")
