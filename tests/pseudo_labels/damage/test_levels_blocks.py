"""Levels of long music are read in blocks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corruption_etude import etude
from tocco.music.performance import Performance
from tocco.pseudo_labels.damage import levels
from tocco.pseudo_labels.damage.levels import BLOCK_SEC, LONGEST_BLOCK_SEC, read_levels
from tocco.pseudo_labels.observed.evidence import Evidence


def repeated(times: int) -> Performance:
    performance, _ = etude()
    length = performance.duration_sec + 1.0
    shift = np.repeat(np.arange(times) * length, len(performance))
    return replace(
        performance,
        onset_sec=np.tile(performance.onset_sec, times) + shift,
        offset_sec=np.tile(performance.offset_sec, times) + shift,
        pitch=np.tile(performance.pitch, times),
        velocity=np.tile(performance.velocity, times),
        duration_sec=times * length,
    )


def n_blocks(performance: Performance, monkeypatch: pytest.MonkeyPatch) -> int:
    seen: list[int] = []
    fit = levels._left_out_residual

    def counted(columns: np.ndarray, level: np.ndarray, size: np.ndarray) -> np.ndarray:
        seen.append(len(level))
        return fit(columns, level, size)

    monkeypatch.setattr(levels, "_left_out_residual", counted)
    found = read_levels(Evidence(performance))
    monkeypatch.undo()
    assert found is not None
    assert sum(seen) == len(found.residual)
    assert np.isfinite(found.residual).all()
    return len(seen)


def test_short_music_is_one_block_and_long_music_several(monkeypatch: pytest.MonkeyPatch) -> None:
    assert (LONGEST_BLOCK_SEC, BLOCK_SEC) == (120.0, 60.0)
    assert n_blocks(repeated(3), monkeypatch) == 1  # 100 s
    long = repeated(8)
    span = float(long.onset_sec[-1] - long.onset_sec[0])
    assert n_blocks(long, monkeypatch) == int(np.ceil(span / 60.0))


def test_blocks_say_about_what_the_whole_says() -> None:
    short, long = read_levels(Evidence(repeated(3))), read_levels(Evidence(repeated(8)))
    assert short is not None
    assert long is not None
    assert long.chance == pytest.approx(short.chance, abs=0.4)
    assert long.shaped == pytest.approx(short.shaped, rel=0.15, abs=0.4)
