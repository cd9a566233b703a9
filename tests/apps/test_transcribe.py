"""`tocco transcribe`: what it writes and says, and what it does not replace."""

from __future__ import annotations

from pathlib import Path

import mido
import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.errors import InputError, OutputError, UsageError
from tocco.music.midi import load_midi
from tocco.units import SAMPLE_RATE_HZ
from transcribing import N_NOTES, command_of, copying_command, write_take

pytestmark = pytest.mark.usefixtures("any_instrument")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A transcriber of two recordings in the working folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    _, midi = write_take(tmp_path)
    write_take(tmp_path, "other", velocity=60.0)
    return copying_command(tmp_path, midi)


def tocco(*arguments: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, ["transcribe", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return result.output


def test_notes_velocities_and_pedals_are_written_and_counted(command: str) -> None:
    printed = tocco("take.flac", "-o", "new/heard.mid", "--transcriber", command)
    assert printed.startswith("new/heard.mid: 32 notes and 1 pedal press from 0:00 to 0:08, transcribed by ")
    assert printed.count("\n") == 1
    wrote, known = load_midi("new/heard.mid"), load_midi("keys/take.mid")
    assert wrote.onset_sec.tolist() == known.onset_sec.tolist()
    assert wrote.velocity.tolist() == known.velocity.tolist()
    assert wrote.sustain.value.tolist() == [127.0, 0.0]
    messages = [one.type for track in mido.MidiFile("new/heard.mid").tracks for one in track]
    assert messages.count("note_on") >= N_NOTES
    assert messages.count("control_change") == 2


def test_several_go_into_a_folder(command: str) -> None:
    printed = tocco("take.flac", "other.flac", "-o", "heard", "--transcriber", command).splitlines()
    assert [line.split(":")[0] for line in printed] == ["heard/take.mid", "heard/other.mid", "heard"]
    assert printed[-1] == "heard: 2 transcribed, 0 failed"
    assert {path.name for path in Path("heard").iterdir()} == {"take.mid", "other.mid"}


def test_one_that_cannot_be_used_ends_nothing(command: str) -> None:
    soundfile.write("silent.flac", np.zeros(5 * SAMPLE_RATE_HZ), SAMPLE_RATE_HZ)
    given = ("silent.flac", "none.flac", "take.flac", "-o", "heard", "--transcriber", command)
    printed = tocco(*given, exit_code=1)
    assert "tocco: silent.flac: silent.flac: is silent" in printed
    assert "tocco: none.flac: none.flac: does not exist" in printed
    assert "heard: 1 transcribed, 2 failed" in printed
    assert [path.name for path in Path("heard").iterdir()] == ["take.mid"]


def test_midi_that_is_there_is_not_replaced_unless_asked(command: str) -> None:
    Path("mine.mid").write_bytes(b"mine")
    with pytest.raises(OutputError, match=r"mine\.mid: exists\. Next: name another, or --overwrite"):
        tocco("take.flac", "-o", "mine.mid", "--transcriber", command)
    assert Path("mine.mid").read_bytes() == b"mine"
    tocco("take.flac", "-o", "mine.mid", "--transcriber", command, "--overwrite")
    assert len(load_midi("mine.mid")) == N_NOTES


def test_an_interrupted_run_is_gone_on_with(command: str) -> None:
    """What an earlier run wrote may be written again, and not by another recording."""
    tocco("take.flac", "-o", "heard.mid", "--transcriber", command)
    tocco("take.flac", "-o", "heard.mid", "--transcriber", command)
    with pytest.raises(OutputError, match="exists"):
        tocco("other.flac", "-o", "heard.mid", "--transcriber", command)


def test_a_second_run_transcribes_nothing_again(command: str, tmp_path: Path) -> None:
    tocco("take.flac", "-o", "heard.mid", "--transcriber", command)
    next(tmp_path.glob("toy*.py")).write_text("import sys\nsys.exit('asked again')")
    tocco("take.flac", "-o", "again.mid", "--transcriber", command)
    with pytest.raises(InputError, match="asked again"):
        tocco("other.flac", "-o", "other.mid", "--transcriber", command)
    assert not Path("other.mid").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("take.flac", "-o", "heard"), "a .mid file, or a folder that exists, for one"),
        (("take.flac", "other.flac", "-o", "heard.mid"), "and 2 recordings are given"),
        (("take.flac", "keys/../take.flac", "-o", "heard"), "has the same name as take.flac"),
        (("take.flac", "-o", "a.mid", "--transcriber", "hear"), "does not say where {audio} goes"),
    ],
)
def test_a_wrong_usage_is_one_line(command: str, arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(UsageError) as caught:
        tocco(*arguments)
    assert said in str(caught.value)
    assert not Path("heard").exists()


def test_what_is_no_recording_is_named(command: str) -> None:
    with pytest.raises(InputError, match=r"keys/take\.mid: is not audio"):
        tocco("keys/take.mid", "-o", "a.mid", "--transcriber", command)
    broken = command_of(Path(), "import sys\nsys.exit('broken')")
    with pytest.raises(InputError, match="ended with code 1: broken"):
        tocco("take.flac", "-o", "a.mid", "--transcriber", broken)
    assert not Path("a.mid").exists()
