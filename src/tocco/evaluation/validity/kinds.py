"""The damages of the suite: which dimension each harms, how much, and what training has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal

from tocco.music.corruption import CORRUPTIONS, HELD_OUT_KINDS

Group = Literal["seen", "held_out", "composite"]

STEPS: Final = (1, 3, 5)
"""Steps of the ladder of five that are made; a composite's three doses stand at the same steps."""

RENDERING: Final = "rendering"
PIANIST: Final = "pianist"
WHOLE_FILES: Final = ("passage_rendering", "passage_pianist")
"""Kinds of the deadpan part: made from an excerpt, and files of a passage that are there."""

_UNKNOWN_WITHOUT_SCORE: Final = frozenset({"note_accuracy", "articulation_quality"})
_STOPS: Final = frozenset({"hesitations", "stops"})


@dataclass(frozen=True)
class Damage:
    """One way in which the suite damages a take.

    Attributes
    ----------
    name
    group : a corruption that training may use, one that it may not, or a composite
    target : the dimension that suffers most
    target_without_score : the same where no score is given; None where what it harms cannot be known then
    doses : severities at steps 1, 3 and 5
    may_abstain : whether an abstention is a right answer
    """

    name: str
    group: Group
    target: str
    target_without_score: str | None
    doses: tuple[float, float, float]
    may_abstain: bool = False

    def target_in(self, modality: str) -> str | None:
        """The target dimension in a modality."""
        return self.target_without_score if modality == "keys" else self.target


def _corruption(name: str) -> Damage:
    """A ladder of corruptions.

    Without a score, stops against the local pulse, loudness and the pedal can be known. Wrong notes, halting
    against the beat and the written length of the notes cannot.
    """
    kind = CORRUPTIONS[name]
    is_unknown = kind.target in _UNKNOWN_WITHOUT_SCORE or (
        kind.target == "rhythmic_precision" and name not in _STOPS
    )
    return Damage(
        name,
        "held_out" if name in HELD_OUT_KINDS else "seen",
        kind.target,
        None if is_unknown else kind.target,
        (kind.ladder[0], kind.ladder[2], kind.ladder[4]),
    )


_NOTE, _RHYTHM, _LEVEL = "note_accuracy", "rhythmic_precision", "dynamics_control"
_TOUCH, _PEDAL = "articulation_quality", "pedaling_technique"

COMPOSITES: Final = (
    Damage("mess", "composite", _NOTE, _LEVEL, (0.08, 0.16, 0.25)),
    Damage("sustain_held", "composite", _PEDAL, _PEDAL, (0.4, 0.7, 1.0)),
    Damage("no_pedal", "composite", _PEDAL, _PEDAL, (0.4, 0.7, 1.0)),
    Damage("random_velocities", "composite", _LEVEL, _LEVEL, (0.35, 0.7, 1.0)),
    Damage("jitter", "composite", _RHYTHM, None, (50.0, 100.0, 150.0)),
    Damage("stops", "composite", _RHYTHM, _RHYTHM, (3.0, 6.0, 12.0)),
    Damage("hand_semitone_off", "composite", _NOTE, None, (0.35, 0.7, 1.0)),
    Damage("bars_shuffled", "composite", _NOTE, None, (0.35, 0.7, 1.0)),
    Damage("hands_apart", "composite", _RHYTHM, None, (70.0, 130.0, 200.0)),
    Damage("legatissimo", "composite", _TOUCH, None, (1.0, 2.0, 4.0)),
    Damage("mashing", "composite", _NOTE, _RHYTHM, (0.35, 0.7, 1.0), may_abstain=True),
    Damage("wrong_notes_40", "composite", _NOTE, None, (0.2, 0.3, 0.4)),
)
"""Damages that no training may use; `composites.py` makes them and has the units of their doses."""

DAMAGES: Final[Mapping[str, Damage]] = MappingProxyType(
    {one.name: one for one in (*(_corruption(name) for name in CORRUPTIONS), *COMPOSITES)}
)
"""Every damage, by name."""
