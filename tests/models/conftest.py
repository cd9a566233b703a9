"""Small networks and batches that the model tests share, as factories."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import torch

from mert_example import mert_tensors, write_checkpoint
from tocco.models.network import PerformanceBatch, PerformanceNetwork, build_network

VOCABULARY = (4, 8, 16, 128, 32, 32, 3, 20)
N_NOTE_FEATURES, N_STATISTICS = 5, 7
DIMENSIONS = ("phrasing", "musicality", "tone_quality")


def _batch(
    audio_sec: Sequence[float] = (2.0, 1.3, 1.7), n_notes: Sequence[int] = (12, 20, 0), seed: int = 0
) -> PerformanceBatch:
    generator = torch.Generator().manual_seed(seed)
    samples = torch.tensor([round(24_000 * s) for s in audio_sec])
    B, S, L = len(samples), int(samples.max()), max(*n_notes, 1)
    waveform = torch.randn(B, S, generator=generator) * 0.2
    columns = [torch.full((B, L), 2)]
    columns += [torch.randint(0, n, (B, L), generator=generator) for n in VOCABULARY[1:7]]
    columns.append(torch.arange(L).expand(B, L) // 4)
    onset_sec = torch.rand(B, L, generator=generator).sort(dim=1).values * min(audio_sec)
    held_sec = 0.05 + torch.rand(B, L, generator=generator)
    features = torch.randn(B, L, N_NOTE_FEATURES, generator=generator)
    features[:, ::3, 0] = float("nan")
    statistics = torch.randn(B, N_STATISTICS, generator=generator)
    statistics[0, 1] = float("nan")
    level_db = torch.linspace(-30.0, -3.0, B)
    level_db[-1] = float("nan")
    return PerformanceBatch(
        waveform=waveform * (torch.arange(S) < samples[:, None]),
        waveform_samples=samples,
        level_db=level_db,
        audio_start_sec=torch.zeros(B),
        midi_tokens=torch.stack(columns, dim=-1),
        note_features=features,
        note_time_sec=torch.stack((onset_sec, onset_sec + held_sec), dim=-1),
        midi_mask=torch.arange(L) < torch.tensor(n_notes)[:, None],
        statistics=statistics,
    )


def _network(**changes: object) -> PerformanceNetwork:
    values: dict = {
        "dimensions": DIMENSIONS,
        "octuple_vocabulary": VOCABULARY,
        "n_note_features": N_NOTE_FEATURES,
        "n_statistics": N_STATISTICS,
        "audio_width": 32,
        "audio_depth": 2,
        "audio_mels": 32,
        "audio_pool_frames": 3,
        "midi_layers": 2,
        "midi_size": 32,
        "midi_heads": 4,
        "fusion_size": 48,
        "fusion_heads": 4,
        "lstm_hidden": 16,
        "statistics_width": 16,
    }
    return build_network(**(values | changes)).eval()


@pytest.fixture
def make_batch() -> Callable[..., PerformanceBatch]:
    """`make_batch(audio_sec, n_notes, seed)`: random sound and notes; the third item has no notes."""
    return _batch


@pytest.fixture
def make_network() -> Callable[..., PerformanceNetwork]:
    """`make_network(**changes)`: a network that runs in milliseconds, in evaluation mode."""
    return _network


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """The folder of a tiny MERT."""
    return write_checkpoint(tmp_path / "mert", mert_tensors())
