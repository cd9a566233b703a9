"""Pre-training of the MIDI encoder without labels: some notes are hidden, and it has to guess them.

After BERT (Devlin et al., 2019) and MidiBERT-Piano (Chou et al., 2021). The heads that guess are light, one
linear layer a column, and are left behind after pre-training; what stays is the encoder.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn
from torch.nn import functional

from tocco.errors import InputError, MismatchError
from tocco.files import write_bytes
from tocco.models.midi_encoder import MASK, PREDICTED_COLUMNS, TYPE, MIDIBertEncoder


@dataclass(frozen=True)
class MaskedLoss:
    """How well hidden notes were guessed.

    Attributes
    ----------
    total : () nats, mean over the columns
    single : column name -> () nats a note
    hidden : (B, L) True = the note was hidden
    """

    total: Tensor
    single: dict[str, Tensor]
    hidden: Tensor


def choose_hidden(mask: Tensor, fraction: float, generator: torch.Generator) -> Tensor:
    """Notes to hide: a share of each sequence, at least one where there is any.

    Parameters
    ----------
    mask : (B, L) True = a note
    fraction : 0..1
    generator

    Returns
    -------
    (B, L) True = hide
    """
    draw = torch.rand(mask.shape, generator=generator, device=generator.device).to(mask.device)
    rank = draw.masked_fill(~mask, 2.0).argsort(dim=1).argsort(dim=1)
    count = (mask.sum(1, keepdim=True) * fraction).round().clamp(min=1)
    return (rank < count) & mask


class MaskedNoteModel(nn.Module):
    """Pre-training without labels: some notes are hidden, and the encoder has to guess them.

    Parameters
    ----------
    encoder
        Trained in place.
    """

    def __init__(self, encoder: MIDIBertEncoder) -> None:
        super().__init__()
        self.encoder = encoder
        self.guess = nn.ModuleDict(
            {
                name: nn.Linear(encoder.output_size, encoder.vocabulary[column])
                for name, column in PREDICTED_COLUMNS.items()
            }
        )

    def masked_octuple_loss(
        self,
        tokens: Tensor,
        note_features: Tensor,
        mask: Tensor,
        generator: torch.Generator,
        fraction: float = 0.15,
    ) -> MaskedLoss:
        """Hide notes, guess their pitch, velocity, duration and position, and compare.

        Hidden notes lose those four columns and all their measured features; bar, beat and instrument
        stay, so that the question "which note stands here" is well posed.

        Parameters
        ----------
        tokens : (B, L, 8) Octuple
        note_features : (B, L, F), NaN = missing
        mask : (B, L) True = a note
        generator
            Decides which notes are hidden.
        fraction : 0..1
            Share of hidden notes.
        """
        hidden = choose_hidden(mask, fraction, generator)
        if not bool(hidden.any()):
            raise ValueError("no note to hide: every sequence of the batch is empty")
        question = tokens.clone()
        question[..., TYPE] = torch.where(hidden, MASK, tokens[..., TYPE])
        return self.loss(question, note_features, mask, tokens)

    def guesses(self, question: Tensor, note_features: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """What each hidden note may be.

        Parameters
        ----------
        question : (B, L, 8) Octuple, hidden notes of type MASK
        note_features : (B, L, F), NaN = missing
        mask : (B, L) True = a note

        Returns
        -------
        dict of (K, V) logits
            Column name -> one row a hidden note, in the order of batch and sequence.
        """
        attended = self.encoder(question, note_features, mask)[question[..., TYPE] == MASK]
        return {name: self.guess[name](attended) for name in PREDICTED_COLUMNS}

    def loss(self, question: Tensor, note_features: Tensor, mask: Tensor, answer: Tensor) -> MaskedLoss:
        """Guess the notes that a question hides, and compare.

        Parameters
        ----------
        question, note_features, mask
            As for `guesses`.
        answer : (B, L, 8) Octuple
            The same notes, none hidden.
        """
        hidden = question[..., TYPE] == MASK
        single = {
            name: functional.cross_entropy(logits, answer[..., PREDICTED_COLUMNS[name]][hidden])
            for name, logits in self.guesses(question, note_features, mask).items()
        }
        return MaskedLoss(torch.stack(list(single.values())).mean(), single, hidden)


def save_midi_encoder(encoder: MIDIBertEncoder, path: Path) -> None:
    """Write the weights of a MIDI encoder as safetensors, with its standardiser and its number of heads."""
    state = {name: value.detach().cpu().contiguous() for name, value in encoder.state_dict().items()}
    write_bytes(path, save(state, {_HEADS: str(encoder.heads)}))


@dataclass(frozen=True)
class EncoderSizes:
    """Sizes of a MIDI encoder, in the order of the settings `midi_layers`, `midi_size`, `midi_heads`.

    Attributes
    ----------
    heads : None where the file does not say it, as those of earlier releases
    """

    layers: int
    size: int
    heads: int | None


def midi_encoder_sizes(path: Path) -> EncoderSizes:
    """Sizes of the encoder whose weights a file holds.

    Raises
    ------
    InputError
        No such file, or not safetensors.
    MismatchError
        It holds something else.
    """
    state, metadata = _read(path)
    if "norm.weight" not in state:
        raise MismatchError(path, "holds no MIDI encoder", next_step="name weights of a MIDI encoder")
    blocks = {name.split(".")[1] for name in state if name.startswith("blocks.")}
    heads = metadata.get(_HEADS, "")
    return EncoderSizes(len(blocks), len(state["norm.weight"]), int(heads) if heads.isdecimal() else None)


def load_midi_encoder(encoder: MIDIBertEncoder, path: Path) -> MIDIBertEncoder:
    """Load pre-trained weights into a MIDI encoder, in place.

    The standardiser comes with them: the weights were learned on its scales.

    Raises
    ------
    InputError
        No such file, or not safetensors.
    MismatchError
        Weights of an encoder of another shape; the first part that differs is named.
    """
    state, _ = _read(path)
    own = encoder.state_dict()
    for name in sorted(own.keys() | state.keys()):
        here, there = (tuple(each[name].shape) if name in each else None for each in (own, state))
        if here != there:
            raise MismatchError(
                path,
                f"holds {name} of shape {there}, the encoder has {here}",
                next_step="use the midi_layers, midi_size and midi_heads that it was trained with",
            )
    encoder.load_state_dict(state)
    return encoder


def _read(path: Path) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Weights of a MIDI encoder, and what the file says beside them."""
    if not path.is_file():
        raise InputError(path, "no such file", next_step="pre-train the encoder, or correct the path")
    try:
        with safe_open(str(path), framework="pt") as file:
            metadata = file.metadata() or {}
            state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - no mapping
    except SafetensorError as error:
        raise InputError(
            path, f"is not safetensors: {error}", next_step="name weights of a MIDI encoder"
        ) from error
    if any(name.startswith("midi_encoder.") for name in state):
        raise MismatchError(
            path, "holds a whole network, not a MIDI encoder alone", next_step="name the .ckpt of its run"
        )
    return state, metadata


_HEADS = "midi_heads"
