"""`--scores`: the score of each take is found in a folder, and where none fits, that is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from assessment_example import example
from score_library import write_library
from tocco.apps.cli.main import app
from tocco.data.sources import open_sources
from tocco.errors import InputError, MismatchError, OutputError, UsageError
from tocco.files import sha256_of
from tocco.inference import batch
from tocco.inference.alignment_document import read_alignment
from tocco.inference.assessment import Assessment, read_assessment
from tocco.inference.conclusion import describe_inputs
from tocco.music.score_finding import ScoreFolder
from tocco.report import formats
from tocco.report.formats import AssessedTake
from transcribing import N_NOTES, copying_command, write_score, write_take


class Stand:
    """In the network's place: the example assessment, of what was given."""

    def __init__(self, bundle: Path | None, transcriber: object = None) -> None:
        self.bundle = SimpleNamespace(sha256=example().bundle.sha256)
        self.transcriber = transcriber

    def assess(
        self, audio: Path, midi: Path, score: Path, *, scores: ScoreFolder | None = None, **other: object
    ) -> Assessment:
        with open_sources(
            audio, midi, score, scores=scores, transcriber=self.transcriber, **other
        ) as sources:
            made = example(score=sources.alignment is not None)
            inputs = describe_inputs(sources, np.array([[0.5, 8.0]]))
            reason = None if inputs.score_search is None else inputs.score_search.reason
            changed = {"inputs": inputs} | ({} if reason is None else {"alignment_reason": reason})
            return made.model_copy(update=changed)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A take, its score in a folder of six, and four of these alone; reports are not drawn."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TOCCO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(batch, "Assessor", Stand)
    for suffix in (".png", ".html"):
        drawn = {AssessedTake: lambda taken, path: path.write_text(str(taken.files.score))}
        monkeypatch.setitem(formats.FORMATS, suffix, drawn)
    write_take(tmp_path)
    write_library(tmp_path / "others", 4)
    shutil.copytree(tmp_path / "others", tmp_path / "scores" / "deep")
    write_score(tmp_path / "scores")
    for shared in (batch.shared_assessor, batch.shared_scores):
        shared.cache_clear()
    yield tmp_path
    for shared in (batch.shared_assessor, batch.shared_scores):
        shared.cache_clear()


def tocco(*arguments: object, exit_code: int = 0) -> str:
    result = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert result.exit_code == exit_code, result.output
    return " ".join(result.output.split())


KEYS = "keys/take.mid"


def test_the_score_is_found_and_named_with_its_bars() -> None:
    printed = tocco("assess", "take.flac", "--midi", KEYS, "--scores", "scores", "-o", "out")
    assert "score found: piece_score.mid, " in printed
    inputs = json.loads(Path("out/take.json").read_text())["inputs"]
    assert (inputs["score"]["name"], inputs["score"]["origin"]) == ("piece_score.mid", "found")
    assert inputs["score"]["sha256"] == sha256_of(Path("scores/piece_score.mid"))
    search = inputs["score_search"]
    assert (search["folder"], search["file"], search["n_scores"]) == ("scores", "piece_score.mid", 5)
    assert (search["alike"], search["reason"]) == ([], None)
    assert Path("out/take.html").read_text() == "scores/piece_score.mid"


@pytest.mark.usefixtures("any_instrument")
def test_a_recording_alone_is_transcribed_and_its_score_found() -> None:
    command = copying_command(Path.cwd(), Path(KEYS).absolute())
    printed = tocco("assess", "take.flac", "--scores", "scores", "--transcriber", command)
    assert "score found: piece_score.mid" in printed


def test_where_none_fits_the_take_is_assessed_without() -> None:
    printed = tocco("assess", "take.flac", "--midi", KEYS, "--scores", "others", "-o", "out")
    assert "none of the 4 scores in others fits" in printed
    found = read_assessment(Path("out/take.json"))
    assert found.inputs.score is None
    assert found.alignment_reason == "none of the 4 scores in others fits"
    assert found.inputs.score_search is not None
    assert (found.inputs.score_search.file, found.inputs.score_search.n_scores) == (None, 4)


def test_scores_that_fit_as_well_are_named() -> None:
    content = Path("scores/piece_score.mid").read_bytes()
    Path("scores/deep/twin.mid").write_bytes(content + b"\0")
    printed = tocco("assess", "take.flac", "--midi", KEYS, "--scores", "scores", "-o", "out")
    search = read_assessment(Path("out/take.json")).inputs.score_search
    assert search is not None
    assert {search.file, *search.alike} == {"piece_score.mid", "deep/twin.mid"}
    assert f"As well as {search.file} there fits {search.alike[0]}; name one with --score" in printed


def test_other_scores_are_other_inputs() -> None:
    given = ("assess", "take.flac", "--midi", KEYS, "-o", "out")
    tocco(*given, "--scores", "scores")
    before = Path("out/take.json").read_bytes()
    tocco(*given, "--scores", "scores")
    assert Path("out/take.json").read_bytes() == before
    with pytest.raises(OutputError, match="another folder of scores"):
        tocco(*given, "--scores", "others")
    with pytest.raises(OutputError, match="a folder of scores"):
        tocco(*given)
    tocco(*given, "--overwrite")
    with pytest.raises(OutputError, match="no folder of scores"):
        tocco(*given, "--scores", "scores")


def test_a_batch_finds_each_score_and_a_take_with_its_own_keeps_it() -> None:
    folder = Path("lesson")
    folder.mkdir()
    write_take(folder)
    shutil.move(folder / KEYS, folder / "take.mid")
    shutil.copy(folder / "take.mid", folder / "own.mid")
    shutil.copy(folder / "take.flac", folder / "own.flac")
    write_score(folder)
    (folder / "piece_score.mid").rename(folder / "own_score.mid")
    tocco("assess", folder, "--scores", "scores", "-o", "out")
    assert read_assessment(Path("out/take.json")).inputs.score_search is not None
    own = read_assessment(Path("out/own.json")).inputs
    assert (own.score_search, own.score and own.score.origin) == (None, "given")
    assert "2 of them before" in tocco("assess", folder, "--scores", "scores", "-o", "out")


def test_what_cannot_be_read_is_named_and_ends_nothing() -> None:
    Path("scores/broken.musicxml").write_text("<score-partwise>")
    printed = tocco("assess", "take.flac", "--midi", KEYS, "--scores", "scores")
    assert "left out: broken.musicxml " in printed
    assert "score found: piece_score.mid" in printed


def test_it_is_refused_beside_a_score() -> None:
    with pytest.raises(UsageError, match=r"--scores: is given beside --score scores/piece_score\.mid"):
        tocco(
            "assess", "take.flac", "--midi", KEYS, "--score", "scores/piece_score.mid", "--scores", "scores"
        )
    with pytest.raises(InputError, match="nowhere: does not exist"):
        tocco("assess", "take.flac", "--midi", KEYS, "--scores", "nowhere")


def test_a_take_of_which_only_parts_follow_the_score_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise MismatchError("take", "is another piece")

    monkeypatch.setattr("tocco.data.sources.align_performance_to_score", refuse)
    printed = tocco("assess", "take.flac", "--midi", KEYS, "--scores", "scores")
    assert "only parts of the performance follow piece_score.mid" in printed


def test_align_finds_the_score() -> None:
    printed = tocco("align", KEYS, "--scores", "scores", "-o", "out")
    assert "score found: scores/piece_score.mid, bars 1–" in printed
    assert f"take.mid: {N_NOTES} right" in printed
    score = read_alignment(Path("out/take.json")).inputs.score
    assert (score.name, score.origin) == ("piece_score.mid", "found")


def test_align_needs_a_score_that_fits() -> None:
    with pytest.raises(MismatchError, match="none of the 4 scores in others fits"):
        tocco("align", KEYS, "--scores", "others", "-o", "out")
    with pytest.raises(UsageError, match="got no score"):
        tocco("align", KEYS, "-o", "out")
    with pytest.raises(UsageError, match="got the score"):
        tocco("align", KEYS, "scores/piece_score.mid", "--scores", "scores", "-o", "out")
