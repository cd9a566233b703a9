import dataclasses

import numpy as np
import pytest

from corpus import performance
from tocco.data.value_arrays import arrays_of, value_of
from tocco.inference.bundle import example_path
from tocco.music.alignment import align_performance_to_score
from tocco.music.midi import load_midi
from tocco.music.score import score_readings


def assert_same(ours: object, theirs: object) -> None:
    assert type(ours) is type(theirs)
    if isinstance(ours, np.ndarray):
        assert ours.dtype == theirs.dtype  # type: ignore[union-attr]
        np.testing.assert_array_equal(ours, theirs)  # type: ignore[arg-type]
    elif dataclasses.is_dataclass(ours):
        for field in dataclasses.fields(ours):
            assert_same(getattr(ours, field.name), getattr(theirs, field.name))
    elif isinstance(ours, tuple):
        assert len(ours) == len(theirs)  # type: ignore[arg-type]
        for one, other in zip(ours, theirs, strict=True):  # type: ignore[call-overload]
            assert_same(one, other)
    else:
        assert ours == theirs


def test_a_performance_and_its_alignment_come_back_as_they_were() -> None:
    played = load_midi(example_path() / "minuet.mid")
    page = next(p for p in example_path().iterdir() if p.suffix in {".mxl", ".musicxml", ".xml"})
    alignment = align_performance_to_score(played, score_readings(page))
    for value in (played, alignment, None, "a refusal"):
        arrays = arrays_of(value, "v")
        assert all(name.split(".")[0] == "v" for name in arrays)
        assert_same(value_of("v", arrays.__getitem__), value)


def test_no_other_kind_of_value_is_kept(rng: np.random.Generator) -> None:
    with pytest.raises(TypeError, match="a set, which cannot be stored"):
        arrays_of({1}, "v")
    arrays = arrays_of(performance(rng, velocity=60.0, jitter_sec=0.0), "v")
    arrays["v"] = np.frombuffer(b'{"kind": "Popen", "fields": {}}', dtype=np.uint8)
    with pytest.raises(KeyError):
        value_of("v", arrays.__getitem__)
