"""A trained part of a run as evaluation finds it: its weights, settings, split and labels.

A checkpoint is found in its run, or is a copy of one: the best checkpoint of a partition is copied to
`checkpoints/NAME_best.ckpt`, and its run is the one whose `best.ckpt` has the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from tocco.data.records import LabelRecord
from tocco.errors import InputError, MismatchError
from tocco.files import read_text, sha256_of, write_bytes
from tocco.training.checkpoint_file import BEST_FOLDER, read_checkpoint
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.run_folder import (
    BEST,
    CONFIG,
    PARTITION,
    SPLIT,
    labels_hash_of,
    read_description,
)

LABELS_FILE: Final = "labels.txt"
"""File of a run with the path of the label file that it was trained on."""

Side = Literal["train", "held_out", "test"]

SIDES: Final[Mapping[str, Side]] = {"train": "train", "validation": "held_out", "test": "test"}
"""What a side of a partition is called on the command line -> in `split.json`."""

_RUNS: Final = "runs"


@dataclass(frozen=True, eq=False)
class TrainedPart:
    """A part of a run, with one of its checkpoints.

    Attributes
    ----------
    folder
    config : resolved settings
    split : content of `split.json`
    checkpoint : the file that its weights are read from
    """

    folder: Path
    config: ExperimentConfig
    split: Mapping[str, Any]
    checkpoint: Path

    @property
    def run(self) -> Path:
        """Folder of the run."""
        return self.folder.parent

    def ids(self, side: str) -> tuple[str, ...]:
        """Segments of a side: "train", "validation" or "test".

        Raises
        ------
        InputError
            The part has no such side.
        """
        ids = tuple(self.split.get(SIDES[side], ()))
        if not ids:
            raise InputError(
                self.folder,
                f"has no {side} part",
                next_step=f"train with --fold {PARTITION}, which makes one, or evaluate the folds of a run",
            )
        return ids


def part_of_checkpoint(checkpoint: Path, run: Path | None = None) -> TrainedPart:
    """The part of a run that a checkpoint belongs to.

    Parameters
    ----------
    checkpoint
        A file of the part, or a copy of its best checkpoint.
    run
        Folder of the run, where it is not found: neither around the checkpoint, nor by the bytes of a
        `best.ckpt` in `runs` beside the checkpoint's folder or in the current one.

    Raises
    ------
    InputError
        The checkpoint is missing or damaged, or its run is not found.
    MismatchError
        The run that was given has another checkpoint.
    """
    read_checkpoint(checkpoint)
    if run is not None:
        return _part(_part_with(checkpoint, [run]) or _other_run(checkpoint, run), checkpoint)
    place = checkpoint.resolve().parent
    around = place.parent if place.name == BEST_FOLDER else place
    if (around / SPLIT).is_file():
        return _part(around, checkpoint)
    found = _part_with(checkpoint, [folder / _RUNS for folder in (place.parent, Path())])
    if found is None:
        raise InputError(
            checkpoint,
            "belongs to no run here, so that its split is unknown",
            next_step=f"name the folder of its run: tocco evaluate RUN --checkpoint {checkpoint}",
        )
    return _part(found, checkpoint)


def part_of_run(run: Path) -> TrainedPart:
    """The partition of a run, with its best checkpoint.

    Raises
    ------
    InputError
        The run has no partition, or it is not trained to its end.
    """
    folder = run / PARTITION
    if not (folder / BEST).is_file():
        raise InputError(
            folder / BEST, "no such checkpoint", next_step=f"train the run with --fold {PARTITION}"
        )
    return _part(folder, folder / BEST)


def _part_with(checkpoint: Path, roots: Sequence[Path]) -> Path | None:
    """The part whose best checkpoint has the same bytes."""
    size, digest = checkpoint.stat().st_size, sha256_of(checkpoint)
    for root in roots:
        for best in sorted(root.glob(f"**/{PARTITION}/{BEST}")):
            if best.stat().st_size == size and sha256_of(best) == digest:
                return best.parent
    return None


def _other_run(checkpoint: Path, run: Path) -> Path:
    if not any(run.glob(f"**/{PARTITION}/{BEST}")):
        raise InputError(run, f"has no {PARTITION}/{BEST}", next_step="name the folder of a trained run")
    raise MismatchError(
        checkpoint, f"is no copy of the best checkpoint of {run}", next_step="name the run that it is from"
    )


def _part(folder: Path, checkpoint: Path) -> TrainedPart:
    described = read_description(folder)
    if described is None:
        raise InputError(
            folder, f"has no readable {CONFIG} and {SPLIT}", next_step="copy the whole folder of the run"
        )
    return TrainedPart(folder, load_config(folder / CONFIG), described.split, checkpoint)


def record_labels_path(run: Path, labels: Path) -> None:
    """Note in the folder of a run which label file it is trained on."""
    write_bytes(run / LABELS_FILE, f"{labels.resolve()}\n".encode())


def labels_of_run(run: Path, config: ExperimentConfig, given: Path | None) -> Path:
    """The label file that is given, else the one that the run or its settings name.

    Raises
    ------
    InputError
        None is given, and the run names none that exists.
    """
    if given is not None:
        return given
    noted = run / LABELS_FILE
    named = [Path(read_text(noted).strip())] if noted.is_file() else []
    if config.data.train_path is not None:
        named.append(Path(config.data.train_path))
    for path in named:
        if path.is_file():
            return path
    missing = f"names {named[0]} as its label file, which is not there" if named else "names no label file"
    raise InputError(run, missing, next_step="give it with --labels")


def assert_labels_of(part: TrainedPart, records: Sequence[LabelRecord], labels: Path) -> None:
    """Refuse labels other than those that a part was trained on.

    Raises
    ------
    MismatchError
        Segments or ratings differ.
    """
    known = {record.segment_id for record in records}
    missing = [name for side in SIDES.values() for name in part.split.get(side, ()) if name not in known]
    if missing:
        raise MismatchError(
            labels,
            f"lacks {len(missing)} segments of the split of {part.folder}, the first {missing[0]!r}",
            next_step="give the label file that the run was trained on",
        )
    expected, found = str(part.split.get("labels_sha256")), labels_hash_of(records)
    if expected != found:
        raise MismatchError(
            labels,
            f"has other ratings (sha256 {found[:12]}) than {part.folder} was trained on ({expected[:12]})",
            next_step="give the label file that the run was trained on",
        )
