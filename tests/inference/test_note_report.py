from dataclasses import replace

import numpy as np

from tocco.inference.evidence import PlayedBars
from tocco.inference.note_report import alignment_report
from tocco.music.alignment import Alignment
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score


def score() -> Score:
    """Two bars of 3/4 after a pick-up of one beat: seven quarter notes, C4 upwards by whole tones."""
    n = 7
    return Score(
        note_id=tuple(f"n{i}" for i in range(n)),
        onset_beat=np.arange(n, dtype=float),
        duration_beat=np.ones(n),
        pitch=60 + 2 * np.arange(n),
        voice=np.ones(n, dtype=int),
        staff=np.ones(n, dtype=int),
        is_grace=np.zeros(n, dtype=bool),
        articulation=("",) * n,
        velocity=np.zeros(n, dtype=int),
        bar=np.array([0, 1, 1, 1, 2, 2, 2]),
        bar_onset_beat=np.array([0.0, 1.0, 4.0]),
        bar_beats=np.array([1.0, 3.0, 3.0]),
        bar_name=("0", "1", "2a"),
        tempo_bpm=0.0,
        marks=(),
    )


def played() -> tuple[Alignment, Performance]:
    """Half a second a beat from 1 s on: beat 2 has a wrong note, beat 4 is left out, F7 is added."""
    pitch = np.array([60, 62, 65, 66, 101, 70, 72])
    beat = np.array([0.0, 1.0, 2.0, 3.0, 3.5, 5.0, 6.0])
    onset = 1.0 + 0.5 * beat
    up = PedalCurve()
    performance = Performance(
        onset_sec=onset,
        offset_sec=onset + 0.4,
        pitch=pitch,
        velocity=np.full(7, 60),
        sustain=up,
        sostenuto=up,
        soft=up,
        duration_sec=5.0,
    )
    match = np.array([[0, 0], [1, 1], [3, 3], [5, 5], [6, 6]])
    alignment = Alignment(
        score=score(),
        match=match,
        deletion=np.array([2, 4]),
        insertion=np.array([2, 4]),
        substitution=np.array([[2, 2]]),
        anchor_beat=np.array([0.0, 1.0, 3.0, 5.0, 6.0]),
        anchor_sec=1.0 + 0.5 * np.array([0.0, 1.0, 3.0, 5.0, 6.0]),
        performance_beat=beat,
    )
    return alignment, performance


def test_every_note_has_its_name_and_place():
    report = alignment_report(*played())
    assert report.counts == {"match": 5, "insertion": 1, "deletion": 1, "substitution": 1}
    (wrong,) = report.substitution
    assert (wrong.expected, wrong.played, wrong.bar, wrong.beat, wrong.time_sec) == (
        "E4",
        "F4",
        "1",
        2.0,
        2.0,
    )
    (missing,) = report.deletion
    assert (missing.expected, missing.played, missing.bar, missing.beat) == ("G#4", None, "2a", 1.0)
    assert missing.time_sec == 3.0
    (extra,) = report.insertion
    assert (extra.expected, extra.played, extra.bar, extra.beat) == (None, "F7", "1", 3.5)
    assert extra.time_sec == 2.75
    assert [note.expected_pitch for note in report.match] == [60, 62, 66, 70, 72]
    assert report.bars == (("0", 1.0), ("1", 1.5), ("2a", 3.0))


def test_no_notes_is_an_empty_report():
    alignment, performance = played()
    nothing = Alignment(
        score=alignment.score,
        match=np.zeros((0, 2), dtype=int),
        deletion=np.arange(7),
        insertion=np.zeros(0, dtype=int),
        substitution=np.zeros((0, 2), dtype=int),
        anchor_beat=alignment.anchor_beat,
        anchor_sec=alignment.anchor_sec,
        performance_beat=alignment.performance_beat,
    )
    report = alignment_report(nothing, performance)
    assert report.counts["deletion"] == 7
    assert report.bars == ()


def test_a_part_of_the_score_is_named():
    alignment, performance = played()
    report = alignment_report(alignment, performance)
    assert report.part is None
    assert report.flags == ()
    # The first two bars alone: the notes of the last one were not played.
    part = replace(
        alignment,
        match=alignment.match[alignment.match[:, 0] < 4],
        deletion=alignment.deletion[alignment.deletion < 4],
        unplayed=np.array([4, 5, 6]),
        overall_confidence=0.43,
    )
    report = alignment_report(part, performance)
    assert report.part == PlayedBars(first="0", last="1", where="bars 0–1", n_bars=3)
    assert report.agreement == 0.43
    assert report.flags == ("many notes differ from the score: 43 % agree",)
