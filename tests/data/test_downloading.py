"""Downloads arrive whole and right, whatever the line does."""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from http_faults import FAULTS, FaultyServer, fault_plan, serving
from tocco.data.downloading import Downloader, note_of, part_of
from tocco.data.http_answers import Patience, SourceChangedError
from tocco.errors import InputError, OutputError

NO_WAIT = Patience(attempts=1000, first_wait_sec=0.0, longest_wait_sec=0.0)
BRIEF = Patience(attempts=3, first_wait_sec=0.0, longest_wait_sec=0.0)


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def test_a_plain_download_is_one_head_and_one_get(tmp_path: Path, rng: np.random.Generator) -> None:
    content = rng.bytes(200_000)
    with serving(FaultyServer({"/a": [content]})) as server:
        arrived: list[int] = []
        found = Downloader(NO_WAIT, arrived.append).fetch_file(f"{server.url}/a", tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == content
    assert found == sha256(content)
    assert sum(arrived) == len(content)
    assert server.requests == {"HEAD": 1, "GET": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_three_hundred_interruptions_leave_every_file_right(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    files = {f"/{n}": [rng.bytes(int(size)) for size in rng.integers(0, 40_000, size=60)] for n in range(16)}
    with serving(FaultyServer(files, plan=fault_plan(300, rng), rng=rng)) as server:
        downloader = Downloader(NO_WAIT)

        def bring(name: str) -> str:
            return downloader.fetch_file(f"{server.url}{name}", tmp_path / name[1:])

        with ThreadPoolExecutor(4) as pool:
            found = dict(zip(files, pool.map(bring, files), strict=True))
        while server.plan:  # what the set was too small for
            for name in files:
                found[name] = bring(name)
    assert server.faults.total() == 300
    assert set(server.faults) == set(FAULTS)
    for name in files:
        assert (tmp_path / name[1:]).read_bytes() == server.content(name)
        assert found[name] == sha256(server.content(name))
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(name[1:] for name in files)


def test_a_broken_line_goes_on_behind_the_last_byte(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    content = rng.bytes(100_000)
    plan = ["drop", "reset", "truncate", "drop"]
    server = FaultyServer({"/a": [content]}, plan=plan, fault_share=1.0, rng=rng)
    with serving(server):
        Downloader(NO_WAIT).fetch_file(f"{server.url}/a", tmp_path / "a")
    starts = [start for _, start in server.asked]
    assert len(starts) == 5
    assert starts == sorted(starts)
    assert starts[-1] > starts[0] == 0
    # A reset may cost what lay in the receiver's buffer; a line that merely ends costs nothing.
    assert server.sent_bytes < 2 * len(content)
    assert (tmp_path / "a").read_bytes() == content


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_alone_is_survived(fault: str, tmp_path: Path, rng: np.random.Generator) -> None:
    old, new = rng.bytes(30_000), rng.bytes(20_000)
    with serving(FaultyServer({"/a": [old, new]}, plan=[fault] * 2, fault_share=1.0, rng=rng)) as server:
        Downloader(NO_WAIT).fetch_file(f"{server.url}/a", tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == server.content("/a")
        assert server.content("/a") == (new if fault == "replace" else old)


def test_a_part_of_another_version_is_thrown_away(tmp_path: Path, rng: np.random.Generator) -> None:
    old, new = rng.bytes(50_000), rng.bytes(50_000)
    server = FaultyServer({"/a": [old, new]})
    target = tmp_path / "a"
    with serving(server):
        downloader = Downloader(NO_WAIT)
        remote = downloader.describe(f"{server.url}/a")
        downloader.fetch_span(remote, 0, len(old), part_of(target))
        part_of(target).write_bytes(old[:20_000])  # as if cut off
        server.version["/a"] = 1
        with pytest.raises(SourceChangedError, match="was replaced on the server"):
            downloader.fetch_span(remote, 0, len(old), part_of(target))
        assert part_of(target).read_bytes() == old[:20_000]
        downloader.fetch_file(f"{server.url}/a", target)
    assert target.read_bytes() == new
    assert server.asked[-1] == ("/a", 0)


def test_a_part_of_the_same_version_is_continued(tmp_path: Path, rng: np.random.Generator) -> None:
    content = rng.bytes(50_000)
    with serving(FaultyServer({"/a": [content]})) as server:
        downloader = Downloader(NO_WAIT)
        part = part_of(tmp_path / "a")
        downloader.fetch_span(downloader.describe(f"{server.url}/a"), 0, len(content), part)
        part.write_bytes(content[:31_000])
        downloader.fetch_file(f"{server.url}/a", tmp_path / "a")
    assert server.asked == [("/a", 0), ("/a", 31_000)]
    assert server.if_range == {server.etag("/a")}
    assert (tmp_path / "a").read_bytes() == content
    assert not note_of(part).exists()


def test_without_a_version_nothing_is_continued(tmp_path: Path, rng: np.random.Generator) -> None:
    content = rng.bytes(50_000)
    server = FaultyServer({"/a": [content]}, plan=["drop"], fault_share=1.0, states_etag=False, rng=rng)
    with serving(server):
        Downloader(NO_WAIT).fetch_file(f"{server.url}/a", tmp_path / "a")
    assert server.asked == [("/a", 0), ("/a", 0)]
    assert (tmp_path / "a").read_bytes() == content


def test_a_server_without_ranges_gives_whole_files_but_no_spans(
    tmp_path: Path, rng: np.random.Generator
) -> None:
    content = rng.bytes(50_000)
    server = FaultyServer({"/a": [content]}, plan=["drop"], fault_share=1.0, honours_ranges=False, rng=rng)
    with serving(server):
        downloader = Downloader(NO_WAIT)
        downloader.fetch_file(f"{server.url}/a", tmp_path / "a")
        assert (tmp_path / "a").read_bytes() == content
        with pytest.raises(InputError, match="without byte ranges"):
            downloader.read_span(downloader.describe(f"{server.url}/a"), 10, 20)


def test_spans_are_the_bytes_that_were_asked_for(rng: np.random.Generator) -> None:
    content = rng.bytes(1000)
    with serving(FaultyServer({"/a": [content]})) as server:
        downloader = Downloader(NO_WAIT)
        remote = downloader.describe(f"{server.url}/a")
        assert downloader.read_span(remote, 10, 20) == content[10:20]
        assert downloader.read_span(remote, 999, 1000) == content[999:]
        assert downloader.read_span(remote, 5, 5) == b""


def test_a_wrong_checksum_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    with serving(FaultyServer({"/a": [b"music"]})) as server:
        with pytest.raises(InputError, match=f"has the SHA-256 {sha256(b'music')}, not 00"):
            Downloader(BRIEF).fetch_file(f"{server.url}/a", tmp_path / "a", sha256="00")
        assert not (tmp_path / "a").exists()
        Downloader(BRIEF).fetch_file(f"{server.url}/a", tmp_path / "a", sha256=sha256(b"music"))
    assert (tmp_path / "a").read_bytes() == b"music"


def test_patience_ends_with_one_line(tmp_path: Path) -> None:
    plan = ["503"] * 100
    with (
        serving(FaultyServer({"/a": [b"music"]}, plan=plan, fault_share=1.0)) as server,
        pytest.raises(InputError) as caught,
    ):
        Downloader(BRIEF).fetch_file(f"{server.url}/a", tmp_path / "a")
    assert server.requests["GET"] == 3
    text = str(caught.value)
    assert text.endswith(
        "cannot be fetched: the server answers 503 (3 attempts in a row). "
        "Next: check the network and run the same command again: it continues where it stopped."
    )
    assert "\n" not in text
    assert caught.value.exit_code == 3


def test_no_network_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no connection to the server; is there a network\?"):
        Downloader(BRIEF).fetch_file("http://127.0.0.1:1/a", tmp_path / "a")
    with pytest.raises(InputError, match=r"name cannot be found; is there a network\?"):
        Downloader(BRIEF).fetch_file("http://nowhere.invalid/a", tmp_path / "a")


@pytest.mark.parametrize("url", ["nonsense", "ftp://127.0.0.1/a", "http://"])
def test_what_is_no_address_is_one_line(url: str) -> None:
    with pytest.raises(InputError, match="cannot be requested"):
        Downloader(BRIEF).describe(url)


def test_a_missing_file_is_not_tried_again() -> None:
    with serving(FaultyServer({"/a": [b"music"]})) as server:
        with pytest.raises(InputError, match="refused by the server \\(404 Not Found\\)"):
            Downloader(BRIEF).describe(f"{server.url}/b")
        assert server.requests == {"HEAD": 1}


def test_a_silent_server_is_given_up_unless_it_brings_something() -> None:
    content = b"music" * 600
    with serving(FaultyServer({"/a": [content]}, pause_sec=1.0)) as server:
        downloader = Downloader(Patience(attempts=2, first_wait_sec=0.0, silence_timeout_sec=0.5))
        remote = downloader.describe(f"{server.url}/a")
        assert downloader.read_span(remote, 0, 3000) == content  # 2 KiB before the silence
        assert server.asked == [("/a", 0), ("/a", 2048)]
        server.plan, server.fault_share = ["stall"] * 9, 1.0
        with pytest.raises(InputError, match=r"the server does not answer in time \(2 attempts in a row\)"):
            downloader.read_span(remote, 0, 3000)


@pytest.mark.parametrize(
    ("retry_after", "least_sec"),
    [("1", 1.0), ("0", 0.0), ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0), ("soon", 0.0)],
)
def test_a_pause_that_the_server_asks_for_is_kept(retry_after: str, least_sec: float) -> None:
    server = FaultyServer({"/a": [b"music"]}, plan=["503"], fault_share=1.0, retry_after=retry_after)
    with serving(server):
        downloader = Downloader(BRIEF)
        remote = downloader.describe(f"{server.url}/a")
        began = time.monotonic()
        assert downloader.read_span(remote, 0, 5) == b"music"
    assert least_sec <= time.monotonic() - began < least_sec + 1.0


def test_a_pause_beyond_patience_is_reported() -> None:
    server = FaultyServer({"/a": [b"music"]}, plan=["503"], fault_share=1.0, retry_after="7200")
    with serving(server):
        downloader = Downloader(BRIEF)
        remote = downloader.describe(f"{server.url}/a")
        with pytest.raises(InputError, match=r"is unavailable for 7200 s .*up to 300 s"):
            downloader.read_span(remote, 0, 5)


def test_a_stopped_downloader_ends_at_once(tmp_path: Path) -> None:
    with serving(FaultyServer({"/a": [b"music"]})) as server:
        downloader = Downloader(NO_WAIT)
        downloader.stop()
        with pytest.raises(InputError, match="because the run was stopped"):
            downloader.fetch_file(f"{server.url}/a", tmp_path / "a")
    assert not server.requests


def test_a_full_disk_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(FaultyServer({"/a": [b"music"]})) as server:
        downloader = Downloader(BRIEF)
        remote = downloader.describe(f"{server.url}/a")

        def full(handle: int) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="No space left on device"):
            downloader.fetch_span(remote, 0, 5, tmp_path / "a.part")


_CHILD = """
import sys
from pathlib import Path
from tocco.data.downloading import Downloader
Downloader().fetch_file(sys.argv[1], Path(sys.argv[2]))
"""


def test_a_killed_download_goes_on(tmp_path: Path, rng: np.random.Generator) -> None:
    content = rng.bytes(1_000_000)
    target = tmp_path / "a"
    server = FaultyServer({"/a": [content]}, pause_sec=0.01)  # five seconds for all of it
    with serving(server):
        child = subprocess.Popen([sys.executable, "-c", _CHILD, f"{server.url}/a", str(target)])
        limit = time.monotonic() + 30.0
        while not (part_of(target).is_file() and part_of(target).stat().st_size > 50_000):
            assert time.monotonic() < limit
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        have = part_of(target).stat().st_size
        assert not target.exists()
        server.pause_sec = 0.0
        Downloader(NO_WAIT).fetch_file(f"{server.url}/a", target)
    assert server.asked == [("/a", 0), ("/a", have)]
    assert target.read_bytes() == content
