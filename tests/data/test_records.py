import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError, OutputError
from tocco.rubrics import TARGETS

LINE = {
    "segment_id": "etude_1",
    "piece_id": "etude",
    "source": "rater7",
    "audio_path": "audio/etude.flac",
    "midi_path": "midi/etude.mid",
    "start_time": 1.5,
    "end_time": 9,
    "labels": {"phrasing": 61.5, "note_accuracy": 98},
}


def jsonl(folder: Path, *lines: object) -> Path:
    path = folder / "labels.jsonl"
    path.write_text("".join((x if isinstance(x, str) else json.dumps(x)) + "\n" for x in lines))
    return path


def complaint(folder: Path, *lines: object) -> str:
    with pytest.raises(InputError) as caught:
        read_labels(jsonl(folder, *lines))
    text = str(caught.value)
    assert "\n" not in text
    return text


def test_reads_the_fields_and_resolves_paths_against_the_file(tmp_path):
    (record,) = read_labels(jsonl(tmp_path, LINE))
    assert record.audio_path == tmp_path / "audio/etude.flac"
    assert record.midi_path == tmp_path / "midi/etude.mid"
    assert record.score_path is None
    assert (record.start_time, record.end_time) == (1.5, 9.0)
    assert record.labels == {"note_accuracy": 98.0, "phrasing": 61.5}
    assert list(record.labels) == ["note_accuracy", "phrasing"]  # rubric order, whatever the file's
    assert record.is_score_rendering is False
    assert record.folds == {}


def test_a_missing_label_stays_missing(tmp_path):
    (record,) = read_labels(jsonl(tmp_path, LINE | {"labels": {}}))
    assert record.labels == {}


def test_records_are_frozen(tmp_path):
    (record,) = read_labels(jsonl(tmp_path, LINE))
    with pytest.raises(ValidationError, match="frozen"):
        record.start_time = 2.0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"labels": {"phrasng": 50}}, "'phrasng' is unknown, did you mean 'phrasing'"),
        ({"performer": "x"}, "'performer' is unknown, did you mean 'performer_id'"),
        ({"labels": {"phrasing": 100.01}}, "labels.phrasing: Input should be less than or equal to 100"),
        ({"labels": {"phrasing": -1}}, "greater than or equal to 0 (got -1)"),
        ({"labels": {"phrasing": "55"}}, "labels.phrasing: Input should be a valid number (got '55')"),
        ({"labels": {"phrasing": True}}, "labels.phrasing"),
        ({"labels": {"phrasing": float("nan")}}, "labels.phrasing: Input should be a finite number"),
        ({"labels": [50]}, "labels"),
        ({"label_sd": {"musicality": 3}}, "label_sd has 'musicality', which labels has not"),
        ({"start_time": -0.1}, "start_time: Input should be greater than or equal to 0 (got -0.1)"),
        ({"end_time": 1.5}, "end_time 1.5 is not after start_time 1.5"),
        ({"segment_id": "../x"}, "'../x' cannot name a file"),
        ({"audio_path": None, "midi_path": None}, "both empty"),
        ({"folds": {"cv4_cluster": -2}}, "folds.cv4_cluster"),
        ({"n_raters": 0}, "n_raters"),
        ({"midi_path": "a\0b"}, "NUL"),
        ({"midi_path": 7}, "midi_path: has to be a path in quotes (got 7)"),
    ],
)
def test_a_wrong_field_is_named_with_its_line(tmp_path, change, said):
    text = complaint(tmp_path, LINE, LINE | {"segment_id": "etude_2"} | change)
    assert text.startswith(f"{tmp_path / 'labels.jsonl'}, line 2: ")
    assert said in text


def test_a_missing_field_is_named(tmp_path):
    line = {key: value for key, value in LINE.items() if key != "piece_id"}
    assert "line 1: has no 'piece_id' (a string: the piece or movement). Next: " in complaint(tmp_path, line)


def test_every_missing_field_says_what_it_has_to_be(tmp_path):
    """A line of another program: present fields are reported as well if they are wrong."""
    said = complaint(tmp_path, {"midi_path": 7})
    for part in (
        "has no 'segment_id' (a string: unique in its file; part of the names of files of the segment",
        "has no 'source' (a string: where the ratings come from: a rater's id",
        "has no 'labels' (an object: dimension or descriptor -> 0 to 100)",
        "midi_path: ",
    ):
        assert part in said


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"segment_id": "a" "b": 1}', "is not valid JSON (a comma is missing at line 1, column 20)"),
        ('{"segment_id": }', "is not valid JSON (a value is missing at line 1, column 16)"),
        ('{"segment_id": "a}', "is not valid JSON (a string without end begins at line 1, column 16)"),
        ('{"n_raters": ' + "9" * 5000 + "}", "is not valid JSON (a number of thousands of digits)"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
    ],
)
def test_what_is_no_json_is_told_in_words(tmp_path, line, said):
    assert f"line 1: {said}" in complaint(tmp_path, line)


@pytest.mark.parametrize("line", ['{"segment_id": "a", ', "[1]", "7", '{"a": 1, "a": 2}', "[" * 100_000])
def test_what_is_not_one_json_object_is_refused(tmp_path, line):
    assert "line 2: " in complaint(tmp_path, LINE, line)


def test_duplicates_are_refused_with_both_lines(tmp_path):
    text = complaint(tmp_path, LINE, "", LINE)
    assert "line 3: segment_id 'etude_1' is already used in line 1" in text


def test_an_empty_file_and_a_missing_file_are_refused(tmp_path):
    assert "has no records" in complaint(tmp_path, "")
    with pytest.raises(InputError, match="cannot be read"):
        read_labels(tmp_path / "nowhere.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="not UTF-8"):
        read_labels(tmp_path / "latin.jsonl")


def test_existence_is_checked_when_asked(tmp_path):
    path = jsonl(tmp_path, LINE)
    assert len(read_labels(path)) == 1
    with pytest.raises(InputError, match=r"line 1: audio_path .* is not a file"):
        read_labels(path, must_exist=True)
    for name in ("audio/etude.flac", "midi/etude.mid"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()
    assert len(read_labels(path, must_exist=True)) == 1


def test_written_paths_move_with_the_folder(tmp_path):
    here = tmp_path / "here"
    record = LabelRecord(
        segment_id="a",
        piece_id="p",
        source="s",
        audio_path=here / "audio/a.flac",
        score_path=Path("/elsewhere/a.mid"),
        labels={},
    )
    write_labels([record], here / "labels.jsonl")
    here.rename(tmp_path / "there")
    (moved,) = read_labels(tmp_path / "there/labels.jsonl")
    assert moved.audio_path == tmp_path / "there/audio/a.flac"
    assert moved.score_path == Path("/elsewhere/a.mid")


@settings(max_examples=40, deadline=None)
@given(
    labels=st.dictionaries(st.sampled_from(TARGETS), st.floats(0, 100)),
    start=st.floats(0, 1e4),
    name=st.text(min_size=1, max_size=20),
    folds=st.dictionaries(st.text(max_size=5), st.integers(-1, 9)),
)
def test_round_trip(tmp_path_factory, labels, start, name, folds):
    path = tmp_path_factory.mktemp("round") / "labels.jsonl"
    record = LabelRecord(
        segment_id="a",
        piece_id=name,
        source="s",
        midi_path=path.parent / "a.mid",
        start_time=start,
        labels=labels,
        label_sd=labels,
        folds=folds,
    )
    write_labels([record], path)
    first = path.read_bytes()
    assert read_labels(path) == (record,)
    write_labels(read_labels(path), path)
    assert path.read_bytes() == first


def test_a_transcribed_midi_says_so_and_other_records_keep_their_bytes(tmp_path):
    (record,) = read_labels(jsonl(tmp_path, LINE))
    assert record.is_transcribed is False
    out = tmp_path / "out.jsonl"
    write_labels([record], out)
    assert "is_transcribed" not in out.read_text()
    write_labels([record.model_copy(update={"origin": "transcribed"})], out)
    assert read_labels(out)[0].is_transcribed is True
    complaints = complaint(tmp_path, LINE | {"is_transcribed": "yes"})
    assert "is_transcribed" in complaints


def test_a_failed_write_leaves_the_old_file_and_no_litter(tmp_path):
    path = jsonl(tmp_path, LINE)
    before = path.read_bytes()
    records = read_labels(path)
    with pytest.raises(InputError, match="'etude_1' twice"):
        write_labels([*records, *records], path)
    with pytest.raises(InputError, match="would have no records"):
        write_labels([], path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["labels.jsonl"]
    with pytest.raises(OutputError, match="cannot be written"):
        write_labels(records, path / "below_a_file.jsonl")


def test_what_a_line_holds_is_shown_in_short_and_with_a_next_step(tmp_path: Path) -> None:
    """A value of a megabyte is no message."""
    long = "a" * 1_000_000
    for line in (f'{{"segment_id": "{long}"}}', f'{{"{long}": 1}}', f'"{long}"'):
        (tmp_path / "long.jsonl").write_text(line)
        with pytest.raises(InputError, match="Next: correct this line, or let `tocco data folder`") as caught:
            read_labels(tmp_path / "long.jsonl")
        assert len(str(caught.value)) < 1000
