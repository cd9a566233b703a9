"""A trained model in a folder: weights, settings, calibration, card, and the checksums of all four.

    model.safetensors   weights (safetensors: reading them runs no code)
    config.yaml         what the network is and what it reads; see `BundleConfig`
    calibration.json    intervals and the range of the training music; see `BundleCalibration`
    MODEL_CARD.md       data, licences, figures, limits
    SHA256SUMS          one line a file, as `sha256sum -c` reads it

The bundle's own hash is that of `SHA256SUMS`: one changed byte anywhere is an error, not a rating.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tocco.errors import BundleError
from tocco.files import replacing, sha256_of, write_bytes
from tocco.inference.applicability import Applicability
from tocco.inference.intervals import IntervalCalibration
from tocco.models.network import PerformanceNetwork, build_network
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.music.statistics import STATISTICS
from tocco.schema import StrictModel, one_line

WEIGHTS, CONFIG, CALIBRATION, CARD = "model.safetensors", "config.yaml", "calibration.json", "MODEL_CARD.md"
CHECKSUMS = "SHA256SUMS"
PARTS = (WEIGHTS, CONFIG, CALIBRATION, CARD)
BUNDLED = "tocco-compact"

Model = TypeVar("Model", bound=StrictModel)


class BundleConfig(StrictModel):
    """What the network is and what it reads."""

    schema_version: Literal[1] = 1
    name: str
    version: str
    tocco_version: str
    window_sec: float
    overlap: float
    network: dict[str, Any]
    """Arguments of `build_network`."""

    statistics: tuple[str, ...]
    """Names of the performance statistics, in the order that the network was trained with."""

    note_features: tuple[str, ...]
    """Names of the note features, in order."""

    octuple_vocabulary: tuple[int, ...]
    rated: tuple[str, ...]
    """Outputs that had labels in training; the others say nothing."""

    training: dict[str, Any]
    """Where the weights come from: data, licences, seed, splits, resolved settings."""


class BundleCalibration(StrictModel):
    """What held-out performances say about the model's certainty."""

    intervals: IntervalCalibration
    applicability: Applicability


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model that is ready to rate.

    Attributes
    ----------
    network : in evaluation mode, on the processor
    sha256 : of the bundle
    """

    config: BundleConfig
    calibration: BundleCalibration
    network: PerformanceNetwork
    sha256: str


def bundled_path() -> Path:
    """The folder of the bundle inside the package."""
    return Path(str(resources.files("tocco") / "bundles" / BUNDLED))


def example_path() -> Path:
    """The folder of the example performance inside the package."""
    return Path(str(resources.files("tocco") / "examples" / "petzold_minuet"))


def load_bundle(folder: Path | None = None) -> Bundle:
    """Read a bundle, having checked every byte of it.

    Parameters
    ----------
    folder
        The bundle inside the package if None.

    Raises
    ------
    BundleError
        A part is missing or changed, or this release computes other inputs than the model reads.
    """
    folder = bundled_path() if folder is None else folder
    sha256 = _check_sums(folder)
    config = _read_model(folder / CONFIG, BundleConfig)
    calibration = _read_model(folder / CALIBRATION, BundleCalibration)
    _assert_same_inputs(folder, config)
    try:
        network = build_network(**_network_arguments(config))
    except (TypeError, ValueError) as error:
        raise BundleError(folder / CONFIG, f"describes no network of this release: {error}") from error
    try:
        network.load_state_dict({k: v.float() for k, v in load_file(folder / WEIGHTS).items()}, strict=True)
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(folder / WEIGHTS, f"does not fit {CONFIG}: {reason}") from error
    return Bundle(config, calibration, network.eval().requires_grad_(False), sha256)


def save_bundle(
    folder: Path, config: BundleConfig, calibration: BundleCalibration, network: PerformanceNetwork, card: str
) -> str:
    """Write a bundle; returns its SHA-256. Weights are kept as float32."""
    folder.mkdir(parents=True, exist_ok=True)
    with replacing(folder / WEIGHTS) as temporary:
        state = {k: v.detach().cpu().contiguous() for k, v in network.state_dict().items()}
        save_file(state, temporary)
    settings = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
    write_bytes(folder / CONFIG, settings.encode())
    write_bytes(folder / CALIBRATION, (calibration.model_dump_json(indent=1) + "\n").encode())
    write_bytes(folder / CARD, card.encode())
    sums = "".join(f"{sha256_of(folder / part)}  {part}\n" for part in PARTS)
    write_bytes(folder / CHECKSUMS, sums.encode())
    return hashlib.sha256(sums.encode()).hexdigest()


def _check_sums(folder: Path) -> str:
    again = "get the bundle again, or write it with `tocco export`"
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except OSError as error:
        raise BundleError(folder, f"cannot be read ({error.strerror})", next_step=again) from error
    if not is_folder:
        raise BundleError(folder, "is not a folder", next_step="name the folder of a bundle")
    missing = [part for part in (*PARTS, CHECKSUMS) if not (folder / part).is_file()]
    if missing:
        raise BundleError(folder, f"lacks {', '.join(missing)}", next_step=again)
    sums = (folder / CHECKSUMS).read_bytes()
    lines = [line.partition("  ") for line in sums.decode("utf-8", errors="replace").splitlines()]
    stated = {name: digest for digest, _, name in lines}
    if set(stated) != set(PARTS):
        raise BundleError(folder / CHECKSUMS, f"does not list {', '.join(PARTS)}", next_step=again)
    for part in PARTS:
        if sha256_of(folder / part) != stated[part]:
            raise BundleError(folder / part, "is not the file that was exported", next_step=again)
    return hashlib.sha256(sums).hexdigest()


def _read_model(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(path, "cannot be parsed", next_step="export the bundle again") from error
    except ValidationError as error:
        raise BundleError(path, one_line(error), next_step="export the bundle with this release") from error


def _assert_same_inputs(folder: Path, config: BundleConfig) -> None:
    ours = {
        "statistics": tuple(s.name for s in STATISTICS),
        "note_features": tuple(f.name for f in NOTE_FEATURES),
        "octuple_vocabulary": tuple(OCTUPLE_VOCABULARY.values()),
    }
    for what, value in ours.items():
        if getattr(config, what) != value:
            raise BundleError(
                folder / CONFIG,
                f"was made by tocco {config.tocco_version}, whose {what} are not those of this release",
                next_step=f"install tocco {config.tocco_version}, or train and export again",
            )


def _network_arguments(config: BundleConfig) -> dict[str, Any]:
    # YAML has no tuples.
    return {k: tuple(v) if isinstance(v, list) else v for k, v in config.network.items()}
