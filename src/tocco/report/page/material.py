"""What the report shows beside the assessment: the sound and the notes of the files that were assessed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np

from tocco.audio.opus import encode_opus
from tocco.audio.processing import stream_audio
from tocco.errors import MismatchError
from tocco.files import sha256_of
from tocco.inference.assessment import Assessment
from tocco.inference.evidence import InputFile, Inputs, NoteOutcome
from tocco.music.midi import load_midi
from tocco.music.numbered_score import read_numbered_score
from tocco.music.performance import PedalCurve, Performance
from tocco.report.engraving.engraving import Engraving, engrave_assessed
from tocco.report.page.written import Written, place_written
from tocco.units import SAMPLE_RATE_HZ, FloatArray, IntArray

Status = Literal["right", "wrong", "extra", "other"]

STATUSES: Final[tuple[Status, ...]] = ("right", "wrong", "extra", "other")
"""What became of a played note; "other" where there is no score."""

PEAK_SEC: Final = 0.05
"""Width of one stroke of the waveform."""

BIT_RATE: Final = 48_000
SMALLEST_BIT_RATE: Final = 16_000
MOST_SOUND_BYTES: Final = 3_400_000
"""In base64 a third more: with the pictures of five minutes the file stays below 5 MB."""

_SAME_NOTE_SEC: Final = 0.005
"""The assessment rounds times and the offset of the recording to milliseconds."""


@dataclass(frozen=True, eq=False)
class Notes:
    """The notes that were played, on the clock of the assessment.

    Attributes
    ----------
    onset_sec, offset_sec : (N,) seconds
    pitch, velocity : (N,)
    status : (N,) index into `STATUSES`
    sustain : the pedal
    """

    onset_sec: FloatArray
    offset_sec: FloatArray
    pitch: IntArray
    velocity: IntArray
    status: IntArray
    sustain: PedalCurve


@dataclass(frozen=True, eq=False)
class Sound:
    """The recording for listening.

    Attributes
    ----------
    opus : the encoded file
    peak : (P,) 0..1, largest sample in each `PEAK_SEC`
    """

    opus: bytes
    peak: FloatArray


@dataclass(frozen=True, eq=False)
class Material:
    """What was given of the files that were assessed.

    Attributes
    ----------
    sound : None where no recording was given
    notes : None where no MIDI was given
    written : None where no score was given, or it cannot be laid over the performance
    engraving : why the score is not engraved, where it is not; None where no score was given
    """

    sound: Sound | None = None
    notes: Notes | None = None
    written: Written | None = None
    engraving: Engraving | str | None = None


def read_material(
    assessment: Assessment, audio: Path | None, midi: Path | None, score: Path | None = None
) -> Material:
    """Read the files that an assessment was made from.

    Parameters
    ----------
    assessment
    audio, midi, score : None where one is not to be shown

    Raises
    ------
    InputError
        A file cannot be read.
    MismatchError
        A file is not the one that was assessed.
    """
    inputs = assessment.inputs
    notes, written, engraving = None, None, None
    # The sound is encoded while the score is read and engraved: neither waits for the other.
    with ThreadPoolExecutor(max_workers=1) as encoder:
        sound = None
        if audio is not None:
            assert_assessed(audio, inputs.audio if inputs.sound == "recorded" else None, "recording")
            sound = encoder.submit(read_sound, audio, inputs.audio.duration_sec or 0.0)
        if midi is not None:
            assert_assessed(midi, _assessed_midi(inputs), "MIDI")
            notes = read_notes(_on_the_clock(load_midi(midi), assessment), assessment)
        if score is not None:
            assert_assessed(score, inputs.score, "score")
            if assessment.alignment is not None:
                numbered = read_numbered_score(score)
                written = place_written(numbered.readings, assessment.alignment)
                engraving = engrave_assessed(numbered, assessment)
        return Material(None if sound is None else sound.result(), notes, written, engraving)


def _assessed_midi(inputs: Inputs) -> InputFile | None:
    """The MIDI that was given, or that was transcribed; None in older files, which have no hash of it."""
    if inputs.midi.origin == "given":
        return inputs.midi
    if inputs.transcription_sha256 is None:
        return None
    name = f"transcription of {inputs.midi.name}"
    return inputs.midi.model_copy(update={"name": name, "sha256": inputs.transcription_sha256})


def assert_assessed(path: Path, assessed: InputFile | None, kind: str) -> None:
    """Refuse a file that is not the one that was assessed, by its hash.

    Raises
    ------
    MismatchError
        It is another file, or the assessment was made without one of this kind.
    """
    if assessed is None:
        raise MismatchError(
            path, f"was not assessed: the assessment rests on no {kind}", next_step=f"leave the {kind} out"
        )
    if sha256_of(path) != assessed.sha256:
        raise MismatchError(
            path,
            f"is not the {kind} that was assessed",
            allowed=f"the {assessed.name} with the hash {assessed.sha256[:12]}",
            next_step="give that file, or assess this one",
        )


def read_sound(path: Path, duration_sec: float) -> Sound:
    """Encode a recording for listening, and measure its waveform on the way."""
    peaks: list[FloatArray] = []
    opus = encode_opus(_watched(stream_audio(path), peaks), bit_rate_for(duration_sec))
    return Sound(opus, np.concatenate(peaks) if peaks else np.zeros(0))


def bit_rate_for(duration_sec: float) -> int:
    """Bits per second, so that a sound stays below `MOST_SOUND_BYTES` as long as it can be listened to."""
    return int(np.clip(8 * MOST_SOUND_BYTES / max(duration_sec, 1.0), SMALLEST_BIT_RATE, BIT_RATE))


def _watched(blocks: Iterable[FloatArray], peaks: list[FloatArray]) -> Iterator[FloatArray]:
    """The blocks as they are; their peaks are appended to `peaks`."""
    width = round(PEAK_SEC * SAMPLE_RATE_HZ)
    held = np.zeros(0, dtype=np.float32)
    for block in blocks:
        yield block
        held = np.concatenate([held, block])
        n = len(held) // width
        peaks.append(np.abs(held[: n * width]).reshape(n, width).max(axis=1))
        held = held[n * width :]
    if len(held):
        peaks.append(np.abs(held).max(keepdims=True))


def _on_the_clock(performance: Performance, assessment: Assessment) -> Performance:
    """With the times of the recording, as the assessment put them."""
    found = assessment.inputs.synchrony
    return (
        performance if found is None else performance.shifted(found.offset_sec, 1.0 + 1e-6 * found.drift_ppm)
    )


def read_notes(performance: Performance, assessment: Assessment) -> Notes:
    """The played notes, and which of them are as written."""
    status = np.full(len(performance), STATUSES.index("other"))
    if assessment.alignment is not None:
        report = assessment.alignment
        for kind, notes in (
            ("right", report.match),
            ("wrong", report.substitution),
            ("extra", report.insertion),
        ):
            status[_played(performance, notes)] = STATUSES.index(kind)
    return Notes(
        onset_sec=performance.onset_sec,
        offset_sec=performance.offset_sec,
        pitch=performance.pitch,
        velocity=performance.velocity,
        status=status,
        sustain=performance.sustain,
    )


def _played(performance: Performance, notes: Iterable[NoteOutcome]) -> list[int]:
    """Index of the performed note that each outcome speaks of; one that is not found is left out."""
    by_pitch: dict[int, tuple[IntArray, FloatArray]] = {}
    found = []
    for note in notes:
        pitch = note.played_pitch
        if pitch is None:
            continue
        if pitch not in by_pitch:
            of = np.flatnonzero(performance.pitch == pitch)
            by_pitch[pitch] = (of, performance.onset_sec[of])
        of, onset = by_pitch[pitch]
        if len(of):
            nearest = int(np.abs(onset - note.time_sec).argmin())
            if abs(onset[nearest] - note.time_sec) <= _SAME_NOTE_SEC:
                found.append(int(of[nearest]))
    return found
