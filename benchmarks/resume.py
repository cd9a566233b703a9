"""Whether a training run that is ended at random moments and resumed equals a whole one, bit for bit.

    python benchmarks/resume.py --kills 50 --workers 0 1 -o results/training/resume.json

A tiny experiment is trained on twenty made-up performances by the command line, twice without interruption.
Then it is trained again and again: each time the process receives SIGTERM, SIGINT or SIGKILL at a random
moment, and the same command is given with `--resume`, until the run has ended. Four moments of five are drawn
from the time of training, and counted from the first checkpoint that the process writes; the fifth from the
time before it, in which inputs and checkpoint are read. What the runs leave is compared:
averaged weights, `last.ckpt` (weights, optimiser, schedule, generators, position of the loader, bookkeeping
of the best checkpoints), the best checkpoints, `metrics.csv` and the figures of the test part. Dropout,
augmentation, accumulation of gradients, early stopping and checkpoints within epochs are on. The numbers of
processes that load the examples share the interruptions equally.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).resolve().parents[1]
SHARE_OF_TRAINING = 0.5
"""Latest moment of an interruption after a checkpoint, as a share of the time from the first to the end."""

SHARE_BEFORE = 0.2
"""Of the interruptions: those that are drawn from the time before the process writes its first checkpoint."""

SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGKILL)
OVERRIDES = (
    "data.val_split=0.2",
    "data.test_split=0.2",
    "data.batch_size=2",
    "data.augmentation.enabled=true",
    "model.dropout=0.2",
    "training.max_epochs={epochs}",
    "training.accumulate_grad_batches=2",
    "callbacks.checkpoint.every_steps=1",
    "callbacks.early_stopping={{monitor: val_loss, patience: 50}}",
    "data.num_workers={workers}",
)


def train_command(labels: Path, run: Path, *, epochs: int, workers: int) -> list[str]:
    """The command that trains the tiny experiment."""
    settings = [text.format(epochs=epochs, workers=workers) for text in OVERRIDES]
    files = ["--config", str(HERE / "configs" / "tiny.yaml"), "--labels", str(labels), "-o", str(run)]
    return [sys.executable, str(HERE / "train.py"), *settings, *files, "--jobs", "1"]


def environment() -> dict[str, str]:
    """One thread, and the sources of this checkout."""
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    return {**os.environ, **threads, "PYTHONPATH": str(HERE / "src")}


def digests(part: Path) -> dict[str, str]:
    """SHA-256 of every result of a part; of a checkpoint, that of its content."""
    found = {}
    for path in sorted(part.rglob("*")):
        name = str(path.relative_to(part))
        if path.suffix == ".ckpt":
            digest = hashlib.sha256()
            _add(digest, torch.load(path, map_location="cpu", weights_only=True))
            found[name] = digest.hexdigest()
        elif path.name in {"model.safetensors", "metrics.csv", "split.json", "config.yaml", "test.json"}:
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def _add(digest: Any, value: Any) -> None:
    if isinstance(value, torch.Tensor):
        digest.update(f"{value.dtype}{tuple(value.shape)}".encode())
        digest.update(value.contiguous().view(-1).view(torch.uint8).numpy().tobytes())
    elif isinstance(value, dict):
        for key in sorted(value, key=str):
            digest.update(f"{key}:".encode())
            _add(digest, value[key])
    elif isinstance(value, list | tuple):
        for one in value:
            _add(digest, one)
    else:
        digest.update(repr(value).encode())


@dataclass(frozen=True)
class Span:
    """Seconds of an uninterrupted run: until its first checkpoint, and from there to its end."""

    before: float
    training: float


def wait_for_checkpoint(process: subprocess.Popen[str], path: Path, earlier: int) -> bool:
    """Wait until the process has written a checkpoint; False if it ended first."""
    while process.poll() is None:
        if written_at(path) != earlier:
            return True
        time.sleep(0.005)
    return False


def written_at(path: Path) -> int:
    """When a file was written, in ns; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def timed_run(command: list[str], folder: Path, checkpoint: Path) -> Span:
    """Run a training to its end."""
    began = time.monotonic()
    process = started(command, folder)
    wait_for_checkpoint(process, checkpoint, 0)
    first = time.monotonic()
    _, said = process.communicate()
    if process.returncode:
        raise SystemExit(f"exit code {process.returncode}: {said[-2000:]}")
    return Span(first - began, time.monotonic() - first)


def started(command: list[str], folder: Path) -> subprocess.Popen[str]:
    """The process of a training."""
    return subprocess.Popen(
        command, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def interrupted_run(
    command: list[str], part: Path, folder: Path, span: Span, draw: np.random.Generator
) -> list[dict[str, Any]]:
    """End and resume a run until it is done; a row for each interruption."""
    rows: list[dict[str, Any]] = []
    checkpoint = part / "last.ckpt"
    while True:
        sent = SIGNALS[int(draw.integers(len(SIGNALS)))]
        is_before = bool(draw.random() < SHARE_BEFORE)
        after = float(draw.uniform(0.0, span.before if is_before else SHARE_OF_TRAINING * span.training))
        earlier = written_at(checkpoint)
        process = started([*command, "--resume"] if (part / "split.json").is_file() else command, folder)
        if not is_before:
            wait_for_checkpoint(process, checkpoint, earlier)
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < after:
            time.sleep(0.005)
        has_checkpoint, of_process = checkpoint.is_file(), written_at(checkpoint) != earlier
        if process.poll() is None:
            process.send_signal(sent)
        _, said = process.communicate()
        if process.returncode == 0:
            return rows
        rows.append(
            {
                "signal": sent.name,
                "drawn_from": "before training" if is_before else "training",
                "after_sec": round(after, 2),
                "exit_code": process.returncode,
                "said": said.strip().splitlines()[-1:] or [""],
                "has_checkpoint": has_checkpoint,
                "process_had_written_one": of_process,
            }
        )
        if process.returncode not in {130, 143, -sent}:
            raise SystemExit(f"unexpected exit code {process.returncode}: {said[-2000:]}")


def compare(kills: int, epochs: int, workers: int, draw: np.random.Generator) -> dict[str, Any]:
    """Train without and with interruptions, and compare what is left."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = _corpus(folder / "corpus")
        whole = folder / "whole"
        whole.mkdir()
        for name in ("run", "again"):  # the first one prepares the inputs, the second one is timed
            command = train_command(labels, whole / name, epochs=epochs, workers=workers)
            span = timed_run(command, whole, whole / name / "split" / "last.ckpt")
        expected = digests(whole / "run" / "split")
        if digests(whole / "again" / "split") != expected:
            raise SystemExit("two uninterrupted runs differ already")
        rows: list[dict[str, Any]] = []
        differing: list[dict[str, Any]] = []
        runs = 0
        while len(rows) < kills:
            runs += 1
            cut = folder / f"cut{runs}"
            cut.mkdir()
            shutil.copytree(whole / "prepared", cut / "prepared")
            command = train_command(labels, cut / "run", epochs=epochs, workers=workers)
            rows += interrupted_run(command, cut / "run" / "split", cut, span, draw)
            found = digests(cut / "run" / "split")
            wrong = sorted(k for k in expected.keys() | found.keys() if expected.get(k) != found.get(k))
            if wrong:
                differing.append({"run": runs, "files": wrong})
                print(f"run {runs}: {', '.join(wrong)} after {rows[-3:]}", flush=True)
                print(_cells(whole / "run" / "split", cut / "run" / "split"), flush=True)
            done = f"{len(rows)} interruptions, {runs} runs, {len(differing)} that differ"
            print(f"{workers} workers: {done}", flush=True)
            shutil.rmtree(cut)
    return {
        "workers": workers,
        **counted(rows),
        "resumed_runs": runs,
        "differing_runs": differing,
        "uninterrupted_sec": {k: round(v, 1) for k, v in asdict(span).items()},
        "weights_sha256": expected["model.safetensors"],
        "files_compared": sorted(expected),
        "rows": rows,
    }


def counted(rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts of interruptions by signal, exit code, and what had been written."""
    return {
        "interruptions": len(rows),
        "after_a_checkpoint": sum(row["has_checkpoint"] for row in rows),
        "after_a_checkpoint_of_the_process": sum(row["process_had_written_one"] for row in rows),
        "of_signal": dict(Counter(row["signal"] for row in rows)),
        "exit_codes": {str(k): n for k, n in Counter(row["exit_code"] for row in rows).items()},
    }


def _cells(whole: Path, cut: Path) -> list[tuple[str, str, str, str]]:
    """Epoch, column and both values of the cells of `metrics.csv` that differ."""
    header, *rows = (line.split(",") for line in (whole / "metrics.csv").read_text().splitlines())
    other_header, *others = (line.split(",") for line in (cut / "metrics.csv").read_text().splitlines())
    if header != other_header or len(rows) != len(others):
        return [("", "shape", f"{len(rows)} x {len(header)}", f"{len(others)} x {len(other_header)}")]
    return [
        (row[0], name, one, two)
        for row, other in zip(rows, others, strict=True)
        for name, one, two in zip(header, row, other, strict=True)
        if one != two
    ]


def _corpus(folder: Path) -> Path:
    sys.path.insert(0, str(HERE / "tests" / "support"))
    from corpus import write_corpus

    folder.mkdir()
    return write_corpus(folder)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=50, help="least number of interruptions")
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument(
        "--workers", type=int, nargs="+", default=[0], help="processes that load the examples, one run each"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    draw = np.random.default_rng(given.seed)
    kills = -(-given.kills // len(given.workers))
    parts = [compare(kills, given.epochs, workers, draw) for workers in given.workers]
    result = {
        **counted([row for part in parts for row in part["rows"]]),
        "resumed_runs": sum(part["resumed_runs"] for part in parts),
        "differing_runs": sum(len(part["differing_runs"]) for part in parts),
        "same_weights_with_all_workers": len({part["weights_sha256"] for part in parts}) == 1,
        "epochs": given.epochs,
        "seed": given.seed,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "parts": parts,
    }
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(result, indent=1) + "\n")
    print(json.dumps({k: v for k, v in result.items() if k != "parts"}, indent=1))
    sys.exit(bool(result["differing_runs"]))


if __name__ == "__main__":
    main()
