"""Registry of predictors by the name in their files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tocco.errors import BundleError
from tocco.models.blend import Blend
from tocco.models.boosted_trees import BoostedTrees
from tocco.models.by_score import ByScore
from tocco.models.damage_invariant_ridge import DamageInvariantRidge
from tocco.models.network_predictor import NetworkPredictor
from tocco.models.norm_kernel import NormKernelRidge
from tocco.models.predictor import Predictor
from tocco.models.predictor_files import HEADER, read_header
from tocco.models.read_off import ReadOff
from tocco.models.statistics_models import KernelRidge, RidgeStatistics

KINDS: Final[Mapping[str, type[Predictor]]] = {
    member.kind: member
    for member in (
        NetworkPredictor,
        BoostedTrees,
        RidgeStatistics,
        KernelRidge,
        DamageInvariantRidge,
        NormKernelRidge,
        ReadOff,
        ByScore,
        Blend,
    )
}
"""Kind -> the class that reads it."""


def load_predictor(folder: Path) -> Predictor:
    """Read the predictor in a folder, whatever kind it is of.

    Raises
    ------
    BundleError
        There is none, it is damaged, or of a kind or format that this release does not know.
    """
    kind = read_header(folder).kind
    if kind not in KINDS:
        raise BundleError(
            folder / HEADER,
            f"is of the kind {kind!r}",
            allowed=", ".join(KINDS),
            next_step="install the release that wrote it, or export the bundle again",
        )
    return KINDS[kind].load(folder)
