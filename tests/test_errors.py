import pickle

import pytest

from tocco.errors import BundleError, InputError, MismatchError, MissingPartError, OutputError, ToccoError

KINDS = (InputError, MismatchError, MissingPartError, BundleError, OutputError)


def test_one_line_says_subject_value_range_and_next_step() -> None:
    error = InputError("a/take.wav", "lasts\n0.1 s", allowed="0.5 s to 3 h", next_step="record it again")
    assert str(error) == "a/take.wav: lasts 0.1 s (allowed: 0.5 s to 3 h). Next: record it again."


def test_parts_that_are_not_known_are_left_out() -> None:
    assert str(MismatchError("take.mid", "is another piece")) == "take.mid: is another piece."


def test_every_kind_has_its_own_exit_code() -> None:
    codes = [kind.exit_code for kind in KINDS]
    assert len(set(codes)) == len(codes)
    assert not {0, 1, 2} & set(codes)


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_survives_the_way_out_of_a_worker_process(kind: type[ToccoError]) -> None:
    error = kind("x.mid", "is empty", allowed="a note", next_step="play")
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is kind
    assert (str(copy), copy.allowed, copy.next_step) == (str(error), "a note", "play")
