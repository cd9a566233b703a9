"""Folder of a run: description of its parts, and protection against loss and mixing of results.

A part (`fold0`, `full`, ...) is described by two files before it is trained: `config.yaml`, the resolved
settings, and `split.json`: the training and held-out records, hashes of the split and of the labels, and the
revision of the code. An existing part is replaced only on request, and a part can be resumed only if all
of these are the same.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml

from tocco.data.prepared import PreparedRecord
from tocco.data.records import LabelRecord
from tocco.data.splits import split_hash
from tocco.errors import InputError, MismatchError, OutputError
from tocco.files import sha256_of, write_bytes
from tocco.rubrics import TARGETS
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import parse_config
from tocco.units import FloatArray

CONFIG, SPLIT, CHECKPOINT, WEIGHTS_FILE = "config.yaml", "split.json", "last.ckpt", "model.safetensors"
BEST, TEST_FILE = "best.ckpt", "test.json"
INNER: Final = "-inner"
"""Suffix of the name of a part for choosing settings."""

PARTITION: Final = "split"
"""Name of the part with training, validation and test, whose best checkpoint counts."""


@dataclass(frozen=True)
class Split:
    """Training and held-out records.

    Attributes
    ----------
    name : folder of the run's part: "fold0", ..., "full", "fold0-inner", "split"
    train, held_out : index into the records
    test : index into the records, never looked at before the training has ended; of a partition only
    """

    name: str
    protocol: str
    train: tuple[int, ...]
    held_out: tuple[int, ...]
    test: tuple[int, ...] = ()

    @property
    def keeps_best(self) -> bool:
        """Whether the weights are those of the best epoch by validation, not of the last."""
        return self.name == PARTITION

    @property
    def is_validated(self) -> bool:
        """Whether the held-out part is looked at after every epoch; folds are trained blind."""
        return self.keeps_best or self.name.endswith(INNER)


@dataclass(frozen=True)
class PartDescription:
    """Data and settings of a part of a run.

    Attributes
    ----------
    config : resolved settings
    split : content of `split.json`
    """

    config: dict[str, Any]
    split: dict[str, Any]


def describe(
    config: ExperimentConfig, records: Sequence[PreparedRecord], split: Split, start: Path | None = None
) -> PartDescription:
    """Describe the data and settings of a part, and the checkpoint that it starts from, if any."""
    sides = {
        "train": sorted(records[i].record.segment_id for i in split.train),
        "held_out": sorted(records[i].record.segment_id for i in split.held_out),
    }
    if split.test:
        sides["test"] = sorted(records[i].record.segment_id for i in split.test)
    fold = (np.array(split.train, dtype=int), np.array(split.held_out, dtype=int))
    content = {
        "name": split.name,
        "protocol": split.protocol,
        "sha256": split_hash([record.record for record in records], [fold]),
        "labels_sha256": labels_hash(records),
        "revision": revision(),
        **({} if start is None else {"start_sha256": sha256_of(start)}),
        **sides,
    }
    return PartDescription(config.model_dump(mode="json"), content)


def labels_hash(records: Sequence[PreparedRecord]) -> str:
    """SHA-256 of the ratings of all records, independent of their order."""
    return _hash_of_rows({one.record.segment_id: (one.label, one.label_sd) for one in records})


def labels_hash_of(records: Sequence[LabelRecord]) -> str:
    """`labels_hash` of records that are not prepared."""

    def row(ratings: Mapping[str, float]) -> FloatArray:
        return np.array([ratings.get(name, np.nan) for name in TARGETS])

    return _hash_of_rows({one.segment_id: (row(one.labels), row(one.label_sd)) for one in records})


def _hash_of_rows(rows: Mapping[str, tuple[FloatArray, FloatArray]]) -> str:
    digest = hashlib.sha256()
    for segment_id, ratings in sorted(rows.items()):
        digest.update(segment_id.encode() + b"\0")
        for row in ratings:
            digest.update(row.astype("<f8").tobytes())
    return digest.hexdigest()


def assert_may_train(run: Path, description: PartDescription, *, resume: bool, overwrite: bool) -> None:
    """Refuse training that would replace an existing part, or mix two experiments in one run.

    Parameters
    ----------
    run
    description
    resume
        Continue the existing part.
    overwrite
        Replace the existing part.

    Raises
    ------
    OutputError
        The part exists, and neither was requested.
    InputError
        There is nothing to resume. A part that was ended before its first checkpoint starts again.
    MismatchError
        The part to resume was trained on other data, or with other code; or another part of the run
        has other settings or labels.
    """
    folder = run / str(description.split["name"])
    _assert_one_run(run, folder, description)
    if resume:
        _assert_resumable(folder, description)
    elif is_begun(folder) and not overwrite:
        raise OutputError(
            folder,
            "has a trained part of a run",
            next_step="name another run, continue with --resume, or replace it with --overwrite",
        )


def assert_is_same(folder: Path, wanted: PartDescription) -> None:
    """Refuse a trained part of other settings, records, labels or first weights.

    Its revision, its name and the words for what it changes may differ.

    Raises
    ------
    MismatchError
        The message names the first difference.
    """
    found = read_description(folder)
    if found is None:
        raise MismatchError(folder, f"has weights, but no {CONFIG} and {SPLIT}", next_step=_ELSE)
    there, here = (
        PartDescription({k: v for k, v in one.config.items() if k not in _WORDS}, one.split)
        for one in (found, wanted)
    )
    _assert_same(folder, there, here, {key: what for key, what in _COMPARED.items() if key != "revision"})


def open_part(run: Path, description: PartDescription, *, resume: bool, overwrite: bool) -> Path:
    """Create the folder of a part and write its description.

    Parameters and errors as for `assert_may_train`.
    """
    assert_may_train(run, description, resume=resume, overwrite=overwrite)
    folder = run / str(description.split["name"])
    if not resume and folder.is_dir():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for half_written in folder.glob("**/.*.ckpt"):
        half_written.unlink()
    settings = yaml.safe_dump(description.config, sort_keys=False)
    write_bytes(folder / CONFIG, settings.encode())
    write_bytes(folder / SPLIT, (json.dumps(description.split, indent=1) + "\n").encode())
    return folder


def is_begun(folder: Path) -> bool:
    """Whether a part is trained, or has a checkpoint to resume from."""
    return (folder / CHECKPOINT).exists() or (folder / WEIGHTS_FILE).exists()


def read_description(folder: Path) -> PartDescription | None:
    """Read the description of a part; None if its folder has none."""
    try:
        config = yaml.safe_load((folder / CONFIG).read_text(encoding="utf-8"))
        split = json.loads((folder / SPLIT).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError, json.JSONDecodeError):
        return None
    if not isinstance(config, dict) or not isinstance(split, dict):
        return None
    return PartDescription(_in_present_shape(config), split)


def _in_present_shape(config: dict[str, Any]) -> dict[str, Any]:
    """Settings as this release resolves them, so that those of an earlier one can be compared."""
    try:
        return parse_config(config, CONFIG).model_dump(mode="json")
    except InputError:
        return config


def revision() -> str:
    """Version of tocco and, in a git checkout, the commit; "+changed" if files were modified."""
    here = Path(__file__).parent
    git = ["git", "-C", str(here), "describe", "--always", "--abbrev=40", "--dirty=+changed"]
    found = shutil.which("git") and subprocess.run(git, capture_output=True, text=True, check=False)
    return f"{version('tocco')} {found.stdout.strip()}".strip() if found else version("tocco")


def _assert_resumable(folder: Path, wanted: PartDescription) -> None:
    found = read_description(folder)
    if found is None and not (folder / CHECKPOINT).is_file():
        raise InputError(folder / CHECKPOINT, "no such checkpoint", next_step="start without --resume")
    if found is None:
        raise MismatchError(
            folder, f"has a checkpoint, but no {CONFIG} and {SPLIT} that describe it", next_step=_ELSE
        )
    _assert_same(folder, found, wanted, _COMPARED)


def _assert_same(
    folder: Path, found: PartDescription, wanted: PartDescription, compared: Mapping[str, str]
) -> None:
    setting = _first_difference(found.config, wanted.config)
    if setting is not None:
        raise MismatchError(folder, f"was trained with other settings ({setting})", next_step=_ELSE)
    for key, what in compared.items():
        if found.split.get(key) != wanted.split.get(key):
            raise MismatchError(folder, f"was trained {what}", next_step=_ELSE)


def _assert_one_run(run: Path, folder: Path, wanted: PartDescription) -> None:
    """Folds that are evaluated together have to be of one experiment; inner parts may have other settings."""
    if folder.name.endswith(INNER) or not run.is_dir():
        return
    for path in sorted(run.glob(f"*/{SPLIT}")):
        found = read_description(path.parent)
        if found is None or path.parent == folder or path.parent.name.endswith(INNER):
            continue
        setting = _first_difference(found.config, wanted.config)
        if setting is not None:
            raise MismatchError(
                path.parent, f"of the same run has other settings ({setting})", next_step="name another run"
            )
        if found.split.get("labels_sha256") != wanted.split["labels_sha256"]:
            raise MismatchError(
                path.parent, "of the same run was trained on other labels", next_step="name another run"
            )


_COMPARED: Final = {
    "protocol": "with another protocol",
    "train": "on other records",
    "held_out": "with other records held out",
    "sha256": "on another split",
    "labels_sha256": "on other labels",
    "test": "with another test part",
    "start_sha256": "from other weights",
    "revision": "by another revision of tocco",
}
"""Key of `split.json` -> problem if it differs."""

_WORDS: Final = ("name", "ablation")
"""Settings that change nothing of the training."""

_ELSE: Final = "name another run, or start again with --overwrite"


def _first_difference(found: dict[str, Any], wanted: dict[str, Any], prefix: str = "") -> str | None:
    """Name and both values of the first setting that differs, or None."""
    for key in sorted(found.keys() | wanted.keys()):
        there, here = found.get(key), wanted.get(key)
        if isinstance(there, dict) and isinstance(here, dict):
            deeper = _first_difference(there, here, f"{prefix}{key}.")
            if deeper is not None:
                return deeper
        elif there != here:
            return f"{prefix}{key} {there!r}, now {here!r}"
    return None
