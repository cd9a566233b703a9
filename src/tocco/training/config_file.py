"""Reading of settings: YAML files that extend one another, and single settings on top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import ValidationError

from tocco.errors import InputError, UsageError
from tocco.schema import one_line
from tocco.training.config import ExperimentConfig, blocks
from tocco.training.config_migration import merged, migrated, set_key

EXTENDS: Final = "extends"
"""Key of a file that has other settings than the file it names, and is otherwise the same."""

_NAME: Final = "name"


@dataclass(frozen=True)
class ConfigFile:
    """Settings that were read.

    Attributes
    ----------
    config : resolved
    notes : a line about each file in the shape of an earlier release
    """

    config: ExperimentConfig
    notes: tuple[str, ...]


def load_config(path: Path, overrides: Mapping[str, str] | None = None) -> ExperimentConfig:
    """Settings of an experiment; see `read_config`."""
    return read_config(path, overrides).config


def read_config(path: Path, overrides: Mapping[str, str] | None = None) -> ConfigFile:
    """Read an experiment's settings.

    Parameters
    ----------
    path
        YAML file. `extends: other.yaml` takes all settings of another file, beside it or by a relative path,
        that this one does not set; its name is the file's own where it has none.
    overrides
        Dotted key -> value as YAML text, on top of the file.

    Raises
    ------
    InputError
        File missing, invalid YAML, files that extend one another in a circle, an unknown key (with the
        nearest valid one), or a value out of range.
    """
    notes: list[str] = []
    values = _read_chain(path, (), notes)
    given: dict[str, Any] = {}
    for key, text in (overrides or {}).items():
        set_key(given, key, _yaml(path, text))
    values = merged(values, migrated(given)[0])
    values.setdefault(_NAME, _name_of(path))
    return ConfigFile(parse_config(values, str(path)), tuple(notes))


def parse_config(values: Mapping[str, Any], subject: str) -> ExperimentConfig:
    """Validate settings, also those of an earlier release; `subject` names them in messages."""
    try:
        return ExperimentConfig.model_validate(migrated(values)[0])
    except ValidationError as error:
        raise InputError(subject, one_line(error), next_step="correct the setting") from error


def as_yaml(config: ExperimentConfig) -> str:
    """The resolved settings as YAML, in the order of the schema."""
    return yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)


def assignments(texts: Iterable[str], option: str) -> dict[str, str]:
    """Dotted key -> YAML text, from "KEY=VALUE".

    Parameters
    ----------
    texts
    option
        Where they were given, for messages.

    Raises
    ------
    UsageError
        A text is no assignment.
    """
    found = {}
    for text in texts:
        key, sign, value = text.partition("=")
        if not sign or not re.fullmatch(r"\w+(\.\w+)*", key):
            raise UsageError(option, f"is {text!r}", allowed="KEY=VALUE, as training.max_epochs=5")
        found[key] = value
    return found


def _read_chain(path: Path, below: tuple[Path, ...], notes: list[str]) -> dict[str, Any]:
    """The settings of a file on top of those that it extends; `below` are the files that led here."""
    here = path.resolve()
    if here in below:
        raise InputError(
            path, f"extends itself, by way of {below[-1].name}", next_step="remove one 'extends'"
        )
    values, old = migrated(_read_values(path))
    if old:
        notes.append(f"{path}: read in the shape of an earlier release ({', '.join(old)})")
    other = values.pop(EXTENDS, None)
    if other is None:
        return values
    if not isinstance(other, str):
        raise InputError(path, f"extends is {other!r}", allowed="the name of one YAML file")
    base = _read_chain(path.parent / other, (*below, here), notes)
    base.pop(_NAME, None)
    return merged(base, values)


def _read_values(path: Path) -> dict[str, Any]:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        problem = getattr(error, "strerror", None) or "cannot be read"
        raise InputError(path, problem, next_step="name a YAML file") from error
    values = _yaml(path, text)
    if not isinstance(values, dict):
        raise InputError(path, "has no settings", allowed=f"blocks {', '.join(blocks())}")
    return values


def _yaml(path: Path, text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        problem = str(error).splitlines()[0]
        raise InputError(path, f"is not YAML: {problem}", next_step="correct the line") from error


def _name_of(path: Path) -> str:
    return re.sub(r"[^a-z0-9_-]+", "_", path.stem.lower()).lstrip("_-") or "experiment"
