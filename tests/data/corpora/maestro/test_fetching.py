"""MAESTRO arrives whole from a server, an archive or a folder, and never twice."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest

from http_faults import FAULTS, FaultyServer, fault_plan, serving
from maestro_example import SmallMaestro, small_maestro
from tocco.apps.commands import maestro as command
from tocco.data.corpora.maestro import sources as maestro_sources
from tocco.data.corpora.maestro.fetching import LEDGER, Ledger, exclusive_access, fetch, make_plan, sweep
from tocco.data.corpora.maestro.index import parse_index
from tocco.data.corpora.maestro.sources import LocalArchive, LocalFolder, Server
from tocco.data.downloading import Downloader, note_of, part_of
from tocco.data.http_answers import Patience
from tocco.data.records import read_labels
from tocco.errors import InputError, OutputError

NO_WAIT = Patience(attempts=1000, first_wait_sec=0.0, longest_wait_sec=0.0)
BRIEF = Patience(attempts=3, first_wait_sec=0.0, longest_wait_sec=0.0)

Usage = namedtuple("Usage", "total used free")


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    # The made-up archives are small: with this their members lie outside of what the directory costs.
    monkeypatch.setattr(maestro_sources, "_TAIL_BYTES", 3000)


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> SmallMaestro:
    return small_maestro(20, tmp_path_factory.mktemp("small"))


def run(
    small: SmallMaestro,
    output: Path,
    source: str,
    *,
    subset: int | None = None,
    seed: int = 0,
    jobs: int = 3,
    dry_run: bool = False,
    patience: Patience = NO_WAIT,
) -> None:
    command.maestro(
        output,
        subset=subset,
        seed=seed,
        source=source,
        jobs=jobs,
        dry_run=dry_run,
        release=small.release,
        downloader=Downloader(patience),
    )


def assert_complete(small: SmallMaestro, output: Path, n: int | None = None) -> None:
    """Every file is right, the checksums too, nothing is left over, and metadata and manifest agree."""
    rows = list(csv.DictReader((output / "metadata.csv").read_text(encoding="utf-8").splitlines()))
    assert len(rows) == (n if n is not None else len(small.files) // 2)
    sums = {}
    for row in rows:
        for kind, suffix in (("audio", "wav"), ("midi", "midi")):
            path = output / row[f"{kind}_path"]
            content = small.files[f"{row['year']}/{path.stem}.{suffix}"]
            assert path.read_bytes() == content
            sums[row[f"{kind}_path"]] = hashlib.sha256(content).hexdigest()
    lines = (output / "checksums.sha256").read_text().splitlines()
    assert dict(reversed(line.split("  ")) for line in lines) == sums
    records = read_labels(output / "performances.jsonl", must_exist=True)
    assert [str(r.audio_path) for r in records] == [str(output / row["audio_path"]) for row in rows]
    assert list(output.rglob("*/*/.*")) == []
    assert "CC BY-NC-SA 4.0" in (output / "CORPUS.md").read_text()
    assert "Hawthorne" in (output / "CORPUS.md").read_text()


def test_three_hundred_interruptions_leave_the_corpus_right(small: SmallMaestro, tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    published = small.published()
    # The publisher replaces the archive meanwhile: the same files in another order, at other places.
    archive = f"/{small.release.audio_archive}"
    files = {path: [content] for path, content in published.items()}
    files[archive] = [small.archive(rng) for _ in range(60)]
    server = FaultyServer(files, plan=fault_plan(300, rng), rng=rng, fault_share=0.9)
    with serving(server):
        run(small, tmp_path / "out", server.url)
        assert server.faults.total() == 300
        assert set(server.faults) == set(FAULTS)
        assert server.version[archive] >= 20
        assert_complete(small, tmp_path / "out")
        before = dict(server.requests)
        run(small, tmp_path / "out", server.url)
        assert server.requests == before  # no request of any kind
    assert_complete(small, tmp_path / "out")


def test_a_part_costs_its_own_bytes_alone(small: SmallMaestro, tmp_path: Path) -> None:
    archive = f"/{small.release.audio_archive}"
    with serving(FaultyServer({path: [content] for path, content in small.published().items()})) as server:
        run(small, tmp_path / "out", server.url, subset=3)
        sent = server.sent_bytes
        assert_complete(small, tmp_path / "out", 3)
        sizes = {path: len(content) for path, content in small.published().items()}
        assert sent < sum(sizes.values()) - 0.5 * sizes[archive]
        run(small, tmp_path / "out", server.url, subset=6)
        assert_complete(small, tmp_path / "out", 6)
        # The three from before, the index and the MIDI archive are not asked for again.
        again = [path for path, _ in server.asked]
        assert again.count(f"/{small.release.midi_archive}") == 1
        assert again.count(f"/{small.release.index_name}") == 1


def test_a_smaller_choice_later_keeps_what_is_here(small: SmallMaestro, tmp_path: Path) -> None:
    source = str(small.unpacked(tmp_path / "in"))
    run(small, tmp_path / "out", source, subset=6)
    run(small, tmp_path / "out", source, subset=2)
    assert_complete(small, tmp_path / "out", 6)


def test_an_archive_and_a_folder_on_disk_give_the_same_bytes(small: SmallMaestro, tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(small.archive())
    (tmp_path / "mirror").mkdir()
    (tmp_path / "mirror" / small.release.audio_archive).write_bytes(small.archive())
    small.unpacked(tmp_path / "in")
    for name, source in (("a", "all.zip"), ("b", "mirror"), ("c", "in")):
        run(small, tmp_path / name, str(tmp_path / source), subset=7)
        assert_complete(small, tmp_path / name, 7)
    for path in sorted(p for p in (tmp_path / "a").rglob("*") if p.is_file() and not p.name.startswith(".")):
        for other in ("b", "c"):
            assert (tmp_path / other / path.relative_to(tmp_path / "a")).read_bytes() == path.read_bytes()


def test_a_lost_or_shortened_file_is_fetched_again(small: SmallMaestro, tmp_path: Path) -> None:
    source = str(small.unpacked(tmp_path / "in"))
    run(small, tmp_path / "out", source, subset=4)
    wavs = sorted((tmp_path / "out").rglob("*.wav"))
    wavs[0].unlink()
    wavs[1].write_bytes(b"RIFF")
    run(small, tmp_path / "out", source, subset=4)
    assert_complete(small, tmp_path / "out", 4)


def test_a_file_without_an_entry_is_taken_over_if_it_is_right(small: SmallMaestro, tmp_path: Path) -> None:
    out = tmp_path / "out"
    (tmp_path / "all.zip").write_bytes(small.archive())
    run(small, out, str(tmp_path / "all.zip"), subset=4)
    lines = (out / LEDGER).read_text().splitlines()
    # Killed between the file and its entry, and once more in the middle of an entry.
    (out / LEDGER).write_text("\n".join(lines[:3]) + "\n" + lines[3][:20])
    wrong = out / json.loads(lines[4])["path"]
    wrong.write_bytes(bytes(wrong.stat().st_size))
    kept = out / json.loads(lines[5])["path"]
    before = kept.stat().st_mtime_ns
    run(small, out, str(tmp_path / "all.zip"), subset=4)
    assert_complete(small, out, 4)
    assert kept.stat().st_mtime_ns == before
    assert {json.loads(line)["path"] for line in lines} == {
        path for path in (json.loads(line)["path"] for line in lines) if Ledger(out).has(path)
    }


def test_a_dry_run_writes_nothing_and_names_files_and_sizes(
    small: SmallMaestro, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    archive, midi = f"/{small.release.audio_archive}", f"/{small.release.midi_archive}"
    with serving(FaultyServer({path: [content] for path, content in small.published().items()})) as server:
        run(small, tmp_path / "out", server.url, subset=3, dry_run=True)
    assert not (tmp_path / "out").exists()
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 7
    assert lines[0].startswith("2004/audio/MIDI-")
    assert lines[-1].startswith("3 recordings, 0.0 h; 6 files to fetch: ")
    assert midi not in {path for path, _ in server.asked}
    size = len(small.published()[archive])
    assert all(start >= size - 3000 - 8192 for path, start in server.asked if path == archive)


def test_a_full_disk_is_told_before_anything_is_fetched(
    small: SmallMaestro, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: Usage(10**9, 10**9 - 10**6, 10**6))
    with pytest.raises(OutputError, match=r"has room for 0\.0 GB, and 0\.1 GB are needed"):
        run(small, tmp_path / "out", str(small.unpacked(tmp_path / "in")))
    assert not (tmp_path / "out").exists()


def test_the_room_counts_parts_that_lie_beside_the_files(small: SmallMaestro, tmp_path: Path) -> None:
    (tmp_path / "all.zip").write_bytes(small.archive())
    source = LocalArchive(tmp_path / "all.zip", small.release, lambda n: None)
    plan = make_plan(source, parse_index(source.index(), "x"), tmp_path / "out")
    assert plan.size_bytes == sum(len(c) for name, c in small.files.items() if name != "small.csv")
    largest = sorted((file.transfer_bytes for file in plan.missing), reverse=True)
    assert plan.room_bytes(2) == plan.size_bytes + largest[0] + largest[1]


def test_two_runs_in_one_folder_are_kept_apart(small: SmallMaestro, tmp_path: Path) -> None:
    source = str(small.unpacked(tmp_path / "in"))
    (tmp_path / "out").mkdir()
    with (
        exclusive_access(tmp_path / "out"),
        pytest.raises(OutputError, match="is in use by another run"),
    ):
        run(small, tmp_path / "out", source)
    run(small, tmp_path / "out", source, subset=1)


def test_a_broken_server_ends_with_one_line_and_keeps_what_is_done(
    small: SmallMaestro, tmp_path: Path
) -> None:
    files = {path: [content] for path, content in small.published().items()}
    server = FaultyServer(files)
    with serving(server):
        run(small, tmp_path / "out", server.url, subset=2)
        server.plan, server.fault_share = ["503"] * 1000, 1.0
        with pytest.raises(InputError, match=r"answers 503 \(3 attempts in a row\)"):
            run(small, tmp_path / "out", server.url, subset=9, patience=BRIEF)
        assert server.faults["503"] <= 3 * (1 + 3)  # no new file is begun after the first that failed
        server.plan.clear()
        run(small, tmp_path / "out", server.url, subset=9)
    assert_complete(small, tmp_path / "out", 9)


def test_a_member_that_is_damaged_on_the_server_is_refused(small: SmallMaestro, tmp_path: Path) -> None:
    broken = bytearray(small.archive())
    first = next(iter(zipfile.ZipFile(io.BytesIO(bytes(broken))).infolist()[1:]))
    broken[first.header_offset + 30 + len(first.filename) + 5] ^= 0xFF
    files = {path: [content] for path, content in small.published().items()}
    files[f"/{small.release.audio_archive}"] = [bytes(broken)]
    with serving(FaultyServer(files)) as server, pytest.raises(InputError, match=r"is damaged"):
        run(small, tmp_path / "out", server.url, patience=BRIEF)
    target = tmp_path / "out" / "2004" / "audio" / Path(first.filename).name
    assert not target.exists()
    assert not part_of(target).exists()


@pytest.mark.parametrize("which", ["index", "midi"])
def test_other_than_the_published_bytes_are_refused(which: str, small: SmallMaestro, tmp_path: Path) -> None:
    files = dict(small.published())
    if which == "index":
        files["/small.csv"] = files["/small.csv"].replace(b"Sonata No. 1", b"Sonata No. 7")
    else:
        files["/small-midi.zip"] += b" "
    with (
        serving(FaultyServer({path: [content] for path, content in files.items()})) as server,
        pytest.raises(InputError, match="has the SHA-256"),
    ):
        run(small, tmp_path / "out", server.url, patience=BRIEF)


def test_a_file_that_is_too_large_for_its_length_is_refused(small: SmallMaestro, tmp_path: Path) -> None:
    folder = small.unpacked(tmp_path / "in")
    recording = parse_index(small.files["small.csv"].decode(), "x")[0]
    with (folder / recording.audio_name).open("r+b") as stream:
        stream.truncate(recording.max_audio_bytes + 1)
    with pytest.raises(InputError, match=r"bytes \(allowed: up to"):
        run(small, tmp_path / "out", str(folder))


def test_a_source_without_the_audio_names_the_file(small: SmallMaestro, tmp_path: Path) -> None:
    (tmp_path / "midi.zip").write_bytes(small.archive(audio=False))
    with pytest.raises(InputError, match=r"has no small/2004/MIDI-Unprocessed_00_.*\.wav"):
        run(small, tmp_path / "out", str(tmp_path / "midi.zip"))
    folder = small.unpacked(tmp_path / "in")
    (folder / "2004" / "MIDI-Unprocessed_00_R1_2004_wav--1.wav").unlink()
    with pytest.raises(InputError, match=r"has no 2004/MIDI-Unprocessed_00_.*\.wav"):
        run(small, tmp_path / "out", str(folder))


def test_a_link_out_of_the_source_is_refused(small: SmallMaestro, tmp_path: Path) -> None:
    folder = small.unpacked(tmp_path / "in")
    secret = tmp_path / "secret"
    secret.write_bytes(b"key")
    link = folder / "2004" / "MIDI-Unprocessed_00_R1_2004_wav--1.wav"
    link.unlink()
    link.symlink_to(secret)
    with pytest.raises(InputError, match="a link to another folder"):
        run(small, tmp_path / "out", str(folder))


def test_invalid_sources_are_reported(small: SmallMaestro, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="is not a source"):
        run(small, tmp_path / "out", str(tmp_path / "nowhere"))
    with pytest.raises(InputError, match="is there a network"):
        run(small, tmp_path / "out", "http://127.0.0.1:1", patience=BRIEF)
    (tmp_path / "text.zip").write_text("no archive")
    with pytest.raises(InputError, match="is no complete zip archive"):
        run(small, tmp_path / "out", str(tmp_path / "text.zip"))
    folder = small.unpacked(tmp_path / "in")
    with pytest.raises(OutputError, match="lies inside the source"):
        run(small, folder / "out", str(folder))


def test_progress_counts_what_travels(small: SmallMaestro, tmp_path: Path) -> None:
    moved: list[int] = []
    with serving(FaultyServer({path: [content] for path, content in small.published().items()})) as server:
        source = Server(server.url, small.release, Downloader(NO_WAIT, moved.append), tmp_path)
        plan = make_plan(source, parse_index(source.index(), "x"), tmp_path)
        moved.clear()
        fetch(source, plan, tmp_path, jobs=2)
    assert sum(moved) == plan.transfer_bytes
    folder = LocalFolder(small.unpacked(tmp_path / "in"), small.release, moved.append)
    moved.clear()
    plan = make_plan(folder, parse_index(folder.index(), "x"), tmp_path / "out")
    fetch(folder, plan, tmp_path / "out", jobs=2)
    assert sum(moved) == plan.transfer_bytes == plan.size_bytes


_CHILD = """
import json, sys
from pathlib import Path
from tocco.apps.commands import maestro
from tocco.data.corpora.maestro import sources as maestro_sources
from tocco.data.corpora.maestro.index import Release
maestro_sources._TAIL_BYTES = 3000
release = Release(**json.loads(sys.argv[3]))
maestro.maestro(
    Path(sys.argv[1]), subset=None, seed=0, source=sys.argv[2], jobs=2, dry_run=False, release=release
)
"""


def test_a_run_that_is_killed_goes_on(small: SmallMaestro, tmp_path: Path) -> None:
    out = tmp_path / "out"
    server = FaultyServer({path: [content] for path, content in small.published().items()}, pause_sec=0.02)
    with serving(server):
        arguments = [str(out), server.url, json.dumps(vars(small.release))]
        child = subprocess.Popen([sys.executable, "-c", _CHILD, *arguments], env={**os.environ})
        limit = time.monotonic() + 60.0
        while not ((out / LEDGER).is_file() and len((out / LEDGER).read_bytes().splitlines()) >= 5):
            assert time.monotonic() < limit
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        done = list(out.rglob("MIDI*.wav"))
        stamps = {path: path.stat().st_mtime_ns for path in done}
        assert not (out / "metadata.csv").exists()
        server.pause_sec = 0.0
        run(small, out, server.url)
    assert_complete(small, out)
    assert {path: path.stat().st_mtime_ns for path in done} == stamps


def test_what_a_killed_run_left_beside_a_whole_file_is_swept(tmp_path: Path) -> None:
    whole, begun = tmp_path / "2005/audio/MIDI-1.wav", tmp_path / "2005/audio/MIDI-2.wav"
    whole.parent.mkdir(parents=True)
    whole.write_bytes(b"whole")
    for target in (whole, begun):
        part_of(target).write_bytes(b"pa")
        note_of(part_of(target)).write_bytes(b"{}")
    (whole.parent / ".MIDI-3-0123abcd.wav").write_bytes(b"half")
    sweep(tmp_path)
    left = {whole, part_of(begun), note_of(part_of(begun))}
    assert set(whole.parent.iterdir()) == left
