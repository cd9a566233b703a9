"""What a fit was made on: performances of competent players, and how to know them again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tocco.schema import StrictModel

Count = Annotated[int, Field(ge=0)]


class PoolFacts(StrictModel):
    """Which performances something was fitted to."""

    corpora: dict[str, Count]
    """Corpus -> performances."""

    n_performances: Count
    """All of them."""

    seed: Count
    """Of the choice of pieces and takes, and of a transcriber's errors."""

    pieces: tuple[str, ...]
    """Every piece of the pool; whatever is proved of the fit is proved on others."""

    labels_sha256: str
    """Of the file that listed the performances."""

    content_sha256: str
    """Over the hashes of all performances and scores, in order."""
