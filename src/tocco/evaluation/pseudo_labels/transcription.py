"""Claim (f): the same playing by keys and as a transcriber hears it, and what the proof says of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from tocco.evaluation.bootstrap import bootstrap_interval
from tocco.evaluation.markdown import number, table, verdict
from tocco.evaluation.pseudo_labels.claims import Climbed
from tocco.evaluation.pseudo_labels.measures import CLEAN, Heard, PieceLadders, column
from tocco.metrics import spearman_rho
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.units import FloatArray

FEWEST_EXCERPTS: Final = 4

DRAWS_SEED: Final = 1
"""Of the bootstrap's draws: the same measures give the same report."""

_HEADER: Final = (
    "corruption",
    "n keys",
    "n transcribed",
    "change on keys",
    "change transcribed",
    "rho on keys",
    "rho transcribed",
    "rho transcribed, other draws, 95 %",
    "rho of means",
    "largest other / own on keys",
    "largest other / own",
    "monotone",
    "specific",
)


@dataclass(frozen=True)
class HeardAgreement:
    """One dimension of excerpts as they were played.

    Attributes
    ----------
    dimension
    n_keys, n : excerpts that could be rated by keys, and both ways
    shift : points, transcribed less keys, mean
    rho : Spearman over the excerpts; NaN of fewer than four
    """

    dimension: str
    n_keys: int
    n: int
    shift: float
    rho: float


def heard_agreement(ladders: Sequence[PieceLadders]) -> list[HeardAgreement]:
    """Compare the ratings of what was played by keys and transcribed, of each dimension."""
    return [
        _of(name, *(_clean(ladders, name, heard) for heard in ("keys", "transcribed"))) for name in RATERS
    ]


def _clean(ladders: Sequence[PieceLadders], name: str, heard: Heard) -> FloatArray:
    """(E,) rating of each excerpt as it was played; NaN where there is none."""
    steps = (next((s for s in one.steps if s.kind == CLEAN and s.heard == heard), None) for one in ladders)
    return column([None if step is None else step.ratings.get(name) for step in steps])


def _of(name: str, keys: FloatArray, transcribed: FloatArray) -> HeardAgreement:
    both = np.isfinite(keys) & np.isfinite(transcribed)
    enough = both.sum() >= FEWEST_EXCERPTS
    return HeardAgreement(
        dimension=name,
        n_keys=int(np.isfinite(keys).sum()),
        n=int(both.sum()),
        shift=float((transcribed - keys)[both].mean()) if both.any() else float("nan"),
        rho=spearman_rho(keys[both], transcribed[both]) if enough else float("nan"),
    )


def transcription_section(
    keys: Sequence[Climbed],
    transcribed: Sequence[Climbed],
    agreements: Sequence[HeardAgreement],
    transcriber: str | None,
) -> list[str]:
    """What the report says of claim (f); nothing where nothing was transcribed.

    Parameters
    ----------
    keys, transcribed : what the corruptions of the same excerpts do, by keys and transcribed
    agreements : of these excerpts as they were played
    transcriber : command of the one that took part; None for its noise
    """
    if not transcribed:
        return []
    own = {one.kind: one for one in keys}
    how = (
        "No transcriber took part: the keys carry the noise that was measured of one "
        "(`tocco.music.transcriber_noise.TranscriberNoise`, results/transcription/errors.txt), the same "
        "errors at every step."
    )
    if transcriber is not None:
        how = f"Every step was rendered, and its keys and pedal heard by `{transcriber}`."
    return [
        f"## (f) Robust to transcription{', simulated' if transcriber is None else ''}",
        "",
        how,
        "",
        "Other draws: where the mean rho would lie if other excerpts like these had been drawn (bootstrap "
        "over excerpts; of few excerpts it is rather too narrow, and of fewer than two there is none).",
        "",
        *table(_HEADER, [_heard_row(own.get(one.kind), one) for one in transcribed]),
        "",
        *[_met(what, given) for what, given in (("keys", keys), ("transcribed", transcribed))],
        "",
        "The excerpts as they were played, by keys and as transcribed. What cannot be heard is not rated.",
        "",
        *_agreement_table(agreements),
    ]


def _heard_row(keys: Climbed | None, transcribed: Climbed) -> list[str]:
    """One kind, by keys and transcribed; the last two columns are of what was transcribed."""
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
    """Where the mean over excerpts would lie if others had been drawn; "-" of fewer than two."""
    known = rho_of[np.isfinite(rho_of)]
    if len(known) < 2:
        return "-"
    drawn = bootstrap_interval(
        lambda index: known[index].mean(), np.arange(len(known)), np.random.default_rng(DRAWS_SEED)
    )
    return f"{number(float(drawn.low), '.3f')} to {number(float(drawn.high), '.3f')}"


def _met(what: str, kinds: Sequence[Climbed]) -> str:
    monotone, specific = sum(one.is_monotone for one in kinds), sum(one.is_specific for one in kinds)
    return f"- {what}: {monotone} of {len(kinds)} kinds are monotone, {specific} specific"


def _agreement_table(agreements: Sequence[HeardAgreement]) -> list[str]:
    header = ["dimension", "rated by keys", "both ways", "shift, points", "Spearman"]
    return table(
        header,
        [
            [one.dimension, str(one.n_keys), str(one.n), number(one.shift, "+.1f"), number(one.rho, ".3f")]
            for one in agreements
        ],
    )
