"""One rater at work: what the web page and the notebook use.

Items are named by their position alone, so that nothing of segment, piece or pianist reaches the page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tocco.errors import InputError
from tocco.labelling.events import (
    HEARD_SHARE,
    OCCASIONS,
    Answers,
    CommentGiven,
    Item,
    ListeningGiven,
    Occasion,
    Pair,
    Presentation,
    Rating,
    RatingGiven,
    Saved,
    UndoGiven,
    Vote,
    VoteGiven,
)
from tocco.labelling.order import Phase, order_of, pairs_of, phase_of
from tocco.labelling.project import Project
from tocco.labelling.raters import rater
from tocco.labelling.session_views import Feedback, ItemState, Next, Progress
from tocco.labelling.store import RatingStore
from tocco.labelling.stored_orders import last_position, set_last_position

WEEK_SEC: Final = 7 * 86400.0
DAY_SEC: Final = 86400.0
MOST_A_DAY: Final = 50
"""Items a day after which the advice is to stop: raters tire."""


class Session:
    """One rater of one project.

    Parameters
    ----------
    project, store
    rater_id
        An active rater of the store.

    Raises
    ------
    InputError
        The rater is unknown or not active.
    """

    def __init__(self, project: Project, store: RatingStore, rater_id: str) -> None:
        self.project = project
        self.store = store
        self.rater_id = rater_id
        if not rater(store, rater_id).is_active:
            raise InputError(
                rater_id, "is no longer active", next_step="ask the project's admin for a new invitation"
            )
        self.items = order_of(project, store, rater_id)
        self._calibration = [
            {one.position for one in self.items if one.occasion == occasion}
            for occasion in ("calibration_1", "calibration_2")
        ]

    # Where the rater is.

    def segment_id(self, position: int) -> str:
        """The segment at a position, for the server to find its sound and notes; not for the page."""
        return self._item(position).segment_id

    def duration_sec(self, position: int) -> float:
        """Length of the item's segment in seconds."""
        return self.project.duration_sec(self.segment_id(position))

    def states(self) -> tuple[ItemState, ...]:
        """Every item, by position."""
        bare = self._states(OCCASIONS)
        open_positions = self._open(bare)
        return tuple(
            ItemState(
                one.position,
                one.phase,
                one.position in open_positions,
                one.is_complete,
                one.missing,
                one.heard_share,
                one.completed_sec,
            )
            for one in bare
        )

    def progress(self) -> Progress:
        """How far the rater is, and one sentence of advice."""
        states = self.states()
        now = self.store.clock()
        times = [one.completed_sec for one in states if one.completed_sec is not None]
        today = sum(time > now - DAY_SEC for time in times)
        week = sum(time > now - WEEK_SEC for time in times)
        pending: list[Phase] = [one.phase for one in states if not one.is_complete]
        goal = self.project.settings.weekly_goal
        return Progress(
            len(times),
            len(states),
            pending[0] if pending else "rating",
            today,
            week,
            goal,
            _advice(len(pending), today, week, goal),
        )

    def next(self, after: int | None = None) -> Next:
        """The next open item that is not complete.

        Parameters
        ----------
        after
            Look behind this position first, then from the start; None for the first of all.
        """
        states = self.states()
        pending = [one.position for one in states if one.is_open and not one.is_complete]
        if pending:
            later = [position for position in pending if after is not None and position > after]
            return Next("item", (later or pending)[0])
        if all(one.is_complete for one in states):
            return Next("done")
        return Next("wait", opens_sec=self._calibration_opens(states))

    def resume(self) -> Next:
        """The item at which the rater was last, unless it is complete: then the next one.

        The second of the playback is in `answers(position).position_sec`.
        """
        position = last_position(self.store, self.rater_id)
        if position is not None and position < len(self.items):
            state = self.states()[position]
            if state.is_open and not state.is_complete:
                return Next("item", position)
        return self.next(after=position)

    def visit(self, position: int) -> Answers:
        """Remember that the rater is at an item; returns what stands there."""
        self._item(position)
        set_last_position(self.store, self.rater_id, position)
        return self.answers(position)

    def answers(self, position: int) -> Answers:
        """What stands for an item."""
        return self.store.answers(self._presentation(position))

    # What the rater gives: every method returns when it is on the disk.

    def rate(self, position: int, given: RatingGiven) -> Saved:
        """Save a rating.

        Raises
        ------
        InputError
            The item is not open yet, the dimension is not of this project, or as `RatingStore.rate`.
        """
        if given.dimension not in self.project.settings.dimensions:
            raise InputError(
                given.dimension,
                "is not rated in this project",
                allowed=", ".join(self.project.settings.dimensions),
            )
        return self.store.rate(self._open_presentation(position), given)

    def comment(self, position: int, given: CommentGiven) -> Saved:
        """Save the comment on an item. Raises as `rate`."""
        return self.store.comment(self._open_presentation(position), given)

    def undo(self, position: int, given: UndoGiven) -> Saved:
        """Take back the newest rating or comment of an item. Raises InputError if nothing is left."""
        return self.store.undo(self._presentation(position), given)

    def listen(self, position: int, given: ListeningGiven) -> Answers:
        """Save what was heard and where the playback is; returns what stands."""
        return self.store.save_listening(self._presentation(position), given, self.duration_sec(position))

    # Calibration.

    def feedback(self, position: int) -> tuple[Feedback, ...]:
        """How a complete calibration item compares; empty for every other item."""
        item = self._item(position)
        if phase_of(item.occasion) == "rating" or not self.states()[position].is_complete:
            return ()
        known = self.project.known(item.segment_id)
        others = self._others(item.segment_id)
        own = self.answers(position).ratings
        before: Mapping[str, Rating] = {}
        if item.occasion == "calibration_2":
            first = Presentation(self.rater_id, item.segment_id, "calibration_1")
            before = self.store.answers(first).ratings
        result = []
        for name in self.project.settings.dimensions:
            given = others.get(name, [])
            reference, source = (sum(given) / len(given), "raters") if given else (None, "none")
            if name in known:
                reference, source, given = known[name], "known", []
            first_value = before[name].value if name in before else None
            result.append(Feedback(name, own[name].value, reference, source, len(given), first_value))
        return tuple(result)

    # Pairs.

    def pairs(self) -> tuple[Pair, ...]:
        """The rater's pairs; their segments are not for the page."""
        return pairs_of(self.project, self.store, self.rater_id)

    def next_pair(self, after: int | None = None) -> int | None:
        """Number of the next pair without a vote on overall quality; None when all have one."""
        voted = {(one.segment_a, one.segment_b) for one in self.store.votes(self.rater_id)}
        pending = [p.number for p in self.pairs() if (p.segment_a, p.segment_b) not in voted]
        later = [number for number in pending if after is not None and number > after]
        return (later or pending or [None])[0]

    def vote(self, number: int, given: VoteGiven) -> Saved:
        """Save which take of a pair is better. Raises as `RatingStore.vote`."""
        pair = self._pair(number)
        return self.store.vote(self.rater_id, pair.segment_a, pair.segment_b, given)

    def undo_vote(self, number: int, given: UndoGiven) -> Saved:
        """Take back the newest vote on a pair."""
        pair = self._pair(number)
        return self.store.undo_vote(self.rater_id, pair.segment_a, pair.segment_b, given)

    def vote_on(self, number: int) -> Vote | None:
        """The vote that stands on a pair."""
        pair = self._pair(number)
        votes = self.store.votes(self.rater_id)
        return next(
            (v for v in votes if (v.segment_a, v.segment_b) == (pair.segment_a, pair.segment_b)), None
        )

    def _item(self, position: int) -> Item:
        if not 0 <= position < len(self.items):
            raise InputError("item", f"is {position}", allowed=f"0 to {len(self.items) - 1}")
        return self.items[position]

    def _pair(self, number: int) -> Pair:
        pairs = self.pairs()
        if not 0 <= number < len(pairs):
            raise InputError("pair", f"is {number}", allowed=f"0 to {len(pairs) - 1}")
        return pairs[number]

    def _presentation(self, position: int) -> Presentation:
        item = self._item(position)
        return Presentation(self.rater_id, item.segment_id, item.occasion)

    def _open_presentation(self, position: int) -> Presentation:
        presentation = self._presentation(position)
        if presentation.occasion == "calibration_1":
            return presentation
        # Only the calibration decides on what is open; the rest of the ratings need not be read for it.
        if position not in self._open(self._states(("calibration_1", "calibration_2"))):
            raise InputError(
                f"item {position + 1}",
                "is not open yet",
                next_step="finish the calibration; it is repeated on the next day",
            )
        return presentation

    def _states(self, occasions: Sequence[Occasion]) -> list[ItemState]:
        """Every item by its answers on some occasions, none of them open."""
        found: dict[tuple[str, str], dict[str, Rating]] = {}
        for one in self.store.ratings(self.rater_id, occasions=occasions):
            key = (one.presentation.segment_id, one.presentation.occasion)
            found.setdefault(key, {})[one.dimension] = one
        heard = self.store.heard_shares(self.rater_id)
        return [
            self._state(
                item,
                found.get((item.segment_id, item.occasion), {}),
                heard.get((item.segment_id, item.occasion), 0.0),
            )
            for item in self.items
        ]

    def _state(self, item: Item, ratings: Mapping[str, Rating], heard_share: float) -> ItemState:
        missing = tuple(name for name in self.project.settings.dimensions if name not in ratings)
        is_complete = not missing and heard_share >= HEARD_SHARE
        newest = max((one.server_time_sec for one in ratings.values()), default=None)
        return ItemState(
            item.position,
            phase_of(item.occasion),
            is_open=False,
            is_complete=is_complete,
            missing=missing,
            heard_share=heard_share,
            completed_sec=newest if is_complete else None,
        )

    def _open(self, states: list[ItemState]) -> set[int]:
        first, second = self._calibration
        positions = set(first)
        if not all(states[i].is_complete for i in first):
            return positions
        opens = self._calibration_opens(states)
        # An item that was begun stays open, whatever the clock does afterwards.
        begun = {i for i in second if states[i].is_complete or len(states[i].missing) < self._n_dimensions}
        if opens is None or self.store.clock() >= opens or begun:
            positions |= second
        is_repeated = all(states[i].is_complete for i in second)
        if is_repeated or not self.project.settings.waits_for_calibration:
            positions |= set(range(len(states))) - first - second
        return positions

    def _calibration_opens(self, states: tuple[ItemState, ...] | list[ItemState]) -> float | None:
        times = [states[i].completed_sec for i in self._calibration[0]]
        done = [time for time in times if time is not None]
        return max(done) + 3600.0 * self.project.settings.calibration_gap_hours if done else None

    @property
    def _n_dimensions(self) -> int:
        return len(self.project.settings.dimensions)

    def _others(self, segment_id: str) -> dict[str, list[float]]:
        found: dict[str, list[float]] = {}
        for one in self.store.ratings(segment_id=segment_id):
            is_other = one.presentation.rater_id != self.rater_id
            is_first = one.presentation.occasion == "calibration_1"
            if is_other and is_first and one.counts and one.value is not None:
                found.setdefault(one.dimension, []).append(one.value)
        return found


def _advice(n_pending: int, today: int, week: int, goal: int) -> str:
    if n_pending == 0:
        return "Everything is rated. Thank you."
    if today >= MOST_A_DAY:
        return f"{today} items in a day: stop for today, since ratings of a tired listener drift."
    if week >= goal:
        return f"The week's {goal} items are done."
    return f"{goal - week} more items this week."
