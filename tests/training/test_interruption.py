"""Signals: remembered once, said in one line, and given back."""

from __future__ import annotations

import os
import pickle
import signal
from pathlib import Path

import pytest

from tocco.training.interruption import StoppedError, StopRequest, stop_requests


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_the_first_signal_is_remembered_and_the_second_is_as_ever(number: signal.Signals, code: int) -> None:
    earlier = signal.getsignal(number)
    with stop_requests() as request:
        assert request.number == 0
        os.kill(os.getpid(), number)
        assert request.number == number
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        request.listen()  # a signal is not asked for again
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    assert signal.getsignal(number) is earlier
    assert StoppedError(Path("run"), number, 3).exit_code == code


def test_the_line_names_folder_signal_step_and_what_to_do() -> None:
    error = StoppedError(Path("runs/a/split"), signal.SIGTERM, 12)
    line = "runs/a/split: stopped by SIGTERM after step 12, which its checkpoint has."
    assert str(error) == f"{line} Next: run the same command with --resume."
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.exit_code) == (str(error), 143)


def test_handlers_of_others_are_replaced_where_it_is_asked_for() -> None:
    with stop_requests() as request:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        request.listen()
        os.kill(os.getpid(), signal.SIGTERM)
        assert request.number == signal.SIGTERM
    assert StopRequest().number == 0
