"""The large audio encoder: MERT, pretrained on recorded music without labels (Li et al., 2024)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor, nn

from tocco.models.audio_encoder import AudioEncoder, EncodedAudio, centre_times, frame_counts, length_mask
from tocco.models.mert_checkpoint import find_checkpoint, hubert, load_hubert, read_architecture
from tocco.units import FrameClock


def convolution_clock(kernels: list[int], strides: list[int]) -> FrameClock:
    """Frames of a stack of convolutions without padding.

    Each layer widens the window by (kernel - 1) steps of the layer below and multiplies the step.
    """
    window = 1 + sum((k - 1) * math.prod(strides[:i]) for i, k in enumerate(kernels))
    return FrameClock(hop_samples=math.prod(strides), window_samples=window)


def standardised(waveform: Tensor) -> Tensor:
    """(..., S) -> (..., S): zero mean and unit variance an item, as in MERT's own training."""
    mean = waveform.mean(-1, keepdim=True)
    variance = waveform.var(-1, keepdim=True, unbiased=False)
    return (waveform - mean) / (variance + 1e-7).sqrt()


class MERTEncoder(AudioEncoder):
    """MERT from the hub or a folder: 75 frames a second, 768 (95M) or 1024 (330M) features.

    No code from the hub is run, and a checkpoint is loaded completely or not at all. Padding changes the
    output of MERT even for the other frames, so items of different length are encoded separately.

    Parameters
    ----------
    checkpoint
        A folder with `config.json` and weights, a hub id, or the architecture alone (a mapping of
        HuBERT's fields) for a network whose weights come with a bundle.
    layers
        "mix" learns a weighted mean over all layers (Yang et al., SUPERB, 2021); a number takes the
        output of that layer (0: before the first), and layers above it are not built.
    trainable
        "none", "all", or the count of topmost layers. What is not trained stays in evaluation mode.
    gradient_checkpointing
        Recompute activations in the backward pass: slower, and far smaller.
    revision, sha256
        Pin of a hub id that tocco does not know; the hash is also checked for a folder.
    """

    def __init__(
        self,
        checkpoint: str | Path | Mapping[str, Any],
        *,
        layers: Literal["mix"] | int = "mix",
        trainable: Literal["none", "all"] | int = "none",
        gradient_checkpointing: bool = False,
        revision: str | None = None,
        sha256: str | None = None,
    ) -> None:
        super().__init__()
        if isinstance(checkpoint, Mapping):
            self.architecture = dict(checkpoint)
            self.backbone = hubert(self.architecture)
        else:
            folder, expected = find_checkpoint(checkpoint, revision, sha256)
            self.architecture = read_architecture(folder)
            self.backbone = load_hubert(folder, self.architecture, expected)
        config = self.backbone.config
        self.output_size: int = config.hidden_size
        self.clock = convolution_clock(list(config.conv_kernel), list(config.conv_stride))
        self._choose_layers(layers)
        self._choose_trainable(trainable)
        if gradient_checkpointing:
            self.backbone.activation_checkpointing_enable(
                activation_checkpointing_kwargs={"use_reentrant": False}
            )
        self.train(self.training)

    @classmethod
    def untrained(
        cls,
        checkpoint: str | Path | Mapping[str, Any],
        *,
        revision: str | None = None,
        sha256: str | None = None,
        **settings: Any,
    ) -> MERTEncoder:
        """The architecture of a checkpoint with random weights; settings as for the class."""
        if not isinstance(checkpoint, Mapping):
            folder, _ = find_checkpoint(checkpoint, revision, sha256)
            checkpoint = read_architecture(folder)
        return cls(checkpoint, **settings)

    def _choose_layers(self, layers: Literal["mix"] | int) -> None:
        encoder = self.backbone.encoder
        count = len(encoder.layers)
        self.mix: nn.Parameter | None = None
        if layers == "mix":
            self.mix = nn.Parameter(torch.zeros(count + 1))
        elif not 0 <= layers <= count:
            raise ValueError(f"layers is {layers}; 'mix' or 0 to {count} is allowed")
        elif layers < count:
            del encoder.layers[layers:]
            if self.backbone.config.do_stable_layer_norm:
                # The closing norm belongs to the last layer of all; below it, a layer is taken as it is.
                encoder.add_module("layer_norm", nn.Identity())

    def _choose_trainable(self, trainable: Literal["none", "all"] | int) -> None:
        kept = self.backbone.encoder.layers
        if isinstance(trainable, str) and trainable not in ("none", "all"):
            raise ValueError(f"trainable is {trainable!r}; 'none', 'all' or a count of layers is allowed")
        if not isinstance(trainable, str) and not 0 < trainable <= len(kept):
            raise ValueError(f"trainable is {trainable}; 1 to {len(kept)} layers, 'none' or 'all' is allowed")
        self.backbone.requires_grad_(trainable == "all")
        trained: list[nn.Module] = [self.backbone] if trainable == "all" else []
        if isinstance(trainable, int):
            trained = list(kept)[-trainable:]
            for layer in trained:
                layer.requires_grad_(True)
        self._trained = tuple(trained)
        if self.backbone.masked_spec_embed is not None:
            self.backbone.masked_spec_embed.requires_grad_(False)  # only masked pre-training uses it

    def train(self, mode: bool = True) -> MERTEncoder:
        """Training mode for what is trained; the frozen rest keeps its dropout off."""
        super().train(mode)
        self.backbone.eval()
        for part in self._trained:
            part.train(mode)
        return self

    def _encode(self, waveform: Tensor) -> Tensor:
        """(b, S) of one length -> (b, T, H)."""
        with torch.set_grad_enabled(torch.is_grad_enabled() and bool(self._trained)):
            output = self.backbone(standardised(waveform), output_hidden_states=self.mix is not None)
        if self.mix is None:
            return output.last_hidden_state
        weights = self.mix.softmax(0)
        return torch.einsum("n,nbth->bth", weights, torch.stack(output.hidden_states))

    def forward(self, waveform: Tensor, samples: Tensor) -> EncodedAudio:
        """See `AudioEncoder.forward`."""
        counts = frame_counts(self.clock, samples)
        n_frames = int(counts.max())
        parts: list[Tensor] = []
        members: list[Tensor] = []
        for length in samples.unique():
            member = (samples == length).nonzero()[:, 0]
            encoded = self._encode(waveform[member, : int(length)])
            parts.append(nn.functional.pad(encoded, (0, 0, 0, n_frames - encoded.shape[1])))
            members.append(member)
        features = torch.cat(parts)[torch.cat(members).argsort()]
        return EncodedAudio(
            features, length_mask(counts, n_frames), centre_times(self.clock, n_frames, waveform)
        )
