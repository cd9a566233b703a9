"""Encoders of what is absent, for networks that read audio or notes alone, and fusion without attention."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

from tocco.models.audio_encoder import AudioEncoder, EncodedAudio, centre_times, frame_counts, length_mask
from tocco.models.fusion import TimeBias, notes_at_frames, time_features
from tocco.models.standardise import Standardiser
from tocco.units import SAMPLE_RATE_HZ, FrameClock

Inputs = Literal["both", "audio", "midi"]

FRAMES_PER_SEC = 40
"""Of the clock where no audio is read, close to the 37.5 of the compact encoder."""


class NoAudio(AudioEncoder):
    """Frames that say nothing: the times at which notes are heard, of the length of the recording."""

    def __init__(self) -> None:
        super().__init__()
        self.output_size = 1
        samples = SAMPLE_RATE_HZ // FRAMES_PER_SEC
        self.clock = FrameClock(hop_samples=samples, window_samples=samples)

    def forward(self, waveform: Tensor, samples: Tensor) -> EncodedAudio:
        """See `AudioEncoder.forward`; the features are 0."""
        counts = frame_counts(self.clock, samples)
        n_frames = int(counts.max())
        features = waveform.new_zeros(len(waveform), n_frames, 1)
        return EncodedAudio(
            features, length_mask(counts, n_frames), centre_times(self.clock, n_frames, waveform)
        )


class NoNotes(nn.Module):
    """Note features that say nothing, in the place of `MIDIBertEncoder`.

    Parameters
    ----------
    n_note_features
        Measured features a note; their scales are learned and not used.
    """

    def __init__(self, n_note_features: int) -> None:
        super().__init__()
        self.output_size = 1
        self.standardiser = Standardiser(n_note_features)

    def forward(self, tokens: Tensor, note_features: Tensor, mask: Tensor) -> Tensor:
        """(B, L, 8), (B, L, F), (B, L) -> (B, L, 1): 0 everywhere."""
        return note_features.new_zeros(*mask.shape, 1)


class PlainFusion(nn.Module):
    """Audio and notes on one clock, without attention between them: concatenated, or one of them alone.

    At each frame the notes near in time are averaged, with weights that depend on time differences alone.

    Parameters
    ----------
    audio_size, midi_size, output_size
        Widths of the two streams and of the result.
    inputs
        What is read; "audio" reads neither notes nor their times.
    heads
        Of the weights over notes, each with its own width in time.
    """

    def __init__(
        self,
        *,
        audio_size: int,
        midi_size: int,
        output_size: int,
        inputs: Inputs = "both",
        heads: int = 8,
    ) -> None:
        super().__init__()
        self.output_size = output_size
        self.inputs: Inputs = inputs
        self.heads = heads
        reads_notes = inputs != "audio"
        if reads_notes and midi_size % heads:
            raise ValueError(f"midi_size {midi_size} cannot be split into {heads} heads")
        self.time_bias = TimeBias(heads) if reads_notes else None
        self.no_note = nn.Parameter(torch.randn(midi_size) * 0.02) if reads_notes else None
        width = (audio_size if inputs != "midi" else 0) + (midi_size if reads_notes else 0)
        self.joined_norm = nn.LayerNorm(width)
        self.join = nn.Linear(width, output_size)

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
        """See `CrossAttentionFusion.forward`."""
        streams = [audio] if self.inputs != "midi" else []
        if self.time_bias is not None and self.no_note is not None:
            (bias,) = self.time_bias(time_features(frame_sec, note_sec.nan_to_num()))
            streams.append(notes_at_frames(midi, self.no_note, bias, midi_mask))
        return self.join(self.joined_norm(torch.cat(streams, dim=-1))) * audio_mask[..., None]
