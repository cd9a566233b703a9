"""Ratings computed by rule: the six technical dimensions of a time span or of a whole performance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tocco.audio.processing import segment_bounds
from tocco.pseudo_labels.observed.evidence import Evidence, Span
from tocco.pseudo_labels.pseudo_label import PseudoLabel
from tocco.pseudo_labels.raters.registry import measure_technique
from tocco.pseudo_labels.scale.difficulty import difficulty_covariates
from tocco.pseudo_labels.scale.files import reference_scale
from tocco.pseudo_labels.scale.model import ReferenceScale


def rate_span(
    evidence: Evidence, span_sec: Span | None = None, *, scale: ReferenceScale | None = None
) -> dict[str, PseudoLabel]:
    """Rate the six technical dimensions of a span.

    Parameters
    ----------
    evidence : of the whole performance
    span_sec : (start, end) seconds of the performance; the scale was fitted to spans of ten seconds
    scale : by default the one that ships with tocco, for recorded MIDI or for transcriptions
    """
    scale = reference_scale(evidence.performance.origin) if scale is None else scale
    covariates = difficulty_covariates(evidence, span_sec)
    return {
        name: scale.rated(label, covariates) for name, label in measure_technique(evidence, span_sec).items()
    }


def rate_performance(evidence: Evidence, *, scale: ReferenceScale | None = None) -> dict[str, PseudoLabel]:
    """Rate a whole performance: mean rating of its segments, with components of the whole.

    Components vary less over a whole performance than over ten seconds, so the scale is applied to
    segments. The mean is weighted by their confidence.
    """
    scale = reference_scale(evidence.performance.origin) if scale is None else scale
    bounds = segment_bounds(evidence.performance.duration_sec, scale.pool.segment_sec, scale.pool.overlap)
    parts = [rate_span(evidence, (float(start), float(end)), scale=scale) for start, end in bounds]
    found = {}
    for name, label in measure_technique(evidence).items():
        rated = [(part[name].rating, part[name].confidence) for part in parts]
        known = np.array([(r, c) for r, c in rated if r is not None and c > 0.0]).reshape(-1, 2)
        if len(known):
            found[name] = replace(label, rating=float(np.average(known[:, 0], weights=known[:, 1])))
        elif name in label.missing:
            found[name] = label
        else:
            reasons = dict.fromkeys(part[name].missing.get(name, "") for part in parts)
            reason = "; ".join(reason for reason in reasons if reason)
            found[name] = replace(label, confidence=0.0, missing={**label.missing, name: reason})
    return found
