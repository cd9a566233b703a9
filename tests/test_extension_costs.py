"""What an extension costs, as ARCHITECTURE.md states it: a toy one of each, added by nothing but its rows."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import ClassVar

import numpy as np
import pytest
import torch
import typer
from torch import Tensor
from typer.testing import CliRunner

from assessment_example import example
from tocco.apps.cli.corpora import command_of
from tocco.audio.transcription import CommandTranscriber
from tocco.data.corpora.registry import Importer, Option
from tocco.data.pairing import TakeFiles
from tocco.inference.assessment import Assessment, Rating
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import example_path
from tocco.inference.rules import RULES, Rule
from tocco.models import registry
from tocco.models.audio_encoder import AudioEncoder, EncodedAudio, centre_times, frame_counts, length_mask
from tocco.models.encoder_registry import ENCODERS, EncoderSettings
from tocco.models.network import PerformanceBatch, build_network
from tocco.models.predictor import Prediction, PredictorInput, StatisticsTable
from tocco.models.predictor_files import Header, read_header, write_header
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.report.assessment_folder import AssessmentFolder
from tocco.report.formats import FORMATS, AssessedTake
from tocco.rubrics import RUBRICS, TOCCO10, Dimension, Meaning, Rubric
from tocco.units import FloatArray, FrameClock

ROOT = Path(__file__).parents[1]
EXAMPLE = tuple(example_path() / f"minuet.{suffix}" for suffix in ("flac", "mid", "musicxml"))


def test_the_table_names_files_that_exist() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    section = text.partition("## What an extension costs")[2].partition("\n## ")[0]
    files = re.findall(r"`([a-z_/]+\.py)`", section.partition("|--:|")[2])
    assert len(files) >= 6
    assert [name for name in files if not (ROOT / "src/tocco" / name).is_file()] == []


def test_a_corpus_is_a_module_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    toy = ModuleType("toy_corpus")

    @dataclass
    class ToyReport:
        text: str

        def lines(self) -> tuple[str, ...]:
            return (self.text,)

    def import_toy(source: Path, target: Path, *, on_progress: object, takes: str, loud: bool) -> ToyReport:
        return ToyReport(f"{source.name} to {target.name}: {takes}, {loud}")

    toy.import_toy = import_toy
    monkeypatch.setitem(sys.modules, "toy_corpus", toy)
    row = Importer(
        "toy",
        "Import a toy.",
        "The toy.",
        "Where to.",
        "toy_corpus:import_toy",
        (Option("takes", ("all", "best"), "all", "Which."), Option("loud", bool, False, "Loud.")),
    )
    app = typer.Typer()
    app.command(row.name, help=row.summary)(command_of(row))
    result = CliRunner().invoke(app, ["box", "-o", "shelf", "--takes", "best", "--loud"])
    assert result.output.strip() == "box to shelf: best, True"
    assert CliRunner().invoke(app, ["box", "-o", "shelf", "--takes", "none"]).exit_code == 2


def test_an_output_format_is_a_function_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def write_lines(taken: AssessedTake, path: Path) -> None:
        path.write_text(f"{len(taken.assessment.ratings)} ratings\n")

    monkeypatch.setitem(FORMATS, ".txt", {AssessedTake: write_lines})  # pyright: ignore[reportArgumentType]
    written = AssessmentFolder(tmp_path).write(TakeFiles("take"), example())
    assert [path.suffix for path in written] == [".json", ".png", ".html", ".txt"]
    assert (tmp_path / "take.txt").read_text() == "10 ratings\n"
    assert AssessmentFolder(tmp_path).earlier(TakeFiles("other", midi=EXAMPLE[1])) is None


def test_a_dimension_is_a_row_and_a_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    toy = Dimension(
        "matched_notes",
        "technical",
        Meaning({0: "none", 50: "a hundred", 100: "two hundred"}),
        rule="matched_notes",
    )

    def rate(evidence: Evidence) -> Rating:
        assert evidence.alignment is not None
        value = min(100.0, len(evidence.alignment.match) / 2.0)
        return Rating(value=value, sigma=1.0, interval_90=(value - 1.645, value), source="rule")

    def rate_windows(evidence: Evidence, bounds_sec: FloatArray) -> tuple[FloatArray, FloatArray]:
        return np.full(len(bounds_sec), 50.0), np.ones(len(bounds_sec))

    rubric = Rubric("toy", (toy, TOCCO10["phrasing"]), {"matched_notes": 0.5, "phrasing": 0.5})
    monkeypatch.setitem(RULES, "matched_notes", Rule(rate, rate_windows))  # pyright: ignore[reportArgumentType]
    monkeypatch.setitem(RUBRICS, "toy", rubric)  # pyright: ignore[reportArgumentType]
    assessment = Assessor(rubric=rubric).assess(*EXAMPLE)
    assert list(assessment.ratings) == ["matched_notes", "phrasing"]
    assert assessment.ratings["matched_notes"].source == "rule"
    assert assessment.ratings["phrasing"].source == "combined"
    mean = (assessment.ratings["matched_notes"].value + assessment.ratings["phrasing"].value) / 2.0
    assert assessment.aggregate.value == pytest.approx(mean, abs=0.01)
    assert Assessment.model_validate_json(assessment.model_dump_json()) == assessment


@dataclass(frozen=True)
class _ToyPredictor:
    """Rates everyone by one statistic."""

    names: tuple[str, ...] = ("phrasing",)
    statistics: tuple[str, ...] = ("note_count",)
    kind: ClassVar[str] = "toy"

    def predict(self, rows: PredictorInput) -> Prediction:
        rating = rows.read_statistics(self.statistics)
        return Prediction(rating, np.ones_like(rating))

    def save(self, folder: Path) -> None:
        write_header(folder, Header(self.kind, self.names, self.statistics))

    @classmethod
    def load(cls, folder: Path) -> _ToyPredictor:
        header = read_header(folder, cls.kind)
        return cls(header.names, header.statistics)


def test_a_predictor_is_a_class_and_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(registry.KINDS, "toy", _ToyPredictor)  # pyright: ignore[reportArgumentType]
    _ToyPredictor().save(tmp_path)
    loaded = registry.load_predictor(tmp_path)
    table = StatisticsTable(("tempo", "note_count"), np.array([[1.0, 40.0], [2.0, 60.0]]))
    assert loaded.predict(PredictorInput(statistics=table)).rating.tolist() == [[40.0], [60.0]]


class _ToyEncoder(AudioEncoder):
    """The sound pressure at ten moments a second."""

    def __init__(self) -> None:
        super().__init__()
        self.output_size = 4
        self.clock = FrameClock(hop_samples=2400, window_samples=2400)

    def forward(self, waveform: Tensor, samples: Tensor) -> EncodedAudio:
        frames = waveform.unfold(1, 2400, 2400)
        features = torch.stack([frames.mean(-1), frames.std(-1), frames.amax(-1), frames.amin(-1)], dim=-1)
        mask = length_mask(frame_counts(self.clock, samples), features.shape[1])
        return EncodedAudio(
            features * mask[..., None], mask, centre_times(self.clock, features.shape[1], features)
        )


def test_an_audio_encoder_is_a_class_and_a_row(monkeypatch: pytest.MonkeyPatch) -> None:
    def toy(settings: EncoderSettings) -> AudioEncoder:
        return _ToyEncoder()

    monkeypatch.setitem(ENCODERS, "toy", toy)  # pyright: ignore[reportArgumentType]
    network = build_network(
        dimensions=("phrasing",),
        octuple_vocabulary=(4,) * 8,
        n_note_features=2,
        n_statistics=3,
        audio_encoder="toy",
        midi_layers=1,
        midi_size=16,
        midi_heads=2,
        fusion_size=32,
        fusion_heads=2,
        lstm_layers=1,
        lstm_hidden=8,
        aggregator_heads=2,
    ).eval()
    batch = PerformanceBatch(
        waveform=torch.randn(1, 48_000, generator=torch.Generator().manual_seed(1)),
        waveform_samples=torch.tensor([48_000]),
        level_db=torch.tensor([-20.0]),
        audio_start_sec=torch.zeros(1),
        midi_tokens=torch.zeros(1, 2, 8, dtype=torch.long),
        note_features=torch.zeros(1, 2, 2),
        note_time_sec=torch.tensor([[[0.0, 0.5], [0.5, 1.0]]]),
        midi_mask=torch.ones(1, 2, dtype=torch.bool),
        statistics=torch.zeros(1, 3),
    )
    with torch.no_grad():
        assert network(batch).rating.shape == (1, 1)


def test_a_transcriber_is_any_command_that_writes_midi(tmp_path: Path) -> None:
    script = tmp_path / "toy.py"
    script.write_text("import shutil, sys; shutil.copy(sys.argv[1], sys.argv[3])")
    command = f"{sys.executable} {script} {EXAMPLE[1]} {{audio}} {{midi}}"
    heard = CommandTranscriber(command).transcribe([np.zeros(97 * 24_000, dtype=np.float32)], "take.wav")
    assert len(heard) > 100
