"""What a rater may see of items, progress and calibration."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tocco.labelling.order import Phase

Reason = Literal["item", "wait", "done"]


@dataclass(frozen=True)
class ItemState:
    """One item as its rater may see it.

    Attributes
    ----------
    position
    phase
    is_open : whether it may be rated now
    is_complete : every dimension has an answer, and enough was heard
    missing : dimensions without an answer, in the project's order
    heard_share : 0 to 1
    completed_sec : time of the newest answer of a complete item; None for others
    """

    position: int
    phase: Phase
    is_open: bool
    is_complete: bool
    missing: tuple[str, ...]
    heard_share: float
    completed_sec: float | None


@dataclass(frozen=True)
class Progress:
    """How far a rater is.

    Attributes
    ----------
    done, total : items, of those of every phase
    phase : of the next item; "rating" when all are done
    today_done, week_done : items completed in the last 24 hours and seven days
    weekly_goal
    advice : one sentence
    """

    done: int
    total: int
    phase: Phase
    today_done: int
    week_done: int
    weekly_goal: int
    advice: str


@dataclass(frozen=True)
class Next:
    """The item to go to.

    Attributes
    ----------
    reason : "item"; "wait" until the calibration may be repeated; "done" when nothing is left
    position : of the item; None unless the reason is "item"
    opens_sec : Unix seconds at which waiting ends; None unless the reason is "wait"
    """

    reason: Reason
    position: int | None = None
    opens_sec: float | None = None


@dataclass(frozen=True)
class Feedback:
    """One dimension of a calibration item after it was rated.

    Attributes
    ----------
    dimension
    value : the rater's own; None where they could not say
    reference : known rating, else the mean of other raters; None where there is neither
    source
    n_raters : whose mean it is; 0 for a known rating
    before : the rater's own on the first day; None on that day
    """

    dimension: str
    value: float | None
    reference: float | None
    source: Literal["known", "raters", "none"]
    n_raters: int
    before: float | None
