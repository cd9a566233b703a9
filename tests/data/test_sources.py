"""A recording alone: its notes are transcribed once, and what cannot be rated is refused before that."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from tocco.audio.quality import MusicBounds
from tocco.audio.transcription import CommandTranscriber
from tocco.data import sources as module
from tocco.data.sources import Sources, open_sources
from tocco.data.transcribing import within
from tocco.errors import InputError, MissingPartError
from tocco.files import sha256_of
from tocco.music.midi import load_midi
from tocco.units import SAMPLE_RATE_HZ
from transcribing import DURATION_SEC, N_NOTES, KnownTranscriber, command_of, write_score, write_take


@pytest.fixture
def transcriber(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, any_instrument: None) -> KnownTranscriber:
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    _, midi = write_take(tmp_path)
    return KnownTranscriber(midi)


def opened(audio: Path, transcriber: KnownTranscriber, score: Path | None = None) -> Sources:
    with open_sources(audio, None, score, transcriber=transcriber) as sources:
        return sources


def test_its_notes_are_those_of_the_transcriber(tmp_path: Path, transcriber: KnownTranscriber) -> None:
    audio = tmp_path / "take.flac"
    found = opened(audio, transcriber, write_score(tmp_path))
    assert found.performance.origin == "transcribed"
    assert len(found.performance) == N_NOTES
    assert found.performance.source == str(audio)
    assert found.synchrony is None
    assert (found.sound, found.audio.sha256) == (audio, sha256_of(audio))
    assert (found.midi.path, found.midi.sha256, found.midi.given) == (None, None, False)
    assert found.alignment is not None
    assert len(found.alignment.match) == N_NOTES
    assert found.transcription is not None
    assert found.transcription.transcriber == "known 1"
    assert found.transcription.sha256 == sha256_of(found.transcription.midi)
    assert load_midi(found.transcription.midi).onset_sec.tolist() == found.performance.onset_sec.tolist()


def test_description_and_level_are_those_of_the_recording_with_its_midi(
    tmp_path: Path, transcriber: KnownTranscriber
) -> None:
    alone = opened(tmp_path / "take.flac", transcriber)
    with open_sources(tmp_path / "take.flac", transcriber.midi, None) as both:
        assert (alone.description, alone.gain_db, alone.level_db) == (
            both.description,
            both.gain_db,
            both.level_db,
        )
        assert both.transcription is None


def test_it_is_transcribed_once_for_each_content_and_version(
    tmp_path: Path, transcriber: KnownTranscriber
) -> None:
    audio = tmp_path / "take.flac"
    opened(audio, transcriber)
    audio.rename(tmp_path / "renamed.flac")
    again = opened(tmp_path / "renamed.flac", transcriber)
    assert transcriber.heard == [str(audio)]
    assert again.performance.source == str(tmp_path / "renamed.flac")
    transcriber.version = "known 2"
    opened(tmp_path / "renamed.flac", transcriber)
    assert len(transcriber.heard) == 2
    write_take(tmp_path, "other", velocity=60.0)
    opened(tmp_path / "other.flac", transcriber)
    assert len(transcriber.heard) == 3
    assert len(list((tmp_path / "cache" / "transcriptions").iterdir())) == 3


def test_a_damaged_cached_file_is_made_again(tmp_path: Path, transcriber: KnownTranscriber) -> None:
    found = opened(tmp_path / "take.flac", transcriber).transcription
    assert found is not None
    found.midi.write_bytes(b"MThd")
    assert len(opened(tmp_path / "take.flac", transcriber).performance) == N_NOTES
    assert len(transcriber.heard) == 2


def test_progress_ends_at_the_length_of_the_recording(tmp_path: Path, transcriber: KnownTranscriber) -> None:
    seen: list[tuple[float, float]] = []
    with open_sources(
        tmp_path / "take.flac",
        None,
        None,
        transcriber=transcriber,
        on_transcribed=lambda done, total: seen.append((done, total)),
    ):
        pass
    assert seen[-1] == (pytest.approx(DURATION_SEC, abs=1e-3), pytest.approx(DURATION_SEC, abs=1e-3))


@pytest.mark.parametrize("seconds", [2.9, 3.1])
def test_below_three_seconds_it_is_refused_unheard(
    seconds: float, tmp_path: Path, transcriber: KnownTranscriber
) -> None:
    waveform, _ = soundfile.read(tmp_path / "take.flac", frames=round(seconds * SAMPLE_RATE_HZ))
    soundfile.write(tmp_path / "short.flac", waveform, SAMPLE_RATE_HZ)
    if seconds > 3.0:
        assert len(opened(tmp_path / "short.flac", transcriber).performance) == N_NOTES
        return
    with pytest.raises(InputError, match=r"short\.flac: lasts 2\.9 s \(allowed: 3 s to 3 h\)"):
        opened(tmp_path / "short.flac", transcriber)
    assert transcriber.heard == []


def test_silence_and_what_is_longer_than_three_hours_are_refused_unheard(
    tmp_path: Path, transcriber: KnownTranscriber
) -> None:
    soundfile.write(tmp_path / "silent.flac", np.zeros(5 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    with pytest.raises(InputError, match=r"silent\.flac: is silent"):
        opened(tmp_path / "silent.flac", transcriber)
    minute = np.zeros(8_000 * 60, dtype=np.int16)
    with soundfile.SoundFile(tmp_path / "endless.flac", "w", 8_000, 1) as file:
        for _ in range(181):
            file.write(minute)
    with pytest.raises(InputError, match=r"endless\.flac: is too long \(10,860 s or more\)"):
        opened(tmp_path / "endless.flac", transcriber)
    assert transcriber.heard == []


def test_a_recording_without_notes_is_one_error_of_the_recording(
    tmp_path: Path, transcriber: KnownTranscriber
) -> None:
    empty = "import sys, mido\nfile = mido.MidiFile()\nfile.add_track()\nfile.save(sys.argv[2])\n"
    with (
        pytest.raises(InputError, match=r"take\.flac: has no piano notes that can be heard") as caught,
        open_sources(
            tmp_path / "take.flac", None, None, transcriber=CommandTranscriber(command_of(tmp_path, empty))
        ),
    ):
        pass
    assert caught.value.exit_code == 3
    assert not list((tmp_path / "cache" / "transcriptions").iterdir())


def test_without_a_transcriber_a_part_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(command: str | None) -> KnownTranscriber:
        assert command is None
        raise MissingPartError("transcription", "is not installed")

    audio, _ = write_take(tmp_path)
    monkeypatch.setattr(module, "transcriber_of", none)
    with (
        pytest.raises(MissingPartError, match="transcription: is not installed"),
        open_sources(audio, None, None),
    ):
        pass


def test_neither_recording_nor_midi_is_no_input() -> None:
    with (
        pytest.raises(InputError, match="input: is neither a recording nor MIDI"),
        open_sources(None, None, None),
    ):
        pass


def test_what_is_no_piano_is_refused_before_it_is_transcribed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    _, midi = write_take(tmp_path)
    transcriber = KnownTranscriber(midi)
    hiss = np.random.default_rng(1).normal(0.0, 0.1, 8 * SAMPLE_RATE_HZ)
    soundfile.write(tmp_path / "hiss.wav", hiss, SAMPLE_RATE_HZ)
    with pytest.raises(InputError, match=r"hiss\.wav: holds no music: noise without tones") as caught:
        opened(tmp_path / "hiss.wav", transcriber)
    assert caught.value.exit_code == 3
    assert transcriber.heard == []


def test_notes_in_talk_around_the_music_are_left_out(tmp_path: Path) -> None:
    _, midi = write_take(tmp_path)
    played = load_midi(midi)
    start, end = float(played.onset_sec[10]), float(played.onset_sec[20])
    talk = MusicBounds(start + 1.5, end - 1.5, before="speech", after="applause")
    inside = within(played, talk)
    assert (inside.onset_sec.min(), inside.onset_sec.max()) == (start, end)
    assert len(within(played, MusicBounds(start + 1.5, end - 1.5, before="speech"))) == np.sum(
        played.onset_sec >= start
    )
    assert len(within(played, MusicBounds(start, end))) == len(played)
