"""Rooms against room acoustics: reverberation times, energies, and a direct sound that stays where it is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
from scipy import signal

from tocco.audio.augmentation import (
    ROOMS,
    AugmentationConfig,
    Room,
    apply_room_acoustics,
    augment_pipeline,
    load_impulse_response,
    reverberation_sec,
    synthesize_room,
)
from tocco.audio.augmenting.rooms import SOUND_M_PER_SEC, _reflections
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ


def octave(response: np.ndarray, centre_hz: float) -> np.ndarray:
    band = signal.butter(4, [centre_hz / 2**0.5, centre_hz * 2**0.5], "band", fs=SAMPLE_RATE_HZ, output="sos")
    return signal.sosfilt(band, response)


@pytest.mark.parametrize("name", ROOMS)
def test_every_room_rings_as_long_as_it_says(name: str, rng: np.random.Generator) -> None:
    room = ROOMS[name]
    for centre_hz, stated in zip((125.0, 1_000.0, 4_000.0), room.rt60_sec, strict=True):
        measured = [reverberation_sec(octave(synthesize_room(room, rng), centre_hz)) for _ in range(3)]
        assert np.median(measured) == pytest.approx(stated, rel=0.25)


def test_the_rooms_go_from_dry_to_wet() -> None:
    assert 5 <= len(ROOMS) <= 10
    times = [room.rt60_sec[1] for room in ROOMS.values()]
    assert times == sorted(times)
    assert times[0] < 0.2
    assert times[-1] > 3.0


@pytest.mark.parametrize("name", ROOMS)
def test_the_direct_sound_comes_first_and_strongest(name: str, rng: np.random.Generator) -> None:
    for _ in range(3):
        response = synthesize_room(name, rng)
        assert response[0] == 1.0
        assert np.argmax(np.abs(response)) == 0
        assert response.dtype == np.float32


def test_reverberant_energy_follows_the_critical_distance() -> None:
    """Four times the energy at twice the distance, and as much as the direct sound at the critical one."""
    size, rt60 = (12.0, 9.0, 5.0), (1.0, 1.0, 1.0)
    critical_m = 0.057 * np.sqrt(12.0 * 9.0 * 5.0 / 1.0)

    def energy(distance_m: float) -> float:
        room = Room("test", size, rt60, (distance_m, distance_m))
        tails = [synthesize_room(room, np.random.default_rng(s))[1:] for s in range(8)]
        late = round(0.03 * SAMPLE_RATE_HZ)
        # what has decayed in the first 30 ms is added by the exponential law
        return float(np.mean([np.square(t[late:], dtype=float).sum() for t in tails])) * np.exp(
            0.03 * 13.8155
        )

    assert energy(critical_m) == pytest.approx(1.0, rel=0.35)
    assert energy(2 * critical_m) / energy(critical_m) == pytest.approx(4.0, rel=0.2)


def test_first_reflections_come_from_the_six_walls() -> None:
    room = Room("box", (12.0, 12.0, 12.0), (0.5, 0.5, 0.5), (1.0, 1.0))
    piano, microphone = np.array([5.0, 6.0, 7.0]), np.array([6.0, 6.0, 7.0])
    delay_sec, amplitude = _reflections(room, piano, microphone)
    mirrored = [piano.copy() for _ in range(6)]
    for wall, image in enumerate(mirrored):
        axis, far = divmod(wall, 2)
        image[axis] = 2 * far * room.size_m[axis] - piano[axis]
    expected = sorted((np.linalg.norm(i - microphone) - 1.0) / SOUND_M_PER_SEC for i in mirrored)
    for time_sec in expected:
        assert np.abs(delay_sec - time_sec).min() < 1e-9
    assert delay_sec.min() == pytest.approx(expected[0])
    ceiling = np.argmin(np.abs(delay_sec - (np.sqrt(1 + 10**2) - 1) / SOUND_M_PER_SEC))
    absorbed = 1 - np.exp(-0.161 * 12**3 / (6 * 12**2 * 0.5))
    assert amplitude[ceiling] == pytest.approx(np.sqrt(1 - absorbed) / np.sqrt(1 + 10**2))


def test_a_click_alone_changes_nothing_and_an_echo_is_heard(rng: np.random.Generator) -> None:
    audio = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    np.testing.assert_allclose(apply_room_acoustics(audio, np.array([1.0])), audio, atol=1e-6)
    echo = np.zeros(2401, np.float32)
    echo[0], echo[2400] = 1.0, 0.5
    heard = apply_room_acoustics(audio, echo)
    plain = audio + 0.5 * np.concatenate((np.zeros(2400, np.float32), audio[:-2400]))
    np.testing.assert_allclose(heard, plain * np.sqrt((audio**2).mean() / (plain**2).mean()), atol=1e-5)


def test_silence_before_the_direct_sound_shifts_nothing(rng: np.random.Generator) -> None:
    audio = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32) * 0.1
    response = synthesize_room("living_room", rng)
    late = np.concatenate((np.full(700, 1e-3, np.float32), response))
    np.testing.assert_allclose(
        apply_room_acoustics(audio, late), apply_room_acoustics(audio, response), atol=1e-6
    )


@pytest.mark.parametrize("rt60_sec", [0.2, 0.8, 3.0])
def test_reverberation_time_of_a_known_decay(rt60_sec: float) -> None:
    time_sec = np.arange(round(1.2 * rt60_sec * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    assert reverberation_sec(10 ** (-3 * time_sec / rt60_sec)) == pytest.approx(rt60_sec, rel=0.01)
    assert reverberation_sec(np.array([1.0, 0.0, 0.0])) == 0.0


def test_impulse_responses_are_read_from_files(tmp_path: Path, rng: np.random.Generator) -> None:
    response = synthesize_room("bedroom", rng, sample_rate_hz=48_000)
    path = tmp_path / "bedroom.wav"
    padded = 0.5 * np.concatenate((np.zeros(480, np.float32), response))
    soundfile.write(path, padded, 48_000, subtype="FLOAT")
    loaded = load_impulse_response(path)
    # the resampler rings for half a millisecond before a click of one sample
    assert abs(int(np.argmax(np.abs(loaded)))) <= 12
    assert reverberation_sec(loaded) == pytest.approx(
        reverberation_sec(response, sample_rate_hz=48_000), rel=0.1
    )
    config = AugmentationConfig.only("room_acoustics").model_copy(
        update={
            "room_acoustics": AugmentationConfig().room_acoustics.model_copy(
                update={"probability": 1.0, "rooms": (), "impulse_responses": (path,)}
            )
        }
    )
    audio = rng.standard_normal(SAMPLE_RATE_HZ).astype(np.float32)
    heard = augment_pipeline(audio, config, np.random.default_rng(0))
    assert heard.applied[0].parameters == {"impulse_response": str(path)}
    np.testing.assert_array_equal(heard.audio, apply_room_acoustics(audio, loaded))


def test_what_is_no_room_is_refused(tmp_path: Path, rng: np.random.Generator) -> None:
    silent = tmp_path / "silent.wav"
    soundfile.write(silent, np.zeros(4800), 24_000)
    with pytest.raises(InputError, match="silent"):
        load_impulse_response(silent)
    endless = tmp_path / "long.wav"
    soundfile.write(endless, 0.1 * rng.standard_normal(16 * 8_000), 8_000)
    with pytest.raises(InputError, match=r"long\.wav"):
        load_impulse_response(endless)
    with pytest.raises(InputError, match="room: is 'cave'"):
        synthesize_room("cave", rng)
    with pytest.raises(InputError, match="too small"):
        synthesize_room(Room("box", (2.0, 2.0, 2.0), (0.3, 0.3, 0.3), (5.0, 5.0)), rng)
