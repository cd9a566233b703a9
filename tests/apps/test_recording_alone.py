"""Recordings without MIDI at the command line: assessed, resumed, refused; one that fails ends no batch."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from assessment_example import example
from tocco.apps.cli.main import app
from tocco.audio.transcription import Transcriber, choice
from tocco.data.sources import open_sources
from tocco.data.transcribing import OnTranscribed
from tocco.errors import InputError, MissingPartError, OutputError, UsageError
from tocco.files import sha256_of
from tocco.inference import batch
from tocco.inference.assessment import Assessment, read_assessment
from tocco.inference.conclusion import describe_inputs
from tocco.music.performance import Origin
from tocco.music.score_finding import ScoreFolder
from tocco.report import formats
from tocco.units import SAMPLE_RATE_HZ
from transcribing import command_of, copying_command, write_score, write_take

Run = Callable[..., Result]


class Stand:
    """In the network's place: the example assessment, of what was given."""

    def __init__(self, bundle: Path | None, transcriber: Transcriber | None = None) -> None:
        self.bundle = SimpleNamespace(sha256=example().bundle.sha256)
        self.transcriber = transcriber

    def assess(
        self,
        audio: Path | None,
        midi: Path | None,
        score: Path | None,
        *,
        origin: Origin = "keys",
        on_transcribed: OnTranscribed | None = None,
        scores: ScoreFolder | None = None,
    ) -> Assessment:
        with open_sources(
            audio,
            midi,
            score,
            origin=origin,
            transcriber=self.transcriber,
            on_transcribed=on_transcribed,
            scores=scores,
        ) as sources:
            made = example(score=score is not None)
            return made.model_copy(update={"inputs": describe_inputs(sources, np.array([[0.5, 8.0]]))})


pytestmark = pytest.mark.usefixtures("any_instrument")


@pytest.fixture
def take(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with two recordings and their score; drawing is left to the tests of picture and report."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(batch, "Assessor", Stand)
    batch.shared_assessor.cache_clear()
    for suffix in (".png", ".html"):
        drawn = {formats.AssessedTake: lambda _, path: path.write_bytes(b"drawn")}
        monkeypatch.setitem(formats.FORMATS, suffix, drawn)
    write_take(tmp_path)
    write_take(tmp_path, "other", velocity=60.0)
    write_score(tmp_path)
    yield tmp_path
    batch.shared_assessor.cache_clear()


@pytest.fixture
def command(take: Path) -> str:
    return copying_command(take, take / "keys" / "take.mid")


def tocco(*arguments: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result.output


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_it_is_assessed_and_its_notes_lie_beside(take: Path, command: str) -> None:
    printed = tocco("assess", "take.flac", "piece_score.mid", "-o", "out", "--transcriber", command)
    assert names(take / "out") == ["take.html", "take.json", "take.mid", "take.png"]
    assert "recording, notes transcribed by the command 'python" in printed
    assert "score piece_score.mid" in " ".join(printed.split())
    inputs = json.loads(Path("out/take.json").read_text())["inputs"]
    assert (inputs["notes"], inputs["sound"], inputs["transcriber"]) == ("transcribed", "recorded", command)
    assert (inputs["midi"]["origin"], inputs["midi"]["name"]) == ("derived", "take.flac")
    assert inputs["midi"]["sha256"] == inputs["audio"]["sha256"] == sha256_of(take / "take.flac")
    assert inputs["transcription_sha256"] == sha256_of(take / "out" / "take.mid")
    assert inputs["synchrony"] is None
    assert Path("out/take.mid").read_bytes().startswith(b"MThd")


def test_the_same_recording_may_be_assessed_again_into_the_same_place(take: Path, command: str) -> None:
    given = ("assess", "take.flac", "-o", "out", "--transcriber", command)
    tocco(*given)
    before = Path("out/take.json").read_bytes()
    tocco(*given)
    assert Path("out/take.json").read_bytes() == before
    with pytest.raises(OutputError, match=r"the same performance with no MIDI and other notes"):
        tocco("assess", "take.flac", "--midi", "keys/take.mid", "-o", "out")
    Path("other.flac").replace("take.flac")
    with pytest.raises(OutputError, match=r"take\.json: is the assessment of another performance"):
        tocco(*given)
    tocco(*given, "--overwrite")
    assert read_assessment(Path("out/take.json")).inputs.audio.sha256 == sha256_of(Path("take.flac"))


def test_midi_of_the_user_is_never_replaced(take: Path, command: str) -> None:
    (take / "out").mkdir()
    Path("out/take.mid").write_bytes(b"mine")
    given = ("assess", "take.flac", "-o", "out", "--transcriber", command)
    with pytest.raises(OutputError, match=r"take\.mid: exists, and is not of an assessment"):
        tocco(*given)
    tocco("assess", "take.flac", "--midi", "keys/take.mid", "-o", "out")
    with pytest.raises(OutputError, match=r"take\.mid: exists, and is not what was transcribed"):
        tocco(*given, "--overwrite")
    assert Path("out/take.mid").read_bytes() == b"mine"


def test_a_folder_of_recordings_is_assessed_and_gone_on_with(take: Path, command: str) -> None:
    (take / "lesson").mkdir()
    for name in ("take", "other"):
        Path(f"{name}.flac").rename(take / "lesson" / f"{name}.flac")
    given = ("assess", "lesson", "-o", "out", "--transcriber", command)
    assert "2 assessed, 0 of them before, 0 failed" in tocco(*given)
    assert {"take.mid", "other.mid"} < set(names(take / "out"))
    written = Path("out/take.mid").read_bytes()
    Path("out/take.mid").unlink()
    assert "2 of them before" in tocco(*given)
    assert Path("out/take.mid").read_bytes() == written
    for path in (take / "cache" / "transcriptions").iterdir():
        path.unlink()
    Path("out/take.png").unlink()  # drawn again from the MIDI beside it
    assert "2 of them before" in tocco(*given)
    Path("out/take.mid").unlink()
    assert "2 assessed, 1 of them before" in tocco(*given)
    assert Path("out/take.mid").read_bytes() == written


def test_notes_of_another_transcriber_are_not_passed_off(take: Path, command: str) -> None:
    Path("rows.csv").write_text("id,audio,score\na,take.flac,piece_score.mid\n")
    given = ("assess", "--manifest", "rows.csv", "-o", "out", "--transcriber")
    tocco(*given, command)
    assert "1 of them before" in tocco(*given, command)
    with pytest.raises(OutputError, match=r"a\.json: was made by another transcriber"):
        tocco(*given, f"{command} --anew")


def test_one_that_fails_ends_no_batch(take: Path, command: str) -> None:
    soundfile.write(take / "silent.flac", np.zeros(5 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    soundfile.write(take / "short.flac", np.full(SAMPLE_RATE_HZ, 0.1), SAMPLE_RATE_HZ)
    recordings = ("silent.flac", "take.flac", "short.flac")
    printed = tocco("assess", *recordings, "-o", "out", "--transcriber", command, exit_code=1)
    assert "tocco: silent: silent.flac: is silent" in printed
    assert "tocco: short: short.flac: lasts 1.0 s" in printed
    assert "1 assessed, 0 of them before, 2 failed" in printed
    assert "take.json" in names(take / "out")


def test_a_command_that_fails_is_one_line_and_its_code(take: Path) -> None:
    fails = command_of(take, "import sys\nsys.exit('no memory left')\n")
    with pytest.raises(InputError, match="ended with code 1: no memory left") as caught:
        tocco("assess", "take.flac", "--transcriber", fails)
    assert caught.value.exit_code == 3
    with pytest.raises(MissingPartError, match="'no-such-program': cannot be run") as absent:
        tocco("assess", "take.flac", "--transcriber", "no-such-program {audio} {midi}")
    assert absent.value.exit_code == 5
    printed = tocco(
        "assess", "take.flac", "other.flac", "keys/other.mid", "--transcriber", fails, exit_code=1
    )
    assert "tocco: take: --transcriber: " in printed
    assert "1 assessed, 0 of them before, 1 failed" in printed


def test_without_a_transcriber_what_has_midi_is_assessed(take: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def none(command: str | None) -> Transcriber:
        raise MissingPartError(
            "transcription", "is not installed", next_step="pip install 'tocco[transcribe]'"
        )

    for module in ("tocco.data.sources", "tocco.apps.commands.assess"):
        monkeypatch.setattr(f"{module}.transcriber_of", none)
    with pytest.raises(MissingPartError, match="transcription: is not installed"):
        tocco("assess", "take.flac")
    printed = tocco("assess", "take.flac", "other.flac", "keys/other.mid", "-o", "out", exit_code=1)
    assert "tocco: take: transcription: is not installed. Next: pip install 'tocco[transcribe]'." in printed
    assert "1 assessed, 0 of them before, 1 failed" in printed


def test_what_is_done_stays_done_where_the_transcriber_is_gone(
    take: Path, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("rows.csv").write_text("id,audio\na,take.flac\n")
    tocco("assess", "--manifest", "rows.csv", "-o", "out", "--transcriber", command)

    def none(command: str | None) -> Transcriber:
        raise MissingPartError("transcription", "is not installed")

    monkeypatch.setattr("tocco.apps.commands.assess.transcriber_of", none)
    assert "1 of them before, 0 failed" in tocco("assess", "--manifest", "rows.csv", "-o", "out")


def test_a_command_is_checked_before_the_work(take: Path) -> None:
    with pytest.raises(UsageError, match=r"does not say where \{midi\} goes"):
        tocco("assess", "take.flac", "--transcriber", "hear {audio}")
    with pytest.raises(UsageError, match="every performance has its MIDI"):
        tocco("assess", "take.flac", "--midi", "keys/take.mid", "--transcriber", "hear {audio} {midi}")


def test_a_recording_is_aligned_with_its_score(take: Path, command: str) -> None:
    printed = tocco("align", "take.flac", "piece_score.mid", "-o", "out", "--transcriber", command)
    assert printed.startswith(
        "take.flac: 32 right, 0 wrong, 0 missing, 0 extra; notes transcribed by the command"
    )
    inputs = json.loads(Path("out/take.json").read_text())["inputs"]
    assert (inputs["midi"]["origin"], inputs["transcriber"], inputs["synchrony"]) == (
        "derived",
        command,
        None,
    )
    assert inputs["audio"]["name"] == "take.flac"
    with pytest.raises(UsageError, match="is given beside MIDI"):
        tocco("align", "keys/take.mid", "piece_score.mid", "-o", "out", "--transcriber", command)


def test_the_built_in_transcriber_is_made_once_and_a_command_each_for_itself() -> None:
    choice.transcriber_of.cache_clear()
    one, two = (choice.transcriber_of(f"{name} {{audio}} {{midi}}") for name in ("one", "two"))
    assert (one.version, two.version) == ("one {audio} {midi}", "two {audio} {midi}")
    assert choice.transcriber_of("one {audio} {midi}") is one


def test_doctor_has_a_line_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(command: str | None) -> Transcriber:
        raise MissingPartError(
            "transcription", "is not installed", next_step="pip install 'tocco[transcribe]'"
        )

    for part in ("_torch", "_bundle"):  # slow to load
        monkeypatch.setattr(f"tocco.apps.commands.doctor.{part}", lambda: "there")
    monkeypatch.setattr("tocco.audio.transcription.transcriber_of", none)
    line = "missing  transcription  transcription: is not installed. Next: pip install 'tocco[transcribe]'."
    assert line in CliRunner().invoke(app, ["doctor"]).output.splitlines()
    known = SimpleNamespace(version="toy 3")
    monkeypatch.setattr("tocco.audio.transcription.transcriber_of", lambda command: known)
    result = CliRunner().invoke(app, ["doctor"])
    assert "ok       transcription  toy 3" in result.output.splitlines()
    assert result.exit_code == 0


def test_an_assessment_of_a_recording_alone_reads_back(take: Path, command: str) -> None:
    tocco("assess", "take.flac", "-o", "out", "--transcriber", command)
    assert read_assessment(Path("out/take.json")).inputs.transcriber == command
