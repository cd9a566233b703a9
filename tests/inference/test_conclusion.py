"""What is said of one performance, from ratings of two windows and a study played with two errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rater_etude import play, study_score
from tocco.data.sources import Source
from tocco.data.transcribing import Transcription
from tocco.errors import BundleError
from tocco.inference import conclusion
from tocco.inference.assessment import Assessment
from tocco.inference.conclusion import ABSTAINS, NO_SCORE, NOT_LEARNED, conclude
from tocco.inference.intervals import DimensionCalibration, IntervalCalibration
from tocco.inference.shortfalls import Shortfalls
from tocco.inference.transcription_loss import UNHEARD_DIMENSIONS, DimensionLoss, TranscriptionLoss
from tocco.inference.verdict import merge_windows
from tocco.inference.windows import centre_weighted_merge
from tocco.music.score_finding import FoundScore
from tocco.music.synchrony import Synchrony
from tocco.rubrics import DESCRIPTORS, TOCCO10

BOUNDS = np.array([[0.0, 20.0], [20.0, 40.0]])
NAMES = ("phrasing", "musicality", "timbre_soft_loud")
CALIBRATED = {
    "phrasing": DimensionCalibration(scale=2.0, n=100, reliability=0.7),
    "timbre_soft_loud": DimensionCalibration(scale=1.0, n=100),
}
WITHOUT_LOSS = TranscriptionLoss(transcriber="known", n=10, with_score={}, without_score={})
GIVEN = Source(Path("folder/take.wav"), "a" * 64)


@pytest.fixture(autouse=True)
def competent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing falls short, so that ratings are those of the model; what falls short has tests of its own."""
    monkeypatch.setattr(conclusion, "measure_shortfalls", lambda evidence: Shortfalls({}, {}))
    monkeypatch.setattr(conclusion, "window_shortfalls", lambda evidence, bounds: [{} for _ in bounds])


def sources(**changes: Any) -> Any:
    """Of the study, with one note missing and one key too many; heard in a recording of 40.5 s."""
    performance, alignment = play(study_score())
    gone, added = alignment.match[100], alignment.match[200]
    alignment = replace(
        alignment,
        match=np.delete(alignment.match, [100, 200], axis=0),
        deletion=np.array([gone[0], added[0]]),
        insertion=np.sort([gone[1], added[1]]),
        confidence=np.ones(254),
    )
    synchrony = Synchrony(
        offset_sec=0.25,
        drift=2e-6,
        residual_sec=0.004,
        score=0.9,
        n_onsets_used=100,
        overlap_sec=39.0,
        audio_duration_sec=40.5,
    )
    return SimpleNamespace(
        **{
            "performance": performance,
            "alignment": alignment,
            "synchrony": synchrony,
            "description": SimpleNamespace(duration_sec=40.5, flags=("clipping",)),
            "audio": GIVEN,
            "midi": Source(Path("take.mid"), "b" * 64),
            "score": Source(Path("study.musicxml"), "c" * 64),
            "transcription": None,
            "search": None,
            "quality": None,
        }
        | changes
    )


def concluded(
    given: Any,
    reasons: tuple[str, ...] = (),
    names: tuple[str, ...] = NAMES,
    calibrated: Mapping[str, DimensionCalibration] = CALIBRATED,
    transcription: TranscriptionLoss | None = None,
) -> Assessment:
    """Of ratings that go from 40 to 60 in phrasing, and stay at 50 elsewhere."""
    rating = np.array([[40.0, 50.0, 50.0], [60.0, 50.0, 50.0]])
    merge = centre_weighted_merge(BOUNDS, np.array([True, True]))
    intervals = IntervalCalibration(protocol="test", dimensions=dict(calibrated))
    bundle: Any = SimpleNamespace(
        calibration=SimpleNamespace(
            intervals=intervals, window_intervals=intervals, transcription=transcription
        ),
        config=SimpleNamespace(name="two", version="7"),
        sha256="d" * 64,
    )
    verdict = merge_windows(names, rating, np.full_like(rating, 0.1), merge)
    return conclude(bundle, TOCCO10, given, BOUNDS, verdict, reasons)


def test_the_model_the_rule_and_what_nothing_rates() -> None:
    found = concluded(sources())
    assert tuple(found.ratings) == TOCCO10.names
    phrasing, accuracy, musicality = (
        found.ratings[name] for name in ("phrasing", "note_accuracy", "musicality")
    )
    assert (phrasing.value, phrasing.source, phrasing.reliability) == (50.0, "model", 0.7)
    assert phrasing.interval_90 == pytest.approx((49.8, 50.2))
    assert accuracy.source == "rule"
    assert accuracy.value == pytest.approx(100.0 * 254 / 258, abs=0.01)
    assert (musicality.value, musicality.reason) == (None, NOT_LEARNED)
    assert set(found.descriptors) == set(DESCRIPTORS)
    assert found.descriptors["timbre_soft_loud"].value == 50.0
    assert {d.reason for name, d in found.descriptors.items() if name != "timbre_soft_loud"} == {NOT_LEARNED}
    assert found.rubric == "tocco10"
    assert found.aggregate.value is None
    assert not found.abstained
    assert (found.bundle.name, found.bundle.version, found.bundle.sha256) == ("two", "7", "d" * 64)


def test_what_falls_short_is_taken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    short = Shortfalls({"lost_time": 1.0, "note_errors": 0.5}, {"pedal_held": "no pedal"})
    monkeypatch.setattr(conclusion, "measure_shortfalls", lambda evidence: short)
    monkeypatch.setattr(
        conclusion, "window_shortfalls", lambda evidence, bounds: [{}, {"note_accuracy": 2.0}]
    )
    found = concluded(sources())
    phrasing = found.ratings["phrasing"]
    assert (phrasing.value, phrasing.source, phrasing.perception) == (44.0, "combined", 50.0)
    assert phrasing.deductions == {"lost_time": 4.0, "note_errors": 2.0}
    spread = np.hypot(0.1, np.hypot(0.5 * 6.0, 0.8 * 2.5))
    assert phrasing.interval_90 == pytest.approx((44.0 - 2.0 * spread, 44.0 + 2.0 * spread), abs=0.01)
    assert found.descriptors["timbre_soft_loud"].source == "model"
    assert found.curve.value["phrasing"][-1] == pytest.approx(54.0)  # alone, a window is its own mean


def test_the_curve_is_the_models_and_the_rules() -> None:
    found = concluded(sources())
    assert set(found.curve.value) == {"phrasing", "note_accuracy"}
    assert found.curve.value["phrasing"][0] == pytest.approx(40.0)
    assert found.curve.value["phrasing"][-1] == pytest.approx(60.0)
    assert set(found.curve.low_90) == {"phrasing"}
    accuracy = [v for v in found.curve.value["note_accuracy"] if v is not None]
    assert min(accuracy) < 100.0
    assert {(m.kind, m.dimension) for m in found.moments} >= {
        ("weakest", "phrasing"),
        ("strongest", "phrasing"),
    }
    assert {m.bars is not None for m in found.moments} == {True}


def test_technique_and_alignment_are_there() -> None:
    found = concluded(sources())
    assert set(found.technique) == {d.name for d in TOCCO10.dimensions if d.family == "technical"}
    assert found.alignment is not None
    assert found.alignment.counts == {"match": 254, "insertion": 2, "deletion": 2, "substitution": 0}
    assert found.alignment_reason is None


def test_without_a_score_what_needs_it_says_so() -> None:
    found = concluded(sources(alignment=None, score=None))
    assert (found.ratings["note_accuracy"].value, found.ratings["note_accuracy"].reason) == (None, NO_SCORE)
    assert (found.alignment, found.alignment_reason) == (None, NO_SCORE)
    assert set(found.curve.value) == {"phrasing"}
    assert found.inputs.score is None
    assert {m.bars for m in found.moments} == {None}
    assert found.ratings["phrasing"].value == 50.0


def test_a_model_that_abstains_rates_nothing() -> None:
    found = concluded(sources(), reasons=("too far out",))
    assert found.abstained
    assert found.abstained_reasons == ("too far out",)
    assert (found.ratings["phrasing"].value, found.ratings["phrasing"].reason) == (None, ABSTAINS)
    assert {d.reason for d in found.descriptors.values()} == {ABSTAINS}
    assert found.ratings["note_accuracy"].value is not None
    assert set(found.curve.value) == {"note_accuracy"}


def test_the_inputs_are_named() -> None:
    inputs = concluded(sources()).inputs
    assert inputs.score is not None
    assert inputs.synchrony is not None
    assert (inputs.audio.name, inputs.audio.sha256, inputs.audio.origin) == ("take.wav", "a" * 64, "given")
    assert (inputs.audio.duration_sec, inputs.audio.flags) == (40.5, ("clipping",))
    assert (inputs.midi.name, inputs.midi.sha256, inputs.midi.origin) == ("take.mid", "b" * 64, "given")
    assert inputs.midi.duration_sec == pytest.approx(sources().performance.duration_sec, abs=1e-3)
    assert (inputs.score.name, inputs.score.sha256) == ("study.musicxml", "c" * 64)
    assert inputs.synchrony.model_dump() == {"offset_sec": 0.25, "drift_ppm": 2.0, "residual_sec": 0.004}
    assert (inputs.notes, inputs.sound) == ("keys", "recorded")


def test_rendered_sound_is_known_by_its_midi() -> None:
    inputs = concluded(sources(audio=Source(None, None), synchrony=None)).inputs
    assert (inputs.audio.name, inputs.audio.sha256, inputs.audio.origin) == ("take.mid", "b" * 64, "derived")
    assert inputs.audio.flags == ()
    assert inputs.synchrony is None
    assert inputs.sound == "rendered"


def test_transcribed_notes_are_known_by_their_recording() -> None:
    heard = replace(sources().performance, origin="transcribed")
    transcription = Transcription(heard, Path("cached.mid"), "e" * 64, "hearer 3")
    derived = {"performance": heard, "midi": Source(None, None), "transcription": transcription}
    inputs = concluded(sources(synchrony=None, **derived), transcription=WITHOUT_LOSS).inputs
    assert (inputs.midi.name, inputs.midi.sha256, inputs.midi.origin) == ("take.wav", "a" * 64, "derived")
    assert (inputs.transcriber, inputs.transcription_sha256) == ("hearer 3", "e" * 64)
    assert inputs.synchrony is None


def test_a_name_that_is_no_text_is_one_all_the_same() -> None:
    odd = Source(Path("odd\udcff.wav"), "a" * 64)
    assert concluded(sources(audio=odd)).inputs.audio.name == "odd?.wav"
    nameless = concluded(sources(audio=Source(None, "a" * 64), midi=Source(None, "b" * 64)))
    assert (nameless.inputs.audio.name, nameless.inputs.midi.name) == ("unnamed", "unnamed")


def test_transcribed_notes_are_rated_as_the_keys_would_be_and_less_surely() -> None:
    heard = replace(sources().performance, origin="transcribed")
    lost = {"phrasing": DimensionLoss(shift=3.0, sd=2.0)}
    loss = TranscriptionLoss(transcriber="toy 1", n=20, with_score=lost, without_score={})
    found = concluded(sources(performance=heard), transcription=loss)
    assert found.inputs.notes == "transcribed"
    assert found.ratings["phrasing"].value == pytest.approx(53.0)
    low, high = found.ratings["phrasing"].interval_90 or (0.0, 0.0)
    assert high - low == pytest.approx(2 * np.hypot(0.2, 1.6449 * 2.0), abs=0.05)
    assert "pedaling_technique" not in found.technique
    assert "pedaling_technique" in concluded(sources()).technique
    pedal = found.ratings["pedaling_technique"]
    assert (pedal.value, pedal.reason) == (None, UNHEARD_DIMENSIONS["pedaling_technique"])
    assert concluded(sources(), transcription=loss).ratings["phrasing"].value == 50.0
    alone = concluded(sources(performance=heard, alignment=None, score=None), transcription=loss)
    assert alone.ratings["phrasing"].value == 50.0


def test_a_bundle_that_does_not_know_what_transcription_takes_rates_no_transcription() -> None:
    heard = replace(sources().performance, origin="transcribed")
    with pytest.raises(BundleError, match=r"does not know what transcription takes.*tocco transcription fit"):
        concluded(sources(performance=heard))


def test_what_the_model_rates_as_well_is_computed_where_there_is_a_score() -> None:
    """A network that was trained on note accuracy too has its say only where the rule has none."""
    names = ("phrasing", "note_accuracy", "timbre_soft_loud")
    every = {name: DimensionCalibration(scale=1.0, n=9) for name in names}
    assert concluded(sources(), (), names, every).ratings["note_accuracy"].source == "rule"
    alone = concluded(sources(alignment=None, score=None), (), names, every).ratings["note_accuracy"]
    assert (alone.source, alone.value) == ("model", 50.0)


def test_a_score_that_was_found_is_named_with_its_search() -> None:
    folder = Path("scores")
    nothing = FoundScore(folder, "k", 210)
    path, other = folder / "deep" / "study.musicxml", folder / "study.mid"
    given = sources(score=Source(path, "c" * 64), search=replace(nothing, path=path, alike=(other,)))
    inputs = concluded(given).inputs
    assert inputs.score is not None
    assert (inputs.score.name, inputs.score.origin) == ("study.musicxml", "found")
    assert inputs.score_search is not None
    assert inputs.score_search.model_dump() == {
        "folder": "scores",
        "key": "k",
        "n_scores": 210,
        "file": "deep/study.musicxml",
        "alike": ("study.mid",),
        "reason": None,
    }


def test_where_no_score_fits_that_is_the_reason() -> None:
    reason = "none of the 210 scores in scores fits"
    search = FoundScore(Path("scores"), "k", 210, reason=reason)
    found = concluded(sources(score=None, alignment=None, search=search))
    assert found.alignment_reason == reason
    assert found.ratings["note_accuracy"].reason == reason
    assert found.inputs.score is None
    assert found.inputs.score_search is not None
    assert (found.inputs.score_search.file, found.inputs.score_search.reason) == (None, reason)
