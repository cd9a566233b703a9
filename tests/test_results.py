"""results/RESULTS.md is what its script makes of the generated files, and nothing else."""

from __future__ import annotations

import csv
import importlib
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
PERCEPTION = "results/perception/cross_validation.csv"
VALIDITY = "results/validity/after/validity.json"
TEXTS = (".csv", ".json", ".md", ".txt")


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module(name)


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], str]:
    return module("write_results", monkeypatch).page


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The sources of RESULTS.md; the code and the configs are those of the repository."""
    for folder in ("results", "benchmarks/leaderboard"):
        for path in (ROOT / folder).rglob("*"):
            if path.suffix in TEXTS:
                target = tmp_path / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    for folder in ("src", "configs"):
        (tmp_path / folder).symlink_to(ROOT / folder)
    return tmp_path


def edit_csv(path: Path, wanted: dict[str, str], column: str, value: str) -> None:
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    (row,) = [row for row in rows if wanted.items() <= row.items()]
    row[column] = value
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def row_of(text: str, start: str) -> str:
    (line,) = [line for line in text.splitlines() if line.startswith(start)]
    return line


def test_the_committed_page_is_what_the_files_say(page: Callable[[Path], str]) -> None:
    committed = (ROOT / "results" / "RESULTS.md").read_bytes()
    assert committed == page(ROOT).encode(), "run `make results`"


def test_a_changed_number_changes_the_page(page: Callable[[Path], str], copy: Path) -> None:
    before = page(copy)
    wanted = {"part": "all performances", "system": "combined", "target": "phrasing", "metric": "pearson_r"}
    edit_csv(copy / PERCEPTION, wanted, "value", "0.911111")
    after = page_again(page, copy)
    assert after != before
    assert row_of(after, "| phrasing | 0.911 |")
    assert "phrasing is best (r 0.911)" in after


def page_again(page: Callable[[Path], str], root: Path) -> str:
    """Files are read once for each path; a path of its own reads them again."""
    other = root.with_name(root.name + "_again")
    root.rename(other)
    return page(other)


@pytest.mark.parametrize(
    ("target", "value", "verdict", "failure"),
    [
        ("pedaling_technique", "0.451", "| met | **not met** |", "does not occur"),
        ("pedaling_technique", "0.449", "| **not met** | **not met** |", "does not occur"),
        ("pedaling_technique", "0.349", "| **not met** | **not met** |", "**occurs**"),
        ("pedaling_technique", "0.501", "| met | met |", "does not occur"),
    ],
)
def test_verdicts_follow_the_thresholds(
    page: Callable[[Path], str], copy: Path, target: str, value: str, verdict: str, failure: str
) -> None:
    wanted = {"part": "all performances", "system": "combined", "target": target, "metric": "pearson_r"}
    edit_csv(copy / PERCEPTION, wanted, "value", value)
    text = page(copy)
    assert verdict in row_of(text, "| Technical dimensions: r > 0.45 |")
    assert failure in row_of(text, "| Technical dimensions r < 0.35 |")


def test_bars_of_the_validity_suite_are_counted(page: Callable[[Path], str], copy: Path) -> None:
    found = json.loads((copy / VALIDITY).read_text(encoding="utf-8"))
    met = sum(figure["held"] for figure in found["figures"])
    for figure in found["figures"]:
        figure["held"] = figure["bar"].startswith("abstains_")
    assert f"and {met} of {len(found['figures'])} bars" in page(ROOT)
    (copy / VALIDITY).write_text(json.dumps(found), encoding="utf-8")
    assert "and 3 of 137 bars of the validity suite are met" in page(copy)


ABLATIONS = """\
ablation,target,n,r,r2,mae,r2_difference,r2_low,r2_high
full,mean of 9 dimensions,983,0.6600,0.4400,6.30,,,
audio_only,mean of 9 dimensions,983,0.5000,0.2500,7.40,-0.1900,-0.2400,-0.1400
midi_only,mean of 9 dimensions,983,0.6500,0.4300,6.35,-0.0100,-0.0300,0.0050
"""


@pytest.fixture
def without_ablations(copy: Path) -> Path:
    for path in ("results/ablations.csv", "results/ablations/ablations.csv"):
        (copy / path).unlink(missing_ok=True)
    return copy


def test_without_ablations_nothing_is_said_of_sound(
    page: Callable[[Path], str], without_ablations: Path
) -> None:
    text = page(without_ablations)
    assert row_of(text, "| Multi-modal gain").count("no figure yet") == 2
    assert "Not here: no table of `tocco ablate` is in results/." in text
    assert "Sound beside notes" not in text


def test_ablations_are_read_where_they_are(page: Callable[[Path], str], without_ablations: Path) -> None:
    (without_ablations / "results" / "ablations.csv").write_text(ABLATIONS, encoding="utf-8")
    text = page(without_ablations)
    gain = row_of(text, "| Multi-modal gain")
    assert "r 32 % better than audio alone, 2 % than the better of the two | met | met |" in gain
    assert "over notes alone, the better input, R2 changes by 0.010 [−0.005, 0.030]: no gain shown" in gain
    assert "Worse than the full network beyond chance: audio only." in text
    assert "| midi only | 0.650 | 0.430 | 6.35 | −0.010 [−0.030, 0.005] |" in text
    assert "does not occur" in row_of(text, "| Both inputs worse than audio alone")


def test_what_must_not_be_in_the_source_is_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    quality = module("results_page.quality", monkeypatch)
    (tmp_path / "src").mkdir()
    text = "class SimplifiedHead:\n    use_simplified = 1  # TO" + "DO\n"
    (tmp_path / "src" / "a.py").write_text(text, encoding="utf-8")
    counts = {name: quality.occurrences(tmp_path, pattern) for name, pattern in quality.MARKERS.items()}
    assert counts == {"Simplified classes": 1, "use_simplified flags": 1, "TODO, FIXME, HACK": 1}


def test_a_doubled_sd_has_the_error_that_is_stated(monkeypatch: pytest.MonkeyPatch) -> None:
    from statistics import NormalDist

    normal = NormalDist()
    levels = [(i + 0.5) / 20_000 for i in range(20_000)]
    error = sum(abs(normal.cdf(2 * normal.inv_cdf(p)) - p) for p in levels) / len(levels)
    assert module("results_page.criteria", monkeypatch).error_of_doubled_sd() == pytest.approx(
        error, abs=1e-4
    )


def test_a_heading_or_row_that_is_gone_is_an_error(page: Callable[[Path], str], copy: Path) -> None:
    path = copy / "results" / "ranking" / "report.md"
    path.write_text(
        path.read_text(encoding="utf-8").replace("## 8 performances", "## Eight"), encoding="utf-8"
    )
    with pytest.raises(ValueError, match="no heading that starts with '## 8 performances"):
        page(copy)


def test_links_lead_to_pictures_and_files() -> None:
    text = (ROOT / "results" / "RESULTS.md").read_text(encoding="utf-8")
    links = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(links) >= 8
    assert [link for link in links if not (ROOT / "results" / link).is_file()] == []
    named = {name.rstrip(".") for name in re.findall(r"(?<![\w/])results/[\w./]*\w", text)}
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
