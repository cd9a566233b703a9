"""What raters give, and what the store returns.

The classes that end in `Given` are bodies of requests: they name neither rater nor segment, so that a rater's
page stays blind. Times are Unix seconds; the order of events is their `sequence`, never a time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, Literal, get_args

from pydantic import Field, model_validator

from tocco.rubrics import TARGETS
from tocco.schema import StrictModel, nearest

Occasion = Literal["calibration_1", "calibration_2", "first", "repeat", "anchor"]
"""Why a segment is presented: calibration and its repetition on a later day; the first rating that counts;
a repetition that checks self-consistency; an anchor, whose rating is known."""

OCCASIONS: Final[tuple[Occasion, ...]] = get_args(Occasion)
COUNTED: Final[tuple[Occasion, ...]] = ("first", "calibration_1")
"""The occasions whose ratings make labels: each segment has one of them."""

Role = Literal["admin", "rater"]
Outcome = Literal["a", "b", "tie"]

LONGEST_COMMENT: Final = 4000
HEARD_SHARE: Final = 0.8
"""Share of a segment that has to be heard before its ratings count."""

_EventId = Annotated[str, Field(strict=True, min_length=8, max_length=64, pattern=r"^[A-Za-z0-9_-]+$")]
_Value = Annotated[float, Field(ge=0.0, le=100.0, allow_inf_nan=False)]
_Seconds = Annotated[float, Field(ge=0.0, le=1e6, allow_inf_nan=False)]
_Time = Annotated[float, Field(ge=-1e12, le=1e12, allow_inf_nan=False)]
_Share = Annotated[float, Field(ge=0.0, le=1.0, allow_inf_nan=False)]


class _Given(StrictModel):
    event_id: _EventId
    """Chosen by the client, unique among the rater's events; sent again, the event is saved once."""

    client_time_sec: _Time
    """Clock of the client. Kept for the record; orders nothing."""

    position_sec: _Seconds = 0.0
    """Position of the playback in the segment."""

    listened_share: _Share = 0.0
    """Share of the segment that had been heard, as the client counts it. Kept for the record; whether a
    rating counts is decided by the spans of `ListeningGiven`."""


class RatingGiven(_Given):
    """One slider that was released, or one box that was ticked."""

    dimension: str
    """A dimension of the project."""

    value: _Value | None
    """The rating; null where the rater cannot say (no pedal in the music, no score for the notes)."""

    uncertain: Annotated[bool, Field(strict=True)] = False
    """Whether the rater is not sure of it."""

    @model_validator(mode="after")
    def _names_a_target(self) -> RatingGiven:
        if self.dimension not in TARGETS:
            raise ValueError(nearest(self.dimension, TARGETS))
        return self


class CommentGiven(_Given):
    """The comment on a segment; an empty one takes the comment away."""

    comment: Annotated[str, Field(strict=True, max_length=LONGEST_COMMENT)]


class UndoGiven(_Given):
    """Takes back the newest rating or comment of the presentation (or vote on the pair) that still stands."""


class VoteGiven(_Given):
    """Which of two takes is better."""

    outcome: Outcome
    dimension: str = "overall_quality"

    @model_validator(mode="after")
    def _names_a_target(self) -> VoteGiven:
        if self.dimension not in TARGETS:
            raise ValueError(nearest(self.dimension, TARGETS))
        return self


class ListeningGiven(StrictModel):
    """What was played since the last message: sent on pause, every few seconds, and before leaving."""

    position_sec: _Seconds
    """Position of the playback in the segment: where listening goes on after a restart."""

    heard: Annotated[list[tuple[_Seconds, _Seconds]], Field(max_length=1000, default_factory=list)]
    """Played spans, (start, end) in seconds of the segment, in any order, overlapping or not."""

    client_time_sec: _Time


@dataclass(frozen=True)
class Presentation:
    """One segment as it is presented to one rater on one occasion: what a rating is of."""

    rater_id: str
    segment_id: str
    occasion: Occasion


@dataclass(frozen=True)
class Item:
    """One place of a rater's order.

    Attributes
    ----------
    position : 0, 1, ...; the only name of the item that a rater's page needs
    segment_id
    occasion
    """

    position: int
    segment_id: str
    occasion: Occasion


@dataclass(frozen=True)
class Pair:
    """Two segments whose better one is asked for; `a` is presented first."""

    number: int
    segment_a: str
    segment_b: str


@dataclass(frozen=True)
class Rater:
    """A person who rates.

    Attributes
    ----------
    rater_id : as in files
    name : as shown; may be empty
    role
    is_active : whether invitations and sessions are honoured
    created_sec : Unix seconds
    """

    rater_id: str
    name: str
    role: Role
    is_active: bool
    created_sec: float


@dataclass(frozen=True)
class Invitation:
    """A link that was made for a rater; the store has the hash of its token, not the token."""

    number: int
    rater_id: str
    token_sha256: str
    created_sec: float
    expires_sec: float
    revoked_sec: float | None
    last_used_sec: float | None


@dataclass(frozen=True)
class Saved:
    """Acknowledgement: the event is on the disk.

    Attributes
    ----------
    sequence : of the event; greater than that of every earlier one
    server_time_sec
    is_duplicate : the event id was known, and nothing was written
    undone : sequence of the event that an undo took back; None for other events
    """

    sequence: int
    server_time_sec: float
    is_duplicate: bool = False
    undone: int | None = None


@dataclass(frozen=True)
class Rating:
    """A rating that stands: the newest of its rater, presentation and dimension that was not undone.

    Attributes
    ----------
    presentation, dimension
    value : 0 to 100; None where the rater could not say
    uncertain
    sequence, server_time_sec : of its event
    heard_share : of the segment on this occasion, as of now
    """

    presentation: Presentation
    dimension: str
    value: float | None
    uncertain: bool
    sequence: int
    server_time_sec: float
    heard_share: float

    @property
    def counts(self) -> bool:
        """Whether enough of the segment was heard."""
        return self.heard_share >= HEARD_SHARE


@dataclass(frozen=True)
class Vote:
    """A vote that stands: the newest of its rater, pair and dimension that was not undone."""

    rater_id: str
    segment_a: str
    segment_b: str
    dimension: str
    outcome: Outcome
    sequence: int
    server_time_sec: float


@dataclass(frozen=True)
class Answers:
    """Everything that one rater gave on one presentation.

    Attributes
    ----------
    ratings : dimension -> the rating that stands
    comment : "" where there is none
    position_sec : where the playback was last
    heard : disjoint spans of the segment that were played, ascending
    heard_share : of the segment, 0 to 1
    """

    ratings: Mapping[str, Rating] = field(default_factory=dict)
    comment: str = ""
    position_sec: float = 0.0
    heard: tuple[tuple[float, float], ...] = ()
    heard_share: float = 0.0


@dataclass(frozen=True)
class Event:
    """One row of the history; see `store_schema` for what each kind fills.

    Attributes
    ----------
    sequence, kind, rater_id, event_id, server_time_sec, client_time_sec
    segment_id, other_segment_id : the second one in votes only
    occasion : None in votes
    dimension, value, uncertain, comment, outcome, undoes
    position_sec, listened_share : as the client reported them
    """

    sequence: int
    kind: Literal["rating", "comment", "vote", "undo"]
    rater_id: str
    event_id: str
    segment_id: str
    other_segment_id: str | None
    occasion: Occasion | None
    dimension: str | None
    value: float | None
    uncertain: bool
    comment: str | None
    outcome: Outcome | None
    undoes: int | None
    position_sec: float
    listened_share: float
    client_time_sec: float
    server_time_sec: float


@dataclass(frozen=True)
class AuditEntry:
    """One line of the audit log: who did what, when."""

    sequence: int
    server_time_sec: float
    who: str
    action: str
    detail: Mapping[str, object]
