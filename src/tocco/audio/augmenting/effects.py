"""The effects by name: how each draws its parameters, what it does, and what it does to the labels.

The order is that of the signal chain: the playing, the room, the microphone, the recorder, the file.
Parameters are plain numbers and names; with them an effect can be repeated to the bit.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final

import numpy as np

from tocco.audio.augmenting import phone
from tocco.audio.augmenting.checks import rms
from tocco.audio.augmenting.codecs import compress_audio
from tocco.audio.augmenting.config import (
    AddNoiseBlock,
    AutomaticGainBlock,
    BackgroundNoiseBlock,
    BandLimitBlock,
    ClipBlock,
    CompressAudioBlock,
    DeviceEqBlock,
    GainBlock,
    PitchShiftBlock,
    RoomBlock,
    TimeStretchBlock,
    WowFlutterBlock,
)
from tocco.audio.augmenting.noise import add_background_noise, add_noise
from tocco.audio.augmenting.rooms import (
    apply_room_acoustics,
    load_impulse_response,
    reverberation_sec,
    synthesize_room,
)
from tocco.audio.augmenting.time_pitch import Wobble, pitch_shift, time_stretch, wow_and_flutter
from tocco.errors import InputError
from tocco.music.label_rules import tempo_amount
from tocco.music.time_map import TimeMap
from tocco.units import FloatArray

Parameters = Mapping[str, Any]
"""Numbers, names and lists of numbers: what JSON can hold."""


@dataclass(frozen=True, eq=False)
class Changed:
    """A waveform after an effect.

    Attributes
    ----------
    audio : (S',) float32
    time_map, semitones
        What happened to time and pitch.
    amounts : change -> amount, as `music.label_rules` counts them
    """

    audio: FloatArray
    time_map: TimeMap = field(default_factory=TimeMap.identity)
    semitones: int = 0
    amounts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Subject:
    """What an effect may want to know before it draws.

    Attributes
    ----------
    sample_rate_hz : Hz
    is_silent
        Nothing can be at a ratio to silence.
    semitone_room : how far the notes can go down (<= 0) and up (>= 0)
    """

    sample_rate_hz: int
    is_silent: bool = False
    semitone_room: tuple[int, int] = (-127, 127)


@dataclass(frozen=True)
class Effect:
    """One effect.

    Attributes
    ----------
    name : as in `AugmentationConfig`
    draw : (block, subject, generator) -> parameters; None where the effect does not fit the subject
    apply : (audio, parameters, sample rate) -> the change; the same parameters give the same bytes
    """

    name: str
    draw: Callable[[Any, Subject, np.random.Generator], Parameters | None]
    apply: Callable[[FloatArray, Parameters, int], Changed]


def _draw_pitch(block: PitchShiftBlock, subject: Subject, rng: np.random.Generator) -> Parameters | None:
    low = max(block.semitones[0], subject.semitone_room[0])
    high = min(block.semitones[1], subject.semitone_room[1])
    choices = [step for step in range(low, high + 1) if step != 0]
    return {"semitones": int(rng.choice(choices))} if choices else None


def _pitch(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    shifted = pitch_shift(audio, p["semitones"], sample_rate_hz=rate_hz)
    return Changed(shifted, semitones=p["semitones"], amounts={"pitch": float(abs(p["semitones"]))})


def _draw_stretch(block: TimeStretchBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {"rate": _uniform(rng, block.rate)}


def _stretch(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    stretched = time_stretch(audio, p["rate"], sample_rate_hz=rate_hz)
    return Changed(stretched, TimeMap.linear(1.0 / p["rate"]), amounts={"tempo": tempo_amount(p["rate"])})


def _draw_room(block: RoomBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    choice = int(rng.integers(len(block.rooms) + len(block.impulse_responses)))
    if choice < len(block.rooms):
        return {"room": block.rooms[choice], "seed": _seed(rng)}
    return {"impulse_response": str(block.impulse_responses[choice - len(block.rooms)])}


def _room(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    if "room" in p:
        response = synthesize_room(p["room"], np.random.default_rng(p["seed"]), sample_rate_hz=rate_hz)
    else:
        response = load_impulse_response(p["impulse_response"], sample_rate_hz=rate_hz)
    amount = reverberation_sec(response, sample_rate_hz=rate_hz)
    return Changed(apply_room_acoustics(audio, response), amounts={"room": amount})


def _draw_background(
    block: BackgroundNoiseBlock, subject: Subject, rng: np.random.Generator
) -> Parameters | None:
    kind, snr_db = str(rng.choice(block.kinds)), _uniform(rng, block.snr_db)
    return None if subject.is_silent else {"kind": kind, "snr_db": snr_db, "seed": _seed(rng)}


def _background(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    rng = np.random.default_rng(p["seed"])
    noisy = add_background_noise(audio, p["kind"], p["snr_db"], rng, sample_rate_hz=rate_hz)
    return Changed(noisy, amounts={"noise": -p["snr_db"]})


def _draw_band(block: BandLimitBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {"low_hz": _uniform(rng, block.low_hz), "high_hz": _uniform(rng, block.high_hz)}


def _band(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    limited = phone.limit_band(audio, p["low_hz"], p["high_hz"], sample_rate_hz=rate_hz)
    sections = phone.band_filter(p["low_hz"], p["high_hz"], rate_hz)
    return Changed(limited, amounts={"colour": phone.largest_deviation_db(sections, rate_hz)})


def _draw_eq(block: DeviceEqBlock, subject: Subject, rng: np.random.Generator) -> Parameters:
    """Peaks and dips anywhere on a logarithmic frequency axis, an octave wide or so."""
    top_hz = min(8_000.0, 0.4 * subject.sample_rate_hz)
    bands = [
        [float(np.exp(rng.uniform(np.log(80.0), np.log(top_hz)))), _uniform(rng, block.gain_db), quality]
        for quality in rng.uniform(0.5, 2.0, int(rng.integers(block.bands[0], block.bands[1] + 1))).tolist()
    ]
    return {"bands": bands}


def _eq(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    bands = [(float(f), float(gain), float(quality)) for f, gain, quality in p["bands"]]
    amount = phone.largest_deviation_db(phone.eq_filter(bands, rate_hz), rate_hz)
    return Changed(phone.equalize(audio, bands, sample_rate_hz=rate_hz), amounts={"colour": amount})


def _draw_noise(block: AddNoiseBlock, subject: Subject, rng: np.random.Generator) -> Parameters | None:
    snr_db = _uniform(rng, block.snr_db)
    return None if subject.is_silent else {"snr_db": snr_db, "seed": _seed(rng)}


def _noise(audio: FloatArray, p: Parameters, _: int) -> Changed:
    noisy = add_noise(audio, p["snr_db"], np.random.default_rng(p["seed"]))
    return Changed(noisy, amounts={"noise": -p["snr_db"]})


def _draw_automatic_gain(block: AutomaticGainBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {"strength": _uniform(rng, block.strength)}


def _automatic_gain(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    levelled = phone.automatic_gain(audio, p["strength"], sample_rate_hz=rate_hz)
    return Changed(levelled, amounts={"dynamics": phone.dynamics_amount_db(audio, levelled, rate_hz)})


def _draw_clip(block: ClipBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {"clip_db": _uniform(rng, block.clip_db), "kind": str(rng.choice(block.kinds))}


def _clip(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    clipped = phone.clip(audio, p["clip_db"], p["kind"])
    return Changed(clipped, amounts={"dynamics": phone.dynamics_amount_db(audio, clipped, rate_hz)})


def _draw_wobble(block: WowFlutterBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {
        "wow_hz": _uniform(rng, block.wow_hz),
        "wow_percent": _uniform(rng, block.wow_percent),
        "flutter_hz": _uniform(rng, block.flutter_hz),
        "flutter_percent": _uniform(rng, block.flutter_percent),
        "wow_turn": float(rng.random()),
        "flutter_turn": float(rng.random()),
    }


def _wobble(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    """The tempo amount is the largest deviation of speed; the timing amount what it does to the onsets."""
    wobble = Wobble(**p)
    time_map = wobble.time_map(len(audio) / rate_hz)
    amounts = {
        "tempo": tempo_amount(wobble.largest_speed),
        "pitch": 12.0 * float(np.log2(wobble.largest_speed)),
        "timing": 1e3 * float(np.std(time_map.new_sec - time_map.old_sec)),
    }
    return Changed(wow_and_flutter(audio, wobble, sample_rate_hz=rate_hz), time_map, amounts=amounts)


def _draw_mp3(block: CompressAudioBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {"bitrate": int(rng.choice(block.bitrates))}


def _mp3(audio: FloatArray, p: Parameters, rate_hz: int) -> Changed:
    """What the codec left out counts as noise."""
    coded = compress_audio(audio, p["bitrate"], sample_rate_hz=rate_hz)
    level, lost = rms(audio), rms(coded - audio)
    amounts = {"noise": 20.0 * float(np.log10(lost / level))} if lost > 0.0 and level > 0.0 else {}
    return Changed(coded, amounts=amounts)


def _draw_gain(block: GainBlock, _: Subject, rng: np.random.Generator) -> Parameters:
    return {"gain_db": _uniform(rng, block.gain_db)}


def _gain(audio: FloatArray, p: Parameters, _: int) -> Changed:
    return Changed(phone.apply_gain(audio, p["gain_db"]), amounts={"level": abs(p["gain_db"])})


def _uniform(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(rng.uniform(*bounds))


def _seed(rng: np.random.Generator) -> int:
    return int(rng.integers(2**63))


EFFECTS: Final[Mapping[str, Effect]] = MappingProxyType(
    {
        effect.name: effect
        for effect in (
            Effect("pitch_shift", _draw_pitch, _pitch),
            Effect("time_stretch", _draw_stretch, _stretch),
            Effect("room_acoustics", _draw_room, _room),
            Effect("background_noise", _draw_background, _background),
            Effect("band_limit", _draw_band, _band),
            Effect("device_eq", _draw_eq, _eq),
            Effect("add_noise", _draw_noise, _noise),
            Effect("automatic_gain", _draw_automatic_gain, _automatic_gain),
            Effect("clip", _draw_clip, _clip),
            Effect("wow_and_flutter", _draw_wobble, _wobble),
            Effect("compress_audio", _draw_mp3, _mp3),
            Effect("gain_variation", _draw_gain, _gain),
        )
    }
)
"""Every effect, in the order in which they are applied."""


def apply_effect(name: str, audio: FloatArray, parameters: Parameters, sample_rate_hz: int) -> Changed:
    """One effect with known parameters: how a recorded draw is repeated.

    Raises
    ------
    InputError
        The effect is unknown, or it refuses the waveform or a parameter.
    """
    if name not in EFFECTS:
        raise InputError("effect", f"is {name!r}", allowed=", ".join(EFFECTS))
    return EFFECTS[name].apply(audio, parameters, sample_rate_hz)


def total_amounts(several: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """What a chain of effects did, as `music.label_rules` counts it.

    Powers of noises add, tempi multiply, of two rooms the longer counts, all else adds.

    >>> total_amounts([{"pitch": 1.0, "tempo": 0.5}, {"pitch": 0.5, "tempo": 0.5}])
    {'pitch': 1.5, 'tempo': 1.25}
    """
    total: dict[str, float] = {}
    for amounts in several:
        for change, amount in amounts.items():
            total[change] = _together(change, total[change], amount) if change in total else amount
    return total


def _together(change: str, one: float, other: float) -> float:
    if change == "noise":
        return 10.0 * float(np.log10(10.0 ** (one / 10.0) + 10.0 ** (other / 10.0)))
    if change == "tempo":
        return (1.0 + one) * (1.0 + other) - 1.0
    return max(one, other) if change == "room" else one + other
