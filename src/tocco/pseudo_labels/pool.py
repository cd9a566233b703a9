"""Provenance of a fit: the performances of competent pianists that it was made on."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tocco.schema import StrictModel

Count = Annotated[int, Field(ge=0)]


class PoolFacts(StrictModel):
    """The performances that norms or a scale were fitted to."""

    corpora: dict[str, Count]
    """Corpus -> performances."""

    n_performances: Count
    """Number of performances."""

    seed: Count
    """Random seed of the choice of pieces and takes, and of simulated transcription errors."""

    pieces: tuple[str, ...]
    """Every piece of the pool. The fit is validated on other pieces only."""

    labels_sha256: str
    """SHA-256 of the label file that listed the performances."""

    content_sha256: str
    """SHA-256 over the hashes of all performances and scores, in order."""
