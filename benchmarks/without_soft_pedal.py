"""The performances of a manifest with their soft pedal struck out, as a manifest for `tocco benchmark`.

    python benchmarks/without_soft_pedal.py --performances asap/performances.jsonl -o FOLDER
    tocco benchmark pseudo-labels --performances FOLDER/performances.jsonl -o DIR --kind inverted_dynamics ...

No transcriber detects the soft pedal (results/transcription/errors.txt), and on recorded MIDI it is a
predictor of the expected level. The validation of this MIDI shows what a transcription would give if nothing
else were lost.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.engines import LocalEngine
from tocco.music.midi import load_midi, save_midi
from tocco.music.performance import PedalCurve


def strike_out(task: tuple[LabelRecord, Path]) -> LabelRecord:
    """Write one performance without its soft pedal, and its record."""
    record, folder = task
    if record.midi_path is None:
        return record
    path = folder / f"{record.segment_id}.mid"
    save_midi(replace(load_midi(record.midi_path), soft=PedalCurve()), path)
    return record.model_copy(update={"midi_path": path})


def main() -> None:
    """Write all of them."""
    parser = argparse.ArgumentParser(description="Strike the soft pedal out of performances.")
    parser.add_argument("--performances", type=Path, required=True, help="manifest, JSONL, with MIDI")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder for MIDI and manifest")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    folder = options.output.resolve() / "midi"
    folder.mkdir(parents=True, exist_ok=True)
    records = read_labels(options.performances, must_exist=True)
    written = list(LocalEngine(options.jobs).map(strike_out, [(record, folder) for record in records]))
    write_labels(written, options.output.resolve() / "performances.jsonl")


if __name__ == "__main__":
    main()
