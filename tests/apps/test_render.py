"""`tocco data render`, as it is typed."""

from __future__ import annotations

import csv
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from render_example import installed, performance
from tocco.apps.cli.main import app
from tocco.audio.render_cache import render_facts
from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError, MissingPartError, OutputError, UsageError
from tocco.music.midi import save_midi

pytestmark = pytest.mark.render


@pytest.fixture
def midi(tmp_path: Path) -> list[Path]:
    """Four short performances, of which the last two are alike but for their names."""
    installed("timgm6mb")
    paths = []
    for name, pitch in (("one", 60), ("two", 64), ("three", 67), ("four", 67)):
        paths.append(tmp_path / f"{name}.mid")
        save_midi(performance([(0.0, 0.4, pitch, 80), (0.3, 0.6, pitch + 12, 60)], [(0.1, 60)]), paths[-1])
    return paths


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(
        app, ["data", "render", *map(str, arguments), *("--soundfont", "timgm6mb")], catch_exceptions=False
    )
    assert result.exit_code in {0, 1}, result.output
    return result


def test_a_batch_is_drawn_rendered_reported_and_not_repeated(midi: list[Path], tmp_path: Path) -> None:
    out = tmp_path / "out"
    options = ("--seed", 7, "--level-db", "-6", "3", "--room", "any")
    first = run(*midi, "-o", out, *options, "--cache", tmp_path / "cache")
    assert "3 rendered, 1 from the cache, 0 present before, 0 failed" in first.output
    rows = list(csv.DictReader((out / "renderings.csv").read_text().splitlines()))
    assert [row["audio"] for row in rows] == ["one.flac", "two.flac", "three.flac", "four.flac"]
    assert {row["licence"] for row in rows} == {"GPL-2"}
    for row in rows:
        facts = render_facts(out / row["audio"])
        assert facts is not None
        assert (facts.key, facts.soundfont, f"{facts.level_db}") == (
            row["key"],
            row["soundfont"],
            row["level_db"],
        )
        assert -6.0 <= facts.level_db <= 3.0
    assert rows[2]["key"] == rows[3]["key"]
    assert (out / "three.flac").read_bytes() == (out / "four.flac").read_bytes()
    report = (out / "renderings.json").read_bytes()
    assert json.loads(report)["drawn_from"]["seed"] == 7
    second = run(*midi, "-o", out, *options)
    assert "0 rendered, 0 from the cache, 4 present before" in second.output
    assert (out / "renderings.json").read_bytes() == report


def test_several_processes_give_the_bytes_of_one(midi: list[Path], tmp_path: Path) -> None:
    run(*midi[:2], "-o", tmp_path / "one")
    run(*midi[:2], "-o", tmp_path / "two", "--jobs", 2)
    for name in ("one.flac", "two.flac", "renderings.csv", "renderings.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_one_file_alone(midi: list[Path], tmp_path: Path) -> None:
    result = run(midi[0], "-o", tmp_path / "take.flac", "--pedal", "on-off")
    assert "1 rendered" in result.output
    info = soundfile.info(tmp_path / "take.flac")
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
    facts = render_facts(tmp_path / "take.flac")
    assert facts is not None
    assert facts.half_pedal is False
    assert not list(tmp_path.glob("*.csv"))


def test_a_bad_file_does_not_end_the_batch(midi: list[Path], tmp_path: Path) -> None:
    bad = tmp_path / "bad.mid"
    bad.write_bytes(b"no midi at all")
    result = run(midi[0], bad, midi[1], "-o", tmp_path / "out")
    assert result.exit_code == 1
    assert "bad.mid" in result.stderr
    assert "2 rendered, 0 from the cache, 0 present before, 1 failed" in result.output
    report = json.loads((tmp_path / "out" / "renderings.json").read_text())
    assert [Path(failure["midi"]).name for failure in report["failed"]] == ["bad.mid"]
    assert [row["audio"] for row in report["renderings"]] == ["one.flac", "two.flac"]


def test_a_label_file_learns_of_its_audio(midi: list[Path], tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    twin = tmp_path / "sub" / "one.mid"
    twin.write_bytes(midi[1].read_bytes())
    records = [
        LabelRecord(
            segment_id=f"s{k}",
            piece_id="p",
            source="x",
            midi_path=path,
            start_time=0.1 * k,
            end_time=0.5,
            labels={"phrasing": 50.0},
        )
        for k, path in enumerate([midi[0], midi[0], twin, midi[1]])
    ]
    write_labels(records, tmp_path / "labels.jsonl")
    result = run("--labels", tmp_path / "labels.jsonl", "-o", tmp_path / "out")
    assert "4 of 4 records" in result.output
    assert "3 rendered" in result.output
    done = read_labels(tmp_path / "out" / "labels.jsonl", must_exist=True)
    assert [record.audio_path and record.audio_path.name for record in done] == [
        "one.flac",
        "one.flac",
        "sub_one.flac",
        "two.flac",
    ]
    for before, after in zip(records, done, strict=True):
        assert after.model_copy(update={"audio_path": None}) == before
    np.testing.assert_array_equal(
        soundfile.read(done[2].audio_path)[0], soundfile.read(done[3].audio_path)[0]
    )
    assert '"audio/one.flac"' in (tmp_path / "out" / "labels.jsonl").read_text()


def test_a_record_without_midi_is_named(tmp_path: Path) -> None:
    record = LabelRecord(
        segment_id="s1", piece_id="p", source="x", audio_path=tmp_path / "a.wav", labels={"phrasing": 50.0}
    )
    write_labels([record], tmp_path / "labels.jsonl")
    with pytest.raises(InputError, match="segment s1: has no midi_path"):
        run("--labels", tmp_path / "labels.jsonl", "-o", tmp_path / "out")


def test_what_cannot_be_asked_for_is_refused(midi: list[Path], tmp_path: Path, monkeypatch) -> None:
    def refused(kind: type[Exception], match: str, *arguments: object) -> None:
        with pytest.raises(kind, match=match):
            run(*arguments)

    refused(OutputError, "is one file for 2", *midi[:2], "-o", tmp_path / "a.flac")
    refused(OutputError, r"a\.wav: is not FLAC", midi[0], "-o", tmp_path / "a.wav")
    assert not (tmp_path / "a.wav").exists()
    refused(InputError, "names two", midi[0], midi[0], "-o", tmp_path / "out")
    refused(InputError, "--pedal: is 'quarter'", midi[0], "-o", tmp_path / "out", "--pedal", "quarter")
    refused(InputError, "--level-db: is 3 1", midi[0], "-o", tmp_path / "out", "--level-db", 3, 1)
    refused(InputError, "'church'", midi[0], "-o", tmp_path / "out", "--room", "chruch")
    refused(InputError, "does not exist", midi[0], tmp_path / "gone.mid", "-o", tmp_path / "out")
    monkeypatch.setattr("tocco.audio.rendering.soundfonts._SOUNDFONT_FOLDERS", ())
    refused(MissingPartError, "apt-get install timgm6mb-soundfont", midi[0], "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    refused(UsageError, "needs either MIDI files or --labels", "-o", "x")


@pytest.mark.slow
def test_an_interruption_stops_within_five_seconds_and_says_what_is_kept(tmp_path: Path) -> None:
    installed("timgm6mb")
    minute = [(second / 4, 0.2, 40 + second % 40, 80) for second in range(240)]
    for n in range(30):
        save_midi(
            performance([(t + n / 100, held, p, v) for t, held, p, v in minute], []), tmp_path / f"{n}.mid"
        )
    out = tmp_path / "out"
    command = [sys.executable, "-c", "from tocco.apps.cli.main import main; main()", "data", "render"]
    command += [*map(str, sorted(tmp_path.glob("*.mid"))), "-o", str(out), "--jobs", "2"]
    # A shell's background job would ignore the signal.
    start = "import signal, sys, os; signal.signal(signal.SIGINT, signal.default_int_handler); "
    command[2] = start + command[2]
    command += ["--soundfont", "timgm6mb"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        until = time.monotonic() + 120.0
        while not list(out.glob("[0-9]*.flac")) and time.monotonic() < until:
            time.sleep(0.05)
        sent = time.monotonic()
        run.send_signal(signal.SIGINT)
        try:
            said = run.communicate(timeout=60.0)[1]
        finally:
            run.kill()
        lasted = time.monotonic() - sent
    there = [path for path in out.glob("[0-9]*.flac") if render_facts(path) is not None]
    assert lasted < 5.0
    assert run.returncode == 130
    assert 1 <= len(there) < 30
    assert f"{len(there)} of 30 renderings are there, whole, and are kept" in said
    assert "run the same command again to continue" in said
    assert "Traceback" not in said
