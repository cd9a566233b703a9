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


def test_a_held_chord_does_not_keep_the_player_through_an_ostinato_of_its_keys() -> None:
    figure = [(60,), (64,), (67,), (72,)]
    page = _page([(48, 60, 64, 67, 72), *figure * 8, (50, 62)], np.append(np.arange(33) / 4, 12.0))
    played = _strokes(page.onset_beat * 4 * 0.2, page.pitch)
    assert _way(page, played) == [0] * 5 + list(range(1, 33)) + [33] * 2


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
