"""The files beside an assessment: only those that were assessed, on its clock, note by note."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from assessment_example import example
from page_example import assessed, notes, performance
from tocco.errors import MismatchError
from tocco.files import sha256_of
from tocco.inference.assessment import Assessment
from tocco.music.midi import save_midi
from tocco.report.page.material import (
    BIT_RATE,
    MOST_SOUND_BYTES,
    PEAK_SEC,
    SMALLEST_BIT_RATE,
    STATUSES,
    bit_rate_for,
    read_material,
    read_notes,
    read_sound,
)
from tocco.units import SAMPLE_RATE_HZ


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A recording that grows louder, and the example's MIDI, half a second earlier on its own clock."""
    wave = np.linspace(0.0, 0.8, 4 * SAMPLE_RATE_HZ) * np.sin(np.arange(4 * SAMPLE_RATE_HZ) / 5.0)
    soundfile.write(tmp_path / "a.wav", wave, SAMPLE_RATE_HZ)
    save_midi(performance().shifted(-0.5), tmp_path / "a.mid")
    return {"audio": tmp_path / "a.wav", "midi": tmp_path / "a.mid"}


def of(files: dict[str, Path], **changes: object) -> Assessment:
    """The example, made from these files."""
    made = assessed().model_dump(mode="json")
    for kind, path in files.items():
        made["inputs"][kind]["sha256"] = sha256_of(path)
    made["inputs"]["synchrony"] = {"offset_sec": 0.5, "drift_ppm": 0.0, "residual_sec": 0.004}
    made["inputs"] |= changes
    return Assessment.model_validate(made)


def test_notes_lie_on_the_clock_of_the_recording(files: dict[str, Path]) -> None:
    found = read_material(of(files), files["audio"], files["midi"]).notes
    assert found is not None
    np.testing.assert_allclose(found.onset_sec, performance().onset_sec, atol=0.003)
    np.testing.assert_allclose(found.sustain.time_sec, [1.0, 3.0, 5.0], atol=0.003)
    assert np.bincount(found.status, minlength=len(STATUSES)).tolist() == [32, 1, 1, 1]


def test_every_played_note_has_its_outcome() -> None:
    found = notes()
    assert [STATUSES[s] for p, s in zip(found.pitch, found.status, strict=True) if p == 60] == ["right"] * 32
    outcome = {int(p): STATUSES[s] for p, s in zip(found.pitch, found.status, strict=True)}
    assert outcome == {60: "right", 65: "wrong", 83: "extra", 48: "other"}


@pytest.mark.parametrize(("moved_sec", "right"), [(0.0045, 32), (0.0055, 0)])
def test_a_note_is_found_within_the_rounding_of_its_time(moved_sec: float, right: int) -> None:
    found = read_notes(performance().shifted(moved_sec), assessed())
    assert int((found.status == STATUSES.index("right")).sum()) == right


def test_without_a_score_no_note_is_right_or_wrong() -> None:
    assert set(read_notes(performance(), example(score=False)).status.tolist()) == {STATUSES.index("other")}


def test_the_waveform_is_the_largest_sample_in_each_stroke(files: dict[str, Path]) -> None:
    sound = read_sound(files["audio"], 4.0)
    assert len(sound.peak) == round(4.0 / PEAK_SEC)
    np.testing.assert_allclose(sound.peak, 0.8 * (np.arange(80) + 1) / 80, atol=0.02)


def test_long_sound_has_fewer_bits() -> None:
    assert bit_rate_for(60.0) == BIT_RATE
    assert bit_rate_for(300.0) == BIT_RATE
    assert bit_rate_for(1200.0) == 8 * MOST_SOUND_BYTES // 1200
    assert bit_rate_for(7200.0) == SMALLEST_BIT_RATE
    assert bit_rate_for(300.0) * 300 / 8 * 4 / 3 < 4_600_000  # in base64, with room for the pictures
    assert bit_rate_for(1200.0) * 1200 / 8 * 4 / 3 < 4_600_000


def test_other_files_are_refused(files: dict[str, Path]) -> None:
    assessment = of(files)
    with pytest.raises(MismatchError, match="is not the recording that was assessed"):
        read_material(assessment, files["midi"], None)
    with pytest.raises(MismatchError, match="is not the MIDI that was assessed"):
        read_material(assessment, None, files["audio"])
    with pytest.raises(MismatchError, match="is not the score that was assessed"):
        read_material(assessment, None, None, files["audio"])
    rendered = of(files, sound="rendered")
    with pytest.raises(MismatchError, match="rests on no recording"):
        read_material(rendered, files["audio"], None)
    with pytest.raises(MismatchError, match="rests on no score"):
        read_material(example(score=False), None, None, files["audio"])


def test_nothing_given_is_nothing_shown() -> None:
    found = read_material(assessed(), None, None)
    assert found.sound is found.notes is found.written is None
