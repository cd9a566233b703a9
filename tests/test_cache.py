"""Kept arrays: whole, current, and never read when they are damaged."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from tocco import cache
from tocco.cache import content_key, kept_arrays, modules_reached
from tocco.errors import OutputError

ARRAYS = {"sound": np.arange(1000, dtype=np.int16), "empty": np.zeros((0, 3)), "flag": np.array([True])}


def test_arrays_come_back_whole_and_by_parts(tmp_path: Path) -> None:
    kept = kept_arrays(tmp_path / "a.safetensors", lambda: ARRAYS)
    for name, array in ARRAYS.items():
        read = kept.array(name)
        assert read.dtype == array.dtype
        np.testing.assert_array_equal(read, array)
    assert kept.part("sound", 10, 13).tolist() == [10, 11, 12]


def test_a_kept_file_is_not_made_again(tmp_path: Path) -> None:
    made = []

    def make() -> dict[str, np.ndarray]:
        made.append(1)
        return ARRAYS

    for _ in range(3):
        kept_arrays(tmp_path / "a.safetensors", make)
    assert len(made) == 1


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.safetensors"
    kept_arrays(path, lambda: ARRAYS)
    whole = path.read_bytes()
    path.write_bytes(whole[:length])
    np.testing.assert_array_equal(kept_arrays(path, lambda: ARRAYS).array("sound"), ARRAYS["sound"])
    assert path.read_bytes() == whole


def test_two_makers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    """Both find nothing, both make it; whoever is last, each reads a whole file."""
    path = tmp_path / "a.safetensors"
    together = threading.Barrier(2)

    def make() -> dict[str, np.ndarray]:
        together.wait(timeout=10)
        return ARRAYS

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: kept_arrays(path, make).array("sound"), range(2)))
    for read in found:
        np.testing.assert_array_equal(read, ARRAYS["sound"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((OutputError, NotADirectoryError)):
        kept_arrays(tmp_path / "file" / "a.safetensors", lambda: ARRAYS)


def test_the_key_follows_inputs_settings_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        content_key("tocco.data.prepared", *parts) for parts in [(1, "a"), (1, "b"), (2, "a"), ("1", "a")]
    }
    assert len(keys) == 4
    assert content_key("tocco.data.prepared", 1, "a") in keys
    monkeypatch.setattr(cache, "code_hash", lambda module: "other code")
    assert content_key("tocco.data.prepared", 1, "a") not in keys


def test_every_module_that_takes_part_counts_and_no_other() -> None:
    reached = set(modules_reached("tocco.data.prepared"))
    assert {
        "tocco.data.prepared",
        "tocco.data.preparation",
        "tocco.audio.processing",
        "tocco.music.matching.path",
        "tocco.music.statistics.score_timing",
        "tocco.music.partitura_notation",
        "tocco.units",
    } <= reached
    assert not {name for name in reached if name.startswith(("tocco.models", "tocco.training", "tocco.apps"))}
    assert all(path.suffix == ".py" for path in modules_reached("tocco.data.prepared").values())


def test_a_change_of_a_far_module_changes_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "pianola"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "roll.py").write_text("from pianola import bellows\n")
    (package / "bellows.py").write_text("PRESSURE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert set(modules_reached("pianola.roll")) == {"pianola", "pianola.roll", "pianola.bellows"}
    before = cache.code_hash.__wrapped__("pianola.roll")
    (package / "bellows.py").write_text("PRESSURE = 2\n")
    assert cache.code_hash.__wrapped__("pianola.roll") != before
