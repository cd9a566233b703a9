"""Ratings of whole excerpts by a network: one pass over each window, with its attention where it is shown."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from tocco.data.prepared import PreparedRecord
from tocco.data.value_arrays import value_of
from tocco.errors import InputError
from tocco.inference.assessment import Curve
from tocco.inference.attention import attention_over_time
from tocco.inference.note_report import bar_lines
from tocco.inference.rating import WindowRatings, rate_windows
from tocco.inference.windows import Merge, centre_weighted_merge
from tocco.models.network import PerformanceNetwork
from tocco.models.network_predictor import NetworkPredictor
from tocco.report.attention_picture import AttentionOverTime
from tocco.units import FloatArray


@dataclass(frozen=True, eq=False)
class NetworkRatings:
    """Ratings of excerpts.

    Attributes
    ----------
    rating, sd : (R, D) rating points, in the order of the network's dimensions
    attention : segment -> attention over time, of those that it was asked for
    """

    rating: FloatArray
    sd: FloatArray
    attention: Mapping[str, AttentionOverTime] = field(default_factory=dict)


def rate_excerpts(
    network: PerformanceNetwork,
    records: Sequence[PreparedRecord],
    *,
    use_score: bool,
    shown: Collection[str] = (),
    advance: Callable[[], object] = lambda: None,
) -> NetworkRatings:
    """Rate excerpts, their windows merged as in an assessment.

    Parameters
    ----------
    network : in evaluation mode
    records : R of them, at least one
    use_score
    shown : segments whose attention is kept
    advance : called after each

    Raises
    ------
    InputError
        An excerpt has too few notes to be rated.
    """
    predictor = NetworkPredictor(network)
    ratings, variances = [], []
    attention: dict[str, AttentionOverTime] = {}
    for record in records:
        rated = rate_windows(predictor, (w.inputs(use_score=use_score) for w in record.windows))
        merge = centre_weighted_merge(record.bounds_sec, rated.heard)
        name = record.record.segment_id
        if not len(merge.time_sec):
            raise InputError(name, "has too few notes to be rated", next_step="leave it out")
        ratings.append(merge.overall(rated.rating))
        variances.append(merge.overall(rated.sd**2))
        if name in shown and (over_time := _attention(record, rated, merge)) is not None:
            attention[name] = over_time
        advance()
    return NetworkRatings(np.stack(ratings), np.sqrt(np.stack(variances)), attention)


def _attention(record: PreparedRecord, rated: WindowRatings, merge: Merge) -> AttentionOverTime | None:
    """Attention over the excerpt's own time, which begins at 0; None of a network without attention."""
    attention = attention_over_time(rated.attention, merge, network_share=1.0)
    if attention is None:
        return None
    begin = float(record.bounds_sec.min())
    time = merge.time_sec - begin
    half = merge.step_sec / 2
    alignment = value_of("alignment", record.windows[0].source.open().array)
    end_sec = float(record.bounds_sec.max()) - begin
    bars = [] if alignment is None else bar_lines(alignment)
    return AttentionOverTime(
        name=record.record.segment_id,
        curve=Curve(
            time_sec=tuple(time.tolist()),
            start_sec=tuple(np.maximum(time - half, 0.0).tolist()),
            end_sec=tuple((time + half).tolist()),
            value={},
        ),
        attention=attention,
        bars=[(bar, second - begin) for bar, second in bars if 0.0 <= second - begin <= end_sec],
        end_sec=end_sec,
    )
