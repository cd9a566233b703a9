"""docs/pseudo_labels.md shows what the code measures."""

from __future__ import annotations

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_the_tables_are_those_of_the_code() -> None:
    path = ROOT / "scripts" / "write_pseudo_label_tables.py"
    found = importlib.util.spec_from_file_location("write_pseudo_label_tables", path)
    assert found is not None
    assert found.loader is not None
    script = importlib.util.module_from_spec(found)
    found.loader.exec_module(script)
    text = (ROOT / "docs" / "pseudo_labels.md").read_text(encoding="utf-8")
    assert "| wrong_notes | note_accuracy |" in text
    assert script.with_tables(text) == text, "run scripts/write_pseudo_label_tables.py"
