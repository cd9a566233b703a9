"""The whole network: audio and notes in, ratings and attention out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import torch
from torch import Tensor, nn

from tocco.models.aggregation import Frames, HierarchicalAggregator, MeanSdAggregator, pool_frames
from tocco.models.audio_encoder import AudioEncoder, frame_level_db
from tocco.models.encoder_registry import EncoderSettings, build_audio_encoder
from tocco.models.fusion import CrossAttentionFusion
from tocco.models.midi_encoder import MIDIBertEncoder
from tocco.models.mtl_head import MultiTaskHead
from tocco.models.single_stream import Inputs, NoAudio, NoNotes, PlainFusion
from tocco.models.standardise import Standardiser

Fusion = Literal["cross_attention", "concatenation"]
Aggregation = Literal["bilstm_attention", "mean_sd"]


@dataclass(frozen=True)
class PerformanceBatch:
    """Batch of segments: padded at the end, with their true lengths.

    Attributes
    ----------
    waveform : (B, S) 24 kHz mono, peak-normalised, float32
    waveform_samples : (B,) count of valid samples
    level_db : (B,) dB, level of the recording before normalisation; NaN = unknown
    audio_start_sec : (B,) seconds on the shared clock, time of sample 0
    midi_tokens : (B, L, 8) Octuple: type, beat, position, pitch, duration, velocity, instrument, bar
    note_features : (B, L, F) any unit, float32, NaN = missing
    note_time_sec : (B, L, 2) seconds on the shared clock, onset and offset
    midi_mask : (B, L) True = a note
    statistics : (B, P) any unit, float32, NaN = missing
    """

    waveform: Tensor
    waveform_samples: Tensor
    level_db: Tensor
    audio_start_sec: Tensor
    midi_tokens: Tensor
    note_features: Tensor
    note_time_sec: Tensor
    midi_mask: Tensor
    statistics: Tensor

    def __len__(self) -> int:
        return len(self.waveform)

    def to(self, device: torch.device | str) -> PerformanceBatch:
        """The same batch on another device."""
        return PerformanceBatch(**{f.name: getattr(self, f.name).to(device) for f in fields(self)})


@dataclass(frozen=True)
class PerformanceOutput:
    """Output of the network for each segment.

    Attributes
    ----------
    rating : (B, D) 0..100
    log_variance : (B, D) log of squared rating points, not yet calibrated
    attention : (B, heads, T') >= 0
        How much each moment weighed; sums to 1, 0 on padding.
    attention_time_sec : (B, T') seconds on the shared clock; NaN on padding
    """

    rating: Tensor
    log_variance: Tensor
    attention: Tensor
    attention_time_sec: Tensor


class PerformanceNetwork(nn.Module):
    """Encodes audio and notes, fuses them by time, aggregates and rates.

    A batch always has both audio and MIDI, also where the network reads one of them. The level of the audio
    is an input beside the audio features, with any encoder, since MERT is almost independent of level.

    Parameters
    ----------
    audio_encoder, midi_encoder, fusion, aggregator, head
        The parts; their widths have to fit.
    audio_pool_frames
        Audio frames averaged into one before fusion.
    """

    def __init__(
        self,
        *,
        audio_encoder: AudioEncoder,
        midi_encoder: MIDIBertEncoder | NoNotes,
        fusion: CrossAttentionFusion | PlainFusion,
        aggregator: HierarchicalAggregator | MeanSdAggregator,
        head: MultiTaskHead,
        audio_pool_frames: int = 4,
    ) -> None:
        super().__init__()
        self.audio_encoder = audio_encoder
        self.midi_encoder = midi_encoder
        self.fusion = fusion
        self.aggregator = aggregator
        self.head = head
        self.audio_pool_frames = audio_pool_frames
        self.level_standardiser = Standardiser(1)
        self.level = nn.Linear(1 + self.level_standardiser.output_size, audio_encoder.output_size)
        if isinstance(audio_encoder, NoAudio):
            self.level.requires_grad_(False)  # nothing reads it

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the outputs, in order."""
        return self.head.dimensions

    def fit_standardisers(self, note_features: Tensor, statistics: Tensor, level_db: Tensor) -> None:
        """Learn the scales of all measured inputs, from training data only.

        Parameters
        ----------
        note_features : (..., F), NaN = missing
            Of real notes only: no padding.
        statistics : (..., P), NaN = missing
        level_db : (N,) dB, NaN = unknown
        """
        self.midi_encoder.standardiser.fit(note_features)
        if self.head.standardiser.n:
            self.head.standardiser.fit(statistics)
        self.level_standardiser.fit(level_db[:, None])

    def backbone_parameters(self) -> Iterator[nn.Parameter]:
        """Trainable parameters of the two encoders."""
        for part in (self.audio_encoder, self.midi_encoder):
            yield from (p for p in part.parameters() if p.requires_grad)

    def head_parameters(self) -> Iterator[nn.Parameter]:
        """All other trainable parameters."""
        backbone = {id(p) for p in self.backbone_parameters()}
        yield from (p for p in self.parameters() if p.requires_grad and id(p) not in backbone)

    def listen(self, batch: PerformanceBatch) -> Frames:
        """The audio stream with its level, on the shared clock.

        Returns
        -------
        Frames of (B, T, A)
        """
        encoded = self.audio_encoder(batch.waveform, batch.waveform_samples)
        level_db = frame_level_db(batch.waveform, self.audio_encoder.clock)[:, : encoded.mask.shape[1]]
        original = self.level_standardiser(batch.level_db[:, None])[:, None].expand(-1, level_db.shape[1], -1)
        level = self.level(torch.cat(((level_db[..., None] + 30.0) / 15.0, original), dim=-1))
        features = (encoded.features + level) * encoded.mask[..., None]
        time_sec = encoded.time_sec.expand(len(batch), -1)
        return pool_frames(Frames(features, encoded.mask, time_sec), self.audio_pool_frames)

    def forward(self, batch: PerformanceBatch) -> PerformanceOutput:
        """Rate every segment of a batch."""
        frames = self.listen(batch)
        notes = self.midi_encoder(batch.midi_tokens, batch.note_features, batch.midi_mask)
        # Times are taken from the start of the audio: an hour into a recital, float32 seconds on the
        # shared clock would be a quarter of a millisecond apart.
        note_sec = batch.note_time_sec - batch.audio_start_sec[:, None, None]
        fused = self.fusion(
            frames.features,
            notes,
            audio_mask=frames.mask,
            midi_mask=batch.midi_mask,
            frame_sec=frames.time_sec,
            note_sec=note_sec,
        )
        summed = self.aggregator(fused, frames.mask, frames.time_sec)
        # A head without statistics reads none of those that a batch always has.
        verdict = self.head(
            summed.vector, batch.statistics if self.head.standardiser.n else batch.statistics[:, :0]
        )
        time_sec = summed.time_sec + batch.audio_start_sec[:, None]
        return PerformanceOutput(verdict.rating, verdict.log_variance, summed.attention, time_sec)


def build_network(
    *,
    dimensions: tuple[str, ...],
    octuple_vocabulary: tuple[int, ...],
    n_note_features: int,
    n_statistics: int,
    audio_encoder: str = "compact",
    audio_width: int = 256,
    audio_depth: int = 6,
    audio_mels: int = 80,
    audio_pool_frames: int = 4,
    mert: Mapping[str, Any] | None = None,
    random_audio_encoder: bool = False,
    midi_layers: int = 6,
    midi_size: int = 256,
    midi_heads: int = 8,
    inputs: Inputs = "both",
    fusion: Fusion = "cross_attention",
    fusion_size: int = 1024,
    fusion_heads: int = 8,
    aggregation: Aggregation = "bilstm_attention",
    lstm_layers: int = 2,
    lstm_hidden: int = 256,
    aggregator_heads: int = 4,
    pool_frames: int = 2,
    statistics_width: int = 128,
    dropout: float = 0.1,
) -> PerformanceNetwork:
    """A network from plain values.

    Parameters
    ----------
    dimensions
        Names of the outputs.
    octuple_vocabulary : (8,) ids in each Octuple column, in order
    n_note_features, n_statistics
        Measured features a note, statistics a segment; without statistics, those of a batch are not read.
    audio_encoder
        "compact" (audio_width, audio_depth, audio_mels) or "mert" (`mert`: arguments of `MERTEncoder`).
    audio_pool_frames
        Audio frames averaged into one before fusion: 4 give 9.4 a second with "compact", 8 with "mert".
    random_audio_encoder
        Whether the audio encoder keeps random weights, which are not trained.
    inputs
        What is read: "both", "audio" or "midi".
    fusion, aggregation
        The parts that join audio and notes and reduce frames to a vector, or plain ones (`PlainFusion`,
        `MeanSdAggregator`) in their place.
    midi_layers, midi_size, midi_heads, fusion_size, fusion_heads, lstm_layers, lstm_hidden,
    aggregator_heads, pool_frames, statistics_width, dropout
        See the parts.
    """
    _assert_known("inputs", inputs, Inputs)
    _assert_known("fusion", fusion, Fusion)
    _assert_known("aggregation", aggregation, Aggregation)
    settings = EncoderSettings(audio_width, audio_depth, audio_mels, dropout, mert, random_audio_encoder)
    encoder = NoAudio() if inputs == "midi" else build_audio_encoder(audio_encoder, settings)
    notes: MIDIBertEncoder | NoNotes = NoNotes(n_note_features)
    if inputs != "audio":
        notes = MIDIBertEncoder(
            vocabulary=octuple_vocabulary,
            n_note_features=n_note_features,
            size=midi_size,
            layers=midi_layers,
            heads=midi_heads,
            dropout=dropout,
        )
    sizes = {"audio_size": encoder.output_size, "midi_size": notes.output_size, "output_size": fusion_size}
    crossed = inputs == "both" and fusion == "cross_attention"
    return PerformanceNetwork(
        audio_encoder=encoder,
        midi_encoder=notes,
        fusion=CrossAttentionFusion(**sizes, heads=fusion_heads, dropout=dropout)
        if crossed
        else PlainFusion(**sizes, heads=fusion_heads, inputs=inputs),
        aggregator=HierarchicalAggregator(
            input_size=fusion_size,
            hidden_size=lstm_hidden,
            layers=lstm_layers,
            heads=aggregator_heads,
            pool_frames=pool_frames,
            dropout=dropout,
        )
        if aggregation == "bilstm_attention"
        else MeanSdAggregator(
            input_size=fusion_size, output_size=2 * lstm_hidden, pool_frames=pool_frames, dropout=dropout
        ),
        head=MultiTaskHead(
            input_size=2 * lstm_hidden,
            statistics_size=n_statistics,
            dimensions=dimensions,
            statistics_width=statistics_width,
            dropout=dropout,
        ),
        audio_pool_frames=audio_pool_frames,
    )


def _assert_known(name: str, value: str, literal: Any) -> None:
    """The names of parts may come from a bundle."""
    allowed = get_args(literal)
    if value not in allowed:
        raise ValueError(f"{name} is {value!r}; {', '.join(allowed)} are allowed")
