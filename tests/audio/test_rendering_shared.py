"""One loaded soundfont a process, whose samples are unpacked once."""

from __future__ import annotations

import ctypes.util
import gc
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import tocco
from render_example import performance
from tocco.audio.rendering import (
    FluidSynthRenderer,
    RendererCache,
    find_soundfont,
    sampled_piano,
    shared_renderer,
)
from tocco.audio.rendering import shared as shared_module
from tocco.audio.rendering.soundfont_subset import FontImage
from tocco.errors import MissingPartError
from tocco.music.performance import Performance

pytestmark = pytest.mark.render

BASS = performance([(0.0, 0.4, 30, 90), (0.2, 0.6, 37, 50)])
TREBLE = performance([(0.0, 0.4, 90, 90), (0.2, 0.6, 97, 120)], [(0.1, 127), (0.5, 0)])
BOTH = performance([(0.0, 0.4, 30, 90), (0.1, 0.5, 90, 90)])


@pytest.fixture(scope="module")
def soundfont() -> Path:
    if ctypes.util.find_library("fluidsynth") is None:
        pytest.skip("FluidSynth is not installed")
    try:
        return find_soundfont()
    except MissingPartError as error:
        pytest.skip(str(error))


@pytest.fixture
def bytes_read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes of a soundfont FluidSynth has asked for, read by read."""
    counted: list[int] = []
    read = FontImage.read

    def counting(image: FontImage, at: int, count: int) -> bytes:
        counted.append(count)
        return read(image, at, count)

    monkeypatch.setattr(FontImage, "read", counting)
    return counted


def test_the_same_performance_sounds_the_same_first_or_tenth(soundfont: Path) -> None:
    alone: list[np.ndarray] = []
    for each in (BASS, TREBLE, BOTH):
        with FluidSynthRenderer(soundfont) as fresh:
            alone.append(fresh.render(each))
    with FluidSynthRenderer(soundfont) as renderer:
        for turn in (0, 1, 2, 0, 2, 1, 1, 0, 2, 0):
            sound = renderer.render((BASS, TREBLE, BOTH)[turn])
            np.testing.assert_array_equal(sound, alone[turn])


def test_a_part_of_the_soundfont_sounds_as_the_file_itself(
    soundfont: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FluidSynthRenderer(soundfont, half_pedal=True) as renderer:
        by_parts = [renderer.render(each) for each in (BASS, TREBLE)]
    monkeypatch.setattr(sampled_piano, "FontLoader", lambda bindings, synth, image: None)
    with FluidSynthRenderer(soundfont, half_pedal=True) as renderer:
        for part, each in zip(by_parts, (BASS, TREBLE), strict=True):
            np.testing.assert_array_equal(renderer.render(each), part)


def test_a_sample_is_unpacked_once_and_only_when_it_is_needed(soundfont: Path, bytes_read: list[int]) -> None:
    def read_for(each: Performance) -> int:
        bytes_read.clear()
        renderer.render(each)
        return sum(bytes_read)

    with FluidSynthRenderer(soundfont) as renderer:
        assert not renderer.piano.samples
        bass = read_for(BASS)
        of_bass = renderer.piano.samples
        again = read_for(BASS)
        assert renderer.piano.samples == of_bass
        treble = read_for(TREBLE)
        assert renderer.piano.samples > of_bass
        both = read_for(BOTH)
    assert 0 < len(of_bass) < 40  # of 144 on the MuseScore piano
    assert again < 0.1 * bass
    assert again < 20_000
    assert treble > 5 * again
    assert both < 20_000


def test_a_key_that_no_sample_covers_is_silent_and_does_no_harm(soundfont: Path) -> None:
    with FluidSynthRenderer(soundfont) as renderer:
        alone = renderer.render(BASS)
    low = performance([(0.0, 0.4, 30, 90), (0.2, 0.6, 37, 50), (0.1, 0.3, 0, 60)])
    with FluidSynthRenderer(soundfont) as renderer:
        assert len(renderer.render(low)) == len(alone)


def test_a_process_loads_a_soundfont_once(
    soundfont: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[Path] = []

    class Counted(FluidSynthRenderer):
        def __init__(self, font: Path) -> None:
            loads.append(font)
            super().__init__(font)

    monkeypatch.setattr(shared_module, "FluidSynthRenderer", Counted)
    cache = RendererCache()
    first = cache.renderer()
    first.render(BASS)
    assert cache.renderer(soundfont) is first
    assert cache.renderer() is first
    assert len(loads) == 1
    copy = tmp_path / soundfont.name
    shutil.copyfile(soundfont, copy)
    other = cache.renderer(copy)
    assert other is not first
    assert len(loads) == 2
    np.testing.assert_array_equal(other.render(BASS), first.render(BASS))  # whoever holds it may go on
    piano = first.piano
    del first
    gc.collect()
    assert not piano.samples  # given back
    copy.touch()
    assert cache.renderer(copy) is not other
    assert len(loads) == 3


def test_all_of_a_process_share_one_renderer(soundfont: Path) -> None:
    assert shared_renderer() is shared_renderer(soundfont)


def test_no_order_of_imports_is_heard(soundfont: Path) -> None:
    """soundfile brings a libsndfile of its own, which rounds samples otherwise than the system's."""
    code = (
        "import hashlib, sys\n"
        "from pathlib import Path\n"
        "from tocco.audio.rendering import FluidSynthRenderer\n"
        "from tocco.music.midi import load_midi\n"
        "with FluidSynthRenderer(Path(sys.argv[1])) as renderer:\n"
        "    print(hashlib.sha256(renderer.render(load_midi(sys.argv[2])).tobytes()).hexdigest())\n"
    )
    midi = Path(tocco.__file__).parent / "examples" / "petzold_minuet" / "minuet.mid"
    heard = [
        subprocess.run(
            [sys.executable, "-c", before + code, str(soundfont), str(midi)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for before in ("", "import soundfile\n")
    ]
    assert heard[0] == heard[1]
