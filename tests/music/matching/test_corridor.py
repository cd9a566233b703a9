import numpy as np
import pytest

from matching_etude import BEAT_SEC, etude, join, keep, perform
from tocco.music.matching.chords import PlayedNotes, WrittenNotes, group_onsets
from tocco.music.matching.corridor import find_corridor
from tocco.music.matching.path import follow


def _is_open(written: WrittenNotes, played: PlayedNotes, group: np.ndarray) -> np.ndarray:
    """Whether the corridor holds the true group of each played note."""
    corridor = find_corridor(written, group_onsets(written), played)
    block = np.searchsorted(corridor.first_note, np.arange(len(played)), side="right") - 1
    return np.array([g in corridor.open_groups[b] for g, b in zip(group, block, strict=True)])


def test_the_corridor_holds_the_truth_and_little_more() -> None:
    written = etude(128)
    groups = group_onsets(written)
    played, owner = perform(written)
    assert _is_open(written, played, groups.group_of[owner]).all()
    corridor = find_corridor(written, groups, played)
    assert max(len(columns) for columns in corridor.open_groups) < len(groups) / 4
    assert all((np.diff(columns) > 0).all() for columns in corridor.open_groups)


def test_work_grows_with_the_length_and_not_with_its_square() -> None:
    cells = []
    for n_bars in (100, 400):
        written = etude(n_bars)
        played, _ = perform(written)
        corridor = find_corridor(written, group_onsets(written), played)
        widths = [len(columns) for columns in corridor.open_groups]
        cells.append(int(np.dot(np.diff(corridor.first_note), widths)))
    assert cells[1] < 5 * cells[0]


@pytest.mark.parametrize("to_beat", [40.0, 360.0])
def test_the_corridor_follows_a_jump(to_beat: float) -> None:
    written = etude(128)
    groups = group_onsets(written)
    played, owner = perform(written)
    before = np.flatnonzero(played.onset_sec < 1 + 200 * BEAT_SEC)
    after = np.flatnonzero(played.onset_sec >= 1 + to_beat * BEAT_SEC)
    jumped = join(keep(played, before), keep(played, after), (200 - to_beat) * BEAT_SEC + 0.5)
    truth = groups.group_of[np.concatenate([owner[before], owner[after]])]
    assert _is_open(written, jumped, truth).all()
    way = follow(groups, jumped, find_corridor(written, groups, jumped))
    assert (way == truth).mean() > 0.99


def test_the_way_of_a_perfect_performance_is_the_score() -> None:
    written = etude()
    groups = group_onsets(written)
    played, owner = perform(written)
    way = follow(groups, played, find_corridor(written, groups, played))
    np.testing.assert_array_equal(way, groups.group_of[owner])
