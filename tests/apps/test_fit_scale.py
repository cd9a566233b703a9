"""`tocco pseudo-label fit-scale`: the pool is chosen by pieces, and what cannot be used is said."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from origins import ORIGIN
from pseudo_example import made_up_scale, write_manifest
from tocco.apps.cli.main import app
from tocco.apps.commands import fit_scale as pseudo_scale
from tocco.apps.commands.fit_scale import (
    MeasuredPerformance,
    SimulatedTranscriber,
    fit_reference_scale,
    measure_pool_performance,
    scale_of,
)
from tocco.apps.commands.reference_pool import choose_pool, read_pool
from tocco.data.records import LabelRecord, read_labels, write_labels
from tocco.errors import InputError
from tocco.music.transcriber_noise import TranscriberNoise
from tocco.pseudo_labels.fitting.scale import MeasuredSegment
from tocco.pseudo_labels.pseudo_label import Component, PseudoLabel
from tocco.pseudo_labels.raters.registry import RATERS
from tocco.pseudo_labels.scale.difficulty import DIFFICULTY_COVARIATES
from tocco.pseudo_labels.scale.files import load_scale, read_scale
from tocco.pseudo_labels.scale.model import ReferenceScale
from tocco.schema import laid_out


def records(n_pieces: int = 7, n_takes: int = 5) -> list[LabelRecord]:
    return [
        LabelRecord(
            segment_id=f"{composer}_{piece}_{take}",
            piece_id=f"{composer}/{piece}",
            source="made up",
            midi_path=Path(f"{take}.mid"),
            labels={},
        )
        for composer in ("Bach", "Liszt")
        for piece in range(n_pieces)
        for take in range(n_takes)
    ]


def draw(seed: int, **settings: float) -> list[LabelRecord]:
    share, takes = float(settings.get("share", 0.5)), int(settings.get("takes", 3))
    return choose_pool(records(), share=share, takes=takes, generator=np.random.default_rng(seed))


def test_a_share_of_every_composer_and_some_takes_of_each_piece() -> None:
    chosen = draw(1)
    pieces = {record.piece_id for record in chosen}
    assert len([piece for piece in pieces if piece.startswith("Bach/")]) == 4
    assert len([piece for piece in pieces if piece.startswith("Liszt/")]) == 4
    assert len(chosen) == 8 * 3
    assert len({record.segment_id for record in chosen}) == 24


def test_the_choice_rests_on_the_seed_alone() -> None:
    assert [r.segment_id for r in draw(1)] == [r.segment_id for r in draw(1)]
    assert {r.piece_id for r in draw(1)} != {r.piece_id for r in draw(2)}
    shuffled = [records()[k] for k in np.random.default_rng(9).permutation(70)]
    again = choose_pool(shuffled, share=0.5, takes=3, generator=np.random.default_rng(1))
    assert [r.segment_id for r in again] == [r.segment_id for r in draw(1)]


def test_the_whole_corpus_can_be_the_pool() -> None:
    assert len(draw(1, share=1.0, takes=9)) == 70


def test_a_performance_is_measured_segment_by_segment(tiny_labels: Path) -> None:
    record = read_labels(tiny_labels)[0]
    measured = measure_pool_performance(record)
    assert measured.refusal == ""
    assert len(measured.segments) == 1
    assert measured.segments[0].piece == record.piece_id
    assert measured.segments[0].labels["note_accuracy"].components["weighted_error"].value == 0.0
    assert np.exp(measured.segments[0].covariates[0]) == pytest.approx(4.0, rel=0.02)


def test_a_performance_can_be_measured_as_it_is_heard(tmp_path: Path) -> None:
    record = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1))[0]
    keys = measure_pool_performance(record)
    perfect = SimulatedTranscriber(TranscriberNoise.none(), 4)
    same = measure_pool_performance(record, transcriber=perfect)
    for one, other in zip(keys.segments, same.segments, strict=True):
        for name in ("rhythmic_precision", "note_accuracy"):
            assert other.labels[name].components == one.labels[name].components
    rough = replace(TranscriberNoise.none(), velocity_sd=12.0)
    heard, again, otherwise = (
        unevenness(measure_pool_performance(record, transcriber=SimulatedTranscriber(rough, seed)))
        for seed in (4, 4, 5)
    )
    assert heard == again != otherwise
    assert np.mean(heard) > 1.5 * np.mean(unevenness(keys))
    # Without any other error: half of the tilt is the instrument's, so this is no measure of keys.
    assert unevenness(same) != unevenness(keys)


def unevenness(measured: MeasuredPerformance) -> list[float]:
    return [one.labels["dynamics_control"].components["unevenness"].value for one in measured.segments]


@pytest.mark.parametrize("is_transcribed", [False, True])
def test_the_command_measures_keys_or_what_is_heard(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_transcribed: bool
) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1, n_takes=1)
    given: dict[str, Any] = {}

    def caught(measured: list[MeasuredPerformance], labels_sha256: str, **others: Any) -> ReferenceScale:
        given.update(others, measured=measured)
        return made_up_scale(origin=ORIGIN[is_transcribed])

    monkeypatch.setattr(pseudo_scale, "scale_of", caught)
    arguments = ["pseudo-label", "fit-scale", str(manifest), "-o", str(tmp_path / "scale.json")]
    arguments += ["--share", "1", "--rendered", "0", "--seed", "4"]
    result = CliRunner().invoke(app, [*arguments, *(["--transcribed"] if is_transcribed else [])])
    assert result.exit_code == 0, result.output
    transcriber = SimulatedTranscriber(TranscriberNoise(), 4) if is_transcribed else None
    assert given["transcriber"] == transcriber
    expected = measure_pool_performance(read_labels(manifest)[0], transcriber=transcriber)
    assert unevenness(given["measured"][0]) == unevenness(expected)
    written = load_scale(tmp_path / "scale.json", ORIGIN[is_transcribed])
    assert written == made_up_scale(origin=ORIGIN[is_transcribed])
    assert ("noise" in json.loads((tmp_path / "scale.json").read_text())["pool"]) == is_transcribed


@pytest.mark.parametrize("is_transcribed", [False, True])
def test_the_file_says_what_the_performances_were_heard_through(tmp_path: Path, is_transcribed: bool) -> None:
    measured = []
    record = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1))[0]
    for piece in "ab":
        for pianist in "pqr":
            named = record.model_copy(update={"piece_id": piece, "segment_id": piece + pianist})
            measured.append(MeasuredPerformance(named, made_up_segments(named)))
    transcriber = SimulatedTranscriber(TranscriberNoise(), 3) if is_transcribed else None
    scale = scale_of(measured, "abc", rendered=0, seed=3, transcriber=transcriber)
    assert scale.origin == ORIGIN[is_transcribed]
    assert scale.pool.noise == (asdict(TranscriberNoise()) if is_transcribed else None)
    content = laid_out(scale.model_dump(exclude_none=True))
    again = read_scale(content, "scale.json", ORIGIN[is_transcribed])
    assert again == scale


def made_up_segments(record: LabelRecord) -> tuple[MeasuredSegment, ...]:
    rng = np.random.default_rng(list(f"{record.segment_id}".encode()))
    found = []
    for _ in range(20):
        labels = {}
        for name, rater in RATERS.items():
            values = {kind.name: Component(float(rng.lognormal()), kind.unit, "") for kind in rater.scaled}
            labels[name] = PseudoLabel(name, None, values, (), 1.0, {})
        covariates = rng.normal(size=len(DIFFICULTY_COVARIATES))
        found.append(MeasuredSegment(record.piece_id, record.segment_id, labels, covariates))
    return tuple(found)


def test_a_score_of_other_music_is_left_out_with_its_reason(tiny_labels: Path, tmp_path: Path) -> None:
    record = read_labels(tiny_labels)[0]
    broken = tmp_path / "score.musicxml"
    broken.write_text("<score-partwise/>")
    measured = measure_pool_performance(record.model_copy(update={"score_path": broken}))
    assert measured.segments == ()
    assert "score.musicxml" in measured.refusal


def test_a_record_without_a_score_is_refused_before_the_work(tiny_labels: Path, tmp_path: Path) -> None:
    first, *rest = read_labels(tiny_labels)
    path = tmp_path / "labels.jsonl"
    write_labels([first.model_copy(update={"score_path": None}), *rest], path)
    with pytest.raises(InputError, match="take00: has no score_path"):
        fit(path, tmp_path / "scale.json")


def test_a_share_out_of_range_is_refused(tiny_labels: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="--share: is 0"):
        fit(tiny_labels, tmp_path / "scale.json", share=0.0)


def test_a_pool_that_is_too_small_writes_nothing(tiny_labels: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="pool: has 20 segments"):
        fit(tiny_labels, tmp_path / "scale.json")
    assert list(tmp_path.iterdir()) == []


def fit(labels: Path, output: Path, share: float = 1.0) -> None:
    fit_reference_scale(labels, output, share=share, takes=9, rendered=0, seed=0, jobs=1, soundfont=None)


def named(path: Path, *names: str) -> Path:
    path.write_text("".join(f"{name}\n" for name in names))
    return path


def test_the_pool_can_be_named(tiny_labels: Path, tmp_path: Path) -> None:
    own = read_labels(tiny_labels)
    chosen = read_pool(
        tiny_labels, share=0.1, takes=9, seed=0, pieces=named(tmp_path / "p.txt", "piece1", "", "piece3")
    )
    assert {record.segment_id for record in chosen} == {
        record.segment_id for record in own if record.piece_id in ("piece1", "piece3")
    }
    with pytest.raises(InputError, match=r"p\.txt: names 'Piece 9', and .*labels.* has no such piece"):
        read_pool(tiny_labels, share=1.0, takes=9, seed=0, pieces=named(tmp_path / "p.txt", "Piece 9"))
    with pytest.raises(InputError, match=r"p\.txt: names no piece"):
        read_pool(tiny_labels, share=1.0, takes=9, seed=0, pieces=named(tmp_path / "p.txt"))
    with pytest.raises(InputError, match=r"gone\.txt: cannot be read"):
        read_pool(tiny_labels, share=1.0, takes=9, seed=0, pieces=tmp_path / "gone.txt")


def test_composers_are_reported_by_the_first_word_of_an_imported_name() -> None:
    imported = [r.model_copy(update={"piece_id": r.piece_id.replace("/", "_")}) for r in records()]
    chosen = choose_pool(imported, share=0.5, takes=1, generator=np.random.default_rng(1))
    assert sorted({record.piece_id.split("_")[0] for record in chosen}) == ["Bach", "Liszt"]
    assert len(chosen) == 8


def test_what_was_transcribed_is_no_pool(tiny_labels: Path, tmp_path: Path) -> None:
    first, *rest = read_labels(tiny_labels)
    path = tmp_path / "labels.jsonl"
    write_labels([first.model_copy(update={"origin": "transcribed"}), *rest], path)
    with pytest.raises(InputError, match=r"take00: is transcribed.*recorded MIDI"):
        fit(path, tmp_path / "scale.json")


def test_the_scale_says_what_it_was_fitted_on(tiny_labels: Path) -> None:
    measured = [MeasuredPerformance(record, made_up_segments(record)) for record in read_labels(tiny_labels)]
    measured[5] = replace(measured[5], segments=(), refusal="take05: left out")
    pool = scale_of(measured, "abc", rendered=6, seed=4).pool
    assert (pool.n_performances, pool.n_segments, pool.n_rendered, pool.seed) == (19, 380, 5, 4)
    assert pool.corpora == {"test": 19}
    assert pool.pieces == tuple(f"piece{k}" for k in range(6))
    assert pool.labels_sha256 == "abc"
    again = scale_of(measured[:-1], "abc", rendered=6, seed=4).pool
    assert again.content_sha256 != pool.content_sha256
