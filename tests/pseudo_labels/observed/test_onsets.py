"""Which notes belong together: of the score where there is one, else of proximity in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from rater_etude import play, study_score
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.music.statistics.playing import read_playing
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.observed.onsets import group_onsets

SCORE = study_score()


def late_bass() -> tuple[Performance, Alignment]:
    """Every second bass note comes 60 ms after its chord."""
    late = np.where((SCORE.pitch < 50) & (SCORE.onset_beat % 2 == 0), 0.06, 0.0)
    return play(SCORE, late_sec=late)


def test_from_transcription_what_is_struck_together_belongs_together() -> None:
    performance, _ = play(SCORE)
    found = group_onsets(read_playing(performance), None, 1.0)
    assert found.size.tolist() == [3, 1] * 64
    assert found.onset_sec[:3].tolist() == [1.0, 1.3, 1.6]
    assert performance.pitch[found.top[:4]].tolist() == [72, 74, 76, 77]
    assert performance.pitch[found.bottom[:4]].tolist() == [36, 74, 41, 77]


def test_against_a_page_hands_that_fall_apart_stay_one_chord() -> None:
    performance, alignment = late_bass()
    by_score = Evidence(performance, alignment).onset_groups
    from_transcription = Evidence(performance).onset_groups
    assert by_score.size.tolist() == [3, 1] * 64
    assert len(from_transcription.size) > len(by_score.size)


def test_what_does_not_match_the_page_belongs_to_no_chord() -> None:
    performance, alignment = play(SCORE)
    wrong = 7
    unmatched = replace(alignment, match=alignment.match[alignment.match[:, 1] != wrong])
    assert wrong not in Evidence(performance, unmatched).onset_groups.note
    assert wrong in Evidence(performance, alignment).onset_groups.note


def test_nothing_is_together_where_nothing_is_struck() -> None:
    nothing = play(SCORE)[0].only(np.zeros(0, dtype=np.int64))
    found = group_onsets(read_playing(nothing), None, 0.0)
    assert (len(found.note), len(found.size), len(found.top)) == (0, 0, 0)
