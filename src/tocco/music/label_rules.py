"""Which ratings survive when a recording or a performance is changed on purpose.

A rating belongs to the playing. An augmentation keeps it as long as a listener who hears the changed
recording would give the same rating, within the disagreement of raters (the sd of one rater about the
others is 15 to 20 points, and the tolerances below stay well inside of that); otherwise the rating is
left out of the changed example, never adjusted by guess. Amounts grow with harm; each rule is a ladder
of steps, so that a little costs no label and a lot costs all that it may touch.

A dimension that is read off a touched descriptor is touched as well.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal, get_args

from tocco.errors import InputError
from tocco.rubrics import TARGETS, TOCCO10, Dimension

Change = Literal[
    "tempo",
    "pitch",
    "level",
    "dynamics",
    "colour",
    "room",
    "noise",
    "timing",
    "notes",
    "velocity",
    "release",
    "pedal",
]
"""What was changed; `LABEL_RULES` says in which unit its amount is."""

_DYNAMICS = frozenset(
    {
        "dynamic_mellow_raw",
        "dynamic_littlerange_largerange",
        "timbre_soft_loud",
        "musicmaking_pure_dramatic",
    }
)
_TONE = frozenset({"timbre_even_colorful", "timbre_shallow_rich", "timbre_bright_dark"})
_TOUCH = frozenset({"articulation_short_long", "articulation_soft_hard"})
_PEDAL = frozenset({"pedal_sparse_saturated", "pedal_clean_blurred"})
_RHYTHM = frozenset({"timing_stable_unstable"})
_TEMPO = frozenset({"musicmaking_fast_slow", "mood_lowenergy_highenergy"})
_REGISTER = frozenset({"timbre_bright_dark", "mood_optimistic_dark"})
_WHOLE = frozenset({"interpretation_unsatisfactory_convincing"})


@dataclass(frozen=True)
class LabelRule:
    """What one kind of change does to the ratings.

    Attributes
    ----------
    change
    unit : of the amount, in words
    steps : (largest harmless amount, descriptors that anything above it touches), amounts ascending
        The amounts of the dimensions stand in their own rows (`Dimension.touched_by`).
    reason : for people
    """

    change: Change
    unit: str
    steps: tuple[tuple[float, frozenset[str]], ...]
    reason: str

    def touched(self, amount: float) -> frozenset[str]:
        """Targets that an amount of this change touches.

        Parameters
        ----------
        amount : in `unit`, not NaN

        Raises
        ------
        InputError
            The amount is not a number.
        """
        if math.isnan(amount):
            raise InputError(self.change, "has an amount that is not a number", allowed=self.unit)
        hit = frozenset[str]().union(*(targets for harmless, targets in self.steps if amount > harmless))
        return hit | {one.name for one in TOCCO10.dimensions if self._touches(one, amount, hit)}

    def _touches(self, dimension: Dimension, amount: float, descriptors: frozenset[str]) -> bool:
        harmless = dimension.touched_by.get(self.change, math.inf)
        return amount > harmless or any(name in descriptors for name, _ in dimension.descriptors)


_RULES = (
    LabelRule(
        "tempo",
        "share by which the faster of the two tempi exceeds the slower (see `tempo_amount`)",
        (
            (0.025, _TEMPO | _RHYTHM),
            (0.10, _TOUCH | _WHOLE | {"mood_optimistic_dark", "musicmaking_flat_spacious"}),
            (0.25, _PEDAL | {"musicmaking_pure_dramatic"}),
        ),
        "listeners notice 2 to 6 % (Drake and Botte 1993); unevenness and key times grow with the beat",
    ),
    LabelRule(
        "pitch",
        "semitones, up or down",
        ((0.5, _REGISTER), (3.0, _TONE), (7.0, _PEDAL | _TOUCH | _WHOLE | {"timbre_soft_loud"})),
        "half a semitone is a badly tuned piano; further away strings of another register speak",
    ),
    LabelRule(
        "level",
        "dB of gain of the whole recording, up or down",
        ((12.0, frozenset({"timbre_soft_loud"})),),
        "gain is the recorder's, not the player's; a very large one still changes what counts as loud",
    ),
    LabelRule(
        "dynamics",
        "dB by which the distance between soft and loud changed",
        ((1.0, _DYNAMICS), (6.0, _WHOLE | _TONE | {"articulation_soft_hard", "mood_lowenergy_highenergy"})),
        "1 dB is the just noticeable difference of level; limiters and clipping belong here",
    ),
    LabelRule(
        "colour",
        "dB, largest deviation of the frequency response between 100 Hz and 4 kHz",
        ((6.0, _TONE), (18.0, _TOUCH | _PEDAL | {"dynamic_mellow_raw", "timbre_soft_loud"})),
        "microphones differ by 6 dB and raters hear the piano through them",
    ),
    LabelRule(
        "room",
        "seconds of reverberation time (RT60)",
        ((0.6, _PEDAL), (1.2, _TOUCH), (2.5, _TONE | _RHYTHM)),
        "up to 0.6 s is a furnished room; a hall sounds like more pedal, then like longer keys",
    ),
    LabelRule(
        "noise",
        "dB of the noise relative to the music (minus the signal-to-noise ratio)",
        ((-15.0, _PEDAL | _TONE), (-6.0, _DYNAMICS | _TOUCH), (0.0, _RHYTHM | _WHOLE)),
        "decay and pedal lie 20 to 40 dB under the attacks and are masked first, the attacks last",
    ),
    LabelRule(
        "timing",
        "ms, standard deviation added to the onsets",
        ((8.0, _RHYTHM), (30.0, _WHOLE)),
        "even runs of advanced players vary by 10 to 15 ms; 8 ms on top adds an eighth at most of 15 ms",
    ),
    LabelRule(
        "notes",
        "share of notes missed, added or doubled",
        ((0.15, _WHOLE | _RHYTHM),),
        "a transcriber misses and adds 1 to 2 % each; more cannot be distinguished from errors of the player",
    ),
    LabelRule(
        "velocity",
        "velocity steps, standard deviation added to single notes",
        ((8.0, _DYNAMICS), (16.0, _WHOLE | _TONE)),
        "neighbouring notes of advanced players differ by about as much without being heard as uneven",
    ),
    LabelRule(
        "release",
        "ms, standard deviation added to the key releases",
        ((60.0, _TOUCH),),
        "transcribed offsets scatter by tens of ms where the pedal hides them",
    ),
    LabelRule(
        "pedal",
        "share of the pedal's changes lost, or moved by more than 100 ms",
        ((0.5, _PEDAL),),
        "a poor transcript of the pedal leaves the playing as it was; beyond half no evidence is left",
    ),
)

LABEL_RULES: Final[Mapping[str, LabelRule]] = MappingProxyType({rule.change: rule for rule in _RULES})
"""One rule for each `Change`."""


def labels_touched(change: str, amount: float) -> frozenset[str]:
    """Ratings that no longer hold after a change.

    Parameters
    ----------
    change : a `Change`
    amount : in the unit of its rule; growing with harm

    Returns
    -------
    Names out of `rubrics.TARGETS`.

    Raises
    ------
    InputError
        The change is unknown or its amount not a number.

    Examples
    --------
    >>> sorted(labels_touched("level", 20.0))
    ['timbre_soft_loud']
    >>> labels_touched("room", 0.3)
    frozenset()
    """
    if change not in LABEL_RULES:
        raise InputError("change", f"is {change!r}", allowed=", ".join(get_args(Change)))
    return LABEL_RULES[change].touched(amount)


def valid_labels(amounts: Mapping[str, float]) -> frozenset[str]:
    """Ratings that still hold after several changes.

    Parameters
    ----------
    amounts : change -> amount in the unit of its rule

    Returns
    -------
    Names out of `rubrics.TARGETS`; all of them where nothing was changed.

    Examples
    --------
    >>> "timing_stable_unstable" in valid_labels({"tempo": tempo_amount(1.1), "level": 3.0})
    False
    """
    touched = (labels_touched(change, amount) for change, amount in amounts.items())
    return frozenset(TARGETS).difference(*touched)


def tempo_amount(ratio: float) -> float:
    """How far apart two tempi are, whichever is the faster.

    Parameters
    ----------
    ratio : new tempo over old tempo, > 0

    Returns
    -------
    Share, >= 0; the same for a ratio and its inverse.

    Examples
    --------
    >>> round(tempo_amount(1.1), 6), round(tempo_amount(1 / 1.1), 6)
    (0.1, 0.1)
    """
    if not ratio > 0 or math.isinf(ratio):
        raise InputError("tempo ratio", f"is {ratio:g}", allowed="above 0")
    return max(ratio, 1.0 / ratio) - 1.0
