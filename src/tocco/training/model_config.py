"""Settings of the network, checked."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, PositiveInt, field_validator

from tocco.errors import short
from tocco.rubrics import TARGETS, TOCCO10
from tocco.schema import StrictModel, nearest

COMPACT = "compact"
"""Name of the audio encoder that is trained from random weights."""

CUSTOM = "custom"
"""Name of the MIDI encoder that starts from random weights."""

TECHNICAL: tuple[str, ...] = tuple(one.name for one in TOCCO10.dimensions if one.family == "technical")
"""The six dimensions that have pseudo-labels."""

_NUMBERS_OF_TARGETS = {6: TECHNICAL, 10: TARGETS}

Share = Annotated[float, Field(ge=0.0, lt=1.0)]
"""A part of the whole, never all of it."""


class ModelConfig(StrictModel):
    """Architecture of the network.

    Attributes
    ----------
    audio_encoder : "compact", trained from random weights, or the hub id or folder of a MERT checkpoint
    random_audio_encoder : whether the audio encoder keeps random weights, which are not trained
    audio_width, audio_depth, audio_mels : channels, blocks and mel bands of the compact encoder
    audio_pool_frames : number of audio frames averaged into one before the fusion
    mert_trainable : "none", "all", or the number of top layers of MERT that are trained
    gradient_checkpointing : recompute MERT's activations in the backward pass, to save memory
    midi_encoder : "custom", from random weights, or the .safetensors file of a pre-trained one
    midi_layers, midi_size, midi_heads : of the transformer over the notes
    inputs : whether the network reads audio and notes, or one of them
    fusion : how audio and notes are joined
    fusion_size : total width of audio and note features
    aggregation : how frames become one vector
    pool_frames : number of frames averaged before the BiLSTM
    statistics_width : width of the branch for the performance statistics
    mtl_dimensions : what the network rates
        6: the six technical dimensions, which have pseudo-labels. 10: the ten dimensions, and the descriptors
        where they have labels. Or a list of names.
    """

    audio_encoder: str = COMPACT
    random_audio_encoder: bool = False
    audio_width: PositiveInt = 256
    audio_depth: PositiveInt = 6
    audio_mels: PositiveInt = 80
    audio_pool_frames: PositiveInt = 4
    mert_trainable: Literal["none", "all"] | PositiveInt = "none"
    gradient_checkpointing: bool = False
    midi_encoder: str = CUSTOM
    midi_layers: PositiveInt = 6
    midi_size: PositiveInt = 256
    midi_heads: PositiveInt = 8
    inputs: Literal["both", "audio", "midi"] = "both"
    fusion: Literal["cross_attention", "concatenation"] = "cross_attention"
    fusion_size: PositiveInt = 1024
    fusion_heads: PositiveInt = 8
    aggregation: Literal["bilstm_attention", "mean_sd"] = "bilstm_attention"
    lstm_layers: PositiveInt = 2
    lstm_hidden: PositiveInt = 256
    aggregator_heads: PositiveInt = 4
    pool_frames: PositiveInt = 2
    statistics_width: PositiveInt = 128
    dropout: Share = 0.1
    mtl_dimensions: Literal[6, 10] | tuple[str, ...] = 10

    @field_validator("audio_encoder")
    @classmethod
    def _compact_or_checkpoint(cls, given: str) -> str:
        if given != COMPACT and "/" not in given:
            raise ValueError(
                f"{short(given)} is neither 'compact' nor a hub id or a folder (owner/name, ./name)"
            )
        return given

    @field_validator("midi_encoder")
    @classmethod
    def _custom_or_weights(cls, given: str) -> str:
        if given != CUSTOM and not given.endswith(".safetensors"):
            raise ValueError(f"{short(given)} is neither 'custom' nor a .safetensors file")
        return given

    @field_validator("mtl_dimensions", mode="before")
    @classmethod
    def _known_targets(cls, given: Any) -> Any:
        if isinstance(given, list | tuple):
            unknown = [str(name) for name in given if name not in TARGETS]
            if unknown:
                raise ValueError(nearest(unknown[0], TARGETS))
            if not given or len(set(given)) < len(given):
                raise ValueError("names one twice" if given else "is empty")
        elif not isinstance(given, int) or given not in _NUMBERS_OF_TARGETS:
            raise ValueError(f"is {short(given)}; 6, 10 or a list of names is allowed")
        return given

    @property
    def dimensions(self) -> tuple[str, ...]:
        """Names of the network's outputs, in the order of `TARGETS`."""
        chosen = self.mtl_dimensions
        names = _NUMBERS_OF_TARGETS[chosen] if isinstance(chosen, int) else chosen
        return tuple(name for name in TARGETS if name in names)
