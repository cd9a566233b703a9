"""A network that starts from a pre-trained MIDI encoder: by its settings, or by `--checkpoint`."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from typer.testing import CliRunner

from tocco.apps.cli.main import app
from tocco.data.prepared import PreparedRecord
from tocco.errors import InputError, MismatchError
from tocco.models.masked_head import EncoderSizes, midi_encoder_sizes, save_midi_encoder
from tocco.training.config import ExperimentConfig
from tocco.training.config_file import load_config
from tocco.training.masked_notes.loop import encoder_of
from tocco.training.masked_notes.start import with_midi_encoder
from tocco.training.module_of_config import build_module

TINY = Path(__file__).parents[3] / "configs" / "tiny.yaml"


@pytest.fixture(scope="module")
def tiny() -> ExperimentConfig:
    return load_config(TINY)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Weights of two layers of size 24 with three heads, where tiny.yaml has one of 16 with two."""
    path = tmp_path_factory.mktemp("encoder") / "midi.safetensors"
    torch.manual_seed(3)
    sizes = {"model.midi_layers": "2", "model.midi_size": "24", "model.midi_heads": "3"}
    save_midi_encoder(encoder_of(load_config(TINY, sizes).model), path)
    return path


def test_the_network_takes_encoder_and_sizes_and_says_what_is_new(
    tiny: ExperimentConfig, encoder: Path, records: list[PreparedRecord]
) -> None:
    lines: list[str] = []
    config = with_midi_encoder(tiny, encoder, lines.append)
    model = config.model
    assert (model.midi_layers, model.midi_size, model.midi_heads) == (2, 24, 3)
    network = build_module(config, records[:6], None, lines.append).network
    assert all(torch.equal(network.midi_encoder.state_dict()[k], v) for k, v in load_file(encoder).items())
    assert lines == [
        f"{encoder}: model.midi_layers=2, model.midi_size=24, model.midi_heads=3, as it was trained, in place"
        " of model.midi_layers=1, model.midi_size=16, model.midi_heads=2",
        f"{encoder}: midi_encoder taken; parts that start anew: audio_encoder, level, fusion, aggregator,"
        " head",
    ]


def test_an_encoder_of_the_same_sizes_changes_none(tiny: ExperimentConfig, tmp_path: Path) -> None:
    path = tmp_path / "same.safetensors"
    save_midi_encoder(encoder_of(tiny.model), path)
    assert midi_encoder_sizes(path) == EncoderSizes(layers=1, size=16, heads=2)
    lines: list[str] = []
    changed = with_midi_encoder(tiny, path, lines.append)
    assert changed.model == tiny.model.model_copy(update={"midi_encoder": str(path)})
    assert lines == []


def test_a_file_that_does_not_say_its_heads_is_taken_where_all_else_agrees(
    tiny: ExperimentConfig, encoder: Path, tmp_path: Path
) -> None:
    """As an earlier release wrote it; the command names what to add where the sizes differ."""
    old = tmp_path / "old.safetensors"
    save_file(load_file(encoder), old)
    with pytest.raises(
        MismatchError, match=r"2 layers of size 24, not 1 of 16, and does not say.*midi_heads=N"
    ):
        with_midi_encoder(tiny, old)
    sizes = {"midi_layers": 2, "midi_size": 24, "midi_heads": 3}
    alike = tiny.model_copy(update={"model": tiny.model.model_copy(update=sizes)})
    assert with_midi_encoder(alike, old).model.midi_heads == 3


def test_other_files_are_refused(tiny: ExperimentConfig, whole: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        with_midi_encoder(tiny, tmp_path / "none.safetensors")
    with pytest.raises(MismatchError, match=r"holds a whole network.*Next: name the \.ckpt of its run"):
        with_midi_encoder(tiny, whole / "model.safetensors")
    save_file({"weight": torch.zeros(2)}, tmp_path / "other.safetensors")
    with pytest.raises(MismatchError, match="holds no MIDI encoder"):
        with_midi_encoder(tiny, tmp_path / "other.safetensors")


def test_a_network_without_notes_takes_no_encoder(tiny: ExperimentConfig, encoder: Path) -> None:
    audio = tiny.model_copy(update={"model": tiny.model.model_copy(update={"inputs": "audio"})})
    with pytest.raises(InputError, match=r"model\.inputs is 'audio'\. Next: leave it out"):
        with_midi_encoder(audio, encoder)


def test_the_command_starts_a_stage_from_it(encoder: Path, tiny_labels: Path, tmp_path: Path) -> None:
    command = ("train", "--config", TINY, "--labels", tiny_labels, "-o", tmp_path / "runs" / "one")
    options = ("--checkpoint", encoder, "--jobs", 1, "training.max_epochs=1")
    result = CliRunner().invoke(app, [str(a) for a in (*command, *options)], catch_exceptions=False)
    assert result.exit_code == 0
    assert "midi_encoder taken; parts that start anew: audio_encoder, level, fusion" in result.stderr
    kept = load_config(tmp_path / "runs" / "one" / "full" / "config.yaml").model
    assert (kept.midi_encoder, kept.midi_layers, kept.midi_heads) == (str(encoder), 2, 3)


def test_a_setting_that_names_no_file_is_refused_before_any_preparation(
    tiny_labels: Path, tmp_path: Path
) -> None:
    command = ("train", "--config", TINY, "--labels", tiny_labels, "-o", tmp_path / "runs" / "one")
    setting = f"model.midi_encoder={tmp_path / 'none.safetensors'}"
    with pytest.raises(InputError, match=r"none\.safetensors: no such file"):
        CliRunner().invoke(app, [str(a) for a in (*command, setting)], catch_exceptions=False)
    assert not (tmp_path / "runs").exists()
