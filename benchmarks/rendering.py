"""Whether renderings agree with their MIDI in time, and how fast they are made.

    python benchmarks/rendering.py --vienna DIR --asap DIR --scratch DIR [-o FILE] [--pianos NAME ...]

Agreement is measured twice, on the first seconds of performances spread over both corpora:

by difference   The performance is rendered whole, and once more without its probes: notes half a second
                apart whose key was not struck within two seconds before or after. The two sounds differ
                by the probes alone, however many other strings ring. A probe begins where the difference
                first exceeds 2 % of the probe's attack (its highest sample within 80 ms); it is left out,
                and counted, where an earlier probe still rings at more than half of that. This includes
                the soundfont's own attack.
in the file     What a listener to the finished FLAC has (room none): at onsets with no other onset in the
                0.2 s before or the 0.08 s after, the first sample above a fifth of the attack's highest
                and above 1.5 times the highest of the 20 ms before. Notes that never rise so far above
                what rings are left out, and counted.

The block grid of the synthesiser is the error that the schedule makes before anything sounds. Speeds are
processor seconds of one core, and every piano is loaded beforehand.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import soundfile

from tocco.audio.render_cache import RendererPool
from tocco.audio.render_setting import RenderSetting
from tocco.audio.rendering import (
    PEAK_CEILING_DBFS,
    SYNTH_BLOCK_SAMPLES,
    SYNTH_RATE_HZ,
    FluidSynthRenderer,
    Instrument,
    at_loudness,
    instruments_of,
    write_flac,
)
from tocco.music.midi import load_midi, segment_midi
from tocco.music.performance import Performance
from tocco.units import SAMPLE_RATE_HZ, BoolArray, FloatArray, samples_from_sec

DEFAULT_PIANO = "musescore:grand"
REST_SEC = 2.0
PROBE_APART_SEC = 0.5
MOST_PROBES = 60


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--vienna", type=Path, required=True, help="folder of MIDI files")
    parser.add_argument("--asap", type=Path, required=True, help="folder of the data set")
    parser.add_argument("-o", "--output", type=Path, default=Path("results/rendering/onsets.txt"))
    parser.add_argument("--pianos", nargs="+", default=[DEFAULT_PIANO])
    parser.add_argument("--scratch", type=Path, required=True, help="folder for the renderings")
    parser.add_argument("--count", type=int, default=11, help="performances of each corpus")
    parser.add_argument("--seconds", type=float, default=15.0, help="of each performance")
    arguments = parser.parse_args()
    played = {
        corpus: [_first(path, arguments.seconds) for path in _spread(paths, arguments.count)]
        for corpus, paths in (
            ("Vienna 4x22", sorted(arguments.vienna.glob("*.mid"))),
            ("ASAP", sorted(p for p in arguments.asap.rglob("*.mid") if "score" not in p.stem)),
        )
    }
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    lines = _report(played, arguments.pianos, arguments.scratch)
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    arguments.output.write_text("\n".join(lines) + "\n", encoding="utf-8")


def _report(played: dict[str, list[Performance]], pianos: Sequence[str], scratch: Path) -> list[str]:
    lines = []

    def say(line: str) -> None:
        lines.append(line)
        print(line, flush=True)

    everything = [performance for performances in played.values() for performance in performances]
    sizes = ", ".join(f"{corpus} {len(performances)}" for corpus, performances in played.items())
    say(f"{len(everything)} performances ({sizes}), {sum(p.duration_sec for p in everything):.0f} s of music")
    grid = np.concatenate([p.onset_sec for p in everything]) * SYNTH_RATE_HZ / SYNTH_BLOCK_SAMPLES
    say(_row("block grid", (np.round(grid) - grid) * SYNTH_BLOCK_SAMPLES / SYNTH_RATE_HZ))
    with RendererPool() as pool:
        for name in pianos:
            for line in _piano(instruments_of(name)[0], played, pool, scratch):
                say(line)
    return lines


def _piano(
    piano: Instrument, played: dict[str, list[Performance]], pool: RendererPool, scratch: Path
) -> list[str]:
    setting = RenderSetting(piano)
    plain = replace(setting, half_pedal=False)
    pool.renderer(setting)
    pool.renderer(plain)
    lines, seconds, took_half, took_plain = [], 0.0, 0.0, 0.0
    for corpus, performances in played.items():
        by_difference, in_file = [], []
        for k, performance in enumerate(performances):
            target = scratch / f"{piano.name.replace(':', '_')}_{corpus.split()[0]}_{k}.flac"
            start = time.process_time()
            whole = pool.renderer(setting).render(performance)
            levelled = at_loudness(
                whole, setting.target_lufs, ceiling_dbfs=PEAK_CEILING_DBFS, source=performance.source
            )
            write_flac(target, levelled.waveform)
            took_half += time.process_time() - start
            start = time.process_time()
            pool.renderer(plain).render(performance)
            took_plain += time.process_time() - start
            seconds += performance.duration_sec
            by_difference.append(_errors_by_difference(performance, whole, pool.renderer(setting)))
            in_file.append(_errors_in_file(performance, soundfile.read(target)[0]))
        lines.append(_row(f"{piano.name}, {corpus}, by difference", np.concatenate(by_difference)))
        lines.append(_row(f"{piano.name}, {corpus}, in the file", np.concatenate(in_file)))
    lines.append(
        f"{piano.name}: {seconds / took_half:.0f} x real time with half pedal, level and FLAC; "
        f"{seconds / took_plain:.0f} x on a pedal that is up or down, sound alone"
    )
    return lines


def _row(what: str, error_sec: FloatArray) -> str:
    ms = 1000 * error_sec[~np.isnan(error_sec)]
    size = np.abs(ms)
    if len(ms) == 0:
        return f"{what}: nothing that could be measured"
    return (
        f"{what}: n {len(ms)} ({len(error_sec) - len(ms)} left out), median {np.median(ms):+.2f} ms; "
        f"size median {np.median(size):.2f}, "
        f"p95 {np.percentile(size, 95):.2f}, p99 {np.percentile(size, 99):.2f}, max {size.max():.2f} ms; "
        f"within 5 ms {100 * np.mean(size <= 5):.2f} %"
    )


def _spread(paths: Sequence[Path], count: int) -> list[Path]:
    """As many paths as asked for, evenly over the list."""
    return [paths[k] for k in np.unique(np.linspace(0, len(paths) - 1, count).astype(int))]


def _first(path: Path, seconds: float) -> Performance:
    performance = load_midi(path)
    start_sec = max(0.0, float(performance.onset_sec[0]) - 0.2)
    return segment_midi(performance, np.array([[start_sec, start_sec + seconds]]))[0]


def _errors_by_difference(
    performance: Performance, whole: FloatArray, piano: FluidSynthRenderer
) -> FloatArray:
    """NaN where an earlier probe still rings."""
    probes = _probes(performance)
    rest = replace(
        performance,
        onset_sec=performance.onset_sec[~probes],
        offset_sec=performance.offset_sec[~probes],
        pitch=performance.pitch[~probes],
        velocity=performance.velocity[~probes],
    )
    without = piano.render(rest)
    n = min(len(whole), len(without))
    alone = np.abs(whole[:n] - without[:n])
    errors = []
    for onset_sec in performance.onset_sec[probes]:
        onset = samples_from_sec(onset_sec)
        attack = alone[onset : onset + samples_from_sec(0.08)].max()
        before = onset - samples_from_sec(0.02)
        if alone[before : onset - samples_from_sec(0.002)].max() > 0.01 * attack:
            errors.append(np.nan)
            continue
        first = before + int(np.argmax(alone[before:] > 0.02 * attack))
        errors.append(first / SAMPLE_RATE_HZ - onset_sec)
    return np.array(errors)


def _probes(performance: Performance) -> BoolArray:
    """Notes that can be taken away: key at rest before and not struck again, and apart from one another."""
    chosen = np.zeros(len(performance), dtype=bool)
    last_sec = -np.inf
    end_sec = performance.duration_sec - 0.5
    for k, (onset_sec, pitch) in enumerate(zip(performance.onset_sec, performance.pitch, strict=True)):
        same = performance.onset_sec[(performance.pitch == pitch) & (np.arange(len(performance)) != k)]
        rested = not np.any(np.abs(same - onset_sec) < REST_SEC)
        if 0.1 < onset_sec < end_sec and rested and onset_sec - last_sec > PROBE_APART_SEC:
            chosen[k] = True
            last_sec = onset_sec
        if chosen.sum() == MOST_PROBES:
            break
    return chosen


def _errors_in_file(performance: Performance, audio: FloatArray) -> FloatArray:
    """NaN where a note does not rise above what rings."""
    onset_sec = performance.onset_sec
    size = np.abs(audio)
    errors = []
    for k in np.flatnonzero((onset_sec > 0.1) & (onset_sec < performance.duration_sec - 0.2)):
        gap = np.delete(onset_sec, k) - onset_sec[k]
        if np.any((gap > -0.2) & (gap < 0.08)):
            continue
        onset = samples_from_sec(float(onset_sec[k]))
        before = size[onset - samples_from_sec(0.02) : onset - samples_from_sec(0.002)].max()
        attack = size[onset : onset + samples_from_sec(0.08)].max()
        threshold = max(0.2 * attack, 1.5 * before)
        if attack < 3 * before:
            errors.append(np.nan)
            continue
        start = onset - samples_from_sec(0.01)
        errors.append((start + int(np.argmax(size[start:] > threshold))) / SAMPLE_RATE_HZ - onset_sec[k])
    return np.array(errors)


if __name__ == "__main__":
    main()
