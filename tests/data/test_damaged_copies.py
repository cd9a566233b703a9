"""Statistics of performances that are damaged on purpose."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from corruption_etude import etude
from tocco.data.damaged_copies import COPIES, TRAINED_KINDS, damaged_statistics
from tocco.data.records import LabelRecord
from tocco.music.corruption import CORRUPTIONS, HELD_OUT_KINDS
from tocco.music.midi import save_midi
from tocco.music.statistics import STATISTICS, performance_statistics


def record(folder: Path, name: str) -> LabelRecord:
    performance, _ = etude()
    save_midi(performance, folder / f"{name}.mid")
    return LabelRecord(
        segment_id=name, piece_id="etude", source="test", labels={}, midi_path=folder / f"{name}.mid"
    )


def test_each_record_has_its_copies_of_different_kinds(tmp_path: Path):
    records = [record(tmp_path, "one"), record(tmp_path, "two")]
    found = damaged_statistics(records, seed=3)
    assert found.original.tolist() == [0] * COPIES + [1] * COPIES
    assert found.statistics.shape == found.without_score.shape == (2 * COPIES, len(STATISTICS))
    for n in (0, 1):
        kinds = [kind for kind, of in zip(found.kind, found.original, strict=True) if of == n]
        assert len(set(kinds)) == COPIES
        assert set(kinds) <= set(TRAINED_KINDS)
    assert found.kind[:COPIES] != found.kind[COPIES:]  # the name of the record is part of the seed
    clean = performance_statistics(etude()[0], None).values
    for row in found.without_score:
        assert not np.array_equal(row, clean, equal_nan=True)


def test_the_same_seed_gives_the_same_copies(tmp_path: Path):
    one = [record(tmp_path, "one")]
    first, again, other = (damaged_statistics(one, seed=seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(first.statistics, again.statistics)
    assert first.kind == again.kind
    assert not np.array_equal(first.statistics, other.statistics, equal_nan=True)


def test_the_kinds_that_are_held_out_are_not_trained_on():
    assert set(TRAINED_KINDS) | set(HELD_OUT_KINDS) == set(CORRUPTIONS)
    assert not set(TRAINED_KINDS) & set(HELD_OUT_KINDS)
