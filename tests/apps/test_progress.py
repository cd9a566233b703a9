"""Progress of long commands: lines where no terminal is, else a bar once there is something to show."""

from __future__ import annotations

import io
import sys

import pytest

from tocco.apps import progress
from tocco.apps.progress import progress_bar
from tocco.report.wording import clock


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a_line_for_every_tenth(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(progress, "_QUIET_SEC", 0.0)
    with progress_bar("transcribing", clock) as advance:
        for second in range(0, 301, 10):
            advance(float(second), 300.0)
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 10
    assert lines[2] == "transcribing: 30 % (1:30 of 5:00)"
    with progress_bar("assessing") as advance:
        advance(0, 0)
        advance(1, 2)
    assert capsys.readouterr().err == "assessing: 50 % (1 of 2)\n"


def test_short_work_prints_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("assessing") as advance:
        advance(2, 2)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("at_once", "done_sec", "is_shown"),
    [
        (True, None, True),
        (False, None, False),
        (False, 75.0, True),
        (False, 300.0, False),
        (True, 300.0, True),
    ],
)
def test_a_bar_on_a_terminal(
    at_once: bool, done_sec: float | None, is_shown: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar("transcribing [take]", clock, at_once=at_once) as advance:
        if done_sec is not None:
            advance(done_sec, 300.0)
    assert ("transcribing [take]" in terminal.getvalue()) == is_shown
    amount = "" if done_sec is None else f"{clock(done_sec)}/5:00"
    assert (amount in terminal.getvalue()) == (is_shown or not amount)
