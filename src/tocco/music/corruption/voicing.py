"""Harsh and muddy voicing: the weight of the hand in the wrong fingers. The mean level stays."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.errors import InputError
from tocco.music.corruption.context import BASS, INNER, MELODY, Context
from tocco.music.corruption.draft import Draft
from tocco.music.corruption.dynamics import at_level
from tocco.units import FloatArray

TOP_PITCH: Final = 76
"""From E5 up the strings are short, and a hard stroke rings as metal."""


def harsh_voicing(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Inner voices brought up to the melody and the top end hammered; velocity steps.

    Inner voices gain the severity, melody notes from E5 up four fifths of it.
    """
    del rng  # every corruption has one signature, and this one leaves nothing to chance
    voice = context.voice
    is_top = (voice == MELODY) & (context.performance.pitch >= TOP_PITCH)
    return _weighted(context, severity * ((voice == INNER) + 0.8 * is_top))


def muddy_voicing(context: Context, severity: float, rng: np.random.Generator) -> Draft:
    """Bass and inner voices over the melody; velocity steps that the distance between them changes by."""
    del rng  # as above
    voice = context.voice
    return _weighted(
        context, severity * (0.5 * (voice == BASS) + 0.5 * (voice == INNER) - 0.5 * (voice == MELODY))
    )


def _weighted(context: Context, steps: FloatArray) -> Draft:
    """Shift levels, less the mean shift, so that the performance as a whole is no louder."""
    if np.ptp(steps) == 0:
        raise InputError(
            context.performance.source or "performance",
            "has one voice only, so that no other can cover it",
            next_step="choose another corruption for this piece",
        )
    return at_level(context, context.performance.velocity + steps - steps.mean())
