"""The whole way on a tiny corpus: train, evaluate, export, assess; then every kind of bad input."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner

from corpus import performance, sound
from tocco.apps.cli.main import app
from tocco.errors import BundleError, InputError, MismatchError, OutputError, ToccoError
from tocco.files import sha256_of
from tocco.inference.assessment import read_assessment
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import example_path, load_bundle, replace_calibration
from tocco.inference.music_span import DECAY_SEC
from tocco.inference.transcription_loss import DimensionLoss, TranscriptionLoss
from tocco.music.midi import load_midi, save_midi
from tocco.rubrics import DESCRIPTORS, DIMENSIONS, TARGETS
from tocco.units import SAMPLE_RATE_HZ
from transcribing import copying_command

ROOT = Path(__file__).parents[2]
RATED = {"dynamics_control", "phrasing", "timbre_soft_loud"}


def tocco(*arguments: object) -> str:
    result = CliRunner().invoke(app, [str(a) for a in arguments], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def bundle(home: Path, tiny_labels: Path) -> Path:
    """A bundle from the commands that make the one that ships, on two folds of the tiny corpus."""
    common = (
        "--config",
        ROOT / "configs/tiny.yaml",
        "--labels",
        tiny_labels,
        "-o",
        home / "runs/tiny",
        "--jobs",
        1,
    )
    tocco("train", *common, "--fold", "all")
    tocco("train", *common)
    report = tocco(
        "evaluate", home / "runs/tiny", "--labels", tiny_labels, "-o", home / "results", "--jobs", 1
    )
    assert "ridge, 10 features" in report
    tocco(
        "export",
        home / "runs/tiny",
        "--evaluation",
        home / "results",
        "--labels",
        tiny_labels,
        "-o",
        home / "bundle",
    )
    return home / "bundle"


@pytest.fixture(scope="module")
def take(home: Path) -> tuple[Path, Path, Path]:
    """A recording, its MIDI and its score, none of them in the corpus."""
    rng = np.random.default_rng(99)
    played = performance(rng, velocity=75.0, jitter_sec=0.005, key=2)
    written = performance(np.random.default_rng(0), velocity=64.0, jitter_sec=0.0, key=2).shifted(-0.5)
    save_midi(played, home / "take.mid")
    save_midi(written, home / "score.mid")
    soundfile.write(home / "take.flac", sound(played), SAMPLE_RATE_HZ)
    return home / "take.flac", home / "take.mid", home / "score.mid"


@pytest.fixture(scope="module")
def assessor(bundle: Path) -> Assessor:
    return Assessor(bundle)


def test_evaluation_leaves_figures_calibration_and_predictions(bundle: Path, home: Path) -> None:
    found = {path.name for path in (home / "results").iterdir()}
    assert {"cross_validation.md", "cross_validation.csv", "calibration.json"} <= found
    calibration = load_bundle(bundle).calibration
    assert set(calibration.intervals.dimensions) == RATED
    for dimension in calibration.intervals.dimensions.values():
        assert dimension.n == 20
        assert dimension.reliability is not None
        assert 0.8 < dimension.reliability < 1.0


def test_the_bundle_knows_what_it_was_trained_on(bundle: Path) -> None:
    config = load_bundle(bundle).config
    assert set(config.rated) == RATED
    assert config.training["settings"]["name"] == "tiny"
    assert config.training["n_records"] == 20
    assert "20 excerpts" in (bundle / "MODEL_CARD.md").read_text()


def test_an_assessment_rates_what_was_learned_and_says_what_is_missing(
    assessor: Assessor, take: tuple[Path, Path, Path]
) -> None:
    assessment = assessor.assess(*take)
    assert set(assessment.ratings) == set(DIMENSIONS)
    assert set(assessment.descriptors) == set(DESCRIPTORS)
    if not assessment.abstained:
        assert {n for n, r in assessment.ratings.items() if r.source == "combined"} == {
            "dynamics_control",
            "phrasing",
        }
    accuracy = assessment.ratings["note_accuracy"]
    assert accuracy.source == "rule"
    assert accuracy.value == 100.0
    assert assessment.alignment is not None
    assert assessment.alignment.counts == {"match": 32, "insertion": 0, "deletion": 0, "substitution": 0}
    assert assessment.inputs.synchrony is not None
    assert abs(assessment.inputs.synchrony.offset_sec) < 0.02
    assert assessment.aggregate.value is None  # this bundle does not rate all that the aggregate needs


def test_without_a_score_note_accuracy_is_missing_with_the_reason(
    assessor: Assessor, take: tuple[Path, Path, Path]
) -> None:
    assessment = assessor.assess(take[0], take[1])
    assert assessment.ratings["note_accuracy"].source == "missing"
    assert assessment.ratings["note_accuracy"].reason == "no score was given"
    assert assessment.alignment is None


def test_noise_and_silence_around_the_music_are_not_rated(
    assessor: Assessor, take: tuple[Path, Path, Path], home: Path
) -> None:
    waveform, rate = soundfile.read(take[0], dtype="float32")
    talk = np.random.default_rng(0).normal(0.0, 0.02, 8 * rate).astype(np.float32)
    around = np.concatenate([talk, waveform, np.zeros(6 * rate, dtype=np.float32)])
    soundfile.write(home / "talk.flac", around, rate)
    plain, cut = assessor.assess(*take), assessor.assess(home / "talk.flac", *take[1:])
    assert plain.inputs.music is not None
    assert cut.inputs.music is not None
    assert cut.inputs.music.start_sec == pytest.approx(plain.inputs.music.start_sec + 8.0, abs=0.03)
    # The plain recording ends with the last note, before its sound has died away.
    assert -0.03 < cut.inputs.music.end_sec - (plain.inputs.music.end_sec + 8.0) <= DECAY_SEC + 0.03
    assert cut.inputs.music.end_sec < cut.inputs.audio.duration_sec - 4.0
    assert cut.curve.start_sec[0] >= cut.inputs.music.start_sec - 1e-3
    assert cut.curve.end_sec[-1] <= cut.inputs.music.end_sec + 1e-3


def test_the_same_inputs_give_the_same_bytes(bundle: Path, take: tuple[Path, Path, Path], home: Path) -> None:
    for folder in ("once", "twice"):
        tocco(
            "assess", take[0], "--midi", take[1], "--score", take[2], "--bundle", bundle, "-o", home / folder
        )
    assert (home / "once/take.json").read_bytes() == (home / "twice/take.json").read_bytes()
    assert (home / "once/take.png").read_bytes() == (home / "twice/take.png").read_bytes()
    # Again into the same folder: the same performance may take its own place.
    tocco("assess", take[0], "--midi", take[1], "--score", take[2], "--bundle", bundle, "-o", home / "once")


def test_louder_recordings_of_the_same_playing_rate_the_same_up_to_their_level(
    assessor: Assessor, take: tuple[Path, Path, Path], home: Path
) -> None:
    waveform, rate = soundfile.read(take[0], dtype="float32")
    soundfile.write(home / "stereo.wav", np.stack([waveform, waveform], axis=1), rate, subtype="PCM_24")
    first, second = assessor.assess(*take[:2]), assessor.assess(home / "stereo.wav", take[1])
    for name in RATED & set(first.ratings):
        assert first.ratings[name].value == pytest.approx(second.ratings[name].value, abs=0.05)


def test_a_manifest_is_assessed_row_by_row_and_goes_on_where_it_stopped(
    bundle: Path, take: tuple[Path, Path, Path], home: Path
) -> None:
    audio, midi, score = take
    manifest = home / "takes.csv"
    manifest.write_text(
        f"id,audio,midi,score\nfirst,{audio},{midi},{score}\nsecond,{audio},{midi},\nbroken,{midi},{midi},\n"
    )
    arguments = ["assess", "--manifest", str(manifest), "--bundle", str(bundle), "-o", str(home / "many")]
    result = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert result.exit_code == 1
    assert "2 assessed, 0 of them before, 1 failed" in result.output
    rows = (home / "many/assessments.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["id", "first", "second"]
    kept = (home / "many/first.json").stat().st_mtime_ns
    again = CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert "2 assessed, 2 of them before, 1 failed" in again.output
    assert (home / "many/first.json").stat().st_mtime_ns == kept
    assert read_assessment(home / "many/first.json").inputs.score is not None


def refused(assessor: Assessor, kind: type[ToccoError], *files: Path | None) -> str:
    with pytest.raises(kind) as caught:
        assessor.assess(*files)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.mark.usefixtures("any_instrument")
def test_a_recording_alone_leaves_its_notes_and_a_report_of_them(
    bundle: Path, take: tuple[Path, Path, Path], home: Path
) -> None:
    command = copying_command(home, take[1])
    bundle = Path(shutil.copytree(bundle, home / "hearing"))
    no_loss = {name: DimensionLoss(shift=0.0, sd=0.0) for name in TARGETS}
    loss = TranscriptionLoss(transcriber="known", n=10, with_score=no_loss, without_score=no_loss)
    calibration = load_bundle(bundle).calibration.model_copy(update={"transcription": loss})
    replace_calibration(bundle, calibration, (bundle / "MODEL_CARD.md").read_text(encoding="utf-8"))
    given = (
        "assess",
        take[0],
        "--score",
        take[2],
        "--bundle",
        bundle,
        "-o",
        home / "alone",
        "--transcriber",
        command,
    )
    result = CliRunner().invoke(app, list(map(str, given)), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found = read_assessment(home / "alone/take.json")
    assert found.inputs.transcription_sha256 == sha256_of(home / "alone/take.mid")
    assert found.alignment is not None
    assert found.alignment.counts["match"] == 32
    assert load_midi(home / "alone/take.mid").pitch.tolist() == load_midi(take[1]).pitch.tolist()
    page = (home / "alone/take.html").read_text(encoding="utf-8")
    assert "from the recording alone: its notes were transcribed by the command" in page
    again = ("report", home / "alone/take.json", "--midi", home / "alone/take.mid", "--audio", take[0])
    options = ("--score", take[2], "-o", home / "again.html")
    CliRunner().invoke(app, list(map(str, (*again, *options))), catch_exceptions=False)
    again_page = (home / "again.html").read_text(encoding="utf-8")
    assert "its notes were transcribed by the command" in again_page
    assert again_page.count("<svg") == page.count("<svg") > 3


def test_audio_and_midi_in_each_others_place(assessor: Assessor, take: tuple[Path, Path, Path]) -> None:
    assert "MIDI" in refused(assessor, InputError, take[1], take[1])
    assert "FLAC" in refused(assessor, InputError, take[0], take[0])


def test_the_midi_of_another_piece(assessor: Assessor, take: tuple[Path, Path, Path], home: Path) -> None:
    other = example_path() / "minuet.mid"
    refused(assessor, MismatchError, take[0], other)
    line = refused(assessor, MismatchError, take[0], take[1], example_path() / "minuet.musicxml")
    assert "is not a performance of" in line


def test_files_that_are_absent_empty_or_folders(
    assessor: Assessor, take: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    empty = tmp_path / "empty.mid"
    empty.touch()
    for files in (
        (tmp_path / "absent.wav", take[1]),
        (take[0], tmp_path / "absent.mid"),
        (take[0], empty),
        (empty, take[1]),
        (tmp_path, take[1]),
        (take[0], tmp_path),
        (take[0], take[1], empty),
    ):
        refused(assessor, InputError, *files)


def test_a_broken_score(assessor: Assessor, take: tuple[Path, Path, Path], tmp_path: Path) -> None:
    score = tmp_path / "score.musicxml"
    score.write_bytes((example_path() / "minuet.musicxml").read_bytes()[:2000])
    refused(assessor, InputError, take[0], take[1], score)


def test_every_changed_byte_of_a_bundle_is_found(bundle: Path, tmp_path: Path) -> None:
    for part in ("model.safetensors", "config.yaml", "calibration.json", "MODEL_CARD.md", "SHA256SUMS"):
        copy = tmp_path / part.replace(".", "_")
        shutil.copytree(bundle, copy)
        content = bytearray((copy / part).read_bytes())
        content[len(content) // 2] ^= 1
        (copy / part).write_bytes(bytes(content))
        with pytest.raises(BundleError):
            load_bundle(copy)
        (copy / part).unlink()
        with pytest.raises(BundleError, match="lacks"):
            load_bundle(copy)


def test_an_output_that_cannot_be_written_is_found_before_the_work(
    bundle: Path, take: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError):
        tocco("assess", take[0], "--midi", take[1], "--bundle", bundle, "-o", tmp_path / "file")


def test_another_performance_may_not_take_the_place_of_an_assessment(
    bundle: Path, take: tuple[Path, Path, Path], tmp_path: Path
) -> None:
    tocco("assess", take[0], "--midi", take[1], "--bundle", bundle, "-o", tmp_path)
    before = (tmp_path / "take.json").read_bytes()
    other = tmp_path / "other" / "take.mid"
    played = performance(np.random.default_rng(5), velocity=60.0, jitter_sec=0.003, key=1)
    other.parent.mkdir()
    save_midi(played, other)
    soundfile.write(other.with_suffix(".flac"), sound(played), SAMPLE_RATE_HZ)
    arguments = ("assess", other.with_suffix(".flac"), "--midi", other, "--bundle", bundle, "-o", tmp_path)
    with pytest.raises(OutputError, match="assessment of another performance"):
        tocco(*arguments)
    assert (tmp_path / "take.json").read_bytes() == before
    tocco(*arguments, "--overwrite")
    assert json.loads((tmp_path / "take.json").read_text()) != json.loads(before)


@pytest.mark.parametrize(
    "arguments", [["--bundle"], ["--jobs", "0", "a.wav"], ["--jobs", "many"], ["--room"]]
)
def test_wrong_usage_ends_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(app, ["assess", *arguments]).exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "exit_code", "said"),
    [
        (["assess"], 2, "tocco: assess: got nothing to assess. Next: give recordings"),
        (["assess", "--midi", "a.mid", "--midi", "b.mid"], 2, "tocco: --midi: is given 2 times"),
        (["assess", "gone.wav"], 3, "tocco: gone.wav: does not exist"),
    ],
)
def test_a_mistake_is_one_line_before_anything_heavy_is_loaded(
    arguments: list[str], exit_code: int, said: str
) -> None:
    code = (
        "import sys; from tocco.apps.cli.main import main; sys.argv[1:] = sys.argv[2:]\n"
        "try: main()\nfinally: print(*({'torch', 'numpy', 'scipy', 'rich.console'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code, "tocco", *arguments], capture_output=True, text=True, check=False
    )
    assert run.returncode == exit_code
    assert run.stderr.startswith(said)
    assert run.stderr.count("\n") == 1
    assert run.stdout == "\n"
