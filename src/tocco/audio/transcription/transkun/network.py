"""The transformer of transkun 2.0: from the sound of a window to a vector for every key at every frame.

The architecture is that of Yan and Duan, "Scoring intervals using non-hierarchical transformer for automatic
piano transcription" (ISMIR 2024), and modules are named so that their published weights (MIT) load strictly.
Attention over keys and over time alternates. Written anew so that nothing but tensors is read from the
package `transkun`, and so that the last layer computes only what is read from it.

Axes beside those of ARCHITECTURE.md: K keys and pedals that can be heard, P times of 8 frames, F patches of 4
mel bands, C channels.
"""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

SUSTAIN_KEY: Final = -64
SOFT_KEY: Final = -67
HEARD_KEYS: Final = (SUSTAIN_KEY, SOFT_KEY, *range(21, 109))
"""What the network listens for: the two pedals, then the 88 keys."""

NETWORK_RATE_HZ: Final = 44_100
HOP_SAMPLES: Final = 1024
FRAME_SAMPLES: Final = 4096
FRAME_SEC: Final = HOP_SAMPLES / NETWORK_RATE_HZ

_N_MELS: Final = 229
_N_WINDOWS: Final = 6
_BASE: Final = 64
_WIDTH: Final = 4 * _BASE
_N_HEADS: Final = 8
_N_LAYERS: Final = 6
_PATCH_FRAMES: Final = 8
_FLOOR: Final = 1e-5


class MelSpectrum(nn.Module):
    """Log power in 229 mel bands (30 Hz to 8 kHz) through one Hann and five learned Gaussian windows."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("freq2mels", torch.empty(FRAME_SAMPLES // 2 + 1, _N_MELS))
        self.spectrogramExtractor = _WindowShapes()
        self.freq2mels: Tensor

    def forward(self, frames: Tensor) -> Tensor:
        """Features of frames.

        Parameters
        ----------
        frames : (T, 4096) sound, of mean 0 and deviation 1 over the window

        Returns
        -------
        (6, T, 229)
        """
        features = []
        for shape in self.spectrogramExtractor():  # one at a time: a sixth of the memory
            spectrum = torch.fft.rfft(frames * shape, norm="ortho")
            power = spectrum.real.square() + spectrum.imag.square()
            mel = power @ self.freq2mels
            features.append(((mel + _FLOOR).log() - math.log(_FLOOR)) / -math.log(_FLOOR))
        return torch.stack(features)


class _WindowShapes(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("win", torch.empty(FRAME_SAMPLES))
        self.winGen = _GaussianWindows(_N_WINDOWS - 1)
        self.win: Tensor

    def forward(self) -> Tensor:
        """(6, 4096) weights of the samples of a frame."""
        return torch.cat([self.win[None], self.winGen()])


class _GaussianWindows(nn.Module):
    def __init__(self, n: int) -> None:
        super().__init__()
        self.sigma = nn.Parameter(torch.empty(n))
        self.center = nn.Parameter(torch.empty(n))

    def forward(self) -> Tensor:
        """(n, 4096) bell curves, as wide and as far along as was learned."""
        width = torch.sigmoid(self.sigma)[:, None] * FRAME_SAMPLES / 2
        middle = torch.sigmoid(self.center)[:, None] * FRAME_SAMPLES
        at = torch.arange(FRAME_SAMPLES, device=self.sigma.device)
        return torch.exp(-0.5 * ((at - middle) / width).square())


class PlaceEmbedding(nn.Module):
    """Learned Fourier features of a place on one or two axes."""

    def __init__(self, size: int, n_axes: int) -> None:
        super().__init__()
        self.proj = nn.Linear(n_axes, size)
        self.mlp = nn.Sequential(
            nn.Linear(size, 4 * size), nn.GELU(), nn.Identity(), nn.Linear(4 * size, size)
        )

    def forward(self, *axes: Tensor) -> Tensor:
        """Embedding (..., size) of every place of the grid that the axes span."""
        phase = self.proj(torch.stack(torch.meshgrid(list(axes), indexing="ij"), dim=-1).float())
        return self.mlp(torch.cos(phase) / math.sqrt(phase.shape[-1] / 2))


class _Attention(nn.Module):
    """Attention of some places to all."""

    def __init__(self) -> None:
        super().__init__()
        self.q_proj_weight = nn.Parameter(torch.empty(_WIDTH, _WIDTH))
        self.k_proj_weight = nn.Parameter(torch.empty(_WIDTH, _WIDTH))
        self.v_proj_weight = nn.Parameter(torch.empty(_WIDTH, _WIDTH))
        self.out_proj = nn.Linear(_WIDTH, _WIDTH)

    def forward(self, x: Tensor, memory: Tensor) -> Tensor:
        """(B, L, C) for the queries `x` (B, L, C) and the `memory` (B, M, C) that they look at."""
        query = _heads(x @ self.q_proj_weight)
        both = memory @ torch.cat((self.k_proj_weight, self.v_proj_weight), dim=1)
        key, value = (_heads(part) for part in both.chunk(2, dim=-1))
        fetched = functional.scaled_dot_product_attention(query, key, value)
        return self.out_proj(fetched.transpose(1, 2).flatten(-2))


def _heads(x: Tensor) -> Tensor:
    return x.unflatten(-1, (_N_HEADS, -1)).transpose(1, 2)


class _Residual(nn.Module):
    """A module on the normalised input, scaled and added to the input."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module
        self.scale = nn.Parameter(torch.empty(_WIDTH))

    def forward(self, x: Tensor, *memory: Tensor) -> Tensor:
        """(..., C) for (..., C)."""
        normal = x * torch.rsqrt(x.square().mean(dim=-1, keepdim=True) + 1e-6)
        return torch.addcmul(x, self.module(normal, *memory), self.scale)


def _feed_forward() -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(_WIDTH, 4 * _WIDTH), nn.GELU(), nn.Identity(), nn.Linear(4 * _WIDTH, _WIDTH)
    )


class _Layer(nn.Module):
    """Attention over mel patches and keys within a time, then over time within each of them."""

    def __init__(self) -> None:
        super().__init__()
        self.mhaBlockF = _Residual(_Attention())
        self.fnnBlockF = _Residual(_feed_forward())
        self.mhaBlockT = _Residual(_Attention())
        self.fnnBlockT = _Residual(_feed_forward())

    def forward(self, x: Tensor, first_read: int = 0) -> Tensor:
        """The places (P, F, C) after the layer: P times, F patches and keys.

        Both attentions look at the input of the layer, as it is.

        Parameters
        ----------
        x
        first_read : patches before it are not read afterwards, and left out of the result
        """
        read = x[:, first_read:]
        of_times = self.fnnBlockF(self.mhaBlockF(read, x))
        of_places = self.mhaBlockT(of_times.transpose(0, 1), read.transpose(0, 1))
        return self.fnnBlockT(of_places).transpose(0, 1)


class Backbone(nn.Module):
    """From features to a vector for every key at every frame."""

    def __init__(self) -> None:
        super().__init__()
        self.posEmbedBuilder = PlaceEmbedding(_BASE, 1)
        self.inputConv = nn.Conv2d(_N_WINDOWS, _BASE, 3, padding=1)
        self.downConv = nn.Sequential(
            nn.ConstantPad2d((2, 1, 4, 3), 0.0),
            nn.Conv2d(_BASE, 2 * _BASE, 3, padding=1, stride=(2, 1)),
            nn.GroupNorm(4, 2 * _BASE),
            nn.GELU(),
            nn.Identity(),
            nn.Conv2d(2 * _BASE, _WIDTH, 3, padding=1, stride=(2, 2)),
            nn.GroupNorm(4, _WIDTH),
            nn.GELU(),
            nn.Identity(),
            nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1, stride=(2, 2)),
            nn.GroupNorm(4, _WIDTH),
            nn.GELU(),
            nn.Identity(),
            nn.Conv2d(_WIDTH, _WIDTH, 3, padding=1),
            nn.GroupNorm(4, _WIDTH),
        )
        self.upConv1dSkip = nn.ConvTranspose1d(_WIDTH, _WIDTH, _PATCH_FRAMES, stride=_PATCH_FRAMES)
        self.posEmbedBuilderAttnTF = PlaceEmbedding(_WIDTH, 2)
        self.posEmbedBuilderAttnTE = PlaceEmbedding(_WIDTH, 2)
        self.encoderLayers = nn.ModuleList(_Layer() for _ in range(_N_LAYERS))

    def forward(self, features: Tensor) -> Tensor:
        """Vectors of the keys.

        Parameters
        ----------
        features : (6, T, 229)

        Returns
        -------
        (K, T, C)
        """
        n_frames = features.shape[1]
        x = self._patches(features)
        x = torch.cat([x, self._of_keys(len(x))], dim=1)
        n_sound = x.shape[1] - len(HEARD_KEYS)
        for layer in self.encoderLayers[:-1]:
            x = layer(x)
        x = self.encoderLayers[-1](x, n_sound)[1:]  # the first time gathers what holds for all
        return self.upConv1dSkip(x.permute(1, 2, 0))[..., :n_frames].transpose(1, 2)

    def _patches(self, features: Tensor) -> Tensor:
        bands = torch.arange(features.shape[-1], device=features.device)
        x = self.inputConv(features[None]) + self.posEmbedBuilder(bands).T[:, None]
        x = self.downConv(x)[0].permute(1, 2, 0)
        x = functional.pad(x, (0, 0, 1, 0, 1, 0))
        at = [torch.arange(n, device=x.device) for n in x.shape[:2]]
        return x + self.posEmbedBuilderAttnTF(*at)

    def _of_keys(self, n_times: int) -> Tensor:
        device = self.inputConv.weight.device
        keys = torch.tensor(HEARD_KEYS, device=device)
        return self.posEmbedBuilderAttnTE(torch.arange(n_times, device=device), keys)


class IntervalScorer(nn.Module):
    """Weighs every interval of every key by the inner product of its ends."""

    def __init__(self) -> None:
        super().__init__()
        self.map = nn.Sequential(nn.Linear(_WIDTH, 2 * _WIDTH + 1))

    def forward(self, keys: Tensor) -> tuple[Tensor, Tensor]:
        """Weights of intervals.

        Parameters
        ----------
        keys : (K, T, C)

        Returns
        -------
        ahead : (K, T, T) weight, by frame of its length, of an interval from a frame to a later one
        alone : (K, T) weight of an interval of one frame
        """
        end, begin, alone = self.map(keys).split([_WIDTH, _WIDTH, 1], dim=-1)
        return begin @ (end / math.sqrt(_WIDTH)).transpose(1, 2), alone.squeeze(-1)


class TranskunNetwork(nn.Module):
    """The whole network: sound of one window in, interval weights and key vectors out."""

    def __init__(self) -> None:
        super().__init__()
        self.framewiseFeatureExtractor = MelSpectrum()
        self.backbone = Backbone()
        self.scorer = IntervalScorer()
        self.velocityPredictor = _head(128)
        self.refinedOFPredictor = _head(4)

    @property
    def device(self) -> torch.device:
        """Where its weights lie."""
        return self.framewiseFeatureExtractor.freq2mels.device

    def heard_keys(self, frames: Tensor) -> Tensor:
        """Vectors (K, T, C) of the keys in one window.

        Parameters
        ----------
        frames : (T, 4096) sound; its gain does not matter
        """
        normal = (frames - frames.mean()) / (frames.std() + 1e-8)
        return self.backbone(self.framewiseFeatureExtractor(normal))

    def describe(self, begin: Tensor, end: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """How intervals were played.

        Parameters
        ----------
        begin, end : (N, C) vectors at the first and the last frame

        Returns
        -------
        velocity : (N, 128) probabilities
        shift : (N, 2) frames from the middle of the first and last frame to onset and offset, -.5..5
        is_inside : (N, 2) whether onset and offset lie within the window
        """
        both = torch.cat([begin, end, begin * end], dim=-1)
        velocity = functional.softmax(self.velocityPredictor(both), dim=-1)
        value, presence = self.refinedOFPredictor(both).chunk(2, dim=-1)
        middle = torch.distributions.ContinuousBernoulli(logits=value).mean
        return velocity, ((middle - 0.5) / 0.99).clamp(-0.5, 0.5), presence > 0


def _head(size: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(3 * _WIDTH, 512), nn.GELU(), nn.Identity(), nn.Linear(512, size))
