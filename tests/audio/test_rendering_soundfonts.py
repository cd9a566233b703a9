"""Which pianos there are, and that each plays in time and in tune."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from render_example import energy_rise_sec, installed, performance
from tocco.audio.rendering import (
    SOUNDFONTS,
    FluidSynthRenderer,
    find_soundfont,
    fluidsynth_version,
    instruments_of,
    missing_packages,
)
from tocco.errors import InputError, MissingPartError
from tocco.units import SAMPLE_RATE_HZ, hz_from_pitch

FOLDERS = "tocco.audio.rendering.soundfonts._SOUNDFONT_FOLDERS"
HEAD = b"RIFF\x10\0\0\0sfbkLIST"


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch) -> Path:
    """A machine on which one soundfont is installed."""
    (tmp_path / "TimGM6mb.sf2").write_bytes(HEAD)
    monkeypatch.setattr(FOLDERS, (str(tmp_path / "none"), str(tmp_path)))
    return tmp_path


def test_names_are_unique_and_licences_differ() -> None:
    assert len({font.name for font in SOUNDFONTS}) == len(SOUNDFONTS)
    assert {font.name: font.licence for font in SOUNDFONTS} == {
        "musescore": "MIT, parts public domain or CC0",
        "timgm6mb": "GPL-2",
        "fluid": "MIT",
        "fluid-mono": "MIT",
    }


def test_any_is_what_is_installed(shelf: Path) -> None:
    assert [i.name for i in instruments_of("any")] == ["timgm6mb:grand", "timgm6mb:bright"]
    (shelf / "MuseScore_General_Lite.sf3").write_bytes(HEAD)
    assert [i.name for i in instruments_of("any")] == [
        "musescore:grand",
        "musescore:bright",
        "musescore:mellow",
        "timgm6mb:grand",
        "timgm6mb:bright",
    ]
    assert missing_packages(["fluid", "timgm6mb"]) == ("fluid-soundfont-gm",)


def test_a_piano_is_found_by_its_name(shelf: Path) -> None:
    (bright,) = instruments_of("timgm6mb:bright")
    assert (bright.bank, bright.preset, bright.licence) == (0, 1, "GPL-2")
    assert bright.soundfont == shelf / "TimGM6mb.sf2"
    (named,) = instruments_of(str(shelf / "TimGM6mb.sf2"))
    assert named.name == "timgm6mb:grand"


def test_a_font_of_the_users_own_has_a_licence_that_only_the_user_knows(shelf: Path) -> None:
    (shelf / "mine.sf2").write_bytes(HEAD)
    (mine,) = instruments_of(str(shelf / "mine.sf2"))
    assert (mine.name, mine.bank, mine.preset, mine.licence) == ("mine.sf2", 0, 0, None)
    before = mine.sha256()
    (shelf / "mine.sf2").write_bytes(HEAD + b"other")
    assert mine.sha256() != before


def test_what_is_missing_names_the_package(shelf: Path) -> None:
    with pytest.raises(
        MissingPartError, match=r"soundfont fluid: is not installed.*fluid-soundfont-gm"
    ) as caught:
        instruments_of("fluid")
    assert caught.value.exit_code == 5
    with pytest.raises(MissingPartError, match=r"mine\.sf2: was asked for but does not exist"):
        instruments_of(str(shelf / "mine.sf2"))
    (shelf / "TimGM6mb.sf2").unlink()
    with pytest.raises(MissingPartError, match="none of the known ones is installed"):
        instruments_of("any")


@pytest.mark.parametrize(
    ("choice", "nearest"),
    [("timgm6m", "'timgm6mb'"), ("timgm6mb:brihgt", "'bright'"), ("anny", "'any'")],
)
def test_a_name_that_is_none_is_refused_with_the_nearest(shelf: Path, choice: str, nearest: str) -> None:
    with pytest.raises(InputError, match=f"did you mean {nearest}"):
        instruments_of(choice)


@pytest.mark.render
def test_without_a_choice_it_is_the_default_grand() -> None:
    installed("musescore")
    (default,) = instruments_of(None)
    assert default.soundfont == find_soundfont()
    assert (default.name, default.bank, default.preset) == ("musescore:grand", 0, 0)
    assert [int(part) >= 0 for part in fluidsynth_version().split(".")] == [True] * 3


@pytest.mark.render
@pytest.mark.parametrize(
    "name", [f"{font.name}:{each.name}" for font in SOUNDFONTS for each in font.programs]
)
def test_every_piano_plays_in_time_and_in_tune(name: str) -> None:
    instrument = installed(name)
    onset_sec = np.array([0.1, 1.0131, 2.0207])
    where = {"bank": instrument.bank, "preset": instrument.preset}
    with FluidSynthRenderer(instrument.soundfont, **where, even_attacks=True) as piano:
        for pitch in (45, 69, 93):
            audio = piano.render(performance([(t, t + 0.6, pitch, 80) for t in onset_sec]))
            error_sec = [energy_rise_sec(audio, t) - t for t in onset_sec]
            assert np.abs(error_sec).max() < 0.005
            note = audio[2_880:14_400]
            spectrum = np.abs(np.fft.rfft(note * np.hanning(len(note)), 8 * len(note)))
            near = hz_from_pitch(pitch) * 2.0 ** (np.array([-1.0, 1.0]) / 12)
            low, high = np.round(near * 8 * len(note) / SAMPLE_RATE_HZ).astype(int)
            peak_hz = (low + spectrum[low:high].argmax()) * SAMPLE_RATE_HZ / (8 * len(note))
            assert abs(1200 * np.log2(peak_hz / hz_from_pitch(pitch))) < 25


@pytest.mark.render
def test_a_sample_that_speaks_late_is_struck_early() -> None:
    instrument = installed("timgm6mb")
    played = performance([(0.1, 0.6, 69, 80)])
    errors_sec = []
    for even in (False, True):
        with FluidSynthRenderer(instrument.soundfont, even_attacks=even) as piano:
            errors_sec.append(energy_rise_sec(piano.render(played), 0.1) - 0.1)
    assert errors_sec[0] > 0.006
    assert abs(errors_sec[1]) < 0.001
