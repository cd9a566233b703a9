"""Fusion of audio and notes by attention that depends on time differences.

Frames and notes carry their seconds on one clock. Every attention here is biased by the time between
the centre of a frame and the onset of a note, and by whether the note is held at that moment; absolute
time never enters, so moving both streams together changes nothing.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

_DECAYS_SEC = (0.05, 0.2, 0.8)
_FARTHEST_SEC = 10.0
N_TIME_FEATURES = 2 + 2 * len(_DECAYS_SEC) + 1


def time_features(frame_sec: Tensor, note_sec: Tensor) -> Tensor:
    """Time relation of a frame to a note.

    Parameters
    ----------
    frame_sec : (B, T) seconds, centre of each frame
    note_sec : (B, L, 2) seconds, onset and offset on the same clock

    Returns
    -------
    (B, T, L, 9)
        Seconds that the frame is before and after the onset (up to 10); for each of the decays 0.05, 0.2
        and 0.8 s, how near it is before and after (0..1); and 1 where the key is down at the frame's
        centre.
    """
    since = frame_sec[:, :, None] - note_sec[:, None, :, 0]
    inside = (since >= 0) & (frame_sec[:, :, None] < note_sec[:, None, :, 1])
    after = since.clamp(0.0, _FARTHEST_SEC)
    before = (-since).clamp(0.0, _FARTHEST_SEC)
    started = (since >= 0).to(since.dtype)
    near = [torch.exp(-after / decay) * started for decay in _DECAYS_SEC]
    near += [torch.exp(-before / decay) * (1.0 - started) for decay in _DECAYS_SEC]
    return torch.stack((before, after, *near, inside.to(since.dtype)), dim=-1)


class TimeBias(nn.Module):
    """Attention bias of each head as a learned function of time differences.

    Starts with a linear preference for the near (Press et al., Train short, test long, 2022), from
    broad (0.25 a second) to sharp (8 a second) over the heads, and for notes that are being held.

    Parameters
    ----------
    heads
    uses
        Number of attentions, each with its own weights, computed in one product for speed.
    """

    def __init__(self, heads: int, uses: int = 1) -> None:
        super().__init__()
        slope = torch.logspace(math.log10(0.25), math.log10(8.0), heads)
        weight = torch.zeros(heads, N_TIME_FEATURES)
        weight[:, :2] = -slope[:, None]
        weight[:, -1] = 1.0
        self.weight = nn.Parameter(weight.repeat(uses, 1, 1))

    def forward(self, features: Tensor) -> Tensor:
        """(B, T, L, 9) -> (uses, B, heads, T, L) added to the attention logits."""
        bias = nn.functional.linear(features, self.weight.flatten(0, 1))
        return bias.unflatten(-1, self.weight.shape[:2]).permute(3, 0, 4, 1, 2)


class _TimedAttention(nn.Module):
    """Multi-head attention with an external bias and a learned null key.

    The null key is available to every query, so that the softmax of a window without notes is
    defined.
    """

    def __init__(self, query_size: int, key_size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.query = nn.Linear(query_size, query_size)
        self.key = nn.Linear(key_size, query_size)
        self.value = nn.Linear(key_size, query_size)
        self.null_key = nn.Parameter(torch.zeros(query_size))
        self.null_value = nn.Parameter(torch.randn(query_size) * 0.02)
        self.out = nn.Linear(query_size, query_size)
        self.dropout = nn.Dropout(dropout)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, query: Tensor, key: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
        B = len(query)
        k = torch.cat((self.null_key.expand(B, 1, -1), self.key(key)), dim=1)
        v = torch.cat((self.null_value.expand(B, 1, -1), self.value(key)), dim=1)
        q, k, v = self._split(self.query(query)), self._split(k), self._split(v)
        logits = q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1])
        weights = with_null(bias, mask, logits).softmax(dim=-1)
        return self.dropout(self.out((weights @ v).transpose(1, 2).flatten(-2)))


def with_null(bias: Tensor, mask: Tensor, logits: Tensor | None = None) -> Tensor:
    """Attention logits over a null key and the keys: bias added, padded keys excluded.

    Parameters
    ----------
    bias : (B, heads, Q, K)
    mask : (B, K) True = open
    logits : (B, heads, Q, 1 + K), 0 if None
        From contents.

    Returns
    -------
    (B, heads, Q, 1 + K)
    """
    closed = bias.masked_fill(~mask[:, None, None, :], float("-inf"))
    padded = nn.functional.pad(closed, (1, 0))
    return padded if logits is None else logits + padded


def notes_at_frames(notes: Tensor, no_note: Tensor, bias: Tensor, mask: Tensor) -> Tensor:
    """The note stream on the frame clock: at each frame, a mean of the notes near in time.

    Parameters
    ----------
    notes : (B, L, M)
    no_note : (M,)
        What stands where no note is near.
    bias : (B, heads, T, L), a function of time alone
    mask : (B, L) True = a note

    Returns
    -------
    (B, T, M)
    """
    weights = with_null(bias, mask).softmax(dim=-1)
    values = torch.cat((no_note.expand(len(notes), 1, -1), notes), dim=1)
    values = values.unflatten(-1, (bias.shape[1], -1)).transpose(1, 2)
    return (weights @ values).transpose(1, 2).flatten(-2)


class CrossAttentionFusion(nn.Module):
    """Audio and notes fused into one sequence at the frame rate.

    Each frame asks the notes, each note asks the frames, and the notes so enriched are laid onto the
    frame clock by their time. Both streams are then joined: `[B,T,768] + [B,L,256] -> [B,T,1024]`.

    Parameters
    ----------
    audio_size, midi_size, output_size
        Widths of the two streams and of the result.
    heads
    dropout
    """

    def __init__(
        self,
        *,
        audio_size: int = 768,
        midi_size: int = 256,
        output_size: int = 1024,
        heads: int = 8,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        for name, size in (("audio_size", audio_size), ("midi_size", midi_size)):
            if size % heads:
                raise ValueError(f"{name} {size} cannot be split into {heads} heads")
        self.output_size = output_size
        self.heads = heads
        self.audio_norm = nn.LayerNorm(audio_size)
        self.midi_norm = nn.LayerNorm(midi_size)
        self.frames_ask_notes = _TimedAttention(audio_size, midi_size, heads, dropout)
        self.notes_ask_frames = _TimedAttention(midi_size, audio_size, heads, dropout)
        self.time_bias = TimeBias(heads, uses=3)
        self.no_note = nn.Parameter(torch.randn(midi_size) * 0.02)
        self.joined_norm = nn.LayerNorm(audio_size + midi_size)
        self.join = nn.Linear(audio_size + midi_size, output_size)

    def forward(
        self,
        audio: Tensor,
        midi: Tensor,
        *,
        audio_mask: Tensor,
        midi_mask: Tensor,
        frame_sec: Tensor,
        note_sec: Tensor,
    ) -> Tensor:
        """Join the streams.

        Parameters
        ----------
        audio : (B, T, A)
        midi : (B, L, M)
        audio_mask : (B, T) True = real
        midi_mask : (B, L) True = real
        frame_sec : (B, T) seconds, centre of each frame
        note_sec : (B, L, 2) seconds, onset and offset on the same clock

        Returns
        -------
        (B, T, output_size), zero where the audio mask is False
        """
        asked, asking, laid = self.time_bias(time_features(frame_sec, note_sec.nan_to_num()))
        frames, notes = self.audio_norm(audio), self.midi_norm(midi)
        audio = audio + self.frames_ask_notes(frames, notes, asked, midi_mask)
        midi = midi + self.notes_ask_frames(notes, frames, asking.transpose(-1, -2), audio_mask)
        joined = torch.cat((audio, notes_at_frames(midi, self.no_note, laid, midi_mask)), dim=-1)
        return self.join(self.joined_norm(joined)) * audio_mask[..., None]
