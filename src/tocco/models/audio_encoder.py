"""Audio encoders: from a waveform to a sequence of audio features.

`CompactEncoder` reads log-mel spectra and can be trained from random weights on a laptop; `tocco.models.mert`
wraps the large pretrained encoder. Both have the same interface.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from tocco.units import SAMPLE_RATE_HZ, FrameClock

_MEL_WINDOW_SAMPLES = 1024
_MEL_HOP_SAMPLES = 320
_LOWEST_HZ = 30.0
_POWER_FLOOR = 1e-10


@dataclass(frozen=True)
class EncodedAudio:
    """Output of an audio encoder.

    Attributes
    ----------
    features : (B, T, H)
        Zero where the mask is False.
    mask : (B, T) True = a complete frame of valid audio
    time_sec : (T,) seconds after sample 0, the centre of each frame
    """

    features: Tensor
    mask: Tensor
    time_sec: Tensor


class AudioEncoder(nn.Module):
    """Interface of audio encoders.

    Attributes
    ----------
    output_size : H
    clock
        Times of the frames.
    """

    output_size: int
    clock: FrameClock

    def forward(self, waveform: Tensor, samples: Tensor) -> EncodedAudio:
        """Encode a batch of waveforms.

        Parameters
        ----------
        waveform : (B, S) at 24 kHz, peak-normalised
        samples : (B,) count of valid samples, 1..S
        """
        raise NotImplementedError


def frame_counts(clock: FrameClock, samples: Tensor) -> Tensor:
    """Number of complete frames of each item; at least one is required.

    Parameters
    ----------
    clock
    samples : (B,) count

    Returns
    -------
    (B,) count, >= 1
    """
    if bool((samples < clock.window_samples).any()):
        raise ValueError(
            f"an item has {int(samples.min())} valid samples; one frame needs {clock.window_samples}"
        )
    return torch.div(samples - clock.window_samples, clock.hop_samples, rounding_mode="floor") + 1


def length_mask(lengths: Tensor, size: int) -> Tensor:
    """(B, size) True for the first `lengths` places of each row."""
    return torch.arange(size, device=lengths.device) < lengths[:, None]


def centre_times(clock: FrameClock, n_frames: int, like: Tensor) -> Tensor:
    """(T,) seconds: `FrameClock.centre_sec` on the device of `like`."""
    return torch.from_numpy(clock.centre_sec(n_frames)).to(like.device, torch.float32)


def frame_level_db(waveform: Tensor, clock: FrameClock, floor_db: float = -80.0) -> Tensor:
    """Short-time level of each frame.

    Parameters
    ----------
    waveform : (B, S)
    clock
        The frames to measure.
    floor_db
        Level of silence.

    Returns
    -------
    (B, T) dB re full scale, root mean square over the frame's window
    """
    power = functional.avg_pool1d(waveform.square()[:, None], clock.window_samples, clock.hop_samples)[:, 0]
    return 10.0 * torch.log10(power.clamp(min=10.0 ** (floor_db / 10.0)))


def _mel_from_hz(frequency_hz: Tensor) -> Tensor:
    linear = frequency_hz * 3.0 / 200.0
    log = 15.0 + torch.log(frequency_hz.clamp(min=1e-3) / 1000.0) * 27.0 / torch.log(torch.tensor(6.4))
    return torch.where(frequency_hz >= 1000.0, log, linear)


def _hz_from_mel(mel: Tensor) -> Tensor:
    linear = mel * 200.0 / 3.0
    log = 1000.0 * torch.exp((mel - 15.0) * torch.log(torch.tensor(6.4)) / 27.0)
    return torch.where(mel >= 15.0, log, linear)


def mel_filters(n_mels: int, n_fft: int, lowest_hz: float, highest_hz: float, sample_rate_hz: int) -> Tensor:
    """Triangular bands, even in mel (Slaney, Auditory Toolbox, 1998), each of unit area in Hz.

    Returns
    -------
    (n_fft // 2 + 1, n_mels) weight of each bin in each band
    """
    bins_hz = torch.linspace(0.0, sample_rate_hz / 2, n_fft // 2 + 1, dtype=torch.float64)
    ends = _mel_from_hz(torch.tensor([lowest_hz, highest_hz], dtype=torch.float64))
    steps = torch.linspace(0.0, 1.0, n_mels + 2, dtype=torch.float64)
    edges_hz = _hz_from_mel(ends[0] + steps * (ends[1] - ends[0]))
    width_hz = edges_hz.diff()
    rising = (bins_hz[:, None] - edges_hz[:-2]) / width_hz[:-1]
    falling = (edges_hz[2:] - bins_hz[:, None]) / width_hz[1:]
    triangles = torch.minimum(rising, falling).clamp(min=0.0)
    return (triangles * 2.0 / (edges_hz[2:] - edges_hz[:-2])).float()


class LogMel(nn.Module):
    """Log-mel spectrogram in absolute decibels, without gain normalisation.

    75 frames per second of 43 ms each; only frames that lie completely inside the waveform.

    Parameters
    ----------
    n_mels
        Count of bands between 30 Hz and 12 kHz.
    """

    window: Tensor
    filters: Tensor

    def __init__(self, n_mels: int) -> None:
        super().__init__()
        self.clock = FrameClock(_MEL_HOP_SAMPLES, _MEL_WINDOW_SAMPLES)
        self.register_buffer("window", torch.hann_window(_MEL_WINDOW_SAMPLES), persistent=False)
        bands = mel_filters(n_mels, _MEL_WINDOW_SAMPLES, _LOWEST_HZ, SAMPLE_RATE_HZ / 2, SAMPLE_RATE_HZ)
        self.register_buffer("filters", bands, persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """(B, S) -> (B, T, n_mels): level of each band, in units of 20 dB around -40 dB.

        In single precision, even with autocast, since bfloat16 is too coarse near the floor.
        """
        with torch.autocast(waveform.device.type, enabled=False):
            spectrum = torch.stft(
                waveform.float(),
                n_fft=_MEL_WINDOW_SAMPLES,
                hop_length=_MEL_HOP_SAMPLES,
                window=self.window,
                center=False,
                return_complex=True,
            )
            power = (spectrum.real.square() + spectrum.imag.square()).transpose(1, 2)
            band_db = 10.0 * torch.log10(power @ self.filters + _POWER_FLOOR)
            return (band_db + 40.0) / 20.0


def skip_items(step: Tensor, rate: float, training: bool) -> Tensor:
    """Stochastic depth (Huang et al., 2016): in training, a block is skipped for random items.

    Parameters
    ----------
    step : (B, ...) residual of the block
    rate : 0..1, probability of skipping
    training
        Without training, no item is skipped.
    """
    if not training or rate == 0.0:
        return step
    is_used = torch.rand((len(step),) + (1,) * (step.dim() - 1), device=step.device) >= rate
    return step * is_used / (1.0 - rate)


class _ConvNeXtBlock(nn.Module):
    """One ConvNeXt block (Liu et al., A ConvNet for the 2020s, 2022), in time only."""

    def __init__(self, width: int, kernel: int, skip_rate: float) -> None:
        super().__init__()
        self.around = nn.Conv1d(width, width, kernel, padding=kernel // 2, groups=width)
        self.norm = nn.LayerNorm(width)
        self.widen = nn.Linear(width, 4 * width)
        self.narrow = nn.Linear(4 * width, width)
        self.scale = nn.Parameter(torch.full((width,), 0.1))
        self.skip_rate = skip_rate

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        # Zeros after the end of an item equal the padding of the convolution.
        context = self.around((x * mask).transpose(1, 2)).transpose(1, 2)
        step = self.narrow(functional.gelu(self.widen(self.norm(context))))
        return x + skip_items(step * self.scale, self.skip_rate, self.training)


class CompactEncoder(AudioEncoder):
    """A small encoder that can be trained on a laptop: log-mel bands, ConvNeXt blocks, 37.5 frames a second.

    About 3.2 M parameters at the default size. Without batch statistics and with a mask at every
    convolution, so that the output does not depend on the other items of the batch.

    Parameters
    ----------
    width
        Features per frame, H.
    depth
        Count of blocks.
    n_mels
        Bands of the spectrogram.
    skip_rate : 0..1
        Probability that a block is skipped in training (stochastic depth).
    """

    def __init__(self, *, width: int = 256, depth: int = 6, n_mels: int = 80, skip_rate: float = 0.0) -> None:
        super().__init__()
        self.output_size = width
        stride = 2
        self.clock = FrameClock(
            stride * _MEL_HOP_SAMPLES, _MEL_WINDOW_SAMPLES + (stride - 1) * _MEL_HOP_SAMPLES
        )
        self.log_mel = LogMel(n_mels)
        self.stride = stride
        self.stem = nn.Linear(stride * n_mels, width)
        self.stem_norm = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(_ConvNeXtBlock(width, 7, skip_rate) for _ in range(depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, waveform: Tensor, samples: Tensor) -> EncodedAudio:
        """See `AudioEncoder.forward`."""
        counts = frame_counts(self.clock, samples)
        n_frames = int(counts.max())
        bands = self.log_mel(waveform)[:, : self.stride * n_frames]
        mask = length_mask(counts, n_frames)
        valid = mask[..., None]
        x = self.stem_norm(self.stem(bands.reshape(len(bands), n_frames, -1)))
        for block in self.blocks:
            x = cast(_ConvNeXtBlock, block)(x, valid)
        features = self.norm(x) * valid
        return EncodedAudio(features, mask, centre_times(self.clock, n_frames, waveform))
