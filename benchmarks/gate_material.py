"""Material for the gate for recordings: drawn clips of every kind, for development and for the figures.

    python benchmarks/gate.py make --split development --performances LABELS.jsonl ... -o FOLDER

The two splits differ in soundfont, in music, in voices and words, and in rooms. Each clip is drawn from a
seed of its own, so that any of them can be made again alone.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

import numpy as np
import soxr
from gate_sounds import (
    OTHER_SOUNDS,
    Band,
    Part,
    additive_piano,
    applause,
    bass_line,
    drums,
    melody,
    noise,
    singing,
    speech,
)
from scipy.signal import sosfilt

from tocco.audio.augmenting.codecs import compress_audio
from tocco.audio.augmenting.noise import add_background_noise
from tocco.audio.augmenting.phone import automatic_gain, band_filter, clip, equalize
from tocco.audio.augmenting.rooms import apply_room_acoustics, synthesize_room
from tocco.evaluation.pseudo_labels.spot_check import excerpt
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

Split = Literal["development", "other"]
SEED: Final = 20

_FONTS: Final = {
    "development": "/usr/share/sounds/sf3/MuseScore_General.sf3",
    "other": "/usr/share/sounds/sf2/TimGM6mb.sf2",
}
_ROOMS: Final = {
    "development": ("bedroom", "living_room", "classroom", "concert_hall"),
    "other": ("dry_studio", "practice_room", "recital_room", "church"),
}
_VOICES: Final = {
    "development": ("en-us", "de", "fr-fr", "es", "it", "ru", "pt", "nl", "sv", "pl", "tr", "el", "hu", "fi"),
    "other": ("en-gb", "cs", "da", "ro", "ca", "hr", "sk", "nb", "et", "is", "id", "vi", "sw", "cmn", "ja"),
}
_MOUTHS: Final = {
    "development": ("", "+m1", "+m3", "+f2", "+f4", "+m5", "+croak"),
    "other": ("", "+m2", "+m4", "+f1", "+f3", "+m7", "+whisper"),
}
_WORDS: Final = {
    "development": (
        "Good morning everybody, today I would like to play the second movement for you. It is quite slow.",
        "Eins, zwei, drei, vier. Noch einmal von vorne bitte, und diesmal etwas leiser in der linken Hand.",
        "La prochaine fois, nous regarderons la mesure douze. Le son doit rester doux et la main légère.",
        "Then he went down to the river and asked the old man how far it was to the next village.",
    ),
    "other": (
        "One two three and. Sorry, let me start that again, I was not ready for the camera yet.",
        "Der Zug nach München fährt heute von Gleis sieben ab, bitte beachten Sie die Durchsagen.",
        "Hoy vamos a estudiar la sonata en do mayor, primero despacio y después un poco más rápido.",
        "The weather will stay dry in the north, while some rain is expected later along the coast.",
    ),
}
_GROUPS: Final[Mapping[str, tuple[int, ...]]] = {
    "strings": (40, 41, 42, 43, 44, 45, 48, 49, 110),
    "winds": (64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 78, 79),
    "brass": (56, 57, 58, 59, 60, 61),
    "organ": (16, 17, 18, 19, 20),
    "accordion": (21, 22, 23),
    "choir": (52, 53, 54),
    "synth": (50, 51, 62, 63, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 94, 95),
    "guitar": (24, 25, 26, 27, 28, 29, 30),
    "plucked": (46, 104, 105, 106, 107),
    "mallets": (12, 13, 108),
    "keyboards": (4, 5, 6, 7, 8, 10, 11),
}
_LEFT_OUT_OF_DEVELOPMENT: Final = frozenset(
    {41, 45, 57, 67, 70, 75, 22, 18, 54, 26, 105, 107, 108, 84, 91, 95}
)
"""Programs that the other material alone has."""

_MONOPHONIC: Final = frozenset({40, 41, 42, 43, 56, 57, 58, 59, 60, *range(64, 80), 110})
_SUSTAINED: Final = frozenset({*range(16, 24), *range(40, 45), *range(48, 96), 110})


@dataclass(frozen=True)
class Clip:
    """One clip to be made.

    Attributes
    ----------
    name, kind
    split
    index : of its kind
    """

    kind: str
    split: Split
    index: int

    @property
    def name(self) -> str:
        """File name without suffix."""
        return f"{self.split}_{self.kind}_{self.index:03d}"

    @property
    def rng(self) -> np.random.Generator:
        """The generator it is drawn from."""
        return np.random.default_rng([SEED, zlib.crc32(self.name.encode())])


@dataclass(eq=False)
class Studio:
    """What clips are made with.

    Attributes
    ----------
    split
    midi : performances to excerpt from
    """

    split: Split
    midi: Sequence[Path]

    def __post_init__(self) -> None:
        self.band = Band(Path(_FONTS[self.split]))

    def music(self, rng: np.random.Generator, duration_sec: float) -> Performance:
        """An excerpt with at least eight notes."""
        for _ in range(50):
            played = load_midi(self.midi[rng.integers(len(self.midi))])
            start = rng.uniform(0.0, max(played.duration_sec - duration_sec, 0.01))
            taken = excerpt(played, start, min(start + duration_sec, played.duration_sec))
            if int(taken.struck_inside.sum()) >= 8:
                return replace(taken, duration_sec=duration_sec)
        raise ValueError("the performances hold too few notes")

    def program(self, kind: str, rng: np.random.Generator) -> int:
        """One instrument of a group."""
        left_out = _LEFT_OUT_OF_DEVELOPMENT if self.split == "development" else frozenset()
        return int(rng.choice([p for p in _GROUPS[kind] if p not in left_out]))


def _piano(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    music = studio.music(rng, seconds)
    if studio.split == "development" and rng.random() < 0.3:
        return additive_piano(music, rng)
    return studio.band.play([Part(int(rng.integers(2)), music)], seconds, rng)


def _instrument(kind: str) -> Callable[[Studio, np.random.Generator, float], FloatArray]:
    def make(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
        program, music = studio.program(kind, rng), studio.music(rng, seconds)
        if program in _MONOPHONIC and rng.random() < 0.7:
            low = 40 if program in (42, 43, 57, 58, 70) else 60
            music = melody(music, low, low + 24)
        lively = program in _SUSTAINED and rng.random() < 0.5
        return studio.band.play([Part(program, music, is_expressive=lively)], seconds, rng)

    return make


def _of_the_band(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    music = studio.music(rng, seconds)
    parts = [
        Part(0, drums(seconds, rng), volume=int(rng.integers(70, 115)), is_drums=True),
        Part(int(rng.choice([32, 33, 34, 35, 38])), bass_line(music), volume=int(rng.integers(70, 115))),
        Part(int(rng.choice([0, 4, 25, 27, 29, 30, 48])), music, volume=int(rng.integers(60, 110))),
    ]
    sung = rng.random() < 0.4
    if not sung and rng.random() < 0.6:
        lead = int(rng.choice([56, 65, 73, 40, 80, 81]))
        parts.append(Part(lead, melody(music, 60, 84), volume=int(rng.integers(80, 120))))
    sound = studio.band.play(parts, seconds, rng)
    return _mixed(sound, singing(melody(music, 52, 72), rng), rng.uniform(-6, 3)) if sung else sound


def _with_voice(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    music = studio.music(rng, seconds)
    piano = studio.band.play([Part(0, music)], seconds, rng)
    return _mixed(piano, singing(melody(music, 50, 74), rng), rng.uniform(-8, 3))


def _with_instrument(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    music = studio.music(rng, seconds)
    piano = studio.band.play([Part(0, music)], seconds, rng)
    program = int(rng.choice([40, 42, 60, 65, 68, 71, 73]))
    lead = studio.band.play([Part(program, melody(music, 60, 80), is_expressive=True)], seconds, rng)
    return _mixed(piano, lead, rng.uniform(-4, 4))


def _voice(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    split = studio.split
    voice = str(rng.choice(_VOICES[split])) + str(rng.choice(_MOUTHS[split]))
    return speech(voice, str(rng.choice(_WORDS[split])), seconds, rng)


def _singer(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    return singing(melody(studio.music(rng, seconds), 50, 72), rng)


def _noise(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    return noise(str(rng.choice(list(OTHER_SOUNDS))), seconds, rng)


def _applause(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    return applause(seconds, rng)


def _silence(studio: Studio, rng: np.random.Generator, seconds: float) -> FloatArray:
    room_tone = noise(str(rng.choice(["white", "pink", "brown", "hum_50"])), seconds, rng)
    return room_tone * np.float32(10.0 ** (-rng.uniform(45, 95) / 20) * (rng.random() < 0.85))


def _mixed(first: FloatArray, second: FloatArray, second_db: float) -> FloatArray:
    n = min(len(first), len(second))
    first, second = first[:n], second[:n]
    level = max(float(np.sqrt(np.mean(second**2))), 1e-9)
    return first + second * np.float32(np.sqrt(np.mean(first**2)) / level * 10.0 ** (second_db / 20.0))


_INSTRUMENTS: Final = {kind: _instrument(kind) for kind in _GROUPS}
KINDS: Final[Mapping[str, Callable[[Studio, np.random.Generator, float], FloatArray]]] = {
    "piano": _piano,
    "piano_with_voice": _with_voice,
    "piano_with_instrument": _with_instrument,
    **_INSTRUMENTS,
    "band": _of_the_band,
    "speech": _voice,
    "singing": _singer,
    "noise": _noise,
    "applause": _applause,
    "silence": _silence,
}
"""Every kind of clip, by name."""

SURROUNDED: Final = "surrounded"
"""Piano music with talk and applause around it; its bounds are known."""

COUNTS: Final[Mapping[Split, Mapping[str, int]]] = {
    "development": dict.fromkeys(KINDS, 28)
    | dict.fromkeys(("speech", "noise", "synth", "piano_with_voice"), 40)
    | dict.fromkeys(("strings", "winds", "brass", "band", "organ"), 50)
    | dict.fromkeys(("keyboards", "plucked", "mallets"), 70)
    | {"piano": 200, "guitar": 100, SURROUNDED: 24},
    "other": dict.fromkeys(KINDS, 24) | {"piano": 300, SURROUNDED: 48},
}


def clips(split: Split) -> list[Clip]:
    """Every clip of a split, kinds taken in turn so that an interrupted run has some of each."""
    listed = [Clip(kind, split, k) for kind, n in COUNTS[split].items() for k in range(n)]
    return sorted(listed, key=lambda clip: (clip.index / COUNTS[split][clip.kind], clip.kind))


def _surrounded(studio: Studio, rng: np.random.Generator) -> tuple[FloatArray, dict[str, float | str]]:
    """A piece with talk before it and applause or talk after it, each with probability 3/4."""
    music = studio.music(rng, float(rng.uniform(9.0, 20.0)))
    piano = studio.band.play([Part(0, music)], music.duration_sec, rng)
    piano = piano * np.float32(rng.uniform(0.2, 0.5) / np.abs(piano).max())
    first, last = float(music.onset_sec[0]), float(music.offset_sec.max())

    def gap() -> FloatArray:
        return np.zeros(int(rng.uniform(0.3, 1.5) * SAMPLE_RATE_HZ), np.float32)

    before = np.zeros(0, np.float32)
    if rng.random() < 0.75:
        talk = _voice(studio, rng, float(rng.uniform(3.0, 9.0)))
        before = np.concatenate([talk * np.float32(rng.uniform(0.1, 0.4) / np.abs(talk).max()), gap()])
    after = np.zeros(0, np.float32)
    if rng.random() < 0.75:
        seconds = float(rng.uniform(3.0, 9.0))
        end = applause(seconds, rng) if rng.random() < 0.7 else _voice(studio, rng, seconds)
        after = np.concatenate([gap(), end * np.float32(rng.uniform(0.1, 0.5) / np.abs(end).max())])
    start = len(before) / SAMPLE_RATE_HZ
    sound = np.concatenate([before, piano, after])
    bounds: dict[str, float | str] = {
        "start_sec": start + first,
        "end_sec": start + last,
        "is_led": float(len(before) > 0),
        "is_followed": float(len(after) > 0),
    }
    return sound, bounds


def make(clip_: Clip, studio: Studio) -> tuple[FloatArray, dict[str, float | str]]:
    """The sound of a clip, and what was done to it."""
    rng = clip_.rng
    if clip_.kind == SURROUNDED:
        sound, bounds = _surrounded(studio, rng)
        sound, done = recorded(sound, clip_.split, rng, is_tuned=True)
        return sound, {"kind": SURROUNDED, **bounds, **done}
    seconds = float(rng.uniform(10.0, 20.0))
    sound = KINDS[clip_.kind](studio, rng, seconds)
    if clip_.kind == "silence":
        return sound, {"kind": clip_.kind, "seconds": seconds}
    sound, done = recorded(sound, clip_.split, rng)
    return sound, {"kind": clip_.kind, "seconds": seconds, **done}


def recorded(
    sound: FloatArray, split: Split, rng: np.random.Generator, *, is_tuned: bool = False
) -> tuple[FloatArray, dict[str, float | str]]:
    """A recording of a sound: close, in a room, or by a phone in a room."""
    how = str(rng.choice(["close", "room", "phone", "telephone"], p=[0.25, 0.4, 0.28, 0.07]))
    cents = float(rng.uniform(-50.0, 50.0)) if not is_tuned and rng.random() < 0.5 else 0.0
    if cents:
        sound = soxr.resample(sound, SAMPLE_RATE_HZ, SAMPLE_RATE_HZ * 2.0 ** (-cents / 1200.0))
    done: dict[str, float | str] = {"how": how, "cents": cents}
    if how != "close":
        room = str(rng.choice(_ROOMS[split]))
        sound = apply_room_acoustics(sound, synthesize_room(room, rng))
        snr_db = float(rng.uniform(15.0, 50.0))
        sound = add_background_noise(
            sound, str(rng.choice(["pink", "brown", "hum_50", "babble"])), snr_db, rng
        )
        done |= {"room": room, "snr_db": snr_db}
    bands = [(float(f), float(rng.uniform(-7, 7)), 0.7) for f in (150, 500, 1500, 4000)]
    sound = equalize(sound, bands)
    if how in ("phone", "telephone"):
        strength = float(rng.uniform(0.0, 0.8))
        sound = automatic_gain(sound, strength)
        high_hz = 3_400.0 if how == "telephone" else float(rng.uniform(6_000, 11_500))
        low_hz = 300.0 if how == "telephone" else float(rng.uniform(40, 200))
        sound = sosfilt(band_filter(low_hz, high_hz, SAMPLE_RATE_HZ), sound).astype(np.float32)
        if rng.random() < 0.15:
            sound = clip(sound, float(rng.uniform(1.0, 6.0)), "hard")
        done |= {"agc": strength, "high_hz": high_hz}
    sound = sound / max(float(np.abs(sound).max()), 1e-9) * np.float32(10.0 ** (-rng.uniform(0.5, 25.0) / 20))
    if rng.random() < 0.4:
        kbit = int(rng.choice([32, 64, 128]))
        sound = compress_audio(sound, kbit)
        done["mp3_kbit"] = kbit
    return sound.astype(np.float32), done
