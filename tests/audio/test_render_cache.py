"""Renderings that are made once, identified by a key, and never half written."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from render_example import installed, level_dbfs, performance
from tocco.audio import render_cache
from tocco.audio.render_cache import RendererPool, play, render_facts, render_key, render_to
from tocco.audio.render_setting import RenderSetting
from tocco.audio.rendering import loudness_lufs, read_comment, write_flac
from tocco.errors import InputError, OutputError
from tocco.music.performance import PedalCurve, Performance

PLAYED = performance([(0.1, 0.6, 60, 80), (0.4, 0.9, 67, 60)], [(0.2, 60), (0.8, 0)])

pytestmark = pytest.mark.render


@pytest.fixture(scope="module")
def setting() -> RenderSetting:
    return RenderSetting(installed("timgm6mb"))


@pytest.fixture(scope="module")
def pool() -> Iterator[RendererPool]:
    with RendererPool() as loaded:
        yield loaded


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


def test_a_rendering_is_as_loud_as_it_says(setting, pool, tmp_path: Path) -> None:
    made = render_to(tmp_path / "a.flac", PLAYED, replace(setting, level_db=-5.0), pool)
    audio, _ = soundfile.read(tmp_path / "a.flac")
    assert loudness_lufs(audio) == pytest.approx(-28.0, abs=0.05)
    assert made.facts.loudness_lufs == pytest.approx(-28.0, abs=0.01)
    assert made.facts.peak_dbfs == pytest.approx(20 * np.log10(np.abs(audio).max()), abs=0.01)
    assert made.facts.duration_sec == pytest.approx(len(audio) / 24_000, abs=0.001)
    assert (made.facts.n_notes, made.facts.licence, made.outcome) == (2, "GPL-2", "rendered")
    loud = render_to(tmp_path / "b.flac", PLAYED, replace(setting, level_db=12.0), pool)
    audio, _ = soundfile.read(tmp_path / "b.flac")
    assert loud.facts.held_down_by_peak
    assert 20 * np.log10(np.abs(audio).max()) <= -1.0 + 2e-4


def test_what_is_there_is_kept_and_the_same_key_gives_the_same_bytes(setting, pool, tmp_path: Path) -> None:
    first = render_to(tmp_path / "a.flac", PLAYED, setting, pool)
    before = (tmp_path / "a.flac").stat().st_mtime_ns
    again = render_to(tmp_path / "a.flac", PLAYED, setting, pool)
    assert (first.outcome, again.outcome) == ("rendered", "kept")
    assert again.facts == first.facts
    assert (tmp_path / "a.flac").stat().st_mtime_ns == before
    with RendererPool() as fresh:
        render_to(tmp_path / "b.flac", PLAYED, setting, fresh)
    assert (tmp_path / "a.flac").read_bytes() == (tmp_path / "b.flac").read_bytes()
    assert files(tmp_path) == ["a.flac", "b.flac"]


def test_the_cache_serves_every_target(setting, pool, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    outcomes = [
        render_to(tmp_path / name, PLAYED, setting, pool, cache=cache).outcome
        for name in ("a.flac", "b.flac")
    ]
    assert outcomes == ["rendered", "cached"]
    key = render_key(PLAYED, setting)
    entry = cache / key[:2] / f"{key}.flac"
    assert entry.read_bytes() == (tmp_path / "b.flac").read_bytes()
    entry.write_bytes(b"rot")
    assert render_to(tmp_path / "c.flac", PLAYED, setting, pool, cache=cache).outcome == "rendered"
    assert (tmp_path / "c.flac").read_bytes() == (tmp_path / "a.flac").read_bytes()


def test_every_change_changes_the_key(setting) -> None:
    other_program = replace(setting, instrument=replace(setting.instrument, preset=1))
    keys = [
        render_key(PLAYED, setting),
        render_key(replace(PLAYED, velocity=PLAYED.velocity + 1), setting),
        render_key(replace(PLAYED, sustain=PedalCurve()), setting),
        render_key(PLAYED, other_program),
        render_key(PLAYED, replace(setting, level_db=1.0)),
        render_key(PLAYED, replace(setting, half_pedal=False)),
        render_key(PLAYED, replace(setting, room="bedroom")),
        render_key(PLAYED, replace(setting, room="bedroom", room_seed=1)),
    ]
    assert len(set(keys)) == len(keys)
    assert render_key(replace(PLAYED, source="elsewhere.mid"), setting) == keys[0]


def test_a_change_of_this_code_changes_the_key(setting, monkeypatch) -> None:
    before = render_key(PLAYED, setting)
    monkeypatch.setattr(render_cache, "_versions", lambda: ("renderer 99",))
    assert render_key(PLAYED, setting) != before


def test_another_rendering_is_replaced_but_no_recording(setting, pool, tmp_path: Path) -> None:
    target = tmp_path / "a.flac"
    render_to(target, PLAYED, setting, pool)
    other = render_to(target, PLAYED, replace(setting, level_db=-3.0), pool)
    assert other.outcome == "rendered"
    assert render_facts(target) == other.facts
    write_flac(target, np.full(100, 0.5))
    recording = target.read_bytes()
    with pytest.raises(OutputError, match=r"a\.flac: is in the way"):
        render_to(target, PLAYED, setting, pool)
    assert target.read_bytes() == recording
    assert render_to(target, PLAYED, setting, pool, overwrite=True).outcome == "rendered"


def test_a_room_rings_on_and_moves_nothing(setting, pool) -> None:
    dry = play(PLAYED, setting, pool).waveform
    wet = play(PLAYED, replace(setting, room="church", room_seed=4), pool).waveform
    first = [int(np.argmax(np.abs(audio) > 0.05 * np.abs(audio).max())) for audio in (dry, wet)]
    assert abs(first[0] - first[1]) < 0.005 * 24_000
    assert len(wet) > len(dry) + 12_000
    at_end = len(dry) / 24_000
    assert level_dbfs(wet, at_end - 0.1, at_end) > level_dbfs(dry, at_end - 0.1, at_end) + 10


def test_a_file_that_is_no_rendering_has_no_facts(tmp_path: Path) -> None:
    assert render_facts(tmp_path / "none.flac") is None
    (tmp_path / "text.flac").write_text("no audio")
    assert render_facts(tmp_path / "text.flac") is None
    write_flac(tmp_path / "other.flac", np.zeros(10), comment='{"key": "x"}')
    assert read_comment(tmp_path / "other.flac") == '{"key": "x"}'
    assert render_facts(tmp_path / "other.flac") is None


def test_a_disk_that_fails_leaves_nothing(setting, pool, tmp_path: Path, monkeypatch) -> None:
    def full(self: soundfile.SoundFile, data: np.ndarray) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(soundfile.SoundFile, "write", full)
    with pytest.raises(OutputError, match="No space left"):
        render_to(tmp_path / "a.flac", PLAYED, setting, pool, cache=tmp_path / "cache")
    assert files(tmp_path) == []


def test_silence_is_refused(setting, pool, tmp_path: Path) -> None:
    below_the_keyboard = replace(PLAYED, velocity=np.array([1, 1]), source="soft.mid")
    gone = replace(below_the_keyboard, onset_sec=np.array([-9.0, -9.0]), offset_sec=np.array([-8.0, -8.0]))
    with pytest.raises(InputError, match=r"soft\.mid: (gives no sound|sounds at)"):
        render_to(tmp_path / "a.flac", replace(gone, duration_sec=1.0), setting, pool)
    assert files(tmp_path) == []


def many() -> list[Performance]:
    return [performance([(0.0, 0.3, 50 + k, 80)]) for k in range(24)]


def render_many(folder: Path, setting: RenderSetting) -> None:
    with RendererPool() as pool:
        for k, played in enumerate(many()):
            render_to(folder / f"{k}.flac", played, setting, pool, cache=folder / "cache")


@pytest.mark.slow
def test_two_processes_at_once_and_one_that_is_killed_leave_whole_files(setting, tmp_path: Path) -> None:
    fresh = multiprocessing.get_context("spawn")
    both, killed = tmp_path / "both", tmp_path / "killed"
    pair = [fresh.Process(target=render_many, args=(both, setting)) for _ in range(2)]
    victim = fresh.Process(target=render_many, args=(killed, setting))
    for process in (*pair, victim):
        process.start()
    while not (killed / "3.flac").exists():
        time.sleep(0.002)
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    for process in (*pair, victim):
        process.join()
    assert [process.exitcode for process in pair] == [0, 0]
    survivors = [path for path in killed.rglob("*.flac") if not path.name.startswith(".")]
    assert 4 <= len(survivors) < 48
    for path in survivors:
        facts = render_facts(path)
        assert facts is not None
        assert len(soundfile.read(path)[0]) == round(facts.duration_sec * 24_000) or facts.n_notes == 1
    render_many(killed, setting)
    for k in range(24):
        assert (killed / f"{k}.flac").read_bytes() == (both / f"{k}.flac").read_bytes()
    assert not [path for path in both.rglob("*") if path.name.startswith(".")]
