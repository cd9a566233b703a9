"""The classifier of sounds: measured textures of clips in, tensors out."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import torch
from gate_material import KINDS, SURROUNDED, Split
from safetensors.numpy import save_file

from tocco.audio.augmenting.rooms import ROOMS
from tocco.audio.quality.classifier import CLASSES, LIMIT, SoundClassifier
from tocco.audio.quality.gauge import SoundTextures
from tocco.audio.quality.spectra import N_BINS
from tocco.audio.quality.texture import WINDOW_FRAMES, texture
from tocco.files import replacing
from tocco.units import FloatArray, IntArray

SEED: Final = 20
N_NETWORKS: Final = 5
N_HIDDEN: Final = 32
N_EPOCHS: Final = 50
N_FOLDS: Final = 3
_RATE: Final = 5e-3
_WEIGHT_DECAY: Final = 0.1
_JITTER: Final = 0.1
_RIDGE: Final = 100.0
_CLOSE_SEC: Final = 0.12
"""Reverberation time that stands for no room at all."""

CLASS_OF: Final = {
    "piano": "piano",
    "piano_with_voice": "sung",
    "piano_with_instrument": "played",
    "keyboards": "keyboard",
    "guitar": "plucked",
    "plucked": "plucked",
    "mallets": "plucked",
    "band": "band",
    "speech": "speech",
    "singing": "singing",
    "noise": "noise",
    "silence": "noise",
    "applause": "applause",
}
"""Kind of clip -> class; all others hold their notes."""

_WITH_PIANO: Final = ("piano", "sung", "played", "keyboard")


@dataclass(frozen=True, eq=False)
class Textures:
    """Windows of many clips.

    Attributes
    ----------
    clip_kind : (K,) kind of each clip
    clip_decay_sec : (K,) reverberation time of each clip's room
    clip : (N,) index of the clip of each window
    values : (N, F)
    """

    clip_kind: tuple[str, ...]
    clip_decay_sec: FloatArray
    clip: IntArray
    values: FloatArray

    @property
    def label(self) -> IntArray:
        """(N,) class of each window."""
        return np.array([CLASSES.index(CLASS_OF.get(kind, "held")) for kind in self.clip_kind])[self.clip]

    def of(self, chosen: np.ndarray) -> Textures:
        """The windows of some clips, given as (K,) flags."""
        keep = chosen[self.clip]
        return Textures(self.clip_kind, self.clip_decay_sec, self.clip[keep], self.values[keep])


def names() -> tuple[str, ...]:
    """Names of the measures of a texture."""
    return tuple(texture(np.ones((WINDOW_FRAMES, N_BINS), np.float32), np.zeros(1)))


def read_textures(folder: Path, split: Split) -> Textures:
    """Textures of every clip of a split, measured once and stored beside the clips."""
    kinds, decays, clip, values = [], [], [], []
    for file in sorted(folder.glob(f"{split}_*.json")):
        drawn = json.loads(file.read_text())
        if drawn["kind"] == SURROUNDED:
            continue
        stored = folder / "textures" / f"{file.stem}.npy"
        if not stored.is_file():
            stored.parent.mkdir(exist_ok=True)
            sounds = SoundTextures()
            sounds.add(np.load(file.with_suffix(".npy")).astype(np.float32) / 32768.0)
            sounds.finish()
            np.save(stored, sounds.textures[sounds.chosen(None)])
        rows = np.load(stored)
        clip.append(np.full(len(rows), len(kinds)))
        values.append(rows)
        kinds.append(drawn["kind"])
        room = drawn.get("room")
        decays.append(ROOMS[room].rt60_sec[1] if room else _CLOSE_SEC)
    return Textures(
        tuple(kinds), np.array(decays), np.concatenate(clip), np.concatenate(values).astype(float)
    )


def fit(textures: Textures) -> SoundClassifier:
    """Networks and the regression of reverberation, from the same windows."""
    mean, scale = textures.values.mean(axis=0), textures.values.std(axis=0) + 1e-6
    measures = np.clip((textures.values - mean) / scale, -LIMIT, LIMIT)
    networks = [_network(measures, textures.label, SEED + k) for k in range(N_NETWORKS)]
    stacked = [np.stack(tensors).astype(float) for tensors in zip(*networks, strict=True)]
    return SoundClassifier(names(), mean, scale, *stacked, decay_weight=_ridge(textures, mean, scale))


def _network(measures: FloatArray, label: IntArray, seed: int) -> list[FloatArray]:
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    inputs, target = torch.tensor(measures, dtype=torch.float32), torch.tensor(label)
    count = np.bincount(label, minlength=len(CLASSES)) + 1.0
    weight = torch.tensor(1.0 / np.sqrt(count / count.mean()), dtype=torch.float32)
    first = torch.nn.Linear(measures.shape[1], N_HIDDEN)
    second = torch.nn.Linear(N_HIDDEN, len(CLASSES))
    parameters = [*first.parameters(), *second.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=_RATE, weight_decay=_WEIGHT_DECAY)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, N_EPOCHS)
    for _ in range(N_EPOCHS):
        for batch in torch.randperm(len(inputs), generator=generator).split(256):
            seen = inputs[batch] + _JITTER * torch.randn(inputs[batch].shape, generator=generator)
            logit = second(torch.tanh(first(seen)))
            loss = torch.nn.functional.cross_entropy(
                logit, target[batch], weight=weight, label_smoothing=0.02
            )
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        schedule.step()
    return [tensor.detach().numpy() for tensor in parameters]


def _ridge(textures: Textures, mean: FloatArray, scale: FloatArray) -> FloatArray:
    """(F + 1,) from the mean texture of clips with a piano to the logarithm of their reverberation time."""
    chosen = [
        k
        for k, kind in enumerate(textures.clip_kind)
        if CLASS_OF.get(kind) in _WITH_PIANO and (textures.clip == k).any()
    ]
    rows = np.stack([textures.values[textures.clip == k].mean(axis=0) for k in chosen])
    inputs = np.column_stack([np.clip((rows - mean) / scale, -LIMIT, LIMIT), np.ones(len(rows))])
    target = np.log(textures.clip_decay_sec[chosen])
    penalty = _RIDGE * np.eye(inputs.shape[1])
    penalty[-1, -1] = 0.0
    return np.linalg.solve(inputs.T @ inputs + penalty, inputs.T @ target)


def clip_probabilities(classifier: SoundClassifier, textures: Textures) -> dict[int, FloatArray]:
    """Clip -> (C,) mean probability of its windows."""
    likely = classifier.probabilities(textures.values)
    return {int(k): likely[textures.clip == k].mean(axis=0) for k in np.unique(textures.clip)}


def held_out(textures: Textures) -> dict[int, FloatArray]:
    """Clip -> (C,) probabilities by classifiers that have not seen the clip."""
    fold = np.array([zlib.crc32(str(k).encode()) % N_FOLDS for k in range(len(textures.clip_kind))])
    found: dict[int, FloatArray] = {}
    for k in range(N_FOLDS):
        found |= clip_probabilities(fit(textures.of(fold != k)), textures.of(fold == k))
    return found


def save(classifier: SoundClassifier, path: Path) -> None:
    """Write the tensors, with the names of measures and classes beside them."""
    fields = ("mean", "scale", "hidden_weight", "hidden_bias", "class_weight", "class_bias", "decay_weight")
    arrays = {name: np.ascontiguousarray(getattr(classifier, name), np.float32) for name in fields}
    described = {"names": json.dumps(list(classifier.names)), "classes": json.dumps(list(CLASSES))}
    with replacing(path) as temporary:
        save_file(arrays, temporary, metadata=described)


def pianism(probability: FloatArray) -> float:
    """As `Measures.pianism`."""
    of = dict(zip(CLASSES, probability.tolist(), strict=True))
    return of["piano"] + of["sung"] + 0.5 * (of["played"] + of["keyboard"])


def table(textures: Textures, found: dict[int, FloatArray]) -> list[str]:
    """A line for each kind: how many clips, the distribution of `pianism`, the mean of each class."""
    lines = [
        "kind                    n   p02   p05   p50   p95   p98   " + " ".join(f"{c:>8}" for c in CLASSES)
    ]
    for kind in KINDS:
        own = [found[k] for k in found if textures.clip_kind[k] == kind]
        if own:
            quantiles = np.quantile([pianism(p) for p in own], (0.02, 0.05, 0.5, 0.95, 0.98))
            lines.append(
                f"{kind:22s}{len(own):4d} "
                + " ".join(f"{q:5.2f}" for q in quantiles)
                + "  "
                + " ".join(f"{p:8.2f}" for p in np.mean(own, axis=0))
            )
    return lines
