"""Fitting the norms of accents: which notes competent pianists bring out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.pseudo_labels.fitting.predictors import (
    PENALTY,
    coefficients,
    folds_of,
    left_out,
    likeness_of,
    mean_likeness,
    refuse_still,
    to_digits,
)
from tocco.pseudo_labels.norms.accents import played_accents, read_accent_hints
from tocco.pseudo_labels.norms.model import AccentNorms, AccentVelocity
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.units import FloatArray

ACCENT_HINTS: Final = tuple(AccentVelocity.model_fields)


@dataclass(frozen=True, eq=False)
class AccentNotes:
    """The accents of a performance and what suggests them, note by note.

    Attributes
    ----------
    hint : (H, K) in the order of `ACCENT_HINTS`
    accent : (K,) velocity
    """

    hint: FloatArray
    accent: FloatArray


def read_accent_notes(evidence: Evidence) -> AccentNotes | None:
    """The accents of a performance and their hints; None where too few notes match the score."""
    if evidence.written is None:
        return None
    hints = read_accent_hints(evidence)
    return AccentNotes(np.stack([hints[name] for name in ACCENT_HINTS]), played_accents(evidence))


def fit_accents(
    performances: Sequence[AccentNotes], pieces: Sequence[str], rng: np.random.Generator
) -> AccentNorms:
    """Fit what pianists make of each hint, and hold accents together where they were not fitted.

    Parameters
    ----------
    performances
    pieces : that each performance is of
    rng : draws which pieces are left out together, a fifth each time where there are five

    Raises
    ------
    InputError
        A hint never moves.
    """
    hints, accents = [one.hint for one in performances], [one.accent for one in performances]
    refuse_still(
        ACCENT_HINTS,
        hints,
        "give performances of scores with two staves that take turns, slurs, dots and accents",
    )
    fold = folds_of(pieces, rng)
    alike = left_out(hints, accents, pieces, fold, lambda k, asked: [likeness_of(asked, accents[k])])
    velocity = dict(zip(ACCENT_HINTS, to_digits(coefficients(hints, accents, pieces)), strict=True))
    return AccentNorms(
        velocity=AccentVelocity(**velocity),
        penalty=PENALTY,
        n_notes=sum(len(one.accent) for one in performances),
        correlation=mean_likeness(alike),
        n_folds=len(np.unique(fold)),
    )
