"""Fitting the norms to competent performances: touch, course of level, accents, and when the foot moves.

What a performance gives is read once and is small; the fits then work on the samples of the whole pool, in
which every piece weighs the same, however long it is and however many play it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from tocco.errors import InputError
from tocco.pseudo_labels.fitting.accents import AccentNotes, fit_accents, read_accent_notes
from tocco.pseudo_labels.fitting.level import LevelHints, fit_course, read_level_hints
from tocco.pseudo_labels.fitting.pedal_lags import FootLags, measure_foot, read_foot_lags
from tocco.pseudo_labels.fitting.touch import TouchNotes, fit_touch, read_touch_notes
from tocco.pseudo_labels.norms.model import Norms
from tocco.pseudo_labels.observed.evidence import Evidence
from tocco.pseudo_labels.pool import PoolFacts

FEWEST_PIECES = 2
"""One to fit to, one to be left out."""


@dataclass(frozen=True, eq=False)
class NormSample:
    """What one performance gives to the norms.

    Attributes
    ----------
    piece
    touch
    course
    accents
    foot : None without pedal
    """

    piece: str
    touch: TouchNotes
    course: LevelHints
    accents: AccentNotes
    foot: FootLags | None


def read_norm_sample(evidence: Evidence, piece: str) -> NormSample | None:
    """Read what a performance of a score gives; None where too few of its notes match."""
    touch, course, accents = (
        read_touch_notes(evidence),
        read_level_hints(evidence),
        read_accent_notes(evidence),
    )
    if touch is None or course is None or accents is None:
        return None
    return NormSample(piece, touch, course, accents, read_foot_lags(evidence))


def fit_norms(samples: Sequence[NormSample], pool: PoolFacts, rng: np.random.Generator) -> Norms:
    """Fit all norms.

    Parameters
    ----------
    samples
    pool : what they are of
    rng : draws which pieces are left out together

    Raises
    ------
    InputError
        There is hardly a piece, or something that a norm is for is never played: no note under a staccato
        sign, a slur or an accent, no soft pedal, no staff that ever plays alone.
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
        course=fit_course([sample.course for sample in samples], pieces, rng),
        accents=fit_accents([sample.accents for sample in samples], pieces, rng),
        foot=measure_foot([sample.foot for sample in samples], pieces),
    )
