"""What holds for every corruption: valid, recorded, nested, deterministic, and of one respect only."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from corruption_etude import etude
from tocco.errors import InputError, MismatchError
from tocco.music.corruption import CORRUPTIONS, Corruption, corrupt
from tocco.music.performance import PedalCurve, Performance
from tocco.rubrics import TOCCO10

ETUDE, ALIGNMENT = etude()
CASES = [
    (name, severity) for name, kind in CORRUPTIONS.items() for severity in (kind.ladder[0], kind.ladder[-1])
]
LEVEL = [n for n, k in CORRUPTIONS.items() if k.target in ("dynamics_control", "tone_quality")]
TOUCH = [n for n, k in CORRUPTIONS.items() if k.target == "articulation_quality"]
PEDAL = [n for n, k in CORRUPTIONS.items() if k.target == "pedaling_technique"]
NESTED = ["wrong_notes", "missing_notes", "extra_notes", "doubled_notes", "dropped_bars"]


def worse(name: str, severity: float, seed: int = 1, *, score: bool = True) -> Corruption:
    return corrupt(ETUDE, name, severity, np.random.default_rng(seed), alignment=ALIGNMENT if score else None)


def check_is_valid(played: Performance) -> None:
    """A performance that a piano can play and a MIDI file can hold."""
    assert np.array_equal(np.lexsort((played.pitch, played.onset_sec)), np.arange(len(played)))
    assert np.all(played.onset_sec < played.offset_sec)
    assert played.onset_sec.min() >= 0.0
    assert 0 <= played.pitch.min() <= played.pitch.max() <= 127
    assert 1 <= played.velocity.min() <= played.velocity.max() <= 127
    assert played.pitch.dtype.kind == played.velocity.dtype.kind == "i"
    for curve in (played.sustain, played.sostenuto, played.soft):
        assert np.all(np.diff(curve.time_sec) > 0)
        assert np.all((curve.value >= 0) & (curve.value <= 127))
    for pitch in np.unique(played.pitch):
        on, off = (x[played.pitch == pitch] for x in (played.onset_sec, played.offset_sec))
        assert np.all(off[:-1] <= on[1:]), "a key was struck while it was down"
        assert np.all(np.diff(on) > 0)
    assert played.duration_sec >= played.offset_sec.max()


def check_record(clean: Performance, done: Corruption) -> None:
    """Every clean note is gone or at its new index; every other note was added; edits say so."""
    new = done.new_of_old
    kept = new[new >= 0]
    assert len(new) == len(clean)
    assert len(set(kept.tolist())) == len(kept)
    gone = {edit.old_note for edit in done.edits if edit.new_note < 0}
    assert gone == set(np.flatnonzero(new < 0).tolist())
    added = {edit.new_note for edit in done.edits if edit.kind in ("extra", "doubled", "given_up")}
    assert added == set(np.flatnonzero(done.old_of_new < 0).tolist())
    wrong = {edit.old_note for edit in done.edits if edit.kind == "wrong"}
    old = np.flatnonzero(new >= 0)
    changed = old[clean.pitch[old] != done.performance.pitch[new[old]]]
    assert set(changed.tolist()) == wrong
    for edit in done.edits:
        assert edit.old_sec == clean.onset_sec[edit.old_note]
        if edit.new_note >= 0:
            assert edit.new_sec == done.performance.onset_sec[edit.new_note]
    if not any(edit.kind == "moved" for edit in done.edits):
        np.testing.assert_allclose(
            done.performance.onset_sec[kept], done.time_map(clean.onset_sec[old]), atol=1e-9
        )


@pytest.mark.parametrize("score", [True, False], ids=["score", "no_score"])
@pytest.mark.parametrize(("name", "severity"), CASES)
def test_what_comes_out_is_valid_and_on_record(name, severity, score) -> None:
    done = worse(name, severity, score=score)
    check_is_valid(done.performance)
    check_record(ETUDE, done)
    assert done.edits or done.spans
    assert (done.target, done.unit) == (CORRUPTIONS[name].target, CORRUPTIONS[name].unit)
    json.dumps(done.ground_truth(), allow_nan=False)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_severity_zero_is_the_performance_itself(name) -> None:
    done = worse(name, 0.0)
    assert done.performance is ETUDE
    assert np.array_equal(done.new_of_old, np.arange(len(ETUDE)))
    assert done.time_map.is_identity
    assert (done.edits, done.spans) == ((), ())


@pytest.mark.parametrize(("name", "severity"), CASES)
def test_the_generator_alone_decides_and_the_input_stays(name, severity) -> None:
    before = [np.copy(x) for x in arrays(ETUDE)]
    first, second = worse(name, severity, seed=4), worse(name, severity, seed=4)
    for a, b in zip(arrays(first.performance), arrays(second.performance), strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.edits == second.edits
    for a, b in zip(before, arrays(ETUDE), strict=True):
        np.testing.assert_array_equal(a, b)


def arrays(played: Performance) -> list[np.ndarray]:
    values = [getattr(played, field.name) for field in fields(played)]
    curves = [value for value in values if isinstance(value, PedalCurve)]
    return [v for v in values if isinstance(v, np.ndarray)] + [
        a for c in curves for a in (c.time_sec, c.value)
    ]


@pytest.mark.parametrize(("name", "severity"), CASES)
def test_what_is_drawn_does_not_depend_on_the_severity(name, severity) -> None:
    rng, other = np.random.default_rng(9), np.random.default_rng(9)
    corrupt(ETUDE, name, severity, rng, alignment=ALIGNMENT)
    corrupt(ETUDE, name, CORRUPTIONS[name].ladder[2], other, alignment=ALIGNMENT)
    assert rng.random() == other.random()


@pytest.mark.parametrize("name", NESTED)
def test_a_higher_severity_includes_the_edits_of_a_lower(name) -> None:
    ladder = CORRUPTIONS[name].ladder
    edits = [
        {(e.kind, e.old_note, pitch_of(e, done)) for e in done.edits}
        for done in (worse(name, s, seed=3) for s in ladder)
    ]
    for low, high in pairwise(edits):
        assert low <= high
    assert len(edits[0]) < len(edits[-1])


def pitch_of(edit, done: Corruption) -> int:
    return -1 if edit.new_note < 0 else int(done.performance.pitch[edit.new_note])


@pytest.mark.parametrize("name", ["restarts", "hesitations", "missing_pedal", "drowned_pedal"])
def test_the_places_of_a_lower_severity_are_among_those_of_a_higher(name) -> None:
    places = [
        {
            (s.old_start_sec, s.old_end_sec, round(s.end_sec - s.start_sec, 9))
            for s in worse(name, severity).spans
        }
        for severity in CORRUPTIONS[name].ladder
    ]
    for low, high in pairwise(places):
        assert low <= high
    assert len(places[0]) < len(places[-1])


@pytest.mark.parametrize("name", ["timing_jitter", "spiky_dynamics"])
def test_scatter_grows_in_proportion(name) -> None:
    unit, dose = CORRUPTIONS[name].ladder[0], 2.0
    attribute = "onset_sec" if name == "timing_jitter" else "velocity"
    clean = getattr(ETUDE, attribute).astype(float)
    # Chords of the etude are strictly together, so that no two strikes of a key come near each other.
    small, large = (
        getattr(done.performance, attribute)[done.new_of_old] - clean
        for done in (worse(name, unit), worse(name, unit * dose))
    )
    assert np.corrcoef(small, large)[0, 1] > 0.99
    assert np.std(large) == pytest.approx(dose * np.std(small), rel=0.05)


@pytest.mark.parametrize("name", LEVEL)
def test_corruptions_of_level_touch_nothing_else(name) -> None:
    played = worse(name, CORRUPTIONS[name].ladder[-1]).performance
    for attribute in ("onset_sec", "offset_sec", "pitch"):
        np.testing.assert_array_equal(getattr(played, attribute), getattr(ETUDE, attribute))
    assert (played.sustain, played.soft) == (ETUDE.sustain, ETUDE.soft)
    assert played.duration_sec == ETUDE.duration_sec
    assert np.any(played.velocity != ETUDE.velocity)


@pytest.mark.parametrize("name", TOUCH)
def test_corruptions_of_touch_move_releases_only(name) -> None:
    played = worse(name, CORRUPTIONS[name].ladder[-1]).performance
    for attribute in ("onset_sec", "velocity", "pitch"):
        np.testing.assert_array_equal(getattr(played, attribute), getattr(ETUDE, attribute))
    assert played.sustain is ETUDE.sustain
    assert np.any(played.offset_sec != ETUDE.offset_sec)


@pytest.mark.parametrize("name", PEDAL)
def test_corruptions_of_the_pedal_leave_the_notes_and_the_soft_pedal(name) -> None:
    played = worse(name, CORRUPTIONS[name].ladder[-1]).performance
    for attribute in ("onset_sec", "offset_sec", "velocity", "pitch"):
        np.testing.assert_array_equal(getattr(played, attribute), getattr(ETUDE, attribute))
    assert played.soft is ETUDE.soft
    assert not np.array_equal(played.sustain.time_sec, ETUDE.sustain.time_sec)


@pytest.mark.parametrize("name", ["wrong_notes", "missing_notes", "extra_notes", "doubled_notes"])
def test_notes_that_are_not_edited_stay_as_they_are(name) -> None:
    done = worse(name, 0.1)
    edited = {edit.old_note for edit in done.edits}
    same = np.array([n for n in range(len(ETUDE)) if n not in edited])
    for attribute in ("onset_sec", "offset_sec", "velocity", "pitch"):
        np.testing.assert_array_equal(
            getattr(done.performance, attribute)[done.new_of_old[same]], getattr(ETUDE, attribute)[same]
        )
    assert done.performance.sustain is ETUDE.sustain


@pytest.mark.parametrize(("name", "n_kinds"), [("note_accuracy", 6), ("rhythmic_precision", 4)])
def test_targets(name, n_kinds) -> None:
    assert sum(kind.target == name for kind in CORRUPTIONS.values()) == n_kinds


def test_every_kind_is_documented_and_its_ladder_rises() -> None:
    assert len(CORRUPTIONS) == 21
    technical = {d.name for d in TOCCO10.dimensions if d.family == "technical"}
    assert {kind.target for kind in CORRUPTIONS.values()} == technical
    for name, kind in CORRUPTIONS.items():
        assert name == kind.name
        assert len(kind.ladder) == 5
        assert all(a < b for a, b in zip((0.0, *kind.ladder[:-1]), kind.ladder, strict=True))
        assert kind.ladder[-1] <= kind.max_severity
        assert kind.description
        assert kind.unit


@pytest.mark.parametrize("severity", [-0.1, 0.6, float("nan"), float("inf")])
def test_a_severity_out_of_range_is_refused(severity) -> None:
    with pytest.raises(InputError, match=r"wrong_notes.*0 to 0.5 share of the notes"):
        worse("wrong_notes", severity)


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'wrong'.*wrong_notes, missing_notes"):
        worse("wrong", 0.1)


def test_the_alignment_of_another_performance_is_refused() -> None:
    other = corrupt(ETUDE, "missing_notes", 0.1, np.random.default_rng(0)).performance
    with pytest.raises(MismatchError, match="its alignment speaks of"):
        corrupt(other, "restarts", 1.0, np.random.default_rng(0), alignment=ALIGNMENT)


@pytest.mark.parametrize("name", PEDAL)
def test_without_a_pedal_there_is_none_to_harm(name) -> None:
    with pytest.raises(InputError, match="no sustaining pedal"):
        corrupt(replace(ETUDE, sustain=PedalCurve()), name, 0.3, np.random.default_rng(0))


@st.composite
def performances(draw) -> Performance:
    """Any valid performance: clusters, repeated keys, long and short notes, half pedals."""
    seed, n = draw(st.integers(0, 10_000)), draw(st.integers(1, 60))
    rng = np.random.default_rng(seed)
    onset = np.sort(rng.choice([0.0, 0.01, 0.07, 0.2, 0.9], n).cumsum())
    pitch = rng.integers(*draw(st.sampled_from([(0, 128), (21, 30), (60, 66), (100, 109)])), n)
    offset = onset + rng.choice([0.02, 0.1, 0.4, 3.0], n)
    order = np.lexsort((pitch, onset))
    onset, offset, pitch = onset[order], offset[order], pitch[order]
    keep, last = [], {}
    for k in range(n):  # a key needs 40 ms to be struck again
        if onset[k] - last.get(int(pitch[k]), -1.0) >= 0.04:
            last[int(pitch[k])] = onset[k]
            keep.append(k)
    onset, offset, pitch = onset[keep], offset[keep], pitch[keep]
    for k in range(len(onset)):
        later = onset[(pitch == pitch[k]) & (onset > onset[k])]
        offset[k] = min(offset[k], later[0]) if len(later) else offset[k]
    steps = np.unique(rng.uniform(0.0, onset[-1] + 1.0, draw(st.integers(0, 12))).round(3))
    return Performance(
        onset_sec=onset,
        offset_sec=offset,
        pitch=pitch,
        velocity=rng.integers(1, 128, len(onset)),
        sustain=PedalCurve(steps, rng.integers(0, 128, len(steps)).astype(float)),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(offset.max()),
    )


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    played=performances(),
    name=st.sampled_from(sorted(CORRUPTIONS)),
    step=st.integers(0, 4),
    seed=st.integers(0, 99),
)
def test_any_performance_comes_out_valid_or_is_refused(played, name, step, seed) -> None:
    severity = CORRUPTIONS[name].ladder[step]
    try:
        done = corrupt(played, name, severity, np.random.default_rng(seed))
    except InputError:
        event(f"refused: {name}")
        return
    event("done")
    check_is_valid(done.performance)
    check_record(played, done)


def tones_from_zero(seed: int) -> Performance:
    """Thirty single tones at uneven times, the first at 0, each on its own key."""
    rng = np.random.default_rng(seed)
    onset = np.concatenate(([0.0], np.sort(rng.uniform(0.05, 15.0, 29))))
    steps = np.unique(rng.uniform(0.0, 15.0, 12).round(3))
    return Performance(
        onset_sec=onset,
        offset_sec=onset + rng.uniform(0.05, 0.4, len(onset)),
        pitch=40 + np.arange(len(onset)),
        velocity=rng.integers(1, 128, len(onset)),
        sustain=PedalCurve(steps, np.where(np.arange(len(steps)) % 2 == 0, 100.0, 0.0)),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=16.0,
    )


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_nothing_begins_before_the_recording_does(name) -> None:
    """Not even by a rounding error, when the first key goes down at 0."""
    n_done = 0
    for seed in range(20):
        played = tones_from_zero(seed)
        for severity in CORRUPTIONS[name].ladder[::2]:
            try:
                done = corrupt(played, name, severity, np.random.default_rng(seed))
            except InputError:  # no run, one voice, no pedal that goes with the bass
                continue
            n_done += 1
            assert done.performance.onset_sec[0] >= 0.0
            assert done.performance.offset_sec.min() > 0.0
    assert n_done > 0 or name == "uneven_runs" or CORRUPTIONS[name].target == "pedaling_technique"
