"""Claim (f): ratings of the same performances on recorded MIDI and on transcriptions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.evaluation.markdown import number, table, verdict
from tocco.evaluation.pseudo_labels.claims import LadderResult
from tocco.evaluation.pseudo_labels.measures import CLEAN, Modality, PieceLadders, column
from tocco.metrics import bootstrap_interval, spearman_rho, value_or_nan
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.units import FloatArray

FEWEST_EXCERPTS: Final = 4

DRAWS: Final = 1000
DRAWS_SEED: Final = 1
"""Of the bootstrap: equal measures give an equal report."""

_HEADER: Final = (
    "corruption",
    "n keys",
    "n transcribed",
    "change, keys",
    "change, transcribed",
    "rho, keys",
    "rho, transcribed",
    "rho, transcribed, 95 % interval",
    "rho of means",
    "largest other / own, keys",
    "largest other / own",
    "monotone",
    "specific",
)


@dataclass(frozen=True)
class TranscriptionAgreement:
    """Agreement of one dimension on the uncorrupted excerpts.

    Attributes
    ----------
    dimension
    n_keys, n : excerpts rated on recorded MIDI, and on both
    shift : points, transcription less recorded MIDI, mean
    rho : Spearman over the excerpts; NaN with fewer than four
    """

    dimension: str
    n_keys: int
    n: int
    shift: float
    rho: float


def transcription_agreement(ladders: Sequence[PieceLadders]) -> list[TranscriptionAgreement]:
    """Compare ratings on recorded MIDI and on transcriptions, for each dimension."""
    return [
        _of(name, *(_clean(ladders, name, modality) for modality in ("keys", "transcribed")))
        for name in RATERS
    ]


def _clean(ladders: Sequence[PieceLadders], name: str, modality: Modality) -> FloatArray:
    """(E,) rating of each uncorrupted excerpt; NaN where missing."""
    steps = (
        next((s for s in one.steps if s.kind == CLEAN and s.modality == modality), None) for one in ladders
    )
    return column([None if step is None else step.ratings.get(name) for step in steps])


def _of(name: str, keys: FloatArray, transcribed: FloatArray) -> TranscriptionAgreement:
    both = np.isfinite(keys) & np.isfinite(transcribed)
    enough = both.sum() >= FEWEST_EXCERPTS
    return TranscriptionAgreement(
        dimension=name,
        n_keys=int(np.isfinite(keys).sum()),
        n=int(both.sum()),
        shift=float((transcribed - keys)[both].mean()) if both.any() else float("nan"),
        rho=value_or_nan(spearman_rho, keys[both], transcribed[both]) if enough else float("nan"),
    )


def transcription_section(
    keys: Sequence[LadderResult],
    transcribed: Sequence[LadderResult],
    agreements: Sequence[TranscriptionAgreement],
    transcriber: str | None,
) -> list[str]:
    """Section of the report on claim (f); empty where nothing was transcribed.

    Parameters
    ----------
    keys, transcribed : effect of the corruptions of the same excerpts, on recorded MIDI and on transcriptions
    agreements : on the uncorrupted excerpts
    transcriber : command of the transcriber; None where its errors were simulated
    """
    if not transcribed:
        return []
    own = {one.kind: one for one in keys}
    how = (
        "The transcription was simulated with measured errors of a transcriber "
        "(`tocco.music.transcriber_noise.TranscriberNoise`, results/transcription/errors.txt), the same "
        "errors at every step."
    )
    if transcriber is not None:
        how = f"Every step was rendered to audio and transcribed by `{transcriber}`."
    return [
        f"## (f) Robust to transcription{', simulated' if transcriber is None else ''}",
        "",
        how,
        "",
        "The confidence interval of the mean rho is a bootstrap over excerpts. With few excerpts it is too "
        "narrow; with fewer than two there is none.",
        "",
        *table(_HEADER, [_transcription_row(own.get(one.kind), one) for one in transcribed]),
        "",
        *[_met(what, given) for what, given in (("keys", keys), ("transcribed", transcribed))],
        "",
        "Ratings of the uncorrupted excerpts on recorded MIDI and on transcriptions. What a transcription "
        "cannot show is not rated.",
        "",
        *_agreement_table(agreements),
    ]


def _transcription_row(keys: LadderResult | None, transcribed: LadderResult) -> list[str]:
    """One kind, on recorded MIDI and on transcriptions; the last two columns are of transcriptions."""
    nothing = float("nan")
    return [
        transcribed.kind,
        str(0 if keys is None else keys.n_rated),
        str(transcribed.n_rated),
        number(nothing if keys is None else keys.own_change, ".1f"),
        number(transcribed.own_change, ".1f"),
        number(nothing if keys is None else keys.rho, ".3f"),
        number(transcribed.rho, ".3f"),
        _range_of_mean(transcribed.rho_of),
        number(transcribed.rho_pooled, ".3f"),
        "-" if keys is None else f"{number(keys.side_share, '.2f')} {keys.most_moved}",
        f"{number(transcribed.side_share, '.2f')} {transcribed.most_moved}",
        verdict(transcribed.is_monotone),
        verdict(transcribed.is_specific),
    ]


def _range_of_mean(rho_of: FloatArray) -> str:
    """Bootstrap interval of the mean over excerpts; "-" with fewer than two."""
    known = rho_of[np.isfinite(rho_of)]
    if len(known) < 2:
        return "-"
    drawn = bootstrap_interval(
        lambda index: known[index].mean(), np.arange(len(known)), np.random.default_rng(DRAWS_SEED), n=DRAWS
    )
    return f"{number(float(drawn.low), '.3f')} to {number(float(drawn.high), '.3f')}"


def _met(what: str, kinds: Sequence[LadderResult]) -> str:
    monotone, specific = sum(one.is_monotone for one in kinds), sum(one.is_specific for one in kinds)
    return f"- {what}: {monotone} of {len(kinds)} kinds are monotone, {specific} specific"


def _agreement_table(agreements: Sequence[TranscriptionAgreement]) -> list[str]:
    header = ["dimension", "rated, keys", "rated, both", "shift, points", "Spearman"]
    return table(
        header,
        [
            [one.dimension, str(one.n_keys), str(one.n), number(one.shift, "+.1f"), number(one.rho, ".3f")]
            for one in agreements
        ],
    )
