"""Fit of all norms to competent performances: touch, dynamics contour, accents, and pedal-timing lags.

Each performance is reduced to a small sample once; the fits then work on the samples of the whole pool, with
equal weight per piece, regardless of its length and of the number of takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocco.errors import InputError
from tocco.pseudo_labels.fitting.accents import AccentNotes, fit_accents, read_accent_notes
from tocco.pseudo_labels.fitting.level import LevelSample, fit_level, read_level_sample
from tocco.pseudo_labels.fitting.pedal_lags import PedalLags, measure_pedal_lags, read_pedal_lags
from tocco.pseudo_labels.fitting.touch import TouchNotes, fit_touch, read_touch_notes
from tocco.pseudo_labels.norms.model import Norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts

FEWEST_PIECES = 2
"""One to fit, one to hold out."""


@dataclass(frozen=True, eq=False)
class NormSample:
    """Sample of one performance for the fit of the norms.

    Attributes
    ----------
    piece
    touch
    level
    accents
    pedal : None without pedal
    """

    piece: str
    touch: TouchNotes
    level: LevelSample
    accents: AccentNotes
    pedal: PedalLags | None


def read_norm_sample(evidence: Evidence, piece: str) -> NormSample | None:
    """Reduce a performance to its sample; None where too few notes match the score."""
    touch, level, accents = (
        read_touch_notes(evidence),
        read_level_sample(evidence),
        read_accent_notes(evidence),
    )
    if touch is None or level is None or accents is None:
        return None
    return NormSample(piece, touch, level, accents, read_pedal_lags(evidence))


def fit_norms(samples: Sequence[NormSample], pool: PoolFacts, rng: np.random.Generator) -> Norms:
    """Fit all norms.

    Parameters
    ----------
    samples
    pool : provenance of the samples
    rng : draws the cross-validation folds

    Raises
    ------
    InputError
        There are fewer than two pieces, or a predictor never varies: no note with a staccato sign, a slur or
        an accent, no soft pedal, no staff that ever plays alone.
    """
    pieces = [sample.piece for sample in samples]
    if len(set(pieces)) < FEWEST_PIECES:
        raise InputError(
            "pool",
            f"has too few pieces of which enough notes match: {len(set(pieces))}",
            allowed=f"at least {FEWEST_PIECES}",
            next_step="give more pieces: more names in --pieces, or without it a greater --share",
        )
    return Norms(
        pool=pool,
        touch=fit_touch([sample.touch for sample in samples], pieces),
        level=fit_level([sample.level for sample in samples], pieces, rng),
        accents=fit_accents([sample.accents for sample in samples], pieces, rng),
        pedal=measure_pedal_lags([sample.pedal for sample in samples], pieces),
    )
