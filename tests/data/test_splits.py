from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocco.data.corpora.percepiano import import_percepiano
from tocco.data.records import LabelRecord, read_labels
from tocco.data.splits import (
    BARRIERS,
    assert_disjoint,
    checked_folds,
    fingerprint,
    fingerprints,
    fold_indices,
    inner_split,
    split_hash,
)
from tocco.errors import InputError
from tocco.music.midi import save_midi
from tocco.music.performance import PedalCurve, Performance


def performance(onset_sec: np.ndarray, pitch: np.ndarray) -> Performance:
    order = np.lexsort((pitch, onset_sec))
    onset_sec, pitch = onset_sec[order], pitch[order]
    up = PedalCurve()
    return Performance(
        onset_sec=onset_sec,
        offset_sec=onset_sec + 0.1,
        pitch=pitch,
        velocity=np.full(len(pitch), 64),
        sustain=up,
        sostenuto=up,
        soft=up,
        duration_sec=float(onset_sec[-1]) + 0.1 if len(onset_sec) else 0.0,
    )


PAGE = np.random.default_rng(5).integers(40, 90, 120)


def take(seed: int) -> Performance:
    """One pianist's take of the same page: the same keys, other times."""
    generator = np.random.default_rng(seed)
    return performance(np.cumsum(generator.normal(0.25, 0.04, len(PAGE)).clip(0.12)), PAGE)


def record(name: str, **fields: object) -> LabelRecord:
    given = {"piece_id": "p", "source": "s", "midi_path": Path(f"{name}.mid"), "labels": {}} | fields
    return LabelRecord.model_validate({"segment_id": name} | given)


def filed(folder: Path, name: str, played: Performance, **fields: object) -> LabelRecord:
    path = folder / f"{name}.mid"
    save_midi(played, path)
    return record(name, midi_path=path, cluster_id=name, **fields)


def toy() -> list[LabelRecord]:
    """Twelve segments, two of each cluster, three works, two pianists."""
    return [
        record(
            f"s{i:02d}",
            cluster_id=f"c{i // 2}",
            work_id=f"w{i // 4}",
            performer_id=f"p{i % 2}",
            folds={"cv4_cluster": i // 2 % 3, "cv4_performer": i % 2},
        )
        for i in range(12)
    ]


@pytest.mark.parametrize(
    ("protocol", "n_folds"), [("cv4_cluster", 3), ("cv4_performer", 2), ("leave_one_work_out", 3)]
)
def test_every_segment_is_tested_once(protocol, n_folds):
    folds = fold_indices(toy(), protocol)
    assert len(folds) == n_folds
    assert sorted(np.concatenate([test for _, test in folds])) == list(range(12))
    for train, test in folds:
        assert sorted([*train, *test]) == list(range(12))


def test_known_folds():
    train, test = fold_indices(toy(), "cv4_cluster")[1]
    assert test.tolist() == [2, 3, 8, 9]
    assert train.tolist() == [0, 1, 4, 5, 6, 7, 10, 11]
    assert fold_indices(toy(), "leave_one_work_out")[2][1].tolist() == [8, 9, 10, 11]


def test_fold_minus_one_is_on_neither_side():
    records = toy()
    records[3] = records[3].model_copy(update={"folds": {"cv4_cluster": -1}})
    for train, test in fold_indices(records, "cv4_cluster"):
        assert 3 not in train
        assert 3 not in test


def test_a_score_rendering_is_no_new_pianist():
    records = toy()
    records[4] = records[4].model_copy(update={"is_score_rendering": True})
    (train_0, test_0), (train_1, test_1) = fold_indices(records, "cv4_performer")
    assert 4 in train_0
    assert 4 in train_1
    assert 4 not in test_0
    assert 4 not in test_1
    assert any(4 in test for _, test in fold_indices(records, "cv4_cluster"))
    published = fold_indices(records, "cv4_performer", as_published=True)
    assert sum(4 in test for _, test in published) == 1
    assert not any(4 in train and 4 in test for train, test in published)


def test_missing_folds_are_named():
    records = [*toy(), record("odd", cluster_id="c")]
    with pytest.raises(InputError, match="odd: has no fold 'cv4_cluster'"):
        fold_indices(records, "cv4_cluster")
    with pytest.raises(InputError, match="odd: has no work_id"):
        fold_indices(records, "leave_one_work_out")
    with pytest.raises(InputError, match="protocol: is 'random'"):
        fold_indices(toy(), "random")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InputError, match="has 1 folds"):
        fold_indices(toy()[:2], "cv4_cluster")


def test_a_shared_cluster_is_named_with_its_pair():
    records = toy()
    assert_disjoint(records[:2], records[2:], by=["cluster"])
    with pytest.raises(InputError, match=r"'s02' .train. and 's03' .test. share the cluster 'c1'"):
        assert_disjoint(records[:3], records[3:], by=["cluster"])
    with pytest.raises(InputError, match="share the performer 'p0'"):
        assert_disjoint(records[:2], records[2:], by=["performer"])


def test_the_guard_finds_a_copy_under_other_ids(tmp_path):
    """A leaking manifest: ids, clusters and performers all differ, the notes do not."""
    first = filed(tmp_path, "first", take(1))
    other = filed(tmp_path, "other", take(2))
    copy = filed(tmp_path, "copy", take(1).shifted(2.5))
    assert_disjoint([first], [other])
    with pytest.raises(InputError, match=r"'first' .train. and 'copy' .test. share \d+ % of their note runs"):
        assert_disjoint([other, first], [copy])


@pytest.mark.parametrize(("start", "stop"), [(0, 60), (30, 90), (95, 120)])
def test_the_guard_finds_a_cut_of_the_same_take(tmp_path, start, stop):
    whole = take(1)
    cut = performance(whole.onset_sec[start:stop] - whole.onset_sec[start], whole.pitch[start:stop])
    with pytest.raises(InputError, match="note runs"):
        assert_disjoint([filed(tmp_path, "whole", whole)], [filed(tmp_path, "cut", cut)])


def test_segments_of_one_file_are_compared_within_their_times(tmp_path):
    whole = take(1)
    middle = float(whole.onset_sec[60])
    first = filed(tmp_path, "a", whole, end_time=middle)
    second = filed(tmp_path, "b", whole, start_time=middle)
    overlapping = filed(tmp_path, "c", whole, start_time=middle - 5.0)
    assert_disjoint([first], [second])
    with pytest.raises(InputError, match=r"'a' .train. and 'c' .test."):
        assert_disjoint([first], [overlapping])


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 1000), shift_sec=st.floats(0, 60), jitter_sec=st.floats(0, 0.001))
def test_a_fingerprint_survives_a_shift_and_the_rounding_of_ticks(seed, shift_sec, jitter_sec):
    played = take(seed)
    generator = np.random.default_rng(seed)
    moved = performance(
        played.onset_sec + shift_sec + generator.uniform(-jitter_sec, jitter_sec, len(played)), played.pitch
    )
    ours, theirs = fingerprint(played), fingerprint(moved)
    assert len(np.intersect1d(ours, theirs)) / len(ours) > 0.3
    stranger = fingerprint(take(seed + 5000))
    assert len(np.intersect1d(ours, stranger)) / len(ours) < 0.05


def test_a_fingerprint_depends_on_pitch_and_on_time():
    played = take(1)
    assert len(fingerprint(played)) == len(PAGE) - 7
    transposed = performance(played.onset_sec, played.pitch + 1)
    assert len(np.intersect1d(fingerprint(played), fingerprint(transposed))) == 0
    slower = played.shifted(0.0, stretch=1.5)
    assert len(np.intersect1d(fingerprint(played), fingerprint(slower))) == 0


def test_tiny_segments_have_a_fingerprint():
    for n in (0, 1, 2, 7, 8):
        few = performance(np.arange(n) * 0.5, np.arange(n) + 60)
        assert len(fingerprint(few)) == min(n, 1)


def test_notes_cannot_be_compared_without_midi():
    audio_only = record("a", midi_path=None, audio_path=Path("a.wav"))
    with pytest.raises(InputError, match="a: has no MIDI"):
        fingerprints([audio_only])


def test_inner_split_keeps_clusters_whole_and_outside_untouched(rng):
    records = [record(f"s{i}", cluster_id=f"c{i // 5}") for i in range(100)]
    train = np.arange(20, 100)
    inner, validation = inner_split(records, train, 0.25, rng)
    assert sorted([*inner, *validation]) == train.tolist()
    assert len(validation) == 20
    clusters = [{records[i].cluster_id for i in side} for side in (inner, validation)]
    assert not clusters[0] & clusters[1]
    again = inner_split(records, train, 0.25, np.random.default_rng(20261122))
    assert again[1].tolist() == validation.tolist()
    other = inner_split(records, train, 0.25, np.random.default_rng(1))
    assert other[1].tolist() != validation.tolist()


def test_inner_split_is_never_empty(rng):
    records = [record(f"s{i}", cluster_id="big" if i else "small") for i in range(10)]
    for fraction in (0.001, 0.5, 0.999):
        inner, validation = inner_split(records, np.arange(10), fraction, rng)
        assert len(inner) in {1, 9}
        assert len(validation) == 10 - len(inner)
    with pytest.raises(InputError, match="has 1 groups by cluster"):
        inner_split(records, np.arange(1, 10), 0.5, rng)
    with pytest.raises(InputError, match=r"fraction: is 1\.0"):
        inner_split(records, np.arange(10), 1.0, rng)


def test_split_hash_depends_on_the_split_alone():
    records = toy()
    folds = fold_indices(records, "cv4_cluster")
    turned = records[::-1]
    assert split_hash(records, folds) == split_hash(turned, fold_indices(turned, "cv4_cluster"))
    assert split_hash(records, folds) != split_hash(records, fold_indices(records, "cv4_performer"))
    train, test = folds[0]
    assert split_hash(records, [(train, test)]) != split_hash(records, [(test, train)])
    assert split_hash(records, [(train[1:], test)]) != split_hash(records, [(train, test)])
    assert len(split_hash(records, folds)) == 64


def test_checked_folds_refuse_a_leaking_manifest(tmp_path):
    clean = [filed(tmp_path, f"s{i}", take(i), folds={"cv4_cluster": i % 2}) for i in range(4)]
    assert [test.tolist() for _, test in checked_folds(clean, "cv4_cluster")] == [[0, 2], [1, 3]]
    leaking = [*clean, filed(tmp_path, "again", take(0), folds={"cv4_cluster": 1})]
    with pytest.raises(InputError, match=r"leaks: .*'again'"):
        checked_folds(leaking, "cv4_cluster")


@pytest.mark.data
def test_the_real_folds_do_not_leak(corpus_dir, tmp_path):
    records = read_labels(import_percepiano(corpus_dir / "percepiano", tmp_path, render=None).labels_path)
    sizes = {protocol: [len(test) for _, test in checked_folds(records, protocol)] for protocol in BARRIERS}
    assert sum(sizes["cv4_cluster"]) == sum(sizes["leave_one_work_out"]) == 983
    assert sum(sizes["cv4_performer"]) == 877
    by_passage = [records[i] for i in range(0, 983, 2)], [records[i] for i in range(1, 983, 2)]
    with pytest.raises(InputError, match="note runs"):
        assert_disjoint(*by_passage, by=["content"])
