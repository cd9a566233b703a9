from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from labelling_example import new_store, rating
from tocco.errors import InputError
from tocco.labelling.backup import backup, check_store, restore
from tocco.labelling.events import Presentation
from tocco.labelling.raters import add_rater
from tocco.labelling.store import RatingStore

ANN = Presentation("ann", "take1", "first")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[RatingStore]:
    with new_store(tmp_path / "project") as made:
        add_rater(made, "ann")
        yield made


def test_a_backup_is_one_file_with_everything(tmp_path: Path, store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    copy = tmp_path / "copies" / "monday.sqlite"
    assert backup(store, copy) == 1
    store.rate(ANN, rating("phrasing", 70.0))
    assert [path.name for path in copy.parent.iterdir()] == ["monday.sqlite"]
    with RatingStore(copy) as read:
        assert [one.value for one in read.ratings()] == [40.0]
        assert [one.rater_id for one in read.events()] == ["ann"]


def test_a_backup_is_made_while_others_write(tmp_path: Path, store: RatingStore) -> None:
    done = threading.Event()

    def write() -> None:
        while not done.is_set():
            store.rate(ANN, rating("phrasing", 40.0))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        counts = [backup(store, tmp_path / f"copy{i}.sqlite") for i in range(3)]
    finally:
        done.set()
        writer.join()
    assert counts == sorted(counts)
    for i, count in enumerate(counts):
        with RatingStore(tmp_path / f"copy{i}.sqlite") as read:
            assert [one.sequence for one in read.events()] == list(range(1, count + 1))


def test_a_restored_store_serves_who_has_it_open_and_the_former_content_stays(
    tmp_path: Path, store: RatingStore
) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    copy = tmp_path / "copy.sqlite"
    backup(store, copy)
    store.rate(ANN, rating("phrasing", 70.0))
    former = restore(copy, store.path)
    assert former is not None
    assert [one.value for one in store.ratings()] == [40.0]
    with RatingStore(former) as read:
        assert [one.value for one in read.ratings()] == [70.0]
    assert store.rate(ANN, rating("phrasing", 55.0)).sequence == 2
    assert "restore" in [one.action for one in store.audit("admin")]


def test_a_damaged_or_missing_store_is_restored(tmp_path: Path, store: RatingStore) -> None:
    store.rate(ANN, rating("phrasing", 40.0))
    copy = tmp_path / "copy.sqlite"
    backup(store, copy)
    store.close()
    store.path.write_bytes(b"nothing of use")
    former = restore(copy, store.path)
    assert former is not None
    assert former.read_bytes() == b"nothing of use"
    store.path.unlink()
    assert restore(copy, store.path) is None
    assert check_store(store.path) == 1
    with RatingStore(store.path) as read:
        assert [one.value for one in read.ratings()] == [40.0]


def test_what_is_no_store_is_neither_restored_nor_called_sound(tmp_path: Path, store: RatingStore) -> None:
    other = tmp_path / "other.sqlite"
    other.write_bytes(b"x" * 5000)
    with pytest.raises(InputError, match="is no store of ratings"):
        restore(other, store.path)
    assert [path.name for path in store.path.parent.glob("*before-restore*")] == []
    store.rate(ANN, rating("phrasing", 40.0))
    store.close()
    content = bytearray(store.path.read_bytes())
    content[2 * 4096 : 3 * 4096] = b"\x07" * 4096
    store.path.write_bytes(content)
    with pytest.raises(InputError, match=r"damaged|not a readable store"):
        check_store(store.path)
