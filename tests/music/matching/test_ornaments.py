import numpy as np
import pytest

from tocco.music.matching.chords import PlayedNotes, WrittenNotes, group_onsets
from tocco.music.matching.ornaments import (
    Arpeggio,
    Ornament,
    find_arpeggios,
    find_hidden_ornaments,
    find_ornaments,
    is_brushed,
)


def _page(onset: list[float], pitch: list[int]) -> WrittenNotes:
    return WrittenNotes(
        np.array(onset), np.ones(len(onset)), np.array(pitch), np.zeros(len(onset), dtype=bool)
    )


def _keys(onset: list[float], pitch: list[int]) -> PlayedNotes:
    return PlayedNotes(np.array(onset), np.array(onset) + 0.1, np.array(pitch), np.full(len(onset), 64))


def _ornaments(sec: list[float], pitch: list[int], main: int, has_sign: bool = False) -> tuple[Ornament, ...]:
    """Ornaments of one written C5 that lasts a second from 1.0 s; `main` is the stroke that matched it."""
    added = np.array([k for k in range(len(sec)) if k != main])
    return find_ornaments(
        _page([0.0], [72]),
        _keys(sec, pitch),
        np.array([[0, main]]),
        added,
        np.array([2.0]),
        np.array([has_sign]),
    )


def test_alternation_is_a_trill() -> None:
    sec = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5]
    assert _ornaments(sec, [72, 74, 72, 74, 72, 74], main=0) == (Ornament("trill", 0, (1, 2, 3, 4, 5)),)


def test_a_neighbour_and_back_is_a_mordent() -> None:
    assert _ornaments([1.0, 1.08, 1.16], [72, 71, 72], main=0) == (Ornament("mordent", 0, (1, 2)),)


def test_above_and_below_is_a_turn() -> None:
    assert _ornaments([1.0, 1.1, 1.2, 1.3], [74, 72, 71, 72], main=3) == (Ornament("turn", 0, (0, 1, 2)),)


@pytest.mark.parametrize(("has_sign", "count"), [(True, 1), (False, 0)])
def test_a_single_neighbour_adorns_only_what_has_a_sign(has_sign: bool, count: int) -> None:
    assert len(_ornaments([0.9, 1.0], [74, 72], main=1, has_sign=has_sign)) == count


def test_a_key_brushed_along_is_no_note_of_the_trill() -> None:
    sec = [1.0, 1.1, 1.2, 1.21, 1.3, 1.4, 1.5]
    assert _ornaments(sec, [72, 74, 72, 73, 74, 72, 74], main=0) == (Ornament("trill", 0, (1, 2, 4, 5, 6)),)


def test_a_key_struck_again_turns_about_nothing() -> None:
    assert _ornaments([0.9, 1.0, 1.1], [73, 72, 72], main=1) == ()
    assert _ornaments([1.0, 1.08, 1.16], [72, 73, 72], main=0) == (Ornament("mordent", 0, (1, 2)),)


@pytest.mark.parametrize(
    ("pitch", "main", "kind", "adorning"),
    [
        ([72, 72, 73, 72], 0, "mordent", (2, 3)),
        ([72, 72, 73, 72], 1, "mordent", (2, 3)),
        ([72, 73, 72, 72], 0, "mordent", (1, 2)),
        ([72, 73, 72, 72], 3, "mordent", (0, 1)),
        ([72, 73, 73, 72], 0, "mordent", (1, 3)),
        ([74, 72, 71, 72], 3, "turn", (0, 1, 2)),
    ],
)
def test_a_key_struck_twice_in_an_ornament_is_a_slip_beside_it(
    pitch: list[int], main: int, kind: str, adorning: tuple[int, ...]
) -> None:
    sec = [1.0, 1.08, 1.16, 1.24]
    assert [(o.kind, o.played) for o in _ornaments(sec, pitch, main)] == [(kind, adorning)]


@pytest.mark.parametrize(
    ("sec", "pitch", "velocity", "brushed"),
    [
        ([1.0, 1.02], [72, 73], [64, 30], [False, True]),
        ([1.0, 1.02], [72, 73], [30, 64], [True, False]),
        ([0.8, 1.0, 1.02], [73, 72, 73], [64, 64, 30], [False, True, False]),
        ([1.0, 1.04], [72, 73], [64, 30], [False, False]),
        ([1.0, 1.02], [72, 75], [64, 30], [False, False]),
        ([1.0, 1.02], [72, 72], [64, 30], [False, False]),
    ],
)
def test_the_rarer_or_softer_of_two_neighbour_keys_is_brushed(
    sec: list[float], pitch: list[int], velocity: list[int], brushed: list[bool]
) -> None:
    note = np.arange(len(sec))
    found = is_brushed(note, np.array(sec), np.array(pitch), np.array(velocity))
    assert found.tolist() == brushed


def test_slow_or_distant_notes_are_no_ornament() -> None:
    assert _ornaments([1.0, 1.4, 1.8], [72, 74, 72], main=0) == ()
    assert _ornaments([1.0, 1.1, 1.2], [72, 79, 81], main=0) == ()
    assert _ornaments([1.0, 2.3, 2.4], [72, 74, 72], main=0) == ()


@pytest.mark.parametrize(
    ("sec", "found"),
    [
        ([0.0, 0.06, 0.12, 0.2], (Arpeggio(0, True, 0.2),)),
        ([0.2, 0.12, 0.06, 0.0], (Arpeggio(0, False, 0.2),)),
        ([0.0, 0.01, 0.02, 0.03], ()),
        ([0.1, 0.0, 0.2, 0.05], ()),
    ],
)
def test_a_chord_in_order_of_pitch_is_rolled(sec: list[float], found: tuple[Arpeggio, ...]) -> None:
    page = _page([0.0] * 4, [48, 55, 60, 64])
    order = np.argsort(sec)
    keys = _keys(list(np.array(sec)[order]), list(page.pitch[order]))
    match = np.column_stack([np.arange(4), np.argsort(order)])
    assert find_arpeggios(page, keys, group_onsets(page), match) == found


def _hidden(sec: list[float], pitch: list[int], hidden_sec: list[float]) -> tuple[Ornament, ...]:
    """Ornaments of a C5 at 1.0 s and a C3 at 1.2 s, with E5 hidden; strokes from the third on are added."""
    return find_hidden_ornaments(
        _page([0.0, 0.4], [72, 48]),
        _keys([1.0, 1.2, *sec], [72, 48, *pitch]),
        np.array([[0, 0], [1, 1]]),
        np.arange(2, 2 + len(sec)),
        np.array(hidden_sec),
        np.full(len(hidden_sec), 76),
    )


def test_a_stroke_that_the_page_hides_adorns_the_nearest_note() -> None:
    assert _hidden([1.3], [76], [1.25]) == (Ornament("other-ornament", 1, (2,)),)
    assert _hidden([1.05], [76], [1.25]) == (Ornament("other-ornament", 0, (2,)),)


def test_a_hidden_note_allows_one_stroke_of_its_key_near_its_time() -> None:
    assert _hidden([1.2, 1.3], [76, 76], [1.3]) == (Ornament("other-ornament", 1, (3,)),)
    assert _hidden([1.3], [77], [1.3]) == ()
    assert _hidden([1.69], [76], [1.3]) != ()
    assert _hidden([1.71], [76], [1.3]) == ()
    assert _hidden([1.3], [76], []) == ()


def test_a_hidden_note_that_a_printed_one_doubles_allows_no_other() -> None:
    found = find_hidden_ornaments(
        _page([0.0], [76]),
        _keys([1.0, 1.3], [76, 76]),
        np.array([[0, 0]]),
        np.array([1]),
        np.array([1.0]),
        np.array([76]),
    )
    assert found == ()
