"""What a rater's page sends: one event each, named by position or number and by nothing else."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, TypeAdapter, ValidationError

from tocco.errors import InputError
from tocco.labelling.events import CommentGiven, ListeningGiven, RatingGiven, UndoGiven, VoteGiven
from tocco.schema import StrictModel, one_line

_Place = Annotated[int, Field(strict=True, ge=0, le=1_000_000)]


class RatingSent(StrictModel):
    """A slider that was released, or a box that was ticked."""

    kind: Literal["rating"]
    position: _Place
    given: RatingGiven


class CommentSent(StrictModel):
    """The comment on an item."""

    kind: Literal["comment"]
    position: _Place
    given: CommentGiven


class UndoSent(StrictModel):
    """Takes back the newest rating or comment of an item."""

    kind: Literal["undo"]
    position: _Place
    given: UndoGiven


class ListeningSent(StrictModel):
    """What was played of an item since the last message."""

    kind: Literal["listening"]
    position: _Place
    given: ListeningGiven


class VoteSent(StrictModel):
    """Which of a pair is better."""

    kind: Literal["vote"]
    number: _Place
    given: VoteGiven


class UndoVoteSent(StrictModel):
    """Takes back the newest vote on a pair."""

    kind: Literal["undo_vote"]
    number: _Place
    given: UndoGiven


Sent = Annotated[
    RatingSent | CommentSent | UndoSent | ListeningSent | VoteSent | UndoVoteSent, Field(discriminator="kind")
]
"""Any of them, distinguished by `kind`."""

_ADAPTER: TypeAdapter[Any] = TypeAdapter(Sent)


def read_sent(value: Any) -> Any:
    """An event from what JSON holds.

    Raises
    ------
    InputError
        It is no event.
    """
    try:
        return _ADAPTER.validate_python(value)
    except ValidationError as error:
        raise InputError("event", one_line(error), next_step="load the page again") from error
