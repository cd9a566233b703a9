import numpy as np
import pytest

from matching_etude import etude, perform
from tocco.music.matching.chords import WrittenNotes
from tocco.music.matching.readings import Reading, choose_reading


def _reading(page: WrittenNotes, beats: list[tuple[float, float]]) -> Reading:
    """Spans of the score, one after another."""
    printed, onset, at = [], [], 0.0
    for begin, end in beats:
        part = np.flatnonzero((page.onset_beat >= begin) & (page.onset_beat < end))
        printed.append(part)
        onset.append(page.onset_beat[part] - begin + at)
        at += end - begin
    notes = np.concatenate(printed)
    return Reading(
        WrittenNotes(
            np.concatenate(onset), page.duration_beat[notes], page.pitch[notes], page.is_grace[notes]
        ),
        notes,
    )


def _readings() -> list[Reading]:
    """A first part with a repeat and two endings, a second part with a repeat."""
    page = etude(16)
    first = [(0.0, 16.0), (0.0, 12.0), (16.0, 20.0)]
    once = [(0.0, 12.0), (16.0, 20.0)]
    second = (20.0, 64.0)
    return [
        _reading(page, [*first, second, second]),
        _reading(page, [*once, second, second]),
        _reading(page, [*first, second]),
        _reading(page, [*once, second]),
    ]


@pytest.mark.parametrize("played", range(4))
def test_the_way_that_was_played_is_found(played: int) -> None:
    readings = _readings()
    performance, _ = perform(readings[played].written, jitter_sec=0.01)
    assert choose_reading(readings, performance) == played


def test_of_equals_the_first() -> None:
    reading = _readings()[3]
    performance, _ = perform(reading.written)
    assert choose_reading([reading, reading], performance) == 0
    assert choose_reading([reading], performance) == 0
