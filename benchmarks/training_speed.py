"""How fast `tocco train` trains, what share of the time it waits for examples, and what plain loops do.

    python benchmarks/training_speed.py --labels data/percepiano/labels.jsonl -o results/loading

With MERT-95M's architecture and random weights, all of them trained, and with the network of the config, the
same excerpts are trained on by

- tocco: the Trainer of `tocco train` with its callbacks, and its loader;
- plain loop: forward, backward and AdamW of the same network and loader, by hand, without Lightning;
- transformers (MERT-95M only): `HubertModel` of transformers with the mean over time and one linear layer, in
  a plain PyTorch loop with a `DataLoader` over the same sounds in memory. It has no notes and no score.

They take turns, with one thread; the first step of every turn is not counted. Gradient checkpointing is off.
Seconds of the processor are counted beside those of the clock: they depend less on what else runs.

Bars, written down before the first run: the loop waits for examples for less than 5 % of the time; it needs
at most 5 % more seconds of the processor an example than the plain loop of the same network, and at most 25 %
more than transformers, whose network has no notes.
"""

from __future__ import annotations

import argparse
import functools
import json
import os
import platform
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import lightning.pytorch as pl
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

from tocco.data.batching import ExampleBatch, network_batch
from tocco.data.dataset import PerformanceDataset
from tocco.data.loaders import TrainingLoader, WorkerConfig
from tocco.data.prepared import PreparedRecord, prepare_records
from tocco.data.records import LabelRecord, read_labels
from tocco.files import write_bytes
from tocco.models.mert import standardised
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.interruption import StopRequest
from tocco.training.memory import ARCHITECTURES
from tocco.training.module_of_config import build_module
from tocco.training.trainer import build_trainer, quiet_lightning

MERT: Final = "m-a-p/MERT-v1-95M"
WAIT_BAR: Final = 0.05
SAME_NETWORK_BAR: Final = 1.05
TRANSFORMERS_BAR: Final = 1.25
PLAIN: Final = "plain loop, same network"
TRANSFORMERS: Final = "transformers, HubertModel"


@dataclass(frozen=True)
class Mark:
    """A moment, by the clock and by the processor of this process, in seconds."""

    clock: float
    processor: float


def now() -> Mark:
    """The present moment."""
    return Mark(time.perf_counter(), time.process_time())


class Timed:
    """Batches of an iterable, with the seconds that each was waited for."""

    def __init__(self) -> None:
        self.waited_sec: list[float] = []
        self.sizes: list[int] = []

    def over(self, batches: Iterable[Any], size: Callable[[Any], int]) -> Iterator[Any]:
        """The batches."""
        iterator = iter(batches)
        while True:
            began = time.perf_counter()
            batch = next(iterator, None)
            if batch is None:
                return
            self.waited_sec.append(time.perf_counter() - began)
            self.sizes.append(size(batch))
            yield batch


class TimedLoader(TrainingLoader):
    """The loader of `tocco train`, timed."""

    def __init__(self, *arguments: Any, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.timed = Timed()

    def __iter__(self) -> Iterator[ExampleBatch]:
        return self.timed.over(super().__iter__(), lambda batch: len(batch["labels"]))


@dataclass(frozen=True)
class Turn:
    """One turn of one loop.

    Attributes
    ----------
    examples : that were trained on after the first step
    clock_sec, processor_sec : that they took
    waited_sec : of the clock, in which a batch was waited for
    """

    examples: int
    clock_sec: float
    processor_sec: float
    waited_sec: float


def turn_of(timed: Timed, steps: Sequence[Mark]) -> Turn:
    """The turn from the end of the first step; Lightning asks for a batch before the step ahead of it."""
    first, last = steps[0], steps[-1]
    counted = slice(1, len(steps))
    return Turn(
        sum(timed.sizes[counted]),
        last.clock - first.clock,
        last.processor - first.processor,
        sum(timed.waited_sec[counted]),
    )


class StepClock(pl.Callback):
    """The end of every step of a Trainer."""

    def __init__(self) -> None:
        self.steps: list[Mark] = []

    def on_train_batch_end(self, *_: Any) -> None:
        """Remember it."""
        self.steps.append(now())


def loader(config: ExperimentConfig, records: Sequence[PreparedRecord], workers: int) -> TimedLoader:
    """The loader of `tocco train`."""
    dataset = PerformanceDataset(
        records,
        training=True,
        score_dropout=config.data.score_dropout,
        seed=config.training.seed,
        augmentation=config.data.augmentation,
    )
    return TimedLoader(
        dataset,
        batch_size=config.data.batch_size,
        seed=config.training.seed,
        workers=WorkerConfig(workers=workers),
    )


def tocco_turn(config: ExperimentConfig, records: Sequence[PreparedRecord], workers: int) -> Turn:
    """One epoch of the Trainer, to its last step; the checkpoint at its end is not counted."""
    served, clock = loader(config, records, workers), StepClock()
    with tempfile.TemporaryDirectory() as folder, quiet_lightning():
        trainer = build_trainer(config, Path(folder), StopRequest(), validate=False)
        trainer.callbacks.append(clock)  # type: ignore[attr-defined]
        pl.seed_everything(config.training.seed, verbose=False)
        trainer.fit(build_module(config, records), served)
    return turn_of(served.timed, clock.steps)


def plain_turn(config: ExperimentConfig, records: Sequence[PreparedRecord], workers: int) -> Turn:
    """The same network and loader, without Lightning."""
    torch.manual_seed(config.training.seed)
    module, served = build_module(config, records), loader(config, records, workers)
    module.train()
    optimizer = torch.optim.AdamW(module.parameter_groups())
    steps = []
    for batch in served:
        total, _ = module._losses(module.network(network_batch(batch)), batch)
        steps.append(stepped(total, optimizer, module, config))
    return turn_of(served.timed, steps)


def stepped(
    loss: torch.Tensor, optimizer: torch.optim.Optimizer, module: nn.Module, config: ExperimentConfig
) -> Mark:
    """Backward pass and optimiser step; the moment after it."""
    optimizer.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(module.parameters(), config.training.gradient_clip)
    optimizer.step()
    return now()


class HubertRating(nn.Module):
    """`HubertModel` of transformers, the mean over time, and one linear layer."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        from tocco.models.mert_checkpoint import hubert

        self.backbone = hubert(ARCHITECTURES[MERT])
        self.head = nn.Linear(self.backbone.config.hidden_size, outputs)

    def forward(self, waveform: torch.Tensor) -> torch.Tensor:
        """(B, S) -> (B, D)."""
        return self.head(self.backbone(standardised(waveform)).last_hidden_state.mean(dim=1))


def transformers_turn(config: ExperimentConfig, records: Sequence[PreparedRecord]) -> Turn:
    """A plain loop over sounds that are in memory; labels that are missing count as the mean."""
    torch.manual_seed(config.training.seed)
    label = np.nan_to_num(np.array([record.label for record in records]) / 100.0)
    sounds = [
        (torch.from_numpy(record.windows[0].inputs(use_score=False).waveform), torch.from_numpy(row).float())
        for record, row in zip(records, label, strict=True)
    ]
    batches = DataLoader(sounds, batch_size=config.data.batch_size, shuffle=True)  # type: ignore[arg-type]
    model = HubertRating(label.shape[1]).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5)
    timed, steps = Timed(), []
    for waveform, target in timed.over(batches, lambda batch: len(batch[1])):
        steps.append(stepped((model(waveform) - target).square().mean(), optimizer, model, config))
    return turn_of(timed, steps)


def with_mert(config: ExperimentConfig, folder: Path) -> ExperimentConfig:
    """The experiment with MERT-95M in place of its audio encoder, all of it trained, from random weights."""
    from safetensors.torch import save_file

    from tocco.models.mert_checkpoint import hubert

    torch.manual_seed(0)
    save_file(hubert(ARCHITECTURES[MERT]).state_dict(), folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(dict(ARCHITECTURES[MERT])))
    model = config.model.model_copy(update={"audio_encoder": str(folder), "mert_trainable": "all"})
    return config.model_copy(update={"model": model})


def chosen(records: Sequence[LabelRecord], n: int, at_least_sec: float) -> list[LabelRecord]:
    """So many records of one full window, drawn, so that no loop has shorter sounds than another."""
    draw = np.random.default_rng(0)
    found: list[LabelRecord] = []
    for index in draw.permutation(len(records)):
        record = records[index]
        if record.end_time is not None and record.end_time - record.start_time < at_least_sec:
            continue
        found.append(record)
        if len(found) == n:
            break
    return found


def cut(records: Sequence[PreparedRecord], window_sec: float) -> list[PreparedRecord]:
    """The first window of every record that has a full one."""
    full = [r for r in records if r.windows[0].bounds_sec[1] - r.windows[0].bounds_sec[0] >= window_sec]
    return [replace(r, bounds_sec=r.bounds_sec[:1], windows=r.windows[:1]) for r in full]


def figures(turns: Sequence[Turn]) -> dict[str, float]:
    """Of all turns of one loop together."""
    examples = sum(turn.examples for turn in turns)
    clock, processor = (sum(getattr(t, name) for t in turns) for name in ("clock_sec", "processor_sec"))
    return {
        "turns": len(turns),
        "examples": examples,
        "examples_per_sec": round(examples / clock, 3),
        "processor_sec_per_example": round(processor / examples, 3),
        "share_waiting": round(sum(turn.waited_sec for turn in turns) / clock, 4),
    }


def ratio(turns: Sequence[Turn], others: Sequence[Turn]) -> dict[str, float]:
    """Seconds of the processor an example against those of another loop: median and range over the rounds."""
    rounds = [
        (a.processor_sec / a.examples) / (b.processor_sec / b.examples)
        for a, b in zip(turns, others, strict=True)
    ]
    return {
        "median": round(float(np.median(rounds)), 3),
        "least": round(min(rounds), 3),
        "most": round(max(rounds), 3),
    }


def measured(loops: dict[str, Callable[[], Turn]], rounds: int, label: str) -> dict[str, Any]:
    """Figures of all loops, and ratios of tocco to each other loop; the loops take turns."""
    turns: dict[str, list[Turn]] = {name: [] for name in loops}
    for number in range(rounds):
        for name, loop in loops.items():
            turns[name].append(loop())
            print(f"{label}, round {number + 1}: {name}: {figures(turns[name][-1:])}", flush=True)
    return {
        "loops": {name: figures(given) for name, given in turns.items()},
        "processor_ratio": {
            f"tocco / {name}": ratio(turns["tocco"], turns[name]) for name in loops if name != "tocco"
        },
    }


def bars(results: dict[str, Any]) -> dict[str, bool]:
    """Whether the bars are met."""
    waiting = max(one["loops"]["tocco"]["share_waiting"] for one in results.values())
    plain = max(one["processor_ratio"][f"tocco / {PLAIN}"]["median"] for one in results.values())
    transformers = results["MERT-95M"]["processor_ratio"][f"tocco / {TRANSFORMERS}"]["median"]
    return {
        f"waiting < {WAIT_BAR:.0%}": waiting < WAIT_BAR,
        f"tocco / {PLAIN} <= {SAME_NETWORK_BAR}": plain <= SAME_NETWORK_BAR,
        f"tocco / {TRANSFORMERS} <= {TRANSFORMERS_BAR}": transformers <= TRANSFORMERS_BAR,
    }


def compared(given: argparse.Namespace, config: ExperimentConfig) -> dict[str, Any]:
    """Measure every loop with both networks."""
    n = given.steps * given.batch_size
    results: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepared = prepare_records(
            chosen(read_labels(given.labels, must_exist=True), 2 * n, given.window_sec),
            window_sec=given.window_sec,
            overlap=config.data.overlap,
            cache_dir=folder / "prepared",
        )
        records = cut(prepared, given.window_sec)[:n]
        for label, one in {"MERT-95M": with_mert(config, folder), config.name: config}.items():
            loops: dict[str, Callable[[], Turn]] = {
                "tocco": functools.partial(tocco_turn, one, records, given.workers),
                PLAIN: functools.partial(plain_turn, one, records, given.workers),
            }
            if label == "MERT-95M":
                loops[TRANSFORMERS] = functools.partial(transformers_turn, one, records)
            results[label] = measured(loops, given.rounds, label)
    return results


def main() -> None:
    """Measure, print, and keep the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--labels", type=Path, required=True)
    parser.add_argument("--config", type=Path, default=Path("configs/percepiano.yaml"))
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--steps", type=int, default=4, help="of a turn, the uncounted first one included")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--window-sec", type=float, default=2.0)
    parser.add_argument("--workers", type=int, default=0, help="processes that load the examples")
    given = parser.parse_args()
    torch.set_num_threads(1)
    overrides = {
        "data.window_sec": str(given.window_sec),
        "data.batch_size": str(given.batch_size),
        "training.max_epochs": "1",
        "training.threads": "1",
        "logging.log_every_n_steps": "1",
    }
    load = [os.getloadavg()[0]]
    results = compared(given, load_config(given.config, overrides))
    load.append(os.getloadavg()[0])
    content = {
        "bars": bars(results),
        **results,
        "window_sec": given.window_sec,
        "batch_size": given.batch_size,
        "steps_counted": given.steps - 1,
        "loading_processes": given.workers,
        "threads": 1,
        "cores": os.cpu_count(),
        "load_average": [round(value, 1) for value in load],
        "versions": {name: version(name) for name in ("torch", "lightning", "transformers")},
        "machine": platform.machine(),
    }
    given.output.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content, indent=1)
    write_bytes(given.output / "training_speed.json", (text + "\n").encode())
    print(text)


if __name__ == "__main__":
    main()
