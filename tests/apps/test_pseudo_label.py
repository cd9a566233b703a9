"""`tocco pseudo-label` and `tocco benchmark pseudo-labels`, as they are typed."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

from corpus import sound
from pseudo_example import made_up_scale, made_up_scales, write_manifest
from tocco.apps.cli.main import app
from tocco.data.pseudo_labelling import source_of
from tocco.data.records import read_labels, write_labels
from tocco.errors import InputError, MissingPartError
from tocco.music.corruption import CORRUPTIONS
from tocco.music.midi import load_midi
from tocco.pseudo_labels.scale.files import reference_scale
from tocco.schema import laid_out
from tocco.units import SAMPLE_RATE_HZ
from transcribing import copying_command


@pytest.fixture(scope="module")
def scale_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("scale") / "scale.json"
    path.write_text(laid_out(made_up_scale().model_dump(mode="json")))
    return path


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(app, [str(argument) for argument in arguments], catch_exceptions=False)
    assert result.exit_code in {0, 1}, result.output
    return result


def files_below(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_manifest_is_labelled_and_a_second_run_changes_no_byte(scale_path: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1, with_stranger=True)
    options = ("--scale", scale_path, "--spot-checks", 0, "--corrupt", 1)
    first = run("pseudo-label", manifest, "-o", tmp_path / "out" / "labels.jsonl", *options)
    assert first.exit_code == 1
    assert "3 performances, 0 of them from the cache" in first.output
    assert "left out: stranger: " in first.output
    before = files_below(tmp_path / "out")
    second = run("pseudo-label", "-o", tmp_path / "out" / "labels.jsonl", manifest, *options)
    assert "3 performances, 3 of them from the cache" in second.output
    assert files_below(tmp_path / "out") == before
    records = read_labels(tmp_path / "out" / "labels.jsonl", must_exist=True)
    worse = [record for record in records if "corrupted" in str(record.midi_path)]
    assert 0 < len(worse) < len(records)
    assert {record.piece_id for record in records} == {"piece0"}
    assert (tmp_path / "out" / "labels_summary" / "index.html").is_file()
    elsewhere = run(
        "pseudo-label", manifest, "-o", tmp_path / "again" / "labels.jsonl", *options, "--seed", 0
    )
    assert elsewhere.exit_code == 1
    fresh = files_below(tmp_path / "again")
    assert {name: fresh[name] for name in before} == before


def test_a_dimension_that_nothing_could_be_rated_in_is_named(scale_path: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1)
    (record, *_) = read_labels(manifest)
    write_labels([record.model_copy(update={"score_path": None})], tmp_path / "alone.jsonl")
    out = tmp_path / "out" / "labels.jsonl"
    reported = run(
        "pseudo-label", tmp_path / "alone.jsonl", "-o", out, "--scale", scale_path, "--spot-checks", 0
    )
    assert "  note_accuracy          was rated in no segment: no score was given" in reported.output
    assert "dynamics_control       was rated" not in reported.output


def test_a_manifest_of_transcriptions_is_said_to_be_one(scale_path: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1)
    out = tmp_path / "out" / "labels.jsonl"
    run("pseudo-label", manifest, "-o", out, "--scale", scale_path, "--spot-checks", 0, "--transcribed")
    assert all(record.is_transcribed for record in read_labels(out))
    assert {record.source for record in read_labels(out)} == {source_of(reference_scale("transcribed"))}
    again = run("pseudo-label", manifest, "-o", out, "--scale", scale_path, "--spot-checks", 0)
    assert "0 of them from the cache" in again.output
    assert not any(record.is_transcribed for record in read_labels(out))


def test_keys_and_transcriptions_of_one_manifest_are_rated_on_their_own_scales(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1, n_takes=4)
    records = read_labels(manifest)
    heard = [record.model_copy(update={"origin": "transcribed"}) for record in records[2:]]
    write_labels([*records[:2], *heard], manifest)
    keys, transcribed = made_up_scales().keys, made_up_scales().transcribed
    paths = [tmp_path / name for name in ("keys.json", "heard.json")]
    for path, scale in zip(paths, (keys, transcribed), strict=True):
        path.write_text(laid_out(scale.model_dump(mode="json", exclude_none=True)))
    options = ("--scale", paths[0], "--transcribed-scale", paths[1], "--spot-checks", 0)
    out = tmp_path / "out" / "labels.jsonl"
    run("pseudo-label", manifest, "-o", out, *options)
    found = read_labels(out)
    assert {r.source for r in found if not r.is_transcribed} == {source_of(keys)}
    assert {r.source for r in found if r.is_transcribed} == {source_of(transcribed)}
    page = (tmp_path / "out" / "labels_summary" / "index.html").read_text()
    assert source_of(keys) in page
    assert source_of(transcribed) in page
    assert "4 of 4 performances, each with 1 other pianists" in page
    with pytest.raises(InputError, match=r"keys\.json: is a scale for recorded MIDI"):
        run("pseudo-label", manifest, "-o", out, "--transcribed-scale", paths[0], "--spot-checks", 0)


@pytest.mark.usefixtures("any_instrument")
def test_recordings_alone_are_transcribed_and_those_that_cannot_be_are_left_out(
    scale_path: Path, tmp_path: Path
) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1, n_takes=1)
    (record,) = read_labels(manifest)
    keys = Path(str(record.midi_path))
    for name, waveform in {"heard": sound(load_midi(keys)), "silent": np.zeros(5 * SAMPLE_RATE_HZ)}.items():
        soundfile.write(tmp_path / f"{name}.flac", waveform, SAMPLE_RATE_HZ)
    alone = [
        record.model_copy(
            update={"segment_id": name, "midi_path": None, "audio_path": tmp_path / f"{name}.flac"}
        )
        for name in ("heard", "silent")
    ]
    write_labels([record, *alone], manifest)
    out = tmp_path / "out" / "labels.jsonl"
    options = ("--scale", scale_path, "--spot-checks", 0, "--transcriber", copying_command(tmp_path, keys))
    done = run("pseudo-label", manifest, "-o", out, *options)
    assert done.exit_code == 1
    assert "left out: silent: " in done.stderr
    assert "silent.flac: is silent" in done.stderr
    found = read_labels(out, must_exist=True)
    heard = {one.midi_path for one in found if one.is_transcribed}
    assert heard == {tmp_path / "out" / "labels.parts" / "transcribed" / "heard.mid"}
    assert {one.source for one in found if one.is_transcribed} == {source_of(reference_scale("transcribed"))}
    assert {one.midi_path for one in found if not one.is_transcribed} == {keys}
    assert "silent.flac: is silent" in (tmp_path / "out" / "labels_summary" / "index.html").read_text()
    again = run("pseudo-label", manifest, "-o", out, *options)
    assert "2 performances, 2 of them from the cache" in again.output
    with pytest.raises(MissingPartError, match="cannot be run"):
        run(
            "pseudo-label",
            manifest,
            "-o",
            out,
            *options[:4],
            "--transcriber",
            "none {audio} {midi}",
            "--seed",
            1,
        )


@pytest.mark.render
def test_the_sheet_has_a_sound_and_a_picture_for_every_segment(scale_path: Path, tmp_path: Path) -> None:
    from render_example import installed

    installed("timgm6mb")
    from tocco.audio.rendering import instruments_of

    font = instruments_of("timgm6mb")[0].soundfont
    manifest = write_manifest(tmp_path / "in", n_pieces=1, n_takes=1)
    options = ("--scale", scale_path, "--spot-checks", 2, "--soundfont", font)
    assert run("pseudo-label", manifest, "-o", tmp_path / "labels.jsonl", *options).exit_code == 0
    segments = tmp_path / "labels_summary" / "segments"
    sounds, pictures = sorted(segments.glob("*.flac")), sorted(segments.glob("*.png"))
    assert [path.stem for path in sounds] == [path.stem for path in pictures]
    assert len(sounds) == 2
    import soundfile

    for path in sounds:
        assert soundfile.info(path).duration == pytest.approx(10.0, abs=0.01)
    page = (tmp_path / "labels_summary" / "index.html").read_text()
    assert all(f"segments/{path.name}" in page for path in (*sounds, *pictures))


def test_what_cannot_be_done_is_said_before_the_work(scale_path: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1, n_takes=1)
    with pytest.raises(InputError, match=r"ends in \.jsonl"):
        run("pseudo-label", manifest, "-o", tmp_path / "labels.csv", "--spot-checks", 0)
    with pytest.raises(InputError, match="manifest itself"):
        run("pseudo-label", manifest, "-o", manifest, "--spot-checks", 0, "--scale", scale_path)
    for arguments, said in (
        (
            (manifest, "-o", tmp_path / "l.jsonl", "--corrupt", 1, "--kind", "worse"),
            "'--kind': 'worse' is none",
        ),
        (("fit-scal", "labels.jsonl"), "Did you mean 'fit-scale'?"),
    ):
        refused = CliRunner().invoke(app, ["pseudo-label", *map(str, arguments)])
        assert refused.exit_code == 2
        assert said in " ".join(refused.stderr.split())


@pytest.mark.slow
def test_the_validation_is_made_from_one_command_and_goes_on_where_it_stopped(
    scale_path: Path, tmp_path: Path
) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=2, n_takes=2)
    options = ("--scale", scale_path, "--pieces", 2, "--rendered", 0, "--transcribed", 1)
    options = (*options, "--excerpt-sec", 25)
    first = run("benchmark", "pseudo-labels", "--performances", manifest, "-o", tmp_path / "out", *options)
    report = (tmp_path / "out" / "validation.md").read_text()
    assert report.strip() == first.output.strip()
    assert "(f) Robust to transcription, simulated" in report
    measured = {path: path.stat().st_mtime_ns for path in (tmp_path / "out" / "measured").iterdir()}
    assert sorted(path.name.split(".", 1)[1].rsplit(".", 2)[0] for path in measured) == [
        *["PieceLadders"] * 2,
        *["RatedTake"] * 4,
        "transcribed.PieceLadders",
    ]
    run("benchmark", "pseudo-labels", "--performances", manifest, "-o", tmp_path / "out", *options)
    assert {path: path.stat().st_mtime_ns for path in measured} == measured
    assert (tmp_path / "out" / "validation.md").read_text() == report
    assert re.search(r"^- made: \d{4}-\d\d-\d\d, revision \S+", report, re.M)


def test_in_which_order_kinds_are_named_changes_no_label(scale_path: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=1, n_takes=1)
    written = []
    for place, kinds in enumerate((("extra_notes", "timing_jitter"), ("timing_jitter", "extra_notes"))):
        named = [part for kind in kinds for part in ("--kind", kind)]
        output = tmp_path / str(place) / "labels.jsonl"
        output.parent.mkdir()
        options = ("--corrupt", 1, "--seed", 3, "--spot-checks", 0, "--scale", scale_path)
        run("pseudo-label", manifest, "-o", output, *named, *options)
        written.append([record.segment_id for record in read_labels(output)])
    assert written[0] == written[1]
    assert len(written[0]) > 1


def test_a_validation_of_some_kinds_says_which(scale_path: Path, tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=2, n_takes=1)
    options = ("--scale", scale_path, "--pieces", 2, "--rendered", 0, "--transcribed", 1, "--takes", 0)
    kinds = ("--kind", "spiky_dynamics", "--kind", "flattened_dynamics")
    command = ("benchmark", "pseudo-labels", "--performances", manifest, "-o", tmp_path / "o", *options)
    report = run(*command, *kinds, "--excerpt-sec", 20, "--transcribed-sec", 20).output
    assert f"- kinds: 2 of {len(CORRUPTIONS)}: flattened_dynamics, spiky_dynamics" in report
    assert "- not measured here: (c) detection, (d) not difficulty, (e) listeners\n" in report
    section = report[report.index("## (f)") : report.index("Ratings of the uncorrupted excerpts")]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")]
    assert rows == ["corruption", "---", "flattened_dynamics", "spiky_dynamics"]
    refused = CliRunner().invoke(app, [*map(str, command), "--kind", "worse"])
    assert refused.exit_code == 2
    assert "'worse' is none of" in " ".join(refused.stderr.split())


def test_a_validation_needs_pieces_that_the_scale_has_not_seen(tmp_path: Path) -> None:
    manifest = write_manifest(tmp_path / "in", n_pieces=2, n_takes=1)
    scale = tmp_path / "scale.json"
    scale.write_text(laid_out(made_up_scale(("piece0",)).model_dump(mode="json")))
    command = ("benchmark", "pseudo-labels", "--performances", manifest, "-o", tmp_path / "o")
    with pytest.raises(InputError, match="has 1 pieces that are in the pool of no scale"):
        run(*command, "--scale", scale)
    heard = tmp_path / "heard.json"
    worn = made_up_scale(("piece1",), origin="transcribed")
    heard.write_text(laid_out(worn.model_dump(mode="json", exclude_none=True)))
    with pytest.raises(InputError, match="has 0 pieces that are in the pool of no scale"):
        run(*command, "--scale", scale, "--transcribed-scale", heard)
    with pytest.raises(InputError, match=r"scale\.json: is a scale for recorded MIDI"):
        run(*command, "--transcribed-scale", scale)
