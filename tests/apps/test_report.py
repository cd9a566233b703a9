"""`tocco report`: which files it takes, and what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from page_example import assessed, parsed, performance
from tocco.apps.cli.main import app
from tocco.errors import InputError, MismatchError, OutputError, ToccoError, UsageError
from tocco.files import sha256_of
from tocco.inference.assessment import Assessment, write_assessment_file
from tocco.music.midi import save_midi
from tocco.units import SAMPLE_RATE_HZ


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An assessment of a MIDI, whose sound was rendered, beside that MIDI."""
    save_midi(performance(), tmp_path / "take.mid")
    made = assessed().model_dump(mode="json")
    made["inputs"] |= {"sound": "rendered", "synchrony": None}
    made["inputs"]["midi"]["sha256"] = sha256_of(tmp_path / "take.mid")
    made["inputs"]["audio"] |= {"origin": "derived", "sha256": sha256_of(tmp_path / "take.mid")}
    write_assessment_file(Assessment.model_validate(made), tmp_path / "take.json")
    return tmp_path


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, ["report", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def refused(kind: type[ToccoError], *arguments: object) -> str:
    with pytest.raises(kind) as caught:
        CliRunner().invoke(app, ["report", *map(str, arguments)], catch_exceptions=False)
    return str(caught.value)


def test_it_lies_beside_the_assessment_and_may_be_written_again(folder: Path) -> None:
    for _ in range(2):
        assert tocco(folder / "take.json") == f"{folder / 'take.html'}\n"
    document = parsed((folder / "take.html").read_text(encoding="utf-8"))
    assert document.all("h1")[0].text == "etude.mid"
    assert document.all("footer") == []


def test_the_midi_is_shown_and_can_be_played(folder: Path) -> None:
    tocco(folder / "take.json", "--midi", folder / "take.mid", "-o", folder / "other.html")
    document = parsed((folder / "other.html").read_text(encoding="utf-8"))
    assert len(document.all("svg", class_="lane roll")) == 1
    assert len(json.loads(document.all("script", id="data")[0].text)["notes"]) == 4 * 35
    assert "plain tones" in document.text
    assert document.all("audio") == []


def test_a_file_that_is_no_report_is_not_replaced_unless_asked(folder: Path) -> None:
    (folder / "take.html").write_text("my homework")
    assert "exists, and is no report" in refused(OutputError, folder / "take.json")
    assert (folder / "take.html").read_text() == "my homework"
    tocco(folder / "take.json", "--overwrite")
    assert (folder / "take.html").read_text(encoding="utf-8").startswith("<!doctype html>")


def test_what_cannot_be_used_is_refused_in_one_line(folder: Path) -> None:
    take = folder / "take.json"
    assert "rests on no recording" in refused(MismatchError, take, "--audio", folder / "take.mid")
    assert "is not the score that was assessed" in refused(
        MismatchError, take, "--score", folder / "take.mid"
    )
    assert "ends in .html" in refused(UsageError, take, "-o", folder / "a.txt")
    assert "no recording is given" in refused(UsageError, take, "--sound", "beside")
    assert "does not exist" in refused(InputError, folder / "none.json")
    assert not (folder / "take.html").exists()


def test_a_recording_alone_is_reported_with_what_was_transcribed(folder: Path) -> None:
    made = json.loads((folder / "take.json").read_text())
    sha256 = sha256_of(folder / "take.mid")
    made["inputs"] |= {"notes": "transcribed", "sound": "recorded", "transcriber": "hearer 3"}
    made["inputs"] |= {"transcription_sha256": sha256}
    tone = 0.2 * np.sin(np.arange(40 * SAMPLE_RATE_HZ) / 9)
    soundfile.write(folder / "take.flac", tone, SAMPLE_RATE_HZ)
    audio = {"name": "take.flac", "sha256": sha256_of(folder / "take.flac")}
    made["inputs"]["audio"] |= {**audio, "origin": "given"}
    made["inputs"]["midi"] |= {**audio, "origin": "derived"}
    write_assessment_file(Assessment.model_validate(made), folder / "take.json")
    tocco(folder / "take.json", "--audio", folder / "take.flac", "--midi", folder / "take.mid")
    document = parsed((folder / "take.html").read_text(encoding="utf-8"))
    assert len(document.all("svg", class_="lane roll")) == 1
    assert len(document.all("audio")) == 1
    assert "from the recording alone: its notes were transcribed by hearer 3, so soft notes" in document.text
    assert f"transcribed from take.flac by hearer 3; SHA-256 {sha256}" in document.text
    save_midi(performance().shifted(0.1), folder / "other.mid")
    assert (
        "is not the MIDI that was assessed (allowed: the transcription of take.flac with the hash"
        in refused(MismatchError, folder / "take.json", "--midi", folder / "other.mid")
    )
