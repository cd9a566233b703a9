import shutil
from pathlib import Path

import numpy as np
import pytest

from corpus import performance
from tocco.data.records import LabelRecord
from tocco.errors import InputError
from tocco.evaluation.benchmark.leaks import KINDS, find_leaks, read_split
from tocco.music.midi import save_midi


def record(folder: Path, name: str, **about: str) -> LabelRecord:
    given = {"piece_id": "piece", "performer_id": name, "cluster_id": name, "passage_id": name} | about
    return LabelRecord(
        segment_id=name, source="test", midi_path=folder / f"{name}.mid", labels={"phrasing": 50.0}, **given
    )


@pytest.fixture
def made_up(tmp_path: Path) -> list[LabelRecord]:
    """a and b are one file; c is the second half of a; d and e have nothing in common with any."""
    whole = performance(np.random.default_rng(1), velocity=60.0, jitter_sec=0.02)
    save_midi(whole, tmp_path / "a.mid")
    shutil.copyfile(tmp_path / "a.mid", tmp_path / "b.mid")
    half = performance(np.random.default_rng(1), velocity=60.0, jitter_sec=0.02)
    late = half.onset_sec > 4.0
    cut = type(half)(
        half.onset_sec[late] - 4.0,
        half.offset_sec[late] - 4.0,
        half.pitch[late],
        half.velocity[late],
        half.sustain,
        half.sostenuto,
        half.soft,
        duration_sec=half.duration_sec - 4.0,
    )
    save_midi(cut, tmp_path / "c.mid")
    for n, name in enumerate("de"):
        save_midi(
            performance(np.random.default_rng(n + 7), velocity=60.0, jitter_sec=0.05, key=n + 3),
            tmp_path / f"{name}.mid",
        )
    return [record(tmp_path, name) for name in "abcde"]


def test_each_kind_of_leak_is_found_across_parts_alone(made_up: list[LabelRecord], tmp_path: Path) -> None:
    made_up[3] = record(tmp_path, "d", performer_id="a")
    made_up[4] = record(tmp_path, "e", cluster_id="d")
    report = find_leaks(made_up, {"a": "0", "b": "1", "c": "1", "d": "1", "e": "0"})
    assert {kind: leak.pairs for kind, leak in report.leaks.items()} == {
        "identical MIDI": (("a", "b"),),
        "same take": (("a", "b"), ("a", "c")),
        "cluster": (("d", "e"),),
        "passage": (),
        "pianist": (("a", "d"),),
    }
    assert report.leaks["same take"].segments == {"a", "b", "c"}
    assert [report.holds(claim) for claim in ("unseen takes", "new music", "new pianist")] == [False] * 3
    lines = report.lines()
    assert lines[0] == "5 segments in 2 parts: 0, 1"
    assert lines[1] == (
        "identical MIDI: 2 segments (40 %) have one in another part, 1 pairs, such as a and b"
    )
    assert lines[4] == "passage: none"
    assert lines[-1] == "new pianist: no, it leaks"


def test_what_is_together_is_no_leak(made_up: list[LabelRecord]) -> None:
    report = find_leaks(made_up, {"a": "0", "b": "0", "c": "0", "d": "1", "e": "1"})
    assert not any(leak.pairs for leak in report.leaks.values())
    assert list(report.leaks) == list(KINDS)
    assert report.holds("new music") is True
    assert report.lines()[-3:] == ("unseen takes: yes", "new music: yes", "new pianist: yes")


def test_a_segment_of_no_part_is_not_compared(made_up: list[LabelRecord]) -> None:
    report = find_leaks(made_up, {"a": "0", "d": "1"})
    assert report.n_segments == 2
    assert report.holds("unseen takes") is True


def test_one_pianist_in_two_parts_does_not_make_music_old(made_up: list[LabelRecord], tmp_path: Path) -> None:
    made_up[3] = record(tmp_path, "d", performer_id="e")
    report = find_leaks(made_up[3:], {"d": "0", "e": "1"})
    assert report.holds("new music") is True
    assert report.holds("new pianist") is False


def test_a_score_rendering_has_no_pianist(made_up: list[LabelRecord], tmp_path: Path) -> None:
    renders = [
        record(tmp_path, name, performer_id="Score").model_copy(update={"is_score_rendering": True})
        for name in "de"
    ]
    report = find_leaks(renders, {"d": "0", "e": "1"})
    assert report.not_compared == {"pianist": "the labels have no performer_id"}
    assert report.holds("new pianist") is None


def test_without_midi_nothing_is_claimed_of_takes(made_up: list[LabelRecord], tmp_path: Path) -> None:
    (tmp_path / "e.mid").unlink()
    report = find_leaks(made_up, {"a": "0", "e": "1"})
    assert report.not_compared["same take"] == "e has no MIDI file"
    assert report.holds("unseen takes") is None
    assert "unseen takes: cannot be said, see above" in report.lines()
    quick = find_leaks(made_up, {"a": "0", "b": "1"}, compare_notes=False)
    assert quick.not_compared["identical MIDI"] == "not asked for"


def test_a_known_leak_is_stronger_than_what_is_not_known(made_up: list[LabelRecord], tmp_path: Path) -> None:
    made_up[1] = record(tmp_path, "b", cluster_id="a")
    assert find_leaks(made_up, {"a": "0", "b": "1"}, compare_notes=False).holds("new music") is False


@pytest.mark.parametrize(
    ("split", "message"),
    [({"a": "0", "x": "1"}, "has 'x', which the labels have not"), ({"a": "0", "b": "0"}, "has 1 part")],
)
def test_a_split_that_is_none_is_refused(
    made_up: list[LabelRecord], split: dict[str, str], message: str
) -> None:
    with pytest.raises(InputError, match=message):
        find_leaks(made_up, split)


def test_a_split_is_read_from_any_of_the_columns(tmp_path: Path) -> None:
    path = tmp_path / "split.csv"
    for column in ("fold", "side", "part"):
        path.write_text(f"segment_id,{column},note\na,train,x\nb,test,y\n")
        assert read_split(path) == {"a": "train", "b": "test"}
    path.write_text("segment_id,mine\na,1\n")
    assert read_split(path, "mine") == {"a": "1"}
    for text, message in (
        ("segment_id,mine\na,1\n", "allowed: segment_id, and one of fold, side, part"),
        ("segment_id,fold,side\na,1,1\n", "allowed: segment_id, and one of fold, side, part"),
        ("segment_id,fold\na,1\na,2\n", "line 3: has 'a' again"),
        ("segment_id,fold\na,\n", "fold is empty"),
    ):
        path.write_text(text)
        with pytest.raises(InputError, match=message):
            read_split(path)
