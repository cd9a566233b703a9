"""The corpora that tocco can import, one row each; the command line is generated from these rows.

A corpus is a module with one function

   function(source, target, *, on_progress, **options) -> Report

and a row here; no other module names it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any, Final, Protocol

OnProgress = Callable[[int, int], None]
"""Called with the number done and the total."""


class Report(Protocol):
    """Result of an import."""

    def lines(self) -> tuple[str, ...]:
        """What was written, and what was left out and why; one line each."""
        ...


@dataclass(frozen=True)
class Option:
    """One option of an importer.

    Attributes
    ----------
    name : keyword of the function; with dashes for underscores on the command line
    kind : bool, str, `Path`, or the allowed values
    default
    help
    """

    name: str
    kind: type | tuple[str, ...]
    default: Any
    help: str


@dataclass(frozen=True)
class Importer:
    """One corpus.

    Attributes
    ----------
    name : of the command, `tocco data NAME`
    summary : what is imported, in a sentence
    source : description of SRC
    target : contents of the output folder
    function : "module:function", imported when it runs
    options
    """

    name: str
    summary: str
    source: str
    target: str
    function: str
    options: tuple[Option, ...] = ()

    def run(self, source: Path, target: Path, *, on_progress: OnProgress, **options: Any) -> Report:
        """Import the corpus; parameters are those of its function."""
        module, name = self.function.split(":")
        return getattr(import_module(module), name)(source, target, on_progress=on_progress, **options)


CHECK_SCORES: Final = Option("check_scores", bool, False, "Parse every score, not only its first lines.")

IMPORTERS: Final = (
    Importer(
        "percepiano",
        "Import PercePiano into the shared label schema and render its audio (resumable).",
        "The PercePiano data pack.",
        "Folder for labels, MIDI, scores, audio.",
        "tocco.data.corpora.percepiano:import_rendered",
        (
            Option("render", bool, True, "Render the audio of every excerpt."),
            Option("soundfont", Path, None, "Soundfont; else TOCCO_SOUNDFONT or system."),
            Option(
                "labels",
                ("raw", "debiased"),
                "raw",
                "'debiased' also writes means without the raters' leniency, labels_debiased.jsonl.",
            ),
        ),
    ),
    Importer(
        "asap",
        "Import ASAP: performances, scores, and the beats of both.",
        "Folder of the data set, or its .tar.xz.",
        "Folder for manifest, MIDI, scores, beats.",
        "tocco.data.corpora.asap:import_asap",
        (CHECK_SCORES,),
    ),
    Importer(
        "vienna",
        "Import Vienna 4x22: performances, scores, and their note alignments.",
        "Folder with match/, midi/, musicxml/; or .tar.",
        "Folder for manifest, MIDI, scores, alignments.",
        "tocco.data.corpora.vienna:import_vienna",
        (CHECK_SCORES,),
    ),
    Importer(
        "expert-novice",
        "Import Expert-Novice: easy pieces played at every level, graded by teachers.",
        "Folder with takes.csv, midi/, score/; or .tar.",
        "Folder for labels, MIDI, scores.",
        "tocco.data.corpora.expert_novice:import_expert_novice",
        (CHECK_SCORES,),
    ),
    Importer(
        "folder",
        "Import recordings, MIDI and scores of your own: take.wav, take.mid and take.musicxml are one take. "
        "A CSV has the columns id,audio,midi,score and optionally piece, performer and any dimension "
        "(0 to 100).",
        "Folder with files paired by name, or a CSV.",
        "Folder for manifest and copies.",
        "tocco.data.corpora.folder:import_folder",
        (
            Option("name", str, None, "Name of the corpus; SRC's own if not given."),
            Option("licence", str, "not stated", "Under which the files may be used."),
            CHECK_SCORES,
        ),
    ),
)
