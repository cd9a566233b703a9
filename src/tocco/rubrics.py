"""Dimensions, descriptors and rubrics: what is rated, and what the numbers mean.

A dimension is a grade: more is better. A descriptor is one of the 19 bipolar perceptual axes of
PercePiano (Park et al., Scientific Reports 14, 23002, 2024): it describes and does not judge.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Family = Literal["technical", "interpretive", "descriptor"]

LEVELS = (10, 30, 50, 70, 90)
"""The ratings whose sound `docs/rating_guide.md` describes."""


@dataclass(frozen=True)
class Meaning:
    """What a rating says in words.

    Attributes
    ----------
    at : rating -> what it sounds like, ascending; see `LEVELS` for the ten dimensions
    """

    at: Mapping[int, str]

    @property
    def low(self) -> str:
        """What the lowest of the ratings sounds like."""
        return self.at[min(self.at)]

    @property
    def middle(self) -> str:
        """What 50 sounds like."""
        return self.at[50]

    @property
    def high(self) -> str:
        """What the highest of the ratings sounds like."""
        return self.at[max(self.at)]

    def nearest(self, rating: float) -> str:
        """What the rating that is nearest to this one sounds like."""
        return self.at[min(self.at, key=lambda level: abs(level - rating))]


@dataclass(frozen=True)
class Dimension:
    """One thing that is rated from 0 to 100: everything that sets it apart from the others.

    Attributes
    ----------
    name : as in files and on the command line
    family
    meaning
    rule : name in `inference.rules.RULES`, or None
        The rule that computes the rating where its inputs are given; else a model rates it, if the bundle
        has one that was calibrated for it.
    descriptors : (descriptor, sign) of those whose mean it is in labels; turned round where the sign is -1
    touched_by : kind of change -> largest amount that keeps its labels, in the unit of `label_rules`
        Beside this, a dimension is touched by whatever touches one of its descriptors.
    shown_as : what shows it in a picture
        A curve, or the notes themselves where there is an alignment with the score.
    """

    name: str
    family: Family
    meaning: Meaning
    rule: str | None = None
    descriptors: tuple[tuple[str, int], ...] = ()
    touched_by: Mapping[str, float] = field(default_factory=dict)
    shown_as: Literal["curve", "notes"] = "curve"


@dataclass(frozen=True)
class Rubric:
    """A named, ordered set of dimensions and the weights of their aggregate.

    Attributes
    ----------
    name
    dimensions
    weights : dimension name -> share of the aggregate; the shares sum to 1, or the mapping is empty
        where an aggregate has no meaning
    """

    name: str
    dimensions: tuple[Dimension, ...]
    weights: Mapping[str, float]

    def __post_init__(self) -> None:
        unknown = set(self.weights) - set(self.names)
        if unknown:
            raise ValueError(f"rubric {self.name}: weights for unknown dimensions {sorted(unknown)}")
        if self.weights and abs(sum(self.weights.values()) - 1.0) > 1e-9:
            raise ValueError(f"rubric {self.name}: weights sum to {sum(self.weights.values())}, not 1")

    def __getitem__(self, name: str) -> Dimension:
        """The dimension of that name."""
        return next(d for d in self.dimensions if d.name == name)

    @property
    def names(self) -> tuple[str, ...]:
        """Dimension names in order."""
        return tuple(d.name for d in self.dimensions)


def _levels(
    at_10: str, at_30: str, at_50: str, at_70: str, at_90: str, more: Mapping[int, str] | None = None
) -> Meaning:
    return Meaning(dict(zip(LEVELS, (at_10, at_30, at_50, at_70, at_90), strict=True)) | dict(more or {}))


_TEN = (
    Dimension(
        "note_accuracy",
        "technical",
        _levels(
            "one note in ten is right: the piece can hardly be recognised",
            "three notes in ten are right: the piece is recognised by its rhythm",
            "every other note is right: a first try at sight",
            "seven notes in ten are right: wrong or missing notes in every bar",
            "nine notes in ten are right: a slip in most bars",
            {96: "a slip in most lines", 99: "a slip in a page, or none"},
        ),
        rule="note_accuracy",
        touched_by={"room": 2.5, "noise": 0.0, "notes": 0.03},
        shown_as="notes",
    ),
    Dimension(
        "rhythmic_precision",
        "technical",
        _levels(
            "no pulse can be followed: stops and restarts in most bars",
            "the pulse is lost again and again, by stops, by limping figures or hands that are not together",
            "steady to a listener's ear, with small hesitations or uneven runs",
            "even and sure; a change of tempo is meant",
            "every figure in its place, and the tempo never in doubt",
        ),
        descriptors=(("timing_stable_unstable", -1),),
    ),
    Dimension(
        "dynamics_control",
        "technical",
        _levels(
            "loudness at random, or none at all: every note alike",
            "single notes jump out or drop away; little is shaped",
            "a usual range, with some lines shaped and some uneven",
            "a wide range, lines and accompaniment balanced",
            "a very wide range, every line finely graded",
        ),
        descriptors=(
            ("dynamic_littlerange_largerange", 1),
            ("dynamic_mellow_raw", -1),
        ),
    ),
    Dimension(
        "articulation_quality",
        "technical",
        _levels(
            "notes cut off or run together without regard to what is written",
            "uneven touch: hard, short or blurred in many places",
            "the written touch on the whole, with some uneven notes",
            "an even, singing touch, detached where it is meant",
            "every note as long as it is meant, soft and sustained where the music sings",
        ),
        descriptors=(
            ("articulation_short_long", 1),
            ("articulation_soft_hard", -1),
        ),
    ),
    Dimension(
        "pedaling_technique",
        "technical",
        _levels(
            "the pedal is held through, or the music is dry where it needs pedal",
            "harmonies run into each other, or are cut off, in most bars",
            "clean on the whole, with some blurred or dry places",
            "rich and clean, changed with the harmony",
            "rich, clean, and coloured to the music",
        ),
        descriptors=(
            ("pedal_sparse_saturated", 1),
            ("pedal_clean_blurred", -1),
        ),
    ),
    Dimension(
        "tone_quality",
        "technical",
        _levels(
            "all voices alike, or hammered; the melody cannot be heard",
            "shallow or harsh, the melody covered in places",
            "the melody can be heard, with a usual tone",
            "a rich tone, voices well apart",
            "many colours, each voice with a tone of its own",
        ),
        descriptors=(
            ("timbre_even_colorful", 1),
            ("timbre_shallow_rich", 1),
        ),
    ),
    Dimension(
        "phrasing",
        "interpretive",
        _levels(
            "note after note, without a direction",
            "phrases are cut, by stops or by flat playing",
            "phrases can be heard, with a usual shape",
            "phrases breathe and lead somewhere",
            "long lines, spaciously shaped",
        ),
        descriptors=(("musicmaking_flat_spacious", 1),),
        touched_by={"dynamics": 1.0, "noise": -6.0, "velocity": 8.0},
    ),
    Dimension(
        "musicality",
        "interpretive",
        _levels(
            "the music does not come through",
            "flat, or out of proportion",
            "sensible, as most would play it",
            "balanced and imaginative",
            "balanced, imaginative, and all of one piece",
        ),
        descriptors=(
            ("musicmaking_flat_spacious", 1),
            ("musicmaking_disproportioned_balanced", 1),
            ("mood_honest_imaginative", 1),
        ),
        touched_by={
            "pitch": 7.0,
            "dynamics": 6.0,
            "noise": 0.0,
            "timing": 30.0,
            "notes": 0.15,
            "velocity": 16.0,
        },
    ),
    Dimension(
        "overall_quality",
        "interpretive",
        _levels(
            "it does not hold together: the listener hears the struggle alone",
            "a struggling performance: the music is recognised, and broken off often",
            "a solid performance with clear faults, or one without faults and without character",
            "a convincing performance",
            "a performance one would want to hear again",
        ),
        descriptors=(("interpretation_unsatisfactory_convincing", 1),),
    ),
    Dimension(
        "expressiveness",
        "interpretive",
        _levels(
            "nothing is expressed: mechanical, or taken up by the notes",
            "plain",
            "moderate, as most would play it",
            "expressive and imaginative",
            "dramatic and imaginative throughout",
        ),
        descriptors=(
            ("musicmaking_pure_dramatic", 1),
            ("mood_honest_imaginative", 1),
        ),
    ),
)

_DESCRIPTOR_POLES = (
    ("timing_stable_unstable", "stable", "unstable"),
    ("articulation_short_long", "short", "long"),
    ("articulation_soft_hard", "soft, cushioned", "hard, solid"),
    ("pedal_sparse_saturated", "sparse, dry", "saturated, wet"),
    ("pedal_clean_blurred", "clean", "blurred"),
    ("timbre_even_colorful", "even", "colourful"),
    ("timbre_shallow_rich", "shallow", "rich"),
    ("timbre_bright_dark", "bright", "dark"),
    ("timbre_soft_loud", "soft", "loud"),
    ("dynamic_mellow_raw", "sophisticated, mellow", "raw, crude"),
    ("dynamic_littlerange_largerange", "little dynamic range", "large dynamic range"),
    ("musicmaking_fast_slow", "fast paced", "slow paced"),
    ("musicmaking_flat_spacious", "flat", "spacious"),
    ("musicmaking_disproportioned_balanced", "disproportioned", "balanced"),
    ("musicmaking_pure_dramatic", "pure", "dramatic, expressive"),
    ("mood_optimistic_dark", "optimistic, pleasant", "dark"),
    ("mood_lowenergy_highenergy", "low energy", "high energy"),
    ("mood_honest_imaginative", "honest", "imaginative"),
    ("interpretation_unsatisfactory_convincing", "unsatisfactory, doubtful", "convincing"),
)

AGGREGATE_WEIGHTS: Mapping[str, float] = {
    "note_accuracy": 0.35 / 2,
    "rhythmic_precision": 0.35 / 2,
    "dynamics_control": 0.25 / 2,
    "tone_quality": 0.25 / 2,
    "musicality": 0.25 / 2,
    "expressiveness": 0.25 / 2,
    "phrasing": 0.15,
}

TOCCO10 = Rubric("tocco10", _TEN, AGGREGATE_WEIGHTS)
PERCEPIANO19 = Rubric(
    "percepiano19",
    tuple(
        Dimension(name, "descriptor", Meaning({0: low, 50: "between the two", 100: high}))
        for name, low, high in _DESCRIPTOR_POLES
    ),
    {},
)

RUBRICS: Mapping[str, Rubric] = {rubric.name: rubric for rubric in (TOCCO10, PERCEPIANO19)}


def dimensions_of(rubric: str) -> tuple[Dimension, ...]:
    """The rows of a rubric by its name; one that this release does not know weighs the ten anew."""
    return RUBRICS.get(rubric, TOCCO10).dimensions


DIMENSIONS: tuple[str, ...] = TOCCO10.names
DESCRIPTORS: tuple[str, ...] = PERCEPIANO19.names
TARGETS: tuple[str, ...] = DIMENSIONS + DESCRIPTORS
"""The order of a model's outputs: the ten dimensions, then the 19 descriptors."""

DIMENSIONS_FROM_DESCRIPTORS: Mapping[str, tuple[tuple[str, int], ...]] = {
    one.name: one.descriptors for one in TOCCO10.dimensions if one.descriptors
}
"""How nine dimensions are read off the descriptors: the mean of each, turned round where the sign is -1.

The signs were checked against "convincing" within passages. note_accuracy has no counterpart among
the descriptors; it comes from the alignment with the score.
"""


def dimensions_from_descriptors(descriptors: Mapping[str, float]) -> dict[str, float]:
    """Nine dimensions from the 19 descriptors, all on 0 to 100.

    A descriptor that is missing leaves out every dimension that needs it.

    >>> dimensions_from_descriptors({"timing_stable_unstable": 30.0})
    {'rhythmic_precision': 70.0}
    """
    return {
        dimension: sum(descriptors[d] if sign > 0 else 100.0 - descriptors[d] for d, sign in parts)
        / len(parts)
        for dimension, parts in DIMENSIONS_FROM_DESCRIPTORS.items()
        if all(d in descriptors for d, _ in parts)
    }
