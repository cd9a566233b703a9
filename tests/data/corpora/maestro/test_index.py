"""The index of MAESTRO, the choice from it, and its description in the shared schema."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maestro_example import HEADER, small_maestro
from tocco.data.corpora.maestro.index import (
    MAESTRO_V3,
    METADATA_COLUMNS,
    Recording,
    label_records,
    metadata_csv,
    parse_index,
    select,
)
from tocco.data.records import read_labels, write_labels
from tocco.errors import InputError


def made_up(n: int, seed: int = 0) -> tuple[Recording, ...]:
    """An index as lopsided as the real one: few authors wrote most of it, and one split has most."""
    rng = np.random.default_rng(seed)
    recordings = []
    for i in range(n):
        year = int(rng.choice([2004, 2006, 2008, 2009]))
        stem = f"{year}/take{i}"
        recordings.append(
            Recording(
                composer=f"Author {int(rng.integers(0, 12)) * int(rng.integers(0, 2))}",
                title=f"Piece {int(rng.integers(0, 5))}",
                split=str(rng.choice(["train", "validation", "test"], p=[0.7, 0.1, 0.2])),
                year=year,
                midi_name=f"{stem}.midi",
                audio_name=f"{stem}.wav",
                duration_sec=100.0,
            )
        )
    return tuple(recordings)


def real_index(corpus_dir: Path) -> tuple[Recording, ...]:
    path = corpus_dir / "maestro-v3.0.0" / MAESTRO_V3.index_name
    return parse_index(path.read_text(encoding="utf-8"), path.name)


def chosen(recordings: tuple[Recording, ...], n: int, seed: int = 0) -> tuple[Recording, ...]:
    return select(recordings, n, np.random.default_rng(seed))


@given(n=st.integers(1, 60), seed=st.integers(0, 5))
def test_a_choice_is_seeded_nested_and_in_the_order_of_the_index(n: int, seed: int) -> None:
    index = made_up(60)
    some = chosen(index, n, seed)
    assert len(set(some)) == n
    assert list(some) == [r for r in index if r in set(some)]
    assert some == chosen(index, n, seed)
    if n < 60:
        assert set(some) < set(chosen(index, n + 1, seed))


def test_another_seed_is_another_choice() -> None:
    index = made_up(200)
    assert len({chosen(index, 20, seed) for seed in range(5)}) == 5


@pytest.mark.parametrize("n", [10, 30, 60, 120])
def test_splits_keep_their_share_to_one_recording(n: int) -> None:
    index = made_up(200)
    share = Counter(r.split for r in index)
    found = Counter(r.split for r in chosen(index, n))
    for split, total in share.items():
        assert abs(found[split] - n * total / 200) <= 1.0


def test_authors_and_years_are_evener_than_by_chance() -> None:
    index, n = made_up(200), 48
    authors = Counter(r.author for r in chosen(index, n))
    years = Counter(r.year for r in chosen(index, n))
    supply = Counter(r.author for r in index)
    # Twelve authors, four recordings of each where there are four.
    assert all(count <= 5 for count in authors.values())
    assert all(authors[author] >= min(3, supply[author] - 1) for author in supply)
    assert max(years.values()) - min(years.values()) <= 6
    by_chance = Counter(
        index[i].author for i in np.random.default_rng(0).choice(200, n, replace=False).tolist()
    )
    assert max(by_chance.values()) > 20


def test_an_arrangement_counts_for_the_author() -> None:
    index = parse_index(small_maestro(8, Path()).files["small.csv"].decode(), "small.csv")
    assert {r.author for r in index} == {"Domenico Scarlatti", "Franz Schubert", "Clara Schumann"}


@pytest.mark.parametrize("n", [0, -1, 61])
def test_a_choice_out_of_range_is_reported(n: int) -> None:
    with pytest.raises(InputError, match=rf"--subset: is {n} \(allowed: 1 to 60\)"):
        chosen(made_up(60), n)


@pytest.mark.data
def test_the_real_index_is_the_published_one(corpus_dir: Path) -> None:
    content = (corpus_dir / "maestro-v3.0.0" / MAESTRO_V3.index_name).read_bytes()
    assert hashlib.sha256(content).hexdigest() == MAESTRO_V3.index_sha256
    index = real_index(corpus_dir)
    assert len(index) == 1276
    assert Counter(r.split for r in index) == {"train": 962, "validation": 137, "test": 177}
    assert sum(r.duration_sec for r in index) / 3600 == pytest.approx(198.65, abs=0.01)
    assert len({r.piece_id for r in index}) == 816


@pytest.mark.data
def test_the_official_split_tears_five_titles_apart(corpus_dir: Path) -> None:
    splits: dict[str, set[str]] = {}
    for r in real_index(corpus_dir):
        splits.setdefault(r.piece_id, set()).add(r.split)
    assert sum(len(found) > 1 for found in splits.values()) == 5


@pytest.mark.data
@pytest.mark.parametrize("n", [10, 50, 100, 300])
def test_a_part_of_the_real_corpus_is_balanced(n: int, corpus_dir: Path) -> None:
    index = real_index(corpus_dir)
    for seed in range(3):
        part = chosen(index, n, seed)
        authors = Counter(r.author for r in part)
        years = Counter(r.year for r in part)
        splits = Counter(r.split for r in part)
        supply = Counter(r.author for r in index)
        assert len(authors) == min(n, 43) if n != 50 else len(authors) >= 40
        rich = [authors[a] for a, total in supply.items() if total >= 20]
        assert max(rich) - min(rich) <= max(2, n // 60)
        assert max(years.values()) - min(years.values()) <= 4
        for split, total in {"train": 962, "validation": 137, "test": 177}.items():
            assert abs(splits[split] - n * total / 1276) <= 1.0


@pytest.mark.data
def test_more_than_the_corpus_has_is_reported(corpus_dir: Path) -> None:
    with pytest.raises(InputError, match=r"--subset: is 1277 \(allowed: 1 to 1,276\)"):
        chosen(real_index(corpus_dir), 1277)
    assert len(chosen(real_index(corpus_dir), 1276)) == 1276


GOOD = {
    "canonical_composer": "Clara Schumann",
    "canonical_title": "Romance, Op. 11",
    "split": "train",
    "year": "2018",
    "midi_filename": "2018/take.midi",
    "audio_filename": "2018/take.wav",
    "duration": "61.5",
}


def index_text(*rows: dict[str, str]) -> str:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, HEADER)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def test_a_row_becomes_a_recording() -> None:
    (recording,) = parse_index(index_text(GOOD), "index.csv")
    assert recording == Recording(
        "Clara Schumann", "Romance, Op. 11", "train", 2018, "2018/take.midi", "2018/take.wav", 61.5
    )
    assert recording.segment_id == "take"
    assert recording.piece_id == "Clara_Schumann_Romance_Op._11"
    assert (recording.audio_path, recording.midi_path) == ("2018/audio/take.wav", "2018/midi/take.midi")


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("split", "dev"),
        ("year", "18"),
        ("year", "../2018"),
        ("audio_filename", "2018/../../take.wav"),
        ("audio_filename", "/2018/take.wav"),
        ("audio_filename", "2017/take.wav"),
        ("audio_filename", "2018/take.mp3"),
        ("audio_filename", "2018/a/take.wav"),
        ("midi_filename", "2018/-take.midi"),
        ("midi_filename", "2018\\take.midi"),
        ("midi_filename", ""),
        ("duration", "nan"),
        ("duration", "0"),
        ("duration", "-1"),
        ("duration", "1e9"),
        ("duration", "long"),
    ],
)
def test_a_bad_value_names_line_and_value(column: str, value: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_index(index_text(GOOD, {**GOOD, column: value}), "index.csv")
    text = str(caught.value)
    assert text.startswith("index.csv, line 3: has the ")
    assert "allowed" in text
    assert "\n" not in text


def test_a_recording_stands_once() -> None:
    again = {**GOOD, "audio_filename": "2018/TAKE.wav"}
    with pytest.raises(InputError, match=r"line 3: names 'TAKE' as line 2 does"):
        parse_index(index_text(GOOD, again), "index.csv")


@pytest.mark.parametrize("text", ["", "a,b\n1,2\n", ",".join(HEADER) + "\n", '"', ",".join(HEADER) + "\nx\n"])
def test_what_is_no_index_is_one_line(text: str) -> None:
    with pytest.raises(InputError, match=r"^index\.csv"):
        parse_index(text, "index.csv")


def test_the_metadata_has_the_stated_columns_and_quotes_commas() -> None:
    content = metadata_csv(parse_index(index_text(GOOD), "index.csv")).decode()
    assert (
        content.splitlines()[0]
        == ("piece_id,audio_path,midi_path,duration,composer,year,title,split")
        == ",".join(METADATA_COLUMNS)
    )
    (row,) = csv.DictReader(io.StringIO(content))
    assert (row["title"], float(row["duration"]), row["audio_path"]) == (
        "Romance, Op. 11",
        61.5,
        "2018/audio/take.wav",
    )


def test_the_records_fit_the_shared_schema(tmp_path: Path) -> None:
    (recording,) = parse_index(index_text({**GOOD, "split": "test"}), "index.csv")
    write_labels(label_records([recording], tmp_path), tmp_path / "performances.jsonl")
    (record,) = read_labels(tmp_path / "performances.jsonl")
    assert record.audio_path == tmp_path / "2018/audio/take.wav"
    assert record.midi_path == tmp_path / "2018/midi/take.midi"
    assert record.labels == {}
    assert record.folds == {"maestro": 2}
    assert record.piece_id == record.cluster_id == "Clara_Schumann_Romance_Op._11"
    assert '"audio_path": "2018/audio/take.wav"' in (tmp_path / "performances.jsonl").read_text()
