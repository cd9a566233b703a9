"""The example assessment with the attention of a network."""

from __future__ import annotations

from assessment_example import example
from tocco.inference.assessment import Assessment
from tocco.inference.attention import Attention


def attention(n: int = 66, *, network_share: float = 0.0, **values: float) -> Attention:
    """Even attention but for the points of `values`: `at5=3.0` is three times an even share at point 5."""
    curve = [1.0] * n
    for name, value in values.items():
        curve[int(name.removeprefix("at"))] = value
    return Attention(
        curve=tuple(curve),
        heads=(tuple(curve), (1.0,) * n),
        evenness=0.97,
        window_sec=20.0,
        network_share=network_share,
    )


def attended(*, network_share: float = 0.0, **values: float) -> Assessment:
    """The example with attention, validated."""
    fields = example().model_dump()
    found = attention(network_share=network_share, **values)
    return Assessment.model_validate(fields | {"attention": found.model_dump()})
