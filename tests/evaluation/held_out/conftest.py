"""A held-out evaluation whose answers are known by construction."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.data.prepared import PreparedRecord
from tocco.data.records import LabelRecord
from tocco.evaluation.cross_validation.result import CrossValidationResult
from tocco.evaluation.held_out.evaluation import Evaluation, Intervals
from tocco.rubrics import TARGETS

N = 40
NAMES = ("dynamics_control", "phrasing", "timbre_soft_loud")


def prepared(n: int, labels: dict[str, float]) -> PreparedRecord:
    record = LabelRecord(
        segment_id=f"take{n:02d}",
        piece_id=f"piece{n % 8}",
        performer_id=f"pianist{n % 5}",
        source="test",
        midi_path=f"/nowhere/{n}.mid",
        labels=labels,
        label_sd=dict.fromkeys(labels, 12.0),
        n_raters=6,
        work_id=f"work{n % 2}",
        passage_id=f"passage{n % 8}",
        cluster_id=f"cluster{n % 8}",
        is_score_rendering=n % 10 == 9,
    )
    return PreparedRecord(
        record=record,
        bounds_sec=np.array([[0.0, 10.0]]),
        windows=(),
        score_refusal="",
        fingerprint=np.zeros(0, dtype=np.uint64),
        label=np.array([labels.get(name, np.nan) for name in TARGETS]),
        label_sd=np.array([12.0 if name in labels else np.nan for name in TARGETS]),
    )


@pytest.fixture(scope="session")
def evaluation() -> Evaluation:
    """Forty excerpts of eight clusters; the network halves the distance to 50, the constant is 50."""
    rng = np.random.default_rng(5)
    labels = rng.uniform(10.0, 90.0, (N, 3)).round(2)
    labels[0, 2] = np.nan
    mean = 50.0 + 0.5 * (np.nan_to_num(labels, nan=50.0) - 50.0)
    known = [{name: float(v) for name, v in zip(NAMES, row, strict=True) if np.isfinite(v)} for row in labels]
    records = tuple(prepared(n, row) for n, row in enumerate(known))
    sd = np.full((N, 3), 10.0)
    result = CrossValidationResult(
        names=NAMES,
        segment_ids=np.array([one.record.segment_id for one in records]),
        clusters=np.array([str(one.record.cluster_id) for one in records]),
        passages=np.array([str(one.record.passage_id) for one in records]),
        performers=np.array([str(one.record.performer_id) for one in records]),
        is_score=np.array([one.record.is_score_rendering for one in records]),
        fold=np.zeros(N, dtype=int),
        labels=labels,
        predictions={"tocco": mean, "constant": np.full((N, 3), 50.0)},
        sd={"tocco": sd},
    )
    return Evaluation(
        result=result,
        records=records,
        intervals=Intervals(sd, mean - 16.4, mean + 16.4, "other excerpts"),
        reliability=dict(zip(NAMES, (0.81, 0.64, 0.5), strict=True)),
        raters=None,
        undefined={},
        attention={},
        n_train=100,
    )
