"""Evidence and findings: what belongs together is checked, and reading happens once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from rater_etude import UP, play, study_score
from tocco.errors import InputError
from tocco.music.matching.spans import RetriedSpan, SkippedSpan
from tocco.music.performance import Performance
from tocco.pseudo_labels.observed.evidence import MOST_CAUSES, NO_BEAT, NO_SCORE, Evidence, Findings
from tocco.pseudo_labels.places import place
from tocco.pseudo_labels.pseudo_label import Cause, ComponentKind
from tocco.pseudo_labels.raters.registry import RATERS, measure_technique
from tocco.rubrics import RUBRICS

SCORE = study_score()


def test_the_raters_are_the_technical_dimensions_in_order() -> None:
    technical = [d.name for d in RUBRICS["tocco10"].dimensions if d.family == "technical"]
    assert list(RATERS) == technical
    for rater in RATERS.values():
        assert sum(kind.weight for kind in rater.components) == pytest.approx(1.0)
        assert len({kind.name for kind in rater.components}) == len(rater.components)


def test_an_alignment_of_another_performance_is_refused() -> None:
    performance, alignment = play(SCORE)
    with pytest.raises(InputError, match="has 256 notes, and its alignment 10"):
        Evidence(performance, replace(alignment, performance_onset_sec=np.zeros(10)))


def test_audio_is_mono_and_finite() -> None:
    performance, _ = play(SCORE)
    with pytest.raises(InputError, match="finite mono samples"):
        Evidence(performance, None, np.zeros((2, 100)))
    with pytest.raises(InputError, match="finite mono samples"):
        Evidence(performance, None, np.array([0.0, np.nan]))


def test_a_reading_happens_once() -> None:
    calls = []

    def read(evidence: Evidence) -> int:
        calls.append(evidence)
        return 7

    given = Evidence(*play(SCORE))
    assert (given.once(read), given.once(read)) == (7, 7)
    assert calls == [given]


def test_together_is_of_the_score_or_of_the_ear() -> None:
    performance, alignment = play(SCORE, late_sec=np.where(SCORE.staff == 2, 0.06, 0.0))
    page, ear = Evidence(performance, alignment).onset_groups, Evidence(performance).onset_groups
    assert len(page.size) == 128
    assert len(ear.size) == 192
    assert set(page.size.tolist()) == {1, 3}
    np.testing.assert_array_equal(performance.pitch[page.top], SCORE.pitch[SCORE.staff == 1])


def test_restarts_and_skips_cut_the_stretches() -> None:
    performance, alignment = play(SCORE)
    broken = replace(
        alignment,
        retries=(RetriedSpan(0, 4, 5.0, 6.0, 8.0, 9.0),),
        skips=(SkippedSpan(20.0, 32.0, 36.0),),
    )
    given = Evidence(performance, broken)
    assert given.written is not None
    assert np.unique(given.stretch_of[given.written.onset_beat < 8.0]).tolist() == [0]
    middle = (given.written.onset_beat >= 8.0) & (given.written.onset_beat < 32.0)
    assert np.unique(given.stretch_of[middle]).tolist() == [1]
    assert np.unique(given.stretch_of[given.written.onset_beat >= 32.0]).tolist() == [2]


def test_only_the_most_severe_causes_are_reported() -> None:
    findings = Findings("tone_quality", (ComponentKind("x", "ms", "x", "less", 1.0),))
    findings.measured("x", 1.0, "")
    findings.caused([Cause(float(k), float(k), "kind", "text", size=float(k)) for k in range(20)])
    label = findings.label(Evidence(*play(SCORE)), 10)
    assert [c.size for c in label.causes] == [19.0 - k for k in range(MOST_CAUSES)]
    assert label.confidence == pytest.approx(0.5)


def test_a_weight_without_a_direction_is_refused() -> None:
    with pytest.raises(ValueError, match=r"weight 0\.5 with better='reported'"):
        ComponentKind("x", "ms", "x", "reported", 0.5)


def test_places_count_beats_from_one() -> None:
    _, alignment = play(SCORE)
    assert place(alignment, 13.5, 0.0) == "bar 4, beat 2.5"
    assert place(alignment, None, 61.26) == "at 1:01.2"


def test_a_performance_without_notes_has_reasons_everywhere() -> None:
    nothing = Performance(
        np.zeros(0), np.zeros(0), np.zeros(0, dtype=int), np.zeros(0, dtype=int), UP, UP, UP, 5.0
    )
    for name, label in measure_technique(Evidence(nothing)).items():
        assert label.components == {} or not any(
            k.weight for k in RATERS[name].scaled if k.name in label.components
        )
        assert label.confidence == 0.0
        assert label.missing[name]


def test_a_score_whose_beats_fly_by_is_reported_from_one_that_does_not_match() -> None:
    """Bars of hundreds of beats, as broken exports have them, leave no tempo."""
    flying = Evidence(*play(study_score(), sec_of_beat=lambda beat: 0.01 * beat))
    assert flying.written is None
    assert flying.why_unwritten() == NO_BEAT
    assert Evidence(play(study_score())[0]).why_unwritten() == NO_SCORE
