"""The network of the speech detector, against a walk through single frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from quality_sounds import struck, white
from tocco.audio.quality.speech import SpeechDetector
from tocco.audio.quality.speech_network import (
    CONTEXT_SAMPLES,
    FRAME_SAMPLES,
    WEIGHTS,
    load_speech_network,
    silent_state,
)
from tocco.errors import MissingPartError


def vowels(duration_sec: float = 4.0) -> np.ndarray:
    """Syllables: a pulse train of a falling pitch through the formants of a and i, four a second."""
    t = np.arange(int(duration_sec * 24_000)) / 24_000
    f0 = 115.0 + 20.0 * np.sin(2 * np.pi * 0.7 * t)
    phase = 2 * np.pi * np.cumsum(f0) / 24_000
    sound = np.zeros(len(t))
    for h in range(1, 40):
        open_ = sum(
            g / (1 + ((h * f0 - c) / w) ** 2)
            for c, w, g in ((750, 90, 1), (1200, 120, 0.6), (2600, 180, 0.3))
        )
        close = sum(
            g / (1 + ((h * f0 - c) / w) ** 2)
            for c, w, g in ((280, 90, 1), (2200, 120, 0.4), (2900, 180, 0.3))
        )
        turn = 0.5 + 0.5 * np.sin(2 * np.pi * 2.0 * t)
        sound += (open_ * turn + close * (1 - turn)) * np.sin(h * phase)
    envelope = np.clip(np.sin(2 * np.pi * 4.0 * t), 0, 1) ** 0.5
    return (0.3 * sound * envelope / np.abs(sound).max()).astype(np.float32)


def heard(sound: np.ndarray, block: int = 10**7) -> np.ndarray:
    detector = SpeechDetector()
    starts = range(0, len(sound), block)
    parts = [detector.add(sound[k : k + block], last=k + block >= len(sound)) for k in starts]
    return np.concatenate(parts)


def test_all_frames_at_once_are_those_of_single_frames(rng) -> None:
    network = load_speech_network()
    frames = torch.from_numpy(rng.normal(size=(12, CONTEXT_SAMPLES + FRAME_SAMPLES)).astype(np.float32) * 0.1)
    at_once, (hidden, cell) = network(frames, silent_state())
    state, singly = silent_state(), []
    for frame in frames:
        probability, state = network(frame[None], state)
        singly.append(float(probability[0]))
    assert at_once.numpy() == pytest.approx(singly, abs=1e-5)
    assert torch.allclose(hidden, state[0], atol=1e-5)
    assert torch.allclose(cell, state[1], atol=1e-5)


def test_blocks_of_any_length_give_the_same() -> None:
    sound = vowels()
    assert heard(sound, 7_777) == pytest.approx(heard(sound), abs=1e-4)


def test_a_voice_is_speech_and_a_piano_and_noise_are_not() -> None:
    assert (heard(vowels()) > 0.5).mean() > 0.5
    assert (heard(struck(6.0)) > 0.5).mean() < 0.03
    assert (heard(white(4.0)) > 0.5).mean() == 0.0


def test_a_frame_lasts_32_ms_and_the_last_is_filled_up() -> None:
    assert len(heard(np.zeros(24_000, np.float32))) == 32


def test_changed_weights_are_refused(tmp_path: Path) -> None:
    content = bytearray(WEIGHTS.read_bytes())
    content[-1] ^= 1
    (tmp_path / "w.safetensors").write_bytes(content)
    with pytest.raises(MissingPartError, match="install tocco again"):
        load_speech_network(tmp_path / "w.safetensors")
    with pytest.raises(MissingPartError, match="is missing"):
        load_speech_network(tmp_path / "none.safetensors")


def test_the_licence_of_the_weights_travels_with_them() -> None:
    assert "Silero Team" in (WEIGHTS.parent / "LICENSE").read_text()
