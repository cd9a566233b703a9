"""Performances played, and heard again."""

from __future__ import annotations

import ctypes.util
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from render_example import energy_rise_sec, level_dbfs, performance
from tocco.audio.rendering import (
    PEAK_CEILING_DBFS,
    SOUNDFONT_VARIABLE,
    TARGET_RMS_DBFS,
    FluidSynthRenderer,
    find_soundfont,
    write_flac,
)
from tocco.errors import InputError, MissingPartError, OutputError
from tocco.music.performance import PedalCurve
from tocco.units import SAMPLE_RATE_HZ, hz_from_pitch


@pytest.fixture(scope="module")
def renderer() -> Iterator[FluidSynthRenderer]:
    if ctypes.util.find_library("fluidsynth") is None:
        pytest.skip("FluidSynth is not installed")
    try:
        find_soundfont()
    except MissingPartError as error:
        pytest.skip(str(error))
    with FluidSynthRenderer() as loaded:
        yield loaded


@pytest.fixture(scope="module")
def raw_renderer(renderer: FluidSynthRenderer) -> Iterator[FluidSynthRenderer]:
    with FluidSynthRenderer(renderer.soundfont, target_rms_dbfs=None) as loaded:
        yield loaded


@pytest.mark.render
@pytest.mark.parametrize("pitch", [36, 60, 84, 108])
@pytest.mark.parametrize("velocity", [20, 60, 110])
def test_onsets_are_heard_where_they_are_played(renderer, pitch: int, velocity: int) -> None:
    onset_sec = np.array([0.1, 1.0131, 2.0207, 3.0333])
    audio = renderer.render(performance([(t, t + 0.2, pitch, velocity) for t in onset_sec]))
    error_sec = [energy_rise_sec(audio, t) - t for t in onset_sec]
    assert np.abs(error_sec).max() < 0.005


@pytest.mark.render
@pytest.mark.parametrize("pitch", [33, 57, 69, 81])
def test_a_key_sounds_at_its_own_pitch(renderer, pitch: int) -> None:
    audio = renderer.render(performance([(0.0, 2.0, pitch, 80)]))[: 2 * SAMPLE_RATE_HZ]
    spectrum = np.abs(np.fft.rfft(audio * np.hanning(len(audio))))
    near = hz_from_pitch(pitch) * 2.0 ** (np.array([-0.5, 0.5]) / 12)
    low, high = np.round(near * len(audio) / SAMPLE_RATE_HZ).astype(int)
    peak_hz = (low + spectrum[low:high].argmax()) * SAMPLE_RATE_HZ / len(audio)
    assert 1200 * np.log2(peak_hz / hz_from_pitch(pitch)) == pytest.approx(0.0, abs=20)
    assert spectrum[low:high].max() > 5 * np.median(spectrum)


@pytest.mark.render
def test_the_same_performance_gives_the_same_bytes_whatever_came_before(renderer) -> None:
    first = performance([(0.0, 1.0, 60, 70), (0.5, 1.2, 64, 50), (0.9, 1.5, 67, 90)], [(0.1, 127), (1.4, 0)])
    other = performance([(0.0, 3.0, pitch, 110) for pitch in range(40, 90, 3)], [(0.0, 127)])
    once = renderer.render(first)
    renderer.render(other)
    np.testing.assert_array_equal(renderer.render(first), once)
    with FluidSynthRenderer(renderer.soundfont) as fresh:
        np.testing.assert_array_equal(fresh.render(first), once)


@pytest.mark.render
def test_level_and_peak_are_as_stated(renderer, rng) -> None:
    notes = [
        (t, t + 0.5, int(p), 70) for t, p in zip(np.arange(0, 8, 0.25), rng.integers(40, 80, 32), strict=True)
    ]
    audio = renderer.render(performance(notes))
    assert audio.dtype == np.float32
    assert level_dbfs(audio, 0.0, 8.25) == pytest.approx(TARGET_RMS_DBFS, abs=0.05)
    spiky = renderer.render(performance([(0.0, 0.05, 60, 127), (30.0, 30.05, 60, 10)]))
    assert 20 * np.log10(np.abs(spiky).max()) == pytest.approx(PEAK_CEILING_DBFS, abs=0.01)


@pytest.mark.render
def test_without_a_target_louder_playing_is_louder(raw_renderer) -> None:
    played = [raw_renderer.render(performance([(0.0, 1.0, 60, v)])) for v in (10, 30, 50, 70, 90, 110, 127)]
    levels = [level_dbfs(audio, 0.0, 1.0) for audio in played]
    assert levels == sorted(levels)
    assert levels[-1] - levels[0] > 20


@pytest.mark.render
def test_the_sound_rings_out_and_ends(renderer) -> None:
    audio = renderer.render(performance([(0.0, 1.0, 60, 80)]))
    assert 1.0 < len(audio) / SAMPLE_RATE_HZ < 4.0
    assert np.abs(audio[-1200:]).max() < 2e-4 * np.abs(audio).max()


@pytest.mark.render
def test_the_pedal_holds_what_the_keys_let_go(raw_renderer) -> None:
    notes = [(0.0, 0.3, 60, 80), (3.0, 3.1, 90, 1)]
    dry = raw_renderer.render(performance(notes))
    held = raw_renderer.render(performance(notes, [(0.1, 127), (2.0, 0)]))
    assert level_dbfs(held, 1.0, 1.9) > level_dbfs(dry, 1.0, 1.9) + 20
    assert level_dbfs(held, 2.6, 2.95) < level_dbfs(held, 1.0, 1.9) - 20
    for value, is_held in ((63, False), (64, True)):  # sustain is binary in soundfonts
        audio = raw_renderer.render(performance(notes, [(0.1, value), (2.0, 0)]))
        np.testing.assert_array_equal(audio, held if is_held else dry)


@pytest.mark.render
def test_a_pedal_that_changes_with_the_harmony_catches_the_new_one_only(raw_renderer) -> None:
    notes = [(0.0, 1.0, 60, 80), (1.0, 1.2, 67, 80), (3.0, 3.1, 90, 1)]
    audio = raw_renderer.render(performance(notes, [(1.0, 127), (2.5, 0)]))
    alone = raw_renderer.render(performance(notes[1:], [(1.0, 127), (2.5, 0)]))
    length = round(2.4 * SAMPLE_RATE_HZ)
    rest = audio[:length] - alone[:length]
    assert level_dbfs(rest, 1.8, 2.4) < level_dbfs(alone, 1.8, 2.4) - 30


@pytest.mark.render
def test_sostenuto_holds_the_keys_that_were_down(raw_renderer) -> None:
    notes = [(0.0, 0.5, 48, 80), (1.0, 1.2, 72, 80), (4.0, 4.1, 90, 1)]
    played = performance(notes)
    held = replace(played, sostenuto=PedalCurve(np.array([0.2, 3.5]), np.array([127.0, 0.0])))
    dry_audio, held_audio = raw_renderer.render(played), raw_renderer.render(held)
    assert level_dbfs(held_audio, 2.0, 3.4) > level_dbfs(dry_audio, 2.0, 3.4) + 20


@pytest.mark.render
def test_a_key_struck_again_while_down_sounds_again_to_its_own_release(raw_renderer) -> None:
    overlapping = performance([(0.0, 1.0, 60, 80), (0.5, 2.0, 60, 80)])
    separate = performance([(0.0, 0.5, 60, 80), (0.5, 2.0, 60, 80)])
    np.testing.assert_array_equal(raw_renderer.render(overlapping), raw_renderer.render(separate))
    audio = raw_renderer.render(overlapping)
    assert level_dbfs(audio, 1.2, 1.9) > level_dbfs(audio, 2.5, 2.6) + 20


@pytest.mark.render
def test_two_notes_on_one_key_at_once_are_one_strike(raw_renderer) -> None:
    double = performance([(0.0, 0.5, 60, 50), (0.0, 1.0, 60, 80)])
    single = performance([(0.0, 1.0, 60, 80)])
    np.testing.assert_array_equal(raw_renderer.render(double), raw_renderer.render(single))


@pytest.mark.render
def test_a_note_shorter_than_a_block_still_ends(raw_renderer) -> None:
    audio = raw_renderer.render(performance([(0.0, 0.0001, 60, 80), (2.0, 2.1, 90, 1)]))
    assert level_dbfs(audio, 1.0, 1.9) < level_dbfs(audio, 0.0, 0.2) - 40


@pytest.mark.render
def test_moving_a_performance_moves_its_sound(renderer) -> None:
    played = performance([(0.0, 0.8, 60, 80), (0.4, 1.0, 64, 60)])
    by_sec = 750 * 64 / 48_000  # whole blocks of the synthesiser: the rest is bit for bit the same
    here, later = renderer.render(played), renderer.render(played.shifted(by_sec))
    offset = round(by_sec * SAMPLE_RATE_HZ)
    assert np.abs(later[: offset - 200]).max() < 1e-6  # what the resampler rings ahead
    n = min(len(here), len(later) - offset)
    np.testing.assert_allclose(later[offset : offset + n], here[:n], atol=2e-4)


@pytest.mark.render
def test_a_note_held_into_a_segment_sounds_from_its_first_sample(raw_renderer) -> None:
    played = performance([(0.0, 2.0, 60, 80), (1.5, 2.0, 64, 80)])
    whole, cut = raw_renderer.render(played), raw_renderer.render(played.shifted(-1.0))
    np.testing.assert_allclose(cut[:24_000], whole[24_000:48_000], atol=1e-6)


@pytest.mark.render
def test_what_cannot_be_played_is_refused(renderer) -> None:
    played = performance([(0.0, 1.0, 60, 80)])
    empty = np.zeros(0)
    silent = replace(
        played,
        onset_sec=empty,
        offset_sec=empty,
        pitch=empty.astype(int),
        velocity=empty.astype(int),
        source="x.mid",
    )
    with pytest.raises(InputError, match=r"x\.mid: has no notes"):
        renderer.render(silent)
    with pytest.raises(InputError, match="lasts 20,000 s"):
        renderer.render(replace(played, duration_sec=20_000.0))


@pytest.mark.render
def test_a_font_that_lacks_the_instrument_is_named(renderer, tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="no instrument at bank 77, preset 3"):
        FluidSynthRenderer(renderer.soundfont, bank=77, preset=3)
    with pytest.raises(InputError, match="target_rms_dbfs"):
        FluidSynthRenderer(renderer.soundfont, target_rms_dbfs=3.0)
    closed = FluidSynthRenderer(renderer.soundfont)
    closed.close()
    with pytest.raises(ValueError, match="closed"):
        closed.render(performance([(0.0, 1.0, 60, 80)]))


def test_the_variable_names_the_font(tmp_path: Path, monkeypatch) -> None:
    font = tmp_path / "my.sf2"
    monkeypatch.setenv(SOUNDFONT_VARIABLE, str(font))
    with pytest.raises(MissingPartError, match=r"my\.sf2: is named by TOCCO_SOUNDFONT but does not exist"):
        find_soundfont()
    font.write_bytes(b"RIFF\x10\0\0\0WAVEfmt ")
    with pytest.raises(MissingPartError, match="is not a soundfont"):
        find_soundfont()
    font.write_bytes(b"RIFF\x10\0\0\0sfbkLIST")
    assert find_soundfont() == font


def test_a_machine_without_fonts_is_told_how_to_get_one(monkeypatch) -> None:
    monkeypatch.delenv(SOUNDFONT_VARIABLE, raising=False)
    monkeypatch.setattr("tocco.audio.rendering.soundfonts._SOUNDFONT_FOLDERS", ())
    with pytest.raises(
        MissingPartError, match="apt-get install fluidsynth musescore-general-soundfont-small"
    ):
        find_soundfont()


def test_a_machine_without_fluidsynth_is_told_how_to_get_it(monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "fluidsynth", None)
    with pytest.raises(
        MissingPartError, match=r"FluidSynth: the library is not installed.*brew install fluid-synth"
    ):
        FluidSynthRenderer()


def test_flac_is_written_whole(tmp_path: Path, rng) -> None:
    audio = rng.uniform(-1, 1, 30_000).astype(np.float32)
    audio[:2] = 1.0, -1.0
    path = tmp_path / "take.flac"
    path.write_bytes(b"old")
    write_flac(path, audio)
    info = soundfile.info(path)
    assert (info.format, info.subtype, info.samplerate, info.channels) == ("FLAC", "PCM_16", 24_000, 1)
    np.testing.assert_allclose(soundfile.read(path)[0], audio, atol=1.5 / 32768)
    assert [p.name for p in tmp_path.iterdir()] == ["take.flac"]


def test_flac_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot be written \(No such file or directory\)"):
        write_flac(tmp_path / "gone" / "take.flac", np.zeros(100))
    (tmp_path / "take.flac").mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_flac(tmp_path / "take.flac", np.zeros(100))
    assert [p.name for p in tmp_path.iterdir()] == ["take.flac"]


@pytest.mark.parametrize("audio", [np.array([0.0, 1.01]), np.array([np.nan]), np.zeros((2, 9)), np.zeros(0)])
def test_a_waveform_that_would_not_survive_is_refused(tmp_path: Path, audio: np.ndarray) -> None:
    with pytest.raises(InputError, match="waveform"):
        write_flac(tmp_path / "take.flac", audio)
    assert not list(tmp_path.iterdir())
