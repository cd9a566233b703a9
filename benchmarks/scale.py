"""What an hour of music costs, and what 200 and 10,000 hours would.

    OMP_NUM_THREADS=1 python benchmarks/scale.py --performances asap/performances.jsonl
        --performances vienna/performances.jsonl --scratch DIR [-o results/scale] [--count N] [--scale FILE]

Whole performances of at most three minutes, spread evenly over each file, go through the same functions that
`tocco data render`, `tocco data prepare` and `tocco pseudo-label` give to an engine, one after the other
in this process. Costs are processor seconds of one core and bytes on disk. Writes `costs.json`, what was
measured, and `estimate.md`, which tells the measured and the expected apart.

The expectation is arithmetic: processor seconds times hours, over cores. It leaves out the start of the
workers, waiting for disks and networks, and that no run is shorter than its longest performance takes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np

from tocco.audio.render_cache import RendererPool, RenderJob, render_job
from tocco.audio.render_setting import RenderChoice
from tocco.audio.rendering import instruments_of
from tocco.data.prepared import RecordSource
from tocco.data.pseudo_labelling import CorruptionPlan, LabelTask, label_performance, with_printed_score
from tocco.data.records import LabelRecord, read_labels
from tocco.music.midi import load_midi
from tocco.pseudo_labels.scale.files import load_scales

WINDOW_SEC: Final = 20.0
OVERLAP: Final = 0.5
LONGEST_SEC: Final = 180.0
CANDIDATES: Final = 40
"""Performances of each file whose length is looked at."""

CORES: Final = (1, 16, 256)
SIZES: Final = {"MAESTRO, 200 h": 200.0, "10,000 h": 10_000.0}

RENDERING = "rendering"
PREPARING = "preparing, with a score"
PREPARING_ALONE = "preparing, without a score"
LABELLING = "pseudo-labels, with a score"
SUMS: Final = {
    "MAESTRO, 200 h": {"recordings without scores": (PREPARING_ALONE,)},
    "10,000 h": {
        "recordings without scores": (PREPARING_ALONE,),
        "MIDI and scores, rendered and labelled": (RENDERING, PREPARING, LABELLING),
    },
}
"""What is done with each size: MAESTRO has recordings and no scores."""


@dataclass(frozen=True)
class Cost:
    """One stage of one performance.

    Attributes
    ----------
    stage, segment_id
    music_sec : length of the performance
    cpu_sec : processor seconds, all threads together
    n_bytes : on disk
    """

    stage: str
    segment_id: str
    music_sec: float
    cpu_sec: float
    n_bytes: int


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--performances", type=Path, action="append", required=True, help="label file")
    parser.add_argument("--scratch", type=Path, required=True, help="folder for what is made")
    parser.add_argument("-o", "--output", type=Path, default=Path("results/scale"))
    parser.add_argument("--count", type=int, default=2, help="performances of each file")
    parser.add_argument("--scale", type=Path, help="of the pseudo-labels; the one that ships if not given")
    arguments = parser.parse_args()
    if os.environ.get("OMP_NUM_THREADS") != "1":
        parser.error("set OMP_NUM_THREADS=1, as every engine does for its workers")
    chosen = [record for path in arguments.performances for record in _spread(path, arguments.count)]
    start = time.monotonic()
    costs, start_sec = _measure(chosen, arguments.scratch, arguments.scale)
    measured_sec = time.monotonic() - start
    arguments.output.mkdir(parents=True, exist_ok=True)
    facts = {
        "processor": _processor(),
        "python": platform.python_version(),
        "start_cpu_sec": start_sec,
        "costs": [asdict(cost) for cost in costs],
    }
    (arguments.output / "costs.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")
    page = _page(costs, start_sec)
    (arguments.output / "estimate.md").write_text(page, encoding="utf-8")
    print(f"{page}\nmeasured in {measured_sec:.0f} s")


def _spread(path: Path, count: int) -> list[LabelRecord]:
    """Whole performances with MIDI and score that are not too long, evenly over the file."""
    records = [with_printed_score(r) for r in read_labels(path) if r.midi_path and r.score_path]
    some = records[:: max(1, len(records) // CANDIDATES)]
    short = [record for record in some if load_midi(_midi(record)).duration_sec <= LONGEST_SEC]
    ranks = np.linspace(0, len(short), count + 2)[1:-1].astype(int)
    return [short[rank] for rank in ranks]


def _measure(
    records: Sequence[LabelRecord], scratch: Path, scale_file: Path | None
) -> tuple[list[Cost], dict[str, float]]:
    """Cost of every stage of every performance, and of getting ready for a stage."""
    start = time.process_time()
    with_transcribed = any(record.is_transcribed for record in records)
    scales = load_scales(scale_file, with_transcribed=with_transcribed)
    start_sec = {LABELLING: time.process_time() - start}
    choice = RenderChoice(instruments=instruments_of(None))
    costs: list[Cost] = []
    with RendererPool() as pool:
        first = load_midi(_midi(records[0]))
        start = time.process_time()
        pool.renderer(choice.draw(first))
        start_sec[RENDERING] = time.process_time() - start
        for record in records:
            music_sec = load_midi(_midi(record)).duration_sec
            audio = scratch / f"{record.segment_id}.flac"
            heard = record.model_copy(update={"audio_path": audio})
            alone = heard.model_copy(update={"score_path": None})
            scale = scales.of(is_transcribed=heard.is_transcribed)
            task = LabelTask(heard, CorruptionPlan(), scale, scratch)
            prepared, prepared_alone = scratch / f"{record.segment_id}.a", scratch / f"{record.segment_id}.b"
            stages: dict[str, tuple[Callable[[], object], Path]] = {
                RENDERING: (_rendering(RenderJob(_midi(record), audio, choice), pool), audio),
                PREPARING: (RecordSource(heard, WINDOW_SEC, OVERLAP, prepared).open, prepared),
                PREPARING_ALONE: (
                    RecordSource(alone, WINDOW_SEC, OVERLAP, prepared_alone).open,
                    prepared_alone,
                ),
                LABELLING: (_labelling(task), task.part_path),
            }
            for stage, (work, result) in stages.items():
                result.unlink(missing_ok=True)
                start = time.process_time()
                work()
                cpu_sec = time.process_time() - start
                costs.append(Cost(stage, record.segment_id, music_sec, cpu_sec, result.stat().st_size))
    return costs, start_sec


def _midi(record: LabelRecord) -> Path:
    if record.midi_path is None:
        raise SystemExit(f"{record.segment_id} has no MIDI")
    return record.midi_path


def _rendering(job: RenderJob, pool: RendererPool) -> Callable[[], object]:
    return lambda: render_job(job, pool)


def _labelling(task: LabelTask) -> Callable[[], object]:
    def label() -> None:
        refusal = label_performance(task).rated.refusal
        if refusal is not None:
            raise SystemExit(refusal)

    return label


def _page(costs: Sequence[Cost], start_sec: dict[str, float]) -> str:
    stages = list(dict.fromkeys(cost.stage for cost in costs))
    music_h = sum(cost.music_sec for cost in costs if cost.stage == stages[0]) / 3600
    n = sum(cost.stage == stages[0] for cost in costs)
    rate = {stage: _per_hour(costs, stage) for stage in stages}
    lines = [
        "Written by `benchmarks/scale.py`; do not edit.",
        "",
        f"**Measured** on {n} whole performances of at most {LONGEST_SEC / 60:.0f} min, "
        f"{60 * music_h:.1f} min of music, one core of {_processor()}:",
        "",
        "| stage | processor s an hour of music | slowest performance | times real time | MB an hour |",
        "|---|---|---|---|---|",
        *(_measured_row(costs, stage, rate[stage]) for stage in stages),
        "",
        "Getting ready, once a worker: "
        + ", ".join(f"{stage} {sec:.1f} s" for stage, sec in sorted(start_sec.items()))
        + ".",
        "",
        "**Expected** from that, every core busy:",
        "",
        "| music | stage | core hours | " + " | ".join(_cores(n) for n in CORES) + " | disk, GB |",
        "|---|---|---|" + "---|" * (len(CORES) + 1),
    ]
    for name, hours in SIZES.items():
        lines += [_expected_row(name, stage, [rate[stage]], hours) for stage in stages]
        lines += [
            _expected_row(name, f"**{what}**", [rate[part] for part in parts], hours)
            for what, parts in SUMS[name].items()
        ]
    hour_min = sum(rate[stage][0] for stage in (RENDERING, PREPARING, LABELLING)) / 60
    lines += [
        "",
        f"No run is shorter than its longest performance: an hour-long one takes {hour_min:.0f} min on its "
        "core for rendering, preparing and pseudo-labels together, however many cores there are.",
        "",
    ]
    return "\n".join(lines)


def _per_hour(costs: Sequence[Cost], stage: str) -> tuple[float, float]:
    """Processor seconds and bytes an hour of music: long performances count by their length."""
    own = [cost for cost in costs if cost.stage == stage]
    hours = sum(cost.music_sec for cost in own) / 3600
    return sum(cost.cpu_sec for cost in own) / hours, sum(cost.n_bytes for cost in own) / hours


def _measured_row(costs: Sequence[Cost], stage: str, rate: tuple[float, float]) -> str:
    slowest = max(3600 * c.cpu_sec / c.music_sec for c in costs if c.stage == stage)
    return f"| {stage} | {rate[0]:.0f} | {slowest:.0f} | {3600 / rate[0]:.0f} | {rate[1] / 1e6:.1f} |"


def _expected_row(name: str, stage: str, rates: Sequence[tuple[float, float]], hours: float) -> str:
    core_hours = hours * sum(rate[0] for rate in rates) / 3600
    wall = " | ".join(f"{core_hours / n:.3g} h" for n in CORES)
    disk_gb = hours * sum(rate[1] for rate in rates) / 1e9
    return f"| {name} | {stage} | {core_hours:.3g} | {wall} | {disk_gb:.3g} |"


def _cores(n: int) -> str:
    return "1 core" if n == 1 else f"{n} cores"


def _processor() -> str:
    """Name of the processor, where the system gives it."""
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.is_file():
        for line in cpu_info.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.machine()


if __name__ == "__main__":
    main()
