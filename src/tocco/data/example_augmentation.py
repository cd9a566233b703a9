"""Augmentation of training examples: other recording conditions, and transcription errors.

The audio is augmented first, and notes, score positions and labels follow; then, with some probability, the
notes are replaced by a simulated transcription. Transposition and tempo are effects on the audio
(`pitch_shift`, `time_stretch`), since audio and notes have to change together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final

import numpy as np
from pydantic import Field, model_validator

from tocco.audio.augmentation import EFFECTS, AugmentationConfig, Triple, augment_triple
from tocco.data.preparation import WindowInputs, symbolic_inputs
from tocco.data.prepared import PreparedWindow
from tocco.music.transcriber_noise import transcriber_noise
from tocco.schema import StrictModel
from tocco.units import FloatArray

TRANSCRIBER = "transcriber_noise"
"""Name of the symbolic effect in an example's metadata."""

_EFFECT_OF: Final = {**{name: name for name in EFFECTS}, "noise": "add_noise"}
"""Short name -> effect."""


class ExampleAugmentation(StrictModel):
    """Configuration of the augmentation.

    Attributes
    ----------
    enabled : no augmentation unless true
    transcriber_probability : probability of a simulated transcription
    audio : effects on the audio, which also change notes and labels
        The probability of one may be given by the name of the effect alone: `pitch_shift: 0.3` is
        `audio: {pitch_shift: {probability: 0.3}}`, and `noise` is `add_noise`.
    """

    enabled: bool = False
    transcriber_probability: Annotated[float, Field(ge=0.0, le=1.0)] = 0.3
    audio: AugmentationConfig = AugmentationConfig()

    @model_validator(mode="before")
    @classmethod
    def _read_probabilities(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not isinstance(given.get("audio", {}), dict):
            return given
        named = {key: value for key, value in given.items() if key in _EFFECT_OF}
        blocks = dict(given.get("audio", {}))
        for key, value in named.items():
            effect = _EFFECT_OF[key]
            block = blocks.get(effect)
            more = value if isinstance(value, dict) else {"probability": value}
            blocks[effect] = {**(block if isinstance(block, dict) else {}), **more}
        rest = {key: value for key, value in given.items() if key not in named}
        return {**rest, "audio": blocks} if named else given


@dataclass(frozen=True, eq=False)
class AugmentedWindow:
    """An augmented window.

    Attributes
    ----------
    inputs
    valid_labels : names of the ratings that remain valid
    effects : names of the applied effects, in order
    """

    inputs: WindowInputs
    valid_labels: frozenset[str]
    effects: tuple[str, ...]


def augmented_window(
    window: PreparedWindow,
    rated: Sequence[str],
    config: ExampleAugmentation,
    draw: np.random.Generator,
    *,
    use_score: bool,
    level_shift_db: float = 0.0,
) -> AugmentedWindow:
    """Augment a window with random effects; tokens, features and statistics are computed again.

    Parameters
    ----------
    window
    rated
        Names of the ratings that the record has.
    config, draw
    use_score
        Whether the score is an input.
    level_shift_db : additional gain in dB of the recording's level
    """
    audio, performance, alignment = window.triple()
    # Effects only need the names of the labels, not their values.
    triple = Triple(audio, performance, alignment if use_score else None, dict.fromkeys(rated, 50.0))
    changed = augment_triple(triple, config.audio, draw)
    performance, alignment = changed.triple.performance, changed.triple.alignment
    valid = frozenset(changed.triple.labels)
    effects = [effect.name for effect in changed.applied]
    if len(performance) and draw.random() < config.transcriber_probability:
        noisy = transcriber_noise(performance, draw)
        if config.audio.on_touched_label == "leave_out" or valid <= noisy.valid_labels:
            alignment = None if alignment is None else noisy.alignment(alignment)
            performance, valid = noisy.performance, valid & noisy.valid_labels
            effects.append(TRANSCRIBER)
    inputs = WindowInputs(
        waveform=_with_peak_of(audio, changed.triple.audio),
        level_db=window.level_db + changed.level_change_db + level_shift_db,
        symbolic=symbolic_inputs(performance, alignment),
    )
    return AugmentedWindow(inputs, valid, tuple(effects))


def _with_peak_of(before: FloatArray, after: FloatArray) -> FloatArray:
    """Scale the augmented audio to the original peak, since all recordings are peak-normalised."""
    peaks = [float(np.max(np.abs(waveform))) for waveform in (before, after)]
    scale = peaks[0] / peaks[1] if peaks[1] > 0.0 else 1.0
    return (after * scale).astype(np.float32)
