"""Batches of the network from a waveform and its notes, without files, scores or labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from tocco.audio.processing import normalize_audio
from tocco.data.batching import collate_windows
from tocco.data.preparation import REGULAR_BEAT_SEC, WindowInputs, symbolic_inputs
from tocco.errors import InputError, MismatchError
from tocco.models.network import PerformanceBatch
from tocco.music.octuple import BeatGrid, OctupleTokens, decode_octuple
from tocco.music.performance import Performance

Notes = Tensor | Performance | Sequence[Performance]
"""(L, 8) or (B, L, 8) Octuple tokens on the grid of 120 quarter notes a minute; or performances."""


def pair_batch(audio: Tensor | np.ndarray, midi: Notes) -> PerformanceBatch:
    """Batch of recordings with their notes, whose times are seconds from the start of the audio.

    The notes are measured as in assessment without a score. Tokens are those of
    `encode_octuple_midi(performance, BeatGrid.regular(0.5, duration))`, padded with zeros.

    Parameters
    ----------
    audio : (S,) or (B, S) 24 kHz mono, any level
    midi

    Raises
    ------
    MismatchError
        The numbers of recordings and of note lists differ.
    InputError
        The waveform is silent or no waveform, or a token stands for no value.
    """
    waveforms = np.atleast_2d(torch.as_tensor(audio).detach().cpu().numpy())
    performances = _performances(midi)
    if waveforms.ndim != 2 or waveforms.shape[1] == 0:
        raise InputError("audio", f"has the shape {waveforms.shape}", allowed="(S,) or (B, S)")
    if len(waveforms) != len(performances):
        raise MismatchError(
            "audio", f"has {len(waveforms)} rows, midi {len(performances)}", next_step="give a pair a row"
        )
    return collate_windows([_window(*pair) for pair in zip(waveforms, performances, strict=True)])


def _window(waveform: np.ndarray, performance: Performance) -> WindowInputs:
    normal = normalize_audio(waveform.astype(np.float32))
    return WindowInputs(normal.waveform, normal.original_rms_dbfs, symbolic_inputs(performance, None))


def _performances(midi: Notes) -> list[Performance]:
    if isinstance(midi, Performance):
        return [midi]
    if not isinstance(midi, Tensor):
        return list(midi)
    if midi.ndim not in {2, 3} or midi.shape[-1] != 8 or midi.is_floating_point():
        kind = f"{midi.dtype} of the shape {tuple(midi.shape)}"
        raise InputError("midi", f"is {kind}", allowed="whole numbers (L, 8) or (B, L, 8)")
    rows = midi.detach().cpu().numpy()
    return [_decoded(row) for row in (rows[None] if rows.ndim == 2 else rows)]


def _decoded(tokens: np.ndarray) -> Performance:
    last_bar = int(tokens[:, -1].max(initial=0))
    grid = BeatGrid.regular(REGULAR_BEAT_SEC, 4 * (last_bar + 1) * REGULAR_BEAT_SEC)
    try:
        return decode_octuple(OctupleTokens(tokens, np.arange(len(tokens)), 0), grid)
    except ValueError as error:
        raise InputError("midi", str(error), next_step="give tokens of encode_octuple_midi") from error
