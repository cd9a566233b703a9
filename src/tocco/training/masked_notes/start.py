"""Pre-trained weights as the start of a network's MIDI encoder."""

from __future__ import annotations

from pathlib import Path

from tocco.models.masked_head import load_midi_encoder
from tocco.models.midi_encoder import MIDIBertEncoder
from tocco.models.network import PerformanceNetwork
from tocco.training.model_config import CUSTOM, ModelConfig


def start_midi_encoder(network: PerformanceNetwork, model: ModelConfig) -> None:
    """Load the weights that `model.midi_encoder` names, with the scales they were learned on.

    Raises
    ------
    InputError
        The file is missing or damaged.
    MismatchError
        It is of an encoder of another shape.
    """
    if model.midi_encoder == CUSTOM:
        return
    assert isinstance(network.midi_encoder, MIDIBertEncoder)  # the schema refuses weights for audio alone
    load_midi_encoder(network.midi_encoder, Path(model.midi_encoder))
