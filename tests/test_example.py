"""The example that ships: it says what it says it does, and its script makes it again."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from tocco.inference.candidates import Heard
from tocco.inference.findings import find
from tocco.inference.technique import slips, technique_report
from tocco.music.alignment import Alignment, align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.partitura_import import import_notation_library
from tocco.music.performance import Performance
from tocco.music.score import load_score, score_readings
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.raters.note_accuracy import rate_note_accuracy
from tocco.rubrics import AGGREGATE_WEIGHTS

FOLDER = Path(str(resources.files("tocco"))) / "examples" / "petzold_minuet"
SCRIPT = Path(__file__).resolve().parents[1] / "scripts" / "make_example.py"


@pytest.fixture(scope="module")
def performance() -> Performance:
    return load_midi(FOLDER / "minuet.mid")


@pytest.fixture(scope="module")
def mistakes() -> list[dict[str, Any]]:
    return json.loads((FOLDER / "minuet_mistakes.json").read_text(encoding="utf-8"))["mistakes"]


@pytest.fixture(scope="module")
def alignment(performance: Performance) -> Alignment:
    return align_performance_to_score(performance, score_readings(FOLDER / "minuet.musicxml"))


@pytest.mark.slow
def test_the_score_is_valid_musicxml() -> None:
    schema = import_notation_library("partitura.io.importmusicxml")
    schema.validate_musicxml(str(FOLDER / "minuet.musicxml"), debug=True)


def test_the_score_is_the_minuet() -> None:
    once = load_score(FOLDER / "minuet.musicxml", repeats="none")
    assert once.bar_name == tuple(str(bar) for bar in range(1, 33))
    assert (once.bar_beats == 3).all()
    upper = once.pitch[(once.staff == 1) & ~once.is_grace]
    np.testing.assert_array_equal(upper[:8], [74, 67, 69, 71, 72, 74, 67, 67])
    for bar in range(32):
        for staff in (1, 2):
            here = (once.bar == bar) & (once.staff == staff) & ~once.is_grace
            first = np.unique(once.onset_beat[here], return_index=True)[1]
            rest = 1.0 if (bar, staff) == (27, 2) else 0.0
            assert once.duration_beat[here][first].sum() == 3.0 - rest, (bar + 1, staff)
    assert {m.text for m in once.marks if m.kind == "dynamics"} == {"p", "mf", "f"}
    assert int(once.is_grace.sum()) == 1


def test_both_repeats_are_played(alignment: Alignment) -> None:
    assert alignment.score.repeats == "all repeats"
    assert len(alignment.score.bar_name) == 64
    assert len(alignment.unplayed) == 0


def test_the_two_planted_mistakes_are_found_and_no_others(
    alignment: Alignment, performance: Performance, mistakes: list[dict[str, Any]]
) -> None:
    wrong, missing = mistakes
    assert (alignment.n_wrong, alignment.n_missing, alignment.n_extra) == (1, 1, 0)
    ((written, played),) = alignment.substitution
    assert alignment.score.note_id[written] == wrong["note_id"]
    assert alignment.score.pitch[written] == wrong["written_pitch"]
    assert performance.pitch[played] == wrong["played_pitch"]
    assert performance.onset_sec[played] == pytest.approx(wrong["time_sec"], abs=0.002)
    assert alignment.bar_at(alignment.score.onset_beat[written]) == wrong["bar"]
    (left_out,) = set(alignment.deletion) - {written}
    assert alignment.score.note_id[left_out] == missing["note_id"]
    assert alignment.score.onset_beat[left_out] == missing["score_beat"]
    assert alignment.bar_at(missing["score_beat"]) == missing["bar"]
    assert float(alignment.sec_at(missing["score_beat"])) == pytest.approx(missing["time_sec"], abs=0.05)


def test_its_note_accuracy_is_the_share_of_right_notes(alignment: Alignment) -> None:
    accuracy = rate_note_accuracy(alignment)
    assert accuracy.n_events == len(alignment.score)
    assert accuracy.value == pytest.approx(100 * (1 - 2 / accuracy.n_events))


def test_it_is_played_with_touch_and_pedal(performance: Performance, alignment: Alignment) -> None:
    assert 85 < performance.duration_sec < 110
    values = set(performance.sustain.value.tolist())
    assert 0 in values
    assert sum(0 < value < 127 for value in values) > 10
    written, played = alignment.match.T
    upper = alignment.score.staff[written] == 1
    assert performance.velocity[played[upper]].mean() > performance.velocity[played[~upper]].mean() + 8
    staccato = np.array(["staccato" in alignment.score.articulation[i] for i in written])
    held = (performance.offset_sec - performance.onset_sec)[played]
    quarter = alignment.score.duration_beat[written] == 1
    assert held[quarter & staccato].mean() < 0.75 * held[quarter & ~staccato].mean()


def test_the_recording_is_small_mono_and_as_long_as_the_performance(performance: Performance) -> None:
    info = soundfile.info(FOLDER / "minuet.flac")
    assert (info.samplerate, info.channels, info.subtype) == (24_000, 1, "PCM_16")
    assert performance.duration_sec <= info.duration < performance.duration_sec + 6
    assert (FOLDER / "minuet.flac").stat().st_size < 4_000_000


def test_the_script_makes_the_same_bytes(tmp_path: Path) -> None:
    command = [sys.executable, str(SCRIPT), "--no-audio", "--folder", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for name in ("minuet.musicxml", "minuet.mid", "minuet_mistakes.json"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), name


def test_what_to_work_on_first_is_what_was_planted(
    performance: Performance, alignment: Alignment, mistakes: list[dict[str, Any]]
) -> None:
    heard = Heard(0.0, performance.duration_sec, "keys", alignment.overall_confidence, has_score=True)
    found = find(
        technique_report(performance, alignment),
        [],
        {},
        AGGREGATE_WEIGHTS,
        heard,
        slips(Evidence(performance, alignment)),
    )
    assert [(one.kind, one.bars) for one in found] == [("missing", ("12", "12")), ("wrong", ("22", "22"))]
    assert {one.bars[0] for one in found if one.bars} == {str(one["bar"]) for one in mistakes}
