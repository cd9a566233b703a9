"""Readers of the generated files; every figure of RESULTS.md comes through one of them."""

from __future__ import annotations

import csv
import functools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ALL, HUMAN = "all performances", "human performances"
COMBINED, LISTENERS, RIDGE = "combined", "trees + norm kernel", "ridge, 10 features"
"""Systems: the ratings that people see, the best model of the listeners, linear regression."""

MEAN_9, MEAN_19 = "mean of 9 dimensions", "mean of 19 descriptors"
TECHNICAL: Final = (
    *("rhythmic_precision", "dynamics_control", "articulation_quality"),
    *("pedaling_technique", "tone_quality"),
)
"""Those with labels; note accuracy has none."""

INTERPRETIVE: Final = ("phrasing", "musicality", "overall_quality", "expressiveness")


@dataclass(frozen=True)
class Figure:
    """A figure with the ends of its 95 % interval, where the file has one."""

    value: float
    low: float | None = None
    high: float | None = None


Row = Mapping[str, str]


@dataclass(frozen=True)
class Sources:
    """All files below the root of the repository."""

    root: Path

    def is_there(self, path: str) -> bool:
        """Whether a file has been made."""
        return (self.root / path).is_file()

    def rows(self, path: str) -> tuple[Row, ...]:
        """A CSV file."""
        return _rows(self.root / path)

    def json(self, path: str) -> Any:
        """A JSON file."""
        return _json(self.root / path)

    def text(self, path: str) -> str:
        """A text file."""
        return (self.root / path).read_text(encoding="utf-8")

    def table(self, path: str, heading: str) -> tuple[Row, ...]:
        """The first table below the heading that starts so, of a markdown file."""
        return _markdown_table(self.root / path, heading)

    def found(self, path: str, pattern: str) -> str:
        """The group of the only place of a text file that fits."""
        places = re.findall(pattern, self.text(path))
        if len(places) != 1:
            raise ValueError(f"{path} has {len(places)} places that fit {pattern!r}, one is wanted")
        return places[0]

    def ratings(self, target: str, metric: str, system: str = COMBINED, part: str = ALL) -> Figure:
        """Held-out agreement of the ratings that people see, or of `perception` within them."""
        return self._cross_validation("results/perception", system, target, metric, part)

    def listeners(self, target: str, metric: str, system: str = LISTENERS, part: str = ALL) -> Figure:
        """Held-out agreement of models that learn the listeners' ratings only."""
        folder = "results/statistics_models/cv4_cluster"
        return self._cross_validation(folder, system, target, metric, part)

    def network(self, target: str, metric: str, system: str = "tocco", part: str = ALL) -> Figure:
        """Held-out agreement of the network, and of what needs no listening."""
        return self._cross_validation("results/percepiano", system, target, metric, part)

    def _cross_validation(self, folder: str, system: str, target: str, metric: str, part: str) -> Figure:
        wanted = {"part": part, "system": system, "target": target, "metric": metric}
        row = one(self.rows(f"{folder}/cross_validation.csv"), wanted)
        ends = [float(row[name]) if row[name] else None for name in ("low_95", "high_95")]
        return Figure(float(row["value"]), *ends)

    def reliability(self, target: str) -> float:
        """Reliability of the raters' mean: the highest R2 that can be expected."""
        return self.json("results/percepiano/calibration.json")["dimensions"][target]["reliability"]

    def descriptors(self) -> tuple[str, ...]:
        """The targets that are no dimensions."""
        names = self.json("results/percepiano/calibration.json")["dimensions"]
        return tuple(name for name in names if name not in TECHNICAL + INTERPRETIVE)

    def leaderboard(self, name: str, protocol: str, family: str, part: str = "all excerpts") -> Any:
        """Figures of an entry of the leaderboard."""
        entry = self.json(f"benchmarks/leaderboard/{name}.json")
        found = one(entry["protocols"], {"protocol": protocol})
        return one(found["figures"], {"family": family, "part": part})

    def ceilings(self, family: str) -> Mapping[str, float]:
        """Protocol -> highest R2 that can be expected."""
        table = self.table("results/percepiano_benchmark/kernel_ridge.md", "# PercePiano benchmark")
        return {row["protocol"]: float(row["human ceiling"]) for row in table if row["targets"] == family}

    def students(self, system: str, metric: str, protocol: str = "clusters") -> float:
        """Agreement with teachers on takes of students."""
        wanted = {"protocol": protocol, "system": system, "metric": metric, "target": "overall_quality"}
        rows = [row for row in self.rows("results/expert_novice/benchmark.csv") if row["n"] != "1"]
        return float(one(rows, wanted)["value"])

    def validity(self, bar: str, modality: str, group: str = "") -> Any:
        """A figure of the validity suite, with `held` (meets its bar) and its interval."""
        figures = self.json("results/validity/after/validity.json")["figures"]
        return one(figures, {"bar": bar, "modality": modality, "group": group})

    def validity_count(self) -> tuple[int, int]:
        """Figures that meet their bar, and all."""
        figures = self.json("results/validity/after/validity.json")["figures"]
        return sum(bool(figure["held"]) for figure in figures), len(figures)

    def calibration_errors(self, column: str) -> Mapping[str, float]:
        """Target -> expected calibration error of intervals as predicted, on new music with the score."""
        wanted = {"split": "cv4_cluster", "input": "with score", "method": "as predicted"}
        rows = matching(self.rows("results/calibration_methods/distributions.csv"), wanted)
        return {row["dimension"]: float(row[column]) for row in rows}

    def coverage(self, split: str, method: str, level: str = "0.9", given: str = "with score") -> Row:
        """Coverage and width over all targets."""
        wanted = {"split": split, "method": method, "level": level, "input": given, "dimension": "all"}
        return one(self.rows("results/calibration_methods/coverage.csv"), wanted)

    def levels(self, data: str, by: str) -> tuple[Row, ...]:
        """Errors by fifths of the rating or of the prediction."""
        rows = self.rows(f"results/error_patterns/{data}/levels.csv")
        return tuple(row for row in rows if row["by"] == by)

    def ablations_path(self) -> str | None:
        """The table of the ablations, where it has been made."""
        places = ("results/ablations.csv", "results/ablations/ablations.csv")
        return next((path for path in places if self.is_there(path)), None)

    def ablations(self) -> Mapping[str, Row] | None:
        """Ablation -> figures of the mean of the nine dimensions."""
        path = self.ablations_path()
        if path is None:
            return None
        return {row["ablation"]: row for row in self.rows(path) if row["target"] == MEAN_9}


def matching(rows: Any, wanted: Mapping[str, str]) -> list[Any]:
    """Rows with these values."""
    return [row for row in rows if all(row[name] == value for name, value in wanted.items())]


def one(rows: Any, wanted: Mapping[str, str]) -> Any:
    """The only row with these values."""
    found = matching(rows, wanted)
    if len(found) != 1:
        raise ValueError(f"{len(found)} rows have {dict(wanted)}, one is wanted")
    return found[0]


@functools.cache
def _rows(path: Path) -> tuple[Row, ...]:
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@functools.cache
def _json(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


@functools.cache
def _markdown_table(path: Path, heading: str) -> tuple[Row, ...]:
    text = path.read_text(encoding="utf-8")
    start = re.search(rf"^{re.escape(heading)}\b.*\n", text, flags=re.MULTILINE)
    if start is None:
        raise ValueError(f"{path} has no heading that starts with {heading!r}")
    lines = re.search(r"(?:^\|.*\n?)+", text[start.end() :], flags=re.MULTILINE)
    if lines is None:
        raise ValueError(f"{path} has no table below {heading!r}")
    header, _, *body = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines[0].splitlines()
    ]
    return tuple(dict(zip(header, cells, strict=True)) for cells in body)
