"""`tocco transcription fit` and `report` on recordings that a toy transcriber heard."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.errors import BundleError, InputError
from tocco.evaluation.transcription.pairs import PAIRS_FILE, Pair
from tocco.inference.bundle import CARD, bundled_path, example_path, load_bundle
from tocco.music.midi import load_midi, save_midi, segment_midi
from tocco.music.performance import PedalCurve, Performance

EXAMPLE = example_path()
N = 10


def heard(played: Performance, rng: np.random.Generator) -> Performance:
    """As a transcriber hears it: times 5 ms off, levels nearer to each other, no pedal."""
    onset = played.onset_sec + 0.02 + rng.normal(0.0, 0.005, len(played))
    order = np.lexsort((played.pitch, onset))
    velocity = np.rint(64 + 0.7 * (played.velocity - 64)).astype(int)
    return replace(
        played,
        onset_sec=onset[order],
        offset_sec=np.maximum(played.offset_sec, onset + 0.05)[order],
        pitch=played.pitch[order],
        velocity=velocity[order],
        sustain=PedalCurve(),
    )


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    rng = np.random.default_rng(1)
    whole = load_midi(EXAMPLE / "minuet.mid")
    lines = []
    for k in range(N):
        cut = segment_midi(whole, np.array([[4.0 * k, 4.0 * k + 20.0]]))[0]
        played = cut.only(cut.struck_inside)
        played = replace(played, offset_sec=np.minimum(played.offset_sec, played.duration_sec))
        pair = Pair(
            id=f"take_{k}.room",
            source="made up",
            piece_id="minuet",
            chain="room",
            instrument="none",
            score=EXAMPLE / "minuet.musicxml",
            transcriber="transkun 2.0.1",
            planted="none",
            errors=(),
            key=str(k),
        )
        save_midi(played, pair.clean_midi(folder))
        save_midi(played, pair.keys_midi(folder))
        save_midi(heard(played, rng), pair.heard_midi(folder))
        lines.append(pair.model_dump_json() + "\n")
    (folder / PAIRS_FILE).write_text("".join(lines), encoding="utf-8")
    return folder


@pytest.mark.slow
def test_a_bundle_learns_what_transcription_takes_and_the_report_says_it(
    recordings: Path, tmp_path: Path
) -> None:
    bundle = tmp_path / "bundle"
    shutil.copytree(bundled_path(), bundle)
    before = load_bundle(bundle)
    done = CliRunner().invoke(app, ["transcription", "fit", str(recordings), "--bundle", str(bundle)])
    assert done.exit_code == 0, done.output
    after = load_bundle(bundle)
    loss = after.calibration.transcription
    assert loss is not None
    assert (loss.n, loss.transcriber) == (N, "transkun 2.0.1")
    assert before.whole is not None
    assert set(loss.with_score) == set(loss.without_score) == set(before.whole.names)
    assert max(abs(one.shift) for one in loss.with_score.values()) > 0.5
    assert after.calibration.intervals == before.calibration.intervals
    assert f"{N} recordings made from the keys of made up" in (bundle / CARD).read_text(encoding="utf-8")

    command = [
        "transcription",
        "report",
        str(recordings),
        "--bundle",
        str(bundle),
        "-o",
        str(tmp_path / "out"),
    ]
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "out" / "report.md").read_text(encoding="utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| phrasing | 10 | ")]
    assert len(rows) == 2
    assert all(
        float(row.split("|")[3]) == pytest.approx(0.0, abs=0.05) for row in rows
    )  # shifted by the median
    assert "| none | 10 | " in text


def test_a_folder_without_recordings_is_said(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["transcription", "fit", str(tmp_path), "--bundle", str(bundled_path())])
    assert isinstance(done.exception, InputError)
    assert "has no recordings" in str(done.exception)


def test_a_bundle_that_is_none_is_said(tmp_path: Path, recordings: Path) -> None:
    done = CliRunner().invoke(
        app, ["transcription", "report", str(recordings), "--bundle", str(tmp_path), "-o", "x"]
    )
    assert isinstance(done.exception, BundleError)
