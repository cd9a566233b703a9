"""Pictures of `tocco align`: one Vienna 4x22 performance as it is, one ASAP performance made worse.

    python benchmarks/alignment_pictures.py --vienna DIR --asap DIR -o results/alignment

The mistakes planted in the second are printed beside what `tocco align` says of it.
"""

from __future__ import annotations

import argparse
import shutil
import tempfile
from pathlib import Path

import numpy as np

from tocco.apps.commands.align import align
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import corrupt
from tocco.music.midi import load_midi, save_midi
from tocco.music.score import score_readings

VIENNA = ("midi/Chopin_op38_p05.mid", "musicxml/Chopin_op38.musicxml")
ASAP = ("Bach/Italian_concerto/KyykhynenT03.mid", "Bach/Italian_concerto/xml_score.musicxml")
PLANTED = (("wrong_notes", 0.01), ("missing_notes", 0.01), ("extra_notes", 0.01), ("restarts", 1.0))
SEED = 4


def main() -> None:
    """Draw both pictures."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--vienna", type=Path, required=True, help="folder of the Vienna 4x22 corpus")
    parser.add_argument("--asap", type=Path, required=True, help="folder of the ASAP corpus")
    parser.add_argument("-o", "--output", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        worse = work / "Italian_concerto_worse.mid"
        plant(options.asap / ASAP[0], options.asap / ASAP[1], worse)
        for played, score in (
            (options.vienna / VIENNA[0], options.vienna / VIENNA[1]),
            (worse, options.asap / ASAP[1]),
        ):
            align(played, score, work / "out", midi=None, overwrite=False)
            shutil.copy(work / "out" / f"{played.stem}.png", options.output / f"{played.stem}.png")


def plant(clean: Path, score: Path, worse: Path) -> None:
    """Make a performance worse in every respect of `PLANTED`, and print what was done."""
    rng = np.random.default_rng(SEED)
    performance, readings = load_midi(clean), score_readings(score)
    for name, severity in PLANTED:
        alignment = align_performance_to_score(performance, readings)
        change = corrupt(performance, name, severity, rng, alignment=alignment)
        performance = change.performance
        print(f"{name}: {len(change.edits)} notes, {len(change.spans)} spans")
    save_midi(performance, worse)


if __name__ == "__main__":
    main()
