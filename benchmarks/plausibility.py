"""Range of each measure of plausibility in music that pianists played, and in playing that is no music.

    python benchmarks/plausibility.py PERFORMANCES.jsonl... -o results/plausibility.txt [--without PIECES.txt]

Of each piece one performance, 24 s of it from the middle; made-up playing as the validity suite makes it.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from tocco.data.records import read_labels
from tocco.evaluation.validity.made_up import NO_MUSIC
from tocco.files import read_names
from tocco.inference.plausibility import clustered, keys_apart, notes_a_second, share_in_scale
from tocco.music.midi import load_midi
from tocco.music.performance import Performance

EXCERPT_SEC = 24.0
FEWEST_NOTES = 30
N_MADE_UP = 20
MEASURES = ("notes a second", "share in clusters", "semitones apart", "share in a scale")


def measured(performance: Performance, start_sec: float = 0.0) -> tuple[float, ...] | None:
    """The four measures of 24 s; None with fewer than 30 notes."""
    order = np.lexsort((performance.pitch, performance.onset_sec))
    onset, pitch = performance.onset_sec[order], performance.pitch[order]
    inside = (onset >= start_sec) & (onset < start_sec + EXCERPT_SEC)
    onset, pitch = onset[inside], pitch[inside]
    if len(onset) < FEWEST_NOTES:
        return None
    return notes_a_second(onset), clustered(onset, pitch), keys_apart(onset, pitch), share_in_scale(pitch)


def of_manifest(manifest: Path, left_out: set[str]) -> list[tuple[float, ...]]:
    """One performance of each piece that is not left out."""
    records = {record.piece_id: record for record in read_labels(manifest) if record.midi_path}
    found = []
    for piece, record in sorted(records.items()):
        if piece not in left_out and record.midi_path is not None:
            performance = load_midi(record.midi_path)
            start = max(0.0, (performance.duration_sec - EXCERPT_SEC) / 2.0)
            found.append(measured(performance, start))
    return [one for one in found if one is not None]


def line(name: str, rows: Iterable[tuple[float, ...]]) -> str:
    """Least, median and most of each measure."""
    table = np.array(list(rows))
    parts = [
        f"{measure} {low:.2f} {middle:.2f} {high:.2f}"
        for measure, low, middle, high in zip(
            MEASURES, table.min(axis=0), np.median(table, axis=0), table.max(axis=0), strict=True
        )
    ]
    return f"{name} ({len(table)}): " + "; ".join(parts)


def main() -> None:
    """Print the ranges, and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("manifests", nargs="+", type=Path)
    parser.add_argument("-o", "--output", type=Path, required=True)
    parser.add_argument("--without", type=Path, help="names of pieces, one per line")
    options = parser.parse_args()
    left_out = set(read_names(options.without)) if options.without else set()
    lines = ["least, median and most of each measure"]
    lines += [line(manifest.parent.name, of_manifest(manifest, left_out)) for manifest in options.manifests]
    for name, make in NO_MUSIC.items():
        made = [measured(make(np.random.default_rng(seed))) for seed in range(N_MADE_UP)]
        lines.append(line(name, [one for one in made if one is not None]))
    print(text := "\n".join(lines))
    options.output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
