"""What the validation measures of one performance, and how it says that something could not be measured."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from origins import ORIGIN
from pseudo_example import made_up_scale, made_up_scales, write_manifest
from tocco.audio.transcription import CommandTranscriber
from tocco.data.pseudo_labelling import align
from tocco.data.records import LabelRecord, read_labels
from tocco.evaluation.pseudo_labels import measures as pseudo_label_measures
from tocco.evaluation.pseudo_labels.measures import (
    LadderStep,
    MeasureTask,
    held_out,
    measure_excerpt,
    measure_ladders,
    measure_take,
)
from tocco.music.corruption import CORRUPTIONS
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import PedalCurve
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.rate import rate_performance, rate_span
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.files import Scales
from tocco.pseudo_labels.scale.model import ReferenceScale


@pytest.fixture(scope="module")
def scales() -> Scales:
    return made_up_scales()


@pytest.fixture
def record(tmp_path: Path) -> LabelRecord:
    """One take, without pedal."""
    found = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1))[0]
    assert found.midi_path is not None
    save_midi(replace(load_midi(found.midi_path), sustain=PedalCurve()), found.midi_path)
    return found


FEW = ("missing_notes", "missing_pedal")


def test_a_step_of_an_earlier_release_is_read() -> None:
    """Its input was called "heard"."""
    step = LadderStep(kind="drag", level=2, modality="transcribed", ratings={"note_accuracy": 50.0})
    fields = step.model_dump()
    fields["heard"] = fields.pop("modality")
    assert LadderStep.model_validate(fields) == step
    with pytest.raises(ValueError, match="'heard' is unknown"):
        LadderStep.model_validate({**fields, "modality": "keys"})


def test_every_step_is_rated_and_what_does_not_apply_is_named(
    record: LabelRecord, scales: Scales, tmp_path: Path
) -> None:
    found = measure_ladders(MeasureTask(record, scales, tmp_path, excerpt_sec=20.0, seed=1, kinds=FEW))
    steps = [(step.kind, step.level, step.modality) for step in found.steps]
    assert steps[0] == ("", 0, "keys")
    assert [step for step in steps if step[0] == "missing_notes"] == [
        ("missing_notes", level, "keys") for level in range(1, 6)
    ]
    accuracy = [s.ratings["note_accuracy"] for s in found.steps if s.kind in ("", "missing_notes")]
    first, last = accuracy[0], accuracy[-1]
    assert first is not None
    assert last is not None
    assert last < first
    reported = [(detection.kind, detection.by_key) for detection in found.detections]
    assert reported == [("missing_notes", False), ("missing_notes", True)]
    assert [reason.split(":")[0] for reason in found.inapplicable] == ["missing_pedal"]
    assert found.refusals == ()
    again = measure_ladders(MeasureTask(record, scales, tmp_path, excerpt_sec=20.0, seed=1, kinds=FEW))
    assert again == found


def test_what_was_transcribed_is_rated_as_transcribed_and_keys_as_keys(
    record: LabelRecord, scales: Scales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rated: list[bool] = []

    def ratings(evidence: Evidence, scale: ReferenceScale) -> dict[str, float]:
        assert scale is scales.of(evidence.performance.origin)
        rated.append(evidence.is_transcribed)
        return {}

    monkeypatch.setattr(pseudo_label_measures, "mean_ratings", ratings)
    task = MeasureTask(record, scales, tmp_path, excerpt_sec=20.0, through_transcriber=True, kinds=FEW)
    found = measure_ladders(task)
    assert [step.modality == "transcribed" for step in found.steps] == rated
    assert rated == [False, True] * 6


@pytest.mark.parametrize("is_transcribed", [False, True])
def test_takes_and_excerpts_are_rated_on_the_scale_of_what_they_are(
    record: LabelRecord, scales: Scales, tmp_path: Path, is_transcribed: bool
) -> None:
    record = record.model_copy(update={"origin": ORIGIN[is_transcribed]})
    task = MeasureTask(record, scales, tmp_path)
    scale = scales.keys if not is_transcribed else scales.transcribed
    performance, alignment = align(record)
    evidence = Evidence(replace(performance, origin=ORIGIN[is_transcribed]), alignment)
    take, (first, second) = measure_take(task), ((0.0, 10.0), (10.0, 20.0))
    for place, span in enumerate((first, second)):
        asked = rate_span(evidence, span, scale=scale)
        assert [take.ratings[name][place] for name in RATERS] == [asked[name].rating for name in RATERS]
        within = (performance.onset_sec >= span[0]) & (performance.onset_sec < span[1])
        assert take.notes_per_sec[place] == pytest.approx(within.sum() / 10.0)
    whole = rate_performance(evidence, scale=scale)
    assert measure_excerpt(task).ratings == {name: whole[name].rating for name in RATERS}
    broken = record.model_copy(update={"midi_path": None})
    for measure in (measure_take, measure_excerpt):
        found = measure(replace(task, record=broken))
        assert found.ratings == {}
        assert "has no midi_path" in (found.refusal or "")


def test_what_a_scale_was_fitted_to_proves_nothing_of_it(record: LabelRecord) -> None:
    def named(name: str, **others: str) -> LabelRecord:
        return record.model_copy(
            update={"segment_id": name, "piece_id": name, "cluster_id": None, "passage_id": None, **others}
        )

    records = [
        named("Bach_Fugue"),
        named("Fugue again", cluster_id="fugue"),
        named("version", piece_id="Bach/Fugue", cluster_id="fugue"),
        named("passage", passage_id="heard"),
        named("heard"),
        named("unwanted"),
        named("other"),
    ]
    keys, heard = made_up_scale(("Bach/Fugue",)), made_up_scale(("heard",), origin="transcribed")

    def kept(scales: Scales, *leave_out: str) -> list[str]:
        return [one.segment_id for one in held_out(records, scales, leave_out)]

    assert kept(Scales(keys, heard), "unwanted") == ["other"]
    assert kept(Scales(keys), "other") == ["passage", "heard", "unwanted"]


@pytest.mark.render
def test_a_transcriber_that_fails_is_reported_and_is_no_corruption_that_does_not_apply(
    record: LabelRecord, scales: Scales, tmp_path: Path
) -> None:
    task = MeasureTask(
        record,
        scales,
        tmp_path,
        excerpt_sec=20.0,
        through_transcriber=True,
        transcriber=CommandTranscriber("false {audio} {midi}"),
        kinds=FEW,
    )
    found = measure_ladders(task)
    assert len(found.refusals) == 6
    assert found.refusals[0].startswith(" 0 transcribed: 'false' ended with code 1")
    assert {step.modality for step in found.steps} == {"keys"}
    assert [reason.split(":")[0] for reason in found.inapplicable] == ["missing_pedal"]


def test_a_score_that_cannot_be_read_is_left_out_and_named(
    record: LabelRecord, scales: Scales, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"no midi")
    task = MeasureTask(record.model_copy(update={"score_path": broken}), scales, tmp_path)
    found = measure_ladders(task)
    assert found.steps == ()
    assert "broken.mid" in found.refusals[0]


def test_other_severities_are_measured_anew(
    record: LabelRecord, scales: Scales, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = MeasureTask(record, scales, tmp_path / "kept", excerpt_sec=20.0, kinds=FEW[:1])
    before = measure_ladders(task)
    fewer = {"missing_notes": replace(CORRUPTIONS["missing_notes"], ladder=(0.1, 0.3))}
    monkeypatch.setattr(pseudo_label_measures, "CORRUPTIONS", fewer)
    after = measure_ladders(task)
    assert len(after.steps) == 3 < len(before.steps)
    assert len(list(task.folder.iterdir())) == 2


def test_other_kinds_are_measured_anew(record: LabelRecord, scales: Scales, tmp_path: Path) -> None:
    task = MeasureTask(record, scales, tmp_path / "kept", excerpt_sec=20.0, kinds=FEW[:1])
    other = replace(task, kinds=("extra_notes",))
    assert {step.kind for step in measure_ladders(task).steps} == {"", "missing_notes"}
    assert {step.kind for step in measure_ladders(other).steps} == {"", "extra_notes"}
    assert len(list(task.folder.iterdir())) == 2
