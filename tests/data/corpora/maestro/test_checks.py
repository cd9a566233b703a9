"""The check of a corpus finds what is wrong with a recording, and passes what is right."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from maestro_example import SmallMaestro, small_maestro
from tocco.apps.commands import maestro as command
from tocco.data.corpora.maestro.checks import check_recording, check_recordings, read_expected
from tocco.data.downloading import Downloader
from tocco.errors import InputError
from tocco.music.midi import load_midi, save_midi


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallMaestro:
    return small_maestro(2, tmp_path_factory.mktemp("small"), real=True)


@pytest.fixture
def folder(small: SmallMaestro, tmp_path: Path) -> Path:
    command.maestro(
        tmp_path / "out",
        subset=None,
        seed=0,
        source=str(small.unpacked(tmp_path / "in")),
        jobs=1,
        dry_run=False,
        release=small.release,
        downloader=Downloader(),
    )
    return tmp_path / "out"


def restated(folder: Path) -> None:
    """Checksums of what is here now, so that only the content can be wrong."""
    lines = (folder / "checksums.sha256").read_text().splitlines()
    names = [line.split("  ")[1] for line in lines]
    sums = [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in names]
    text = "".join(f"{digest}  {name}\n" for digest, name in zip(sums, names, strict=True))
    (folder / "checksums.sha256").write_text(text)


def first(folder: Path) -> tuple[Path, Path]:
    expected = read_expected(folder)[0]
    return folder / expected.audio_path, folder / expected.midi_path


def test_a_sound_corpus_passes(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.verify(folder, jobs=1) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert all(line.startswith("ok     200") for line in lines[:2])
    assert "32 notes" in lines[0]
    assert lines[2] == "2 of 2 recordings are valid"


@pytest.mark.slow
def test_processes_find_what_one_finds(folder: Path) -> None:
    recordings = read_expected(folder)
    assert list(check_recordings(recordings, folder, 2)) == list(check_recordings(recordings, folder, 1))


def test_changed_bytes_are_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audio, _ = first(folder)
    content = bytearray(audio.read_bytes())
    content[-1] ^= 1
    audio.write_bytes(bytes(content))
    assert command.verify(folder, jobs=1) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("FAILED 200")
    assert "has another SHA-256 than checksums.sha256 states" in lines[0]
    assert lines[2] == "1 of 2 recordings are valid"


def test_a_lost_file_is_found(folder: Path) -> None:
    first(folder)[1].unlink()
    finding = check_recording(read_expected(folder)[0], folder)
    assert not finding.is_valid
    assert "No such file" in finding.text


@pytest.mark.parametrize("change_sec", [-2.0, 16.0])
def test_audio_of_another_length_is_found(change_sec: float, folder: Path) -> None:
    audio, _ = first(folder)
    samples, rate_hz = soundfile.read(audio, dtype="float32")
    n = round(abs(change_sec) * rate_hz)
    other = samples[:-n] if change_sec < 0 else np.concatenate([samples, np.zeros(n, np.float32)])
    soundfile.write(audio, other, rate_hz, subtype="PCM_16")
    restated(folder)
    finding = check_recording(read_expected(folder)[0], folder)
    assert not finding.is_valid
    assert f"lasts {len(other) / rate_hz:.2f} s, and the index states" in finding.text


def test_audio_that_breaks_off_is_found(folder: Path) -> None:
    audio, _ = first(folder)
    audio.write_bytes(audio.read_bytes()[:-50_000])
    restated(folder)
    finding = check_recording(read_expected(folder)[0], folder)
    assert not finding.is_valid
    assert audio.name in finding.text


def test_a_midi_of_another_length_is_found(folder: Path) -> None:
    _, midi = first(folder)
    save_midi(load_midi(midi).shifted(0.3), midi)
    restated(folder)
    finding = check_recording(read_expected(folder)[0], folder)
    assert not finding.is_valid
    assert "ends at" in finding.text


def test_a_midi_that_is_late_is_found(folder: Path) -> None:
    audio, midi = first(folder)
    save_midi(load_midi(midi).shifted(0.15), midi)
    restated(folder)
    finding = check_recording(read_expected(folder)[0], folder)
    assert not finding.is_valid
    assert "offset of -0.1" in finding.text
    assert "s from its recording" in finding.text
    assert audio.is_file()


def test_the_midi_of_another_recording_is_found(folder: Path) -> None:
    (audio, _), other = first(folder), read_expected(folder)[1]
    expected = read_expected(folder)[0]
    (folder / expected.midi_path).write_bytes((folder / other.midi_path).read_bytes())
    restated(folder)
    finding = check_recording(read_expected(folder)[0], folder)
    assert not finding.is_valid
    assert audio.name in finding.text or "ends at" in finding.text


def test_a_folder_without_tables_is_one_line(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="fetch the corpus first"):
        read_expected(tmp_path)
    (folder / "checksums.sha256").write_text("")
    with pytest.raises(InputError, match=r"does not match checksums\.sha256"):
        read_expected(folder)


def test_the_tables_hold_what_the_check_reads(folder: Path) -> None:
    with (folder / "metadata.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [p.duration_sec for p in read_expected(folder)] == [float(row["duration"]) for row in rows]
