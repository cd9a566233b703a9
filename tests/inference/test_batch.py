"""Many performances: outcomes in order, and one that fails ends nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from assessment_example import example
from tocco.audio.transcription import Transcriber
from tocco.data.pairing import TakeFiles
from tocco.errors import BundleError, InputError
from tocco.inference import batch
from tocco.inference.assessment import Assessment
from tocco.inference.batch import assess_many, shared_assessor
from tocco.music.performance import Origin

TAKES = [TakeFiles(name, midi=Path(f"{name}.mid")) for name in ("one", "two", "three")]


class Stand:
    """In the network's place: refuses the second performance."""

    made: tuple[Path | None, ...] = ()

    def __init__(self, bundle: Path | None, transcriber: Transcriber | None = None) -> None:
        if bundle == Path("none"):
            raise BundleError(bundle, "is not a folder")
        Stand.made = (*Stand.made, bundle)

    def assess(
        self,
        audio: Path | None,
        midi: Path | None,
        score: Path | None,
        *,
        origin: Origin = "keys",
        **_: object,
    ) -> Assessment:
        assert (audio, score) == (None, None)
        if midi == Path("two.mid"):
            raise InputError(midi, "is empty")
        return example()


@pytest.fixture(autouse=True)
def _stand(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(batch, "Assessor", Stand)
    monkeypatch.setattr(Stand, "made", ())
    shared_assessor.cache_clear()
    yield
    shared_assessor.cache_clear()


def test_a_performance_that_fails_says_why_and_ends_nothing() -> None:
    delivered: list[str] = []
    counts: list[tuple[int, int]] = []
    outcomes = list(
        assess_many(
            TAKES,
            deliver=lambda take, assessment: delivered.append(take.id),
            progress=lambda done, total: counts.append((done, total)),
        )
    )
    assert [outcome.take for outcome in outcomes] == TAKES
    assert [outcome.assessment for outcome in outcomes] == [example(), None, example()]
    assert [str(outcome.error or "") for outcome in outcomes] == ["", "two.mid: is empty.", ""]
    assert delivered == ["one", "three"]
    assert counts == [(1, 3), (2, 3), (3, 3)]


def test_what_cannot_be_delivered_is_an_outcome_too() -> None:
    def refuse(take: TakeFiles, assessment: Assessment) -> None:
        raise InputError(take.id, "is in the way")

    (outcome,) = assess_many(TAKES[:1], deliver=refuse)
    assert str(outcome.error) == "one: is in the way."
    assert outcome.assessment is None


def test_a_bundle_is_loaded_once() -> None:
    list(assess_many(TAKES, Path("bundle")))
    list(assess_many(TAKES[:1], Path("bundle")))
    assert Stand.made == (Path("bundle"),)


def test_a_bundle_that_cannot_be_used_ends_the_batch() -> None:
    with pytest.raises(BundleError, match="is not a folder"):
        list(assess_many(TAKES, Path("none")))
