"""What one rater sees and sends, as values that JSON holds: nothing names a segment, a piece or a pianist."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from tocco.apps.rating.materials import Materials
from tocco.apps.rating.messages import (
    CommentSent,
    ListeningSent,
    RatingSent,
    Sent,
    UndoSent,
    UndoVoteSent,
    VoteSent,
)
from tocco.errors import InputError
from tocco.labelling.events import HEARD_SHARE, Answers, Saved
from tocco.labelling.project import Project
from tocco.labelling.session import Session
from tocco.labelling.store import RatingStore
from tocco.report.wording import title
from tocco.rubrics import RUBRICS

SIDES: Final = ("a", "b")
"""The takes of a pair, in the order in which they are presented."""


class RaterPage:
    """One rater of a project.

    Parameters
    ----------
    project, store
    materials : of the same project
    rater_id

    Raises
    ------
    InputError
        The rater is unknown or not active.
    """

    def __init__(self, project: Project, store: RatingStore, materials: Materials, rater_id: str) -> None:
        self.materials = materials
        self.session = Session(project, store, rater_id)

    def overview(self) -> dict[str, Any]:
        """Where the rater is: what is rated and how, the state of every item, and where to go on."""
        project, session = self.session.project, self.session
        following = session.resume()
        return {
            "title": project.settings.title,
            "key": self._key(),
            "dimensions": [dimension(name) for name in project.settings.dimensions],
            "heard_needed": HEARD_SHARE,
            "items": [
                {
                    "phase": one.phase,
                    "is_open": one.is_open,
                    "missing": list(one.missing),
                    "heard_share": one.heard_share,
                }
                for one in session.states()
            ],
            "progress": asdict(session.progress()),
            "next": asdict(following),
            "n_pairs": len(session.pairs()),
            "next_pair": session.next_pair(),
        }

    def item(self, position: int) -> dict[str, Any]:
        """One item, which becomes the one where the rater is: its pictures and what was given for it."""
        session = self.session
        segment = session.segment_id(position)
        pictures = self.materials.pictures(segment)
        answers = session.visit(position)
        return {
            "position": position,
            "duration_sec": session.duration_sec(position),
            "answers": answers_json(answers),
            **_shown(pictures),
        }

    def score(self, position: int) -> dict[str, Any]:
        """The engraved score of an item, as of `score_of`; empty where it has none."""
        return dict(self.materials.pictures(self.session.segment_id(position))["score"] or {})

    def sound(self, position: int) -> Path:
        """The sound of an item, a FLAC file."""
        return self.materials.sound(self.session.segment_id(position))

    def feedback(self, position: int) -> list[dict[str, Any]]:
        """How a complete calibration item compares; empty for every other."""
        return [asdict(one) for one in self.session.feedback(position)]

    def pair(self, number: int) -> dict[str, Any]:
        """One pair: the pictures of its takes and the vote on it."""
        takes = []
        for side in SIDES:
            segment = self._of_pair(number, side)
            shown = _shown(self.materials.pictures(segment))
            takes.append({"duration_sec": self.session.project.duration_sec(segment), **shown})
        vote = self.session.vote_on(number)
        return {
            "number": number,
            "takes": takes,
            "outcome": None if vote is None else vote.outcome,
            "next": self.session.next_pair(number),
        }

    def sound_of_pair(self, number: int, side: str) -> Path:
        """The sound of one take of a pair."""
        return self.materials.sound(self._of_pair(number, side))

    def save(self, sent: Sent) -> dict[str, Any]:
        """Save an event; what is returned is on the disk.

        Returns
        -------
        "saved": of the event, None for listening. "answers": what stands for its item, None for a pair.
        "outcome": the vote that stands on its pair, None for an item.

        Raises
        ------
        InputError
            It is not accepted: an item that is not open, an unknown position, nothing left to undo.
        OutputError
            The disk is full: nothing of it is saved.
        """
        session = self.session
        if isinstance(sent, VoteSent | UndoVoteSent):
            give = session.vote if isinstance(sent, VoteSent) else session.undo_vote
            saved = give(sent.number, sent.given)  # type: ignore[arg-type]
            vote = session.vote_on(sent.number)
            return {
                "saved": asdict(saved),
                "answers": None,
                "outcome": None if vote is None else vote.outcome,
            }
        if isinstance(sent, ListeningSent):
            answers = session.listen(sent.position, sent.given)
            return {"saved": None, "answers": answers_json(answers), "outcome": None}
        saved = self._given(sent)
        answers = session.answers(sent.position)
        return {"saved": asdict(saved), "answers": answers_json(answers), "outcome": None}

    def _given(self, sent: RatingSent | CommentSent | UndoSent) -> Saved:
        if isinstance(sent, RatingSent):
            return self.session.rate(sent.position, sent.given)
        if isinstance(sent, CommentSent):
            return self.session.comment(sent.position, sent.given)
        return self.session.undo(sent.position, sent.given)

    def _of_pair(self, number: int, side: str) -> str:
        pairs = self.session.pairs()
        if side not in SIDES or not 0 <= number < len(pairs):
            raise InputError("pair", f"is {number}{side}", allowed=f"0 to {len(pairs) - 1}, a or b")
        return pairs[number].segment_a if side == "a" else pairs[number].segment_b

    def _key(self) -> str:
        """Names this rater of this project among what a browser keeps, and tells nothing of either."""
        text = f"{self.session.project.secret()}/{self.session.rater_id}"
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def dimension(name: str) -> dict[str, Any]:
    """How a dimension is shown: title, family, and [rating, words] of the rating guide."""
    target = next(rubric[name] for rubric in RUBRICS.values() if name in rubric.names)
    return {
        "name": name,
        "title": title(name),
        "family": target.family,
        "levels": [[level, words] for level, words in sorted(target.meaning.at.items())],
    }


def answers_json(answers: Answers) -> dict[str, Any]:
    """What stands for an item."""
    return {
        "ratings": {
            name: {"value": one.value, "uncertain": one.uncertain} for name, one in answers.ratings.items()
        },
        "comment": answers.comment,
        "position_sec": answers.position_sec,
        "heard": [list(span) for span in answers.heard],
        "heard_share": answers.heard_share,
    }


def _shown(pictures: Mapping[str, Any]) -> dict[str, Any]:
    """The pictures that come with an item; its score comes later."""
    shown = {name: pictures[name] for name in ("wave", "roll", "pedal", "octaves")}
    return {**shown, "has_score": pictures["score"] is not None}
