"""Measures are found by content: other notes, scale or options are measured, the same is found."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from pseudo_example import made_up_scales, write_manifest
from tocco.audio.transcription import CommandTranscriber
from tocco.data.records import LabelRecord, read_labels
from tocco.errors import MissingPartError
from tocco.evaluation.pseudo_labels import measure_cache
from tocco.evaluation.pseudo_labels.measure_cache import CachedMeasure, MeasureTask, cached
from tocco.evaluation.pseudo_labels.measures import measure_take
from tocco.music.midi import load_midi, save_midi
from tocco.pseudo_labels.norms.model import reference_norms
from tocco.pseudo_labels.scale.files import Scales
from tocco.pseudo_labels.scale.model import ReferenceScale


class Counted(CachedMeasure):
    """The how manieth measurement this is."""

    number: int


class Counter:
    """Measures by counting how often it had to."""

    def __init__(self) -> None:
        self.n = 0

    def of(self, task: MeasureTask, settings: tuple[object, ...] = ()) -> int:
        def make(key: str) -> Counted:
            self.n += 1
            return Counted(key=key, number=self.n)

        return cached(task, Counted, make, settings).number


@pytest.fixture(scope="module")
def scales() -> Scales:
    return made_up_scales()


@pytest.fixture
def task(tmp_path: Path, scales: Scales) -> MeasureTask:
    record = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1))[0]
    return MeasureTask(record, scales, tmp_path / "cached")


def midi_of(record: LabelRecord) -> Path:
    assert record.midi_path is not None
    return record.midi_path


def test_the_same_is_measured_once(task: MeasureTask) -> None:
    counter = Counter()
    assert [counter.of(task), counter.of(task), counter.of(replace(task))] == [1, 1, 1]
    (path,) = task.folder.iterdir()
    key = task.key("Counted")
    assert path.name == f"piece0_take0.Counted.{key[:12]}.json"
    assert Counted.model_validate_json(path.read_bytes()) == Counted(key=key, number=1)


def test_other_notes_under_the_same_path_are_measured(task: MeasureTask) -> None:
    """Not the time of the file counts but what is in it."""
    counter, path = Counter(), midi_of(task.record)
    assert counter.of(task) == 1
    before = path.stat()
    played = load_midi(path)
    save_midi(replace(played, velocity=played.velocity // 2 + 1), path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert counter.of(task) == 2
    save_midi(played, path)
    assert load_midi(path).velocity.tolist() == played.velocity.tolist()


def test_a_changed_score_is_measured(task: MeasureTask) -> None:
    counter, score = Counter(), task.record.score_path
    assert score is not None
    counter.of(task)
    score.write_bytes(score.read_bytes() + b" ")
    assert counter.of(task) == 2


def test_the_same_content_under_another_path_is_found(task: MeasureTask, tmp_path: Path) -> None:
    counter = Counter()
    counter.of(task)
    elsewhere = Path(shutil.copytree(tmp_path / "in", tmp_path / "moved" / "deeper"))
    moved = read_labels(elsewhere / "performances.jsonl")[0]
    assert midi_of(moved) != midi_of(task.record)
    assert counter.of(replace(task, record=moved)) == 1


def moved(scale: ReferenceScale) -> ReferenceScale:
    """One number of it moved by a thousandth."""
    tone = scale.dimensions["tone_quality"]
    other = tone.model_copy(update={"centre": tone.centre + 0.001})
    return scale.model_copy(update={"dimensions": {**scale.dimensions, "tone_quality": other}})


def other_scale(task: MeasureTask) -> MeasureTask:
    return replace(task, scales=replace(task.scales, keys=moved(task.scales.keys)))


def other_transcribed_scale(task: MeasureTask) -> MeasureTask:
    return replace(task, scales=replace(task.scales, transcribed=moved(task.scales.transcribed)))


def renamed(name: str) -> Callable[[MeasureTask], MeasureTask]:
    return lambda task: replace(task, record=task.record.model_copy(update={name: "another"}))


@pytest.mark.parametrize(
    "change",
    [
        other_scale,
        renamed("segment_id"),
        renamed("piece_id"),
        renamed("performer_id"),
        renamed("passage_id"),
        lambda task: replace(task, excerpt_sec=30.0),
        lambda task: replace(task, seed=1),
        lambda task: replace(task, through_transcriber=True),
    ],
)
def test_what_decides_the_measure_tells_it_apart(
    task: MeasureTask, change: Callable[[MeasureTask], MeasureTask]
) -> None:
    counter = Counter()
    assert [counter.of(task), counter.of(change(task)), counter.of(task)] == [1, 2, 1]
    assert len(list(task.folder.iterdir())) == 2


@pytest.mark.parametrize("is_transcribed", [True, False])
def test_what_only_concerns_transcriptions_leaves_keys_alone(
    task: MeasureTask, monkeypatch: pytest.MonkeyPatch, is_transcribed: bool
) -> None:
    heard = replace(task, through_transcriber=True)
    if not is_transcribed:
        heard = replace(task, record=task.record.model_copy(update={"origin": "transcribed"}))
    counter = Counter()
    assert [counter.of(task), counter.of(other_transcribed_scale(task))] == [1, 1]
    assert [counter.of(heard), counter.of(other_transcribed_scale(heard))] == [2, 3]
    monkeypatch.setattr(measure_cache, "TRANSCRIBED_VERSION", 999)
    assert [counter.of(task), counter.of(heard)] == [1, 4]


def test_another_version_or_setting_is_measured(task: MeasureTask, monkeypatch: pytest.MonkeyPatch) -> None:
    counter = Counter()
    counter.of(task)
    assert [counter.of(task, (0.03,)), counter.of(task, (0.04,)), counter.of(task, (0.03,))] == [2, 3, 2]
    for name in ("PSEUDO_LABEL_VERSION", "MEASURES_VERSION"):
        monkeypatch.setattr(measure_cache, name, 999)
        assert counter.of(task) == counter.n
    norms = reference_norms()
    velocity = norms.level.velocity.model_copy(update={"mark": 0.0})
    other = norms.model_copy(update={"level": norms.level.model_copy(update={"velocity": velocity})})
    monkeypatch.setattr(measure_cache, "reference_norms", lambda: other)
    assert counter.of(task) == counter.n
    assert counter.n == 6


def test_a_file_that_is_no_measure_is_measured_over(task: MeasureTask) -> None:
    counter = Counter()
    counter.of(task)
    (path,) = task.folder.iterdir()
    path.write_text(path.read_text().replace("number", "numbers"))
    assert counter.of(task) == 2
    path.write_text(path.read_text().replace(task.key("Counted"), "0" * 64))
    assert counter.of(task) == 3
    path.write_bytes(path.read_bytes()[:20])
    assert counter.of(task) == 4


@pytest.mark.render
def test_the_piano_counts_where_it_is_heard(task: MeasureTask, tmp_path: Path) -> None:
    fonts = [tmp_path / name for name in ("a.sf2", "b.sf2", "c.sf2")]
    for path, content in zip(fonts, (b"one", b"two", b"one"), strict=True):
        path.write_bytes(b"RIFF\0\0\0\0sfbk" + content)
    transcriber = CommandTranscriber("listen {audio} {midi}")
    for heard in (
        replace(task, is_rendered=True),
        replace(task, through_transcriber=True, transcriber=transcriber),
    ):
        first, second, third = (replace(heard, soundfont=font).key("Counted") for font in fonts)
        assert first == third != second
    silent = [replace(task, soundfont=font).key("Counted") for font in fonts]
    assert len({*silent, task.key("Counted")}) == 1
    with pytest.raises(MissingPartError, match="was asked for but does not exist"):
        replace(task, is_rendered=True, soundfont=tmp_path / "none.sf2").key("Counted")


def test_a_take_is_rated_again_when_its_notes_change(task: MeasureTask) -> None:
    """End to end: half of the density that a take had is not what its path was rated with."""
    before = measure_take(task)
    path = midi_of(task.record)
    played = load_midi(path)
    slower = replace(
        played,
        onset_sec=2.0 * played.onset_sec,
        offset_sec=2.0 * played.offset_sec,
        duration_sec=2.0 * played.duration_sec,
    )
    save_midi(slower, path)
    after = measure_take(task)
    assert after.notes_per_sec[1] == pytest.approx(before.notes_per_sec[0] / 2.0, rel=0.2)
    assert len(after.notes_per_sec) == 2 * len(before.notes_per_sec)
    assert measure_take(task) == after
