"""A project of the bundled examples: to try rating out, and for tests."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Final

from tocco.data.records import LabelRecord
from tocco.labelling.project import Project, SegmentFacts, Settings, write_project

_EXAMPLES: Final = (
    ("petzold_minuet", "minuet.flac", "minuet", 0.0, 10.0),
    ("bach_prelude", "prelude_fluent.webm", "prelude", 0.0, 12.0),
    ("bach_prelude", "prelude_struggling.webm", "prelude", 0.0, 16.0),
    ("satie_gymnopedie", "gymnopedie.webm", "gymnopedie", 0.0, 15.0),
    ("petzold_minuet", "minuet.flac", "minuet", 12.0, 24.0),
)
"""Folder, recording, name of the score, and the seconds of the segment."""


def example_project(folder: Path, *, n_calibration: int = 0, settings: Settings | None = None) -> Project:
    """Write a project of five short segments, or read it as it would be written.

    Parameters
    ----------
    folder : made where it does not exist
    n_calibration : how many of the segments are for calibration, from the first on
    settings : of the project; by default three pairs, no repetitions and no anchors

    Raises
    ------
    OutputError
        The folder cannot be written to.
    """
    root = Path(str(files("tocco"))) / "examples"
    records, facts = {}, {}
    for k, (name, recording, score, start, end) in enumerate(_EXAMPLES):
        record = LabelRecord(
            segment_id=f"example_{k + 1}",
            piece_id=name,
            source="example",
            audio_path=root / name / recording,
            midi_path=(root / name / recording).with_suffix(".mid"),
            score_path=root / name / f"{score}.musicxml",
            start_time=start,
            end_time=end,
            labels={},
        )
        records[record.segment_id] = record
        facts[record.segment_id] = SegmentFacts(role="calibration" if k < n_calibration else "rated")
    usual = Settings(title="Five short examples", repeat_share=0.0, anchor_share=0.0, n_pairs=3)
    project = Project(folder, settings or usual, records, facts)
    write_project(project)
    return project
