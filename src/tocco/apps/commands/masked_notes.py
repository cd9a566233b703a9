"""`tocco train` for the stage `masked_notes`: pre-train the MIDI encoder, measure it on held-out pieces."""

from __future__ import annotations

import functools
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import typer

from tocco.apps.progress import progress_bar
from tocco.data.records import read_labels
from tocco.engines import LocalEngine
from tocco.errors import MismatchError, OutputError, UsageError
from tocco.files import sha256_of, writable_folder, write_bytes
from tocco.models.masked_head import MaskedNoteModel
from tocco.models.midi_encoder import PREDICTED_COLUMNS
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import as_yaml
from tocco.training.epoch_log import PICTURE, read_epochs
from tocco.training.masked_notes.baselines import count, measure_counted
from tocco.training.masked_notes.corpus import Asked, Parts, divide, prepare_questions
from tocco.training.masked_notes.loop import Pretraining, best_model, measure
from tocco.training.masked_notes.report import draw_curves, write_report
from tocco.training.run_folder import CHECKPOINT, CONFIG, SPLIT, revision


def pretrain(
    config: ExperimentConfig, labels: Sequence[Path], run: Path, *, resume: bool, overwrite: bool, jobs: int
) -> None:
    """Train, choose the epoch on validation pieces, and write figures of the held-out pieces."""
    if resume and overwrite:
        raise UsageError("--resume", "continues what --overwrite would replace", next_step="give one of them")
    records = [record for path in labels for record in read_labels(path, must_exist=True)]
    parts = divide(records, config)
    _open_run(run, config, parts, resume=resume, overwrite=overwrite)
    asked = _ask_all(parts, config, run.parent / "questions", jobs)
    started = time.monotonic()
    training = Pretraining(config, asked[0], asked[1], run, resume=resume, report=_say)
    weights = training.run()
    minutes = (time.monotonic() - started) / 60.0
    draw_curves(read_epochs(run), run / PICTURE)
    model = best_model(config, run)
    _report(config, run, parts, asked, training, model, minutes)
    typer.echo(f"{weights}: epoch of the lowest validation loss ({training.progress.best:.3f} nats)")


def _open_run(run: Path, config: ExperimentConfig, parts: Parts, *, resume: bool, overwrite: bool) -> None:
    settings = as_yaml(config)
    pieces = {name: sorted({r.piece_id for r in part}) for name, part in parts._asdict().items()}
    segments = {name: sorted(r.segment_id for r in part) for name, part in parts._asdict().items()}
    split = json.dumps({"revision": revision(), "pieces": pieces, "segments": segments}, indent=1) + "\n"
    if resume:
        _assert_same(run, settings, split)
    elif (run / CHECKPOINT).exists():
        if not overwrite:
            raise OutputError(
                run, "has a pre-training", next_step="name another run, or give --resume or --overwrite"
            )
        shutil.rmtree(run)
    writable_folder(run)
    write_bytes(run / CONFIG, settings.encode())
    write_bytes(run / SPLIT, split.encode())


def _assert_same(run: Path, settings: str, split: str) -> None:
    for name, content in ((CONFIG, settings), (SPLIT, split)):
        path = run / name
        if path.is_file() and path.read_text(encoding="utf-8") != content:
            raise MismatchError(
                path,
                "is of other settings, other records or another revision",
                next_step="name another run, or start again with --overwrite",
            )


def _ask_all(parts: Parts, config: ExperimentConfig, cache: Path, jobs: int) -> list[list[Asked]]:
    prepare = functools.partial(prepare_questions, config=config, cache_dir=cache)
    asked = []
    for name, part in parts._asdict().items():
        with progress_bar(f"hiding notes, {name}") as advance:
            found = list(LocalEngine(jobs).map(prepare, part, advance))
        for one in found:
            if one.refusal:
                typer.echo(f"left out: {one.segment_id}: {one.refusal}", err=True)
        asked.append([one for one in found if not one.refusal])
    return asked


def _report(
    config: ExperimentConfig,
    run: Path,
    parts: Parts,
    asked: Sequence[Sequence[Asked]],
    training: Pretraining,
    model: MaskedNoteModel,
    minutes: float,
) -> None:
    sizes = {name: OCTUPLE_VOCABULARY[name] for name in PREDICTED_COLUMNS}
    counted = count(training.questions(asked[0]), sizes)
    methods = measure_counted(training.questions(asked[2]), counted)
    methods["pre-trained encoder"] = measure(model, training.questions(asked[2]))
    spans = len(config.masking.spans)
    split = sha256_of(run / SPLIT)[:16]
    facts = {"config": f"{CONFIG} ({config.name}), seed {config.training.seed}"}
    facts["split"] = f"{SPLIT}, sha256 {split}; no piece is in two parts"
    facts |= {
        name: f"{len(each)} performances of {len({r.piece_id for r in part})} pieces,"
        f" {sum(len(one.bounds) for one in each) // spans} windows of {config.data.window_sec:g} s"
        for (name, part), each in zip(parts._asdict().items(), asked, strict=True)
    }
    facts["left out"] = ", ".join(config.masking.left_out_pieces) or "nothing"
    facts["optimisation"] = (
        f"{training.progress.epoch} epochs, {training.progress.step} steps of {config.data.batch_size}"
        f" windows; {minutes:.0f} minutes since the start or the last --resume"
    )
    facts["best epoch"] = f"{training.progress.best:.3f} nats on the validation pieces"
    write_report(run, f"Masked pre-training: {config.name}", facts, methods)
    write_bytes(run / "held_out.json", (json.dumps(methods, indent=1) + "\n").encode())


def _say(row: dict[str, float]) -> None:
    typer.echo(
        f"epoch {row['epoch'] + 1:.0f}  step {row['step']:.0f}  training {row['train_loss']:.3f}"
        f"  validation {row['val_loss']:.3f}",
        err=not sys.stdout.isatty(),
    )
