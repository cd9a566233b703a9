"""What an assessment costs, counted."""

from __future__ import annotations

import ctypes.util
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tocco.audio import description, processing
from tocco.audio.rendering import find_soundfont
from tocco.errors import MissingPartError
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import example_path
from tocco.inference.rating import LONGEST_SPAN_SEC
from tocco.music.statistics import reading


@pytest.fixture(scope="module")
def assessor() -> Assessor:
    return Assessor()


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The recordings that were opened for decoding."""
    paths: list[Path] = []
    open_sound = processing.open_sound

    def counted(path: Path, *arguments: Any) -> Any:
        paths.append(path)
        return open_sound(path, *arguments)

    monkeypatch.setattr(processing, "open_sound", counted)
    monkeypatch.setattr(description, "open_sound", counted)
    return paths


def test_a_recording_is_decoded_twice(assessor: Assessor, opened: list[Path]) -> None:
    take = example_path()
    assessor.assess(take / "minuet.flac", take / "minuet.mid", take / "minuet.musicxml")
    assert opened == [take / "minuet.flac"] * 2


@pytest.mark.render
def test_a_rendering_is_decoded_twice(assessor: Assessor, opened: list[Path]) -> None:
    if ctypes.util.find_library("fluidsynth") is None:
        pytest.skip("FluidSynth is not installed")
    try:
        find_soundfont()
    except MissingPartError as error:
        pytest.skip(str(error))
    assessor.assess(None, example_path() / "minuet.mid")
    assert [path.name for path in opened] == ["rendered.flac"] * 2


def test_a_window_is_read_once(assessor: Assessor, monkeypatch: pytest.MonkeyPatch) -> None:
    take = example_path()
    counts = {"played": 0, "written": 0}

    def counted(name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def once_more(*arguments: Any) -> Any:
            counts[name] += 1
            return read(*arguments)

        return once_more

    monkeypatch.setattr(reading, "read_playing", counted("played", reading.read_playing))
    monkeypatch.setattr(reading, "read_written", counted("written", reading.read_written))
    assessment = assessor.assess(take / "minuet.flac", take / "minuet.mid", take / "minuet.musicxml")
    data = assessor.bundle.config
    duration_sec = assessment.inputs.audio.duration_sec
    assert duration_sec is not None
    n_windows = len(processing.segment_bounds(duration_sec, data.window_sec, data.overlap))
    assert n_windows > 5
    n_spans = math.ceil(duration_sec / LONGEST_SPAN_SEC)
    # Of the whole performance, each span is read with its three halves, and the flat score beside it.
    assert counts == {"played": n_windows + 5 * n_spans, "written": n_windows + 4 * n_spans}
