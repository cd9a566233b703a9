"""MIDI encoder: from a sequence of notes to a sequence of note features.

A transformer over OctupleMIDI tokens (Zeng et al., MusicBERT, 2021; Chou et al., MidiBERT-Piano,
2021) in which every note also carries measured expressive features: timing, touch, pedal.
"""

from __future__ import annotations

import math
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from tocco.models.standardise import Standardiser

TYPE, BEAT, POSITION, PITCH, DURATION, VELOCITY, INSTRUMENT, BAR = range(8)
"""Columns of an Octuple token."""

PADDING, MASK, NOTE = range(3)
"""Ids of the type column; those above NOTE are kinds of notes too (one that was held before, say)."""

FIRST_VALUE = 2
"""In the other columns as well, 0 is padding and 1 is masked; values start here."""

PREDICTED_COLUMNS = {"pitch": PITCH, "velocity": VELOCITY, "duration": DURATION, "position": POSITION}
"""What masked pre-training hides in a note and asks for."""


def sinusoids(position: Tensor, size: int, longest: float = 10_000.0) -> Tensor:
    """Sines and cosines of a position, from fast to slow (Vaswani et al., 2017).

    Parameters
    ----------
    position : (...) any number >= 0; there is no largest one
    size : even
    longest
        Slowest wave length over 2 pi.

    Returns
    -------
    (..., size) -1..1
    """
    half = size // 2
    rates = torch.exp(torch.arange(half, device=position.device) * (-math.log(longest) / half))
    angle = position[..., None].float() * rates
    return torch.cat((angle.sin(), angle.cos()), dim=-1)


def fold(ids: Tensor, size: int) -> Tensor:
    """Ids counted modulo the vocabulary; padding and masks stay."""
    return torch.where(ids < FIRST_VALUE, ids, FIRST_VALUE + (ids - FIRST_VALUE) % (size - FIRST_VALUE))


class _PreNormBlock(nn.Module):
    """Self-attention and a feed-forward layer, each normalised first (Xiong et al., 2020)."""

    def __init__(self, size: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.dropout = dropout
        self.attention_norm = nn.LayerNorm(size)
        self.query_key_value = nn.Linear(size, 3 * size)
        self.attention_out = nn.Linear(size, size)
        self.step_norm = nn.LayerNorm(size)
        self.widen = nn.Linear(size, 4 * size)
        self.narrow = nn.Linear(4 * size, size)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        B, L, H = x.shape
        q, k, v = (
            self.query_key_value(self.attention_norm(x))
            .view(B, L, 3, self.heads, H // self.heads)
            .permute(2, 0, 3, 1, 4)
        )
        # Dropout acts on what attention adds, not on its weights: that keeps the fused kernel.
        attended = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask[:, None, None, :])
        x = x + functional.dropout(
            self.attention_out(attended.transpose(1, 2).reshape(B, L, H)), self.dropout, self.training
        )
        step = self.narrow(functional.gelu(self.widen(self.step_norm(x))))
        return x + functional.dropout(step, self.dropout, self.training)


class MIDIBertEncoder(nn.Module):
    """Contextual note features: Octuple tokens and performance features through a transformer.

    The sum of the column embeddings, the standardised note features and the place in the sequence
    goes through a pre-norm transformer. A learned start token precedes the first note, so that an
    empty sequence is a valid input. Bars are unlimited and encoded as sinusoids; beats beyond the
    vocabulary, in a very long bar, are counted modulo its size.

    Parameters
    ----------
    vocabulary : (8,) ids in each column, in the order of the columns; that of the bar is not needed
    n_note_features
        Measured features a note; 0 for none.
    size, layers, heads
        Width H, depth, and attention heads.
    dropout
    """

    def __init__(
        self,
        *,
        vocabulary: tuple[int, ...],
        n_note_features: int,
        size: int = 256,
        layers: int = 6,
        heads: int = 8,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()
        if len(vocabulary) != BAR + 1 or not all(isinstance(n, int) and n > 2 for n in vocabulary):
            raise ValueError(f"vocabulary is {vocabulary}; eight sizes above 2 are needed, one a column")
        if size % heads or size % 2:
            raise ValueError(f"size {size} cannot be split into {heads} heads and pairs of sinusoids")
        self.output_size = size
        self.heads = heads
        self.vocabulary = tuple(vocabulary)
        self.columns = nn.ModuleList(nn.Embedding(n, size) for n in vocabulary[:BAR])
        for column in self.columns:
            nn.init.normal_(cast(nn.Embedding, column).weight, std=0.5 / math.sqrt(BAR))
        self.bar = nn.Linear(size, size, bias=False)
        self.standardiser = Standardiser(n_note_features)
        self.played = nn.Linear(2 * n_note_features, size) if n_note_features else None
        self.place_scale = nn.Parameter(torch.tensor(0.1))
        self.start = nn.Parameter(torch.randn(size) * 0.5)
        self.dropout = nn.Dropout(dropout)
        self.blocks = nn.ModuleList(_PreNormBlock(size, heads, dropout) for _ in range(layers))
        self.norm = nn.LayerNorm(size)

    def embed(self, tokens: Tensor, note_features: Tensor) -> Tensor:
        """Each note by itself, before it is seen in context.

        A note of type MASK shows only its bar, beat and instrument.

        Parameters
        ----------
        tokens : (B, L, 8) Octuple, the bar >= 0
        note_features : (B, L, F) any unit, NaN = missing

        Returns
        -------
        (B, L, H)
        """
        shown = (tokens[..., TYPE] != MASK)[..., None]
        x = self.bar(sinusoids(tokens[..., BAR], self.output_size, longest=1_000.0))
        for index, column in enumerate(self.columns):
            ids = fold(tokens[..., index], self.vocabulary[index]) if index == BEAT else tokens[..., index]
            part = column(ids)
            x = x + (part * shown if index in PREDICTED_COLUMNS.values() else part)
        if self.played is not None:
            hidden = note_features.masked_fill(~shown, float("nan"))
            x = x + self.played(self.standardiser(hidden))
        return x

    def forward(self, tokens: Tensor, note_features: Tensor, mask: Tensor) -> Tensor:
        """Read the notes.

        Parameters
        ----------
        tokens : (B, L, 8) Octuple, the bar >= 0
        note_features : (B, L, F) any unit, NaN = missing
        mask : (B, L) True = a note

        Returns
        -------
        (B, L, H), zero where the mask is False
        """
        B, L = mask.shape
        place = sinusoids(torch.arange(L, device=tokens.device), self.output_size)
        x = self.embed(tokens, note_features) + self.place_scale * place
        x = self.dropout(torch.cat((self.start.expand(B, 1, -1), x), dim=1))
        keys = torch.cat((mask.new_ones(B, 1), mask), dim=1)
        for block in self.blocks:
            x = block(x, keys)
        return self.norm(x[:, 1:]) * mask[..., None]
