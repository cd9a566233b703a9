"""What `tocco assess` refuses: names that are taken, inputs that are no files, interrupted batches."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import typer
from typer.testing import CliRunner

from assessment_example import example
from tocco.apps.cli import main as cli
from tocco.audio.decoding import open_sound
from tocco.audio.transcription import Transcriber
from tocco.data.sources import open_sources
from tocco.errors import BundleError, InputError, OutputError, UsageError
from tocco.files import file_name, is_safe_name, sha256_of
from tocco.inference import batch
from tocco.inference.assessment import Assessment, read_assessment
from tocco.inference.bundle import load_bundle
from tocco.music.performance import Origin
from tocco.report import formats

Run = Callable[..., str]


def names(folder: str) -> list[str]:
    return sorted(path.name for path in Path(folder).iterdir())


class Stand:
    """In the network's place: the example assessment, with the hashes of what was given."""

    def __init__(self, bundle: Path | None, transcriber: Transcriber | None = None) -> None:
        self.bundle = SimpleNamespace(sha256=example().bundle.sha256)

    def assess(
        self,
        audio: Path | None,
        midi: Path | None,
        score: Path | None,
        *,
        origin: Origin = "keys",
        **_: object,
    ) -> Assessment:
        if midi is None or not midi.is_file():
            raise InputError(midi or "midi", "does not exist")
        made = example(score=score is not None)
        inputs = made.inputs.model_dump()
        inputs["midi"]["sha256"] = sha256_of(midi)
        inputs["audio"] |= (
            {"sha256": sha256_of(midi), "origin": "derived"}
            if audio is None
            else {"sha256": sha256_of(audio)}
        )
        inputs["notes"] = origin
        if score is not None:
            inputs["score"]["sha256"] = sha256_of(score)
        return Assessment.model_validate(made.model_dump() | {"inputs": inputs})


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Run]:
    """Runs `tocco assess` in a folder with two takes; drawing is left to the tests of the picture."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(batch, "Assessor", Stand)
    batch.shared_assessor.cache_clear()
    for suffix in (".png", ".html"):
        drawn = {formats.AssessedTake: lambda _, path: path.write_bytes(b"drawn")}
        monkeypatch.setitem(formats.FORMATS, suffix, drawn)
    for name in ("one", "two"):
        Path(f"{name}.wav").write_bytes(b"RIFF\0\0\0\0WAVE" + name.encode())
        Path(f"{name}.mid").write_text(f"keys {name}")
    Path("score.mid").write_text("page")
    Path("score_score.mid").write_text("page")

    def tocco(*arguments: str, exit_code: int = 0) -> str:
        result = CliRunner().invoke(cli.app, ["assess", *arguments], catch_exceptions=False)
        assert result.exit_code == exit_code, result.output
        return result.output

    yield tocco
    batch.shared_assessor.cache_clear()


def test_several_files_are_paired_by_name_and_ranked(run: Run) -> None:
    output = run("two.mid", "one.wav", "one.mid", "two.wav", "score_score.mid", "-o", "out")
    assert names("out") == [
        "assessments.csv",
        *("one.html", "one.json", "one.png"),
        *("two.html", "two.json", "two.png"),
    ]
    assert "2 assessed, 0 of them before, 0 failed" in output
    assert read_assessment(Path("out/one.json")).inputs.score is not None
    assert [line.split()[0] for line in output.splitlines()[:3]] == ["performance", "one", "two"]


def test_several_without_a_folder_are_ranked_on_the_terminal(run: Run) -> None:
    output = run("one.wav", "one.mid", "two.mid")
    assert "2 assessed" in output
    assert names(".") == ["one.mid", "one.wav", "score.mid", "score_score.mid", "two.mid", "two.wav"]


def test_a_folder_is_assessed_with_its_lone_score(run: Run) -> None:
    Path("score.mid").unlink()
    output = run(".", "-o", "out")
    assert "2 assessed" in output
    assert read_assessment(Path("out/two.json")).inputs.score is not None


def test_midi_alone_is_a_performance(run: Run) -> None:
    assert "out/one.json" in run("one.mid", "-o", "out")
    assert read_assessment(Path("out/one.json")).inputs.audio.origin == "derived"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "got nothing to assess"),
        (("--midi", "one.mid", "--midi", "two.mid"), "--midi: is given 2 times"),
        (("one.wav", "--midi", "one.mid", "--score", "a", "--score", "b"), "--score: is given 2 times"),
        (("--manifest", "rows.csv", "one.wav"), "names the inputs, and others are given beside it"),
        (("--manifest", "rows.csv"), "needs -o"),
        (("one.wav", "two.wav", "--midi", "one.mid"), "belongs to one recording, and 2 are given"),
        (("one.wav", "one.mid", "--midi", "two.mid"), "one.mid is given as well"),
        (
            ("one.mid", "score_score.mid", "--score", "score.mid"),
            "gives score.mid, and one has score_score.mid",
        ),
        (("score_score.mid",), "is a score without a performance"),
        (("--audio", "one.wav", "--audio", "two.wav"), "--audio: is given 2 times"),
        (("--audio", "one.mid"), "--audio: gives one.mid, which is MIDI"),
        (("--audio", "score_score.mid"), "--audio: gives score_score.mid, which is a score"),
        (("two.wav", "--audio", "one.wav"), "--audio: is the recording of one performance, and 2 are given"),
        (("--manifest", "rows.csv", "--audio", "one.wav"), "names the inputs, and others are given beside"),
        (("one.wav", "one.mid", "one.flac"), "has the same name as one.wav, another recording"),
    ],
)
def test_a_wrong_usage_is_one_line(run: Run, arguments: tuple[str, ...], said: str) -> None:
    Path("rows.csv").write_text("id,audio,midi,score\na,one.wav,one.mid,\n")
    Path("one.flac").write_text("sound")
    with pytest.raises(UsageError) as caught:
        run(*arguments)
    assert said in str(caught.value)
    assert "Next: " in str(caught.value)


def test_files_may_be_named_by_options(run: Run) -> None:
    run("--audio", "one.wav", "--midi", "one.mid", "--score", "score.mid", "-o", "named")
    run("one.wav", "one.mid", "--score", "score.mid", "-o", "plain")
    assert Path("named/one.json").read_bytes() == Path("plain/one.json").read_bytes()
    assert "named/two.json" in run("--audio", "two.wav", "two.mid", "-o", "named")


def test_a_file_that_is_no_assessment_is_never_replaced(run: Run) -> None:
    Path("out").mkdir()
    Path("out/one.json").write_text('{"mine": 1}')
    for more in ([], ["--overwrite"]):
        with pytest.raises(OutputError, match=r"one\.json: is in the way"):
            run("one.wav", "--midi", "one.mid", "-o", "out", *more)
    assert Path("out/one.json").read_text() == '{"mine": 1}'
    assert names("out") == ["one.json"]


def test_a_picture_that_is_not_ours_is_never_replaced(run: Run) -> None:
    Path("out").mkdir()
    Path("out/one.png").write_bytes(b"holiday")
    with pytest.raises(OutputError, match=r"one\.png: exists"):
        run("one.wav", "--midi", "one.mid", "-o", "out")
    Path("rows.csv").write_text("id,audio,midi,score\none,one.wav,one.mid,\n")
    with pytest.raises(OutputError, match=r"one\.png: exists"):
        run("--manifest", "rows.csv", "-o", "out")
    assert Path("out/one.png").read_bytes() == b"holiday"
    assert names("out") == ["one.png"]


def test_a_table_that_is_not_ours_is_never_replaced(run: Run) -> None:
    Path("out").mkdir()
    rows = "id,audio,midi,score\none,../one.wav,../one.mid,\n"
    Path("out/assessments.csv").write_text(rows)
    with pytest.raises(OutputError, match="no table of assessments"):
        run("--manifest", "out/assessments.csv", "-o", "out")
    assert Path("out/assessments.csv").read_text() == rows


def test_transcribed_notes_are_another_input(run: Run) -> None:
    run("one.wav", "--midi", "one.mid", "-o", "out")
    with pytest.raises(OutputError, match="is the assessment of the same performance with other notes"):
        run("one.wav", "--midi", "one.mid", "-o", "out", "--transcribed")
    run("one.wav", "--midi", "one.mid", "-o", "out", "--transcribed", "--overwrite")
    assert read_assessment(Path("out/one.json")).inputs.notes == "transcribed"
    run("one.wav", "--midi", "one.mid", "-o", "out", "--transcribed")


def test_another_score_is_another_input(run: Run) -> None:
    given = ("one.wav", "--midi", "one.mid", "-o", "out")
    run(*given, "--score", "score.mid")
    with pytest.raises(OutputError, match="the same performance with a score"):
        run(*given)
    assert read_assessment(Path("out/one.json")).inputs.score is not None
    run(*given, "--overwrite")
    assert read_assessment(Path("out/one.json")).inputs.score is None


def test_a_manifest_never_passes_off_an_assessment_of_other_files(run: Run) -> None:
    Path("rows.csv").write_text("id,audio,midi,score\na,one.wav,one.mid,\n")
    run("--manifest", "rows.csv", "-o", "out")
    assert "1 of them before" in run("--manifest", "rows.csv", "-o", "out")
    before = Path("out/a.json").read_bytes()
    Path("rows.csv").write_text("id,audio,midi,score\na,two.wav,two.mid,\n")
    with pytest.raises(OutputError, match=r"a\.json: is the assessment of another performance"):
        run("--manifest", "rows.csv", "-o", "out")
    assert Path("out/a.json").read_bytes() == before


def test_a_row_whose_files_are_gone_fails_by_itself(run: Run) -> None:
    Path("rows.csv").write_text("id,audio,midi,score\na,one.wav,one.mid,\nb,,two.mid,\n")
    run("--manifest", "rows.csv", "-o", "out")
    Path("one.mid").unlink()
    output = run("--manifest", "rows.csv", "-o", "out", exit_code=1)
    assert "tocco: a: " in output
    assert "1 assessed, 1 of them before, 1 failed" in output
    assert Path("out/a.json").is_file()


def test_a_run_that_was_killed_before_its_picture_draws_it_the_next_time(run: Run) -> None:
    Path("rows.csv").write_text("id,audio,midi,score\na,one.wav,one.mid,\n")
    run("--manifest", "rows.csv", "-o", "out")
    Path("out/a.png").unlink()
    assert "1 of them before" in run("--manifest", "rows.csv", "-o", "out")
    assert Path("out/a.png").read_bytes() == b"drawn"


def test_a_manifest_takes_no_overwrite(run: Run) -> None:
    Path("rows.csv").write_text("id,audio,midi,score\na,one.wav,one.mid,\n")
    with pytest.raises(UsageError, match="replaces the assessment of one performance"):
        run("--manifest", "rows.csv", "-o", "out", "--overwrite")


def test_names_with_spaces_and_signs_name_their_results(run: Run) -> None:
    Path("Für Elise (take 2).mid").write_text("keys")
    assert "Für_Elise_take_2.json" in run("--midi", "Für Elise (take 2).mid", "-o", "out")
    assert names("out") == ["Für_Elise_take_2.html", "Für_Elise_take_2.json", "Für_Elise_take_2.png"]


@pytest.mark.parametrize(
    "title", ["", ".", "..", "../x", "nul", "a" * 300, "é" * 150, "\udcff", "-x-", "Fu\u0308r"]
)
def test_every_title_becomes_a_safe_name(title: str) -> None:
    assert is_safe_name(file_name(title))


def test_letters_that_a_disk_took_apart_are_joined() -> None:
    assert file_name("Fu\u0308r") == "Für"


def test_a_pipe_or_a_device_is_no_input(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").write_bytes(b"x")
    for files in (
        (tmp_path / "pipe", tmp_path / "file", None),
        (None, tmp_path / "pipe", None),
        (None, tmp_path / "file", Path("/dev/zero")),
    ):
        with pytest.raises(InputError, match="is not a regular file"), open_sources(*files):
            pass


def test_a_path_that_no_disk_can_hold_is_one_line(tmp_path: Path) -> None:
    file, endless = tmp_path / "file", tmp_path / ("a" * 300)
    file.write_bytes(b"x")
    for files in ((endless, file, None), (None, endless, None), (None, file, endless)):
        with pytest.raises(InputError, match="cannot be read"), open_sources(*files):
            pass
    with pytest.raises(BundleError, match="cannot be read"):
        load_bundle(endless)


@pytest.mark.parametrize("scale", [32768.0, 3e38])
def test_integers_written_as_floats_have_no_level(tmp_path: Path, scale: float) -> None:
    tone = (scale * np.sin(np.arange(24_000) / 9)).astype(np.float32)
    soundfile.write(tmp_path / "take.wav", tone, 24_000, subtype="FLOAT")
    with (
        pytest.raises(InputError, match="where full scale is 1"),
        open_sound(tmp_path / "take.wav") as sound,
    ):
        list(sound.blocks)


def test_an_interruption_is_said_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> None:
        raise SystemExit(cli.INTERRUPTED)

    monkeypatch.setattr(cli, "app", interrupted)
    with pytest.raises(SystemExit) as end:
        cli.main()
    assert end.value.code == 130
    assert capsys.readouterr().err == "tocco: interrupted; run the same command again to continue\n"


def test_a_terminal_that_lacks_a_sign_still_shows_the_ratings(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="latin-1"))
    monkeypatch.setattr(cli, "app", lambda: typer.echo("●─ 61.5"))
    cli.main()
    assert raw.getvalue() == b"?? 61.5\n"
