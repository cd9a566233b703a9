"""From files to an assessment, with a network in place that says the same of every window."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from corpus import performance, sound
from tocco.errors import BundleError, InputError
from tocco.files import sha256_of
from tocco.inference import conclusion
from tocco.inference.applicability import Applicability
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.intervals import DimensionCalibration, IntervalCalibration
from tocco.inference.shortfalls import Shortfalls
from tocco.inference.transcription_loss import DimensionLoss, TranscriptionLoss
from tocco.models.network import PerformanceBatch, PerformanceOutput
from tocco.models.network_predictor import NetworkPredictor
from tocco.music.midi import save_midi
from tocco.rubrics import DIMENSIONS, TARGETS
from tocco.units import SAMPLE_RATE_HZ
from transcribing import KnownTranscriber

LEVEL, SD = 60.0, 4.0
NO_LOSS = {name: DimensionLoss(shift=0.0, sd=0.0) for name in TARGETS}
Make = Callable[..., Assessor]


class Stand:
    """Says of window k that every dimension is 60 + k, give or take 4; keeps what it was shown."""

    dimensions = TARGETS

    def __init__(self) -> None:
        self.shown: list[PerformanceBatch] = []
        self.n_windows = 0

    def __call__(self, batch: PerformanceBatch) -> PerformanceOutput:
        self.shown.append(batch)
        rating = LEVEL + self.n_windows + torch.arange(len(batch), dtype=torch.float32)
        self.n_windows += len(batch)
        every = rating[:, None].expand(-1, len(TARGETS))
        return PerformanceOutput(
            every, torch.full(every.shape, 2 * math.log(SD)), torch.zeros(0), torch.zeros(0)
        )


@pytest.fixture(scope="module")
def bundled() -> Bundle:
    return load_bundle()


@pytest.fixture(scope="module")
def take(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    """A recording, its MIDI and its score."""
    home = tmp_path_factory.mktemp("take")
    played = performance(np.random.default_rng(99), velocity=75.0, jitter_sec=0.005, key=2)
    written = performance(np.random.default_rng(0), velocity=64.0, jitter_sec=0.0, key=2).shifted(-0.5)
    save_midi(played, home / "take.mid")
    save_midi(written, home / "score.mid")
    soundfile.write(home / "take.flac", 0.5 * sound(played), SAMPLE_RATE_HZ)
    return home / "take.flac", home / "take.mid", home / "score.mid"


@pytest.fixture(autouse=True)
def competent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing falls short, so that ratings are those of the network."""
    monkeypatch.setattr(conclusion, "measure_shortfalls", lambda evidence: Shortfalls({}, {}))
    monkeypatch.setattr(conclusion, "window_shortfalls", lambda evidence, bounds: [{} for _ in bounds])


@pytest.fixture
def make(bundled: Bundle) -> Make:
    def assessor(*, within: tuple[float, float] = (-1e9, 1e9), window_sec: float = 8.0) -> Assessor:
        """Of three measures, one has the range that is given, and the others are always inside."""
        names = tuple(bundled.calibration.applicability.names[:3])
        ranges = Applicability(names=names, low=(within[0], -1e9, -1e9), high=(within[1], 1e9, 1e9))
        intervals = IntervalCalibration(
            protocol="stand", dimensions={"phrasing": DimensionCalibration(scale=2.0, n=9, reliability=0.5)}
        )
        network: Any = Stand()
        loss = TranscriptionLoss(transcriber="known", n=10, with_score=NO_LOSS, without_score=NO_LOSS)
        calibration = bundled.calibration.model_copy(
            update={"intervals": intervals, "applicability": ranges, "transcription": loss}
        )
        config = bundled.config.model_copy(update={"window_sec": window_sec, "overlap": 0.5})
        predictor = NetworkPredictor(network)
        return Assessor(
            replace(
                bundled,
                network=network,
                predictor=predictor,
                whole=None,
                whole_share=0.0,
                calibration=calibration,
                config=config,
            )
        )

    return assessor


def test_what_is_calibrated_is_rated_and_the_rest_says_why(make: Make, take: tuple[Path, Path, Path]) -> None:
    assessor = make()
    found = assessor.assess(*take)
    network: Any = assessor.bundle.network
    n = network.n_windows
    assert n >= 2
    phrasing = found.ratings["phrasing"]
    assert phrasing.value is not None
    assert LEVEL < phrasing.value < LEVEL + n - 1
    assert phrasing.interval_90 == pytest.approx((phrasing.value - 8.0, phrasing.value + 8.0))
    assert phrasing.reliability == 0.5
    curve = [value for value in found.curve.value["phrasing"] if value is not None]
    assert curve[0] == pytest.approx(LEVEL)
    assert curve[-1] == pytest.approx(LEVEL + n - 1)
    assert np.mean(curve) == pytest.approx(phrasing.value)
    assert set(found.ratings) == set(DIMENSIONS)
    assert found.ratings["musicality"].value is None
    assert found.ratings["musicality"].reason == "this bundle was not trained to rate it"
    assert found.ratings["note_accuracy"].value == 100.0
    assert not found.abstained
    assert found.bundle.sha256 == assessor.bundle.sha256
    assert found.alignment is not None
    assert found.alignment.counts["match"] > 20


def test_the_network_hears_the_recording_at_one_peak_and_is_told_its_level(
    make: Make, take: tuple[Path, Path, Path]
) -> None:
    assessor = make()
    assessor.assess(*take)
    network: Any = assessor.bundle.network
    (batch,) = network.shown
    recording, _ = soundfile.read(take[0])
    assert batch.waveform.abs().max().item() == pytest.approx(10 ** (-3 / 20), abs=0.01)
    level_db = 10 * math.log10(np.mean(recording**2))
    assert batch.level_db.tolist() == pytest.approx([level_db] * network.n_windows, abs=0.2)
    assert batch.waveform.shape[1] == 8 * SAMPLE_RATE_HZ
    assert batch.midi_mask.sum(1).min() >= 8


def test_without_a_score_note_accuracy_says_so(make: Make, take: tuple[Path, Path, Path]) -> None:
    found = make().assess(take[0], take[1])
    assert found.ratings["note_accuracy"].value is None
    assert found.ratings["note_accuracy"].reason == "no score was given"
    assert (found.alignment, found.alignment_reason) == (None, "no score was given")
    assert found.inputs.score is None
    assert found.ratings["phrasing"].value is not None


def test_the_inputs_are_named_by_their_hashes(make: Make, take: tuple[Path, Path, Path]) -> None:
    inputs = make().assess(*take).inputs
    assert inputs.score is not None
    for file, path in zip((inputs.audio, inputs.midi, inputs.score), take, strict=True):
        assert (file.name, file.sha256, file.origin) == (path.name, sha256_of(path), "given")
    assert inputs.audio.duration_sec == pytest.approx(
        len(soundfile.read(take[0])[0]) / SAMPLE_RATE_HZ, abs=1e-3
    )
    assert inputs.midi.duration_sec is not None
    assert inputs.synchrony is not None
    assert abs(inputs.synchrony.offset_sec) < 0.05
    assert abs(inputs.synchrony.drift_ppm) < 5000.0
    assert inputs.synchrony.residual_sec < 0.05


@pytest.mark.usefixtures("any_instrument")
def test_a_recording_alone_is_rated_by_what_is_transcribed(make: Make, take: tuple[Path, Path, Path]) -> None:
    audio, midi, score = take
    assessor = make()
    assessor.transcriber = KnownTranscriber(midi)
    seen: list[tuple[float, float]] = []
    rated: list[tuple[float, float]] = []
    alone = assessor.assess(
        audio,
        None,
        score,
        on_transcribed=lambda done_sec, all_sec: seen.append((done_sec, all_sec)),
        on_rated=lambda done, total: rated.append((done, total)),
    )
    assert rated == [(done, rated[0][1]) for done in range(int(rated[0][1]) + 1)]
    with_midi = make().assess(*take, origin="transcribed")
    assert alone.ratings["phrasing"].value == with_midi.ratings["phrasing"].value
    assert alone.ratings["note_accuracy"].value == with_midi.ratings["note_accuracy"].value == 100.0
    inputs = alone.inputs
    assert (inputs.notes, inputs.sound, inputs.transcriber) == ("transcribed", "recorded", "known 1")
    assert (inputs.midi.name, inputs.midi.origin, inputs.synchrony) == ("take.flac", "derived", None)
    assert seen[-1] == pytest.approx((inputs.audio.duration_sec,) * 2, abs=1e-3)
    few = make(window_sec=0.6)
    few.transcriber = assessor.transcriber
    with pytest.raises(InputError, match=r"take\.flac: has no window of 1 s with 8 notes"):
        few.assess(audio)


def test_a_bundle_that_knows_no_transcriptions_says_so_before_the_work(
    make: Make, take: tuple[Path, Path, Path]
) -> None:
    assessor = make()
    calibration = assessor.bundle.calibration.model_copy(update={"transcription": None})
    assessor.bundle = replace(assessor.bundle, calibration=calibration)
    assessor.transcriber = known = KnownTranscriber(take[1])
    for files, origin in (((take[0], None, None), "keys"), (take, "transcribed")):
        with pytest.raises(BundleError, match="does not know what transcription takes from its ratings"):
            assessor.assess(*files, origin=origin)
    assert known.heard == []


def test_music_unlike_all_training_music_is_not_rated(make: Make, take: tuple[Path, Path, Path]) -> None:
    """One of three measures is out of range: a third, where a fifth is the limit."""
    found = make(within=(1e8, 1e9)).assess(*take)
    assert found.abstained
    (reason,) = found.abstained_reasons
    assert reason.startswith("33 % of the measures lie outside the music that the model has learned from ")
    assert "(limit 20 %); furthest: " in reason
    assert found.ratings["phrasing"].value is None
    assert "the model abstains" in str(found.ratings["phrasing"].reason)
    assert found.ratings["note_accuracy"].value == 100.0


def test_a_performance_with_too_few_notes_has_no_window(make: Make, take: tuple[Path, Path, Path]) -> None:
    with pytest.raises(InputError, match=r"take\.mid: has no window of 1 s with 8 notes"):
        make(window_sec=0.6).assess(take[0], take[1])
