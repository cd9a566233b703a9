"""What the suite asks about: a take, what is done to it, and the files that are then assessed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from tocco.evaluation.validity.rows import Modality, RowName, RowPart
from tocco.inference.assessment import Assessment
from tocco.music.performance import Origin


class RatesFiles(Protocol):
    """What the suite examines: the public interface of an `Assessor`."""

    def assess(
        self,
        audio: Path | None,
        midi: Path | None = None,
        score: Path | None = None,
        *,
        origin: Origin = "keys",
    ) -> Assessment:
        """Assess one performance."""
        ...


@dataclass(frozen=True)
class Rater:
    """Which assessor is examined.

    Attributes
    ----------
    bundle : its folder; None for the one inside the package
    identity : what the ratings depend on beside the code, such as the hash of the bundle
    assessor_of : bundle -> assessor, loaded once a process; defined at module level
    """

    bundle: Path | None
    identity: str
    assessor_of: Callable[[Path | None], RatesFiles]


@dataclass(frozen=True)
class Case:
    """One take, and one thing that is done to it.

    Attributes
    ----------
    part, kind, modality : as in `Row`
    take, piece : names
    midi, score : files of the take; None where the playing is made up
    steps : severities, of five
    seconds : length of the excerpt
    seed
    reference : of a pianist's take of the passage that an excerpt of another take, this MIDI, has
    """

    part: RowPart
    kind: str
    modality: Modality
    take: str
    piece: str
    midi: Path | None = None
    score: Path | None = None
    steps: tuple[int, ...] = ()
    seconds: float = 24.0
    seed: int = 0
    reference: Path | None = None

    def row(self, step: int = 0) -> RowName:
        """Name of its row."""
        return RowName(
            part=self.part,
            take=self.take,
            piece=self.piece,
            kind=self.kind,
            step=step,
            modality=self.modality,
        )


@dataclass(frozen=True)
class Files:
    """What a user gives."""

    midi: Path
    score: Path | None = None
    audio: Path | None = None
