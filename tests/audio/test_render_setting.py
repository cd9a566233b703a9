"""The draw of piano, level and room."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from render_example import performance
from tocco.audio.augmenting.rooms import ROOMS
from tocco.audio.render_setting import RenderChoice, RenderSetting, content_sha256, rooms_of
from tocco.audio.rendering import TARGET_LUFS, Instrument
from tocco.errors import InputError

PIANOS = tuple(Instrument(name, Path(f"{name}.sf2")) for name in "abc")
CHOICE = RenderChoice(PIANOS, level_db=(-6.0, 6.0), rooms=(None, "church"), seed=3)
PLAYED = performance([(0.0, 1.0, 60, 80), (0.5, 1.5, 64, 70)], [(0.1, 90), (0.9, 0)])


def test_the_same_music_gets_the_same_setting_whatever_its_file() -> None:
    assert CHOICE.draw(PLAYED) == CHOICE.draw(replace(PLAYED, source="other.mid"))
    assert CHOICE.draw(PLAYED) == RenderChoice(PIANOS, (-6.0, 6.0), (None, "church"), seed=3).draw(PLAYED)


def test_draws_cover_what_there_is_evenly() -> None:
    drawn = [CHOICE.draw(performance([(0.0, 1.0 + k / 1000, 60, 80)])) for k in range(600)]
    assert min(Counter(setting.instrument.name for setting in drawn).values()) > 150
    assert min(Counter(setting.room for setting in drawn).values()) > 240
    levels = np.array([setting.level_db for setting in drawn])
    assert -6.0 <= levels.min() < -5.9
    assert 5.9 < levels.max() <= 6.0
    assert levels.mean() == pytest.approx(0.0, abs=0.6)
    assert len({setting.room_seed for setting in drawn if setting.room}) > 200
    seeds = [replace(CHOICE, seed=seed).draw(PLAYED).level_db for seed in range(20)]
    assert len(set(seeds)) > 15


def test_a_level_is_around_the_target_loudness() -> None:
    assert RenderSetting(PIANOS[0], level_db=-4.5).target_lufs == TARGET_LUFS - 4.5


def test_a_room_of_one_seed_is_one_room() -> None:
    setting = RenderSetting(PIANOS[0], room="bedroom", room_seed=5)
    np.testing.assert_array_equal(setting.impulse_response(), setting.impulse_response())
    assert not np.array_equal(setting.impulse_response(), replace(setting, room_seed=6).impulse_response())
    assert RenderSetting(PIANOS[0]).impulse_response() is None


def test_the_content_is_every_note_and_pedal_and_nothing_else() -> None:
    same = replace(PLAYED, source="x", n_unmatched=1)
    assert content_sha256(same) == content_sha256(PLAYED)
    pedal = PLAYED.sustain
    others = [
        replace(PLAYED, onset_sec=PLAYED.onset_sec + 1e-9),
        replace(PLAYED, offset_sec=PLAYED.offset_sec + 1e-9),
        replace(PLAYED, pitch=PLAYED.pitch + 1),
        replace(PLAYED, velocity=PLAYED.velocity - 1),
        replace(PLAYED, sustain=replace(pedal, value=pedal.value / 2)),
        replace(PLAYED, sustain=PLAYED.soft, soft=pedal),
        replace(PLAYED, duration_sec=PLAYED.duration_sec + 1),
    ]
    assert len({content_sha256(each) for each in [PLAYED, *others]}) == 8


def test_rooms_by_name() -> None:
    assert rooms_of("none") == (None,)
    assert rooms_of("any") == (None, *ROOMS)
    assert rooms_of("church") == ("church",)
    with pytest.raises(InputError, match="did you mean 'church'"):
        rooms_of("chruch")


@pytest.mark.parametrize("level_db", [(1.0, 0.0), (-31.0, 0.0), (0.0, 13.0), (float("nan"), 0.0)])
def test_levels_that_are_none_are_refused(level_db: tuple[float, float]) -> None:
    with pytest.raises(InputError, match="--level-db"):
        RenderChoice(PIANOS, level_db=level_db)
    with pytest.raises(InputError, match="--seed"):
        RenderChoice(PIANOS, seed=-1)
