"""Make the material of the gate for recordings, fit its classifier, and measure it.

    python benchmarks/gate.py make --split development --performances LABELS.jsonl --pieces FILE -o FOLDER
    python benchmarks/gate.py make --split other --performances LABELS.jsonl ... -o FOLDER
    python benchmarks/gate.py fit FOLDER -o src/tocco/audio/quality
    python benchmarks/gate.py report FOLDER -o results/gate [--recordings FILE ...]

Making skips clips that are there; it draws each from a seed of its own.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from gate_fit import fit, held_out, read_textures, save, table
from gate_material import KINDS, SURROUNDED, Studio, clips, make
from gate_report import (
    Examined,
    alarms_table,
    bounds_lines,
    decay_lines,
    examine_clips,
    faults_table,
    kinds_table,
    real_lines,
    roc_table,
    tuning_lines,
)

from tocco.audio.quality.classifier import MODEL
from tocco.data.records import read_labels
from tocco.files import read_names


def make_material(options: argparse.Namespace) -> None:
    """Every clip of a split as 16-bit samples, with a line of what was drawn."""
    wanted = set(read_names(options.pieces)) if options.pieces else None
    midi = sorted(
        {
            record.midi_path
            for file in options.performances
            for record in read_labels(file)
            if record.midi_path and (wanted is None or record.piece_id in wanted)
        }
    )
    options.output.mkdir(parents=True, exist_ok=True)
    studio = Studio(options.split, midi)
    for clip in clips(options.split):
        file = options.output / f"{clip.name}.npy"
        if options.kinds and clip.kind not in options.kinds:
            continue
        if not file.with_suffix(".json").is_file():  # written last
            sound, drawn = make(clip, studio)
            np.save(file, (np.clip(sound, -1, 1) * 32767).astype(np.int16))
            file.with_suffix(".json").write_text(json.dumps(drawn))


def fit_classifier(options: argparse.Namespace) -> None:
    """Fit on the development clips; figures of clips that were left out of three fits in turn."""
    textures = read_textures(options.folder, "development")
    save(fit(textures), options.output)
    judged = held_out(textures)
    kinds = [textures.clip_kind[k] for k in judged]
    np.savez(options.folder / "held_out.npz", kind=kinds, probability=np.stack(list(judged.values())))
    lines = table(textures, judged)
    print("\n".join(lines))
    if options.table:
        options.table.write_text("\n".join(lines) + "\n")


def report(options: argparse.Namespace) -> None:
    """Every figure of a split, and whether the bars are reached."""
    bars = json.loads(options.bars.read_text())
    rows, share = examine_clips(options.folder, options.split)
    bounds, bounds_good = bounds_lines(rows, bars["bounds_within_sec"])
    tuning, tuning_good = tuning_lines(rows, bars["tuning_within_cents"])
    lines = [
        f"# The gate for recordings on {options.split} material",
        "",
        *verdicts(rows, bars, {"bounds": bounds_good, "tuning": tuning_good, "time": share}),
        *("", "## Refusals by kind", "", *kinds_table(rows)),
        *("", "## Refused at other limits of `pianism` (that of the gate is .20)", "", *roc_table(rows)),
        *("", "## Findings on pianos", "", *alarms_table(rows)),
        *("", "## Where the music lies", "", *bounds),
        *("", "## Tuning", "", *tuning),
        *("", "## Reverberation", "", *decay_lines(rows)),
        *("", "## Faults", "", *faults_table(options.folder, options.split)),
        *("", "## Real recordings", "", *real_lines(options.recordings)),
    ]
    options.output.write_text("\n".join(lines) + "\n")


def verdicts(rows: list[Examined], bars: dict[str, Any], figures: dict[str, float]) -> list[str]:
    """Each bar with its figure."""

    def refused(kind: str) -> float:
        return float(np.mean([row.found["refusal"] is not None for row in rows if row.kind == kind]))

    n_pianos = sum(row.kind == "piano" for row in rows)
    weak = [kind for kind in bars["must_be_refused"] if refused(kind) < bars["other_refused_at_least"]]
    together = [row.found["refusal"] is not None for row in rows if row.kind in bars["must_be_refused"]]
    checks = [
        (f"{n_pianos} pianos", n_pianos >= bars["piano_takes_at_least"]),
        (
            f"{100 * refused('piano'):.1f} % of them refused",
            refused("piano") <= bars["piano_refused_at_most"],
        ),
        (
            f"{100 * np.mean(together):.1f} % of {len(together)} others refused"
            + (f", but fewer than 95 % of: {', '.join(weak)}" if weak else ", 95 % or more of each kind"),
            not weak,
        ),
        (
            f"bounds within {bars['bounds_within_sec']:g} s: {100 * figures['bounds']:.1f} %",
            figures["bounds"] >= bars["bounds_share_at_least"],
        ),
        (
            f"tuning within {bars['tuning_within_cents']:g} cents: {100 * figures['tuning']:.1f} %",
            figures["tuning"] >= bars["tuning_share_at_least"],
        ),
        (
            f"{100 * figures['time']:.2f} % of real time on one core",
            figures["time"] <= bars["share_of_real_time_at_most"],
        ),
    ]
    return [f"- {'reached' if good else 'MISSED'}: {text}" for text, good in checks]


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make")
    making.add_argument("--split", choices=["development", "other"], required=True)
    making.add_argument("--performances", type=Path, nargs="+", required=True)
    making.add_argument("--pieces", type=Path)
    making.add_argument("--kinds", nargs="*", choices=[*KINDS, SURROUNDED], help="these alone")
    making.add_argument("-o", "--output", type=Path, required=True)
    making.set_defaults(run=make_material)
    fitting = commands.add_parser("fit")
    fitting.add_argument("folder", type=Path)
    fitting.add_argument("-o", "--output", type=Path, default=MODEL)
    fitting.add_argument("--table", type=Path)
    fitting.set_defaults(run=fit_classifier)
    reporting = commands.add_parser("report")
    reporting.add_argument("folder", type=Path)
    reporting.add_argument("--split", choices=["development", "other"], default="other")
    reporting.add_argument("--bars", type=Path, default=Path("results/gate/bars.json"))
    reporting.add_argument("--recordings", type=Path, nargs="*", default=[])
    reporting.add_argument("-o", "--output", type=Path, required=True)
    reporting.set_defaults(run=report)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
