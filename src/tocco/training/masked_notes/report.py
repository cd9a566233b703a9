"""What a pre-training came to: figures beside those of counting, and curves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from tocco.files import replacing, write_bytes
from tocco.models.midi_encoder import PREDICTED_COLUMNS

Figures = Mapping[str, tuple[float, float]]
"""Column -> mean cross-entropy in nats a hidden note, and share of right first guesses."""


def figures_table(methods: Mapping[str, Figures]) -> str:
    """Markdown table of several methods, one row each."""
    names = list(PREDICTED_COLUMNS)
    head = [f"{name} {what}" for name in names for what in ("nats", "right")]
    lines = [
        f"| method | {' | '.join(head)} | mean nats |",
        f"|---|{'--:|' * (len(head) + 1)}",
    ]
    for method, figures in methods.items():
        cells = [cell for name in names for cell in _cells(*figures[name])]
        mean = sum(figures[name][0] for name in names) / len(names)
        lines.append(f"| {method} | {' | '.join(cells)} | {mean:.3f} |")
    return "\n".join(lines) + "\n"


def _cells(nats: float, right: float) -> tuple[str, str]:
    return f"{nats:.3f}", f"{100.0 * right:.1f} %"


def write_report(folder: Path, title: str, facts: Mapping[str, str], methods: Mapping[str, Figures]) -> Path:
    """Write `report.md`: facts, then the table of held-out figures."""
    lines = [f"# {title}", "", *(f"- {name}: {value}" for name, value in facts.items()), ""]
    lines += [
        "Cross-entropy (nats a hidden note) and share of right first guesses on held-out pieces. *unigram*:",
        "frequencies of the values in training. *previous note*: frequencies after the value of the last",
        "shown note before it.",
        "",
        figures_table(methods),
    ]
    path = folder / "report.md"
    write_bytes(path, "\n".join(lines).encode())
    return path


def draw_curves(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Loss over the epochs, and cross-entropy on validation pieces by column."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(10.0, 4.0), layout="constrained")
    left, right = figure.subplots(1, 2)
    epoch = [row["epoch"] + 1 for row in rows]
    for name, label in (("train_loss", "training, with dropout"), ("val_loss", "validation pieces")):
        left.plot(epoch, [row[name] for row in rows], marker="o", markersize=3, label=label)
    left.set(title="Mean over the columns", xlabel="epoch", ylabel="nats a hidden note")
    for name in PREDICTED_COLUMNS:
        right.plot(epoch, [row[f"val_nats/{name}"] for row in rows], marker="o", markersize=3, label=name)
    right.set(title="Validation pieces, by column", xlabel="epoch", ylabel="nats a hidden note")
    for axes in (left, right):
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(frameon=False)
        axes.grid(alpha=0.3)
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=120, format="png")
