"""The built-in transcriber on the example that ships, and the pieces around its network."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tocco.audio.processing import load_audio
from tocco.audio.transcription.transkun import Transkun, weights
from tocco.audio.transcription.transkun.transcriber import performance_of
from tocco.audio.transcription.transkun.weights import load_network
from tocco.audio.transcription.transkun.window import Heard, WindowHeard, frames_of, hear_window
from tocco.audio.transcription.transkun.window_file import WindowFile
from tocco.errors import InputError, MissingPartError, OutputError
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, FloatArray

torch = pytest.importorskip("torch")

SECONDS = 20.0


def event(key: int, onset: float, offset: float, velocity: int = 64) -> Heard:
    return Heard(key, onset, offset, velocity, True, True, 5.0)


@pytest.fixture(scope="module")
def sound() -> FloatArray:
    return load_audio(example_path() / "minuet.flac")[: round(SECONDS * SAMPLE_RATE_HZ)]


@pytest.fixture(scope="module")
def heard(
    sound: FloatArray, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Performance, list[float], Path]:
    partial = tmp_path_factory.mktemp("heard") / "partial"
    progress: list[float] = []
    found = Transkun("cpu").transcribe([sound], "minuet", on_heard=progress.append, partial=partial)
    return found, progress, partial


def unmatched(
    one: Performance, other: Performance, within_sec: float, until_sec: float
) -> list[tuple[float, int]]:
    """Notes of one, up to a time, without a note of the same key in the other at the same time."""
    return [
        (float(onset), int(pitch))
        for onset, pitch in zip(one.onset_sec, one.pitch, strict=True)
        if onset < until_sec
        and not np.any((other.pitch == pitch) & (np.abs(other.onset_sec - onset) <= within_sec))
    ]


def test_every_note_of_the_example_is_heard_and_no_other(
    heard: tuple[Performance, list[float], Path],
) -> None:
    played = load_midi(example_path() / "minuet.mid")
    found = heard[0]
    assert unmatched(played, found, 0.03, SECONDS - 1.0) == []
    assert unmatched(found, played, 0.03, SECONDS) == []
    assert found.origin == "transcribed"
    assert found.source == "minuet"
    assert np.corrcoef(*_velocities(played, found))[0, 1] > 0.75


def _velocities(one: Performance, other: Performance) -> tuple[list[int], list[int]]:
    pairs = [
        (int(one.velocity[i]), int(other.velocity[near[0]]))
        for i in range(len(one))
        if len(
            near := np.flatnonzero(
                (other.pitch == one.pitch[i]) & (abs(other.onset_sec - one.onset_sec[i]) < 0.03)
            )
        )
    ]
    return [a for a, _ in pairs], [b for _, b in pairs]


def test_progress_is_in_seconds_of_sound(heard: tuple[Performance, list[float], Path]) -> None:
    assert heard[1] == sorted(heard[1])
    assert heard[1][-1] == pytest.approx(SECONDS + 1.0, abs=0.01)


def test_where_the_windows_fall_does_not_matter(
    sound: FloatArray, heard: tuple[Performance, list[float], Path]
) -> None:
    """The same music 5 s later in a recording: the same notes, at most 10 ms off."""
    later = Transkun("cpu").transcribe([np.zeros(5 * SAMPLE_RATE_HZ, np.float32), sound], "later")
    moved = later.shifted(-5.0)
    assert unmatched(moved, heard[0], 0.01, SECONDS - 1.0) == []
    assert unmatched(heard[0], moved, 0.01, SECONDS - 1.0) == []


def test_an_interrupted_run_goes_on(
    sound: FloatArray, heard: tuple[Performance, list[float], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is not heard again, and gives the same notes."""
    monkeypatch.setattr("tocco.audio.transcription.transkun.transcriber.hear_window", _fails)
    again = Transkun("cpu").transcribe([sound], "minuet", partial=heard[2])
    for name in ("onset_sec", "offset_sec", "pitch", "velocity"):
        np.testing.assert_array_equal(getattr(again, name), getattr(heard[0], name))
    cut = heard[2].read_bytes()[:-10]
    heard[2].write_bytes(cut)
    with pytest.raises(AssertionError, match="heard again"):
        Transkun("cpu").transcribe([sound], "minuet", partial=heard[2])
    assert heard[2].read_bytes() == cut[: cut.rindex(b"\n") + 1]


def _fails(*_: object) -> WindowHeard:
    raise AssertionError("heard again")


def test_silence_is_refused_without_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocco.audio.transcription.transkun.network.TranskunNetwork.heard_keys", _fails)
    with pytest.raises(InputError, match=r"quiet\.wav: has no piano notes"):
        Transkun("cpu").transcribe([np.full(80_000, 1e-4, np.float32)], "quiet.wav")
    with pytest.raises(AssertionError):
        Transkun("cpu").transcribe([np.full(80_000, 2.5e-4, np.float32)], "quiet.wav")


def test_gain_does_not_matter(sound: FloatArray) -> None:
    network = load_network(torch.device("cpu"))
    short = np.repeat(sound[: 4 * SAMPLE_RATE_HZ], 2)
    one, half = (hear_window(network, gain * short, 0.0).events for gain in (1.0, 0.5))
    assert [(e.key, e.velocity) for e in one] == [(e.key, e.velocity) for e in half]


def test_frames_are_centred_on_their_time() -> None:
    sound = torch.zeros(4 * 1024)
    sound[2048] = 1.0
    frames = frames_of(sound)
    assert frames.shape == (5, 4096)
    assert torch.nonzero(frames).tolist() == [[1, 3072], [2, 2048], [3, 1024], [4, 0]]


def test_notes_of_a_key_do_not_overlap() -> None:
    events = [event(60, 0.0, 2.0), event(60, 1.0, 1.5), event(62, 0.5, 0.5), event(60, 1.004, 3.0, 90)]
    found = performance_of(events, "take")
    assert found is not None
    assert list(
        zip(found.pitch.tolist(), found.onset_sec.tolist(), found.offset_sec.tolist(), strict=True)
    ) == [
        (60, 0.0, 1.0),
        (62, 0.5, 0.51),
        (60, 1.004, 3.0),
    ]


def test_presses_of_a_pedal_are_a_curve() -> None:
    events = [event(60, 0.0, 1.0), event(-64, 0.2, 0.9), event(-64, 0.9, 1.4), event(-67, -0.5, 0.3)]
    found = performance_of(events, "take")
    assert found is not None
    assert (found.sustain.time_sec.tolist(), found.sustain.value.tolist()) == ([0.2, 1.4], [127.0, 0.0])
    assert (found.soft.time_sec.tolist(), found.soft.value.tolist()) == ([0.0, 0.3], [127.0, 0.0])
    assert found.duration_sec == 1.4


def test_pedals_alone_are_no_performance() -> None:
    assert performance_of([event(-64, 0.0, 1.0)], "take") is None


def test_a_file_of_windows_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        WindowFile(tmp_path / "missing" / "file").add(WindowHeard(0.0, 16.0, ()))


def test_kept_windows_are_read_as_they_were(tmp_path: Path) -> None:
    kept = WindowFile(tmp_path / "windows")
    windows = [WindowHeard(13.0 * k, 13.0 * k + 16.0, (event(60 + k, 13.1, 14.0),)) for k in range(2)]
    for one in windows:
        kept.add(one)
    assert len((tmp_path / "windows").read_text().splitlines()) == 2
    again = WindowFile(tmp_path / "windows")
    assert [again.found(13.0 * k) for k in range(3)] == [*windows, None]


def test_a_machine_without_the_weights_is_told_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no-such-package")
    with pytest.raises(MissingPartError, match=r"transkun: is not installed.*setup\.sh") as caught:
        Transkun()
    assert caught.value.exit_code == 5


def test_other_weights_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "2.0.pt"
    other.write_bytes(b"other")
    monkeypatch.setattr(weights, "weights_path", lambda: other)
    with pytest.raises(MissingPartError, match=r"has other weights than 2\.0\.1"):
        load_network(torch.device("cpu"))
