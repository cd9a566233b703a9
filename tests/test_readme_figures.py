"""Every figure in the prose of README.md is that of its file; readme_figures.yaml lists them."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.inference.bundle import example_path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
LISTED = yaml.safe_load((ROOT / "tests" / "readme_figures.yaml").read_text(encoding="utf-8"))
WORDS = {"none": 0.0}


def in_one_line(text: str) -> str:
    return re.sub(r"\s+", " ", text)


def fits(row: dict[str, Any], where: dict[str, Any]) -> bool:
    """A list of values in `where` allows any of them."""
    return all(row[name] in (value if isinstance(value, list) else [value]) for name, value in where.items())


def chosen(rows: list[dict[str, Any]], entry: dict[str, Any]) -> float:
    for name, pick in (("lowest", min), ("highest", max)):
        if entry.get(name):
            return pick(float(row[entry[name]]) for row in rows)
    (row,) = rows
    return float(row[entry["column"]])


def source_of(entry: dict[str, Any], root: Path = ROOT) -> float:
    if "text" in entry:
        (found,) = re.findall(entry["pattern"], (root / entry["text"]).read_text(encoding="utf-8"))
        return float(found)
    if "csv" in entry:
        with (root / entry["csv"]).open(encoding="utf-8", newline="") as file:
            return chosen([row for row in csv.DictReader(file) if fits(row, entry["where"])], entry)
    found: Any = json.loads((root / entry["json"]).read_text(encoding="utf-8"))
    for key in entry["path"]:
        found = found[key]
    if not isinstance(found, list | dict):
        return float(found)
    rows = found if isinstance(found, list) else list(found.values())
    return chosen([row for row in rows if fits(row, entry.get("where", {}))], entry)


def is_rounded(figure: str, value: float) -> bool:
    """Whether a figure is a value, rounded to the decimals that it is written with."""
    if figure in WORDS:
        return value == WORDS[figure]
    decimals = len(figure.partition(".")[2])
    return abs(float(figure.replace(",", "")) - value) <= 0.5 * 10**-decimals + 1e-9


@pytest.mark.parametrize("entry", LISTED, ids=lambda entry: f"{entry['figure']} in {entry['prose'][:40]}")
def test_a_figure_is_that_of_its_file(entry: dict[str, Any]) -> None:
    assert in_one_line(entry["prose"]) in in_one_line(README)
    assert re.search(rf"(?<![\d.]){re.escape(entry['figure'])}(?![\d])", entry["prose"])
    value = source_of(entry) * entry.get("times", 1)
    assert is_rounded(entry["figure"], value), f"the file says {value}"


def test_the_section_on_quality_has_no_table_row_that_is_not_listed() -> None:
    section = README.partition("## How good is it")[2].partition("<!-- descriptors:begin -->")[0]
    rows = [line for line in section.splitlines() if re.match(r"\| .*\d", line)]
    assert len(rows) > 10
    prose = [in_one_line(entry["prose"]) for entry in LISTED]
    assert [row for row in rows if sum(words in row for words in prose) != 2] == []


@pytest.mark.parametrize(
    ("figure", "value", "expected"),
    [(".440", 0.44049, True), (".440", 0.4406, False), ("92", 92.2, True), ("92", 92.6, False)],
)
def test_rounding(figure: str, value: float, expected: bool) -> None:
    assert is_rounded(figure, value) is expected


def test_a_changed_source_is_seen(tmp_path: Path) -> None:
    (entry,) = [entry for entry in LISTED if entry["prose"].endswith("has R2 .440")]
    text = (ROOT / entry["csv"]).read_text(encoding="utf-8")
    row = "all performances,tocco,mean of 19 descriptors,19,r2,0.44"
    assert text.count(row) == 1
    (tmp_path / entry["csv"]).parent.mkdir(parents=True)
    (tmp_path / entry["csv"]).write_text(text.replace(row, row[:-1] + "5"), encoding="utf-8")
    assert not is_rounded(entry["figure"], source_of(entry, tmp_path))


def test_every_marked_part_is_checked_by_a_test() -> None:
    """By test_readme.py, and below."""
    assert set(re.findall(r"<!-- (\w+):begin -->", README)) == {
        *("example", "recording", "comparison", "descriptors", "dimensions")
    }


@pytest.mark.slow
def test_the_comparison_prints_what_is_shown(tmp_path: Path) -> None:
    takes = example_path().with_name("bach_prelude")
    files = [
        str(takes / f"prelude_{name}{suffix}")
        for name in ("struggling", "fluent")
        for suffix in (".webm", ".mid")
    ]
    score = str(takes / "prelude.musicxml")
    result = CliRunner().invoke(app, ["compare", *files, score, "-o", str(tmp_path)], catch_exceptions=False)
    assert result.exit_code == 0
    shown = re.search(r"<!-- comparison:begin -->\n```\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    printed = result.stdout.replace(str(tmp_path), "compared")
    assert [x.rstrip() for x in printed.splitlines()] == [x.rstrip() for x in shown[1].splitlines()]
