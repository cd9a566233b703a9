"""Aggregation of a sequence of frames into one vector per segment."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence


@dataclass(frozen=True)
class Frames:
    """A stream of frames.

    Attributes
    ----------
    features : (B, T, H), zero where the mask is False
    mask : (B, T) True = real
    time_sec : (B, T) seconds, centre of each frame
    """

    features: Tensor
    mask: Tensor
    time_sec: Tensor


def pool_frames(frames: Frames, size: int) -> Frames:
    """Mean over each run of `size` frames; the last run may be shorter, padding is ignored.

    The time of a pooled frame is the mean time of its valid frames (0 on padding).
    """
    if size < 1:
        raise ValueError(f"{size} frames cannot be pooled into one; at least 1")
    if size == 1:
        return frames
    T = frames.mask.shape[1]
    spare = -T % size
    weight = nn.functional.pad(frames.mask.to(frames.features.dtype), (0, spare)).unflatten(1, (-1, size))
    count = weight.sum(2)
    share = weight / count.clamp(min=1.0)[..., None]
    features = nn.functional.pad(frames.features, (0, 0, 0, spare)).unflatten(1, (-1, size))
    time_sec = nn.functional.pad(frames.time_sec, (0, spare)).unflatten(1, (-1, size))
    return Frames((features * share[..., None]).sum(2), count > 0, (time_sec * share).sum(2))


def mean_and_sd(features: Tensor, mask: Tensor) -> Tensor:
    """(B, T, H) -> (B, 2H): mean and standard deviation over the valid frames."""
    valid = mask[..., None].to(features.dtype)
    count = valid.sum(1).clamp(min=1.0)
    mean = (features * valid).sum(1) / count
    variance = ((features - mean[:, None]).square() * valid).sum(1) / count
    # The gradient of the root is infinite at 0, the variance of a single frame or of silence.
    return torch.cat((mean, (variance + 1e-4).sqrt()), dim=-1)


@dataclass(frozen=True)
class Aggregate:
    """Vector of a segment, and the attention over its frames.

    Attributes
    ----------
    vector : (B, output_size)
    attention : (B, heads, T') >= 0, sums to 1 over the real frames; 0 on padding
    time_sec : (B, T') seconds of those frames; NaN on padding
    """

    vector: Tensor
    attention: Tensor
    time_sec: Tensor


class HierarchicalAggregator(nn.Module):
    """Pooled frames, a bidirectional LSTM and attention, aggregated into one vector.

    With about a thousand rated segments, mean and standard deviation over time are better than a
    recurrent network with attention. The vector is therefore a projection of these, plus the output of
    attention over a bidirectional LSTM, through a learned gate that is initialised to 0.1, with nearly
    uniform attention.

    Parameters
    ----------
    input_size
    hidden_size
        Of the LSTM, per direction; the result is twice as wide.
    layers
        Of the LSTM.
    heads
        Of the attention.
    pool_frames
        Number of frames averaged into one at the input.
    dropout
    """

    def __init__(
        self,
        *,
        input_size: int = 1024,
        hidden_size: int = 256,
        layers: int = 2,
        heads: int = 4,
        pool_frames: int = 2,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        self.output_size = 2 * hidden_size
        if self.output_size % heads:
            raise ValueError(f"2 x hidden_size {hidden_size} cannot be split into {heads} heads")
        self.pool_frames = pool_frames
        self.heads = heads
        self.dropout = nn.Dropout(dropout)
        self.overview = nn.Linear(2 * input_size, self.output_size)
        self.lstm = nn.LSTM(
            input_size,
            hidden_size,
            layers,
            batch_first=True,
            bidirectional=True,
            dropout=dropout if layers > 1 else 0.0,
        )
        self.key = nn.Linear(self.output_size, self.output_size)
        self.query = nn.Parameter(torch.randn(heads, self.output_size // heads) * 0.02)
        self.out = nn.Linear(self.output_size, self.output_size)
        self.gate = nn.Parameter(torch.full((self.output_size,), 0.1))

    def _read(self, frames: Frames) -> Tensor:
        """(B, T', 2 * hidden_size): output of the LSTM, with padding excluded."""
        lengths = frames.mask.sum(1).cpu()
        packed = pack_padded_sequence(
            self.dropout(frames.features), lengths, batch_first=True, enforce_sorted=False
        )
        out, _ = self.lstm(packed)
        return pad_packed_sequence(out, batch_first=True, total_length=frames.mask.shape[1])[0]

    def forward(self, features: Tensor, mask: Tensor, time_sec: Tensor) -> Aggregate:
        """Aggregate a batch.

        Parameters
        ----------
        features : (B, T, input_size)
        mask : (B, T) True = valid, without gaps from the start; at least one per item
        time_sec : (B, T) seconds
        """
        frames = pool_frames(Frames(features, mask, time_sec), self.pool_frames)
        read = self._read(frames)
        keys = torch.tanh(self.key(read)).unflatten(-1, (self.heads, -1))
        logits = torch.einsum("bthc,hc->bht", keys, self.query)
        attention = logits.masked_fill(~frames.mask[:, None], float("-inf")).softmax(dim=-1)
        weighed = torch.einsum("bht,bthc->bhc", attention, read.unflatten(-1, (self.heads, -1)))
        overview = self.overview(self.dropout(mean_and_sd(frames.features, frames.mask)))
        vector = overview + self.gate * self.out(weighed.flatten(1))
        return Aggregate(vector, attention, frames.time_sec.masked_fill(~frames.mask, float("nan")))


class MeanSdAggregator(nn.Module):
    """Mean and standard deviation of the frames over time, projected: no order, no attention.

    Parameters
    ----------
    input_size, output_size
    pool_frames
        Number of frames averaged into one at the input.
    dropout
    """

    def __init__(
        self, *, input_size: int, output_size: int, pool_frames: int = 2, dropout: float = 0.1
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.pool_frames = pool_frames
        self.dropout = nn.Dropout(dropout)
        self.overview = nn.Linear(2 * input_size, output_size)

    def forward(self, features: Tensor, mask: Tensor, time_sec: Tensor) -> Aggregate:
        """See `HierarchicalAggregator.forward`; the attention has one head and is even."""
        frames = pool_frames(Frames(features, mask, time_sec), self.pool_frames)
        vector = self.overview(self.dropout(mean_and_sd(frames.features, frames.mask)))
        valid = frames.mask.to(features.dtype)
        attention = (valid / valid.sum(1, keepdim=True))[:, None]
        return Aggregate(vector, attention, frames.time_sec.masked_fill(~frames.mask, float("nan")))
