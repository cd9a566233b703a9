"""How a statistic is declared: its name, unit, musical matter and meaning, known before any playing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVarTuple

Sources = TypeVarTuple("Sources")

FIVE: Final = ("mean", "sd", "p10", "median", "p90")
"""The five numbers that describe how a quantity is distributed over a performance."""
N_SIXTHS: Final = 6


@dataclass(frozen=True)
class Statistic:
    """One number that describes a performance.

    Attributes
    ----------
    name : unique, lower case
    unit : "s", "ms", "beats", "velocity", "pedal" (0 up to 127 down), "semitones", "dB", "1/s", "1/min",
        "1/beat", "log" (natural logarithm of a ratio, or of seconds), "ratio", "fraction" (0..1),
        "correlation" (-1..1), "count"
    needs_score : True where the number is missing without an alignment
    group : the musical matter
    meaning : in a musician's words
    transposition_invariant : False where the register itself counts
    """

    name: str
    unit: str
    needs_score: bool
    group: str
    meaning: str
    transposition_invariant: bool = True


@dataclass(frozen=True)
class Matter:
    """One musical matter; declares the statistics that speak of it.

    Attributes
    ----------
    name : the `group` of its statistics
    needs_score : whether they compare the playing with the score
    """

    name: str
    needs_score: bool

    def one(self, name: str, unit: str, meaning: str, *, invariant: bool = True) -> tuple[Statistic, ...]:
        """A single number."""
        return (Statistic(name, unit, self.needs_score, self.name, meaning, invariant),)

    def two(self, stem: str, unit: str, meaning: str, *, invariant: bool = True) -> tuple[Statistic, ...]:
        """Mean and spread of a quantity."""
        return self._parts(stem, FIVE[:2], unit, meaning, invariant)

    def five(self, stem: str, unit: str, meaning: str, *, invariant: bool = True) -> tuple[Statistic, ...]:
        """Mean, spread and three percentiles of a quantity."""
        return self._parts(stem, FIVE, unit, meaning, invariant)

    def six(self, stem: str, unit: str, meaning: str, *, invariant: bool = True) -> tuple[Statistic, ...]:
        """The course of a quantity over the six sixths of the performance."""
        parts = tuple(f"sixth_{k + 1}" for k in range(N_SIXTHS))
        return self._parts(stem, parts, unit, meaning, invariant)

    def _parts(
        self, stem: str, parts: tuple[str, ...], unit: str, meaning: str, invariant: bool
    ) -> tuple[Statistic, ...]:
        spelled = {"sd": "standard deviation", "p10": "10th percentile", "p90": "90th percentile"}
        return tuple(
            Statistic(
                f"{stem}_{part}",
                unit,
                self.needs_score,
                self.name,
                f"{meaning}: {spelled.get(part, part.replace('_', ' '))}",
                invariant,
            )
            for part in parts
        )


@dataclass(frozen=True)
class Chapter(Generic[*Sources]):
    """Statistics and the function that measures them.

    Attributes
    ----------
    statistics : in order
    measure : returns a value for every statistic of the chapter, NaN where it is undefined
    """

    statistics: tuple[Statistic, ...]
    measure: Callable[[*Sources], dict[str, float]]
