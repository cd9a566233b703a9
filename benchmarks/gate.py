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

import numpy as np
from gate_fit import fit, held_out, read_textures, save, table
from gate_material import Studio, clips, make

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
        if not file.with_suffix(".json").is_file():  # written last
            sound, drawn = make(clip, studio)
            np.save(file, (np.clip(sound, -1, 1) * 32767).astype(np.int16))
            file.with_suffix(".json").write_text(json.dumps(drawn))


def fit_classifier(options: argparse.Namespace) -> None:
    """Fit on the development clips; figures of clips that were left out of four fits in turn."""
    textures = read_textures(options.folder, "development")
    save(fit(textures), options.output)
    lines = table(textures, held_out(textures))
    print("\n".join(lines))
    if options.table:
        options.table.write_text("\n".join(lines) + "\n")


def main() -> None:
    """Run one of the commands."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    making = commands.add_parser("make")
    making.add_argument("--split", choices=["development", "other"], required=True)
    making.add_argument("--performances", type=Path, nargs="+", required=True)
    making.add_argument("--pieces", type=Path)
    making.add_argument("-o", "--output", type=Path, required=True)
    making.set_defaults(run=make_material)
    fitting = commands.add_parser("fit")
    fitting.add_argument("folder", type=Path)
    fitting.add_argument("-o", "--output", type=Path, default=MODEL)
    fitting.add_argument("--table", type=Path)
    fitting.set_defaults(run=fit_classifier)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
