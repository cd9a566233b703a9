"""Pre-trained weights as the start of a network's MIDI encoder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tocco.errors import InputError, MismatchError
from tocco.models.masked_head import load_midi_encoder, midi_encoder_sizes
from tocco.models.midi_encoder import MIDIBertEncoder
from tocco.models.network import PerformanceNetwork
from tocco.training.config import PARTS, ExperimentConfig
from tocco.training.masked_notes.loop import encoder_of
from tocco.training.model_config import CUSTOM, ModelConfig

SUFFIX: Final = ".safetensors"
"""Of the weights of a MIDI encoder; those of a whole network to start from are a `.ckpt`."""


def with_midi_encoder(
    config: ExperimentConfig, weights: Path, say: Callable[[str], None] | None = None
) -> ExperimentConfig:
    """The same experiment with the weights of a pre-trained MIDI encoder, in the size of that.

    Parameters
    ----------
    config
    weights : of a MIDI encoder
    say
        Receives a line where the sizes of the experiment are others.

    Raises
    ------
    InputError
        The file is missing or damaged, or the experiment reads audio alone.
    MismatchError
        It holds something else; or its sizes are others, and it does not say all of them.
    """
    if config.model.inputs == "audio":
        raise InputError(
            weights, "has weights of a MIDI encoder, and model.inputs is 'audio'", next_step="leave it out"
        )
    found, model = midi_encoder_sizes(weights), config.model
    theirs = {"midi_layers": found.layers, "midi_size": found.size, "midi_heads": found.heads}
    ours = {name: getattr(model, name) for name in theirs}
    if found.heads is None:
        if (found.layers, found.size) != (model.midi_layers, model.midi_size):
            raise MismatchError(
                weights,
                f"is of an encoder of {found.layers} layers of size {found.size}, not {model.midi_layers} of"
                f" {model.midi_size}, and does not say its number of heads",
                next_step=f"add model.midi_layers={found.layers} model.midi_size={found.size}"
                " model.midi_heads=N, as it was trained with",
            )
        theirs["midi_heads"] = model.midi_heads
    elif theirs != ours and say is not None:
        words = [", ".join(f"model.{name}={value}" for name, value in one.items()) for one in (theirs, ours)]
        say(f"{weights}: {words[0]}, as it was trained, in place of {words[1]}")
    model = model.model_copy(update={**theirs, "midi_encoder": str(weights)})
    assert_midi_encoder(model)
    return config.model_copy(update={"model": model})


def assert_midi_encoder(model: ModelConfig) -> None:
    """Refuse weights that `model.midi_encoder` names and the encoder cannot take.

    Raises
    ------
    InputError
        The file is missing or damaged.
    MismatchError
        It is of an encoder of another shape, or of a whole network.
    """
    if model.midi_encoder != CUSTOM:
        load_midi_encoder(encoder_of(model), Path(model.midi_encoder))


def start_midi_encoder(network: PerformanceNetwork, model: ModelConfig) -> str | None:
    """Load the weights that `model.midi_encoder` names, with the scales they were learned on.

    Returns
    -------
    str
        A line about what was taken and what starts anew; None where no weights are named.

    Raises
    ------
    InputError, MismatchError
        As in `assert_midi_encoder`.
    """
    if model.midi_encoder == CUSTOM:
        return None
    assert isinstance(network.midi_encoder, MIDIBertEncoder)  # the schema refuses weights for audio alone
    load_midi_encoder(network.midi_encoder, Path(model.midi_encoder))
    others = ", ".join(part for part in PARTS if part != "midi_encoder")
    return f"{model.midi_encoder}: midi_encoder taken; parts that start anew: {others}"
