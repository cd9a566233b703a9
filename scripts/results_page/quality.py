"""Criteria of the code that a command can count."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

MARKERS: Final = {
    "Simplified classes": r"^\s*class Simplified\w*",
    "use_simplified flags": r"\buse_simplified\b",
    "TODO, FIXME, HACK": r"\b(?:TODO|FIXME|HACK)\b",
}
"""What must not be in the source -> regular expression."""


def occurrences(root: Path, pattern: str) -> int:
    """Number of places in the Python files of src/."""
    found = re.compile(pattern, flags=re.MULTILINE)
    return sum(len(found.findall(path.read_text(encoding="utf-8"))) for path in (root / "src").rglob("*.py"))


def setting(root: Path, config: str, name: str) -> str:
    """The value of a setting in a config of configs/."""
    text = (root / "configs" / config).read_text(encoding="utf-8")
    found = re.search(rf"^\s*{name}:\s*(\S+)", text, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f"configs/{config} has no setting {name}")
    return found[1]


def default(root: Path, module: str, name: str) -> str:
    """The text that an annotated name of a module of src/tocco is set to."""
    text = (root / "src" / "tocco" / module).read_text(encoding="utf-8")
    found = re.search(rf'^\s*{name}: [^\n=]+ = "(\w+)"', text, flags=re.MULTILINE)
    if found is None:
        raise ValueError(f"src/tocco/{module} gives {name} no default")
    return found[1]
