"""Words beside marks: none lies on another word, on another mark, or outside the system."""

from __future__ import annotations

from itertools import combinations, product

from tocco.report.engraving.labels import HEIGHT, LETTER, Box, Label, Labels

RADIUS = 171.0


def test_a_word_alone_stands_above_on_the_right() -> None:
    found = Labels([(1000.0, 800.0)], [], RADIUS, 9000.0).place("F5", 1000.0, 800.0)
    assert (found.x > 1000.0, found.y < 800.0, found.is_turned) == (True, True, False)
    assert found.box("F5") == Box(found.x, found.y - HEIGHT, found.x + 2 * LETTER, found.y)


def test_a_chord_of_wrong_notes_has_words_that_can_be_read() -> None:
    marks = [(1000.0, 800.0 + 180.0 * k) for k in range(4)] + [(1350.0, 800.0), (1350.0, 980.0)]
    labels = Labels(marks, marks, RADIUS, 9000.0)
    boxes = [labels.place("F#5", *mark).box("F#5") for mark in marks]
    assert not any(one.meets(other) for one, other in combinations(boxes, 2))
    around = [Box(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in marks]
    met = [(k, j) for (k, box), (j, mark) in product(enumerate(boxes), enumerate(around)) if box.meets(mark)]
    assert all(k == j for k, j in met)


def test_a_word_covers_no_note_head_where_another_place_is_free() -> None:
    mark, beside = (1000.0, 800.0), (1300.0, 500.0)
    found = Labels([mark], [mark, beside], RADIUS, 9000.0).place("F#5", *mark)
    head = Box(1300.0 - 112.0, 500.0 - 90.0, 1300.0 + 112.0, 500.0 + 90.0)
    assert not found.box("F#5").meets(head)


def test_at_the_right_edge_a_word_stands_on_the_left() -> None:
    found = Labels([(8900.0, 800.0)], [], RADIUS, 9000.0).place("11 notes", 8900.0, 800.0)
    assert found.is_turned
    assert found.box("11 notes").right < 8900.0


def test_where_no_place_is_free_it_stands_at_the_nearest() -> None:
    labels = Labels([(500.0, 800.0)], [], RADIUS, 600.0)
    assert labels.place("a long word", 500.0, 800.0) == Label(500.0 + 0.75 * 225.0, 620.0)
