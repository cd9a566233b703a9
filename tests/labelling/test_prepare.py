from __future__ import annotations

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from assessment_example import example
from labelling_example import write_scale
from tocco.data.pairing import TakeFiles
from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError, OutputError
from tocco.labelling.candidates import Candidate, composer_of, piece_of
from tocco.labelling.cutting import cut
from tocco.labelling.prepare import Plan, prepare
from tocco.labelling.project import Settings, read_project
from tocco.labelling.selection import properties_of, select


def test_long_performances_are_cut_into_20_to_30_seconds() -> None:
    rng = np.random.default_rng(0)
    for length in (30.5, 45.0, 49.9, 50.0, 75.0, 130.0, 601.0):
        onset = np.sort(rng.uniform(0.0, length, int(4 * length)))
        for given in (None, onset):
            parts = cut(0.0, length, given)
            assert all(19.999 < b - a <= 30.0 + 1e-9 for a, b in parts)
            assert all(b <= c for (_, b), (c, _) in pairwise(parts))
            assert sum(b - a for a, b in parts) >= 0.6 * length


def test_a_cut_is_at_the_longest_pause_nearby() -> None:
    onset = np.concatenate([np.arange(0.0, 24.0, 0.2), np.arange(26.0, 50.0, 0.2)])
    (_, first_end), (second_start, _) = cut(0.0, 50.0, onset)
    assert first_end == second_start == pytest.approx(25.95)  # just before the note after the pause


def test_short_performances_are_whole_or_left_out() -> None:
    assert cut(2.0, 10.0, None) == [(2.0, 10.0)]
    assert cut(2.0, 32.0, None) == [(2.0, 32.0)]
    assert cut(2.0, 9.9, None) == []


def candidate(i: int, piece: str, composer: str, difficulty: float, quality: float) -> Candidate:
    record = LabelRecord(
        segment_id=f"c{i}", piece_id=piece, source="prepared", midi_path=Path("x.mid"), labels={}
    )
    return Candidate(record, composer, difficulty, quality)


def test_the_choice_is_diverse_where_the_source_is_not() -> None:
    """Nine of ten candidates are of one composer and piece."""
    rng = np.random.default_rng(0)
    found = []
    for i in range(400):
        is_rare = i % 10 == 0
        piece = f"rare{i % 40}" if is_rare else "common"
        found.append(
            candidate(i, piece, "satie" if is_rare else "bach", rng.normal(), rng.normal(50.0, 10.0))
        )
    properties = properties_of(found)
    chosen = select(properties, 60, np.random.default_rng(1)).tolist()
    counts = properties.counts(chosen)
    assert len(set(chosen)) == 60
    assert min(counts["composer"].values()) >= 20
    assert max(counts["piece"].values()) <= 30
    for name in ("difficulty", "quality"):
        assert set(counts[name]) == {"low", "middle", "high"}
        assert max(counts[name].values()) - min(counts[name].values()) <= 4
    at_random = properties.counts(np.random.default_rng(1).permutation(400)[:60].tolist())
    assert min(at_random["composer"].values()) < 12
    assert select(properties, 60, np.random.default_rng(1)).tolist() == chosen


def test_composers_are_found_in_names() -> None:
    assert composer_of("Schubert_Impromptu_op.90_D.899_1") == "schubert"
    assert composer_of("take3", "Frédéric Chopin: Étude") == "chopin"
    assert composer_of("Part_2", "partita") == "part"
    assert composer_of("partita", None) is None


@pytest.mark.parametrize(
    ("name", "piece"),
    [
        ("Chopin_waltz_take2", "Chopin_waltz"),
        ("waltz take 12", "waltz"),
        ("Chopin-waltz-v3", "Chopin-waltz"),
        ("waltz-03", "waltz"),
        ("waltz_t1", "waltz"),
        ("waltztake2", "waltz"),
        ("Bach-fugue_bwv_858", "Bach-fugue_bwv_858"),
        ("mozart_k265_var1", "mozart_k265_var1"),
        ("petit", "petit"),
        ("7", "7"),
    ],
)
def test_the_number_of_a_take_is_no_part_of_its_piece(name: str, piece: str) -> None:
    assert piece_of(TakeFiles(name, None, Path(f"{name}.mid"), None)) == piece
    assert piece_of(TakeFiles(name, None, None, Path("minuet.mxl"))) == "minuet"


@pytest.fixture
def performances(tmp_path: Path) -> Path:
    """Three pieces: two takes of one with notes, one long scale, and a recording alone."""
    folder = tmp_path / "performances"
    folder.mkdir()
    write_scale(folder / "Chopin_waltz_take1.mid", 70.0)
    write_scale(folder / "Chopin_waltz_take2.mid", 70.0)
    write_scale(folder / "Bach_scale.mid", 120.0)
    write_scale(folder / "fragment.mid", 5.0)
    time = np.arange(55 * 8000) / 8000
    soundfile.write(folder / "Satie_hum.wav", 0.3 * np.sin(2 * np.pi * 440 * time), 8000)
    return folder


def test_a_folder_becomes_a_project(performances: Path, tmp_path: Path) -> None:
    made = prepare(performances, tmp_path / "project", Plan(8, 2), Settings(seed=4))
    project = read_project(tmp_path / "project")
    assert len(project.segments) == 8
    assert Counter(one.role for one in project.facts.values()) == {"rated": 6, "calibration": 2}
    assert made.n_pool == 2
    assert len(read_labels(project.pool_path)) == 2
    for name, record in project.segments.items():
        assert 20.0 <= project.duration_sec(name) <= 30.0 + 1e-9
        assert record.labels == {}
        source = record.audio_path or record.midi_path
        assert source is not None
        assert source.is_file()
        assert source.parent == performances  # named, not copied
    assert {one.composer for one in project.facts.values()} == {"chopin", "bach", "satie"}
    assert {one.piece_id for one in project.segments.values()} == {"Chopin_waltz", "Bach_scale", "Satie_hum"}
    assert made.counts["composer"]["satie"] == 2
    assert {r.subject for r in made.refusals} == {"fragment"}
    assert "lasts 4" in made.refusals[0].reason
    with pytest.raises(OutputError, match="is a labelling project already"):
        prepare(performances, tmp_path / "project", Plan(8, 2), Settings())
    again = prepare(performances, tmp_path / "again", Plan(8, 2), Settings(seed=4))
    assert list(again.project.segments) == list(project.segments)


def test_known_ratings_serve_anchors_first_and_then_the_calibration(
    performances: Path, tmp_path: Path
) -> None:
    known = [
        LabelRecord(
            segment_id=f"known{i}",
            piece_id=f"Haydn_{i}",
            source="experts",
            midi_path=performances / "Bach_scale.mid",
            start_time=20.0 * i,
            end_time=20.0 * i + 20.0,
            labels={"phrasing": 20.0 + 15.0 * i},
        )
        for i in range(4)
    ]
    write_labels(known, tmp_path / "known.jsonl")
    made = prepare(
        performances,
        tmp_path / "project",
        Plan(8, 3),
        Settings(anchor_share=0.25),
        known=tmp_path / "known.jsonl",
    )
    facts = made.project.facts
    assert (made.n_anchors, made.n_calibration, made.n_known_calibration) == (2, 3, 2)
    assert Counter(one.role for one in facts.values()) == {"rated": 5, "calibration": 3, "anchor": 2}
    with_known = {name: one.known for name, one in facts.items() if one.known}
    assert with_known == {f"known{i}": {"phrasing": 20.0 + 15.0 * i} for i in range(4)}
    assert all(record.labels == {} for record in made.project.segments.values())
    with pytest.raises(InputError, match="with a rating in a dimension of the project"):
        prepare(
            performances,
            tmp_path / "other",
            Plan(8, 3),
            Settings(dimensions=("musicality",)),
            known=tmp_path / "known.jsonl",
        )


def test_quality_is_that_of_given_assessments(performances: Path, tmp_path: Path) -> None:
    assessments = {"Chopin_waltz_take1": example(), "Bach_scale": example()}
    made = prepare(performances, tmp_path / "project", Plan(8, 2), Settings(), assessments=assessments)
    quality = {
        record.midi_path.stem if record.midi_path else "recording": made.project.facts[name].quality
        for name, record in made.project.segments.items()
    }
    assert quality["Chopin_waltz_take2"] is None
    assert quality["recording"] is None
    assert quality["Chopin_waltz_take1"] in {"low", "middle", "high"}
    assert "unknown" in made.counts["quality"]


def test_a_label_file_is_a_source_too(performances: Path, tmp_path: Path) -> None:
    records = [
        LabelRecord(
            segment_id=f"excerpt{i}",
            piece_id="Bach_scale",
            source="corpus",
            midi_path=performances / "Bach_scale.mid",
            performer_id=f"p{i}",
            start_time=20.0 * i,
            end_time=20.0 * i + 12.0,
            labels={"overall_quality": 10.0 * i},
            label_sd={"overall_quality": 3.0},
            n_raters=4,
        )
        for i in range(6)
    ]
    write_labels(records, tmp_path / "corpus.jsonl")
    made = prepare(tmp_path / "corpus.jsonl", tmp_path / "project", Plan(6, 0), Settings())
    assert {one.quality for one in made.project.facts.values()} == {"low", "middle", "high"}
    record = made.project.segments["excerpt2"]
    assert (record.start_time, record.end_time, record.performer_id) == (40.0, 52.0, "p2")
    assert (record.labels, record.label_sd, record.n_raters, record.source) == ({}, {}, None, "prepared")


def test_nothing_to_rate_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="has no performances"):
        prepare(tmp_path / "empty", tmp_path / "project", Plan(), Settings())
    write_scale(tmp_path / "empty" / "short.mid", 5.0)
    with pytest.raises(InputError, match="has no segment to rate"):
        prepare(tmp_path / "empty", tmp_path / "project", Plan(), Settings())
