from pathlib import Path

import numpy as np
import pytest
import torch

from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.models.midi_encoder import MASK, TYPE
from tocco.training.config import ExperimentConfig
from tocco.training.masked_notes import corpus
from tocco.training.masked_notes.corpus import (
    Asked,
    batches,
    divide,
    prepare_questions,
    read_batch,
    read_question,
)


def _record(piece: str, take: int, source: str = "ASAP") -> LabelRecord:
    midi = Path(f"{piece}_{take}.mid")
    return LabelRecord(segment_id=midi.stem, piece_id=piece, source=source, midi_path=midi, labels={})


def _config(tmp_path: Path, **masking: object) -> ExperimentConfig:
    (tmp_path / "pieces.txt").write_text("a\nb\nc\nd\n")
    (tmp_path / "held.txt").write_text("d\ne\n")
    given = {
        "pieces": str(tmp_path / "pieces.txt"),
        "held_out_pieces": str(tmp_path / "held.txt"),
        "performances_per_piece": 2,
    }
    return ExperimentConfig.model_validate(
        {"name": "small", "stage": "masked_notes", "data": {"val_split": 0.4}, "masking": given | masking}
    )


def _pieces(part: list[LabelRecord]) -> set[str]:
    return {record.piece_id for record in part}


def test_parts_share_no_piece_and_lists_decide(tmp_path):
    records = [_record(piece, take) for piece in "abcdefg" for take in range(3)]
    records += [_record("v", take, "Vienna") for take in range(3)]
    config = _config(tmp_path, whole_sources=["Vienna"], left_out_pieces=["b"])
    parts = divide(records, config)
    assert _pieces(parts.held_out) == {"d", "e"}
    assert _pieces(parts.training) | _pieces(parts.validation) == {"a", "c", "v"}
    assert not _pieces(parts.training) & _pieces(parts.validation)
    assert len(_pieces(parts.validation)) == 1
    assert [record.segment_id for record in parts.held_out] == ["d_0", "d_1", "e_0", "e_1"]


def test_without_lists_pieces_are_drawn(tmp_path):
    config = _config(tmp_path, pieces=None, held_out_pieces=None)
    parts = divide([_record(chr(97 + i), 0) for i in range(20)], config)
    assert [len(part) for part in parts] == [10, 7, 3]


def test_an_empty_part_is_an_error(tmp_path):
    with pytest.raises(InputError, match="leaves no performance for held_out"):
        divide([_record("a", 0), _record("b", 0), _record("c", 0)], _config(tmp_path))


@pytest.fixture(scope="module")
def prepared(tiny_labels, tmp_path_factory) -> tuple[list[Asked], ExperimentConfig]:
    from tocco.data.records import read_labels

    config = ExperimentConfig.model_validate(
        {"name": "small", "stage": "masked_notes", "data": {"window_sec": 4.0}, "masking": {"spans": [1, 2]}}
    )
    records = read_labels(tiny_labels, must_exist=True)[:3]
    silent = records[0].model_copy(update={"segment_id": "absent", "midi_path": None})
    folder = tmp_path_factory.mktemp("questions")
    return [prepare_questions(record, config, folder) for record in (*records, silent)], config


def test_every_window_is_asked_once_for_each_span(prepared):
    asked, _ = prepared
    assert [len(one.bounds) for one in asked[:3]] == [6, 6, 6]
    question = read_question(asked[0], 1)
    hidden = question.shown[:, TYPE] == MASK
    assert hidden.sum() == round(0.15 * len(hidden))
    assert asked[3].refusal == "absent: has no midi_path. Next: leave the record out."


def test_prepared_questions_are_read_back_without_the_performance(prepared, tiny_labels, monkeypatch):
    from tocco.data.records import read_labels

    asked, config = prepared
    monkeypatch.setattr(corpus, "question_arrays", _never)
    monkeypatch.setattr(_never, "__module__", "tocco.training.masked_notes.questions")
    again = prepare_questions(read_labels(tiny_labels, must_exist=True)[0], config, asked[0].path.parent)
    np.testing.assert_array_equal(again.bounds, asked[0].bounds)


def _never(*_: object) -> None:
    raise AssertionError("read again")


def test_an_epoch_has_every_window_once_in_a_seeded_order(prepared):
    asked = prepared[0][:3]
    epochs = [list(batches(asked, 1, 2, 2, np.random.default_rng(seed))) for seed in (0, 0, 1)]
    assert epochs[0] == epochs[1] != epochs[2]
    for epoch in epochs:
        places = [place for batch in epoch for place in batch]
        assert sorted(places) == [(i, q) for i in range(3) for q in (1, 3, 5)]
    assert list(batches(asked, 0, 2, 4)) == [
        [(0, 0), (0, 2), (0, 4), (1, 0)],
        [(1, 2), (1, 4), (2, 0), (2, 2)],
        [(2, 4)],
    ]


def test_batches_are_padded_at_the_end(prepared):
    asked = prepared[0]
    places = [(0, 0), (1, 5)]
    batch = read_batch(asked, places)
    lengths = [len(read_question(asked[i], q).shown) for i, q in places]
    assert batch.mask.sum(1).tolist() == lengths
    assert not batch.shown[~batch.mask].any()
    assert torch.isnan(batch.note_features[~batch.mask]).all()
    np.testing.assert_array_equal(batch.answer[1, : lengths[1]].numpy(), read_question(asked[1], 5).answer)
