"""Pseudo-labels of performances: segments, corrupted versions, what is kept and what is refused."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

from origins import ORIGIN
from pseudo_example import made_up_scale, task_of, write_manifest
from tocco.data import pseudo_labelling
from tocco.data.pseudo_label_records import records_of, refusals_of
from tocco.data.pseudo_labelling import (
    TOO_LITTLE,
    CorruptionPlan,
    generator_of,
    label_performance,
    rate_segments,
    scale_sha256,
    source_of,
    task_key,
    with_printed_score,
)
from tocco.data.records import LabelRecord, read_labels
from tocco.errors import InputError
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import CORRUPTIONS
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import PedalCurve
from tocco.music.score import load_score
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.rate import rate_span
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.earlier_names import with_earlier_names
from tocco.pseudo_labels.scale.files import SCALE_FILE, TRANSCRIBED_SCALE_FILE, reference_scale
from tocco.pseudo_labels.scale.model import ReferenceScale


@pytest.fixture(scope="module")
def scale() -> ReferenceScale:
    return made_up_scale()


@pytest.fixture
def record(tmp_path: Path) -> LabelRecord:
    return read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1))[0]


def test_every_segment_of_ten_seconds_is_rated_as_the_raters_rate_it(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    records = records_of(label_performance(task_of(record, scale, tmp_path)))
    assert record.midi_path is not None
    assert record.score_path is not None
    performance = load_midi(record.midi_path)
    evidence = Evidence(performance, align_performance_to_score(performance, load_score(record.score_path)))
    starts = [one.start_time for one in records]
    assert starts[:4] == [0.0, 5.0, 10.0, 15.0]
    assert records[-1].end_time == pytest.approx(performance.duration_sec, abs=1e-3)
    for one in records:
        assert one.end_time is not None
        assert one.end_time - one.start_time == pytest.approx(10.0, abs=2e-3)
        expected = rate_span(evidence, (one.start_time, one.end_time), scale=scale)
        for name, rating in one.labels.items():
            assert rating == pytest.approx(expected[name].rating, abs=0.006)
        assert one.source == source_of(scale) == f"pseudo-label-6+{scale_sha256(scale)[:12]}"
        assert one.piece_id == "piece0"
        assert one.midi_path == record.midi_path


def test_what_is_not_rated_says_why(record: LabelRecord, scale: ReferenceScale) -> None:
    assert record.midi_path is not None
    alone = rate_segments(Evidence(load_midi(record.midi_path)), scale)
    for one in alone:
        assert one.unrated["note_accuracy"] == "no score was given"
        assert set(one.labels) | set(one.unrated) == set(RATERS)
        assert not set(one.labels) & set(one.unrated)


def test_what_rests_on_too_little_says_so(
    record: LabelRecord, scale: ReferenceScale, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert record.midi_path is not None
    evidence = Evidence(load_midi(record.midi_path))
    before = rate_segments(evidence, scale)[0]
    least, most = (pick(before.confidence.items(), key=lambda item: item[1]) for pick in (min, max))
    monkeypatch.setattr(pseudo_labelling, "LEAST_CONFIDENCE", (least[1] + most[1]) / 2.0)
    after = rate_segments(evidence, scale)[0]
    assert after.unrated[least[0]] == TOO_LITTLE
    assert most[0] in after.labels


def test_segments_of_one_performance_differ(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    records = records_of(label_performance(task_of(record, scale, tmp_path)))
    assert len({tuple(one.labels.items()) for one in records}) == len(records) > 4


def test_a_part_of_a_performance_is_rated_within_its_bounds(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    part = record.model_copy(update={"start_time": 4.0, "end_time": 20.0})
    records = records_of(label_performance(task_of(part, scale, tmp_path)))
    assert [(one.start_time, one.end_time) for one in records] == [(4.0, 14.0), (9.0, 19.0), (10.0, 20.0)]


def test_ratings_of_a_handful_of_notes_are_left_out(record: LabelRecord, scale: ReferenceScale) -> None:
    assert record.midi_path is not None
    assert record.score_path is not None
    performance = load_midi(record.midi_path)
    late = replace(performance, duration_sec=performance.duration_sec + 60.0)
    evidence = Evidence(late, align_performance_to_score(late, load_score(record.score_path)))
    segments = rate_segments(evidence, scale)
    assert segments[-1].end_time <= performance.duration_sec + 12.0


def test_worse_versions_are_written_with_their_ground_truth_and_rated_lower(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    plan = CorruptionPlan(2, ("wrong_notes", "missing_notes"), seed=3)
    labelled = label_performance(task_of(record, scale, tmp_path, plan))
    names = [version.corruption for version in labelled.rated.versions]
    assert names[0] is None
    assert len(names) == 3
    assert {str(name).split("-")[0] for name in names[1:]} == {"wrong_notes", "missing_notes"}
    records = records_of(labelled)
    clean = [one.labels["note_accuracy"] for one in records if one.midi_path == record.midi_path]
    for name in names[1:]:
        path = labelled.task.corrupted_path(str(name))
        truth = json.loads(path.with_suffix(".json").read_text())
        assert f"{truth['name']}-{truth['severity']:g}" == name
        assert truth["edits"]
        assert len(load_midi(path)) == truth["n_new"]
        worse = [one.labels["note_accuracy"] for one in records if one.midi_path == path]
        assert np.mean(worse) < np.mean(clean) - 0.1
    assert all(one.annotation_path is None and one.audio_path is None for one in records)


def test_a_pedal_before_zero_shifts_what_is_written_and_the_truth_says_so(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    assert record.midi_path is not None
    performance = load_midi(record.midi_path)
    ready = PedalCurve(np.array([0.0, 3.0]), np.array([127.0, 0.0]))
    save_midi(replace(performance, sustain=ready), tmp_path / "at_zero.mid")
    early = record.model_copy(update={"midi_path": tmp_path / "at_zero.mid"})
    shifts = []
    for seed in range(5):
        task = task_of(early, scale, tmp_path / str(seed), CorruptionPlan(1, ("timing_jitter",), seed))
        name = str(label_performance(task).rated.versions[1].corruption)
        truth = json.loads(task.corrupted_path(name).with_suffix(".json").read_text())
        assert load_midi(task.corrupted_path(name)).onset_sec[0] >= 0.0
        shifts.append(truth["shift_sec"])
    assert max(shifts) > 0.0


def test_a_kind_that_does_not_apply_is_counted_and_another_one_drawn(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    assert record.midi_path is not None
    dry = replace(load_midi(record.midi_path), sustain=PedalCurve())
    save_midi(dry, tmp_path / "dry.mid")
    kinds = ("late_pedal", "missing_pedal", "timing_jitter")
    plan = CorruptionPlan(1, kinds, seed=1)
    without_pedal = record.model_copy(update={"midi_path": tmp_path / "dry.mid"})
    rated = label_performance(task_of(without_pedal, scale, tmp_path, plan)).rated
    assert str(rated.versions[1].corruption).startswith("timing_jitter-")
    assert set(rated.inapplicable) <= {"late_pedal", "missing_pedal"}
    for seed in range(4):
        plan = CorruptionPlan(3, kinds, seed)
        rated = label_performance(task_of(without_pedal, scale, tmp_path / str(seed), plan)).rated
        assert set(rated.inapplicable) == {"late_pedal", "missing_pedal"}
        assert len(rated.versions) == 2


def test_a_second_run_finds_the_first_and_a_changed_input_does_not(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    plan = CorruptionPlan(1, seed=2)
    task = task_of(record, scale, tmp_path, plan)
    first = label_performance(task)
    content = task.part_path.read_bytes()
    second = label_performance(task)
    assert (first.is_cached, second.is_cached) == (False, True)
    assert second.rated == first.rated
    assert task.part_path.read_bytes() == content
    assert not label_performance(task_of(record, scale, tmp_path, CorruptionPlan(1, seed=4))).is_cached
    label_performance(task)
    task.corrupted_path(str(first.rated.versions[1].corruption)).unlink()
    assert not label_performance(task).is_cached
    task.part_path.write_text("{}")
    again = label_performance(task)
    assert not again.is_cached
    assert task.part_path.read_bytes() == content


def test_the_key_follows_everything_that_decides_the_ratings(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    tasks = [
        task_of(record, scale, tmp_path),
        task_of(record.model_copy(update={"end_time": 20.0}), scale, tmp_path),
        task_of(record.model_copy(update={"score_path": None}), scale, tmp_path),
        task_of(record, made_up_scale(("other",)), tmp_path),
        task_of(record, scale, tmp_path, CorruptionPlan(1)),
    ]
    assert len({task_key(task) for task in tasks}) == len(tasks)
    moved = task_of(record, scale, tmp_path / "elsewhere")
    assert task_key(moved) == task_key(tasks[0])


def test_the_source_of_a_scale_is_reported_by_its_file() -> None:
    """A field that is absent changes no hash: labels of keys stay the same when transcriptions get more."""
    for is_transcribed, name in ((False, SCALE_FILE), (True, TRANSCRIBED_SCALE_FILE)):
        content = json.loads(files("tocco.pseudo_labels.scale").joinpath(name).read_text())
        content = with_earlier_names(content)
        expected = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
        assert scale_sha256(reference_scale(ORIGIN[is_transcribed])) == expected


@pytest.mark.parametrize("is_transcribed", [False, True])
def test_a_scale_of_the_other_kind_rates_nothing(
    record: LabelRecord, tmp_path: Path, is_transcribed: bool
) -> None:
    own = record.model_copy(update={"origin": ORIGIN[is_transcribed]})
    with pytest.raises(ValueError, match="piece0_take0 needs the scale of the other kind"):
        task_of(own, made_up_scale(origin=ORIGIN[not is_transcribed]), tmp_path)
    assert task_of(own, made_up_scale(origin=ORIGIN[is_transcribed]), tmp_path).record == own


def test_a_score_of_other_music_is_a_refusal_and_no_error(scale: ReferenceScale, tmp_path: Path) -> None:
    records = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1, with_stranger=True))
    done = [label_performance(task_of(record, scale, tmp_path)) for record in records]
    assert len(records_of(done[0])) > 3
    assert records_of(done[1]) == []
    assert len(refusals_of(done)) == 1
    assert refusals_of(done)[0].startswith("stranger: ")
    assert "is not a performance of" in refusals_of(done)[0]


def test_without_midi_nothing_is_rated(scale: ReferenceScale, tmp_path: Path) -> None:
    (tmp_path / "take.flac").write_bytes(b"")
    record = LabelRecord(
        segment_id="take", piece_id="p", source="s", audio_path=tmp_path / "take.flac", labels={}
    )
    assert "has no midi_path" in refusals_of([label_performance(task_of(record, scale, tmp_path))])[0]


def test_without_a_score_what_the_keys_tell_is_rated(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path
) -> None:
    alone = record.model_copy(update={"score_path": None})
    records = records_of(label_performance(task_of(alone, scale, tmp_path)))
    assert records
    assert not any("note_accuracy" in one.labels for one in records)
    assert any("dynamics_control" in one.labels for one in records)


def test_the_printed_score_beside_a_score_midi_is_taken(record: LabelRecord) -> None:
    assert record.score_path is not None
    assert with_printed_score(record) == record
    printed = record.score_path.with_suffix(".musicxml")
    printed.write_text("<score-partwise/>")
    assert with_printed_score(record).score_path == printed
    assert with_printed_score(with_printed_score(record)).score_path == printed


def test_other_severities_make_another_key(
    record: LabelRecord, scale: ReferenceScale, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = CorruptionPlan(1, ("restarts",))
    task = task_of(record, scale, tmp_path, plan)
    before, alone = task_key(task), task_key(task_of(record, scale, tmp_path))
    milder = {**CORRUPTIONS, "restarts": replace(CORRUPTIONS["restarts"], ladder=(0.5, 1.0))}
    monkeypatch.setattr(pseudo_labelling, "CORRUPTIONS", milder)
    assert task_key(task) != before
    assert task_key(task_of(record, scale, tmp_path)) == alone


def test_a_generator_belongs_to_its_performance() -> None:
    assert generator_of("a", 1).integers(10**9) == generator_of("a", 1).integers(10**9)
    drawn = {int(generator_of(name, seed).integers(10**9)) for name in "ab" for seed in (1, 2)}
    assert len(drawn) == 4


def test_a_plan_names_known_kinds_and_no_more_versions_than_kinds() -> None:
    with pytest.raises(InputError, match="corruption"):
        CorruptionPlan(1, ("worse",))
    with pytest.raises(InputError, match="0 to 2"):
        CorruptionPlan(3, ("wrong_notes", "drag"))


def test_a_negative_number_of_versions_is_refused() -> None:
    with pytest.raises(InputError, match="are -1 of each performance"):
        CorruptionPlan(n_versions=-1)
