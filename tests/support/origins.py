"""Performances and evidence of the other origin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from tocco.music.performance import Origin
from tocco.pseudo_labels.observed.evidence import Evidence

ORIGIN: Final[Mapping[bool, Origin]] = {False: "keys", True: "transcribed"}
"""Whether it is transcribed -> origin."""


def transcribed(evidence: Evidence) -> Evidence:
    """The same evidence as if a transcriber had found its notes."""
    return replace(evidence, performance=replace(evidence.performance, origin="transcribed"))
