import errno
import hashlib
import os
import stat

import pytest

from tocco.errors import InputError, OutputError
from tocco.files import is_safe_name, read_names, replacing, sha256_of, write_bytes


@pytest.mark.parametrize("name", ["a", "Müller-3", "no.3_4bars", "_x", "9", "a" * 200])
def test_names_that_can_name_a_file(name):
    assert is_safe_name(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", ".a", "-a", "a.", "a/b", "a\\b", "a b", "a\n", "a\0", "con", "COM1.x", "ü" * 101]
)
def test_names_that_cannot(name):
    assert not is_safe_name(name)


def test_a_block_that_fails_leaves_the_old_file_and_no_litter(tmp_path):
    path = tmp_path / "a.txt"
    write_bytes(path, b"old")

    def fails_half_way() -> None:
        with replacing(path) as temporary:
            temporary.write_bytes(b"half")
            assert temporary.suffix == ".txt"
            assert temporary.parent == tmp_path
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails_half_way()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
    write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_folders_are_made_and_a_file_in_the_way_is_an_error(tmp_path):
    write_bytes(tmp_path / "x/y/a", b"1")
    assert (tmp_path / "x/y/a").read_bytes() == b"1"
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "x/y/a/b", b"1")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "folder", b"1")


def test_trouble_with_another_file_is_not_blamed_on_the_target(tmp_path):
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "a"):
        (tmp_path / "other").read_bytes()


@pytest.mark.parametrize("answer", [errno.EINVAL, errno.ENOSYS])
def test_a_file_is_written_where_folders_cannot_be_flushed(tmp_path, monkeypatch, answer):
    flush_folders_with(answer, monkeypatch)
    write_bytes(tmp_path / "a.txt", b"a")
    assert (tmp_path / "a.txt").read_bytes() == b"a"


def test_a_disk_that_fails_is_an_error(tmp_path, monkeypatch):
    flush_folders_with(errno.EIO, monkeypatch)
    with pytest.raises(OutputError, match="cannot be written"):
        write_bytes(tmp_path / "a.txt", b"a")


def flush_folders_with(answer, monkeypatch):
    original = os.fsync

    def flushed(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(answer, os.strerror(answer))
        original(handle)

    monkeypatch.setattr(os, "fsync", flushed)


def test_hash(tmp_path):
    (tmp_path / "a").write_bytes(b"tocco")
    assert sha256_of(tmp_path / "a") == hashlib.sha256(b"tocco").hexdigest()
    with pytest.raises(InputError, match="cannot be read"):
        sha256_of(tmp_path / "b")


def test_names_are_read_a_line_each_and_blank_lines_passed_over(tmp_path):
    path = tmp_path / "names.txt"
    path.write_bytes("\ufeffBach\n\n  Chopin Op. 10 \n".encode())
    assert read_names(path) == ["Bach", "Chopin Op. 10"]
    path.write_bytes(b"Bach\xff")
    with pytest.raises(
        InputError, match=r"names\.txt: is not UTF-8 text \(byte 4\)\. Next: save it as UTF-8 text"
    ):
        read_names(path)
    with pytest.raises(InputError, match=r"gone\.txt: cannot be read"):
        read_names(tmp_path / "gone.txt")
