"""How fast examples are served against how fast a training step uses them up, and whether memory grows.

    python benchmarks/loading.py --labels LABELS.jsonl --config configs/percepiano.yaml -o results/loading

Measured in one run, one after another: the resident memory of the process and its workers after each of
six epochs; examples a second out of the loader with nothing kept and with kept
files, without and with augmentation; examples a second that the training step of the config uses.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tocco.data.batching import network_batch
from tocco.data.dataset import PerformanceDataset
from tocco.data.example_augmentation import ExampleAugmentation
from tocco.data.loaders import TrainingLoader, WorkerConfig
from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import LabelRecord, read_labels
from tocco.files import write_bytes
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.module_of_config import build_module

EPOCHS = 3
MEMORY_EPOCHS = 6
"""Three for the workers' own copies of shared pages to be made, three to see that no more is added."""
STEPS = 6
N_FRESH = 16
"""Records that are read and aligned at every look: few, because it takes a second each."""


@dataclass(frozen=True)
class Speed:
    """Examples a second of one way of serving them."""

    name: str
    examples_per_sec: float


def chosen(records: Sequence[LabelRecord], n: int, seed: int) -> list[LabelRecord]:
    """So many records, drawn."""
    draw = np.random.default_rng(seed)
    return [records[i] for i in sorted(draw.permutation(len(records))[:n])]


def rate(served: TrainingLoader, epochs: int) -> float:
    """Examples a second over whole epochs, after one for warming up; nothing is drawn ahead of the clock."""
    for _ in served:
        pass
    n, start = 0, time.perf_counter()
    for epoch in range(1, epochs + 1):
        served.set_epoch(epoch)
        n += sum(len(batch["labels"]) for batch in served)
    return n / (time.perf_counter() - start)


def loader(
    prepared: Sequence[PreparedRecord], config: ExperimentConfig, workers: int, *, augmented: bool = False
) -> TrainingLoader:
    """The training loader of the config, with so many workers."""
    dataset = PerformanceDataset(
        prepared,
        training=True,
        score_dropout=config.data.score_dropout,
        seed=config.training.seed,
        augmentation=ExampleAugmentation(enabled=augmented),
    )
    return TrainingLoader(
        dataset,
        batch_size=config.data.batch_size,
        seed=config.training.seed,
        workers=WorkerConfig(workers=workers),
    )


def step_rate(prepared: Sequence[PreparedRecord], config: ExperimentConfig) -> float:
    """Examples a second that forward, backward and optimiser step use, batches at hand."""
    module = build_module(config, prepared)
    optimizer = torch.optim.AdamW(module.parameter_groups())
    batches = list(islice(iter(loader(prepared, config, 0)), STEPS))
    n, start = 0, 0.0
    for k, batch in enumerate(batches):
        if k == 1:
            n, start = 0, time.perf_counter()
        total, _ = module._losses(module.network(network_batch(batch)), batch)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        n += len(batch["labels"])
    return n / (time.perf_counter() - start)


def resident_mb() -> float:
    """Memory of this process and of its children that is theirs alone, in MB (Linux)."""
    own = os.getpid()
    children = Path(f"/proc/{own}/task/{own}/children").read_text().split()
    total = 0.0
    for process in [str(own), *children]:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith(("Pss_Anon:", "Pss_Shmem:")):
                total += float(line.split()[1]) / 1024
    return total


def memory(prepared: Sequence[PreparedRecord], config: ExperimentConfig, workers: int) -> list[float]:
    """MB after each of the epochs."""
    served = loader(prepared, config, workers)
    rows = []
    for epoch in range(MEMORY_EPOCHS):
        served.set_epoch(epoch)
        for _ in served:
            pass
        rows.append(resident_mb())
        print(f"memory after epoch {epoch + 1}, {workers} workers: {rows[-1]:.0f} MB", flush=True)
    return rows


def main() -> None:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("configs/percepiano.yaml"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--records", type=int, default=60)
    arguments = parser.parse_args()
    config = load_config(arguments.config)
    torch.set_num_threads(max(1, config.training.threads))
    records = chosen(read_labels(arguments.labels, must_exist=True), arguments.records, seed=0)
    settings: dict[str, Any] = {"window_sec": config.data.window_sec, "overlap": config.data.overlap}
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        kept = prepare_records(records, **settings, cache_dir=Path(folder), jobs=2)
        print(f"prepared {len(kept)} records in {time.perf_counter() - start:.0f} s", flush=True)
        # First, while the process is small: workers copy what it holds as they touch it.
        rows = {workers: memory(kept, config, workers) for workers in (0, 2)}
        fresh = prepare_records(records[:N_FRESH], **settings, cache_dir=None, jobs=2)
        speeds = [
            Speed("no cache, 2 workers", rate(loader(fresh, config, 2), 1)),
            Speed("cached files, 0 workers", rate(loader(kept, config, 0), EPOCHS)),
            Speed("cached files, 2 workers", rate(loader(kept, config, 2), EPOCHS)),
            Speed("cached files, augmented, 2 workers", rate(loader(kept, config, 2, augmented=True), 1)),
            Speed("a training step uses", step_rate(kept, config)),
        ]
        for speed in speeds:
            print(f"{speed.name:>34}: {speed.examples_per_sec:8.1f} examples/s", flush=True)
    figures = {
        "records": len(records),
        "config": arguments.config.name,
        "examples_per_sec": {speed.name: round(speed.examples_per_sec, 1) for speed in speeds},
        "memory_mb_after_epochs": {str(w): [round(mb) for mb in row] for w, row in rows.items()},
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    write_bytes(arguments.output / "loading.json", (json.dumps(figures, indent=1) + "\n").encode())


if __name__ == "__main__":
    main()
