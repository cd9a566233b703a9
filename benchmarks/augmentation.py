"""How fast every augmentation is on 10 s of audio, beside audiomentations and librosa in the same run.

    python benchmarks/augmentation.py [-o results/augmentation] [--repeats 5]

Processor time of one thread, 24 kHz mono, best of several; peers do the same with the same parameters,
but that audiomentations codes MP3 at 24 kHz and tocco at 48 kHz, where all bit rates exist.
Onset errors of the time stretches are measured as well, on notes with sharp attacks.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
import warnings
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import librosa
import numpy as np

from tocco.audio import augmentation as tocco
from tocco.files import write_bytes
from tocco.units import SAMPLE_RATE_HZ

LENGTH_SEC = 10.0
Waveform = np.ndarray


def main() -> None:
    """Time every row, print the table and keep it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("results/augmentation"))
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    # audiomentations remarks on settings of its own that do not matter here
    warnings.filterwarnings("ignore", module="audiomentations")
    audio, onset_sec = sharp_notes()
    rows = [timed_row(name, calls, audio, options.repeats) for name, calls in contests(audio).items()]
    rows += [error_row(rate, audio, onset_sec) for rate in (0.85, 1.15)]
    names = list(dict.fromkeys(key for row in rows for key in row))
    text = [",".join(names), *(",".join(str(row.get(name, "")) for name in names) for row in rows)]
    options.output.mkdir(parents=True, exist_ok=True)
    write_bytes(options.output / "speed.csv", ("\n".join(text) + "\n").encode())
    for line in csv.reader(text):
        print(" ".join(f"{cell:>22}" for cell in line))


def sharp_notes() -> tuple[Waveform, Waveform]:
    """Ten seconds of single notes with a quick decay, and when they start."""
    rng = np.random.default_rng(0)
    time_sec = np.arange(int(LENGTH_SEC * SAMPLE_RATE_HZ)) / SAMPLE_RATE_HZ
    onset_sec = np.arange(0.4, 9.5, 0.31) + rng.uniform(-0.02, 0.02, len(np.arange(0.4, 9.5, 0.31)))
    sound = np.zeros(len(time_sec))
    for onset, hz in zip(onset_sec, 110.0 * 2 ** rng.uniform(0, 3, len(onset_sec)), strict=True):
        since = np.maximum(time_sec - onset, 0.0)
        envelope = np.minimum(since / 0.001, 1.0) * np.exp(-since / 0.08)
        sound += envelope * (np.sin(2 * np.pi * hz * since) + 0.3 * np.sin(4 * np.pi * hz * since))
    return (0.25 * sound / np.abs(sound).max()).astype(np.float32), onset_sec


def contests(audio: Waveform) -> dict[str, dict[str, Callable[[], object]]]:
    """Transform -> library -> what is timed."""
    import audiomentations as other

    rate, rng = SAMPLE_RATE_HZ, np.random.default_rng(0)
    response = tocco.synthesize_room("concert_hall", rng)
    band = [(1_000.0, 6.0, 1.0)]
    wobble = tocco.Wobble(1.0, 0.3, 10.0, 0.1)

    def peer(transform: Callable[..., object]) -> Callable[[], object]:
        return lambda: transform(samples=audio, sample_rate=rate)

    return {
        "pitch_shift": {
            "tocco": lambda: tocco.pitch_shift(audio, 2),
            "audiomentations": peer(other.PitchShift(2, 2, p=1.0)),
            "librosa": lambda: librosa.effects.pitch_shift(audio, sr=rate, n_steps=2),
        },
        "time_stretch": {
            "tocco": lambda: tocco.time_stretch(audio, 0.9),
            "audiomentations": peer(other.TimeStretch(0.9, 0.9, leave_length_unchanged=False, p=1.0)),
            "librosa": lambda: librosa.effects.time_stretch(audio, rate=0.9),
        },
        "add_noise": {
            "tocco": lambda: tocco.add_noise(audio, 30.0, rng),
            "audiomentations": peer(other.AddGaussianSNR(30.0, 30.0, p=1.0)),
        },
        "pink noise": {
            "tocco": lambda: tocco.add_background_noise(audio, "pink", 30.0, rng),
            "audiomentations": peer(
                other.AddColorNoise(min_snr_db=30, max_snr_db=30, min_f_decay=-3.01, max_f_decay=-3.01, p=1.0)
            ),
        },
        "babble": {"tocco": lambda: tocco.add_background_noise(audio, "babble", 30.0, rng)},
        "room (response given)": {"tocco": lambda: tocco.apply_room_acoustics(audio, response)},
        "room (synthesized)": {"tocco": lambda: tocco.synthesize_room("concert_hall", rng)},
        "compress_audio 64": {
            "tocco": lambda: tocco.compress_audio(audio, 64),
            "audiomentations": peer(
                other.Mp3Compression(
                    64, 64, backend="fast-mp3-augment", preserve_delay=False, quality=5, p=1.0
                )
            ),
        },
        "limit_band": {
            "tocco": lambda: tocco.limit_band(audio, 200.0, 4_000.0),
            "audiomentations": peer(
                other.Compose(
                    [
                        other.HighPassFilter(200.0, 200.0, 12, 12, p=1.0),
                        other.LowPassFilter(4_000.0, 4_000.0, 24, 24, p=1.0),
                    ]
                )
            ),
        },
        "equalize": {
            "tocco": lambda: tocco.equalize(audio, band),
            "audiomentations": peer(other.PeakingFilter(1_000.0, 1_000.0, 6.0, 6.0, 1.0, 1.0, p=1.0)),
        },
        "automatic_gain": {"tocco": lambda: tocco.automatic_gain(audio, 0.5)},
        "clip (soft)": {"tocco": lambda: tocco.clip(audio, 6.0, "soft")},
        "wow_and_flutter": {"tocco": lambda: tocco.wow_and_flutter(audio, wobble)},
        "apply_gain": {
            "tocco": lambda: tocco.apply_gain(audio, 3.0),
            "audiomentations": peer(other.Gain(3.0, 3.0, p=1.0)),
        },
        "augment_pipeline (20 draws)": {"tocco": lambda: twenty_draws(audio)},
    }


def twenty_draws(audio: Waveform) -> None:
    """The pipeline as it comes, for twenty seeds."""
    for seed in range(20):
        tocco.augment_pipeline(audio, tocco.AugmentationConfig(), np.random.default_rng(seed))


def timed_row(
    name: str, calls: dict[str, Callable[[], object]], audio: Waveform, repeats: int
) -> dict[str, object]:
    """Best processor times in ms, the libraries in turn, and how many times slower the peers are."""
    best = dict.fromkeys(calls, np.inf)
    for _ in range(repeats + 1):  # the first round warms up
        for library, call in calls.items():
            start = time.process_time()
            call()
            best[library] = min(best[library], time.process_time() - start)
    row: dict[str, object] = {"transform": name}
    for library, seconds in best.items():
        row[f"{library}_ms"] = round(1e3 * seconds, 2)
        if library != "tocco":
            row[f"{library}_over_tocco"] = round(seconds / best["tocco"], 2)
    return row


def error_row(rate: float, audio: Waveform, onset_sec: Waveform) -> dict[str, object]:
    """Worst distance in ms between a note's attack after stretching and where it has to be."""
    latency = steepest_sec(audio, onset_sec) - onset_sec

    def worst_ms(stretched: Waveform) -> float:
        error = steepest_sec(stretched, onset_sec / rate) - latency - onset_sec / rate
        return round(1e3 * float(np.abs(error).max()), 2)

    return {
        "transform": f"stretch {rate} worst onset error",
        "tocco_ms": worst_ms(tocco.time_stretch(audio, rate)),
        "librosa_ms": worst_ms(librosa.effects.time_stretch(audio, rate=rate)),
    }


def steepest_sec(audio: Waveform, near_sec: Waveform) -> Waveform:
    """Where the level of the next 4 ms most exceeds that of the last 8 ms, within 60 ms of each time."""
    ms = SAMPLE_RATE_HZ // 1000
    energy = np.concatenate(([0.0], np.cumsum(np.square(audio, dtype=float))))
    at = np.arange(8 * ms, len(audio) - 4 * ms)
    after, before = (energy[at + 4 * ms] - energy[at]) / 4, (energy[at] - energy[at - 8 * ms]) / 8
    floor = 1e-5 * energy[-1] / len(audio)
    rise = (after + floor) / (before + floor) * (after > 0.01 * after.max())
    low = np.maximum(((near_sec - 0.06) * SAMPLE_RATE_HZ).astype(int) - 8 * ms, 0)
    return np.array([(at[k] + np.argmax(rise[k : k + 120 * ms])) / SAMPLE_RATE_HZ for k in low])


if __name__ == "__main__":
    main()
