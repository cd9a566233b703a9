"""Put the real output and the measured figures into README.md, and the bundle's card beside it.

    python scripts/write_readme.py

Runs `tocco assess` on the example, copies its picture and its report to docs/, and takes the figures from
the reports of the cross-validations: what the README shows is what the commands print.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tocco.inference.bundle import CARD, bundled_path, example_path

ROOT = Path(__file__).parents[1]
SUFFIXES = (".webm", ".mid")
FIGURES = {
    "descriptors": ROOT / "results" / "statistics_models" / "cv4_cluster" / "cross_validation.md",
    "dimensions": ROOT / "results" / "perception" / "cross_validation.md",
}
"""Name of a marker in the README -> the report whose first table stands there."""


def between(text: str, name: str, content: str) -> str:
    """The text with what stands between two markers replaced."""
    pattern = rf"(<!-- {name}:begin -->\n).*?(<!-- {name}:end -->)"
    return re.sub(pattern, lambda found: f"{found[1]}{content}{found[2]}", text, flags=re.DOTALL)


def example_output(folder: Path) -> str:
    """What the README's first command prints."""
    take = example_path()
    command = [sys.executable, "inference.py", take / "minuet.flac", "--midi", take / "minuet.mid"]
    command += ["--score", take / "minuet.musicxml", "-o", folder]
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.replace(str(folder), "report")


def recording_output(folder: Path) -> str:
    """What the README's second example prints: the same recording, without the MIDI of its keys."""
    take = example_path()
    command = [sys.executable, "inference.py", take / "minuet.flac", "--score", take / "minuet.musicxml"]
    command += ["-o", folder]
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.replace(str(folder), "report")


def comparison_output(folder: Path) -> str:
    """What comparing the two takes of the prelude prints; their page is copied to docs/."""
    takes = example_path().with_name("bach_prelude")
    files = [takes / f"prelude_{name}{suffix}" for name in ("struggling", "fluent") for suffix in SUFFIXES]
    command = [Path(sys.executable).with_name("tocco"), "compare", *files, takes / "prelude.musicxml"]
    command += ["-o", folder]
    done = subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True, check=True)
    shutil.copyfile(folder / "comparison.html", ROOT / "docs" / "prelude_comparison.html")
    return done.stdout.replace(str(folder), "compared")


def write_ranking_page(folder: Path, assessments: list[Path]) -> None:
    """Rank the examples, and copy the page to docs/; `assessments` are all but the Gymnopedie's."""
    take = example_path().with_name("satie_gymnopedie")
    tocco = Path(sys.executable).with_name("tocco")
    files = [take / f"gymnopedie{suffix}" for suffix in (*SUFFIXES, ".musicxml")]
    for command in (
        [tocco, "assess", *files, "-o", folder],
        [tocco, "rank", *assessments, folder / "gymnopedie.json", "-o", folder],
    ):
        subprocess.run([str(c) for c in command], cwd=ROOT, capture_output=True, text=True, check=True)
    shutil.copyfile(folder / "ranking.html", ROOT / "docs" / "examples_ranking.html")


def main_table(report: Path) -> str:
    """The first table of a report: the means over the descriptors or dimensions, everyone."""
    text = report.read_text(encoding="utf-8")
    return re.search(r"(^\|.*?\n)(?=\n)", text, flags=re.MULTILINE | re.DOTALL)[1]


def main() -> None:
    """Write README.md, the pictures of docs/ and MODEL_CARD.md."""
    readme = ROOT / "README.md"
    with tempfile.TemporaryDirectory() as folder:
        printed = example_output(Path(folder))
        for name in ("minuet.png", "minuet.html"):
            shutil.copyfile(Path(folder) / name, ROOT / "docs" / name)
        heard = recording_output(Path(folder) / "recording")
        compared = comparison_output(Path(folder) / "compared")
        taken = [Path(folder) / "minuet.json", *sorted((Path(folder) / "compared").glob("prelude_*.json"))]
        write_ranking_page(Path(folder) / "ranked", taken)
    text = between(readme.read_text(encoding="utf-8"), "example", f"```\n{printed}```\n")
    text = between(text, "recording", f"```\n{heard.replace('report/recording', 'report')}```\n")
    text = between(text, "comparison", f"```\n{compared}```\n")
    for name, report in FIGURES.items():
        text = between(text, name, f"{main_table(report)}\n")
    readme.write_text(text, encoding="utf-8")
    shutil.copyfile(bundled_path() / CARD, ROOT / CARD)


if __name__ == "__main__":
    main()
