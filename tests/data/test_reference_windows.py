"""Windows of competent performances: which bars, cut from performance and score alike."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from beat_annotated import beats, write_annotated
from pseudo_example import BEAT_SEC
from tocco.data import reference_windows
from tocco.data.corpora.annotations import read_annotation, write_annotation
from tocco.data.records import LabelRecord, read_labels
from tocco.data.reference_windows import (
    BarLines,
    WindowPlan,
    bar_lines,
    cut_window,
    measure_windows,
    read_windows,
)
from tocco.errors import InputError
from tocco.music.measures import MEASURES, performance_measures
from tocco.music.midi import load_midi
from tocco.music.score import load_score

PLAN = WindowPlan(per_performance=3, seed=5)


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> tuple[LabelRecord, ...]:
    return read_labels(write_annotated(tmp_path_factory.mktemp("in")))


def measured(record: LabelRecord) -> tuple[np.ndarray, list[list[int]]]:
    found = measure_windows(record, PLAN)
    return found["measures"], found["bars"].tolist()


def test_bar_lines_pair_seconds_played_with_beats_written(tmp_path: Path) -> None:
    (record,) = read_labels(write_annotated(tmp_path, n_pieces=1, n_takes=1, score_bpm=90.0))
    lines = bar_lines(record)
    assert lines is not None
    assert lines.sec[:3] == pytest.approx([0.5, 0.5 + 4 * BEAT_SEC, 0.5 + 8 * BEAT_SEC])
    assert lines.beat[:3] == pytest.approx([0.0, 4.0, 8.0], abs=1e-3)


def test_a_window_is_some_bars_of_both(records: tuple[LabelRecord, ...]) -> None:
    record = records[0]
    lines = bar_lines(record)
    assert lines is not None
    assert record.midi_path is not None
    assert record.score_path is not None
    performance, score = load_midi(record.midi_path), load_score(record.score_path)
    window = cut_window(performance, score, lines, 2, 4)
    assert window is not None
    part, alignment = window
    assert part.duration_sec == pytest.approx(16 * BEAT_SEC)
    assert len(alignment.score) == int(((score.onset_beat >= 8) & (score.onset_beat < 24)).sum())
    assert alignment.n_match > 0.9 * len(alignment.score)
    assert alignment.score.onset_beat.min() == 0.0
    # Every note of the downbeat is inside, though half of them are struck before it.
    assert np.isin(alignment.match[:, 0], np.flatnonzero(alignment.score.onset_beat == 0)).any()


@pytest.mark.parametrize(
    ("bars", "stretch"),
    [
        (1, 1.0),  # too few notes
        (2, 0.4),  # shorter than 4 s
        (12, 4.2),  # longer than 95 s
    ],
)
def test_an_unsuitable_window_is_left_out(
    records: tuple[LabelRecord, ...], bars: int, stretch: float
) -> None:
    record = records[0]
    lines = bar_lines(record)
    assert lines is not None
    assert record.midi_path is not None
    assert record.score_path is not None
    performance, score = load_midi(record.midi_path), load_score(record.score_path)
    moved = BarLines(stretch * lines.sec, lines.beat)
    assert cut_window(performance.shifted(0.0, stretch), score, moved, 0, bars) is None


def test_takes_of_a_piece_are_measured_in_the_same_bars(records: tuple[LabelRecord, ...]) -> None:
    first, second, other = (measured(record) for record in records[:3])
    assert first[1] == second[1]
    assert first[1] != other[1]
    assert first[0].shape == (3, len(MEASURES))
    assert not np.array_equal(first[0], second[0], equal_nan=True)
    again, bars = measured(records[0])
    assert np.array_equal(again, first[0], equal_nan=True)
    assert bars == first[1]
    another_seed = measure_windows(records[0], WindowPlan(3, seed=6))["bars"].tolist()
    assert another_seed != first[1]


def test_the_measures_are_those_of_the_window(records: tuple[LabelRecord, ...]) -> None:
    record = records[0]
    values, bars = measured(record)
    lines = bar_lines(record)
    assert lines is not None
    assert record.midi_path is not None
    assert record.score_path is not None
    window = cut_window(load_midi(record.midi_path), load_score(record.score_path), lines, *bars[0])
    assert window is not None
    assert np.array_equal(values[0], performance_measures(*window), equal_nan=True)


def test_other_beats_than_those_of_the_score_give_no_window(
    records: tuple[LabelRecord, ...], tmp_path: Path
) -> None:
    record = records[0]
    assert record.annotation_path is not None
    annotation = read_annotation(record.annotation_path)
    fewer = annotation.model_copy(update={"beats": beats(0.5, BEAT_SEC, n_bars=13)})
    write_annotation(fewer, tmp_path / "fewer.json")
    odd = record.model_copy(update={"annotation_path": tmp_path / "fewer.json"})
    assert bar_lines(odd) is None
    assert measure_windows(odd, PLAN)["measures"].shape == (0, len(MEASURES))
    with pytest.raises(InputError, match="no performance whose beats correspond"):
        read_windows([odd], PLAN, tmp_path / "cache")


def test_an_interrupted_run_loses_nothing(
    records: tuple[LabelRecord, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[str] = []

    def counted(record: LabelRecord, plan: WindowPlan):
        calls.append(record.segment_id)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return measure_windows(record, plan)

    monkeypatch.setattr(reference_windows, "measure_windows", counted)
    counted.__module__ = measure_windows.__module__
    with pytest.raises(KeyboardInterrupt):
        read_windows(records, PLAN, tmp_path)
    found = read_windows(records, PLAN, tmp_path)
    assert calls == [records[k].segment_id for k in (0, 1, 2, 2, 3)]
    assert found.measures.shape == (12, len(MEASURES))
    assert found.used.tolist() == np.repeat([r.segment_id for r in records], 3).tolist()
    assert found.piece.tolist() == ["Nobody_piece0"] * 6 + ["Nobody_piece1"] * 6


@pytest.mark.parametrize("lacking", ["midi_path", "score_path", "annotation_path"])
def test_a_record_that_lacks_a_file_is_named(
    records: tuple[LabelRecord, ...], tmp_path: Path, lacking: str
) -> None:
    poor = LabelRecord.model_construct(**{**dict(records[0]), lacking: None})
    with pytest.raises(InputError, match=f"piece0_take0: has no {lacking}"):
        read_windows([poor], PLAN, tmp_path)


def test_a_score_that_is_no_midi_is_refused(records: tuple[LabelRecord, ...], tmp_path: Path) -> None:
    (tmp_path / "score.musicxml").write_text("<score-partwise/>")
    odd = records[0].model_copy(update={"score_path": tmp_path / "score.musicxml"})
    with pytest.raises(InputError, match="is no MIDI file"):
        bar_lines(odd)


def test_a_performance_whose_files_cannot_be_used_is_left_out_with_the_reason(
    records: tuple[LabelRecord, ...], tmp_path: Path
) -> None:
    (tmp_path / "broken.mid").write_bytes(b"MThd and no more")
    broken = records[1].model_copy(update={"midi_path": tmp_path / "broken.mid"})
    found = read_windows([records[0], broken], PLAN, tmp_path / "cache")
    assert set(found.used.tolist()) == {"piece0_take0"}
    assert found.piece.tolist() == ["Nobody_piece0"] * 3
    assert len(found.refusals) == 1
    assert "broken.mid" in found.refusals[0]
