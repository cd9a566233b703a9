from dataclasses import replace

import numpy as np
import pytest

from corruption_etude import etude
from tocco.data.preparation import symbolic_inputs
from tocco.models.midi_encoder import BAR, BEAT, MASK, NOTE, PREDICTED_COLUMNS, TYPE
from tocco.music.alignment import Alignment
from tocco.music.performance import Performance
from tocco.training.masked_notes.questions import ask, choose_notes, without_notes


def _hidden(performance: Performance, *, seed: int = 1, span: int = 1) -> np.ndarray:
    return choose_notes(performance.struck_inside, 0.15, span, np.random.default_rng(seed))


def _other_notes(performance: Performance, alignment: Alignment, hidden: np.ndarray):
    """The hidden notes at other keys, louder and longer, within the same beat and order of time."""
    louder = np.where(hidden, 127 - performance.velocity // 2, performance.velocity)
    higher = np.where(hidden, performance.pitch + 5, performance.pitch)
    longer = np.where(hidden, performance.offset_sec + 0.7, performance.offset_sec)
    return replace(performance, velocity=louder, pitch=higher, offset_sec=longer), replace(
        alignment, performance_pitch=higher
    )


@pytest.mark.parametrize(("n", "span"), [(100, 1), (100, 4), (7, 1), (1, 4)])
def test_a_share_of_the_notes_that_may_be_hidden_is(n, span):
    allowed = np.ones(n + 3, dtype=bool)
    allowed[:3] = False
    hidden = choose_notes(allowed, 0.15, span, np.random.default_rng(0))
    assert hidden.sum() == max(1, round(0.15 * n))
    assert not hidden[:3].any()


def test_spans_are_runs_of_neighbours():
    hidden = choose_notes(np.ones(400, dtype=bool), 0.15, 4, np.random.default_rng(0))
    runs = np.diff(np.flatnonzero(np.diff(np.concatenate(([0], hidden, [0])))))[::2]
    assert hidden.sum() == 60
    assert np.all(runs % 4 == 0)


def test_single_notes_are_scattered():
    hidden = choose_notes(np.ones(4000, dtype=bool), 0.15, 1, np.random.default_rng(0))
    assert np.mean(hidden[1:][hidden[:-1]]) == pytest.approx(0.15, abs=0.04)


@pytest.mark.parametrize("with_score", [False, True])
def test_nothing_shown_depends_on_key_loudness_and_length_of_hidden_notes(with_score):
    performance, alignment = etude()
    hidden = _hidden(performance)
    other, other_alignment = _other_notes(performance, alignment, hidden)
    question = ask(performance, alignment if with_score else None, hidden)
    changed = ask(other, other_alignment if with_score else None, hidden)
    np.testing.assert_array_equal(question.shown, changed.shown)
    np.testing.assert_array_equal(question.note_features, changed.note_features)
    asked = question.shown[:, TYPE] == MASK
    for column in ("pitch", "velocity", "duration"):
        ids = PREDICTED_COLUMNS[column]
        assert np.any(question.answer[asked][:, ids] != changed.answer[asked][:, ids])


def test_nothing_shown_depends_on_when_in_its_beat_a_hidden_note_comes():
    performance, _ = etude()
    hidden = _hidden(performance)
    place = performance.onset_sec % 0.5
    moved = np.where(hidden & (place < 0.2), performance.onset_sec + 0.01, performance.onset_sec)
    order = np.lexsort((performance.pitch, moved))
    assert np.any(moved != performance.onset_sec)
    assert np.any(order != np.arange(len(order)))
    question = ask(performance, None, hidden)
    changed = ask(replace(performance, onset_sec=moved).only(order), None, hidden[order])
    np.testing.assert_array_equal(question.shown, changed.shown)
    np.testing.assert_array_equal(question.note_features, changed.note_features)


def test_the_time_map_forgets_hidden_onsets():
    performance, alignment = etude()
    hidden = _hidden(performance)
    rest = without_notes(alignment, hidden, performance.duration_sec)
    assert not np.isin(rest.anchor_beat.round(6), alignment.performance_beat[hidden].round(6)).any()
    assert len(rest.performance_beat) == np.count_nonzero(~hidden)
    assert without_notes(alignment, np.ones(len(performance), dtype=bool), 1.0) is None


@pytest.mark.parametrize("with_score", [False, True])
def test_answers_are_the_tokens_of_training(with_score):
    performance, alignment = etude()
    given = alignment if with_score else None
    question = ask(performance, given, _hidden(performance))
    expected = symbolic_inputs(performance, given).midi_tokens
    assert sorted(map(tuple, question.answer)) == sorted(map(tuple, expected))


def test_hidden_notes_show_bar_and_beat_and_stand_last_in_their_beat():
    performance, alignment = etude()
    hidden = _hidden(performance)
    question = ask(performance, alignment, hidden)
    asked = question.shown[:, TYPE] == MASK
    assert asked.sum() == hidden.sum() == round(0.15 * len(performance))
    assert np.all(question.shown[asked][:, list(PREDICTED_COLUMNS.values())] == MASK)
    np.testing.assert_array_equal(question.shown[:, [BEAT, BAR]], question.answer[:, [BEAT, BAR]])
    assert np.isnan(question.note_features[asked]).all()
    assert np.all(question.answer[:, TYPE] == NOTE)
    same_beat = np.all(question.shown[1:, [BEAT, BAR]] == question.shown[:-1, [BEAT, BAR]], axis=1)
    assert not np.any(asked[:-1] & ~asked[1:] & same_beat)


def test_all_notes_cannot_be_hidden():
    performance, _ = etude()
    with pytest.raises(ValueError, match="notes are hidden"):
        ask(performance, None, np.ones(len(performance), dtype=bool))
