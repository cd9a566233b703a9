"""Provenance of the norms of statistics, kept beside their arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

from pydantic import Field, ValidationError

from tocco.errors import InputError
from tocco.files import read_text, write_bytes
from tocco.pseudo_labels.pool import PoolFacts
from tocco.schema import laid_out, one_line

FACTS: Final = "provenance.json"


class NormFacts(PoolFacts):
    """The performances and windows that norms of statistics describe."""

    n_windows: Annotated[int, Field(ge=1)]
    """Excerpts of a few bars."""

    windows_per_performance: Annotated[int, Field(ge=1)]
    """Drawn at most from each performance."""

    def save(self, folder: Path) -> None:
        """Write the provenance beside the norms."""
        write_bytes(folder / FACTS, (laid_out(self.model_dump(mode="json")) + "\n").encode())

    @classmethod
    def load(cls, folder: Path) -> NormFacts:
        """Read what `save` wrote.

        Raises
        ------
        InputError
            It is missing, or no provenance.
        """
        path = folder / FACTS
        try:
            return cls.model_validate_json(read_text(path))
        except ValidationError as error:
            raise InputError(
                path, one_line(error), next_step="fit the norms again with `tocco statistics fit-norms`"
            ) from error
