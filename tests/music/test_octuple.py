import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tocco.errors import InputError
from tocco.music.alignment import Alignment
from tocco.music.octuple import (
    COLUMNS,
    OCTUPLE_VOCABULARY,
    STEPS_PER_BEAT,
    BeatGrid,
    OctupleTokens,
    decode_octuple,
    encode_octuple_midi,
    fold_octuple,
)
from tocco.music.performance import PedalCurve, Performance
from tocco.music.score import Score


def performance_of(onset, offset, pitch, velocity):
    order = np.lexsort((pitch, onset))
    onset, offset = np.asarray(onset, float)[order], np.asarray(offset, float)[order]
    return Performance(
        onset_sec=onset,
        offset_sec=offset,
        pitch=np.asarray(pitch)[order],
        velocity=np.asarray(velocity)[order],
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float(offset.max(initial=0.0)),
    )


def random_performance(rng, n, span_sec=120.0):
    onset = rng.uniform(-2.0, span_sec, n)
    return performance_of(
        onset, onset + rng.uniform(0.01, 8.0, n), rng.permutation(np.arange(n) % 128), rng.integers(1, 128, n)
    )


def random_grid(rng):
    n_anchors, n_bars = int(rng.integers(2, 40)), int(rng.integers(1, 20))
    bar_beats = rng.choice([0.5, 1.5, 3.0, 4.0, 3.7, 5.0, 2.01], n_bars)
    return BeatGrid(
        anchor_beat=np.cumsum(rng.uniform(0.05, 4.0, n_anchors)),
        anchor_sec=np.cumsum(rng.uniform(0.02, 3.0, n_anchors)),
        bar_onset_beat=rng.uniform(-1, 1) + np.concatenate(([0.0], np.cumsum(bar_beats)[:-1])),
        bar_beats=bar_beats,
    )


def score_of(bar_onset_beat, bar_beats, tempo_bpm=0.0):
    return Score(
        note_id=("a",),
        onset_beat=np.zeros(1),
        duration_beat=np.ones(1),
        pitch=np.array([60]),
        voice=np.array([1]),
        staff=np.array([1]),
        is_grace=np.array([False]),
        articulation=("",),
        velocity=np.array([0]),
        bar=np.array([0]),
        bar_onset_beat=np.asarray(bar_onset_beat, float),
        bar_beats=np.asarray(bar_beats, float),
        bar_name=tuple(str(i + 1) for i in range(len(bar_beats))),
        tempo_bpm=tempo_bpm,
        marks=(),
        source="score.musicxml",
    )


def alignment_of(anchor_beat, anchor_sec, score):
    none = np.zeros(0, int)
    return Alignment(
        score=score,
        match=np.zeros((0, 2), int),
        deletion=none,
        insertion=none,
        substitution=np.zeros((0, 2), int),
        anchor_beat=np.asarray(anchor_beat, float),
        anchor_sec=np.asarray(anchor_sec, float),
        performance_beat=np.zeros(0),
    )


def test_a_known_bar_in_three_four_time():
    # One beat is 0.5 s; a bar of 3/4 lasts 1.5 s.
    performance = performance_of(
        onset=[0.0, 0.5 + 0.5 / 3, 1.5, 4.75],
        offset=[0.5, 1.0, 4.5, 4.8125],
        pitch=[0, 60, 127, 61],
        velocity=[1, 64, 127, 100],
    )
    tokens = encode_octuple_midi(performance, BeatGrid.regular(0.5, 10.0, beats_per_bar=3.0))
    by_name = dict(zip(COLUMNS, (tokens.token - 2).T.tolist(), strict=True))
    assert by_name == {
        "type": [0, 0, 0, 0],
        "beat": [0, 1, 0, 0],
        "position": [0, 8, 0, 12],
        "pitch": [0, 60, 127, 61],
        "duration": [64, 59, 85, 40],  # 8 log2(256 beats): 1, 2/3, 6 and 1/8 beats
        "velocity": [0, 63, 126, 99],
        "instrument": [0, 0, 0, 0],
        "bar": [0, 0, 1, 3],
    }
    assert tokens.note_index.tolist() == [0, 1, 2, 3]
    assert tokens.first_bar == 0


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_what_is_encoded_is_decoded_within_half_a_step(seed):
    rng = np.random.default_rng(seed)
    performance, grid = random_performance(rng, 50, span_sec=60.0), random_grid(rng)
    tokens = encode_octuple_midi(performance, grid)
    decoded = decode_octuple(tokens, grid)
    assert len(decoded) == len(performance)

    # Every pitch occurs once, so that it tells which note is which.
    note = np.argsort(performance.pitch)[np.searchsorted(np.sort(performance.pitch), decoded.pitch)]
    np.testing.assert_array_equal(decoded.pitch, performance.pitch[note])
    np.testing.assert_array_equal(decoded.velocity, performance.velocity[note])
    beat, played = grid.beat_at(decoded.onset_sec), grid.beat_at(performance.onset_sec[note])
    assert np.max(np.abs(beat - played)) <= 0.5 / STEPS_PER_BEAT + 1e-6
    held = grid.beat_at(performance.offset_sec[note]) - played
    ratio = (grid.beat_at(decoded.offset_sec) - beat) / held
    fits = (held > 2.0**-8) & (held < 2.0**7.875)
    assert np.all(np.abs(np.log2(ratio[fits])) <= 1 / 16 + 1e-6)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_beats_and_seconds_are_inverse_and_bars_hold_their_beats(seed):
    rng = np.random.default_rng(seed)
    grid = random_grid(rng)
    when = np.sort(rng.uniform(-30, 200, 200))
    beat = grid.beat_at(when)
    assert np.all(np.diff(beat) >= 0)
    np.testing.assert_allclose(grid.sec_at(beat), when, atol=1e-6)
    bar = grid.bar_at(beat)
    assert np.all(grid.bar_start(bar) <= beat + 1e-9)
    assert np.all(beat < grid.bar_start(bar + 1) + 1e-9)


def test_time_goes_on_at_the_mean_tempo_of_four_beats():
    grid = BeatGrid(
        np.array([0.0, 2.0, 4.0, 4.1]), np.array([0.0, 1.0, 2.0, 2.5]), np.zeros(1), np.ones(1) * 4
    )
    # 4.1 beats back from the end take 2.5 s; the first four take 2 s.
    assert float(grid.sec_at(np.array(5.1))) == pytest.approx(2.5 + 2.5 / 4.1)
    assert float(grid.sec_at(np.array(-1.0))) == pytest.approx(-0.5)


def test_bars_far_out_and_before_the_first_keep_their_number():
    performance = performance_of([-0.7, 0.0, 4000.0], [0.5, 1.0, 4001.0], [60, 62, 64], [64, 64, 64])
    tokens = encode_octuple_midi(performance, BeatGrid.regular(0.5, 10.0))
    assert tokens.first_bar == -1
    assert tokens.token[:, 7].tolist() == [2, 3, 2003]
    assert tokens.token[:, 0].tolist() == [3, 2, 2]  # the first is carried in
    folded = fold_octuple(tokens.token)
    assert folded[:, 7].tolist() == [2, 3, 2 + 2001 % 256]
    np.testing.assert_array_equal(folded[:, :7], tokens.token[:, :7])


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_folded_tokens_fit_the_vocabulary_and_specials_stay(seed):
    rng = np.random.default_rng(seed)
    performance = random_performance(rng, 40, span_sec=5000.0)
    grid = BeatGrid(np.array([0.0, 90.0]), np.array([0.0, 9.0]), np.array([0.0]), np.array([70.0]))
    token = encode_octuple_midi(performance, grid).token
    sizes = np.array([OCTUPLE_VOCABULARY[name] for name in COLUMNS])
    assert np.all((token >= 2) & ((token < sizes) | np.isin(COLUMNS, ("beat", "bar"))))
    token[0], token[1] = 0, 1
    folded = fold_octuple(token)
    assert np.all(folded < sizes)
    assert folded[0].tolist() == [0] * 8
    assert folded[1].tolist() == [1] * 8


def test_decoding_skips_padding_and_refuses_what_stands_for_nothing():
    performance = performance_of([0.0, 1.0], [0.5, 1.5], [60, 62], [64, 65])
    grid = BeatGrid.regular(0.5, 2.0)
    tokens = encode_octuple_midi(performance, grid)
    padded = OctupleTokens(np.concatenate((tokens.token, np.zeros((3, 8), int))), tokens.note_index, 0)
    assert decode_octuple(padded, grid).pitch.tolist() == [60, 62]
    for column, wrong in (("pitch", 1), ("velocity", 0), ("position", 26), ("type", 8)):
        broken = tokens.token.copy()
        broken[1, COLUMNS.index(column)] = wrong
        with pytest.raises(ValueError, match=f"token 1: {column} id {wrong}"):
            decode_octuple(OctupleTokens(broken, tokens.note_index, 0), grid)


def test_a_performance_without_notes_has_no_tokens():
    empty = performance_of([], [], np.zeros(0, int), np.zeros(0, int))
    grid = BeatGrid.regular(0.5, 2.0)
    tokens = encode_octuple_midi(empty, grid)
    assert tokens.token.shape == (0, 8)
    assert len(decode_octuple(tokens, grid)) == 0


def test_an_aligned_performance_stands_on_the_beats_of_its_score():
    score = score_of([0.0, 1.0, 5.0], [1.0, 4.0, 4.0])  # an upbeat of one quarter
    alignment = alignment_of([0.0, 1.0, 2.0, 2.5, 5.0], [0.3, 1.1, 1.9, 1.9, 5.0], score)
    grid = BeatGrid.from_alignment(alignment)
    assert grid.anchor_beat.tolist() == [0.0, 1.0, 2.0, 5.0]
    performance = performance_of([0.3, 1.1, 1.9, 5.0], [1.0, 1.5, 2.2, 6.0], [60, 62, 64, 65], [64] * 4)
    token = encode_octuple_midi(performance, grid).token - 2
    assert token[:, 7].tolist() == [0, 1, 1, 2]
    assert token[:, 1].tolist() == [0, 0, 1, 0]
    assert token[:, 2].tolist() == [0, 0, 0, 0]


def test_a_known_position_goes_before_the_time():
    performance = performance_of([0.02, 0.05], [0.5, 0.5], [60, 64], [64, 64])
    grid = BeatGrid.regular(0.5, 2.0)
    assert encode_octuple_midi(performance, grid).token[:, 2].tolist() == [3, 4]
    placed = encode_octuple_midi(performance, grid, onset_beat=np.array([0.0, 0.0]))
    assert placed.token[:, 2].tolist() == [2, 2]
    with pytest.raises(ValueError, match="onset_beat"):
        encode_octuple_midi(performance, grid, onset_beat=np.zeros(3))


def test_a_rendered_score_has_the_beats_of_its_tempo():
    grid = BeatGrid.from_score(score_of([0.0, 4.0], [4.0, 4.0], tempo_bpm=90.0))
    np.testing.assert_allclose(grid.sec_at(np.array([0.0, 3.0, 12.0])), [0.0, 2.0, 8.0])
    with pytest.raises(InputError, match=r"score\.musicxml: states no tempo"):
        BeatGrid.from_score(score_of([0.0], [4.0]))
    with pytest.raises(InputError, match="fewer than two onsets"):
        BeatGrid.from_alignment(alignment_of([0.0, 1.0], [1.0, 1.0], score_of([0.0], [4.0])))


def test_a_grid_that_is_none_is_refused():
    with pytest.raises(ValueError, match="anchor_sec must ascend"):
        BeatGrid(np.array([0.0, 1.0]), np.array([1.0, 1.0]), np.zeros(1), np.ones(1))
    with pytest.raises(ValueError, match="two anchors"):
        BeatGrid(np.zeros(1), np.zeros(1), np.zeros(1), np.ones(1))
    with pytest.raises(ValueError, match="a bar or more"):
        BeatGrid(np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.zeros(0), np.zeros(0))
    with pytest.raises(ValueError, match="above 0"):
        BeatGrid.regular(0.0, 1.0)
    with pytest.raises(ValueError, match="bar_beats"):
        BeatGrid.regular(1.0, 1.0, beats_per_bar=0.0)


def test_miditok_puts_notes_into_the_same_bars_and_positions(tmp_path, rng):
    import symusic
    from miditok import Octuple, TokenizerConfig

    config = TokenizerConfig(
        beat_res={(0, 64): STEPS_PER_BEAT}, pitch_range=(0, 127), num_velocities=127, use_programs=False
    )
    tokenizer = Octuple(config)
    n = 120
    step = np.sort(rng.choice(50 * 4 * STEPS_PER_BEAT, n, replace=False))
    pitch, velocity = rng.integers(0, 127, n), rng.integers(1, 128, n)
    score = symusic.Score(STEPS_PER_BEAT)
    track = symusic.Track(name="piano", program=0, is_drum=False)
    for s, p, v in zip(step.tolist(), pitch.tolist(), velocity.tolist(), strict=True):
        track.notes.append(symusic.Note(s, STEPS_PER_BEAT // 2, p, v))
    score.tracks.append(track)
    score.tempos.append(symusic.Tempo(0, 120.0))
    score.time_signatures.append(symusic.TimeSignature(0, 4, 4))
    sequence = tokenizer(score)
    words = (sequence if not isinstance(sequence, list) else sequence[0]).tokens

    def numbers(kind):
        found = [next(t for t in row if t.startswith(f"{kind}_")) for row in words]
        return [int(Fraction(t.split("_")[1])) for t in found]

    performance = performance_of(step / 48, (step + 12) / 48, pitch, velocity)
    token = encode_octuple_midi(performance, BeatGrid.regular(0.5, 100.0)).token - 2
    assert token[:, 3].tolist() == numbers("Pitch")
    assert token[:, 7].tolist() == numbers("Bar")
    assert (token[:, 1] * STEPS_PER_BEAT + token[:, 2]).tolist() == numbers("Position")


@pytest.mark.slow
def test_three_hundred_thousand_notes_a_second(rng):
    performance = random_performance(rng, 100_000, span_sec=5000.0)
    grid = random_grid(rng)
    encode_octuple_midi(performance, grid)
    started = time.process_time()
    encode_octuple_midi(performance, grid)
    assert time.process_time() - started < 1 / 3
