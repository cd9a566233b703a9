"""Put the raters' components and the corruptions, as the code has them, into docs/pseudo_labels.md."""

from __future__ import annotations

from pathlib import Path

from tocco.music.corruption import CORRUPTIONS
from tocco.pseudo_labels.raters.registry import RATERS

PAGE = Path(__file__).parents[1] / "docs" / "pseudo_labels.md"


def components_table() -> str:
    """Every component that enters a rating, one line each."""
    rows = ["| dimension | component | weight | unit | better | needs | what it is |", "|" + " --- |" * 7]
    for name, rater in RATERS.items():
        rows += [
            f"| {name} | {kind.name} | {kind.weight:g} | {kind.unit} | {kind.better} | {kind.needs} "
            f"| {kind.meaning} |"
            for kind in rater.scaled
        ]
    return "\n".join(rows) + "\n"


def corruptions_table() -> str:
    """Every way of playing worse, one line each."""
    rows = ["| corruption | harms | severity | steps | what a listener hears |", "|" + " --- |" * 5]
    rows += [
        f"| {kind.name} | {kind.target} | {kind.unit} | {', '.join(f'{step:g}' for step in kind.ladder)} "
        f"| {kind.description} |"
        for kind in CORRUPTIONS.values()
    ]
    return "\n".join(rows) + "\n"


def with_tables(text: str) -> str:
    """The page with what stands between its markers replaced."""
    for name, table in (("components", components_table()), ("corruptions", corruptions_table())):
        head, rest = text.split(f"<!-- {name}:begin -->\n")
        tail = rest.split(f"<!-- {name}:end -->")[1]
        text = f"{head}<!-- {name}:begin -->\n{table}<!-- {name}:end -->{tail}"
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
