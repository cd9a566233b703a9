"""Examples of the levels of the rating guide: takes that anybody can make and hear, as tocco rates them.

    .venv/bin/python scripts/rating_guide_examples.py -o FOLDER    # make, rate, and write the table
    .venv/bin/python scripts/rating_guide_examples.py --table      # write the table from the figures again

The four examples that ship, and the fluent prelude made worse in one respect by `tocco.music.corruption`,
are rated with recording or rendered sound, MIDI and score. FOLDER gets the MIDI, and the sound where it is
rendered here; its assessments are read back if the command is given again. The figures go to
`results/labelling/guide_examples.json`, the table into `docs/rating_guide.md`. They are ratings by the
bundled model and by rule, not by people.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from tocco.apps.commands.assess import assessed_takes
from tocco.audio.rendering import shared_renderer, write_flac
from tocco.data.pairing import TakeFiles
from tocco.files import read_text, write_bytes
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import CORRUPTIONS, corrupt
from tocco.music.midi import load_midi, save_midi
from tocco.music.score import load_score
from tocco.report.assessment_folder import AssessmentFolder
from tocco.rubrics import DIMENSIONS, LEVELS, TOCCO10

ROOT: Final = Path(__file__).resolve().parents[1]
EXAMPLES: Final = ROOT / "src" / "tocco" / "examples"
FIGURES: Final = ROOT / "results" / "labelling" / "guide_examples.json"
GUIDE: Final = ROOT / "docs" / "rating_guide.md"
BEGIN, END = "<!-- examples: begin -->\n", "<!-- examples: end -->\n"
NEAR: Final = 5.0
"""Points by which the rating of an example may miss the level that it stands for."""

SHIPPED: Final[Mapping[str, tuple[str, str, str]]] = {
    "minuet": ("petzold_minuet/minuet.flac", "petzold_minuet/minuet.mid", "petzold_minuet/minuet.musicxml"),
    "prelude, fluent": (
        "bach_prelude/prelude_fluent.webm",
        "bach_prelude/prelude_fluent.mid",
        "bach_prelude/prelude.musicxml",
    ),
    "prelude, struggling": (
        "bach_prelude/prelude_struggling.webm",
        "bach_prelude/prelude_struggling.mid",
        "bach_prelude/prelude.musicxml",
    ),
    "Gymnopedie": (
        "satie_gymnopedie/gymnopedie.webm",
        "satie_gymnopedie/gymnopedie.mid",
        "satie_gymnopedie/gymnopedie.musicxml",
    ),
}
WORSE: Final[tuple[tuple[str, float], ...]] = (
    ("wrong_notes", 0.1),
    ("wrong_notes", 0.3),
    ("wrong_notes", 0.5),
    ("hesitations", 12.0),
    ("timing_jitter", 80.0),
    ("flattened_dynamics", 1.0),
    ("clipped_articulation", 0.85),
    ("drowned_pedal", 1.0),
    ("harsh_voicing", 42.0),
)
"""Kind and severity, in the kind's unit."""


def name_of(kind: str, severity: float) -> str:
    """How a take that was made worse is called."""
    return f"prelude, {kind.replace('_', ' ')} {severity:g}"


TARGETS: Final = {name_of(kind, severity): CORRUPTIONS[kind].target for kind, severity in WORSE}
"""Name of a take that was made worse -> the technical dimension that it was made worse in."""


def stands_for(name: str, dimension: str) -> bool:
    """Whether a take may show a dimension: not one that was made worse in another technical dimension."""
    is_technical = TOCCO10[dimension].family == "technical"
    return not is_technical or TARGETS.get(name, dimension) == dimension


def takes(folder: Path) -> dict[str, TakeFiles]:
    """Name -> files of each example; those that do not ship are made and rendered."""
    found = {}
    for name, files in SHIPPED.items():
        audio, midi, score = (EXAMPLES / file for file in files)
        found[name] = TakeFiles(midi.stem, audio, midi, score)
    score = EXAMPLES / "bach_prelude" / "prelude.musicxml"
    fluent = load_midi(EXAMPLES / "bach_prelude" / "prelude_fluent.mid")
    alignment = align_performance_to_score(fluent, load_score(score))
    for kind, severity in WORSE:
        identifier = f"prelude_{kind}_{severity:g}".replace(".", "")
        midi, audio = folder / f"{identifier}.mid", folder / f"{identifier}.flac"
        if not audio.exists():
            made = corrupt(fluent, kind, severity, np.random.default_rng(1), alignment=alignment).performance
            save_midi(made, midi)
            write_flac(audio, shared_renderer().render(made))
        found[name_of(kind, severity)] = TakeFiles(identifier, audio, midi, score)
    return found


def rated(folder: Path, jobs: int) -> dict[str, dict[str, float]]:
    """Name -> dimension -> rating."""
    (folder / "assessments").mkdir(parents=True, exist_ok=True)
    found = takes(folder)
    done = assessed_takes(list(found.values()), None, AssessmentFolder(folder / "assessments"), jobs=jobs)
    return {
        name: {
            dimension: rating.value
            for dimension, rating in done.found[take.id].ratings.items()
            if rating.value is not None
        }
        for name, take in found.items()
    }


def table(ratings: Mapping[str, Mapping[str, float]]) -> str:
    """For each dimension and level the example that is nearest, with its rating."""
    lines = [
        f"| dimension | {' | '.join(map(str, LEVELS))} |",
        "|---|" + "---|" * len(LEVELS),
    ]
    for dimension in DIMENSIONS:
        cells = []
        for level in LEVELS:
            near = [
                (abs(of[dimension] - level), name, of[dimension])
                for name, of in ratings.items()
                if stands_for(name, dimension) and abs(of.get(dimension, np.inf) - level) <= NEAR
            ]
            cells.append(f"{min(near)[1]} ({min(near)[2]:.0f})" if near else "-")
        lines.append(f"| {dimension} | {' | '.join(cells)} |")
    kinds = dict.fromkeys(kind for kind, _ in WORSE)
    lines += ["", "The numbers after what was done to the fluent prelude are in these units:", ""]
    lines += [f"- {k.replace('_', ' ')}: {CORRUPTIONS[k].unit} ({CORRUPTIONS[k].description})" for k in kinds]
    return "\n".join(lines) + "\n"


def with_table(guide: str, ratings: Mapping[str, Mapping[str, float]]) -> str:
    """The guide with the table between its marks."""
    before, _, rest = guide.partition(BEGIN)
    _, _, after = rest.partition(END)
    return before + BEGIN + "\n" + table(ratings) + "\n" + END + after


def main() -> None:
    """Rate and write, or write alone."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("-o", "--output", type=Path, help="folder of the takes and their assessments")
    parser.add_argument("--table", action="store_true", help="from the figures that are there")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    if not options.table:
        if options.output is None:
            parser.error("name a folder with -o, or say --table")
        options.output.mkdir(parents=True, exist_ok=True)
        write_bytes(FIGURES, (json.dumps(rated(options.output, options.jobs), indent=1) + "\n").encode())
    ratings = json.loads(read_text(FIGURES))
    write_bytes(GUIDE, with_table(read_text(GUIDE), ratings).encode())
    print(table(ratings))


if __name__ == "__main__":
    main()
