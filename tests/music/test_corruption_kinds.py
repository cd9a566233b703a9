"""What each corruption does, against known answers; and planted mistakes as the aligner finds them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from corruption_etude import BEAT_SEC, MAJOR, N_BARS, etude
from rater_etude import play, study_score
from tocco.errors import InputError
from tocco.music.alignment import align_performance_to_score
from tocco.music.corruption import CORRUPTIONS, Corruption, corrupt
from tocco.music.corruption.context import BASS, INNER, MELODY, read_context
from tocco.music.corruption.dynamics import level_contour
from tocco.music.corruption.notes import local_scale
from tocco.music.corruption.pedal_lag import lags_of_lifts
from tocco.music.corruption.timing import find_runs
from tocco.music.performance import PedalCurve, Performance
from tocco.units import FloatArray

ETUDE, ALIGNMENT = etude()
N = len(ETUDE)


def worse(name: str, severity: float, seed: int = 1, *, score: bool = True) -> Corruption:
    return corrupt(ETUDE, name, severity, np.random.default_rng(seed), alignment=ALIGNMENT if score else None)


def line(velocity: list[int]) -> Performance:
    """Quarter notes on C5, a second apart, half a second long."""
    onset = np.arange(float(len(velocity)))
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.5,
        pitch=np.full(len(velocity), 72),
        velocity=np.array(velocity),
        sustain=PedalCurve(np.array([0.2, 0.9, 1.2, 1.9, 3.0]), np.array([40.0, 127.0, 0.0, 127.0, 0.0])),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=onset[-1] + 0.5,
    )


@pytest.mark.parametrize("share", [0.03, 0.1, 0.2])
@pytest.mark.parametrize("name", ["wrong_notes", "missing_notes", "extra_notes", "doubled_notes"])
def test_the_share_of_edits_is_exact(name, share) -> None:
    done = worse(name, share)
    assert len(done.edits) == round(share * N)
    assert (
        len(done.performance) - N
        == {
            "wrong_notes": 0,
            "missing_notes": -len(done.edits),
            "extra_notes": len(done.edits),
            "doubled_notes": len(done.edits),
        }[name]
    )


def test_a_share_of_less_than_a_note_is_one_note() -> None:
    assert len(worse("wrong_notes", 1e-6).edits) == 1


def test_wrong_notes_are_neighbours_and_mostly_in_the_key() -> None:
    slips = [worse("wrong_notes", 0.15, seed) for seed in range(10)]
    step = np.concatenate([d.performance.pitch[d.new_of_old] - ETUDE.pitch for d in slips])
    assert set(step[step != 0].tolist()) == {-2, -1, 1, 2}
    wrong = np.concatenate([d.performance.pitch[[e.new_note for e in d.edits]] % 12 for d in slips])
    in_key = np.isin(wrong, MAJOR).mean()
    assert 0.6 < in_key < 0.95  # weights 4 to 1, on two or three diatonic neighbours of four


def test_the_local_key_is_heard() -> None:
    pitch = 60 + np.concatenate([MAJOR, [12], MAJOR + 6, [18]])
    onset = np.concatenate([0.25 * np.arange(8), 60.0 + 0.25 * np.arange(8)])
    length = np.tile([1.0, 0.2, 0.5, 0.2, 0.8, 0.2, 0.2, 1.0], 2)
    played = replace(
        line([64] * 16), onset_sec=onset, offset_sec=onset + length, pitch=pitch, velocity=np.full(16, 64)
    )
    scale = local_scale(read_context(played, None))
    assert set(np.flatnonzero(scale[3])) == set(MAJOR)
    assert set(np.flatnonzero(scale[12])) == set((MAJOR + 6) % 12)


def test_extra_notes_are_short_soft_and_beside_their_note() -> None:
    done = worse("extra_notes", 0.2)
    for edit in done.edits:
        new, played = edit.new_note, done.performance
        assert -0.010 <= edit.new_sec - edit.old_sec <= 0.030
        assert played.offset_sec[new] - edit.new_sec <= 0.15 + 1e-9
        assert played.velocity[new] <= 0.65 * ETUDE.velocity[edit.old_note] + 0.5
        assert 1 <= abs(played.pitch[new] - ETUDE.pitch[edit.old_note]) <= 2


def test_a_doubled_note_is_two_strikes_in_the_time_of_one() -> None:
    done = worse("doubled_notes", 0.2)
    played = done.performance
    for edit in done.edits:
        first, second = done.new_of_old[edit.old_note], edit.new_note
        assert played.pitch[first] == played.pitch[second]
        assert 0.07 <= edit.new_sec - edit.old_sec <= 0.16
        assert played.offset_sec[first] == pytest.approx(edit.new_sec - 0.02)
        assert played.offset_sec[second] == ETUDE.offset_sec[edit.old_note]


def test_too_few_notes_to_double_is_refused() -> None:
    short = replace(ETUDE, offset_sec=ETUDE.onset_sec + 0.1)
    with pytest.raises(InputError, match="only 0 notes that are held for 160 ms; 11 are asked for"):
        corrupt(short, "doubled_notes", 11 / N, np.random.default_rng(0))


@pytest.mark.parametrize("score", [True, False], ids=["score", "no_score"])
def test_hesitations_put_pauses_between_chords_and_hold_on(score) -> None:
    done = worse("hesitations", 12.0, score=score)
    minutes = (ETUDE.onset_sec[-1] - ETUDE.onset_sec[0]) / 60
    assert len(done.spans) == round(12 * minutes)
    pauses = np.array([span.end_sec - span.start_sec for span in done.spans])
    assert np.all((pauses >= 0.35) & (pauses <= 1.4))
    grown = done.performance.onset_sec - ETUDE.onset_sec
    assert grown[-1] == pytest.approx(pauses.sum())
    assert set(np.round(np.unique(grown), 6)) == set(np.round([0.0, *np.cumsum(pauses)], 6))
    assert done.performance.duration_sec == pytest.approx(ETUDE.duration_sec + pauses.sum())
    depth = ETUDE.sustain.at(ETUDE.onset_sec + 0.05)
    np.testing.assert_array_equal(done.performance.sustain.at(done.performance.onset_sec + 0.05), depth)


@pytest.mark.parametrize("score", [True, False], ids=["score", "no_score"])
def test_a_restart_is_a_first_try_a_silence_and_the_music_as_before(score) -> None:
    done = worse("restarts", 4.0, score=score)
    played = done.performance
    assert len(done.spans) == 2
    for span in done.spans:
        tried = [e for e in done.edits if span.start_sec - 1e-9 <= e.new_sec < span.end_sec]
        inside = np.flatnonzero(
            (ETUDE.onset_sec >= span.old_start_sec) & (ETUDE.onset_sec < span.old_end_sec)
        )
        assert sorted(e.old_note for e in tried) == inside.tolist()
        shift = span.start_sec - span.old_start_sec
        np.testing.assert_allclose([e.new_sec - e.old_sec for e in tried], shift, atol=1e-9)
        let_go = span.start_sec + (span.old_end_sec - span.old_start_sec) + 0.12
        before = played.onset_sec < span.end_sec - 1e-9
        assert played.offset_sec[before].max() <= let_go + 1e-9 < span.end_sec
        assert played.sustain.at(np.array([let_go + 0.01]))[0] == 0.0
        again = done.new_of_old[inside]
        np.testing.assert_allclose(
            played.onset_sec[again] - span.end_sec, ETUDE.onset_sec[inside] - span.old_start_sec
        )
    np.testing.assert_allclose(
        (played.offset_sec - played.onset_sec)[done.new_of_old[-20:]],
        (ETUDE.offset_sec - ETUDE.onset_sec)[-20:],
    )


def test_with_a_score_a_player_goes_back_one_to_four_beats() -> None:
    for seed in range(8):
        for span in worse("restarts", 4.0, seed).spans:
            beats = (span.old_end_sec - span.old_start_sec) / BEAT_SEC
            assert 0.5 <= beats <= 4.0 + 1e-6
            assert 1 <= int(span.first_bar) <= int(span.last_bar) <= N_BARS


def test_dropped_bars_are_gone_and_the_rest_closes_up() -> None:
    done = worse("dropped_bars", 0.25)
    bars = {int(edit.bar) for edit in done.edits}
    assert len(bars) == round(0.25 * N_BARS)
    assert not bars & {1, N_BARS}
    in_dropped = np.isin(ALIGNMENT.score.bar + 1, list(bars))
    np.testing.assert_array_equal(done.new_of_old < 0, in_dropped)
    assert done.performance.duration_sec == pytest.approx(ETUDE.duration_sec - 4 * BEAT_SEC * len(bars))
    spanned = sum(int(s.last_bar) - int(s.first_bar) + 1 for s in done.spans)
    assert spanned == len(bars)


def test_too_few_bars_to_drop_is_refused() -> None:
    with pytest.raises(InputError, match="has 1 bars"):
        corrupt(line([60] * 5), "dropped_bars", 0.1, np.random.default_rng(0))


def test_jitter_has_the_stated_size_and_keeps_lengths_and_the_pedal_beside_its_chord() -> None:
    done = worse("timing_jitter", 20.0)
    moved = done.performance.onset_sec[done.new_of_old] - ETUDE.onset_sec
    assert np.std(moved) == pytest.approx(0.020, rel=0.12)
    assert np.abs(moved).max() <= 2.5 * 0.020 * (np.sqrt(0.8) + np.sqrt(0.2))
    lengths = (done.performance.offset_sec - done.performance.onset_sec)[done.new_of_old]
    same = np.isclose(lengths, ETUDE.offset_sec - ETUDE.onset_sec, atol=1e-9)
    assert same.mean() > 0.98
    for note in done.new_of_old[~same]:  # let go because the same key is struck again
        again = done.performance.pitch == done.performance.pitch[note]
        assert done.performance.offset_sec[note] in done.performance.onset_sec[again]
    np.testing.assert_array_equal(done.performance.velocity[done.new_of_old], ETUDE.velocity)
    assert len(done.performance.sustain) == len(ETUDE.sustain)
    assert np.abs(done.performance.sustain.time_sec - ETUDE.sustain.time_sec).max() < 0.05


def test_keys_keep_the_order_of_their_strikes_under_jitter() -> None:
    onset = 0.5 + 0.06 * np.arange(40)
    trill = replace(
        line([64] * 40), onset_sec=onset, offset_sec=onset + 0.05, duration_sec=float(onset[-1] + 0.05)
    )
    done = corrupt(trill, "timing_jitter", 150.0, np.random.default_rng(2))
    np.testing.assert_array_equal(done.new_of_old, np.arange(40))
    assert np.diff(done.performance.onset_sec).min() >= 0.03 - 1e-9


def test_drag_changes_the_beat_evenly_by_the_stated_share() -> None:
    done = worse("drag", 0.25)
    assert len(done.spans) > 2
    for span in done.spans:
        old = np.array([span.old_start_sec, span.old_end_sec - 0.1, span.old_end_sec])
        start, before_end, end = done.time_map(old)
        sign = 1 if span.kind == "dragged" else -1
        length = span.old_end_sec - span.old_start_sec
        assert end - start == pytest.approx(length * (1 + sign * 0.125))
        assert (end - before_end) / 0.1 == pytest.approx(1 + sign * 0.25, abs=0.02)
        assert length == pytest.approx(8 * BEAT_SEC, abs=0.5)


@pytest.mark.parametrize(("bend", "kind"), [(0.004, "dragged"), (-0.004, "rushed")])
def test_a_phrase_drags_further_the_way_that_it_drags(bend: float, kind: str) -> None:
    """Beats that grow, or shrink, within every eight of them, and snap back."""

    def sec_of_beat(beat: FloatArray) -> FloatArray:
        phrase, within = np.divmod(beat, 8.0)
        return phrase * (8.0 * 0.6 + 64.0 * bend) + 0.6 * within + bend * within**2

    played, alignment = play(study_score(), sec_of_beat=sec_of_beat)
    done = corrupt(played, "drag", 0.25, np.random.default_rng(0), alignment=alignment)
    assert [span.kind for span in done.spans[:7]] == [kind] * 7
    lengths = [span.old_end_sec - span.old_start_sec for span in done.spans[:7]]
    assert lengths == pytest.approx([8.0 * 0.6 + 64.0 * bend] * 7)


@pytest.mark.parametrize(("beat_sec", "beats"), [(0.3, 16), (0.6, 8), (1.2, 4)])
def test_phrases_last_about_five_seconds_in_any_tempo(beat_sec: float, beats: int) -> None:
    played, alignment = play(study_score(), sec_of_beat=lambda beat: beat_sec * beat)
    done = corrupt(played, "drag", 0.25, np.random.default_rng(0), alignment=alignment)
    lengths = [span.old_end_sec - span.old_start_sec for span in done.spans[:3]]
    assert lengths == pytest.approx([beats * beat_sec] * 3)


def test_runs_are_found_by_speed_and_evenness() -> None:
    time = np.concatenate([[0.0, 1.0], 2.0 + 0.1 * np.arange(8), [3.5, 4.5], 6.0 + 0.1 * np.arange(5)])
    assert find_runs(time) == [(2, 9)]
    assert find_runs(np.array([0.0, 0.1, 0.3, 0.4, 0.6, 0.7, 0.9])) == []


def test_uneven_runs_limp_and_nothing_else_moves() -> None:
    done = worse("uneven_runs", 0.16)
    moved = done.performance.onset_sec[done.new_of_old] - ETUDE.onset_sec
    inside = np.zeros(N, dtype=bool)
    for span in done.spans:
        inside |= (ETUDE.onset_sec > span.start_sec + 1e-9) & (ETUDE.onset_sec < span.end_sec - 1e-9)
    assert np.all(moved[~inside] == 0.0)
    run_spacing = BEAT_SEC / 4
    assert np.std(moved[inside]) == pytest.approx(0.16 * run_spacing, rel=0.15)
    assert np.all(np.diff(np.unique(done.performance.onset_sec)) > run_spacing / 4 - 1e-9)
    assert len(done.spans) == N_BARS // 2


@pytest.mark.parametrize("side", [1.0, -1.0])
def test_a_run_that_limps_limps_more_on_the_same_side(side: float) -> None:
    limp = side * np.where(np.arange(40) % 2 == 0, 1.0, -1.0)
    played = line([60] * 40)
    onset = 0.2 * np.arange(40.0) + 0.01 * limp
    run = replace(played, onset_sec=onset, offset_sec=onset + 0.1, sustain=PedalCurve())
    moved = [
        corrupt(run, "uneven_runs", severity, np.random.default_rng(3)).performance.onset_sec
        - 0.2 * np.arange(40)
        for severity in (0.0, 0.05, 0.1, 0.2)
    ]
    lean = [float(np.mean((late * limp)[1:-1])) for late in moved]
    assert lean[0] == pytest.approx(0.01)
    assert lean == sorted(lean)
    assert lean[-1] > 0.03


def test_a_piece_without_runs_is_refused() -> None:
    with pytest.raises(InputError, match="no run of 6 even notes"):
        corrupt(line([60] * 9), "uneven_runs", 0.1, np.random.default_rng(0))


def test_flattening_takes_the_stated_share_of_the_range() -> None:
    played = line([40, 60, 80])
    done = corrupt(played, "flattened_dynamics", 0.5, np.random.default_rng(0))
    assert done.performance.velocity.tolist() == [50, 60, 70]
    done = corrupt(played, "flattened_dynamics", 1.0, np.random.default_rng(0))
    assert done.performance.velocity.tolist() == [60, 60, 60]


def test_inversion_turns_the_contour_round_and_keeps_the_voicing() -> None:
    done = worse("inverted_dynamics", 1.0)
    before = level_contour(read_context(ETUDE, None))
    after = level_contour(read_context(done.performance, None))
    assert np.corrcoef(before, after)[0, 1] < -0.9
    chord = ETUDE.onset_sec == ETUDE.onset_sec[0]
    assert np.ptp(done.performance.velocity[chord]) == np.ptp(ETUDE.velocity[chord])


def test_how_long_keys_are_held_does_not_move_the_contour() -> None:
    held = replace(ETUDE, offset_sec=ETUDE.offset_sec + 1.5, duration_sec=ETUDE.duration_sec + 1.5)
    before, after = (level_contour(read_context(played, None)) for played in (ETUDE, held))
    np.testing.assert_array_equal(before, after)


def waves() -> Performance:
    """Quarter notes a second apart that swell and recede every eight seconds."""
    return line(np.rint(64.0 + 20.0 * np.sin(2.0 * np.pi * np.arange(64.0) / 8.0)).astype(int).tolist())


@pytest.mark.parametrize("severity", [0.2, 0.4, 0.6, 0.8])
def test_inversion_takes_the_stated_likeness_and_keeps_the_size(severity: float) -> None:
    done = corrupt(waves(), "inverted_dynamics", severity, np.random.default_rng(0)).performance
    before, after = (level_contour(read_context(played, None)) for played in (waves(), done))
    assert np.corrcoef(before, after)[0, 1] == pytest.approx(1.0 - 2.0 * severity, abs=0.1)
    assert np.std(after) == pytest.approx(np.std(before), rel=0.2)


def test_on_the_way_to_inversion_a_swell_comes_early() -> None:
    """Half way the top of a swell of eight seconds comes two seconds before its time."""
    done = corrupt(waves(), "inverted_dynamics", 0.5, np.random.default_rng(0)).performance
    assert np.corrcoef(done.velocity[16:48], waves().velocity[18:50])[0, 1] > 0.95
    assert np.corrcoef(done.velocity[16:48], waves().velocity[14:46])[0, 1] < -0.95


def test_spikes_have_the_stated_size() -> None:
    change = worse("spiky_dynamics", 8.0).performance.velocity - ETUDE.velocity
    assert np.std(change) == pytest.approx(8.0, rel=0.1)
    assert abs(change.mean()) < 0.5


def test_clipping_takes_the_stated_share_of_each_key() -> None:
    played = worse("clipped_articulation", 0.5).performance
    np.testing.assert_allclose(
        played.offset_sec - played.onset_sec, 0.5 * (ETUDE.offset_sec - ETUDE.onset_sec)
    )
    shortest = worse("clipped_articulation", 0.95).performance
    assert (shortest.offset_sec - shortest.onset_sec).min() == pytest.approx(0.03)


def test_smearing_overlaps_by_the_stated_share_of_the_spacing() -> None:
    scale = replace(line([64] * 8), pitch=60 + np.arange(8), offset_sec=np.arange(8) + 1.0, duration_sec=8.0)
    played = corrupt(scale, "smeared_articulation", 0.4, np.random.default_rng(0)).performance
    np.testing.assert_allclose(played.offset_sec - scale.offset_sec, 0.4)
    same_key = corrupt(line([64] * 4), "smeared_articulation", 4.0, np.random.default_rng(0)).performance
    np.testing.assert_allclose(same_key.offset_sec[:3], same_key.onset_sec[1:] - 0.03)


def test_smearing_closes_the_gaps_of_a_detached_touch_but_no_long_silence() -> None:
    onset = np.array([0.0, 1.0, 2.0, 5.0, 6.0])
    length = np.array([0.3, 1.0, 0.5, 0.9, 0.5])
    detached = replace(
        line([64] * 5),
        pitch=60 + np.arange(5),
        onset_sec=onset,
        offset_sec=onset + length,
        duration_sec=7.0,
    )
    played = corrupt(detached, "smeared_articulation", 0.25, np.random.default_rng(0)).performance
    # The third key is followed by 2.5 s of silence: it is only held a quarter of a second longer.
    np.testing.assert_allclose(played.offset_sec, [1.25, 2.25, 2.75, 6.25, 6.75])


def pedalled(lag_sec: float, *, n: int = 20, up_sec: float = 0.2) -> Performance:
    """A line with one pedal for each note but the first and last, lifted so long after the next."""
    lifted = np.arange(1.0, n) + lag_sec
    time = np.column_stack((lifted - 1.0 + up_sec, lifted)).ravel()
    return replace(line([64] * n), sustain=PedalCurve(time, np.tile([127.0, 0.0], n - 1)))


def moved_by(played: Performance, kind: str, severity: float) -> FloatArray:
    """Seconds by which each step of the pedal is moved."""
    done = corrupt(played, kind, severity, np.random.default_rng(0)).performance
    return done.sustain.time_sec - played.sustain.time_sec


def test_the_pedal_comes_late_or_early_by_its_share_of_the_spacing() -> None:
    """Presses and lifts are a second apart; where none follows, the most that counts is 1.2 s."""
    played = pedalled(0.04)
    np.testing.assert_allclose(moved_by(played, "late_pedal", 0.25), [*[0.25] * 36, 0.3, 0.3])
    np.testing.assert_allclose(moved_by(played, "early_pedal", 0.2), [-0.24, -0.24, *[-0.2] * 36])
    early = corrupt(played, "early_pedal", 0.2, np.random.default_rng(0))
    first, last = early.spans[1], early.spans[-1]
    assert {span.kind for span in early.spans} == {"pedal_moved"}
    np.testing.assert_allclose((first.old_start_sec, first.start_sec, first.end_sec), (1.24, 1.04, 1.84))
    np.testing.assert_allclose((last.old_end_sec, last.end_sec), (19.04, 18.84))


def test_half_way_is_as_late_as_a_change_can_be() -> None:
    played = pedalled(0.04)
    np.testing.assert_allclose(moved_by(played, "late_pedal", 0.5)[:-2], 0.5)
    with pytest.raises(InputError, match=r"allowed: 0 to 0\.5"):
        corrupt(played, "late_pedal", 0.6, np.random.default_rng(0))


def test_the_usual_pedal_lag_is_not_undone() -> None:
    """A pedal that is 0.1 s late comes early by 0.1 s and more, and half way is still half way."""
    habit = pedalled(0.14)
    middle = slice(2, -2)
    np.testing.assert_allclose(moved_by(habit, "late_pedal", 0.25)[middle], 0.25 * (1.0 - 2 * 0.1))
    np.testing.assert_allclose(moved_by(habit, "early_pedal", 0.25)[middle], -(0.2 + 0.25 * (1.0 - 2 * 0.1)))
    np.testing.assert_allclose(moved_by(habit, "late_pedal", 0.5)[middle], 0.4)
    np.testing.assert_allclose(moved_by(habit, "early_pedal", 0.5)[middle], -0.6)
    ahead = pedalled(-0.06)
    np.testing.assert_allclose(moved_by(ahead, "late_pedal", 0.25)[middle], 0.2 + 0.25 * (1.0 - 2 * 0.1))


def test_a_pedal_that_comes_up_ahead_of_the_bass_is_neither_late_nor_early() -> None:
    direct = pedalled(-0.2)
    for kind in ("late_pedal", "early_pedal"):
        with pytest.raises(InputError, match=r"0\.20 s ahead of the bass: it is pedalled directly"):
            corrupt(direct, kind, 0.2, np.random.default_rng(0))


def test_a_pedal_that_does_not_follow_the_bass_is_neither_late_nor_early() -> None:
    lifted = np.arange(1.0, 20.0) + np.where(np.arange(19) % 2 == 0, 0.04, 0.47)
    time = np.column_stack((lifted - 0.9 + np.where(np.arange(19) % 2 == 0, 0.43, 0.0), lifted)).ravel()
    stray = replace(line([64] * 20), sustain=PedalCurve(time, np.tile([127.0, 0.0], 19)))
    with pytest.raises(InputError, match=r"stray 0\.43 s about the bass \(allowed: at most 0\.4 s"):
        corrupt(stray, "late_pedal", 0.2, np.random.default_rng(0))


def test_the_lag_of_a_lift_goes_from_the_nearest_bass() -> None:
    """Of two keys a fifth of a second apart only the lower is the bass; a lift far from all has none."""
    onset = np.array([0.0, 0.2, 2.0, 2.2])
    played = Performance(
        onset_sec=onset,
        offset_sec=onset + 0.1,
        pitch=np.array([48, 60, 62, 50]),
        velocity=np.full(4, 64),
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=4.0,
    )
    context = read_context(played, None)
    lag = lags_of_lifts(context, np.array([0.25, 1.0, 2.1, 2.3]))
    np.testing.assert_allclose(lag, [0.25, -0.1, 0.1])
    assert len(lags_of_lifts(context, np.zeros(0))) == 0


def test_a_habit_as_long_as_the_harmonies_leaves_no_way_to_go() -> None:
    """A bass every quarter of a second, and a pedal 0.13 s off: it is as near to the next one."""
    played = pedalled(0.04)
    quick = replace(
        played,
        onset_sec=played.onset_sec / 4.0,
        offset_sec=played.offset_sec / 4.0,
        sustain=PedalCurve((played.sustain.time_sec - 0.4) / 4.0, played.sustain.value),
        duration_sec=played.duration_sec / 4.0,
    )
    for kind in ("late_pedal", "early_pedal"):
        with pytest.raises(InputError, match=r"0\.13 s off by habit, half way from change to change"):
            corrupt(quick, kind, 0.2, np.random.default_rng(0))


def test_a_pedal_held_on_after_the_last_note_counts_for_nothing() -> None:
    played = pedalled(0.04, up_sec=0.85)
    time = played.sustain.time_sec.copy()
    time[-1] = 80.0
    held = replace(played, sustain=PedalCurve(time, played.sustain.value), duration_sec=80.0)
    with pytest.raises(InputError, match="for 3 of 19 s"):
        corrupt(held, "missing_pedal", 0.5, np.random.default_rng(0))


def test_an_occasional_touch_of_the_pedal_cannot_be_late() -> None:
    often, rare = pedalled(0.04, up_sec=0.4), pedalled(0.04, up_sec=0.6)
    with pytest.raises(InputError, match=r"lifts the sustaining pedal 5 times near a bass"):
        corrupt(pedalled(0.04, n=6), "late_pedal", 0.2, np.random.default_rng(0))
    for kind in ("late_pedal", "early_pedal"):
        assert np.any(moved_by(often, kind, 0.1) != 0.0)
        with pytest.raises(InputError, match=r"for 8 of 19 s \(allowed: down for more than 50 % of the time"):
            corrupt(rare, kind, 0.2, np.random.default_rng(0))


def test_missing_presses_leave_no_half_pedal_behind() -> None:
    played = pedalled(0.04)
    done = corrupt(played, "missing_pedal", 1.0, np.random.default_rng(0))
    # One press is left: without any, nobody could tell that the pedal is not used.
    assert len(done.spans) == 18
    assert len(done.performance.sustain.time_sec) == 2
    with pytest.raises(InputError, match=r"presses the sustaining pedal 4 times \(allowed: at least 8"):
        corrupt(pedalled(0.04, n=5), "missing_pedal", 1.0, np.random.default_rng(0))
    with pytest.raises(InputError, match="down for more than 20 % of the time"):
        corrupt(pedalled(0.04, up_sec=0.85), "missing_pedal", 1.0, np.random.default_rng(0))
    half = worse("missing_pedal", 0.5)
    presses = 2 * N_BARS
    assert len(half.spans) == presses // 2
    assert (half.performance.sustain.value == 110.0).sum() == presses // 2
    assert (half.performance.sustain.value == 50.0).sum() == presses // 2


def test_a_drowned_pedal_stays_down_from_press_to_press() -> None:
    played = pedalled(0.04)
    done = corrupt(played, "drowned_pedal", 1.0, np.random.default_rng(0))
    np.testing.assert_allclose(done.performance.sustain.time_sec, [0.24, 19.04])
    assert done.performance.sustain.value.tolist() == [127.0, 0.0]
    third = corrupt(played, "drowned_pedal", 1 / 3, np.random.default_rng(0))
    assert len(third.spans) == 6
    assert len(third.performance.sustain.time_sec) == 2 * 19 - 2 * 6
    with pytest.raises(InputError, match="presses the sustaining pedal 7 times"):
        corrupt(pedalled(0.04, n=8), "drowned_pedal", 0.5, np.random.default_rng(0))


def test_voices_are_told_apart() -> None:
    voice = read_context(ETUDE, ALIGNMENT).voice
    upper = ALIGNMENT.score.staff == 1
    assert np.all(voice[upper] == MELODY)
    chords = voice[~upper].reshape(-1, 3)
    assert np.all(chords[:, 1:] == INNER)
    assert np.all(chords[ETUDE.pitch[~upper].reshape(-1, 3)[:, 0] < 60, 0] == BASS)


@pytest.mark.parametrize("name", ["harsh_voicing", "muddy_voicing"])
def test_voicing_moves_the_balance_and_not_the_level(name) -> None:
    played = worse(name, 20.0).performance
    assert played.velocity.mean() == pytest.approx(ETUDE.velocity.mean(), abs=0.5)
    voice = read_context(ETUDE, None).voice

    def above(p: Performance, low: int) -> float:
        return p.velocity[voice == MELODY].mean() - p.velocity[voice == low].mean()

    if name == "muddy_voicing":
        assert above(played, INNER) == pytest.approx(above(ETUDE, INNER) - 20.0, abs=0.5)
        assert above(played, BASS) == pytest.approx(above(ETUDE, BASS) - 20.0, abs=0.5)
    else:
        melody = ETUDE.pitch[voice == MELODY]
        gain = (played.velocity - ETUDE.velocity)[voice == MELODY]
        assert gain[melody >= 76].mean() - gain[melody < 76].mean() == pytest.approx(16.0, abs=0.5)
        assert above(played, INNER) < above(ETUDE, INNER) - 5.0


def test_one_voice_alone_has_no_voicing_to_harm() -> None:
    with pytest.raises(InputError, match="one voice only"):
        corrupt(line([60] * 6), "muddy_voicing", 10.0, np.random.default_rng(0))


def test_the_aligner_finds_planted_note_errors() -> None:
    """Precision and recall over all planted wrong, missing and extra notes at 3 %."""
    found, planted, hit = 0, 0, 0
    for seed in range(4):
        for name in ("wrong_notes", "missing_notes", "extra_notes"):
            done = worse(name, 0.03, seed)
            alignment = align_performance_to_score(done.performance, ALIGNMENT.score)
            truth = {("new", e.new_note) for e in done.edits if e.new_note >= 0}
            written = {int(p): int(s) for s, p in ALIGNMENT.match}
            truth |= {("score", written[e.old_note]) for e in done.edits if e.kind != "extra"}
            said = {("new", int(i)) for i in alignment.insertion}
            said |= {("score", int(d)) for d in alignment.deletion}
            found, planted, hit = found + len(said), planted + len(truth), hit + len(said & truth)
            agreed = set(map(tuple, alignment.match)) & set(map(tuple, done.matches(ALIGNMENT.match)))
            assert len(agreed) >= 0.98 * len(alignment.match)
    assert hit / found >= 0.97
    assert hit / planted >= 0.95


def test_the_aligner_finds_restarts_and_dropped_bars() -> None:
    """Between two strokes of one chord, a single one of twenty is found wrong (seed 2)."""
    n_exact = n_tried = n_found = 0
    for seed in range(20):
        restarted = worse("restarts", 4.0, seed=seed)
        alignment = align_performance_to_score(restarted.performance, ALIGNMENT.score)
        tried = {e.new_note for e in restarted.edits}
        # Of two strikes of a key at the seam, either may count as the given-up one.
        said = set(alignment.insertion.tolist())
        pitch = restarted.performance.pitch
        is_exact = sorted(pitch[list(said)]) == sorted(pitch[list(tried)]) and not len(alignment.deletion)
        n_exact, n_tried, n_found = n_exact + is_exact, n_tried + len(tried), n_found + len(tried & said)
        assert len(alignment.deletion) <= 1
    assert n_exact >= 19
    assert n_found >= 0.95 * n_tried
    skipping = worse("dropped_bars", 0.1)
    alignment = align_performance_to_score(skipping.performance, ALIGNMENT.score)
    gone = {int(s) for s, p in ALIGNMENT.match if skipping.new_of_old[p] < 0}
    assert gone == set(alignment.unplayed.tolist()) | set(alignment.deletion.tolist())
    assert len(alignment.insertion) == 0


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_corrupted_performance_survives_a_midi_file(name, tmp_path) -> None:
    from tocco.music.midi import load_midi, save_midi

    played = worse(name, CORRUPTIONS[name].ladder[-1]).performance
    save_midi(played, tmp_path / "x.mid")
    back = load_midi(tmp_path / "x.mid")
    assert len(back) == len(played)
    # Half a tick of 0.5 ms may change the order of notes that are closer than that.
    order, back_order = (np.lexsort((p.onset_sec, p.pitch)) for p in (played, back))
    np.testing.assert_array_equal(back.pitch[back_order], played.pitch[order])
    np.testing.assert_array_equal(back.velocity[back_order], played.velocity[order])
    np.testing.assert_allclose(back.onset_sec[back_order], played.onset_sec[order], atol=0.00026)
    np.testing.assert_allclose(back.offset_sec[back_order], played.offset_sec[order], atol=0.00076)
    np.testing.assert_allclose(back.sustain.time_sec, played.sustain.time_sec, atol=0.00026)
    np.testing.assert_array_equal(back.sustain.value, played.sustain.value)


@pytest.mark.data
@pytest.mark.parametrize("name", sorted(CORRUPTIONS.keys() - {"uneven_runs"}))  # a slow piece without runs
def test_real_playing_is_harmed_and_stays_valid(name, corpus_dir) -> None:
    from test_corruption import check_is_valid, check_record

    from tocco.music.midi import load_midi
    from tocco.music.score import score_readings

    folder = corpus_dir / "vienna4x22"
    midi = min((folder / "midi").glob("Chopin_op10_no3_p*.mid"))
    played = load_midi(midi)
    score = next((folder / "musicxml").glob("Chopin_op10_no3*.musicxml"))
    alignment = align_performance_to_score(played, score_readings(score))
    for severity in CORRUPTIONS[name].ladder:
        done = corrupt(played, name, severity, np.random.default_rng(0), alignment=alignment)
        check_is_valid(done.performance)
        check_record(played, done)
