"""Recordings whose piano is tuned off: heard as if it were not, and moved to the key of the score."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from tocco.audio.quality.tuning import Tuning
from tocco.audio.transcription.transcriber import faster, retuned, transcribe_cached
from tocco.data.sources import open_sources
from tocco.data.transcribing import Transcription, find_transcription, moved, off_pitch_cents
from tocco.errors import TransposedError
from tocco.files import sha256_of
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ
from transcribing import KnownTranscriber, write_score, write_take


@dataclass
class Listening:
    """Says of a sound one note that begins with it and ends with it."""

    version = "listening 1"
    n_samples = 0

    def transcribe(
        self, blocks: Any, source: str, *, on_heard: Any = None, partial: Any = None
    ) -> Performance:
        self.n_samples = sum(len(block) for block in blocks)
        heard = load_midi(Path(source)).only(np.array([0]))
        end = self.n_samples / SAMPLE_RATE_HZ
        return replace(heard, onset_sec=np.array([end / 2]), offset_sec=np.array([end]), duration_sec=end)


def test_a_flat_piano_is_heard_in_tune_and_its_notes_stay_where_they_were(tmp_path: Path) -> None:
    _, midi = write_take(tmp_path)
    sound = np.zeros(4 * SAMPLE_RATE_HZ, np.float32)
    listening = Listening()
    heard = transcribe_cached(listening, [sound], str(midi), folder=tmp_path / "c", content="a", cents=-50.0)
    assert listening.n_samples == pytest.approx(len(sound) / faster(-50.0), abs=2)
    assert heard.onset_sec[0] == pytest.approx(2.0, abs=1e-3)
    assert heard.offset_sec[0] == pytest.approx(4.0, abs=1e-3)


@pytest.mark.parametrize("cents", [-38.0, 30.0])
def test_a_sound_is_brought_to_440_hz(cents: float) -> None:
    at = np.arange(2 * SAMPLE_RATE_HZ) / SAMPLE_RATE_HZ
    tone = np.sin(2 * np.pi * 440.0 * 2.0 ** (cents / 1200.0) * at).astype(np.float32)
    found = np.concatenate(list(retuned(np.array_split(tone, 7), cents)))
    power = np.abs(np.fft.rfft(found * np.hanning(len(found)), 1 << 20))
    hz = np.argmax(power) * SAMPLE_RATE_HZ / (1 << 20)
    assert hz == pytest.approx(440.0, abs=0.1)


@pytest.mark.parametrize(
    ("cents", "is_clear", "expected"),
    [(-38.0, True, -38.0), (-38.0, False, 0.0), (11.0, True, 0.0), (13.0, True, 13.0)],
)
def test_only_a_tuning_that_is_clearly_off_is_made_good(
    cents: float, is_clear: bool, expected: float
) -> None:
    tuning = Tuning(cents, 0.9 if is_clear else 0.0)
    assert tuning.is_clear == is_clear
    quality: Any = SimpleNamespace(measures=SimpleNamespace(tuning=tuning))
    assert off_pitch_cents(quality) == expected


def test_a_piano_a_semitone_off_is_moved_to_the_key_of_its_score_and_that_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, any_instrument: None
) -> None:
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    audio, midi = write_take(tmp_path)
    played = load_midi(midi)
    save_midi(replace(played, pitch=played.pitch - 1), tmp_path / "low.mid")
    score = write_score(tmp_path)
    with open_sources(audio, None, score, transcriber=KnownTranscriber(tmp_path / "low.mid")) as sources:
        assert sources.performance.pitch.tolist() == played.pitch.tolist()
        assert sources.alignment is not None
        assert sources.alignment.match_rate == 1.0
        assert sources.quality is not None
        assert sources.quality.warnings[-1].startswith("The piano sounds a semitone below the score")
        assert sources.transcription is not None
        assert load_midi(sources.transcription.midi).pitch.tolist() == played.pitch.tolist()
        assert sources.transcription.sha256 == sha256_of(sources.transcription.midi)
    save_midi(replace(played, pitch=played.pitch - 2), tmp_path / "lower.mid")
    lower = replace(KnownTranscriber(tmp_path / "lower.mid"), version="known 2")
    with (
        pytest.raises(TransposedError, match="2 semitones below"),
        open_sources(audio, None, score, transcriber=lower),
    ):
        pass


def test_moved_notes_are_found_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    _, midi = write_take(tmp_path)
    from tocco.audio.transcription import CommandTranscriber
    from tocco.data.transcribing import cached_transcription

    command = CommandTranscriber("toy {audio} {midi}")
    path = cached_transcription("a" * 64, command)
    path.parent.mkdir(parents=True)
    path.write_bytes(midi.read_bytes())
    found = moved(Transcription(load_midi(path), path, sha256_of(path), command.version), 1)
    assert find_transcription("a" * 64, command.version, found.sha256) == found.midi
    assert find_transcription("a" * 64, command.version, sha256_of(path)) == path
    assert find_transcription("a" * 64, command.version, "b" * 64) is None
