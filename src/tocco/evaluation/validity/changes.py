"""Changes that leave the playing as it was: none of them may move a rating."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from tocco.errors import InputError
from tocco.files import write_bytes
from tocco.music.performance import Performance
from tocco.music.symbolic_augmentation import scale_tempo, transpose
from tocco.units import SAMPLE_RATE_HZ, FloatArray

SILENCE_SEC: Final = 5.0
RECORDED: Final = "recorded"
"""The rendering itself, which changes of the sound are compared with."""

SCORE_MIDI: Final = (".mid", ".midi")
"""Scores that can be written in another key."""


def _same(played: Performance) -> Performance:
    return played


def _same_score(score: Path, folder: Path) -> Path:
    del folder
    return score


def _no_sound(played: Performance, folder: Path) -> Path | None:
    del played, folder
    return None


@dataclass(frozen=True)
class Change:
    """One change.

    Attributes
    ----------
    playing : of the notes
    score : of the score's file, which may be written into the folder
    sound : recording in the folder; None where no recording is given
    later_sec : seconds by which the excerpt is cut later
    reference : kind that it is compared with; "" for the excerpt without any change
    """

    playing: Callable[[Performance], Performance] = _same
    score: Callable[[Path, Path], Path] = _same_score
    sound: Callable[[Performance, Path], Path | None] = _no_sound
    later_sec: float = 0.0
    reference: str = ""


def transposed_score(semitones: int) -> Callable[[Path, Path], Path]:
    """A score MIDI in another key."""

    def write(score: Path, folder: Path) -> Path:
        import symusic

        if score.suffix.lower() not in SCORE_MIDI:
            raise InputError(score.name, "is no score MIDI", allowed=", ".join(SCORE_MIDI))
        midi: Any = symusic.Score(str(score))
        for track in midi.tracks:
            for note in track.notes:
                note.pitch += semitones
        moved = folder / "score.mid"
        write_bytes(moved, midi.dumps_midi())
        return moved

    return write


def _recorded(change: Callable[[FloatArray], FloatArray], rate_hz: int, suffix: str, **settings: Any):
    """A rendering with a change of its samples, written to a file of some format."""

    def write(played: Performance, folder: Path) -> Path:
        import soundfile
        import soxr

        from tocco.audio.rendering import shared_renderer

        samples = change(shared_renderer().render(played))
        at_rate = soxr.resample(samples, SAMPLE_RATE_HZ, rate_hz) if rate_hz != SAMPLE_RATE_HZ else samples
        path = folder / f"recording{suffix}"
        soundfile.write(path, np.clip(at_rate, -1.0, 1.0), rate_hz, **settings)
        return path

    return write


def _as_it_is(samples: FloatArray) -> FloatArray:
    return samples


def _gain(db: float) -> Callable[[FloatArray], FloatArray]:
    return lambda samples: samples * np.float32(10.0 ** (db / 20.0))


def _two_channels(right_db: float) -> Callable[[FloatArray], FloatArray]:
    return lambda samples: np.column_stack((samples, _gain(right_db)(samples)))


def _sound(change: Callable[[FloatArray], FloatArray], rate_hz: int, suffix: str) -> Change:
    return Change(sound=_recorded(change, rate_hz, suffix), reference=RECORDED)


def _tempo(ratio: float) -> Change:
    return Change(playing=lambda played: scale_tempo(played, ratio).performance)


def _key(semitones: int) -> Change:
    return Change(
        playing=lambda played: transpose(played, semitones).performance, score=transposed_score(semitones)
    )


CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "tempo_slower": _tempo(0.9),
        "tempo_faster": _tempo(1.1),
        "key_lower": _key(-2),
        "key_higher": _key(2),
        "leading_silence": Change(playing=lambda played: played.shifted(SILENCE_SEC)),
        "cut_earlier": Change(later_sec=-2.0),
        "cut_later": Change(later_sec=2.0),
        RECORDED: _sound(_as_it_is, SAMPLE_RATE_HZ, ".wav"),
        "gain_lower": _sound(_gain(-12.0), SAMPLE_RATE_HZ, ".wav"),
        "rate_22050": _sound(_as_it_is, 22_050, ".wav"),
        "rate_48000": _sound(_as_it_is, 48_000, ".wav"),
        "codec_mp3": _sound(_as_it_is, 48_000, ".mp3"),
        "codec_ogg": _sound(_as_it_is, 48_000, ".ogg"),
        "two_channels": _sound(_two_channels(-6.0), SAMPLE_RATE_HZ, ".wav"),
    }
)
"""Every change, by name."""

SYMBOLIC_CHANGES: Final = tuple(name for name, one in CHANGES.items() if one.sound is _no_sound)
SOUND_CHANGES: Final = tuple(name for name, one in CHANGES.items() if one.sound is not _no_sound)
