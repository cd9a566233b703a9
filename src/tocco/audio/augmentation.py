"""A recording as it might have been made elsewhere, on another device, or in another key and tempo.

The unit is the `Triple`: what an effect does to time or pitch happens to the notes, to the score
positions and to the spans as well, and a label that an effect touches is left out, or the effect is
refused (`music.label_rules`). Effects and their order are in `augmenting.effects.EFFECTS`.

Levels: all waveforms are float32 with full scale at 1. No effect limits its output: a peak may pass
full scale and keeps its shape, and only `clip` clips. All effects treat soft and loud recordings alike:
with twice the input, the output is twice as large. So a caller may bring the result to any level
(`normalize_audio`), and has to before it is written as integers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from tocco.audio.augmenting.checks import checked_waveform, rms
from tocco.audio.augmenting.codecs import MP3_KBITS, compress_audio
from tocco.audio.augmenting.config import AugmentationConfig
from tocco.audio.augmenting.effects import EFFECTS, Changed, Subject, apply_effect, total_amounts
from tocco.audio.augmenting.noise import add_background_noise, add_noise, mix_at_snr
from tocco.audio.augmenting.phone import (
    apply_gain,
    automatic_gain,
    clip,
    equalize,
    gain_variation,
    limit_band,
)
from tocco.audio.augmenting.rooms import (
    ROOMS,
    Room,
    apply_room_acoustics,
    load_impulse_response,
    reverberation_sec,
    synthesize_room,
)
from tocco.audio.augmenting.time_pitch import Wobble, pitch_shift, time_stretch, wow_and_flutter
from tocco.audio.augmenting.triple import Triple, moved_triple, semitone_room
from tocco.music.label_rules import valid_labels
from tocco.music.time_map import TimeMap
from tocco.rubrics import TARGETS
from tocco.units import SAMPLE_RATE_HZ, FloatArray, db_from_amplitude

__all__ = [
    "EFFECTS",
    "MP3_KBITS",
    "ROOMS",
    "AppliedEffect",
    "AugmentationConfig",
    "AugmentedAudio",
    "AugmentedTriple",
    "Room",
    "Triple",
    "Wobble",
    "add_background_noise",
    "add_noise",
    "apply_gain",
    "apply_room_acoustics",
    "augment_pipeline",
    "augment_triple",
    "automatic_gain",
    "clip",
    "compress_audio",
    "equalize",
    "gain_variation",
    "limit_band",
    "load_impulse_response",
    "mix_at_snr",
    "pitch_shift",
    "repeat_triple",
    "reverberation_sec",
    "synthesize_room",
    "time_stretch",
    "wow_and_flutter",
]


@dataclass(frozen=True)
class AppliedEffect:
    """One effect as it was drawn: enough to repeat it.

    Attributes
    ----------
    name : of an effect in `EFFECTS`
    parameters : plain numbers and names, as JSON holds them
    amounts : change -> amount, as `music.label_rules` counts them
    """

    name: str
    parameters: Mapping[str, Any]
    amounts: Mapping[str, float]


@dataclass(frozen=True, eq=False)
class AugmentedAudio:
    """A changed recording, and what was done to it.

    Attributes
    ----------
    audio : (S',) float32
    applied : in the order in which they were applied; empty where no effect was drawn
    refused : names of effects that were drawn and left out: they did not fit the recording, or a label
        would not have survived them
    time_map : old seconds to new seconds
    semitones : by which all pitches moved
    valid_labels : targets whose labels still hold
    level_change_db : dB, RMS after over RMS before; 0 for silence
    """

    audio: FloatArray
    applied: tuple[AppliedEffect, ...]
    refused: tuple[str, ...]
    time_map: TimeMap
    semitones: int
    valid_labels: frozenset[str]
    level_change_db: float


@dataclass(frozen=True, eq=False)
class AugmentedTriple:
    """A triple around a changed recording, and what was done to it.

    Attributes
    ----------
    triple
        Audio, notes, score positions and spans on the new clock, in the new key; labels that an effect
        touched are absent.
    applied, refused, time_map, semitones, level_change_db
        As in `AugmentedAudio`.
    labels_left_out : names of labels that the original has and the result has not
    """

    triple: Triple
    applied: tuple[AppliedEffect, ...]
    refused: tuple[str, ...]
    time_map: TimeMap
    semitones: int
    level_change_db: float
    labels_left_out: frozenset[str]


def augment_pipeline(
    audio: FloatArray,
    config: AugmentationConfig,
    rng: np.random.Generator,
    *,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> AugmentedAudio:
    """A recording with a random handful of effects, and how its notes and labels have to follow.

    For a recording with notes or labels take `augment_triple`, which makes them follow.

    Parameters
    ----------
    audio : (S,) mono, full scale = 1
    config
        With `on_touched_label: refuse`, every target counts as labelled.
    rng
        The same state gives the same bytes.
    sample_rate_hz : Hz

    Raises
    ------
    InputError
        The waveform cannot be used, or an effect needs a longer one.
    """
    labelled = frozenset(TARGETS) if config.on_touched_label == "refuse" else frozenset[str]()
    subject = Subject(sample_rate_hz, is_silent=not np.any(audio))
    return _augmented(checked_waveform(audio), config, subject, labelled, rng)


def augment_triple(triple: Triple, config: AugmentationConfig, rng: np.random.Generator) -> AugmentedTriple:
    """A rated segment with a random handful of effects; notes, score, spans and labels follow the sound.

    What training calls for every example that it draws: cut the window from recording, performance and
    alignment first, then augment, then compute tokens, note features and statistics from the result's
    performance and alignment. The recording's level before normalisation, if it is stored separately, rises
    by `level_change_db`. The result may be shorter or longer by 15 %, and its peak may pass full scale.

    Parameters
    ----------
    triple
    config
    rng
        The same state gives the same bytes; seed it by (seed, epoch, index) to be independent of the
        number of workers.

    Raises
    ------
    InputError
        An effect needs a longer waveform, or an impulse response cannot be read.
    """
    labelled = frozenset(triple.labels) if config.on_touched_label == "refuse" else frozenset[str]()
    subject = Subject(
        triple.sample_rate_hz,
        is_silent=not np.any(triple.audio),
        semitone_room=semitone_room(triple.performance),
    )
    return _around(triple, _augmented(checked_waveform(triple.audio), config, subject, labelled, rng))


def repeat_triple(triple: Triple, applied: Sequence[AppliedEffect]) -> AugmentedTriple:
    """The same effects with the same parameters as before: how a recorded example is made again."""
    changes = []
    audio = checked_waveform(triple.audio)
    for effect in applied:
        changes.append(apply_effect(effect.name, audio, effect.parameters, triple.sample_rate_hz))
        audio = changes[-1].audio
    return _around(triple, _joined(checked_waveform(triple.audio), tuple(applied), changes, ()))


def _augmented(
    audio: FloatArray,
    config: AugmentationConfig,
    subject: Subject,
    labelled: frozenset[str],
    rng: np.random.Generator,
) -> AugmentedAudio:
    """Draw effects and parameters, then apply each one that no present label forbids."""
    applied: list[AppliedEffect] = []
    changes: list[Changed] = []
    refused: list[str] = []
    current = audio
    for name in _drawn(config, rng):
        parameters = EFFECTS[name].draw(getattr(config, name), subject, rng)
        if parameters is None:
            refused.append(name)
            continue
        change = EFFECTS[name].apply(current, parameters, subject.sample_rate_hz)
        total = total_amounts([*(c.amounts for c in changes), change.amounts])
        if not labelled <= valid_labels(total):
            refused.append(name)
            continue
        applied.append(AppliedEffect(name, parameters, change.amounts))
        changes.append(change)
        current = change.audio
    return _joined(audio, tuple(applied), changes, tuple(refused))


def _drawn(config: AugmentationConfig, rng: np.random.Generator) -> list[str]:
    """Names of the effects to try, in the order of `EFFECTS`."""
    coins = rng.random(len(EFFECTS))
    fallen = [
        name for name, coin in zip(EFFECTS, coins, strict=True) if coin < getattr(config, name).probability
    ]
    if len(fallen) <= config.most_effects:
        return fallen
    kept = np.sort(rng.permutation(len(fallen))[: config.most_effects])
    return [fallen[k] for k in kept]


def _joined(
    before: FloatArray,
    applied: tuple[AppliedEffect, ...],
    changes: Sequence[Changed],
    refused: tuple[str, ...],
) -> AugmentedAudio:
    audio = changes[-1].audio if changes else before.copy()
    time_map = TimeMap.identity()
    for change in changes:
        if not change.time_map.is_identity:
            time_map = time_map.then(change.time_map)
    levels_db = db_from_amplitude([rms(before), rms(audio)])
    return AugmentedAudio(
        audio=audio,
        applied=applied,
        refused=refused,
        time_map=time_map,
        semitones=sum(change.semitones for change in changes),
        valid_labels=valid_labels(total_amounts([change.amounts for change in changes])),
        level_change_db=float(levels_db[1] - levels_db[0]),
    )


def _around(triple: Triple, heard: AugmentedAudio) -> AugmentedTriple:
    return AugmentedTriple(
        triple=moved_triple(triple, heard.audio, heard.time_map, heard.semitones, heard.valid_labels),
        applied=heard.applied,
        refused=heard.refused,
        time_map=heard.time_map,
        semitones=heard.semitones,
        level_change_db=heard.level_change_db,
        labels_left_out=frozenset(triple.labels) - heard.valid_labels,
    )
