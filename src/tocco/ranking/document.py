"""The ranking as a file that explains itself; the fields are the JSON's keys."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from pydantic import Field

from tocco.schema import Difference, Points, Share, Spread, StrictModel

Source = Literal["tocco", "jury", "both"]
Verdict = Literal["better", "undecided", "worse"]
Decision = Literal["yes", "edge", "no"]

FORMAT_VERSION: Final = "1.0"

_Text = Annotated[str, Field(strict=True, min_length=1)]
_Strength = Annotated[float, Field(strict=True, allow_inf_nan=False)]
_Mark = Annotated[float, Field(strict=True, ge=0.0, allow_inf_nan=False)]
_Correlation = Annotated[float, Field(strict=True, ge=-1.0, le=1.0)]
_Count = Annotated[int, Field(strict=True, ge=0)]
_Rank = Annotated[int, Field(strict=True, ge=1)]


class Entry(StrictModel):
    """One performance of the ranking."""

    name: _Text
    """Its id."""

    rank: _Rank
    """Place in the order of strength, 1 the best; the same for equal strengths."""

    rank_90: tuple[_Rank, _Rank]
    """[first, last]: nine times in ten the true rank lies in it."""

    strength: _Strength
    """Relative to the mean of all that are ranked, in `strength_unit`."""

    strength_90: tuple[_Strength, _Strength]
    """[low, high] of it."""

    wins: Share
    """Share of the others that it is expected to be better than."""

    rating: Points | None = None
    """What tocco rated; null where it did not."""

    rating_90: tuple[Points, Points] | None = None
    """Interval of the rating."""

    unrated: _Text | None = None
    """Why tocco did not rate it; null where it did."""

    mean_mark: _Mark | None = None
    """Mean of the marks that count; null without marks."""

    n_marks: _Count = 0
    """So many marks count."""

    pass_chance: Share | None = None
    """Chance to be among those that pass; null without a number of them."""

    decision: Decision | None = None
    """Whether it passes: "edge" where that is open; null without a cut."""


class Pair(StrictModel):
    """Two performances of the ranking, the higher one first."""

    one: _Text
    """The one with the better place."""

    other: _Text
    """The one below it."""

    chance: Share
    """Chance that the first is really the better one."""

    verdict: Verdict
    """"better" or "worse" where the 90 % interval of the difference leaves zero out."""

    difference: Difference | None = None
    """Points, first less second, as to be expected; null where jurors count."""

    sd: Spread | None = None
    """Standard deviation of the difference in points; null where jurors count."""


class Group(StrictModel):
    """Places that follow each other, of which no two can be distinguished."""

    first: _Rank
    """Position in the list, from 1."""

    last: _Rank
    """Position in the list."""


class Apart(StrictModel):
    """A performance that is not ranked."""

    name: _Text
    """Its id."""

    reason: _Text
    """Why not."""


class ChangedMark(StrictModel):
    """A mark that does not count as it was given."""

    juror: _Text
    """Who gave it."""

    performance: _Text
    """For which."""

    given: _Mark
    """As it was given."""

    counts: _Mark | None
    """As it counts; null where it was left out."""

    reason: _Text
    """By which rule."""


class LeftOutVote(StrictModel):
    """A vote that does not count since the juror may not judge one of the two."""

    juror: _Text
    """Who gave it."""

    one: _Text
    """One of the two performances."""

    other: _Text
    """The other."""


class Cut(StrictModel):
    """Who passes to the next round."""

    passing: _Rank | None = None
    """So many pass; null where a value decides."""

    at_least: _Mark | None = None
    """Rating or mean mark from which on a performance passes; null where a number decides."""

    sure: _Count
    """So many pass for sure."""

    edge: _Count
    """Of so many it is open."""


class Agreement(StrictModel):
    """Of the jurors with each other, and of tocco with them; from marks before they were corrected."""

    kendall_w: Share | None = None
    """Kendall's W over the performances that all jurors marked; null where there are too few."""

    w_performances: _Count = 0
    """So many performances does W rest on."""

    between_jurors: _Correlation | None = None
    """Rank correlation of one juror with the mean order of the others, mean over jurors."""

    of_tocco: _Correlation | None = None
    """Rank correlation of tocco with the same others; null where it rated too few."""

    n_performances: _Count = 0
    """The fewest performances that one of these correlations rests on; where tocco is compared, those it
    rated."""

    by_chance: Share | None = None
    """Size that a correlation of unrelated orders exceeds once in ten times."""


class Ranking(StrictModel):
    """A ranking with its doubts."""

    ranking_version: Literal["1.0"] = FORMAT_VERSION
    """Version of this format."""

    by: _Text
    """The aggregate, or a dimension: what tocco's ratings are compared by."""

    source: Source
    """Whose judgement counts."""

    strength_unit: Literal["points", "log odds"]
    """Of strengths: points of tocco's rating, or the logarithm of the odds to win a comparison."""

    entries: tuple[Entry, ...]
    """From the best down."""

    pairs: tuple[Pair, ...]
    """Every two of them."""

    distinguished: Share
    """Share of the pairs that can be distinguished."""

    groups: tuple[Group, ...]
    """Runs of places that cannot be separated, as long as they go; single places are left out."""

    run_offs: tuple[Pair, ...]
    """Pairs to be heard again, the closest first; with a number that pass only those across that line."""

    apart: tuple[Apart, ...] = ()
    """Performances that are not ranked."""

    cut: Cut | None = None
    """Null where none was asked for."""

    jurors: tuple[_Text, ...] = ()
    """Those who marked or voted."""

    rules: tuple[_Text, ...] = ()
    """Rules about marks, in words."""

    changed_marks: tuple[ChangedMark, ...] = ()
    """Marks that do not count as they were given: recused, left out, moved."""

    left_out_votes: tuple[LeftOutVote, ...] = ()
    """Votes of recused jurors."""

    agreement: Agreement | None = None
    """Null without marks of two jurors."""

    tie_parameter: Annotated[float, Field(strict=True, ge=0.0)] | None = None
    """Of Davidson's model; 0 where nothing is tied."""

    log_strength: dict[_Text, _Strength]
    """Name -> strength by Davidson's model; where tocco alone counts, fitted to the chances of every pair:
    one better, the other better, or both within 2 points."""
