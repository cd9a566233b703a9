"""`tocco data prepare`, as it is typed."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tocco.apps.cli.main import app
from tocco.data.prepared import prepare_records
from tocco.data.records import read_labels, write_labels
from tocco.music.midi import load_midi
from transcribing import copying_command


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, ["data", "prepare", *map(str, arguments)], catch_exceptions=False)
    assert result.exit_code in {0, 1}, result.output
    return result


@pytest.fixture(scope="module")
def labels(tiny_labels: Path) -> Path:
    """Three of the made-up performances."""
    path = tiny_labels.with_name("three.jsonl")
    write_labels(read_labels(tiny_labels)[:3], path)
    return path


def kept(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_two_processes_keep_the_bytes_of_one_and_a_second_run_keeps_the_files(
    labels: Path, tmp_path: Path
) -> None:
    first = run("--labels", labels, "-o", tmp_path / "one")
    assert "3 of 3 records prepared" in first.output
    run("--labels", labels, "-o", tmp_path / "two", "--jobs", 2)
    made = kept(tmp_path / "one")
    assert len(made) == 3
    assert kept(tmp_path / "two") == made
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "one").iterdir()}
    assert run("--labels", labels, "-o", tmp_path / "one").stdout == first.stdout
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "one").iterdir()} == before


def test_training_finds_what_was_prepared(labels: Path, tmp_path: Path) -> None:
    config = tmp_path / "experiment.yaml"
    config.write_text("name: six\ndata:\n  window_sec: 6.0\n")
    run("--labels", labels, "--config", config, "-o", tmp_path / "cache")
    before = kept(tmp_path / "cache")
    prepare_records(read_labels(labels), window_sec=6.0, overlap=0.5, cache_dir=tmp_path / "cache")
    assert kept(tmp_path / "cache") == before


def test_a_record_that_cannot_be_used_does_not_end_the_batch(labels: Path, tmp_path: Path) -> None:
    records = list(read_labels(labels))
    broken = tmp_path / "broken.mid"
    broken.write_bytes(b"no midi at all")
    records[1] = records[1].model_copy(update={"midi_path": broken})
    write_labels(records, tmp_path / "labels.jsonl")
    result = run("--labels", tmp_path / "labels.jsonl", "-o", tmp_path / "cache")
    assert result.exit_code == 1
    assert "broken.mid" in result.stderr
    assert "2 of 3 records prepared" in result.output
    assert "1 failed" in result.output
    assert len(kept(tmp_path / "cache")) == 2


def test_one_problem_of_many_records_is_one_line(labels: Path, tmp_path: Path) -> None:
    record = next(iter(read_labels(labels)))
    silent = {"audio_path": None}
    many = [record.model_copy(update={"segment_id": f"take{k}", **silent}) for k in range(7)]
    write_labels(many, tmp_path / "labels.jsonl")
    result = run("--labels", tmp_path / "labels.jsonl", "-o", tmp_path / "cache")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "tocco: take0, take1, take2 and 4 more: has no audio_path. "
        "Next: render it with `tocco data render`, or leave the record out."
    ]
    assert "7 failed" in result.output


@pytest.mark.usefixtures("any_instrument")
def test_a_recording_alone_is_transcribed_where_the_experiment_says_so(labels: Path, tmp_path: Path) -> None:
    records = read_labels(labels)
    alone = [records[0].model_copy(update={"midi_path": None}), records[1]]
    write_labels(alone, tmp_path / "labels.jsonl")
    given = ("--labels", tmp_path / "labels.jsonl", "-o", tmp_path / "cache")
    refused = run(*given)
    assert "take00: has no midi_path" in refused.stderr
    assert "1 of 2 records prepared" in refused.output
    config = tmp_path / "experiment.yaml"
    command = copying_command(tmp_path, Path(str(records[0].midi_path)))
    config.write_text(f"name: heard\ndata:\n  missing_midi: derive\n  transcriber: {command!r}\n")
    assert "2 of 2 records prepared" in run(*given, "--config", config).output
    made = tmp_path / "cache" / "transcribed" / "take00.mid"
    assert len(load_midi(made)) == 32
    config.write_text("name: heard\ndata:\n  missing_midi: derive\n  transcriber: none {audio} {midi}\n")
    assert "transcriber 'none': cannot be run" in run(*given, "--config", config).stderr
