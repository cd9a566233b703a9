import numpy as np
import pytest

from tocco.music.matching.chords import PlayedNotes, WrittenNotes, group_onsets
from tocco.music.matching.corridor import find_corridor
from tocco.music.matching.path import follow
from tocco.units import FloatArray, IntArray

BEAT_SEC = 0.5
CHORD = (60, 64, 67)


def _page(chords: list[tuple[int, ...]], onset_beat: FloatArray) -> WrittenNotes:
    pitch = np.array([key for chord in chords for key in chord])
    onset = np.repeat(onset_beat, [len(chord) for chord in chords])
    return WrittenNotes(onset, np.full(len(pitch), 0.5), pitch, np.zeros(len(pitch), dtype=bool))


def _strokes(sec: FloatArray, pitch: IntArray) -> PlayedNotes:
    order = np.argsort(sec, kind="stable")
    return PlayedNotes(sec[order], sec[order] + 0.1, pitch[order], np.full(len(sec), 64))


def _way(page: WrittenNotes, played: PlayedNotes) -> list[int]:
    groups = group_onsets(page)
    return follow(groups, played, find_corridor(page, groups, played)).tolist()


@pytest.mark.parametrize("missing", [3, 7, 12])
@pytest.mark.parametrize("pace", [0.97, 1.0, 1.03])
def test_the_repetition_that_is_missing_is_told_by_its_time(missing: int, pace: float) -> None:
    frame = [(key,) for key in (72, 74, 76, 77)]
    page = _page([*frame, *[(60,)] * 16, *frame], np.arange(24.0))
    sec = np.cumsum(BEAT_SEC * pace ** np.arange(24))
    kept = np.delete(np.arange(24), 4 + missing)
    assert _way(page, _strokes(sec[kept], page.pitch[kept])) == kept.tolist()


@pytest.mark.parametrize("after_sec", [0.08, 0.15, 0.2])
def test_a_stroke_too_many_moves_nothing(after_sec: float) -> None:
    page = _page([CHORD] * 12, np.arange(12.0))
    group = np.repeat(np.arange(12), 3)
    sec = np.append(page.onset_beat * BEAT_SEC, 5 * BEAT_SEC + after_sec)
    played = _strokes(sec, np.append(page.pitch, 64))
    extra = int(np.argsort(sec, kind="stable").tolist().index(36))
    assert np.delete(_way(page, played), extra).tolist() == group.tolist()


@pytest.mark.parametrize("is_first", [True, False])
def test_a_held_chord_does_not_swallow_an_ostinato_of_its_keys(is_first: bool) -> None:
    figure = [(60,), (64,), (67,), (72,)] * 6
    frame = [(key,) for key in (51, 53, 55, 56, 58)]
    chord = [(60, 64, 67, 72)]
    page = _page([*frame, *(chord + figure if is_first else figure + chord), *frame], np.arange(35.0) / 2)
    groups = group_onsets(page).group_of
    sec = page.onset_beat * 0.4
    # Of each four notes the second does not speak, and with the first a finger brushes the top key.
    inside = np.flatnonzero((groups >= 5 + is_first) & (groups < 29 + is_first))
    kept, brushed = np.setdiff1d(np.arange(len(page)), inside[1::4]), inside[::4]
    time_sec = np.concatenate([sec[kept], sec[brushed] + 0.02])
    order = np.argsort(time_sec, kind="stable")
    played = _strokes(time_sec, np.concatenate([page.pitch[kept], np.full(len(brushed), 72)]))
    truth = np.concatenate([groups[kept], np.full(len(brushed), -1)])[order]
    way = np.array(_way(page, played))
    np.testing.assert_array_equal(way[truth >= 0], truth[truth >= 0])


@pytest.mark.parametrize(("slow_sec", "quick_sec"), [(0.6, 0.3), (0.9, 0.3), (1.2, 0.3), (0.3, 1.2)])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_new_tempo_is_no_stroke_too_many(slow_sec: float, quick_sec: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    keys = [(int(key),) for key in rng.integers(50, 80, size=32)]
    repeated = [(int(key),) for key in rng.integers(50, 80, size=30) for _ in range(4)]
    page = _page(keys + repeated, np.arange(152.0) / 2)
    gap_sec = np.where(np.arange(151) < 32, slow_sec, quick_sec) / 2
    sec = np.concatenate([[0.0], np.cumsum(gap_sec)]) + 0.005 * rng.normal(size=152)
    assert _way(page, _strokes(sec, page.pitch)) == list(range(152))


@pytest.mark.parametrize("pause_sec", [30.0, 600.0])
@pytest.mark.parametrize("n_strokes", [2, 4])
def test_a_pause_is_no_tempo(pause_sec: float, n_strokes: int) -> None:
    keys = np.random.default_rng(1).integers(55, 85, size=40)
    page = _page([(int(key),) for key in keys for _ in range(n_strokes)], np.arange(40.0 * n_strokes) / 2)
    sec = page.onset_beat * 0.25 + pause_sec * (np.arange(len(page)) >= 20 * n_strokes)
    assert _way(page, _strokes(sec, page.pitch)) == list(range(len(page)))


def test_the_tempo_is_found_in_many_tries() -> None:
    keys = np.random.default_rng(1).integers(55, 85, size=40)
    page = _page([(int(key),) for key in keys for _ in range(4)], np.arange(160.0) / 2)
    sec = np.concatenate([page.onset_beat * 0.25 + 42.0 * run for run in range(5)])
    played = _strokes(sec, np.tile(page.pitch, 5))
    assert _way(page, played) == list(range(160)) * 5


def test_a_note_and_a_group_alone() -> None:
    one = _page([CHORD], np.zeros(1))
    assert _way(one, _strokes(np.array([0.0, 0.01, 0.5, 3.0]), np.array([60, 64, 64, 50]))) == [0] * 4
    page = _page([(60,), (62,), (64,)], np.arange(3.0))
    assert _way(page, _strokes(np.zeros(1), np.array([62]))) == [1]


def test_a_slow_beat_leaves_room_for_a_new_try() -> None:
    chords = [(60 + k,) for k in (0, 2, 4, 5, 7, 9, 11, 12)]
    page = _page(chords, np.arange(8.0))
    sec = np.array([0.0, 2.0, 4.0, 6.0, 6.6, 8.6, 10.6, 12.6, 14.6])
    played = _strokes(sec, page.pitch[[0, 1, 2, 3, 3, 4, 5, 6, 7]])
    assert _way(page, played) == [0, 1, 2, 3, 3, 4, 5, 6, 7]


def test_a_key_struck_again_after_a_stop_may_be_a_new_try() -> None:
    chords = [(60 + k,) for k in (0, 2, 4, 5, 7, 9, 11, 12)]
    page = _page([*chords, (48,), *[(key[0] - 1,) for key in chords]], np.arange(17.0))
    sec, pitch = page.onset_beat * BEAT_SEC, page.pitch
    again = 4
    played = _strokes(
        np.concatenate([sec[:6], sec[5] + 1.5 + sec[again:] - sec[again]]),
        np.concatenate([pitch[:6], pitch[again:]]),
    )
    assert _way(page, played) == [*range(6), *range(again, 17)]


@pytest.mark.parametrize("after_beat", [0.55, 0.65])
def test_a_stroke_between_two_repetitions_is_told_by_its_time(after_beat: float) -> None:
    frame = [(key,) for key in (72, 74, 76, 77)]
    page = _page([*frame, *[(60,)] * 16, *frame], np.arange(24.0))
    sec = np.append(page.onset_beat, 9 + after_beat) * BEAT_SEC
    played = _strokes(sec, np.append(page.pitch, 60))
    assert np.delete(_way(page, played), 10).tolist() == list(range(24))


@pytest.mark.parametrize("pace", [0.35, 0.6, 1.7, 3.5])
@pytest.mark.parametrize("after_beat", [0.6, 0.7])
def test_the_tempo_goes_with_the_player(pace: float, after_beat: float) -> None:
    keys = [(int(key),) for key in np.random.default_rng(5).integers(62, 84, size=40)]
    page = _page([*keys, *[(60,)] * 12, *keys[:4]], np.arange(56.0))
    share = np.clip((np.arange(55) - 8) / 24, 0.0, 1.0)
    sec = np.concatenate([[0.0], np.cumsum(BEAT_SEC * pace**share)])
    added_sec = sec[46] + after_beat * (sec[47] - sec[46])
    played = _strokes(np.append(sec, added_sec), np.append(page.pitch, 60))
    assert np.delete(_way(page, played), 47).tolist() == list(range(56))


def test_strokes_that_keep_coming_soon_are_a_new_tempo() -> None:
    chords = [(key,) for key in np.random.default_rng(2).integers(55, 80, size=24).tolist() for _ in range(2)]
    page = _page(chords, np.arange(48.0))
    gap_sec = np.where(np.arange(47) < 20, 0.6, np.where(np.arange(47) % 2, 0.2, 0.12))
    sec = np.concatenate([[0.0], np.cumsum(gap_sec)])
    assert _way(page, _strokes(sec, page.pitch)) == list(range(48))
