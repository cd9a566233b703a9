"""Recordings of known keys: which takes, how they are recorded, which errors are planted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tocco.audio.processing import load_audio
from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.transcription.chains import CHAINS, recorded
from tocco.evaluation.transcription.pairs import Pair, PairTask, chosen_records, make_pairs, read_pairs
from tocco.inference.bundle import example_path
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.units import FloatArray

EXAMPLE = example_path()


class Deaf:
    """Hears the first ten notes of the example in anything, and counts how often it was asked."""

    version = "deaf 1"
    asked = 0

    def transcribe(
        self, blocks: Iterable[FloatArray], source: str, *, on_heard: object = None, partial: object = None
    ) -> Performance:
        del on_heard, partial
        self.asked += 1
        assert sum(len(block) for block in blocks) > 0
        heard = load_midi(EXAMPLE / "minuet.mid").only(np.arange(10))
        return replace(heard, origin="transcribed", source=source)


def record(name: str, piece: str, cluster: str | None = None) -> LabelRecord:
    return LabelRecord(
        segment_id=name,
        piece_id=piece,
        source="made up",
        midi_path=EXAMPLE / "minuet.mid",
        score_path=EXAMPLE / "minuet.musicxml",
        labels={},
        cluster_id=cluster,
    )


def test_every_piece_has_its_turn_before_one_has_a_second() -> None:
    takes = [record(f"{piece}_{k}", piece) for piece in ("a", "b", "c") for k in range(3)]
    chosen = chosen_records(takes, None, 7, seed=1)
    assert [one.piece_id for one in chosen[:3]] == [one.piece_id for one in chosen[3:6]]
    assert len({one.segment_id for one in chosen}) == 7
    assert len({one.piece_id for one in chosen[:3]}) == 3
    assert [one.segment_id for one in chosen_records(takes, None, 7, seed=1)] == [
        one.segment_id for one in chosen
    ]


def test_only_named_pieces_with_midi_and_score_are_chosen() -> None:
    takes = [
        record("a_1", "a"),
        record("b_1", "b"),
        record("c_1", "c").model_copy(update={"score_path": None}),
    ]
    assert {one.piece_id for one in chosen_records(takes, ["b", "c"], 9, seed=0)} == {"b"}
    assert len(chosen_records([record("x", "a", "same"), record("y", "b", "same")], None, 1, seed=0)) == 1


@pytest.mark.render
def test_pairs_are_made_once_and_say_what_was_planted(tmp_path: Path) -> None:
    takes = [record(f"take_{k}", "minuet") for k in range(2)]
    transcriber, task = Deaf(), PairTask(seconds=12.0, seed=3)
    made = [pair for pair in make_pairs(takes, tmp_path, transcriber, task) if isinstance(pair, Pair)]
    assert [(pair.chain, pair.planted) for pair in made] == [("room", "none"), ("phone", "wrong_notes")]
    assert read_pairs(tmp_path) == tuple(made)
    assert list(make_pairs(takes, tmp_path, transcriber, task)) == made
    assert transcriber.asked == 2
    clean, planted = made
    assert clean.errors == ()
    keys, before = load_midi(planted.keys_midi(tmp_path)), load_midi(planted.clean_midi(tmp_path))
    assert len(planted.errors) == max(1, round(0.03 * len(before)))
    for error in planted.errors:
        at = np.flatnonzero(np.abs(keys.onset_sec - error.time_sec) < 0.01)
        assert error.pitch in keys.pitch[at]
        assert error.written_pitch not in keys.pitch[at]
    sound = load_audio(planted.audio(tmp_path))
    assert len(sound) / 24_000 >= keys.duration_sec
    assert len(load_midi(planted.heard_midi(tmp_path))) == 10


def test_a_take_that_cannot_be_used_is_an_error_among_the_others(tmp_path: Path) -> None:
    broken = record("broken", "minuet").model_copy(update={"midi_path": tmp_path / "none.mid"})
    (found,) = make_pairs([broken], tmp_path, Deaf(), PairTask(12.0, 1))
    assert isinstance(found, InputError)
    assert read_pairs(tmp_path) == ()


@pytest.mark.parametrize("chain", sorted(CHAINS))
def test_a_recording_is_as_long_as_the_sound_and_does_not_clip(chain: str) -> None:
    rng = np.random.default_rng(5)
    sound = (0.3 * rng.normal(size=72_000) * np.exp(-np.arange(72_000) / 20_000)).astype(np.float32)
    found = recorded(sound, chain, np.random.default_rng(7))
    assert len(found) == len(sound)
    assert 0.03 < np.abs(found).max() < 0.9
    np.testing.assert_array_equal(found, recorded(sound, chain, np.random.default_rng(7)))
    assert not np.allclose(found / np.abs(found).max(), sound / np.abs(sound).max(), atol=0.05)
