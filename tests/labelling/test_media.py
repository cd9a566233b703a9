from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from labelling_example import SEGMENT_SEC, make_project
from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.labelling import media
from tocco.labelling.project import Project, SegmentFacts, Settings
from tocco.units import SAMPLE_RATE_HZ

RATE = 16000


def recorded_project(folder: Path, start: float, end: float) -> Project:
    """One segment of a stereo recording of 10 s that grows louder by a tenth of full scale a second."""
    folder.mkdir()
    time = np.arange(10 * RATE) / RATE
    left = 0.1 * np.floor(time) * np.sin(2 * np.pi * 440.0 * time)
    soundfile.write(folder / "take.wav", np.stack([left, 0.5 * left], axis=1), RATE, subtype="PCM_16")
    record = LabelRecord(
        segment_id="one",
        piece_id="piece",
        source="prepared",
        audio_path=folder / "take.wav",
        start_time=start,
        end_time=end,
        labels={},
    )
    return Project(folder, Settings(), {"one": record}, {"one": SegmentFacts()})


def test_a_clip_is_the_span_of_the_recording_at_its_own_rate(tmp_path: Path) -> None:
    project = recorded_project(tmp_path / "project", 2.5, 6.0)
    path = media.clip(project, "one")
    samples, rate = soundfile.read(path)
    source, _ = soundfile.read(tmp_path / "project" / "take.wav")
    assert (rate, samples.shape) == (RATE, (int(3.5 * RATE), 2))
    np.testing.assert_allclose(samples, source[int(2.5 * RATE) : 6 * RATE], atol=1e-4)
    assert media.clip(project, "one") == path
    assert "take" not in path.name
    assert "one" not in path.name


def test_peaks_follow_the_sound(tmp_path: Path) -> None:
    project = recorded_project(tmp_path / "project", 2.0, 6.0)
    found = media.peaks(project, "one", 4)
    # The mean of both channels is three quarters of the left one.
    np.testing.assert_allclose(found, 0.75 * np.array([0.2, 0.3, 0.4, 0.5]), rtol=0.05)
    assert len(media.peaks(project, "one")) == 1000


def test_a_segment_beyond_the_recording_is_refused(tmp_path: Path) -> None:
    project = recorded_project(tmp_path / "project", 8.0, 12.0)
    with pytest.raises(InputError, match=r"take.wav: ends at 10.00 s, before its segment one"):
        media.clip(project, "one")
    assert list((tmp_path / "project" / "clips").glob("*.flac")) == []


def test_the_piano_roll_is_on_the_clock_of_the_segment(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rated=3)
    roll = media.piano_roll(project, "segment002")
    assert roll is not None
    assert roll.duration_sec == SEGMENT_SEC
    np.testing.assert_allclose(roll.onset_sec, np.arange(0.0, SEGMENT_SEC, 0.5), atol=0.01)
    assert list(roll.pitch[:3]) == [64, 65, 66]  # the scale began two seconds before
    recorded = recorded_project(tmp_path / "recorded", 0.0, 5.0)
    assert media.piano_roll(recorded, "one") is None


@pytest.mark.render
def test_notes_without_a_recording_are_rendered(tmp_path: Path) -> None:
    project = make_project(tmp_path / "project", rated=3)
    samples, rate = soundfile.read(media.clip(project, "segment002"))
    assert (rate, samples.shape) == (SAMPLE_RATE_HZ, (int(SEGMENT_SEC * SAMPLE_RATE_HZ),))
    struck = [np.abs(samples[int(t * rate) : int((t + 0.3) * rate)]).max() for t in (0.0, 3.0, 7.5)]
    assert min(struck) > 0.02
