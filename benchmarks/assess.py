"""Seconds and peak memory of an assessment, by length: `python benchmarks/assess.py -o results/benchmark`.

The example performance is played again and again to the wanted length and assessed with audio and MIDI in a
process of its own; loading of libraries and of the bundle is timed apart. The bound that it is held to is
real time: a 5-minute performance in under 10 s and 1.5 GB on two cores.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from tocco.files import write_bytes
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import PedalCurve, Performance

MINUTES = (1.6, 5.0, 20.0, 60.0)
GAP_SEC = 1.0


def repeated(performance: Performance, times: int, period_sec: float) -> Performance:
    """The performance played several times in a row."""
    shifts = period_sec * np.arange(times)

    def row(values: np.ndarray, shift: bool) -> np.ndarray:
        return np.concatenate([values + (s if shift else 0) for s in shifts])

    def pedal(curve: PedalCurve) -> PedalCurve:
        return PedalCurve(row(curve.time_sec, True), row(curve.value, False)) if len(curve) else curve

    return replace(
        performance,
        onset_sec=row(performance.onset_sec, True),
        offset_sec=row(performance.offset_sec, True),
        pitch=row(performance.pitch, False),
        velocity=row(performance.velocity, False),
        sustain=pedal(performance.sustain),
        sostenuto=pedal(performance.sostenuto),
        soft=pedal(performance.soft),
        duration_sec=float(shifts[-1] + performance.duration_sec),
    )


def make_take(folder: Path, minutes: float) -> tuple[Path, Path]:
    """Recording and MIDI of about the wanted length."""
    folder.mkdir(parents=True, exist_ok=True)
    audio, midi = folder / f"{minutes:g}min.flac", folder / f"{minutes:g}min.mid"
    if not (audio.exists() and midi.exists()):
        waveform, rate = soundfile.read(example_path() / "minuet.flac", dtype="float32")
        period_sec = len(waveform) / rate + GAP_SEC
        times = max(1, round(60 * minutes / period_sec))
        save_midi(repeated(load_midi(example_path() / "minuet.mid"), times, period_sec), midi)
        with soundfile.SoundFile(audio, "w", rate, 1, "PCM_16") as file:
            for _ in range(times):
                file.write(waveform)
                file.write(np.zeros(int(GAP_SEC * rate), dtype=np.float32))
    return audio, midi


def measure(audio: Path, midi: Path, score: Path | None) -> dict[str, float]:
    """Seconds to load, seconds to assess, peak memory in MB: of this process."""
    start = time.perf_counter()
    from tocco.inference.assessor import Assessor

    assessor = Assessor()
    loaded = time.perf_counter()
    assessment = assessor.assess(audio, midi, score)
    assessed = time.perf_counter()
    return {
        "audio_sec": assessment.inputs.audio.duration_sec or 0.0,
        "load_sec": loaded - start,
        "assess_sec": assessed - loaded,
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def main() -> None:
    """Measure every length, print the table, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--minutes", type=float, nargs="*", default=MINUTES)
    parser.add_argument(
        "--one", nargs=2, type=Path, help="measure one recording and its MIDI in this process"
    )
    parser.add_argument("--score", type=Path)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure(*arguments.one, arguments.score)))
        return
    rows = []
    print(f"{'minutes':>8} {'load s':>8} {'assess s':>9} {'x real time':>12} {'peak MB':>8}")
    for minutes in arguments.minutes:
        audio, midi = make_take(arguments.output / "takes", minutes)
        command = [sys.executable, __file__, "-o", str(arguments.output), "--one", str(audio), str(midi)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        rows.append(row)
        speed = row["audio_sec"] / row["assess_sec"]
        print(
            f"{row['audio_sec'] / 60:8.1f} {row['load_sec']:8.1f} {row['assess_sec']:9.1f} {speed:12.0f}"
            f" {row['peak_mb']:8.0f}"
        )
    write_bytes(arguments.output / "assess.json", (json.dumps(rows, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
