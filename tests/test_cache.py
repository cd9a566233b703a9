"""Kept arrays: whole, current, and never read when they are damaged."""

import hashlib
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from tocco import cache
from tocco.cache import (
    Entry,
    Keyed,
    cached,
    cached_arrays,
    cached_model,
    content_key,
    imported_modules,
    json_key,
)
from tocco.errors import OutputError

ARRAYS = {"sound": np.arange(1000, dtype=np.int16), "empty": np.zeros((0, 3)), "flag": np.array([True])}


def test_arrays_come_back_whole_and_by_parts(tmp_path: Path) -> None:
    kept = cached_arrays(tmp_path / "a.safetensors", lambda: ARRAYS)
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
        cached_arrays(tmp_path / "a.safetensors", make)
    assert len(made) == 1


@pytest.mark.parametrize("length", [0, 4, 100, -1])
def test_a_file_that_was_cut_short_is_made_again(tmp_path: Path, length: int) -> None:
    path = tmp_path / "a.safetensors"
    cached_arrays(path, lambda: ARRAYS)
    whole = path.read_bytes()
    path.write_bytes(whole[:length])
    np.testing.assert_array_equal(cached_arrays(path, lambda: ARRAYS).array("sound"), ARRAYS["sound"])
    assert path.read_bytes() == whole


def test_two_makers_of_one_file_leave_one_whole_file(tmp_path: Path) -> None:
    """Both find nothing, both make it; whoever is last, each reads a whole file."""
    path = tmp_path / "a.safetensors"
    together = threading.Barrier(2)

    def make() -> dict[str, np.ndarray]:
        together.wait(timeout=10)
        return ARRAYS

    with ThreadPoolExecutor(2) as pool:
        found = list(pool.map(lambda _: cached_arrays(path, make).array("sound"), range(2)))
    for read in found:
        np.testing.assert_array_equal(read, ARRAYS["sound"])
    assert [p.name for p in tmp_path.iterdir()] == ["a.safetensors"]


def test_a_folder_that_cannot_be_written_to_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises((OutputError, NotADirectoryError)):
        cached_arrays(tmp_path / "file" / "a.safetensors", lambda: ARRAYS)


def test_the_key_follows_inputs_settings_and_code(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {
        content_key("tocco.data.prepared", *parts) for parts in [(1, "a"), (1, "b"), (2, "a"), ("1", "a")]
    }
    assert len(keys) == 4
    assert content_key("tocco.data.prepared", 1, "a") in keys
    monkeypatch.setattr(cache, "code_hash", lambda module: "other code")
    assert content_key("tocco.data.prepared", 1, "a") not in keys


def test_every_module_that_takes_part_counts_and_no_other() -> None:
    reached = set(imported_modules("tocco.data.record_arrays"))
    assert {
        "tocco.data.record_arrays",
        "tocco.data.preparation",
        "tocco.audio.processing",
        "tocco.music.matching.path",
        "tocco.music.statistics.score_timing",
        "tocco.music.partitura_notation",
        "tocco.units",
    } <= reached
    assert not {
        name
        for name in reached
        if name.startswith(
            ("tocco.models", "tocco.engines", "tocco.inference", "tocco.training", "tocco.apps")
        )
    }
    assert all(path.suffix == ".py" for path in imported_modules("tocco.data.record_arrays").values())


def test_a_change_of_a_far_module_changes_the_hash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "pianola"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "roll.py").write_text(
        "from pianola import bellows\n"
        "if TYPE_CHECKING:\n    from pianola import shop\nelse:\n    import pianola.hole\n"
    )
    for name in ("shop", "hole"):
        (package / f"{name}.py").write_text("")
    (package / "bellows.py").write_text("PRESSURE = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert set(imported_modules("pianola.roll")) == {
        "pianola",
        "pianola.roll",
        "pianola.bellows",
        "pianola.hole",
    }
    before = cache.code_hash.__wrapped__("pianola.roll")
    (package / "bellows.py").write_text("PRESSURE = 2\n")
    assert cache.code_hash.__wrapped__("pianola.roll") != before


class Measured(Keyed):
    """Something that took long."""

    value: float


def test_a_record_is_made_once_for_a_key_and_again_for_another(tmp_path: Path) -> None:
    path = tmp_path / "measured.json"
    made: list[str] = []

    def found(key: str, value: float = 1.5) -> Entry[Measured]:
        def make() -> Measured:
            made.append(key)
            return Measured(key=key, value=value)

        return cached_model(path, Measured, key, make)

    assert found("a") == Entry(Measured(key="a", value=1.5), is_found=False)
    assert path.read_text() == '{\n  "key": "a",\n  "value": 1.5\n}\n'
    assert found("a", 2.5) == Entry(Measured(key="a", value=1.5), is_found=True)
    assert found("b", 3.5) == Entry(Measured(key="b", value=3.5), is_found=False)
    for damage in (b"", b"{", b'{"key": "b"}', b'{"key": "b", "value": 1, "more": 2}', b"\xff"):
        path.write_bytes(damage)
        assert found("b", 3.5).is_found is False
    assert made == ["a", "b", *["b"] * 5]


@pytest.mark.parametrize(
    "error", [PermissionError(13, "Permission denied"), OSError(5, "Input/output error")]
)
def test_a_file_that_cannot_be_read_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    path = tmp_path / "a.txt"
    path.write_text("before")
    refused = iter([True, False])

    def read(there: Path) -> str:
        if next(refused):
            raise error
        return there.read_text()

    assert cached(path, read, lambda there: there.write_text("after")) == Entry("after", is_found=False)

    def refuse(*_: object, **__: object) -> bytes:
        raise error

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(OutputError, match=r"b\.json: cannot be read back after it was written"):
        cached_model(tmp_path / "b.json", Measured, "a", lambda: Measured(key="a", value=1.0))
    monkeypatch.setattr(cache, "safe_open", refuse)
    with pytest.raises(OutputError, match=r"c\.safetensors: cannot be read back after it was written"):
        cached_arrays(tmp_path / "c.safetensors", lambda: ARRAYS)


def test_a_record_without_the_files_that_belong_to_it_is_made_again(tmp_path: Path) -> None:
    def found(is_complete: bool) -> bool:
        value = Measured(key="a", value=1.0)
        there = iter([is_complete, True])
        return cached_model(
            tmp_path / "a.json", Measured, "a", lambda: value, is_complete=lambda _: next(there)
        ).is_found

    assert [found(True), found(True), found(False)] == [False, True, False]


def test_what_cannot_be_read_back_is_an_error_and_what_fails_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be read back"):
        cached(tmp_path / "a.txt", lambda path: None, lambda path: path.write_text("x"))

    def fail(path: Path) -> None:
        path.write_text("half")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        cached(tmp_path / "b.txt", lambda path: path.read_text(), fail)
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


def test_keys_are_those_of_the_content(tmp_path: Path) -> None:
    content = ["rendering", [1, 2.5, None], True]
    assert json_key(content) == hashlib.sha256(b'["rendering", [1, 2.5, null], true]').hexdigest()
    assert json_key({"b": 1, "a": 2}) == json_key({"a": 2, "b": 1})
    with pytest.raises(ValueError, match="not JSON compliant"):
        json_key([float("nan")])


def test_code_of_a_script_that_is_run_is_known_by_what_is_given_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "scripted", ModuleType("scripted"))
    assert content_key("scripted", 1) == content_key("scripted", 1)
    assert content_key("scripted", 1) != content_key("scripted", 2)
