"""Rooms between the piano and the microphone, from a dry studio to a church.

The direct sound of every impulse response stands at sample 0, so that onsets do not
shift. The reflections of the first 50 ms or so are those of image sources in a box
(Allen and Berkley, JASA 65, 1979); after them a diffuse tail decays at its own rate in every octave.
The tail's energy beside the direct sound follows from the distance and the room: it is
`(distance / critical distance)^2`, with the critical distance `0.057 sqrt(V / RT60)` m
(Kuttruff, Room Acoustics, 2000).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import numpy as np
from scipy import signal
from scipy.fft import next_fast_len

from tocco.audio.augmenting.checks import checked_waveform, rms
from tocco.audio.decoding import AUDIO_LIMITS
from tocco.audio.processing import load_audio
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ, FloatArray

SOUND_M_PER_SEC: Final = 343.0
DIRECT_DB: Final = -20.0
"""The direct sound is the first sample within 20 dB of the highest (ISO 3382-1:2009, 5.3.3)."""

_BANDS_HZ = (125.0, 250.0, 500.0, 1_000.0, 2_000.0, 4_000.0, 8_000.0)
_STATED_HZ = (125.0, 1_000.0, 4_000.0)
_LONGEST_RESPONSE_SEC = 15.0


@dataclass(frozen=True)
class Room:
    """A room, a piano and a microphone in it.

    Attributes
    ----------
    name
    size_m : length, width, height
    rt60_sec : reverberation times at 125 Hz, 1 kHz and 4 kHz
    distance_m : nearest and farthest place of the microphone
    """

    name: str
    size_m: tuple[float, float, float]
    rt60_sec: tuple[float, float, float]
    distance_m: tuple[float, float]

    @property
    def volume_m3(self) -> float:
        """Length times width times height."""
        return float(np.prod(self.size_m))


_ROOMS = (
    Room("dry_studio", (5.0, 4.0, 2.8), (0.25, 0.18, 0.15), (0.8, 2.0)),
    Room("bedroom", (4.0, 3.2, 2.5), (0.45, 0.32, 0.28), (0.8, 2.0)),
    Room("living_room", (6.5, 4.5, 2.6), (0.60, 0.48, 0.42), (1.0, 3.0)),
    Room("practice_room", (3.5, 2.8, 2.8), (0.70, 0.60, 0.50), (0.8, 1.8)),
    Room("classroom", (9.0, 7.0, 3.2), (0.90, 0.75, 0.65), (1.5, 5.0)),
    Room("recital_room", (16.0, 9.0, 6.0), (1.30, 1.15, 0.95), (2.0, 8.0)),
    Room("concert_hall", (38.0, 22.0, 15.0), (2.30, 2.00, 1.60), (4.0, 15.0)),
    Room("church", (42.0, 18.0, 16.0), (4.20, 3.60, 2.20), (3.0, 12.0)),
)
ROOMS: Final[Mapping[str, Room]] = MappingProxyType({room.name: room for room in _ROOMS})
"""Eight rooms, the driest first."""


def synthesize_room(
    room: Room | str, rng: np.random.Generator, *, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> FloatArray:
    """An impulse response of a room, with the piano and the microphone at places of their own.

    Parameters
    ----------
    room
        A `Room`, or the name of one of `ROOMS`.
    rng
        Draws the places and the tail.
    sample_rate_hz : Hz

    Returns
    -------
    (R,) float32
        1 at sample 0, the direct sound; ends where the slowest octave has fallen by 60 dB.
    """
    if isinstance(room, str):
        if room not in ROOMS:
            raise InputError("room", f"is {room!r}", allowed=", ".join(ROOMS))
        room = ROOMS[room]
    size = np.array(room.size_m)
    distance_m = rng.uniform(*room.distance_m)
    piano, microphone = _places(size, distance_m, rng)
    n_samples = int(max(room.rt60_sec) * sample_rate_hz)
    mixing_sample = min(n_samples - 1, int(_mixing_sec(room) * sample_rate_hz))
    response = _tail(room, distance_m, mixing_sample, n_samples, sample_rate_hz, rng)
    delay_sec, amplitude = _reflections(room, piano, microphone)
    at = np.round(delay_sec * sample_rate_hz).astype(int)
    early = (at > 0) & (at < mixing_sample)
    np.add.at(response, at[early], amplitude[early])
    response[0] = 1.0
    return response.astype(np.float32)


def load_impulse_response(
    path: str | os.PathLike[str], *, sample_rate_hz: int = SAMPLE_RATE_HZ
) -> FloatArray:
    """A measured impulse response from a file, from its direct sound on.

    Parameters
    ----------
    path : any kind of recording; channels are averaged
    sample_rate_hz : Hz of the result

    Returns
    -------
    (R,) float32

    Raises
    ------
    InputError
        The file cannot be used, is silent, or is longer than 15 s, which no room is.
    """
    limits = replace(AUDIO_LIMITS, min_sec=0.001, max_sec=_LONGEST_RESPONSE_SEC)
    response = load_audio(path, sample_rate_hz=sample_rate_hz, limits=limits)
    return _from_direct_sound(response, subject=str(path))


def apply_room_acoustics(audio: FloatArray, impulse_response: FloatArray) -> FloatArray:
    """The recording as a microphone in that room would have made it.

    What precedes the direct sound in the response is cut off, so that nothing shifts. The level (RMS)
    stays that of the input: a room colours, `gain_variation` changes the level. What rings after the
    last sample is left out.

    Parameters
    ----------
    audio : (S,) mono
    impulse_response : (R,) mono at the audio's rate, R >= 1

    Returns
    -------
    (S,) float32
        Not limited: peaks may pass full scale.
    """
    audio = checked_waveform(audio)
    response = _from_direct_sound(checked_waveform(impulse_response), subject="impulse_response")
    level = rms(audio)
    if level == 0.0:
        return audio.copy()
    heard = signal.oaconvolve(audio, response)[: len(audio)]
    return (heard * np.float32(level / rms(heard))).astype(np.float32)


def reverberation_sec(impulse_response: FloatArray, *, sample_rate_hz: int = SAMPLE_RATE_HZ) -> float:
    """Reverberation time (RT60) of an impulse response.

    The energy that is still to come, integrated backwards (Schroeder, JASA 37, 1965), and the line
    through its fall from 5 to 25 dB below the whole, continued to 60 dB (T20 of ISO 3382-1).

    Parameters
    ----------
    impulse_response : (R,)
    sample_rate_hz : Hz

    Returns
    -------
    seconds, >= 0
        0 where it ends before it has fallen by 25 dB over two samples: a single click.
    """
    response = checked_waveform(impulse_response).astype(np.float64)
    to_come = np.cumsum(np.square(response)[::-1])[::-1]
    if to_come[0] == 0.0:
        raise InputError("impulse_response", "is silent")
    # after the last sound nothing is to come: a floor far below the fitted range keeps the logarithm finite
    level_db = 10.0 * np.log10(np.maximum(to_come / to_come[0], 1e-12))
    fitted = np.flatnonzero((level_db <= -5.0) & (level_db >= -25.0))
    if len(fitted) < 2:
        return 0.0
    slope = np.polyfit(fitted / sample_rate_hz, level_db[fitted], 1)[0]
    return float(-60.0 / slope)


def _from_direct_sound(response: FloatArray, *, subject: str) -> FloatArray:
    magnitude = np.abs(response)
    if magnitude.max() == 0.0:
        raise InputError(subject, "is a silent impulse response", next_step="choose another")
    return response[int(np.argmax(magnitude >= magnitude.max() * 10.0 ** (DIRECT_DB / 20.0))) :]


def _mixing_sec(room: Room) -> float:
    """When single reflections become a diffuse tail: sqrt(V) ms (Polack 1993), 60 ms at most."""
    return min(0.06, 1e-3 * np.sqrt(room.volume_m3))


def _places(size: FloatArray, distance_m: float, rng: np.random.Generator) -> tuple[FloatArray, FloatArray]:
    """Piano and microphone so far apart, both half a metre or more from every wall, about 1 m high."""
    low = np.array([0.5, 0.5, 0.9])
    high = np.maximum(size - 0.5, low)
    high[2] = 1.6
    for _ in range(1_000):
        piano = rng.uniform(low, high)
        angle = rng.uniform(0.0, 2.0 * np.pi)
        microphone = piano + distance_m * np.array([np.cos(angle), np.sin(angle), 0.0])
        if ((microphone >= low) & (microphone <= high)).all():
            return piano, microphone
    raise InputError("room", f"is too small for {distance_m:.1f} m between piano and microphone")


def _reflections(room: Room, piano: FloatArray, microphone: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Delay behind the direct sound, and amplitude beside it, of every image of the piano.

    Along each axis an image stands at `2 n L + x` (after `2 |n|` walls) or `2 n L - x` (after
    `|2 n - 1|`). The walls absorb what Eyring's formula says for the reverberation time at 1 kHz.
    """
    reach_m = SOUND_M_PER_SEC * _mixing_sec(room) + float(np.linalg.norm(piano - microphone))
    order = int(np.ceil(reach_m / (2.0 * min(room.size_m)))) + 1
    n = np.arange(-order, order + 1)
    place, walls = [], []
    for axis, length in enumerate(room.size_m):
        images = np.concatenate((2.0 * n * length + piano[axis], 2.0 * n * length - piano[axis]))
        place.append(images - microphone[axis])
        walls.append(np.concatenate((np.abs(2 * n), np.abs(2 * n - 1))))
    distance = np.sqrt(
        np.square(place[0])[:, None, None] + np.square(place[1])[None, :, None] + np.square(place[2])
    ).ravel()
    bounces = (walls[0][:, None, None] + walls[1][None, :, None] + walls[2]).ravel()
    direct_m = float(np.linalg.norm(piano - microphone))
    near = (distance < reach_m) & (bounces > 0)
    size = np.array(room.size_m)
    surface_m2 = 2.0 * float(size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    absorbed = 1.0 - np.exp(-0.161 * room.volume_m3 / (surface_m2 * room.rt60_sec[1]))
    reflected = np.sqrt(1.0 - absorbed)
    amplitude = direct_m / distance[near] * reflected ** bounces[near]
    return (distance[near] - direct_m) / SOUND_M_PER_SEC, amplitude


def _tail(
    room: Room,
    distance_m: float,
    mixing_sample: int,
    n_samples: int,
    sample_rate_hz: int,
    rng: np.random.Generator,
) -> FloatArray:
    """Diffuse reverberation: noise that decays in every octave at its own rate, silent until mixing.

    With the energy E beside the direct sound and the decay rate k = 6 ln 10 / RT60, the energy that
    arrives in a sample is `E k / rate * exp(-k t)`. The octaves overlap and sum to the noise itself.
    """
    time_sec = np.arange(n_samples) / sample_rate_hz
    padded: int = next_fast_len(n_samples, real=True)  # type: ignore[assignment] # its stub says None
    spectrum = np.fft.rfft(rng.standard_normal(padded))
    frequency_hz = np.fft.rfftfreq(padded, 1.0 / sample_rate_hz)
    octave = np.log2(np.maximum(frequency_hz, 1.0))
    centres = np.log2([f for f in _BANDS_HZ if f < 0.5 * sample_rate_hz])
    tail = np.zeros(n_samples)
    for band, centre in enumerate(centres):
        peak = np.zeros(len(centres))
        peak[band] = 1.0
        weight = np.interp(octave, centres, peak)
        rt60 = float(np.interp(centre, np.log2(_STATED_HZ), room.rt60_sec))
        rate = 6.0 * np.log(10.0) / rt60
        energy = (distance_m / 0.057) ** 2 * rt60 / room.volume_m3
        envelope = np.sqrt(energy * rate / sample_rate_hz) * np.exp(-0.5 * rate * time_sec)
        tail += np.fft.irfft(spectrum * weight, padded)[:n_samples] * envelope
    tail[:mixing_sample] = 0.0
    return tail
