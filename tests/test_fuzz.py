"""The command that damages files: the same damage for the same seed, and no fault is passed over."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "benchmarks"))

import fuzz
from fuzz_damage import damaged
from fuzz_material import KINDS, read_as, seeds_of

from tocco.errors import InputError


@pytest.mark.parametrize("text", ["", "xml", "data"])
def test_the_same_seed_damages_the_same_way(text) -> None:
    content = (Path(fuzz.__file__).parent / "fuzz_score.musicxml").read_bytes()

    def series(seed: int) -> list[bytes]:
        return [damaged(content, np.random.default_rng([seed, n]), text=text) for n in range(50)]

    made = [series(seed) for seed in (1, 1, 2)]
    assert made[0] == made[1] != made[2]
    assert sum(one != content for one in made[0]) >= 45
    assert len(set(made[0])) >= 45


def test_any_content_can_be_damaged() -> None:
    for content in (b"", b"x", b"<a/>", b"{}"):
        made = [damaged(content, np.random.default_rng(n), text="xml") for n in range(100)]
        assert all(isinstance(one, bytes) for one in made)
        assert any(one != content for one in made), content


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_has_files_that_are_read(kind, tmp_path: Path) -> None:
    seeds = seeds_of(kind)
    assert seeds
    assert all(seeds)
    for content in seeds:
        read_as(kind, content, tmp_path)


@pytest.mark.parametrize(
    ("raised", "fault"),
    [
        (None, ""),
        (InputError("file", "is broken"), ""),
        (InputError("file", "is broken ('NoneType' object has no attribute 'x')"), "program's words"),
        (IndexError("list index out of range"), "exception"),
        (MemoryError(), "memory"),
    ],
)
def test_what_counts_as_a_finding(tmp_path: Path, monkeypatch, raised, fault: str) -> None:
    def read(*_: object) -> None:
        if raised is not None:
            raise raised

    monkeypatch.setattr(fuzz, "read_as", read)
    outcome = fuzz._outcome(KINDS[0], b"", 3, tmp_path)
    assert (outcome.number, outcome.fault, outcome.was_read) == (3, fault, raised is None)


def test_what_is_slow_is_a_finding(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(fuzz, "read_as", lambda *_: None)
    monkeypatch.setattr(fuzz, "MAX_SEC", -1.0)
    assert fuzz._outcome(KINDS[0], b"", 0, tmp_path).fault == "slow"
