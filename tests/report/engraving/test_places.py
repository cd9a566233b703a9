"""Places on a system: at printed notes, between them, and for keys that are not printed."""

from __future__ import annotations

from functools import cache

import pytest

from engraved_example import assessed_with, engraved, minuet, minuet_report
from tocco.report.engraving.drawing import HEAD_WIDTH, SPACE
from tocco.report.engraving.engraving import Engraving
from tocco.report.engraving.places import Places, step_of


@cache
def engraving() -> Engraving:
    return engraved(minuet(), assessed_with(minuet_report()))


def first() -> Places:
    return Places(engraving().stretches[0][0], engraving().outcomes)


def test_a_beat_stands_at_its_note_and_between_two_in_the_middle() -> None:
    places = first()
    heads = places.system.heads
    assert places.x(0, 1.0) == pytest.approx(heads[0].middle)
    assert places.x(0, 2.5) == pytest.approx(heads[2].middle)
    assert places.x(0, 2.25) == pytest.approx((heads[1].middle + heads[2].middle) / 2)


def test_behind_the_last_note_there_is_room_up_to_the_bar_line() -> None:
    places = first()
    box = places.box(0)
    assert box is not None
    assert places.system.heads[4].middle < places.x(0, 3.9) < box.right


def test_a_small_note_is_not_where_its_beat_stands() -> None:
    system = next(one for one in engraving().stretches[0] if any(box.place == 7 for box in one.bars))
    places = Places(system, engraving().outcomes)
    small = [n for n, one in engraving().outcomes.printed.items() if one.bar == 7 and one.is_small]
    assert len(small) == 1
    assert places.x(7, 1.0) > system.heads[small[0]].middle + HEAD_WIDTH / 2


@pytest.mark.parametrize(("name", "steps"), [("D5", 0), ("E5", 1), ("D#5", 0), ("C5", -1), ("D6", 7)])
def test_a_key_stands_where_it_would_be_printed(name: str, steps: int) -> None:
    places = first()
    assert places.y(0, 1.0, name) == places.system.heads[0].y - steps * SPACE / 2


def test_a_key_is_set_on_the_staff_that_has_notes_like_it() -> None:
    places = first()
    low = places.system.heads[5]  # G3, left hand
    assert places.y(0, 1.0, "F3") == low.y + SPACE / 2


def test_a_mark_moves_off_a_note_head() -> None:
    places = first()
    head = places.system.heads[0]
    moved = places.free_x(head.middle, head.y)
    assert 0.5 * HEAD_WIDTH < moved - head.middle < 2 * HEAD_WIDTH
    assert places.free_x(moved, head.y - 9 * SPACE) == moved


def test_steps_count_from_c0() -> None:
    assert [step_of(name) for name in ("C0", "B0", "C1", "A#4", "Cb5")] == [0, 6, 7, 33, 35]
