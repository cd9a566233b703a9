"""What an assessment costs: `python benchmarks/assess.py -o results/benchmark`.

Every measurement runs in a process of its own, several times, and the smallest figure counts; processor
seconds are those of all its threads, user and system, so that a busy machine changes them little. Measured:
a wrong usage and a missing file on the command line, the import of the public interface, an excerpt as MIDI
with its score by stages, further rows of a manifest, and recordings with MIDI by length, with peak memory.
The example performance is cut to 12 s for the excerpt, and played again and again for the longer ones.

Bounds: 0.5 processor seconds for a wrong usage or a missing file, 1 for the import, 4 for an excerpt and 1
for each further row; 3 s and 500 MB for 5 minutes on two cores, and 40 MB more for 60 minutes.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from tocco.files import write_bytes
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi, save_midi, segment_midi
from tocco.music.performance import PedalCurve, Performance

MINUTES = (1.6, 5.0, 20.0, 60.0)
EXCERPT_SEC = 12.0
EXCERPT_STARTS_SEC = np.array([24.0, 0.0, 32.0, 48.0, 64.0])
REPEATS = 3
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


def make_excerpts(folder: Path) -> list[Path]:
    """MIDI of excerpts of the example, each from another place."""
    folder.mkdir(parents=True, exist_ok=True)
    whole = load_midi(example_path() / "minuet.mid")
    starts = EXCERPT_STARTS_SEC
    bounds = np.stack([starts, starts + EXCERPT_SEC], axis=1)
    paths = [folder / f"excerpt{n}.mid" for n in range(len(bounds))]
    for path, excerpt in zip(paths, segment_midi(whole, bounds), strict=True):
        struck = excerpt.onset_sec >= 0
        save_midi(
            replace(
                excerpt,
                onset_sec=excerpt.onset_sec[struck],
                offset_sec=excerpt.offset_sec[struck],
                pitch=excerpt.pitch[struck],
                velocity=excerpt.velocity[struck],
            ),
            path,
        )
    return paths


def measure_length(audio: Path, midi: Path) -> dict[str, float]:
    """Seconds and processor seconds to load and to assess, peak memory in MB: of this process."""
    clock = Clock()
    from tocco import Assessor

    assessor = Assessor()
    clock.lap("load")
    assessment = assessor.assess(audio, midi)
    clock.lap("assess")
    return {
        "audio_sec": assessment.inputs.audio.duration_sec or 0.0,
        "load_sec": clock.wall_sec["load"],
        "assess_sec": clock.wall_sec["assess"],
        "assess_cpu_sec": clock.cpu_sec["assess"],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def measure_stages(midi: Path, score: Path) -> dict[str, float]:
    """Processor seconds of the parts of one assessment, each done alone as it comes: of this process."""
    clock = Clock()
    from tocco.inference.batch import shared_assessor
    from tocco.report.curve_picture import draw_curve

    clock.lap("imports")
    assessor = shared_assessor()
    clock.lap("torch and bundle")
    from tocco.music.partitura_import import import_notation_library

    import_notation_library("partitura")
    clock.lap("partitura")
    from tocco.audio.rendering import shared_renderer

    performance = load_midi(midi)
    shared_renderer().render(performance)
    clock.lap("samples and rendering")
    shared_renderer().render(performance)
    clock.lap("rendering again")
    assessment = assessor.assess(None, midi, score)
    clock.lap("assessment with a rendering")
    with tempfile.TemporaryDirectory() as folder:
        draw_curve(assessment, Path(folder) / "first.png")
        clock.lap("matplotlib and picture")
        draw_curve(assessment, Path(folder) / "second.png")
        clock.lap("picture again")
    return clock.cpu_sec


class Clock:
    """Seconds and processor seconds from lap to lap."""

    def __init__(self) -> None:
        self.wall_sec: dict[str, float] = {}
        self.cpu_sec: dict[str, float] = {}
        self._last = (time.perf_counter(), process_sec())

    def lap(self, name: str) -> None:
        """Write down what has passed since the last lap."""
        now = (time.perf_counter(), process_sec())
        self.wall_sec[name], self.cpu_sec[name] = now[0] - self._last[0], now[1] - self._last[1]
        self._last = now


def process_sec() -> float:
    """Processor seconds of this process since it began, user and system, all threads."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def command_cpu_sec(command: list[str], n_pictures: int | None = None) -> float:
    """Least processor seconds of a command over several runs; each may write to a new folder, OUT."""
    least = float("inf")
    for _ in range(REPEATS):
        with tempfile.TemporaryDirectory() as folder:
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            filled = [part.replace("OUT", folder) for part in command]
            done = subprocess.run(filled, capture_output=True, text=True, check=False)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            if n_pictures is not None and len(list(Path(folder).glob("*.png"))) != n_pictures:
                raise SystemExit(f"{' '.join(filled)}: {done.stderr}")
        least = min(least, after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return least


def in_a_process(arguments: list[str]) -> dict[str, Any]:
    """What this script measures with some arguments in a process of its own."""
    done = subprocess.run([sys.executable, __file__, *arguments], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def first_second(folder: Path) -> dict[str, Any]:
    """Processor seconds before, and in, the assessment of an excerpt."""
    excerpts = make_excerpts(folder / "takes")
    score = example_path() / "minuet.musicxml"
    manifest = folder / "takes" / "excerpts.csv"
    rows = [f"{path.stem},,{path.resolve()},{score}\n" for path in excerpts]
    manifest.write_text("".join(["id,audio,midi,score\n", *rows]))
    tocco = [sys.executable, "-m", "tocco", "assess"]
    given = ["--midi", str(excerpts[0]), "--score", str(score)]
    one = command_cpu_sec([*tocco, *given, "-o", "OUT"], n_pictures=3)
    many = command_cpu_sec([*tocco, "--manifest", str(manifest), "-o", "OUT"], n_pictures=3 * len(excerpts))
    stages = [in_a_process(["--stages", str(excerpts[0]), str(score)]) for _ in range(REPEATS)]
    return {
        "wrong_usage_cpu_sec": command_cpu_sec([*tocco, "--no-such-option"]),
        "missing_file_cpu_sec": command_cpu_sec([*tocco, "nonexistent.wav"]),
        "import_cpu_sec": command_cpu_sec([sys.executable, "-c", "from tocco import Assessor"]),
        "one_excerpt_cpu_sec": one,
        "further_row_cpu_sec": (many - one) / (len(excerpts) - 1),
        "stage_cpu_sec": min(stages, key=lambda stage: sum(stage.values())),
    }


def main() -> None:
    """Measure everything, print it, and keep it as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--minutes", type=float, nargs="*", default=MINUTES)
    parser.add_argument("--one", nargs=2, type=Path, help="measure a recording and its MIDI in this process")
    parser.add_argument("--stages", nargs=2, type=Path, help="measure a MIDI and its score in this process")
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(measure_length(*arguments.one)))
        return
    if arguments.stages:
        print(json.dumps(measure_stages(*arguments.stages)))
        return
    if arguments.output is None:
        parser.error("the following arguments are required: -o/--output")
    first = first_second(arguments.output)
    for name, seconds in {**first, **first["stage_cpu_sec"]}.items():
        if isinstance(seconds, float):
            print(f"{name:32} {seconds:6.2f}")
    rows = []
    print(f"{'minutes':>8} {'load s':>8} {'assess s':>9} {'cpu s':>8} {'x real time':>12} {'peak MB':>8}")
    for minutes in arguments.minutes:
        row = in_a_process(["--one", *map(str, make_take(arguments.output / "takes", minutes))])
        rows.append(row)
        print(
            f"{row['audio_sec'] / 60:8.1f} {row['load_sec']:8.1f} {row['assess_sec']:9.1f} "
            f"{row['assess_cpu_sec']:8.1f} {row['audio_sec'] / row['assess_sec']:12.0f} {row['peak_mb']:8.0f}"
        )
    result = {"first_second": first, "by_length": rows}
    write_bytes(arguments.output / "assess.json", (json.dumps(result, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
