"""Label records of rated performances, and what the other pianists of a piece change of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pseudo_example import made_up_scale, task_of, write_manifest
from tocco.data.pseudo_label_records import peers_of, records_of, take_of
from tocco.data.pseudo_labelling import (
    CorruptionPlan,
    align,
    label_performance,
    rate_segments,
    source_of,
    task_key,
)
from tocco.data.records import read_labels
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.scale.model import ReferenceScale


@pytest.fixture(scope="module")
def scale() -> ReferenceScale:
    return made_up_scale()


def test_pianists_of_a_piece_are_compared_and_their_worse_versions_with_the_same(tmp_path: Path) -> None:
    fields = {"centre": 0.0, "between_players": 0.1, "between_pieces": 0.4}
    made = made_up_scale()
    dimensions = {name: one.model_copy(update=fields) for name, one in made.dimensions.items()}
    scale = made.model_copy(update={"dimensions": dimensions})
    records = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=3))
    alone = records[2].model_copy(
        update={"segment_id": "elsewhere", "piece_id": "other", "cluster_id": "other"}
    )
    plan = CorruptionPlan(1, ("wrong_notes",))
    done = [label_performance(task_of(record, scale, tmp_path, plan)) for record in (*records[:2], alone)]
    peers = peers_of(done)
    assert sorted(peers) == [record.segment_id for record in records[:2]]
    own, other = take_of(done[0]), take_of(done[1])
    assert own is not None
    assert other is not None
    name = "rhythmic_precision"
    # One peer tells the piece with B / (B + W) = .8.
    assert peers[records[0].segment_id].standing[name] == pytest.approx(0.8 * other.standing[name])
    before, after = records_of(done[0]), records_of(done[0], peers[records[0].segment_id])
    assert [one.segment_id for one in before] == [one.segment_id for one in after]
    assert any("wrong_notes" in one.segment_id for one in after)
    for first, second in zip(before, after, strict=True):
        moved = dimensions[name].standing_of(second.labels[name]) - dimensions[name].standing_of(
            first.labels[name]
        )
        assert moved == pytest.approx(-0.8 * other.standing[name], abs=0.01)


def test_a_pianist_s_other_take_and_a_rendering_are_no_peers(scale: ReferenceScale, tmp_path: Path) -> None:
    records = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=3))
    again = records[1].model_copy(update={"performer_id": records[0].performer_id})
    machine = records[2].model_copy(update={"is_score_rendering": True})
    done = [label_performance(task_of(record, scale, tmp_path)) for record in (records[0], again, machine)]
    assert take_of(done[2]) is None
    assert peers_of(done) == {}


def test_what_was_transcribed_is_rated_by_what_can_be_heard_and_compared_with_its_like(
    tmp_path: Path,
) -> None:
    fields = {"centre": 0.0, "between_players": 0.1, "between_pieces": 0.4}
    made = made_up_scale(origin="transcribed")
    dimensions = {name: one.model_copy(update=fields) for name, one in made.dimensions.items()}
    scale = made.model_copy(update={"dimensions": dimensions})
    keys, *heard = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=3))
    heard = [record.model_copy(update={"origin": "transcribed"}) for record in heard]
    played = label_performance(task_of(keys, made_up_scale(), tmp_path))
    done = [played, *(label_performance(task_of(record, scale, tmp_path)) for record in heard)]
    peers = peers_of(done)
    assert sorted(peers) == sorted(record.segment_id for record in heard)
    assert {one.source for one in records_of(done[1])} == {source_of(scale)}
    other = take_of(done[2])
    assert other is not None
    # One peer tells the piece with B / (B + W) = .8 of their own scale.
    expected = peers[heard[0].segment_id].standing["rhythmic_precision"]
    assert expected == pytest.approx(0.8 * other.standing["rhythmic_precision"])
    assert all(record.is_transcribed for record in records_of(done[1]))
    performance, alignment = align(heard[0])
    from_transcription = rate_segments(Evidence(replace(performance, origin="transcribed"), alignment), scale)
    assert done[1].rated.versions[0].segments == from_transcription
    assert task_key(played.task) != task_key(
        task_of(keys.model_copy(update={"origin": "transcribed"}), scale, tmp_path)
    )
