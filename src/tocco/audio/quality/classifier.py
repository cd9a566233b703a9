"""What a texture is: a small network on the measures of four seconds.

One hidden layer, five times with other seeds, averaged; beside it a ridge regression for the reverberation.
Both are fitted by `benchmarks/gate.py fit` on sounds that it makes, and stored as tensors.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from safetensors import SafetensorError, safe_open

from tocco.errors import MissingPartError
from tocco.units import FloatArray

MODEL: Final = Path(__file__).parent / "sounds.safetensors"

CLASSES: Final = (
    "piano",
    "sung",
    "played",
    "keyboard",
    "plucked",
    "held",
    "band",
    "speech",
    "singing",
    "noise",
    "applause",
)
"""What a window can be: a piano; a piano with a voice; a piano with another instrument; another keyboard; a
guitar, harp or mallets; an instrument or voices whose notes are held; instruments with drums and bass;
speech; a voice alone; noise or silence; applause."""

LIMIT: Final = 4.0
"""Standardised measures stay within this range: beyond all training sounds, evidence is no stronger."""


@dataclass(frozen=True, eq=False)
class SoundClassifier:
    """The fitted numbers.

    Attributes
    ----------
    names : (F,) measures that are read
    mean, scale : (F,) of standardisation
    hidden_weight, hidden_bias : (M, H, F), (M, H)
    class_weight, class_bias : (M, C, H), (M, C)
    decay_weight : (F + 1,) natural logarithm of seconds; the constant last
    """

    names: tuple[str, ...]
    mean: FloatArray
    scale: FloatArray
    hidden_weight: FloatArray
    hidden_bias: FloatArray
    class_weight: FloatArray
    class_bias: FloatArray
    decay_weight: FloatArray

    def standardised(self, textures: FloatArray) -> FloatArray:
        """(N, F) within `LIMIT`."""
        return np.clip((textures - self.mean) / self.scale, -LIMIT, LIMIT)

    def probabilities(self, textures: FloatArray) -> FloatArray:
        """Probability of each class.

        Parameters
        ----------
        textures : (N, F)

        Returns
        -------
        (N, C)
        """
        measures = self.standardised(textures)
        hidden = np.tanh(np.einsum("mhf,nf->mnh", self.hidden_weight, measures) + self.hidden_bias[:, None])
        logit = np.einsum("mch,mnh->mnc", self.class_weight, hidden) + self.class_bias[:, None]
        likely = np.exp(logit - logit.max(axis=2, keepdims=True))
        return (likely / likely.sum(axis=2, keepdims=True)).mean(axis=0)

    def decay_sec(self, textures: FloatArray) -> float:
        """Rough reverberation time of a recording: (N, F) of its windows -> seconds."""
        measures = self.standardised(textures.mean(axis=0, keepdims=True))[0]
        return float(np.exp(measures @ self.decay_weight[:-1] + self.decay_weight[-1]))


@cache
def load_classifier(path: Path = MODEL) -> SoundClassifier:
    """The classifier that this release was made with.

    Raises
    ------
    MissingPartError
        The file is missing or damaged.
    """
    try:
        with safe_open(path, framework="numpy") as file:
            described: dict[str, Any] = file.metadata() or {}
            arrays = {name: file.get_tensor(name).astype(float) for name in file.keys()}  # noqa: SIM118
        if json.loads(described["classes"]) != list(CLASSES):
            raise KeyError("classes")
        return SoundClassifier(names=tuple(json.loads(described["names"])), **arrays)
    except (OSError, SafetensorError, KeyError, TypeError) as error:
        raise MissingPartError(
            path,
            "is missing, or not the file that this release was made with",
            next_step="install tocco again",
        ) from error
