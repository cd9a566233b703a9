"""Errors that a user can act on, and the form of their messages.

Every error is one line: the subject (a file, an option), what is wrong with its value, what is
allowed, and the next step. The command line prints that line and ends with the class's exit code;
a library user catches `ToccoError` or one of its kinds.
"""

from __future__ import annotations

from os import PathLike
from typing import Any


def short(value: Any) -> str:
    """Python representation of a value for a message, at most forty characters."""
    text = repr(value)
    return text if len(text) <= 40 else text[:37] + "..."


class ToccoError(Exception):
    """An error that a user can act on.

    Parameters
    ----------
    subject
        Subject of the error: a file, a manifest row, an option.
    problem
        What is wrong, with the invalid value.
    allowed
        The accepted range or kinds, where that helps.
    next_step
        What the user should do.

    Examples
    --------
    >>> str(ToccoError("take.wav", "lasts 0 s", allowed="0.5 s to 3 h", next_step="record it again"))
    'take.wav: lasts 0 s (allowed: 0.5 s to 3 h). Next: record it again.'
    """

    exit_code = 1

    def __init__(
        self,
        subject: str | PathLike[str],
        problem: str,
        *,
        allowed: str | None = None,
        next_step: str | None = None,
    ) -> None:
        self.subject = str(subject)
        self.problem = problem
        self.allowed = allowed
        self.next_step = next_step
        super().__init__(str(self))

    def __reduce__(self) -> tuple[Any, ...]:
        # Keyword arguments are not in `args`: without this, the error could not be unpickled.
        return _rebuilt, (type(self), self.subject, self.problem, self.allowed, self.next_step)

    def __str__(self) -> str:
        text = f"{self.subject}: {self.problem}"
        if self.allowed:
            text += f" (allowed: {self.allowed})"
        text += "."
        if self.next_step:
            text += f" Next: {self.next_step}."
        return " ".join(text.split())


def _rebuilt(
    kind: type[ToccoError], subject: str, problem: str, allowed: str | None, next_step: str | None
) -> ToccoError:
    return kind(subject, problem, allowed=allowed, next_step=next_step)


class InputError(ToccoError):
    """A file or a value cannot be used: missing, of the wrong kind, damaged or out of range."""

    exit_code = 3


class UsageError(InputError):
    """An option has an invalid value, or conflicts with another."""

    exit_code = 2


class MismatchError(ToccoError):
    """Two valid inputs do not belong together: audio and MIDI, MIDI and score."""

    exit_code = 4


class TransposedError(MismatchError):
    """A performance that follows its score in another key.

    Attributes
    ----------
    semitones : by which it stands above the score
    """

    semitones: int = 0


class MissingPartError(ToccoError):
    """The request needs something that is not installed: a library, a soundfont, a checkpoint."""

    exit_code = 5


class BundleError(ToccoError):
    """A model bundle is incomplete, changed or of a version that this release cannot read."""

    exit_code = 6


class OutputError(ToccoError):
    """A result cannot be written to the requested place."""

    exit_code = 7
