"""What the gate does with clips: refusals by kind, false alarms, bounds, tuning, faults at grades."""

from __future__ import annotations

import json
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from gate_material import KINDS, SURROUNDED, Split

from tocco.audio.augmenting.codecs import compress_audio
from tocco.audio.augmenting.noise import add_background_noise
from tocco.audio.augmenting.phone import automatic_gain, clip
from tocco.audio.augmenting.rooms import ROOMS, apply_room_acoustics, synthesize_room
from tocco.audio.decoding import SoundHeader
from tocco.audio.description import AudioGauge
from tocco.audio.processing import DescribedStream
from tocco.audio.quality import THRESHOLDS, QualityGauge, RecordingQuality, examine, quality_of
from tocco.units import SAMPLE_RATE_HZ, FloatArray

BLOCK_SAMPLES: Final = 10 * SAMPLE_RATE_HZ
_N_FAULT_CLIPS: Final = 12


@dataclass(frozen=True)
class Examined:
    """One clip and what was found.

    Attributes
    ----------
    kind
    drawn : what it was made with
    found : what `summary` keeps
    """

    kind: str
    drawn: Mapping[str, Any]
    found: Mapping[str, Any]


def examined(sound: FloatArray) -> RecordingQuality:
    """The verdict on samples."""
    description = AudioGauge(SoundHeader("WAV", "PCM_16", SAMPLE_RATE_HZ, 1, None), None)
    gauge = QualityGauge()
    for start in range(0, len(sound), BLOCK_SAMPLES):
        block = sound[start : start + BLOCK_SAMPLES]
        description.add(block[:, None])
        gauge.add(block)
    return quality_of(gauge.measures(description.description("")))


def summary(quality: RecordingQuality) -> dict[str, Any]:
    """The numbers of a verdict, for a file."""
    m = quality.measures
    return {
        "findings": [one.name for one in quality.findings],
        "refusal": quality.refusal,
        "pianism": m.pianism or 0.0,
        "probability": m.probability,
        "bounds": None if quality.music is None else [quality.music.start_sec, quality.music.end_sec],
        "cut": None if quality.music is None else [quality.music.before, quality.music.after],
        "cents": m.tuning.cents,
        "fit": m.tuning.fit,
        "snr_db": m.snr_db,
        "range_db": m.range_db,
        "hum_db": m.hum.level_db if m.hum else None,
        "decay_sec": m.decay_sec,
        "dropouts": m.n_dropouts,
        "crowding": m.crowding,
        "speech_share": m.speech_share,
        "duration_sec": m.description.duration_sec,
    }


def examine_clips(folder: Path, split: Split) -> tuple[list[Examined], float]:
    """Every clip of a split, and the share of real time that examining took."""
    rows, spent, lasted = [], 0.0, 0.0
    for file in sorted(folder.glob(f"{split}_*.json")):
        drawn = json.loads(file.read_text())
        sound = np.load(file.with_suffix(".npy")).astype(np.float32) / 32768.0
        begin = time.process_time()
        found = summary(examined(sound))
        spent, lasted = spent + time.process_time() - begin, lasted + len(sound) / SAMPLE_RATE_HZ
        rows.append(Examined(drawn["kind"], drawn, found))
    return rows, spent / lasted


def kinds_table(rows: list[Examined]) -> list[str]:
    """Refusals by kind, what else is said, and how well the probability separates each kind from pianos."""
    piano = np.array([row.found["pianism"] for row in rows if row.kind == "piano"])
    lines = [
        "| kind | clips | refused | said of those accepted | area under the ROC curve |",
        "|---|--:|--:|---|--:|",
    ]
    for kind in KINDS:
        own = [row for row in rows if row.kind == kind]
        if not own:
            continue
        accepted = [row for row in own if row.found["refusal"] is None]
        said = _shares(accepted, ("other_keyboard", "singing_along", "other_instrument", "unsure_instrument"))
        other = np.array([row.found["pianism"] for row in own])
        area = "" if kind == "piano" else f"{_area(piano, other):.3f}"
        refused = 1.0 - len(accepted) / len(own)
        lines.append(f"| {kind.replace('_', ' ')} | {len(own)} | {100 * refused:.1f} % | {said} | {area} |")
    return lines


def _shares(rows: list[Examined], names: tuple[str, ...]) -> str:
    if not rows:
        return ""
    share = {name: np.mean([name in row.found["findings"] for row in rows]) for name in names}
    return ", ".join(
        f"{name.replace('_', ' ')} {100 * value:.0f} %" for name, value in share.items() if value
    )


def _area(high: FloatArray, low: FloatArray) -> float:
    """Chance that a draw of the first lies above one of the second."""
    difference = high[:, None] - low[None, :]
    return float((difference > 0).mean() + 0.5 * (difference == 0).mean())


def roc_table(rows: list[Examined]) -> list[str]:
    """False alarms and refusals at several limits of `pianism`."""
    limits = (0.1, 0.15, 0.2, 0.3, 0.4, 0.45, 0.5, 0.6)
    lines = [
        "| limit | " + " | ".join(f"{limit:g}" for limit in limits) + " |",
        "|---|" + "--:|" * len(limits),
    ]
    for kind in KINDS:
        pianism = np.array([row.found["pianism"] for row in rows if row.kind == kind])
        if len(pianism):
            shares = " | ".join(f"{100 * (pianism < limit).mean():.1f} %" for limit in limits)
            lines.append(f"| {kind.replace('_', ' ')} | {shares} |")
    return lines


def alarms_table(rows: list[Examined]) -> list[str]:
    """How often each finding is made on pianos, by how they were recorded."""
    piano = [row for row in rows if row.kind == "piano"]
    ways = ("close", "room", "phone", "telephone")
    lines = ["| finding | all | " + " | ".join(ways) + " |", "|---|--:|" + "--:|" * len(ways)]
    for name in ("no_music", *THRESHOLDS):
        shares = [100 * np.mean([name in row.found["findings"] for row in piano])]
        for way in ways:
            own = [row for row in piano if row.drawn["how"] == way]
            shares.append(100 * np.mean([name in row.found["findings"] for row in own]) if own else 0.0)
        lines.append(
            f"| {name.replace('_', ' ')} | " + " | ".join(f"{share:.1f} %" for share in shares) + " |"
        )
    return lines


def bounds_lines(rows: list[Examined], within_sec: float) -> tuple[list[str], float]:
    """Errors of the bounds of surrounded music, and the share with both ends within a distance."""
    errors = []
    for row in rows:
        if row.kind == SURROUNDED:
            found = row.found["bounds"] or [0.0, 0.0]
            start, end = found[0] - row.drawn["start_sec"], found[1] - row.drawn["end_sec"]
            # where nothing but room noise is before or after, any bound outside the music is right
            start = start if row.drawn["is_led"] else max(start, 0.0)
            end = end if row.drawn["is_followed"] else min(end, 0.0)
            errors.append([start, end])
    error = np.array(errors)
    good = float((np.abs(error).max(axis=1) <= within_sec).mean())
    lines = [f"{len(error)} recordings; both ends within {within_sec:g} s: {100 * good:.1f} %."]
    for name, column in (("start", error[:, 0]), ("end", error[:, 1])):
        low, mid, high = np.quantile(column, (0.05, 0.5, 0.95))
        lines.append(f"Found less true {name}: median {mid:+.2f} s, 5 % {low:+.2f} s, 95 % {high:+.2f} s.")
    cut = [row.found["cut"] for row in rows if row.kind == "piano" and row.found["cut"]]
    lines.append(
        "Pianos alone from which something is cut (some end in seconds of room noise): "
        f"{100 * np.mean([bool(before or after) for before, after in cut]):.1f} % of {len(cut)}."
    )
    return lines, good


def tuning_lines(rows: list[Examined], within_cents: float) -> tuple[list[str], float]:
    """Errors of the tuning of pianos."""
    piano = [row for row in rows if row.kind == "piano" and row.found["fit"] >= 0.3]
    error = np.array([(row.found["cents"] - row.drawn["cents"] + 50) % 100 - 50 for row in piano])
    good = float((np.abs(error) <= within_cents).mean())
    return [
        f"{len(piano)} pianos, half of them retuned by -50 to 50 cents: within {within_cents:g} cents "
        f"{100 * good:.1f} %, median error {np.median(error):+.1f} cents."
    ], good


def decay_lines(rows: list[Examined]) -> list[str]:
    """Estimated reverberation by room."""
    lines = ["| room | true s (1 kHz) | estimated: 10 % | 50 % | 90 % |", "|---|--:|--:|--:|--:|"]
    piano = [row for row in rows if row.kind == "piano" and row.found["decay_sec"]]
    for room in (None, *ROOMS):
        own = [row.found["decay_sec"] for row in piano if row.drawn.get("room") == room]
        if own:
            true = f"{ROOMS[room].rt60_sec[1]:.2f}" if room else "0"
            low, mid, high = np.quantile(own, (0.1, 0.5, 0.9))
            lines.append(f"| {room or 'none'} | {true} | {low:.2f} | {mid:.2f} | {high:.2f} |")
    return lines


Fault = Callable[[FloatArray, np.random.Generator], FloatArray]


def _noisy(snr_db: float) -> Fault:
    return lambda sound, rng: add_background_noise(sound, "pink", snr_db, rng)


def _humming(below_db: float) -> Fault:
    return lambda sound, rng: add_background_noise(
        sound, "hum_50" if rng.random() < 0.5 else "hum_60", below_db, rng
    )


def _clipped(by_db: float, kbit: int | None) -> Fault:
    def fault(sound: FloatArray, rng: np.random.Generator) -> FloatArray:
        cut = clip(sound, by_db, "hard")
        return compress_audio(cut * np.float32(0.8), kbit) if kbit else cut

    return fault


def _dropping(n: int, longest_sec: float) -> Fault:
    def fault(sound: FloatArray, rng: np.random.Generator) -> FloatArray:
        broken = sound.copy()
        for begin in rng.choice(len(sound) - 10_000, n, replace=False):
            broken[begin : begin + int(rng.uniform(0.01, longest_sec) * SAMPLE_RATE_HZ)] = 0.0
        return broken

    return fault


FAULTS: Final[Mapping[str, tuple[Fault, tuple[str, ...]]]] = {
    "none": (lambda sound, rng: sound, ()),
    "noise 5 dB under the music": (_noisy(5.0), ("noisy", "drowned_in_noise")),
    "noise 12 dB": (_noisy(12.0), ("noisy", "drowned_in_noise")),
    "noise 20 dB": (_noisy(20.0), ("noisy", "drowned_in_noise")),
    "hum 10 dB under the music": (_humming(10.0), ("hum",)),
    "hum 20 dB": (_humming(20.0), ("hum",)),
    "hum 35 dB": (_humming(35.0), ("hum",)),
    "peaks cut by 3 dB": (_clipped(3.0, None), ("cut_peaks", "clipped_at_full_scale")),
    "peaks cut by 6 dB": (_clipped(6.0, None), ("cut_peaks", "clipped_at_full_scale")),
    "peaks cut by 10 dB": (_clipped(10.0, None), ("cut_peaks", "clipped_at_full_scale")),
    "peaks cut by 10 dB, then MP3": (_clipped(10.0, 128), ("cut_peaks", "clipped_at_full_scale")),
    "five gaps of 10 to 100 ms": (_dropping(5, 0.1), ("dropouts",)),
    "automatic gain, half": (lambda sound, rng: automatic_gain(sound, 0.5), ("level_without_range",)),
    "automatic gain, full": (lambda sound, rng: automatic_gain(sound, 1.0), ("level_without_range",)),
    "church": (
        lambda sound, rng: apply_room_acoustics(sound, synthesize_room("church", rng)),
        ("reverberant",),
    ),
}
"""Faults at grades, and the findings that they should lead to."""


def faults_table(folder: Path, split: Split) -> list[str]:
    """How often each fault is found on clips that were recorded close, and on the same without it."""
    files = [
        file
        for file in sorted(folder.glob(f"{split}_piano_[0-9]*.json"))
        if json.loads(file.read_text())["how"] == "close" and "mp3_kbit" not in file.read_text()
    ][:_N_FAULT_CLIPS]
    found: dict[str, list[list[str]]] = {name: [] for name in FAULTS}
    for file in files:
        sound = np.load(file.with_suffix(".npy")).astype(np.float32) / 32768.0
        for name, (fault, _) in FAULTS.items():
            rng = np.random.default_rng([20, zlib.crc32(f"{file.stem} {name}".encode())])
            broken = fault(sound, rng)
            broken = broken * np.float32(min(1.0, 1.0 / max(float(np.abs(broken).max()), 1e-9)))
            found[name].append(summary(examined(broken))["findings"])
    lines = ["| fault | clips | found as | share | refused |", "|---|--:|---|--:|--:|"]
    for name, (_, findings) in FAULTS.items():
        for finding in findings or tuple({one for _, names in FAULTS.values() for one in names}):
            share = np.mean([finding in one for one in found[name]])
            refused = np.mean(["not_a_piano" in one or "no_music" in one for one in found[name]])
            lines.append(
                f"| {name} | {len(files)} | {finding.replace('_', ' ')} | {100 * share:.0f} % | "
                f"{100 * refused:.0f} % |"
            )
    return lines


def real_lines(files: list[Path]) -> list[str]:
    """What is said of given recordings."""
    lines = []
    for file in files:
        begin = time.process_time()
        quality = examine(DescribedStream(file))
        spent = time.process_time() - begin
        found = summary(quality)
        lines.append(
            f"- {file.name}: {'refused' if quality.refusal else 'accepted'}, pianism "
            f"{found['pianism']:.2f} (limit {THRESHOLDS['not_a_piano'].limit:g}), "
            f"{found['cents']:+.0f} cents, noise {found['snr_db']:.0f} dB under the music or less, "
            f"{100 * spent / found['duration_sec']:.1f} % of real time with decoding; "
            f"said: {' '.join(quality.warnings) or 'nothing'}"
        )
    return lines
