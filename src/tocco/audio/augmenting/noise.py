"""What is in the room besides the piano: hiss, rumble, hum of the mains, people talking.

Signal-to-noise ratios compare the root mean squares over the whole waveform, and hold exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Literal

import numpy as np
from scipy.fft import next_fast_len

from tocco.audio.augmenting.checks import check_range, checked_waveform, rms
from tocco.errors import InputError
from tocco.units import SAMPLE_RATE_HZ, FloatArray

NoiseKind = Literal["pink", "brown", "hum_50", "hum_60", "babble"]

LOWEST_NOISE_HZ: Final = 20.0
"""Below this, coloured noise has no power: no phone's microphone records it."""

SNR_DB: Final = (25.0, 40.0)
"""Range of `add_noise`: a quiet room through a phone."""

BACKGROUND_SNR_DB: Final = (5.0, 60.0)
"""Range of `add_background_noise`, down to a street or a busy foyer."""

N_TALKERS: Final = 8
"""With eight talkers babble masks most (Simpson and Cooke, JASA 118, 2005)."""

_SYLLABLE_HZ = 4.0
_SPEECH_KNEE_HZ = 500.0
_SPEECH_DB_PER_OCTAVE = -9.0


def add_noise(audio: FloatArray, snr_db: float, rng: np.random.Generator) -> FloatArray:
    """The hiss of a microphone's amplifier: white Gaussian noise.

    Parameters
    ----------
    audio : (S,) mono, not silent
    snr_db : dB, 25..40
    rng
        Draws the noise.

    Returns
    -------
    (S,) float32
        Not limited: peaks may pass full scale.
    """
    audio = checked_waveform(audio)
    check_range("snr_db", snr_db, *SNR_DB, "dB")
    return mix_at_snr(audio, rng.standard_normal(len(audio), dtype=np.float32), snr_db)


def add_background_noise(
    audio: FloatArray,
    kind: NoiseKind,
    snr_db: float,
    rng: np.random.Generator,
    *,
    sample_rate_hz: int = SAMPLE_RATE_HZ,
) -> FloatArray:
    """What else sounds in the room, without a recording of it.

    Parameters
    ----------
    audio : (S,) mono, not silent
    kind
        "pink" (ventilation), "brown" (traffic), "hum_50" and "hum_60" (mains), "babble" (talk).
    snr_db : dB, 5..60
    rng
        Draws the noise.
    sample_rate_hz : Hz

    Returns
    -------
    (S,) float32
        Not limited: peaks may pass full scale.
    """
    audio = checked_waveform(audio)
    check_range("snr_db", snr_db, *BACKGROUND_SNR_DB, "dB")
    if kind not in NOISES:
        raise InputError("noise kind", f"is {kind!r}", allowed=", ".join(NOISES))
    return mix_at_snr(audio, NOISES[kind](len(audio), sample_rate_hz, rng), snr_db)


def mix_at_snr(audio: FloatArray, noise: FloatArray, snr_db: float) -> FloatArray:
    """Music and noise together, so far apart.

    Parameters
    ----------
    audio, noise : (S,) mono, neither silent
    snr_db : dB, RMS of the audio over RMS of the noise

    Returns
    -------
    (S,) float32
    """
    audio, noise = checked_waveform(audio), checked_waveform(noise)
    if len(noise) != len(audio):
        raise InputError("noise", f"has {len(noise)} samples", allowed=f"the audio's {len(audio)}")
    level, noise_level = rms(audio), rms(noise)
    for name, value in (("audio", level), ("noise", noise_level)):
        if value == 0.0:
            raise InputError(name, "is silent: a ratio to it means nothing", next_step="leave the noise out")
    return audio + noise * np.float32(level / noise_level * 10.0 ** (-snr_db / 20.0))


def _shaped(white: FloatArray, rate: int, gain: Callable[[FloatArray], FloatArray]) -> FloatArray:
    """White noise with a given magnitude response over frequency in Hz."""
    padded: int = next_fast_len(len(white), real=True)  # type: ignore[assignment] # its stub says None
    spectrum = np.fft.rfft(white, padded)
    frequency = np.fft.rfftfreq(padded, 1.0 / rate)
    heard = frequency >= LOWEST_NOISE_HZ
    response = np.zeros(len(frequency), np.float32)
    response[heard] = gain(frequency[heard])
    return np.fft.irfft(spectrum * response, padded)[: len(white)]


def _pink(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
    """Equal power in every octave."""
    return _shaped(rng.standard_normal(n, dtype=np.float32), rate, lambda f: f**-0.5)


def _brown(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
    """6 dB less in every octave upwards than white noise."""
    return _shaped(rng.standard_normal(n, dtype=np.float32), rate, lambda f: 1.0 / f)


def _hum(mains_hz: float) -> Callable[[int, int, np.random.Generator], FloatArray]:
    """The mains and its harmonics, at random levels and phases, some 6 dB less each octave upwards."""

    def hum(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
        fundamental = np.exp(2.0j * np.pi * mains_hz / rate * np.arange(n)).astype(np.complex64)
        turning, wave = np.ones(n, np.complex64), np.zeros(n, np.complex64)
        for harmonic in range(1, 9):
            turning *= fundamental
            amplitude = rng.uniform(0.3, 1.0) / harmonic
            wave += np.complex64(amplitude * np.exp(2.0j * np.pi * rng.uniform())) * turning
        return wave.real

    return hum


def _speech_spectrum(frequency_hz: FloatArray) -> FloatArray:
    """Long-term average speech: flat from 100 Hz to 500 Hz, then 9 dB less an octave (Byrne et al. 1994)."""
    octaves = np.maximum(np.log2(frequency_hz / _SPEECH_KNEE_HZ), 0.0)
    return np.where(frequency_hz < 100.0, 0.1, 10.0 ** (_SPEECH_DB_PER_OCTAVE * octaves / 20.0))


def _babble(n: int, rate: int, rng: np.random.Generator) -> FloatArray:
    """Talkers of the spectrum of speech, each swelling and pausing at the pace of syllables."""
    voices = np.zeros(n, np.float32)
    n_steps = max(2, int(np.ceil(n / rate * _SYLLABLE_HZ)) + 1)
    step = (np.arange(n) * (_SYLLABLE_HZ / rate)).astype(np.float32)
    before = step.astype(np.int64)
    share = step - before
    for _ in range(N_TALKERS):
        syllables = np.maximum(rng.normal(0.5, 0.6, n_steps), 0.02).astype(np.float32)
        rise = np.append(np.diff(syllables), np.float32(0.0))
        voices += (syllables[before] + rise[before] * share) * rng.standard_normal(n, dtype=np.float32)
    # one filter serves all talkers: it is far shorter than a syllable
    return _shaped(voices, rate, _speech_spectrum)


NOISES: Final[Mapping[str, Callable[[int, int, np.random.Generator], FloatArray]]] = {
    "pink": _pink,
    "brown": _brown,
    "hum_50": _hum(50.0),
    "hum_60": _hum(60.0),
    "babble": _babble,
}
"""Name -> (samples, Hz, generator) -> waveform of any level."""
