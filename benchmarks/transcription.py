"""Speed and notes of the built-in transcriber beside transkun's own code, in one run.

    python benchmarks/transcription.py RECORDINGS -o results/transcription --peer transkun/bin/python

`RECORDINGS` is a folder that `tocco transcription pairs` wrote. Its recordings are joined, with their keys,
into one of some minutes, which both read as a user's file, one after the other, in a process each with two
threads: the peer as `benchmarks/transkun_command.py` (windows of 16 s every 8 s, its defaults), tocco as
`tocco transcribe`. Seconds of a process are those on the clock, with loading; the smaller of two runs counts.
Notes are right by `mir_eval`: the same key within 50 ms.

With `--assess --seconds 300` in place of `--peer`: seconds and memory of `tocco assess` on the joined
recording, with the notes cached and without.

Written down before: 1.5 times as fast as the peer (wanted 2), faster than the recording lasts, and the F1 of
the note onsets within .2 points.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import mir_eval
import numpy as np
import soundfile

from tocco.evaluation.transcription.pairs import read_pairs
from tocco.files import write_bytes
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ

THREADS = 2
REPEATS = 2
GAP_SEC = 1.0
ONSET_SEC = 0.05


def joined(folder: Path, audio: Path, longest_sec: float) -> np.ndarray:
    """Write recordings one after the other; (N, 4) onset, offset, pitch and velocity of their keys."""
    sounds: list[np.ndarray] = []
    keys: list[np.ndarray] = []
    at = 0
    for pair in read_pairs(folder):
        sound, rate_hz = soundfile.read(pair.audio(folder), dtype="float32")
        if rate_hz != SAMPLE_RATE_HZ or at + len(sound) > longest_sec * SAMPLE_RATE_HZ:
            break
        keys.append(rows_of(load_midi(pair.keys_midi(folder)), at / SAMPLE_RATE_HZ))
        sounds += [sound / np.abs(sound).max() / 2, np.zeros(round(GAP_SEC * SAMPLE_RATE_HZ), np.float32)]
        at += len(sounds[-2]) + len(sounds[-1])
    soundfile.write(audio, np.concatenate(sounds), SAMPLE_RATE_HZ, subtype="PCM_16")
    return np.concatenate(keys)


def rows_of(performance: Performance, later_sec: float = 0.0) -> np.ndarray:
    """(N, 4) onset, offset, pitch and velocity."""
    return np.column_stack(
        (
            performance.onset_sec + later_sec,
            performance.offset_sec + later_sec,
            performance.pitch,
            performance.velocity,
        )
    )


def onset_scores(played: np.ndarray, heard: np.ndarray) -> dict[str, float]:
    """Precision, recall and F1 of the onsets, in percent."""
    hz = [440.0 * 2.0 ** ((rows[:, 2] - 69.0) / 12.0) for rows in (played, heard)]
    precision, recall, f1, _ = mir_eval.transcription.precision_recall_f1_overlap(
        played[:, :2], hz[0], heard[:, :2], hz[1], onset_tolerance=ONSET_SEC, offset_ratio=None
    )
    return {"precision": 100 * precision, "recall": 100 * recall, "f1": 100 * f1}


def timed(command: list[str], environment: dict[str, str]) -> tuple[float, float, float]:
    """Clock seconds, processor seconds and peak memory in GB of a process; a failure ends the benchmark."""
    start = time.perf_counter()
    with subprocess.Popen(command, env=os.environ | environment, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(command)} ended with status {status}")
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1e6


def main() -> None:
    """Read the command line, measure, write the table."""
    parser = argparse.ArgumentParser(description="The built-in transcriber beside transkun's own code.")
    parser.add_argument("recordings", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--peer", help="Python that has transkun and what it needs")
    parser.add_argument(
        "--assess", action="store_true", help="what `tocco assess` costs, in place of the peer"
    )
    parser.add_argument("--seconds", type=float, default=180.0, help="longest recording")
    options = parser.parse_args()
    if options.assess:
        assessed(options.recordings, options.output, options.seconds)
        return
    if options.peer is None:
        parser.error("--peer or --assess is missing")
    threads = {"OMP_NUM_THREADS": str(THREADS)}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        audio = folder / "joined.wav"
        played = joined(options.recordings, audio, options.seconds)
        lasts = soundfile.info(audio).duration
        peer = Path(__file__).with_name("transkun_command.py")
        systems: dict[str, list[str]] = {
            "transkun": [options.peer, str(peer), str(audio), "{midi}", "--threads", str(THREADS)],
            "tocco": [sys.executable, "-m", "tocco", "transcribe", str(audio), "-o", "{midi}"],
        }
        rows: list[dict[str, Any]] = []
        for name, command in systems.items():
            runs = []
            for run in range(REPEATS):
                midi = folder / f"{name}{run}.mid"
                cache = {"TOCCO_CACHE": str(folder / f"cache{run}")}
                runs.append(timed([word.replace("{midi}", str(midi)) for word in command], threads | cache))
            clock, processor, memory = (min(values) for values in zip(*runs, strict=True))
            rows.append(
                {"system": name, "clock_sec": clock, "processor_sec": processor, "memory_gb": memory}
                | onset_scores(played, rows_of(load_midi(midi)))
            )
    text = table(rows, lasts, len(played))
    print(text, end="")
    options.output.mkdir(parents=True, exist_ok=True)
    write_bytes(options.output / "speed.txt", text.encode())
    record = {"lasts_sec": lasts, "notes": len(played), "threads": THREADS, "systems": rows}
    write_bytes(options.output / "speed.json", (json.dumps(record, indent=1) + "\n").encode())


def assessed(recordings: Path, output: Path, seconds: float) -> None:
    """Write what a recording alone costs from file to report, and how much of it is not transcription."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        joined(recordings, folder / "phone.wav", seconds)
        lasts = soundfile.info(folder / "phone.wav").duration
        environment = {"OMP_NUM_THREADS": str(THREADS), "TOCCO_CACHE": str(folder / "cache")}
        command = [sys.executable, "-m", "tocco", "assess", str(folder / "phone.wav"), "-o"]
        runs = [timed([*command, str(folder / name)], environment) for name in ("first", "cached")]
    lines = [f"recording of {lasts:.0f} s, no score, {THREADS} threads: from file to report"]
    for name, (clock, processor, memory) in zip(("first run", "notes cached"), runs, strict=True):
        lines.append(f"{name:14}{clock:7.1f} s{processor:8.1f} CPU s{memory:6.2f} GB")
    text = "\n".join(lines) + "\n"
    print(text, end="")
    output.mkdir(parents=True, exist_ok=True)
    write_bytes(output / "assess.txt", text.encode())


def table(rows: list[dict[str, Any]], lasts_sec: float, n_notes: int) -> str:
    """The rows as text, with ratios to the first one."""
    lines = [f"recording of {lasts_sec:.0f} s, {n_notes} notes, {THREADS} threads"]
    head = f"{'':10}{'clock s':>9}{'x real time':>13}{'faster':>8}{'CPU s':>8}{'GB':>6}"
    lines.append(head + f"{'P':>8}{'R':>8}{'F1':>8}")
    for row in rows:
        faster = rows[0]["clock_sec"] / row["clock_sec"]
        lines.append(
            f"{row['system']:10}{row['clock_sec']:9.1f}{lasts_sec / row['clock_sec']:13.2f}{faster:8.2f}"
            f"{row['processor_sec']:8.1f}{row['memory_gb']:6.2f}"
            f"{row['precision']:8.2f}{row['recall']:8.2f}{row['f1']:8.2f}"
        )
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
