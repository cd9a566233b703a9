from pathlib import Path

import numpy as np
import pytest

from benchmark_example import N_PIANISTS, records
from tocco.data.records import LabelRecord
from tocco.data.splits import fold_indices
from tocco.errors import InputError
from tocco.evaluation.benchmark.protocols import (
    PROTOCOLS,
    available_protocols,
    balanced_folds,
    folds_of,
    read_published_split,
)


@pytest.fixture
def made_up(tmp_path: Path) -> list[LabelRecord]:
    return records(tmp_path)


def fields(made_up: list[LabelRecord], indices: np.ndarray, field: str) -> set[str]:
    return {getattr(made_up[i], field) for i in indices}


def test_every_excerpt_is_tested_once_and_never_trained_on(made_up: list[LabelRecord]) -> None:
    humans = [i for i, record in enumerate(made_up) if not record.is_score_rendering]
    for protocol, everyone in (("clusters", True), ("work", True), ("performer", False), ("both", False)):
        folds = folds_of(made_up, protocol)
        tested = sorted(np.concatenate([fold.test for fold in folds]).tolist())
        assert tested == (list(range(len(made_up))) if everyone else humans), protocol
        for fold in folds:
            assert not set(fold.train) & set(fold.test)


@pytest.mark.parametrize(
    ("protocol", "new"),
    [
        ("clusters", ["cluster_id", "passage_id"]),
        ("performer", ["performer_id"]),
        ("both", ["cluster_id", "performer_id"]),
        ("work", ["work_id", "cluster_id"]),
    ],
)
def test_what_is_new_is_in_no_training_part(
    made_up: list[LabelRecord], protocol: str, new: list[str]
) -> None:
    for fold in folds_of(made_up, protocol):
        for field in new:
            assert not fields(made_up, fold.train, field) & fields(made_up, fold.test, field)


def test_a_score_rendering_is_trained_on_and_not_tested_where_pianists_are_new(
    made_up: list[LabelRecord],
) -> None:
    for fold in folds_of(made_up, "performer"):
        assert sum(made_up[i].is_score_rendering for i in fold.train) == 12
        assert not any(made_up[i].is_score_rendering for i in fold.test)
    for fold in folds_of(made_up, "both"):
        renders = {made_up[i].cluster_id for i in fold.train if made_up[i].is_score_rendering}
        assert renders == fields(made_up, fold.train, "cluster_id")


def test_both_has_a_fold_for_every_cell(made_up: list[LabelRecord]) -> None:
    folds = folds_of(made_up, "both")
    assert [fold.name for fold in folds] == [f"c{c}p{p}" for c in range(4) for p in range(N_PIANISTS)]
    cell = folds[5]
    music = {made_up[i].cluster_id for i in folds_of(made_up, "clusters")[1].test}
    assert fields(made_up, cell.test, "cluster_id") == music
    # Two of the six clusters and one of the four pianists are new: 4 x 2 x (3 + 1 rendering) remain.
    assert (len(cell.test), len(cell.train)) == (4, 32)


def test_stated_folds_are_those_of_the_label_file(made_up: list[LabelRecord]) -> None:
    stated = [
        record.model_copy(update={"folds": {"cv4_cluster": n // 20, "cv4_performer": min(n % 5, 3)}})
        for n, record in enumerate(made_up)
    ]
    for protocol, of_file in (("clusters", "cv4_cluster"), ("performer", "cv4_performer")):
        for fold, (train, test) in zip(
            folds_of(stated, protocol), fold_indices(stated, of_file), strict=True
        ):
            np.testing.assert_array_equal(fold.train, train)
            np.testing.assert_array_equal(fold.test, test)


def test_stated_folds_that_leak_are_refused(made_up: list[LabelRecord]) -> None:
    stated = [r.model_copy(update={"folds": {"cv4_cluster": n % 2}}) for n, r in enumerate(made_up)]
    with pytest.raises(InputError, match="share the cluster"):
        folds_of(stated, "clusters")


def test_an_unknown_pianist_is_in_neither_part(made_up: list[LabelRecord]) -> None:
    made_up[0] = made_up[0].model_copy(update={"performer_id": None})
    for fold in folds_of(made_up, "performer"):
        assert 0 not in fold.train
        assert 0 not in fold.test


def test_balanced_folds_are_of_like_size() -> None:
    groups = [f"g{n}" for n in range(7) for _ in range(n + 1)]
    fold_of = balanced_folds(groups)
    size = np.bincount([fold_of[group] for group in groups])
    assert size.tolist() == [7, 7, 7, 7]
    assert set(balanced_folds(["a", "b"]).values()) == {0, 1}


def test_the_published_split_keeps_its_test_part_out_of_every_training_part(
    made_up: list[LabelRecord],
) -> None:
    part = {
        "pianist0": "0",
        "pianist1": "1",
        "pianist2": "test",
        "pianist3": "train_only",
        "Score": "train_only",
    }
    split = {record.segment_id: part[str(record.performer_id)] for record in made_up}
    folds = {fold.name: fold for fold in folds_of(made_up, "published", split)}
    assert list(folds) == ["0", "1", "test"]
    assert fields(made_up, folds["0"].train, "performer_id") == {"pianist1", "pianist3", "Score"}
    assert fields(made_up, folds["test"].train, "performer_id") == {
        "pianist0",
        "pianist1",
        "pianist3",
        "Score",
    }


def test_what_is_not_possible_has_a_reason(made_up: list[LabelRecord]) -> None:
    found, refused = available_protocols(made_up)
    assert list(found) == ["clusters", "performer", "both", "work"]
    assert refused == {"published": "the published split is not known for these labels"}
    without = [record.model_copy(update={"work_id": None}) for record in made_up]
    assert "has no work_id" in available_protocols(without)[1]["work"]
    one = [record for record in made_up if record.cluster_id == "cluster0"]
    assert available_protocols(one)[1]["clusters"] == "clusters has 1 folds in these records"
    with pytest.raises(InputError, match="allowed: clusters, performer, both, work, published"):
        folds_of(made_up, "random")
    assert list(PROTOCOLS) == ["clusters", "performer", "both", "work", "published"]


def test_a_published_split_that_lacks_a_record_is_refused(made_up: list[LabelRecord], tmp_path: Path) -> None:
    path = tmp_path / "published_folds.csv"
    lines = [f"{record.segment_id},{n % 3}" for n, record in enumerate(made_up)]
    path.write_text("\n".join(["segment_id,performer", *lines]))
    assert read_published_split(path, made_up)["passage00_pianist1"] == "1"
    path.write_text("\n".join(["segment_id,performer", *lines[1:]]))
    with pytest.raises(InputError, match="has no part for 'passage00_pianist0'"):
        read_published_split(path, made_up)
