"""A pedal that is half down, in layers and in the sound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from render_example import installed, level_dbfs, performance
from tocco.audio.rendering import HALF_PEDAL_ZONE, FluidSynthRenderer, pedal_layers
from tocco.errors import InputError
from tocco.music.performance import PedalCurve
from tocco.units import SAMPLE_RATE_HZ, FloatArray

STEPS = st.lists(st.integers(0, 127), min_size=1, max_size=30)


def curve(values: list[int]) -> PedalCurve:
    return PedalCurve(np.arange(len(values)) / 10.0, np.array(values, float))


def held_share(sustain: PedalCurve, time_sec: FloatArray) -> FloatArray:
    return sum(layer.weight * (layer.sustain.at(time_sec) == 127.0) for layer in pedal_layers(sustain))


@pytest.mark.parametrize(
    ("value", "share"), [(0, 0), (44, 0), (45, 0.2), (64, 0.4), (65, 0.6), (84, 0.8), (85, 1), (127, 1)]
)
def test_the_share_that_holds_grows_with_the_pedal(value: int, share: float) -> None:
    assert held_share(curve([value]), np.array([0.0]))[0] == pytest.approx(share)


@given(STEPS)
def test_at_every_moment_the_share_is_that_of_the_pedals_position(values: list[int]) -> None:
    low, high = HALF_PEDAL_ZONE
    sustain = curve(values)
    time_sec = np.arange(-1, 2 * len(values)) / 20.0
    gap = np.clip((sustain.at(time_sec) - low) / (high - low), 0.0, 1.0)
    assert np.abs(held_share(sustain, time_sec) - gap).max() <= 0.1 + 1e-9  # half a layer
    assert sum(layer.weight for layer in pedal_layers(sustain)) == pytest.approx(1.0)


@given(STEPS)
def test_layers_are_all_different_and_only_switch(values: list[int]) -> None:
    layers = [layer.sustain for layer in pedal_layers(curve(values))]
    assert len({(c.time_sec.tobytes(), c.value.tobytes()) for c in layers}) == len(layers)
    for layer in layers:
        assert layer.value.tolist() == [127.0, 0.0] * (len(layer) // 2) + [127.0] * (len(layer) % 2)
    if all(value < 45 or value >= 85 for value in values):
        assert len(layers) == 1


@pytest.mark.parametrize("zone", [(90.0, 40.0), (-1.0, 50.0), (40.0, 128.0), (50.0, 50.0)])
def test_a_zone_that_is_none_is_refused(zone: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="low < high"):
        pedal_layers(PedalCurve(), zone=zone)


@pytest.fixture(scope="module")
def half() -> Iterator[FluidSynthRenderer]:
    with FluidSynthRenderer(
        installed("musescore").soundfont, target_rms_dbfs=None, half_pedal=True
    ) as renderer:
        yield renderer


@pytest.fixture(scope="module")
def ringing(half: FluidSynthRenderer) -> dict[int, FloatArray]:
    """One short C4 on pedals of several heights, from 0.1 to 4 s; then a click so soft that it lies below."""
    notes = [(0.0, 0.3, 60, 80), (5.0, 5.1, 90, 1)]
    heights = (0, 50, 60, 70, 80, 127)
    return {value: half.render(performance(notes, [(0.1, value), (4.0, 0)])) for value in heights}


@pytest.mark.render
def test_a_higher_pedal_rings_louder_and_so_longer(ringing) -> None:
    for start_sec in (0.6, 1.0, 2.0, 3.0):
        levels = [level_dbfs(audio, start_sec, start_sec + 0.5) for audio in ringing.values()]
        assert levels == sorted(levels)
        assert min(np.diff(levels)) > 1.5
    full = ringing[127]
    floor = np.abs(full).max() / 100

    def heard_sec(audio: FloatArray) -> float:
        return np.flatnonzero(np.abs(audio[: 4 * SAMPLE_RATE_HZ]) > floor)[-1] / SAMPLE_RATE_HZ

    lengths = [heard_sec(audio) for audio in ringing.values()]
    assert lengths == sorted(lengths)
    assert lengths[0] < 1.2 < lengths[-1]


@pytest.mark.render
@pytest.mark.parametrize(("value", "share_db"), [(50, -13.98), (60, -7.96), (70, -4.44), (80, -1.94)])
def test_the_tone_falls_quickly_and_then_rings_on_freely(ringing, value: int, share_db: float) -> None:
    for start_sec in (1.5, 2.0, 3.0):  # after the dampers' touch: the decay of the free string, lower
        free = level_dbfs(ringing[127], start_sec, start_sec + 0.5)
        assert level_dbfs(ringing[value], start_sec, start_sec + 0.5) - free == pytest.approx(
            share_db, abs=0.3
        )
    drop = level_dbfs(ringing[value], 0.2, 0.3) - level_dbfs(ringing[value], 1.5, 1.6)
    free_drop = level_dbfs(ringing[127], 0.2, 0.3) - level_dbfs(ringing[127], 1.5, 1.6)
    assert drop - free_drop == pytest.approx(-share_db, abs=0.3)


@pytest.mark.render
def test_a_key_that_is_held_does_not_hear_the_pedal(half) -> None:
    notes = [(0.0, 2.0, 60, 80)]
    dry = half.render(performance(notes))
    wet = half.render(performance(notes, [(0.5, 64), (1.0, 90), (1.5, 50)]))
    n = round(1.99 * SAMPLE_RATE_HZ)
    np.testing.assert_allclose(wet[:n], dry[:n], atol=1e-6)


@pytest.mark.render
def test_a_pedal_lifted_by_steps_damps_by_steps(half) -> None:
    notes = [(0.0, 0.3, 60, 80), (5.0, 5.1, 90, 1)]
    stepped = half.render(performance(notes, [(0.1, 127), (1.0, 60), (2.5, 0)]))
    full = half.render(performance(notes, [(0.1, 127), (4.0, 0)]))
    np.testing.assert_allclose(stepped[:23_000], full[:23_000], atol=1e-6)
    assert level_dbfs(stepped, 2.0, 2.4) - level_dbfs(full, 2.0, 2.4) == pytest.approx(-7.96, abs=0.3)
    assert level_dbfs(stepped, 3.5, 3.9) < level_dbfs(full, 3.5, 3.9) - 30


@pytest.mark.render
def test_a_pedal_that_is_only_up_or_down_gives_the_bytes_of_the_plain_one(half) -> None:
    played = performance([(0.0, 0.3, 60, 80), (0.5, 1.0, 64, 60)], [(0.1, 127), (0.6, 0), (0.7, 100)])
    with FluidSynthRenderer(half.soundfont, target_rms_dbfs=None) as plain:
        np.testing.assert_array_equal(half.render(played), plain.render(played))
        between = replace(played, sustain=PedalCurve(np.array([0.1, 0.9]), np.array([60.0, 0.0])))
        assert np.abs(half.render(between)[:20_000] - plain.render(between)[:20_000]).max() > 0.001
