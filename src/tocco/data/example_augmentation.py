"""Training examples as they might have been recorded or transcribed elsewhere.

The sound is changed first, and notes, score positions and labels follow it; then, now and then, the
notes are heard through a transcriber. Transposition and tempo belong to the sound's effects
(`pitch_shift`, `time_stretch`): both sides have to move together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from pydantic import Field

from tocco.audio.augmentation import AugmentationConfig, Triple, augment_triple
from tocco.data.preparation import WindowInputs, symbolic_inputs
from tocco.data.prepared import PreparedWindow
from tocco.music.transcriber_noise import transcriber_noise
from tocco.schema import StrictModel
from tocco.units import FloatArray

TRANSCRIBER = "transcriber_noise"
"""Name of the symbolic effect in an example's metadata."""


class ExampleAugmentation(StrictModel):
    """How training examples are changed.

    Attributes
    ----------
    enabled : nothing is changed unless it is true
    transcriber_probability : how often the notes are those that a transcriber would report
    audio : effects on the sound, with which notes and labels move
    """

    enabled: bool = False
    transcriber_probability: Annotated[float, Field(ge=0.0, le=1.0)] = 0.3
    audio: AugmentationConfig = AugmentationConfig()


@dataclass(frozen=True, eq=False)
class AugmentedWindow:
    """A changed window.

    Attributes
    ----------
    inputs
    labels_kept : names of the ratings that still hold
    effects : names of what was applied, in order
    """

    inputs: WindowInputs
    labels_kept: frozenset[str]
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
    """A window with a random handful of effects; tokens, features and statistics are taken anew.

    Parameters
    ----------
    window
    rated
        Names of the ratings that the record has.
    config, draw
    use_score
        Whether the network is shown the score.
    level_shift_db : dB by which the recording's own level is moved besides
    """
    audio, performance, alignment = window.played()
    # Effects ask which labels there are, not what they are.
    triple = Triple(audio, performance, alignment if use_score else None, dict.fromkeys(rated, 50.0))
    changed = augment_triple(triple, config.audio, draw)
    performance, alignment = changed.triple.performance, changed.triple.alignment
    kept = frozenset(changed.triple.labels)
    effects = [effect.name for effect in changed.applied]
    if len(performance) and draw.random() < config.transcriber_probability:
        noisy = transcriber_noise(performance, draw)
        if config.audio.on_touched_label == "leave_out" or kept <= noisy.labels_kept:
            alignment = None if alignment is None else noisy.alignment(alignment)
            performance, kept = noisy.performance, kept & noisy.labels_kept
            effects.append(TRANSCRIBER)
    inputs = WindowInputs(
        waveform=_at_the_peak_of(audio, changed.triple.audio),
        level_db=window.level_db + changed.level_change_db + level_shift_db,
        symbolic=symbolic_inputs(performance, alignment),
    )
    return AugmentedWindow(inputs, kept, tuple(effects))


def _at_the_peak_of(before: FloatArray, after: FloatArray) -> FloatArray:
    """The changed sound with the peak of the old: normalisation has taken every recording to one peak."""
    peaks = [float(np.max(np.abs(waveform))) for waveform in (before, after)]
    scale = peaks[0] / peaks[1] if peaks[1] > 0.0 else 1.0
    return (after * scale).astype(np.float32)
