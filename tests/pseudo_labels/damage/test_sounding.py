"""Length of the notes: smear, dryness and overlap come out as they were planted."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from origins import transcribed
from rater_etude import BEAT_SEC, pedal_with_the_bass, play, study_score
from tocco.music.performance import PedalCurve
from tocco.pseudo_labels.damage.reading import Reading
from tocco.pseudo_labels.damage.sounding import measure_dryness, measure_overlap, measure_smear
from tocco.pseudo_labels.observed.evidence import NO_SCORE, Evidence

SCORE = study_score()
HELD = PedalCurve(np.zeros(1), np.full(1, 127.0))


def value(found: Reading | str) -> float:
    assert isinstance(found, Reading), found
    return found.value


def test_notes_as_long_as_written_do_not_smear() -> None:
    evidence = Evidence(*play(SCORE, held=1.0))
    assert value(measure_smear(evidence)) == pytest.approx(0.0, abs=1e-3)
    assert value(measure_dryness(evidence)) == pytest.approx(0.0, abs=1e-3)
    assert value(measure_overlap(evidence)) == pytest.approx(0.0, abs=1e-3)


def test_keys_held_on_smear_by_so_much() -> None:
    """Half as long again: a quaver 150 ms too long, a quarter 300 ms; both are as many."""
    evidence = Evidence(*play(SCORE, held=1.5))
    assert value(measure_smear(evidence)) == pytest.approx(0.75 * BEAT_SEC / 2.0, abs=0.015)


def test_a_held_pedal_smears_up_to_four_seconds() -> None:
    found = value(measure_smear(Evidence(*play(SCORE, held=0.9, sustain=HELD))))
    assert 1.5 < found <= 4.0
    bass = replace(SCORE, pitch=np.where(SCORE.staff == 2, SCORE.pitch, 60 + np.arange(len(SCORE)) % 40))
    slow = play(bass, sec_of_beat=lambda beat: 3.0 * beat, sustain=HELD)
    assert value(measure_smear(Evidence(*slow))) <= 4.0


def test_legato_pedalling_smears_little() -> None:
    assert value(measure_smear(Evidence(*play(SCORE, held=0.9, sustain=pedal_with_the_bass())))) < 0.2


def test_dryness_is_what_lacks_of_the_length() -> None:
    for held in (0.3, 0.6, 0.9):
        assert value(measure_dryness(Evidence(*play(SCORE, held=held)))) == pytest.approx(
            1.0 - held, abs=0.01
        )


def test_the_pedal_makes_up_for_short_keys() -> None:
    """Pressed with the bass and lifted with the next: quavers on the beat sound on, and so do the chords."""
    dry = value(measure_dryness(Evidence(*play(SCORE, held=0.4))))
    pedalled = value(measure_dryness(Evidence(*play(SCORE, held=0.4, sustain=pedal_with_the_bass()))))
    assert pedalled < 0.4 * dry


def test_staccato_is_not_dry() -> None:
    signed = value(measure_dryness(Evidence(*play(study_score("staccato"), held=np.tile(0.4, len(SCORE))))))
    only_lower = value(measure_dryness(Evidence(*play(SCORE, held=np.where(SCORE.staff == 1, 1.0, 0.4)))))
    assert signed == pytest.approx(0.6, abs=0.01)
    assert only_lower == pytest.approx(0.3, abs=0.03)
    upper_short = play(study_score("staccato"), held=np.where(SCORE.staff == 1, 0.3, 1.0))
    assert value(measure_dryness(Evidence(*upper_short))) == pytest.approx(0.0, abs=0.01)


def test_overlap_of_neighbouring_keys_without_a_score() -> None:
    """Quavers of 300 ms held half as long again: 150 ms into the next step."""
    performance = play(SCORE, held=1.5)[0]
    upper = performance.only(performance.pitch >= 72)
    assert value(measure_overlap(Evidence(upper))) == pytest.approx(0.15, abs=0.02)


def test_overlap_of_a_transcription_leaves_out_notes_under_the_pedal() -> None:
    held = np.where(SCORE.staff == 1, 1.5, 0.9)
    under = Evidence(play(SCORE, held=held, sustain=HELD)[0])
    assert isinstance(measure_overlap(under), Reading)
    assert measure_overlap(transcribed(under)) == "fewer than ten notes move by step with a visible release"


@pytest.mark.parametrize("measure", [measure_smear, measure_dryness])
def test_without_a_score_the_reason_is_given(measure: object) -> None:
    assert measure(Evidence(play(SCORE)[0])) == NO_SCORE  # type: ignore[operator]
