"""Whether a training run that is ended at random moments and resumed equals a whole one, bit for bit.

    python benchmarks/resume.py --kills 50 -o results/training/resume.json

A tiny experiment is trained on twenty made-up performances by the command line, twice without interruption.
Then it is trained again and again: each time the process receives SIGTERM, SIGINT or SIGKILL after a random
time, and the same command is given with `--resume`, until the run has ended. What the runs leave is compared:
averaged weights, `last.ckpt` (weights, optimiser, schedule, generators, position of the loader, bookkeeping
of the best checkpoints), the best checkpoints, `metrics.csv` and the figures of the test part. Dropout,
augmentation, accumulation of gradients, early stopping and checkpoints within epochs are on.
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
from pathlib import Path
from typing import Any

import numpy as np
import torch

HERE = Path(__file__).resolve().parents[1]
SHARE_OF_RUN = 0.7
"""Latest moment of an interruption, as a share of the time of a whole run."""

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


def interrupted_run(
    command: list[str], part: Path, folder: Path, span_sec: float, draw: np.random.Generator
) -> list[dict[str, Any]]:
    """End and resume a run until it is done; a row for each interruption."""
    rows: list[dict[str, Any]] = []
    while True:
        resumed = [*command, "--resume"] if (part / "split.json").is_file() else command
        sent = SIGNALS[int(draw.integers(len(SIGNALS)))]
        process = subprocess.Popen(
            resumed, cwd=folder, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        after = float(draw.uniform(0.0, SHARE_OF_RUN * span_sec))
        began = time.monotonic()
        while process.poll() is None and time.monotonic() - began < after:
            time.sleep(0.005)
        if process.poll() is None:
            process.send_signal(sent)
        _, said = process.communicate()
        if process.returncode == 0:
            return rows
        rows.append(
            {
                "signal": sent.name,
                "after_sec": round(after, 2),
                "exit_code": process.returncode,
                "said": said.strip().splitlines()[-1:] or [""],
                "has_checkpoint": (part / "last.ckpt").is_file(),
            }
        )
        if process.returncode not in {130, 143, -sent}:
            raise SystemExit(f"unexpected exit code {process.returncode}: {said[-2000:]}")


def compare(kills: int, epochs: int, workers: int, seed: int) -> dict[str, Any]:
    """Train without and with interruptions, and compare what is left."""
    draw = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        labels = _corpus(folder / "corpus")
        whole = folder / "whole"
        whole.mkdir()
        for name in ("run", "again"):  # the first one prepares the inputs, the second one is timed
            began = time.monotonic()
            command = train_command(labels, whole / name, epochs=epochs, workers=workers)
            subprocess.run(command, cwd=whole, env=environment(), check=True, capture_output=True)
        span_sec = time.monotonic() - began
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
            rows += interrupted_run(command, cut / "run" / "split", cut, span_sec, draw)
            found = digests(cut / "run" / "split")
            wrong = sorted(k for k in expected.keys() | found.keys() if expected.get(k) != found.get(k))
            if wrong:
                differing.append({"run": runs, "files": wrong})
                print(f"run {runs}: {', '.join(wrong)} after {rows[-3:]}", flush=True)
                print(_cells(whole / "run" / "split", cut / "run" / "split"), flush=True)
            print(f"{len(rows)} interruptions, {runs} runs, {len(differing)} that differ", flush=True)
            shutil.rmtree(cut)
    return {
        "interruptions": len(rows),
        "of_signal": dict(Counter(row["signal"] for row in rows)),
        "exit_codes": {str(k): n for k, n in Counter(row["exit_code"] for row in rows).items()},
        "without_checkpoint_yet": sum(not row["has_checkpoint"] for row in rows),
        "resumed_runs": runs,
        "differing_runs": differing,
        "uninterrupted_sec": round(span_sec, 1),
        "files_compared": sorted(expected),
        "epochs": epochs,
        "workers": workers,
        "seed": seed,
        "torch": torch.__version__,
        "machine": platform.machine(),
        "rows": rows,
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
    parser.add_argument("--workers", type=int, default=0, help="processes that load the examples")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("-o", "--output", type=Path, required=True)
    given = parser.parse_args()
    result = compare(given.kills, given.epochs, given.workers, given.seed)
    given.output.parent.mkdir(parents=True, exist_ok=True)
    given.output.write_text(json.dumps(result, indent=1) + "\n")
    summary = {k: v for k, v in result.items() if k not in {"rows", "files_compared"}}
    print(json.dumps(summary, indent=1))
    sys.exit(bool(result["differing_runs"]))


if __name__ == "__main__":
    main()
