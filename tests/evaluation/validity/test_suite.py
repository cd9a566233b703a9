"""The suite from takes to a page, with an assessor whose ratings are known."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tocco.apps.commands.validity import ValidityOptions, validity
from tocco.data.records import read_labels
from tocco.engines import LocalEngine
from tocco.errors import InputError
from tocco.evaluation.validity.case import Case, Rater
from tocco.evaluation.validity.changes import CHANGES, SOUND_CHANGES, SYMBOLIC_CHANGES
from tocco.evaluation.validity.excerpts import chosen_takes, excerpt_of
from tocco.evaluation.validity.kinds import DAMAGES
from tocco.evaluation.validity.material import files_of
from tocco.evaluation.validity.page import page
from tocco.evaluation.validity.plan import FULL, QUICK, Material, Size, planned
from tocco.evaluation.validity.rate import RatingTask, case_key, rate_case
from tocco.evaluation.validity.report import PartCount, read_report, report_of
from tocco.evaluation.validity.rows import CaseRows
from tocco.music.midi import load_midi, save_midi
from tocco.music.score import load_score
from validity_example import LOG_NAME, known_assessor, row, write_etude

RATER = Rater(None, "known 1 " + "b" * 64, known_assessor)
TINY = Size(1, 1, 2, 1, 0, 0, 2, 1, steps=(3, 5))
ONE_MODALITY = replace(TINY, n_others=0, steps=(5,))
SEC = 20.0


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def n_assessed(folder: Path) -> int:
    log = folder / LOG_NAME
    return len(log.read_text().splitlines()) if log.is_file() else 0


def case(folder: Path, part: str, kind: str, modality: str = "keys_score", **more: object) -> Case:
    take = read_labels(write_etude(folder, 1))[0]
    return Case(
        part,  # type: ignore[arg-type]
        kind,
        modality,  # type: ignore[arg-type]
        take.segment_id,
        take.piece_id,
        take.midi_path,
        take.score_path,
        seconds=SEC,
        **more,  # type: ignore[arg-type]
    )


def test_an_excerpt_is_a_part_of_the_take_with_its_place(tmp_path: Path) -> None:
    take = read_labels(write_etude(tmp_path, 1))[0]
    assert take.midi_path is not None
    assert take.score_path is not None
    found = excerpt_of(take.midi_path, take.score_path, "piece_0", SEC, 0)
    whole = load_midi(take.midi_path)
    inside = (whole.onset_sec >= found.start_sec) & (whole.onset_sec < found.start_sec + SEC)
    assert np.allclose(found.performance.onset_sec, whole.onset_sec[inside] - found.start_sec)
    assert found.performance.offset_sec.max() <= SEC
    assert found.alignment.match_rate > 0.95


@pytest.mark.parametrize(("share", "is_usable"), [(0.86, False), (0.94, True)])
def test_an_excerpt_agrees_with_its_score(tmp_path: Path, share: float, is_usable: bool) -> None:
    take = read_labels(write_etude(tmp_path, 1))[0]
    midi, score = Path(str(take.midi_path)), Path(str(take.score_path))
    played = load_midi(midi)
    n_wrong = round((1.0 - share) * len(played))
    wrong = np.linspace(0, len(played) - 1, n_wrong).astype(int)
    pitch = played.pitch.copy()
    pitch[wrong] = 22 + np.arange(n_wrong) % 12
    save_midi(replace(played, pitch=pitch), midi)
    if is_usable:
        assert excerpt_of(midi, score, "piece_0", SEC, 0).alignment.match_rate >= 0.9
        return
    with pytest.raises(InputError, match="90% of them as written"):
        excerpt_of(midi, score, "piece_0", SEC, 0)


@pytest.mark.parametrize(("n", "is_usable"), [(34, False), (47, True)])
def test_an_excerpt_has_forty_notes(tmp_path: Path, n: int, is_usable: bool) -> None:
    take = read_labels(write_etude(tmp_path, 1))[0]
    midi, score = Path(str(take.midi_path)), Path(str(take.score_path))
    played = load_midi(midi)
    early = np.flatnonzero(played.onset_sec < SEC)[:n]
    save_midi(replace(played.only(early), duration_sec=SEC), midi)
    if is_usable:
        assert len(excerpt_of(midi, score, "piece_0", SEC, 0).performance) == n
        return
    with pytest.raises(InputError, match="has no place of 20 s"):
        excerpt_of(midi, score, "piece_0", SEC, 0)


def test_takes_are_nested_and_a_piece_without_an_excerpt_is_passed_over(tmp_path: Path) -> None:
    records = read_labels(write_etude(tmp_path, 4))
    names = [record.piece_id for record in records]
    two = chosen_takes(records, names, 2, SEC, 5)
    assert [t.piece_id for t in chosen_takes(records, names, 3, SEC, 5).takes][:2] == [
        t.piece_id for t in two.takes
    ]
    bad = two.takes[0]
    other = [r.model_copy(update={"score_path": r.midi_path}) if r == bad else r for r in records]
    found = chosen_takes(other, names, 2, SEC, 5)
    assert list(found.passed_over) == [bad.segment_id]
    assert len(found.takes) == 2
    assert {take.piece_id for take in chosen_takes(records, names[:1], 9, SEC, 5).takes} == {names[0]}


def test_every_damage_is_planned_in_every_modality(tmp_path: Path) -> None:
    records = read_labels(write_etude(tmp_path, 2))
    material = Material(records, [r.piece_id for r in records], seconds=SEC)
    plan = planned(material, TINY)
    damages = [one for one in plan.cases if one.part == "damage"]
    assert len(damages) == 3 * len(DAMAGES)
    assert {one.steps for one in damages} == {(3, 5)}
    assert sum(one.part == "clean" for one in plan.cases) == 6
    assert sum(one.part == "abstention" for one in plan.cases) == 3
    assert len({case_key(one, RATER) for one in plan.cases}) == len(plan.cases)


def test_quick_is_among_full() -> None:
    assert QUICK.n_excerpts < FULL.n_excerpts
    assert set(QUICK.steps) < set(FULL.steps) == {1, 3, 5}


def test_a_case_is_rated_once(here: Path) -> None:
    task = RatingTask(case(here, "damage", "random_velocities", steps=(1, 5)), RATER, here / "cached")
    first = rate_case(task)
    assert first is not None
    assert n_assessed(here) == 2
    assert rate_case(task) == first
    assert n_assessed(here) == 2
    other = replace(task, rater=replace(RATER, identity="known 2"))
    assert rate_case(replace(other, is_cached_only=True)) is None
    rate_case(other)
    assert n_assessed(here) == 4


def test_the_ratings_are_those_of_the_files(here: Path) -> None:
    one = case(here, "damage", "flattened_dynamics", steps=(5,))
    found = rate_case(RatingTask(one, RATER, here / "cached"))
    assert found is not None
    (name, files), *_ = files_of(one, here)
    played = load_midi(files.midi)
    assert name.step == 5
    assert found.rows[0].ratings["overall_quality"] == pytest.approx(played.velocity.mean() / 1.27, abs=0.01)
    assert found.rows[0].width["phrasing"] == 16.0
    assert found.rows[0].low["phrasing"] == 52.0


def test_the_score_is_given_but_without_one(here: Path) -> None:
    for modality, is_given in (("keys_score", True), ("keys", False), ("transcribed_score", True)):
        found = rate_case(RatingTask(case(here, "clean", "", modality), RATER, here / "cached"))
        assert found is not None
        assert ("note_accuracy" in found.rows[0].ratings) is is_given
        assert (here / LOG_NAME).read_text().splitlines()[-1].split()[1] == str(is_given)


def test_a_transcriber_errs_alike_on_both_and_hears_other_velocities(here: Path) -> None:
    clean, worse = (
        load_midi(next(files_of(one, here))[1].midi)
        for one in (
            case(here, "clean", "", "transcribed_score"),
            case(here, "damage", "missing_pedal", "transcribed_score", steps=(5,)),
        )
    )
    keys = load_midi(next(files_of(case(here, "clean", ""), here))[1].midi)
    assert np.array_equal(clean.onset_sec, worse.onset_sec)
    assert np.array_equal(clean.velocity, worse.velocity)
    assert np.std(clean.velocity[: len(keys)].astype(float) - keys.velocity[: len(clean)]) > 2.0


def test_a_damage_that_does_not_apply_is_counted(here: Path) -> None:
    one = case(here, "damage", "no_pedal", steps=(5,))
    take = load_midi(str(one.midi))
    from tocco.music.performance import PedalCurve

    save_midi(replace(take, sustain=PedalCurve()), str(one.midi))
    found = rate_case(RatingTask(one, RATER, here / "cached"))
    assert found is not None
    assert found.rows == ()
    assert "holds the sustaining pedal for 0%" in str(found.inapplicable)
    assert report_of([found], (), {}).counts == (
        PartCount(part="damage", n=0, n_abstained=0, n_refused=0, n_inapplicable=1),
    )


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("tempo_slower", 1 / 0.9), ("tempo_faster", 1 / 1.1), ("leading_silence", 1.0)],
)
def test_changes_of_time(here: Path, kind: str, expected: float) -> None:
    clean = load_midi(next(files_of(case(here, "clean", ""), here))[1].midi)
    changed = load_midi(next(files_of(case(here, "invariance", kind), here))[1].midi)
    assert np.ptp(changed.onset_sec) == pytest.approx(expected * np.ptp(clean.onset_sec), rel=1e-3)
    assert changed.onset_sec[0] - clean.onset_sec[0] == pytest.approx(
        5.0 if kind == "leading_silence" else clean.onset_sec[0] * (expected - 1), abs=1e-3
    )


@pytest.mark.parametrize(("kind", "semitones"), [("key_lower", -2), ("key_higher", 2)])
def test_a_transposition_moves_midi_and_score_alike(here: Path, kind: str, semitones: int) -> None:
    one = case(here, "invariance", kind)
    clean = load_midi(next(files_of(replace(one, part="clean", kind=""), here))[1].midi)
    files = next(files_of(one, here))[1]
    assert np.array_equal(load_midi(files.midi).pitch, clean.pitch + semitones)
    written = load_score(str(one.score))
    assert np.array_equal(load_score(str(files.score)).pitch, written.pitch + semitones)
    with pytest.raises(InputError, match="no score MIDI"):
        CHANGES[kind].score(here / "score.mxl", here)


def test_a_cut_is_moved_by_two_seconds(here: Path) -> None:
    one = case(here, "invariance", "cut_later")
    found = excerpt_of(Path(str(one.midi)), Path(str(one.score)), one.piece, SEC, 0)
    later = load_midi(next(files_of(one, here))[1].midi)
    inside = found.performance.onset_sec >= 2.0
    n = int(inside.sum())
    assert np.allclose(later.onset_sec[:n], found.performance.onset_sec[inside] - 2.0, atol=1e-3)


def test_changes_are_of_notes_or_of_sound() -> None:
    assert set(SYMBOLIC_CHANGES) | set(SOUND_CHANGES) == set(CHANGES)
    assert len(SYMBOLIC_CHANGES) == 7
    assert all(CHANGES[name].reference == "recorded" for name in SOUND_CHANGES)


@pytest.mark.render
@pytest.mark.parametrize("kind", SOUND_CHANGES)
def test_a_recording_is_written_in_each_format(here: Path, kind: str) -> None:
    import soundfile

    files = next(files_of(case(here, "invariance", kind, "sound"), here))[1]
    info = soundfile.info(str(files.audio))
    assert info.duration > SEC - 2.0
    assert info.channels == (2 if kind == "two_channels" else 1)
    assert info.samplerate == {"rate_22050": 22_050, "recorded": 24_000}.get(kind, info.samplerate)


def options(manifest: Path, **more: object) -> ValidityOptions:
    return ValidityOptions(manifest, size=ONE_MODALITY, seconds=SEC, engine=LocalEngine(1), **more)  # type: ignore[arg-type]


def test_from_takes_to_a_page(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    manifest = write_etude(here, 2)
    pieces = here / "pieces.txt"
    pieces.write_text("piece_0\npiece_1\n")
    validity(here / "out", options(manifest, pieces=pieces), RATER)
    assert "figures meet their bar" in capsys.readouterr().out
    report = read_report(here / "out" / "validity.json")
    with (here / "out" / "rows.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == n_assessed(here) == sum(count.n for count in report.counts)
    figures = {(one.bar, one.modality, one.group): one for one in report.figures}
    rated = figures["rates_professionals", "keys_score", ""]
    assert (rated.value, rated.n, rated.held) == (0.0, 2, True)
    assert figures["no_score_note_accuracy", "keys", ""].value == 1.0
    assert figures["no_score_overall_quality", "keys", ""].value == 0.0
    assert figures["interpretive_mean", "keys_score", "composite"].value == 0.0
    assert figures["target_falls", "keys_score", "seen"].value == 0.0
    assert (here / "out" / "validity.png").stat().st_size > 10_000
    text = (here / "out" / "validity.md").read_text()
    assert "| no_score_overall_quality | keys | >= 97.0 % | 0 %" in text
    before = n_assessed(here)
    validity(here / "out", options(manifest, pieces=pieces), RATER)
    assert n_assessed(here) == before


def test_cached_rows_alone_make_a_page(here: Path) -> None:
    manifest = write_etude(here, 1)
    validity(here / "out", options(manifest, is_cached_only=True), RATER)
    assert n_assessed(here) == 0
    report = read_report(here / "out" / "validity.json")
    assert report.facts["cases"].startswith("0 of ")
    assert report.figures == ()


def test_pieces_that_are_not_there_are_refused(here: Path) -> None:
    manifest = write_etude(here, 1)
    pieces = here / "pieces.txt"
    pieces.write_text("another piece\n")
    with pytest.raises(InputError, match="names none of the pieces"):
        validity(here / "out", options(manifest, pieces=pieces), RATER)


def test_an_earlier_run_stands_beside_a_later_one() -> None:
    def report_with(fall: float) -> str:
        damaged = row("damage", "timing_jitter", 5, rhythmic_precision=60.0 - fall, overall_quality=55.0)
        rows = (row("clean"), damaged)
        return report_of([CaseRows(key="k", part="damage", rows=rows)], (), {"bundle": "small 1"})

    text = page(report_with(5.0), report_with(0.5))  # type: ignore[arg-type]
    assert "| target_falls | >= 97.0 % | 0 % -> 100 % |" in text
    assert "Before the arrow: small 1." in text
    assert "| timing_jitter | rhythmic_precision | 100 % | 100 % | -5.0 | -5.0 | +0.0 | +0.0 | 0 |" in text


def test_refusals_are_counted_by_reason() -> None:
    rows = tuple(
        row("damage", "mess", 5, refusal=f"is another piece: {n} % of the notes agree") for n in (12, 37)
    )
    report = report_of([CaseRows(key="k", part="damage", rows=rows)], (), {})
    assert report.refusals == {"is another piece: ## % of the notes agree": 2}
    assert report.counts[0].n_refused == 2
    assert "- 2: is another piece" in page(report, None)


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    (tmp_path / "validity.json").write_text("{}")
    with pytest.raises(InputError, match=r"validity\.json"):
        read_report(tmp_path / "validity.json")


def test_the_command_line_chooses_the_size(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from tocco.apps.cli.main import app
    from tocco.apps.commands import validity as command

    asked: list[tuple[Path, ValidityOptions]] = []
    monkeypatch.setattr(command, "validity", lambda output, options: asked.append((output, options)))
    given = ["benchmark", "validity", "-o", "out", "--takes", "takes.jsonl", "--pieces", "p.txt"]
    CliRunner().invoke(app, given, catch_exceptions=False)
    CliRunner().invoke(app, [*given, "--quick", "--excerpts", "1", "--cached-only"], catch_exceptions=False)
    (output, full), (_, quick) = asked
    assert (output, full.takes, full.pieces) == (Path("out"), Path("takes.jsonl"), Path("p.txt"))
    assert (full.size, full.seconds, full.is_cached_only) == (FULL, 24.0, False)
    assert (quick.size, quick.is_cached_only) == (replace(QUICK, n_excerpts=1), True)


@pytest.mark.slow
@pytest.mark.render
def test_the_bundled_model_is_assessed(here: Path) -> None:
    """A tiny manifest, with the model that ships."""
    validity(here / "out", options(write_etude(here, 1)))
    report = read_report(here / "out" / "validity.json")
    figures = {(one.bar, one.modality, one.group): one for one in report.figures}
    assert figures["no_score_note_accuracy", "keys", ""].value == 1.0
    assert figures["target_falls", "keys_score", "seen"].n >= 12
    assert sum(count.n_refused for count in report.counts if count.part == "clean") == 0
