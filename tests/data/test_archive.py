"""Archives give up their members whole and checked, or not at all."""

from __future__ import annotations

import hashlib
import io
import stat
import zipfile
import zlib
from pathlib import Path

import numpy as np
import pytest

from tocco.data.archive import (
    DamagedMemberError,
    SpanFile,
    checked_name,
    extract_member,
    read_directory,
    read_member,
)
from tocco.errors import InputError

MAX_BYTES = 1 << 20


def zipped(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_members_come_out_as_they_went_in(method: int, tmp_path: Path, rng: np.random.Generator) -> None:
    members = {"top/a.wav": rng.bytes(300_000), "top/b/c.midi": b"MThd" * 999, "empty": b""}
    archive = io.BytesIO(zipped(members, method))
    directory = read_directory(archive, "x.zip")
    assert set(directory.members) == set(members)
    for name, content in members.items():
        member = directory.members[name]
        assert (member.size_bytes, member.crc32) == (len(content), zlib.crc32(content))
        sha256 = extract_member(archive, member, tmp_path / name, source="x.zip", max_bytes=MAX_BYTES)
        assert (tmp_path / name).read_bytes() == content == read_member(archive, member, source="x.zip")
        assert sha256 == hashlib.sha256(content).hexdigest()


def test_spans_lie_side_by_side_up_to_the_table_of_contents(rng: np.random.Generator) -> None:
    whole = zipped({f"{n}.wav": rng.bytes(1000 + n) for n in range(5)})
    directory = read_directory(io.BytesIO(whole), "x.zip")
    members = sorted(directory.members.values(), key=lambda member: member.start)
    assert members[0].start == 0
    assert [m.stop for m in members] == [*(m.start for m in members[1:]), directory.start]
    assert whole[directory.start :][:4] == b"PK\x01\x02"


def test_a_member_needs_only_its_own_span_and_the_table_of_contents(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    members = {f"{n}.wav": rng.bytes(5000) + bytes(5000) for n in range(6)}
    whole = zipped(members)
    asked: list[tuple[int, int]] = []

    def fetch(start: int, stop: int) -> bytes:
        asked.append((start, stop))
        return whole[start:stop]

    directory = read_directory(io.BufferedReader(SpanFile(len(whole), [], fetch)), "x.zip")
    assert min(start for start, _ in asked) >= directory.start - 8192  # a buffer before it at most
    member = directory.members["3.wav"]
    spans = [
        (member.start, member.stop, io.BytesIO(whole[member.start : member.stop])),
        (directory.start, len(whole), io.BytesIO(whole[directory.start :])),
    ]
    view = io.BufferedReader(SpanFile(len(whole), spans))
    extract_member(view, member, tmp_path / "3.wav", source="x.zip", max_bytes=MAX_BYTES)
    assert (tmp_path / "3.wav").read_bytes() == members["3.wav"]
    with pytest.raises(OSError, match="is not available"):
        read_member(view, directory.members["1.wav"], source="x.zip")


def test_an_archive_past_four_gigabytes_is_read_by_its_zip64_records(tmp_path: Path) -> None:
    # 5 GiB of stored zeros, of which the disk holds none: the members behind them need zip64 offsets.
    path = tmp_path / "large.zip"
    hole = 5 << 30
    with path.open("wb") as stream, zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("first.midi", b"MThd")
        stream.seek(hole)
        archive.start_dir = hole  # where the next member is appended
        archive.writestr("last.wav", b"RIFF" * 100)
    asked: list[tuple[int, int]] = []
    with path.open("rb") as stream:
        size = path.stat().st_size

        def fetch(start: int, stop: int) -> bytes:
            asked.append((start, stop))
            stream.seek(start)
            return stream.read(stop - start)

        view = io.BufferedReader(SpanFile(size, [], fetch))
        directory = read_directory(view, "large.zip")
        assert directory.members["last.wav"].start == hole
        assert read_member(view, directory.members["last.wav"], source="x") == b"RIFF" * 100
    assert sum(stop - start for start, stop in asked) < 100_000


@pytest.mark.parametrize(
    "name",
    [
        "../out.wav",
        "a/../../out.wav",
        "/etc/out.wav",
        "a\\..\\out.wav",
        "C:/out.wav",
        "c:out.wav",
        "a//b.wav",
        "./a.wav",
        "a/./b.wav",
        "..",
        "",
        "a\nb.wav",
        "a\0b.wav",
    ],
)
def test_names_that_leave_the_folder_are_refused(name: str) -> None:
    with pytest.raises(InputError, match="would leave the folder"):
        checked_name(name, "x.zip")
    if name:
        # zipfile cuts a name at NUL when it writes, so that one is put in afterwards
        shown = name.replace("\0", "?").encode()
        whole = zipped({"good.wav": b"x", shown.decode(): b"x"}).replace(shown, name.encode())
        with pytest.raises(InputError, match="would leave the folder"):
            read_directory(io.BytesIO(whole), "x.zip")


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO])
def test_links_and_devices_are_refused(kind: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        info = zipfile.ZipInfo("take.wav")
        info.external_attr = (kind | 0o777) << 16
        archive.writestr(info, "/etc/passwd")
    with pytest.raises(InputError, match=r"'take.wav', which is a link or a device"):
        read_directory(buffer, "x.zip")


def test_folders_are_passed_over() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.mkdir("2018")
        archive.writestr("2018/a.wav", b"x")
    assert list(read_directory(buffer, "x.zip").members) == ["2018/a.wav"]


def table_of(whole: bytes) -> int:
    return whole.index(b"PK\x01\x02")


def patched(whole: bytes, offset: int, value: int, n_bytes: int = 4) -> bytes:
    at = table_of(whole) + offset
    return whole[:at] + value.to_bytes(n_bytes, "little") + whole[at + n_bytes :]


# Offsets in a central directory record (APPNOTE 4.3.12): 8 flags, 10 method, 16 CRC-32, 20 packed and
# 24 unpacked size.
@pytest.mark.parametrize(
    ("offset", "value", "n_bytes", "problem"),
    [
        (8, 1, 2, "is encrypted"),
        (10, 12, 2, "is packed by method 12"),
        (24, 900_000_000, 4, "states 900,000,000 bytes for"),
        (20, 60_000, 4, "overlaps another member"),
    ],
)
def test_members_that_lie_are_refused(offset: int, value: int, n_bytes: int, problem: str) -> None:
    whole = patched(zipped({"a.wav": b"abc" * 9999}), offset, value, n_bytes)
    with pytest.raises(InputError, match=f"'a.wav', which {problem}"):
        read_directory(io.BytesIO(whole), "x.zip")


def test_two_sizes_of_a_stored_member_must_agree() -> None:
    whole = patched(zipped({"a.wav": b"abc" * 999}, zipfile.ZIP_STORED), 24, 30_000)
    with pytest.raises(InputError, match="is stored, but its two sizes differ"):
        read_directory(io.BytesIO(whole), "x.zip")


def test_a_name_that_stands_twice_is_refused() -> None:
    with pytest.raises(InputError, match=r"has 'A\.wav' twice"):
        read_directory(io.BytesIO(zipped({"a.wav": b"x", "A.wav": b"y"})), "x.zip")


@pytest.mark.parametrize(("offset", "value"), [(16, 12345), (24, 20_000), (24, 40_000)])
def test_a_size_or_crc_that_is_not_true_leaves_no_file(offset: int, value: int, tmp_path: Path) -> None:
    whole = patched(zipped({"a.wav": b"abc" * 10_000}), offset, value)
    archive = io.BytesIO(whole)
    member = read_directory(archive, "x.zip").members["a.wav"]
    with pytest.raises(DamagedMemberError, match=r"x\.zip, member a\.wav: is damaged"):
        extract_member(archive, member, tmp_path / "a.wav", source="x.zip", max_bytes=MAX_BYTES)
    assert list(tmp_path.iterdir()) == []


def test_every_changed_byte_of_the_data_is_noticed(rng: np.random.Generator) -> None:
    content = bytes(rng.integers(0, 8, 400, dtype=np.uint8))
    whole = zipped({"a.wav": content})
    member = read_directory(io.BytesIO(whole), "x.zip").members["a.wav"]
    n_noticed = 0
    data_start = 30 + len("a.wav")
    for at in range(data_start, member.stop):
        broken = bytearray(whole)
        broken[at] ^= 0x55
        try:
            assert read_member(io.BytesIO(bytes(broken)), member, source="x.zip") == content
        except DamagedMemberError:
            n_noticed += 1
    # The bits behind the last code of a deflate stream mean nothing.
    assert n_noticed >= member.stop - data_start - 1


def test_a_member_larger_than_its_kind_may_be_is_refused(tmp_path: Path) -> None:
    archive = io.BytesIO(zipped({"a.wav": bytes(2000)}))
    member = read_directory(archive, "x.zip").members["a.wav"]
    with pytest.raises(InputError, match=r"would have 2,000 bytes \(allowed: up to 1,999\)"):
        extract_member(archive, member, tmp_path / "a.wav", source="x.zip", max_bytes=1999)
    extract_member(archive, member, tmp_path / "a.wav", source="x.zip", max_bytes=2000)
    assert (tmp_path / "a.wav").stat().st_size == 2000


@pytest.mark.parametrize("share", [0.0, 0.3, 0.99])
def test_what_is_no_complete_archive_is_one_line(share: float) -> None:
    whole = zipped({"a.wav": b"abc" * 999})
    with pytest.raises(InputError, match=r"x\.zip: is no complete zip archive"):
        read_directory(io.BytesIO(whole[: int(share * len(whole))]), "x.zip")
