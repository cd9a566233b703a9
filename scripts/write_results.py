"""Write results/RESULTS.md from the files of results/ and benchmarks/.

    python scripts/write_results.py [-o FILE] [--root FOLDER]

Every figure is read from a generated file; what has not been made yet is named as missing.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from results_page import criteria, failures, other_tables, outlook, pictures, summary, tables
from results_page.sources import Sources

ROOT = Path(__file__).parents[1]
SECTIONS = (
    ("Summary", summary),
    ("Success criteria", criteria),
    ("Agreement with listeners", tables),
    ("Everything else that was measured", other_tables),
    ("Where it fails", failures),
    ("Pictures", pictures),
    ("Next steps", outlook),
)
HEAD = (
    "# Results\n\n"
    "Written by `make results` from the files of results/ and benchmarks/; no measured figure is typed in."
    " Agreement is on performances that were held out; in brackets are 95 % intervals."
)


def page(root: Path) -> str:
    """The whole page."""
    sources = Sources(root)
    parts = [f"## {title}\n\n{module.section(sources)}" for title, module in SECTIONS]
    return "\n\n".join([HEAD, *parts]) + "\n"


def main() -> None:
    """Read the command line and write the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "results" / "RESULTS.md")
    parser.add_argument("--root", type=Path, default=ROOT, help="the repository, or a copy of its results")
    options = parser.parse_args()
    options.output.write_text(page(options.root), encoding="utf-8")
    print(options.output)


if __name__ == "__main__":
    main()
