"""`tocco evaluate`: a run or a checkpoint on excerpts that it was not trained on, beside the baselines."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import typer

from tocco.apps.commands.run_parts import (
    assert_folds_trained,
    config_of,
    prepare,
    prepare_some,
)
from tocco.apps.progress import progress_bar
from tocco.data.prepared import PreparedRecord
from tocco.data.records import read_labels
from tocco.errors import MismatchError, UsageError
from tocco.evaluation.cross_validation.excerpt_features import ExcerptFeatures, excerpt_features
from tocco.evaluation.cross_validation.protocols import NETWORK, calibrate, cross_validation_result
from tocco.evaluation.cross_validation.report import write_report
from tocco.evaluation.held_out.evaluation import (
    Evaluation,
    PreparedParts,
    evaluation_of_folds,
    evaluation_of_part,
    example_segments,
)
from tocco.evaluation.held_out.raters import rater_ratings
from tocco.evaluation.held_out.report import write_evaluation
from tocco.files import sha256_of, writable_folder
from tocco.inference.bundle import CALIBRATION
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.members import member_folders
from tocco.training.run_folder import PARTITION, WEIGHTS_FILE
from tocco.training.trained_part import (
    TrainedPart,
    assert_labels_of,
    labels_of_run,
    part_of_checkpoint,
    part_of_run,
)

Split = Literal["folds", "test", "validation"]

_N_FILES: Final = 5
"""Steps of `write_evaluation`."""


def evaluate(
    run: Path | None,
    checkpoint: Path | None,
    split: Split | None,
    labels: Path | None,
    output: Path,
    *,
    jobs: int,
    examples: int,
) -> None:
    """Evaluate the folds of a run, or one side of its partition; write tables and pictures."""
    if run is None and checkpoint is None:
        raise UsageError("RUN", "is missing", next_step="name a run, or a checkpoint with --checkpoint")
    if checkpoint is not None:
        if split == "folds":
            raise UsageError(
                "--split",
                "is folds, which are of a run and not of one checkpoint",
                next_step="name the run alone",
            )
        members = [part_of_checkpoint(checkpoint, run)]
        _evaluate_side(members, members[0].run, split or "test", labels, output, jobs, examples)
    elif run is not None:
        if split == "folds" or (split is None and not _has_partition_alone(run)):
            _evaluate_folds(run, labels, output, jobs, examples)
        else:
            members = [part_of_run(folder) for folder in member_folders(run)]
            _evaluate_side(members, run, split or "test", labels, output, jobs, examples)


def _has_partition_alone(run: Path) -> bool:
    folder = member_folders(run)[0]
    return (folder / PARTITION).is_dir() and not any(folder.glob(f"fold[0-9]/{WEIGHTS_FILE}"))


def _evaluate_side(
    members: Sequence[TrainedPart],
    run: Path,
    split: Literal["test", "validation"],
    labels: Path | None,
    output: Path,
    jobs: int,
    examples: int,
) -> None:
    first = members[0]
    tested_ids = first.ids(split)
    _assert_one_partition(members)
    labels = labels_of_run(run, first.config, labels)
    records = read_labels(labels, must_exist=True)
    assert_labels_of(first, records, labels)
    writable_folder(output)
    train_ids = first.ids("train")
    other_ids = first.ids("validation") if split == "test" else ()
    wanted = {*train_ids, *tested_ids, *other_ids}
    prepared = {
        one.record.segment_id: one
        for one in prepare_some(first.config, [r for r in records if r.segment_id in wanted], run, jobs)
    }
    train, tested, other = (tuple(prepared[i] for i in ids) for ids in (train_ids, tested_ids, other_ids))
    parts = PreparedParts(train, tested, other)
    features = _features([*train, *tested], jobs)
    n_passes = len(members) * (len(tested) + len(other))
    with _counted("rating", n_passes) as advance:
        found = evaluation_of_part(
            members,
            parts,
            features,
            rater_ratings(labels, tested_ids),
            shown=example_segments(tested, examples),
            advance=advance,
        )
    provenance = {
        "labels": f"{len(records)} excerpts, sha256 {sha256_of(labels)[:16]}",
        "split": f"{first.split['protocol']}, {split} part; sha256 {str(first.split['sha256'])[:16]}",
        "checkpoint": ", ".join(
            f"{one.checkpoint.name}, sha256 {sha256_of(one.checkpoint)[:16]}" for one in members
        ),
        "revision of the training": str(first.split.get("revision", "unknown")),
        "config": f"{first.config.name}, as in {first.folder.name}/config.yaml of the run",
        "command": f"tocco evaluate RUN --split {split} --labels LABELS -o {output.name}",
    }
    title = f"Evaluation of {first.config.name} on its {split} part"
    _write(found, output, title, provenance, first.config)


def _assert_one_partition(members: Sequence[TrainedPart]) -> None:
    for member in members[1:]:
        for side in ("train", "held_out", "test"):
            if member.split.get(side) != members[0].split.get(side):
                raise MismatchError(
                    member.folder,
                    f"was trained on another partition than {members[0].folder}",
                    next_step="evaluate each with --checkpoint",
                )


def _evaluate_folds(run: Path, labels: Path | None, output: Path, jobs: int, examples: int) -> None:
    folders = member_folders(run)
    config = config_of(folders[0], "fold0", labels or Path("LABELS"))
    labels = labels_of_run(run, config, labels)
    for folder in folders:
        assert_folds_trained(config, folder, labels)
    records = prepare(config, labels, run, jobs)
    features = _features(records, jobs)
    shown = example_segments(records, examples)
    with _counted("rating", 2 * len(folders) * len(records)) as advance:
        found = cross_validation_result(config, records, features, run, shown=shown, advance=advance)
    writable_folder(output)
    result = found.result
    result.save(output / "predictions")
    provenance = {
        "labels": f"{len(records)} excerpts, sha256 {sha256_of(labels)[:16]}",
        "protocol": config.data.protocol,
        "command": f"tocco evaluate runs/{run.name} --labels LABELS -o {output.name}",
        "config": f"configs/{config.name}.yaml",
    }
    generator = np.random.default_rng(config.training.seed)
    title = f"Cross-validation of {config.name}"
    write_report(result, output, title, provenance, main=NETWORK, generator=generator)
    calibrate(result, records).save(output / CALIBRATION)
    raters = rater_ratings(labels, result.segment_ids.tolist())
    if raters is not None:
        raters = raters[:, [TARGETS.index(name) for name in result.names]]
    _write(evaluation_of_folds(found, records, raters), output, title, provenance, config)


def _features(records: Sequence[PreparedRecord], jobs: int) -> ExcerptFeatures:
    with progress_bar("measuring") as advance:
        return excerpt_features(records, jobs=jobs, progress=advance)


@contextmanager
def _counted(what: str, total: int) -> Iterator[Callable[[], None]]:
    """A progress bar that is advanced by one."""
    with progress_bar(what) as advance:
        count = itertools.count(1)
        yield lambda: advance(min(next(count), total), total)


def _write(
    found: Evaluation, output: Path, title: str, provenance: dict[str, Any], config: ExperimentConfig
) -> None:
    with _counted("writing", _N_FILES) as advance:
        text = write_evaluation(
            found,
            output,
            title,
            provenance,
            np.random.default_rng(config.training.seed),
            lambda name: advance(),
        )
    typer.echo(text.split("\n## Dimensions", 1)[0])
    typer.echo(f"{output}: metrics.md, metrics.csv, predictions.csv, errors.csv, pictures, worst_cases.md")
