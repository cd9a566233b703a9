"""Parts of 70, 15 and 15 %: their sizes, their strata, and every way in which they could leak."""

import json
from pathlib import Path

import numpy as np
import pytest

from tocco.data.corpora.percepiano import import_percepiano
from tocco.data.partition import (
    PART_BARRIERS,
    assert_parts_disjoint,
    assign_groups,
    notes_per_sec,
    partition,
    terciles,
)
from tocco.data.records import LabelRecord, read_labels
from tocco.errors import InputError
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance

N_PIECES, N_PIANISTS, N_BARS = 10, 6, 16
NOTES_A_BAR = 6


def take(piece: int, pianist: int, bars: slice = slice(0, N_BARS)) -> Performance:
    """A pianist's take of a piece of sixteen bars, or of some of its bars, as one file each."""
    page = np.random.default_rng(piece).integers(40, 90, N_BARS * NOTES_A_BAR)
    pace = 0.12 + 0.03 * (piece % 3)
    steps = np.random.default_rng((piece, pianist)).normal(pace, 0.02, len(page)).clip(0.06)
    notes = slice(bars.start * NOTES_A_BAR, bars.stop * NOTES_A_BAR)
    onset = np.cumsum(steps)[notes]
    onset = onset - onset[0]
    up = PedalCurve()
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.05,
        pitch=page[notes],
        velocity=np.full(len(onset), 64),
        sustain=up,
        sostenuto=up,
        soft=up,
        duration_sec=float(onset[-1]) + 0.05,
    )


def filed(folder: Path, name: str, played: Performance, piece: int, pianist: int | None) -> LabelRecord:
    path = folder / f"{name}.mid"
    save_midi(played, path)
    return LabelRecord(
        segment_id=name,
        piece_id=f"piece{piece}",
        performer_id=None if pianist is None else f"pianist{pianist}",
        cluster_id=f"cluster{piece}",
        source="test",
        midi_path=path,
        labels={},
        is_score_rendering=pianist is None,
    )


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> list[LabelRecord]:
    folder = tmp_path_factory.mktemp("takes")
    return [
        filed(folder, f"p{piece}-{pianist}", take(piece, pianist), piece, pianist)
        for piece in range(N_PIECES)
        for pianist in range(N_PIANISTS)
    ]


@pytest.mark.parametrize(
    ("by", "field"), [("cluster", "cluster_id"), ("piece", "piece_id"), ("performer", "performer_id")]
)
def test_groups_stay_together_and_every_record_is_in_one_part(records, by, field):
    parts = partition(records, by=by, seed=3)
    sides = [parts.train, parts.validation, parts.test]
    assert sorted(np.concatenate(sides)) == list(range(len(records)))
    ids = [{getattr(records[i], field) for i in side} for side in sides]
    assert len(ids[0] | ids[1] | ids[2]) == sum(map(len, ids))
    largest_group = max(N_PIANISTS, N_PIECES)
    for side, share in zip(sides, (0.7, 0.15, 0.15), strict=True):
        assert len(side) == pytest.approx(share * len(records), abs=largest_group)


def test_crossed_pieces_and_pianists_are_both_new_and_the_rest_is_left_out(records):
    parts = partition(records, by="both", seed=1)
    for ours, theirs in [("train", "validation"), ("train", "test"), ("validation", "test")]:
        for field in ("piece_id", "performer_id"):
            one, other = (
                {getattr(records[i], field) for i in getattr(parts, side)} for side in (ours, theirs)
            )
            assert not one & other
    assert len(parts.left_out) > 0
    everywhere = np.concatenate([parts.train, parts.validation, parts.test, parts.left_out])
    assert sorted(everywhere) == list(range(len(records)))


def test_pieces_with_pianists_of_their_own_lose_nothing(tmp_path):
    nested = [
        filed(tmp_path, f"n{piece}-{k}", take(piece, 10 * piece + k), piece, 10 * piece + k)
        for piece in range(12)
        for k in range(2)
    ]
    parts = partition(nested, by="both", seed=0)
    assert len(parts.left_out) == 0
    assert len(parts.train) + len(parts.validation) + len(parts.test) == 24


def test_a_score_rendering_is_no_new_pianist(records, tmp_path):
    deadpan = [filed(tmp_path, f"score{p}", take(p, 99), p, None) for p in range(N_PIECES)]
    everything = [*records, *deadpan]
    parts = partition(everything, by="performer", seed=0)
    assert all(i in parts.train for i in range(len(records), len(everything)))
    both = partition(everything, by="both", seed=0)
    trained = {everything[i].piece_id for i in both.train}
    for i in range(len(records), len(everything)):
        assert (i in both.train) == (everything[i].piece_id in trained)


def test_the_seed_decides_and_the_order_of_the_records_does_not_change_the_hash(records):
    first, again = partition(records, seed=1), partition(records, seed=1)
    assert first.sha256 == again.sha256
    assert len(first.sha256) == 64
    assert len({partition(records, seed=s).sha256 for s in range(6)}) > 1


def test_the_parts_are_written_with_their_hash(records, tmp_path):
    parts = partition(records, seed=2)
    parts.save(tmp_path / "parts.json", records)
    kept = json.loads((tmp_path / "parts.json").read_text())
    assert kept["sha256"] == parts.sha256
    assert kept["test"] == sorted(records[i].segment_id for i in parts.test)
    assert (kept["grouped_by"], kept["seed"], kept["left_out"]) == ("cluster", 2, [])


def test_strata_are_shared_out_as_far_as_the_groups_allow():
    piece = np.repeat([0, 1, 2, 3], [100, 60, 20, 20])
    hard = np.arange(200) % 2
    part = assign_groups(
        np.arange(200), np.stack([piece, hard], axis=1), np.array([0.7, 0.15, 0.15]), np.random.default_rng(0)
    )
    table = np.array([[np.sum((part == p) & (piece == s)) for s in range(4)] for p in range(3)])
    np.testing.assert_allclose(table, [[70, 42, 14, 14], [15, 9, 3, 3], [15, 9, 3, 3]], atol=2)
    np.testing.assert_allclose([np.mean(hard[part == p]) for p in range(3)], 0.5, atol=0.07)


def test_hard_music_is_in_every_part(tmp_path):
    """Eighteen clusters of one piece, of which a third is fast: each part gets fast and slow ones."""
    many = [
        filed(tmp_path, f"k{k}", take(k, 0), 0, 0).model_copy(update={"cluster_id": f"k{k}"})
        for k in range(18)
    ]
    difficulty = terciles(np.array([notes_per_sec(record) for record in many]))
    assert [int(np.sum(difficulty == third)) for third in range(3)] == [6, 6, 6]
    parts = partition(many, seed=5)
    for side in (parts.train, parts.validation, parts.test):
        assert set(difficulty[side]) == {0, 1, 2}


def test_difficulty_counts_keys_within_the_segment(tmp_path):
    one = filed(tmp_path, "one", take(0, 0), 0, 0)
    onset = take(0, 0).onset_sec
    assert notes_per_sec(one) == pytest.approx(len(onset) / (onset[-1] + 0.05), rel=0.01)
    half = one.model_copy(update={"start_time": 2.0, "end_time": 4.0})
    assert notes_per_sec(half) == np.count_nonzero((onset >= 2.0) & (onset < 4.0)) / 2.0


def test_a_copy_under_another_name_stays_with_its_original(records, tmp_path):
    copies = [filed(tmp_path, f"copy{p}", take(p, 0), 100 + p, 100 + p) for p in range(N_PIECES)]
    everything = [*records, *copies]
    for by in PART_BARRIERS:
        parts = partition(everything, by=by, seed=0)
        side_of = {
            everything[i].segment_id: name
            for name in ("train", "validation", "test", "left_out")
            for i in getattr(parts, name)
        }
        assert all(side_of[f"copy{p}"] == side_of[f"p{p}-0"] for p in range(N_PIECES))


@pytest.mark.parametrize(
    ("by", "leaks"),
    [
        ("cluster", "share the cluster 'cluster0'"),
        ("performer", "share the performer 'pianist0'"),
        ("piece", "share the piece 'piece0'"),
        ("both", "share the (piece|performer) '(piece|pianist)0'"),
    ],
)
def test_a_leaking_manifest_fails_by_its_ids(records, by, leaks):
    """Both takes of the pair stand in different parts, though they share what the grouping keeps apart."""
    pair = {"cluster": (0, 1), "piece": (0, 1), "performer": (0, N_PIANISTS), "both": (0, 1)}[by]
    alone = np.array([2 * N_PIANISTS + 3])
    with pytest.raises(InputError, match=leaks):
        assert_parts_disjoint(
            records, [np.array([pair[0]]), alone, np.array([pair[1]])], by=PART_BARRIERS[by]
        )


def test_a_leaking_manifest_fails_by_its_notes_whatever_its_ids(records, tmp_path):
    """The same MIDI under another name; sixteen bars that contain the eight of another file."""
    whole = records[0]
    copy = filed(tmp_path, "renamed", take(0, 0), 50, 50)
    eight = filed(tmp_path, "eight", take(0, 0, slice(4, 12)), 51, 51)
    other = filed(tmp_path, "other", take(7, 5), 52, 52)
    for part in ((whole, copy), (whole, eight), (eight, whole)):
        everything = [part[0], other, part[1]]
        sides = [np.array([0]), np.array([1]), np.array([2])]
        for by in PART_BARRIERS.values():
            with pytest.raises(InputError, match=r"leaks: .* share \d+ % of their note runs"):
                assert_parts_disjoint(everything, sides, by=by)
    assert_parts_disjoint([whole, other], [np.array([0]), np.array([1])], by=PART_BARRIERS["cluster"])


def test_parts_that_cannot_be_filled_are_an_error(records):
    with pytest.raises(InputError, match="partition: would have an empty"):
        partition(records[: 2 * N_PIANISTS], by="piece")
    with pytest.raises(InputError, match="p0-0: has no performer_id"):
        partition([r.model_copy(update={"performer_id": None}) for r in records], by="performer")
    with pytest.raises(InputError, match="shares: are"):
        partition(records, shares=(0.7, 0.2, 0.2))
    with pytest.raises(InputError, match="by: is 'bars'"):
        partition(records, by="bars")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="has no MIDI"):
        partition([records[0].model_copy(update={"midi_path": None, "audio_path": Path("a.wav")})])


@pytest.mark.data
@pytest.mark.parametrize("by", ["cluster", "performer", "piece", "both"])
def test_the_real_labels_are_dealt_out_near_to_their_shares(corpus_dir, tmp_path, by):
    records = read_labels(import_percepiano(corpus_dir / "percepiano", tmp_path, render=None).labels_path)
    parts = partition(records, by=by, seed=0)
    kept = len(records) - len(parts.left_out)
    assert by == "both" or kept == len(records)
    for side, share in ((parts.train, 0.7), (parts.validation, 0.15), (parts.test, 0.15)):
        assert len(side) / kept == pytest.approx(share, abs=0.12 if by in ("cluster", "performer") else 0.35)
