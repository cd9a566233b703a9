from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from tocco.evaluation.interval_calibration.predictions import Predictions


@pytest.fixture
def make() -> Callable[..., Predictions]:
    """Predictions of an sd that is `lacking` times too small; a part of each error is that of its cluster."""

    def predictions(
        n: int = 400,
        clusters: int = 40,
        *,
        lacking: float = 2.0,
        shared: float = 0.2,
        bias: float = 0.0,
        works: int = 4,
        split: str = "",
        given: str = "",
        seed: int = 3,
        dimensions: tuple[str, ...] = ("phrasing",),
    ) -> Predictions:
        rng = np.random.default_rng(seed)
        cluster = np.arange(n) % clusters
        parts = []
        for _ in dimensions:
            mean, sd = rng.uniform(35, 65, n), rng.uniform(2, 4, n)
            common = rng.normal(size=clusters)[cluster]
            z = np.sqrt(shared) * common + np.sqrt(1 - shared) * rng.normal(size=n)
            parts.append((np.clip(mean + bias + lacking * sd * z, 0, 100), mean, sd))
        label, mean, sd = (np.concatenate(columns) for columns in zip(*parts, strict=True))
        times = len(dimensions)
        return Predictions(
            segment=np.tile([f"s{i}" for i in range(n)], times),
            dimension=np.repeat(dimensions, n),
            label=label,
            mean=mean,
            sd=sd,
            cluster=np.tile(cluster.astype(str), times),
            work=np.tile((cluster % works).astype(str), times),
            fold=np.tile((cluster // works % 4).astype(str), times),
            split=np.full(n * times, split),
            input=np.full(n * times, given),
        )

    return predictions
