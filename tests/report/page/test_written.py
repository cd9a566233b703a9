"""The score over the performance: the reading that was played, evenly within each bar."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rater_etude import study_score
from tocco.inference.evidence import AlignmentReport
from tocco.music.notation import Mark
from tocco.report.page.written import Sign, place_written

MARKS = (
    Mark("dynamics", "p", 0.0, 0.0),
    Mark("crescendo", "", 4.0, 8.0),
    Mark("tempo", "Allegro", 4.0, 4.0),
    Mark("dynamics", "f", 40.0, 40.0),
)


def report(first: int, last: int, repeats: str = "as written") -> AlignmentReport:
    """Bars first to last, two seconds each, from second 10."""
    bars = tuple((str(bar), 10.0 + 2.0 * (bar - first)) for bar in range(first, last + 1))
    counts = {"match": 0, "insertion": 0, "deletion": 0, "substitution": 0}
    return AlignmentReport.model_validate(
        {"counts": counts, "match": (), "insertion": (), "deletion": (), "substitution": (), "bars": bars}
        | {"repeats": repeats}
    )


def test_notes_and_signs_are_laid_over_the_bars_that_were_played() -> None:
    score = study_score(marks=MARKS)
    found = place_written([score], report(2, 4))
    assert found is not None
    inside = (score.onset_beat >= 4.0) & (score.onset_beat < 16.0)
    np.testing.assert_allclose(found.start_sec, 10.0 + (score.onset_beat[inside] - 4.0) / 2.0)
    np.testing.assert_allclose(found.end_sec - found.start_sec, score.duration_beat[inside] / 2.0)
    assert found.pitch.tolist() == score.pitch[inside].tolist()
    assert found.signs == (Sign("crescendo", "", 10.0, 12.0),)


def test_the_reading_with_these_repeats_is_taken() -> None:
    one = study_score()
    other = replace(one, pitch=one.pitch + 1, repeats="all repeats")
    found = place_written([one, other], report(1, 16, "all repeats"))
    assert found is not None
    assert found.pitch.tolist() == other.pitch.tolist()


def test_bars_that_no_reading_has_are_not_laid_over_anything() -> None:
    assert place_written([study_score()], report(15, 18)) is None
    assert place_written([study_score()], report(3, 3)) is None
    assert place_written([], report(1, 4)) is None
