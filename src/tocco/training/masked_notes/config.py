"""Settings of masked pre-training: what is hidden, and of which music."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field, PositiveInt, ValidationError

from tocco.errors import InputError
from tocco.files import read_text
from tocco.schema import StrictModel, one_line
from tocco.training.config import DataConfig, ModelConfig, TrainingConfig


class MaskingConfig(StrictModel):
    """What is hidden, and of which music.

    Attributes
    ----------
    share : of the notes of a window that are hidden
    spans : notes in a run; one hiding of every window is prepared for each, and epochs take turns
    pieces, held_out_pieces : text files of piece ids, one a line; a piece of both is held out
        Pieces in neither are trained on if their source is in `whole_sources`.
    whole_sources : sources of which every piece is trained on, unless it is held out or left out
    left_out_pieces : piece ids that are not read at all: music that is rated elsewhere
    validation_pieces : number of training pieces that choose the best epoch
    performances_per_piece : at most so many of one piece
    """

    share: float = Field(0.15, gt=0.0, le=0.5)
    spans: tuple[PositiveInt, ...] = Field((1, 1, 4), min_length=1)
    pieces: Path
    held_out_pieces: Path
    whole_sources: tuple[str, ...] = ()
    left_out_pieces: tuple[str, ...] = ()
    validation_pieces: PositiveInt = 8
    performances_per_piece: PositiveInt = 6


class MaskedNotesConfig(StrictModel):
    """A pre-training: `tocco train --config configs/midi_pretrain.yaml`.

    Attributes
    ----------
    name, stage
    masking
    data : window_sec, score_dropout and batch_size count
    model : midi_layers, midi_size, midi_heads and dropout count
    training : all but what belongs to ratings
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]*$")
    stage: Literal["masked_notes"]
    masking: MaskingConfig
    data: DataConfig = DataConfig()  # type: ignore[call-arg]
    model: ModelConfig = ModelConfig()  # type: ignore[call-arg]
    training: TrainingConfig = TrainingConfig()  # type: ignore[call-arg]


def load_masked_notes_config(path: Path) -> MaskedNotesConfig:
    """Read the settings of a pre-training; relative paths in it start at its folder.

    Raises
    ------
    InputError
        File missing, invalid YAML, an unknown key, or a value out of range.
    """
    try:
        values = yaml.safe_load(read_text(path))
    except yaml.YAMLError as error:
        problem = str(error).splitlines()[0]
        raise InputError(path, f"is not YAML: {problem}", next_step="correct the line") from error
    try:
        config = MaskedNotesConfig.model_validate(values)
    except ValidationError as error:
        raise InputError(path, one_line(error), next_step="correct the setting") from error
    lists = {name: path.parent / getattr(config.masking, name) for name in ("pieces", "held_out_pieces")}
    return config.model_copy(update={"masking": config.masking.model_copy(update=lists)})
