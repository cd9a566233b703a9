"""A trained model in a folder: weights, settings, calibration, card, and the checksums of all.

    model.safetensors   weights (safetensors: reading them runs no code)
    config.yaml         what the network is and what it reads; see `BundleConfig`
    calibration.json    intervals and the range of the training music; see `BundleCalibration`
    MODEL_CARD.md       data, licences, figures, limits
    predictors/NAME/    a predictor beside the network, where the config lists any
    SHA256SUMS          one line a file, as `sha256sum -c` reads it

The rating of a performance is the mean of the predictors that the config lists, by their weights. The network
alone follows the time: its windows shape the curve around that rating, also where its own weight is 0. The
bundle's own hash is that of `SHA256SUMS`: one changed byte anywhere is an error, not a rating.
"""

from __future__ import annotations

import hashlib
import shutil
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from tocco.errors import BundleError, OutputError
from tocco.files import is_safe_name, sha256_of, write_bytes
from tocco.inference.applicability import Applicability
from tocco.inference.difference import DifferenceCalibration
from tocco.inference.evidence import BundleIdentity
from tocco.inference.intervals import IntervalCalibration
from tocco.inference.transcription_loss import TranscriptionLoss
from tocco.models.blend import Blend
from tocco.models.predictor import Predictor
from tocco.models.restricted import Restricted
from tocco.music.measures import MEASURES
from tocco.music.note_features import NOTE_FEATURES
from tocco.music.octuple import OCTUPLE_VOCABULARY
from tocco.music.statistics import STATISTICS
from tocco.schema import StrictModel, one_line, short

if TYPE_CHECKING:
    from tocco.models.network import PerformanceNetwork

WEIGHTS, CONFIG, CALIBRATION, CARD = "model.safetensors", "config.yaml", "calibration.json", "MODEL_CARD.md"
CHECKSUMS = "SHA256SUMS"
PARTS = (WEIGHTS, CONFIG, CALIBRATION, CARD)
PREDICTORS = "predictors"
NETWORK = "network"
"""Name of the predictor whose files are those of the bundle itself."""

BUNDLED = "tocco-compact"
_WEIGHT_SUFFIXES = frozenset((".ckpt", ".pt", ".pth"))
_MOST_NAMED = 3
_EXPORT = "export the bundle with this release"

Model = TypeVar("Model", bound=StrictModel)


class ListedPredictor(StrictModel):
    """A predictor of a bundle."""

    name: str
    """"network", or the name of a folder in the bundle's `predictors`."""

    weight: Annotated[float, Field(ge=0.0, allow_inf_nan=False)]
    """Of its ratings, relative to the others; 0 only for a network that shapes the curve alone."""

    targets: tuple[str, ...] | None = None
    """Those of its targets that it rates; null for all."""


class BundleConfig(StrictModel):
    """What the network is and what it reads."""

    schema_version: Literal[1] = 1
    name: str
    version: str
    tocco_version: str
    window_sec: Annotated[float, Field(gt=0.0, le=600.0, allow_inf_nan=False)]
    overlap: Annotated[float, Field(ge=0.0, le=0.95, allow_inf_nan=False)]
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

    predictors: tuple[ListedPredictor, ...] = (ListedPredictor(name=NETWORK, weight=1.0),)
    """What rates a performance, and how much each counts. The network is one of them: it alone follows the
    time."""

    @model_validator(mode="after")
    def _check_predictors(self) -> BundleConfig:
        names = [listed.name for listed in self.predictors]
        if len(set(names)) < len(names):
            raise ValueError(f"predictors: {', '.join(names)} names one twice")
        if NETWORK not in names:
            raise ValueError(f"predictors: {NETWORK!r} is not among {', '.join(names) or 'none'}")
        for name in names:
            if not is_safe_name(name):
                raise ValueError(f"predictors: {short(name)} is no name of a folder")
        weights = {listed.name: listed.weight for listed in self.predictors}
        idle = [name for name, weight in weights.items() if not weight and name != NETWORK]
        if idle or not any(weights.values()):
            raise ValueError(
                f"predictors: {(idle or [NETWORK])[0]!r} has no weight, and there is no other use of it"
            )
        return self


class BundleCalibration(StrictModel):
    """What held-out performances say about the model's certainty."""

    intervals: IntervalCalibration
    """Of the rating of a performance."""

    applicability: Applicability
    windows: IntervalCalibration | None = None
    """Of the network's own rating, where other predictors rate with it: its windows err as it does.
    None where the network is alone."""

    transcription: TranscriptionLoss | None = None
    """What transcription takes from the ratings; without it, transcribed notes are not rated."""

    differences: DifferenceCalibration | None = None
    """How far a difference of two ratings can be trusted; without it, performances are not compared."""

    @property
    def window_intervals(self) -> IntervalCalibration:
        """What is known of the errors of single windows."""
        return self.intervals if self.windows is None else self.windows


@dataclass(frozen=True, eq=False)
class Bundle:
    """A model that is ready to rate.

    Attributes
    ----------
    network : in evaluation mode, on the processor
    predictor : the network as a predictor of windows
    whole : rates the whole performance by its measures; None where the network is alone
    whole_share : 0..1, how much `whole` counts; the rest is the network's
    sha256 : of the bundle
    """

    config: BundleConfig
    calibration: BundleCalibration
    network: PerformanceNetwork
    predictor: Predictor
    whole: Predictor | None
    whole_share: float
    sha256: str

    @property
    def identity(self) -> BundleIdentity:
        """Which model this is."""
        return BundleIdentity(name=self.config.name, version=self.config.version, sha256=self.sha256)


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
    from tocco.models.network_predictor import NetworkPredictor, read_network

    folder = bundled_path() if folder is None else folder
    sha256, extra = _check_sums(folder)
    config = _read_model(folder / CONFIG, BundleConfig)
    calibration = _read_model(folder / CALIBRATION, BundleCalibration)
    _assert_same_inputs(folder, config)
    _assert_names_fit(folder, config, calibration)
    network = read_network(folder / CONFIG, config.network, folder / WEIGHTS)
    _assert_listed(folder, config, extra)
    whole, share = _whole(folder, config)
    windows = NetworkPredictor(network, config.network)
    return Bundle(config, calibration, network, windows, whole, share, sha256)


def save_bundle(
    folder: Path,
    config: BundleConfig,
    calibration: BundleCalibration,
    network: PerformanceNetwork,
    card: str,
    others: Mapping[str, Predictor] | None = None,
) -> str:
    """Write a bundle; returns its SHA-256. Weights are kept as float32.

    Parameters
    ----------
    folder
        Predictors that an earlier bundle left there are removed.
    others : name -> predictor
        Those that the config lists beside the network.
    """
    from tocco.models.network_predictor import write_weights

    others = {} if others is None else others
    listed = {one.name for one in config.predictors} - {NETWORK}
    if listed != set(others):
        raise ValueError(f"the config lists {sorted(listed)} beside the network; given are {sorted(others)}")
    folder.mkdir(parents=True, exist_ok=True)
    write_weights(folder / WEIGHTS, network)
    _remove_predictors(folder)
    for name, predictor in others.items():
        predictor.save(folder / PREDICTORS / name)
    settings = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True, width=110)
    write_bytes(folder / CONFIG, settings.encode())
    return replace_calibration(folder, calibration, card)


def replace_calibration(folder: Path, calibration: BundleCalibration, card: str) -> str:
    """Write calibration and card of a bundle whose other parts are there; returns the bundle's SHA-256."""
    write_bytes(folder / CARD, card.encode())
    write_bytes(folder / CALIBRATION, (calibration.model_dump_json(indent=1) + "\n").encode())
    parts = (*PARTS, *_files_of_predictors(folder))
    sums = "".join(f"{sha256_of(folder / part)}  {part}\n" for part in parts)
    write_bytes(folder / CHECKSUMS, sums.encode())
    return hashlib.sha256(sums.encode()).hexdigest()


def _remove_predictors(folder: Path) -> None:
    earlier = folder / PREDICTORS
    try:
        if earlier.is_dir():
            shutil.rmtree(earlier)
    except OSError as error:
        raise OutputError(
            earlier, f"cannot be replaced ({error.strerror})", next_step="name another folder"
        ) from error


def _check_sums(folder: Path) -> tuple[str, frozenset[str]]:
    """Hash of the bundle, and the files beyond `PARTS`."""
    again = "get the bundle again, or write it with `tocco export`"
    try:
        is_folder = stat.S_ISDIR(folder.stat().st_mode)
    except OSError as error:
        raise BundleError(folder, f"cannot be read ({error.strerror})", next_step=again) from error
    if not is_folder and folder.suffix.lower() in _WEIGHT_SUFFIXES:
        raise BundleError(
            folder,
            "holds weights alone: without a calibration its ratings would have no intervals",
            allowed="the folder of a bundle",
            next_step="make one of its run: `tocco evaluate RUN --labels LABELS -o EVALUATION`, then "
            "`tocco export RUN --evaluation EVALUATION --labels LABELS -o BUNDLE`",
        )
    if not is_folder:
        raise BundleError(folder, "is not a folder", next_step="name the folder of a bundle")
    missing = [part for part in (*PARTS, CHECKSUMS) if not (folder / part).is_file()]
    if missing:
        raise BundleError(folder, f"lacks {', '.join(missing)}", next_step=again)
    sums = (folder / CHECKSUMS).read_bytes()
    lines = [line.partition("  ") for line in sums.decode("utf-8", errors="replace").splitlines()]
    stated = {name: digest for digest, _, name in lines}
    extra = _files_of_predictors(folder)
    if differing := sorted(set(stated) ^ {*PARTS, *extra}):
        named = ", ".join(differing[:_MOST_NAMED])
        more = f" and {len(differing) - _MOST_NAMED} more" if len(differing) > _MOST_NAMED else ""
        raise BundleError(folder / CHECKSUMS, f"does not list what is there: {named}{more}", next_step=again)
    for part, digest in stated.items():
        if sha256_of(folder / part) != digest:
            raise BundleError(folder / part, "is not the file that was exported", next_step=again)
    return hashlib.sha256(sums).hexdigest(), frozenset(extra)


def _files_of_predictors(folder: Path) -> list[str]:
    """Every file below the folder of predictors, as the checksums name it."""
    found = (path for path in (folder / PREDICTORS).rglob("*") if not path.is_dir())
    return sorted(path.relative_to(folder).as_posix() for path in found)


def _assert_listed(folder: Path, config: BundleConfig, extra: frozenset[str]) -> None:
    listed = {one.name for one in config.predictors} - {NETWORK}
    there = {Path(name).parts[1] for name in extra}
    if listed != there:
        raise BundleError(
            folder / CONFIG,
            f"lists the predictors {', '.join(sorted(listed)) or 'none'} beside the network",
            allowed=f"those in {PREDICTORS}: {', '.join(sorted(there)) or 'none'}",
            next_step="export the bundle again",
        )


def _whole(folder: Path, config: BundleConfig) -> tuple[Predictor | None, float]:
    """The blend of the predictors beside the network, and its share of the rating."""
    from tocco.models.registry import load_predictor

    others = [listed for listed in config.predictors if listed.name != NETWORK]
    if not others:
        return None, 0.0
    members = [load_predictor(folder / PREDICTORS / listed.name) for listed in others]
    for n, (listed, member) in enumerate(zip(others, members, strict=True)):
        unknown = sorted(set(member.statistics) - set(MEASURES))
        if unknown:
            raise BundleError(
                folder / PREDICTORS / listed.name,
                f"reads statistics that are not computed: {', '.join(unknown[:3])}",
                next_step="export the bundle again with this release",
            )
        members[n] = _rating_only(folder, listed, member)
    weights = tuple(listed.weight for listed in others)
    total = sum(listed.weight for listed in config.predictors)
    return Blend(tuple(members), weights), sum(weights) / total


def _rating_only(folder: Path, listed: ListedPredictor, member: Predictor) -> Predictor:
    """The predictor, held to the targets that the config gives it."""
    if listed.targets is None:
        return member
    if not listed.targets or not set(listed.targets) <= set(member.names):
        raise BundleError(
            folder / CONFIG,
            f"lets {listed.name} rate {', '.join(listed.targets) or 'nothing'}",
            allowed=", ".join(member.names),
            next_step="export the bundle again",
        )
    return Restricted(member, listed.targets)


def _read_model(path: Path, model: type[Model]) -> Model:
    try:
        return model.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise BundleError(path, one_line(error), next_step=_EXPORT) from error
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError) as error:
        # ValueError: not UTF-8, a date that does not exist, a number of thousands of digits
        raise BundleError(path, "cannot be parsed", next_step="export the bundle again") from error


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


def _assert_names_fit(folder: Path, config: BundleConfig, calibration: BundleCalibration) -> None:
    """Refuse names that the network has no output for, or that this release does not measure."""
    outputs = config.network.get("dimensions")
    outputs = outputs if isinstance(outputs, list | tuple) else ()
    checks = (
        (CONFIG, "rated", config.rated, outputs),
        (CALIBRATION, "intervals.dimensions", calibration.intervals.dimensions, outputs),
        (CALIBRATION, "applicability.names", calibration.applicability.names, config.statistics),
    )
    for part, where, names, known in checks:
        unknown = [name for name in names if name not in known]
        if unknown:
            raise BundleError(
                folder / part, f"{where} names {short(unknown[0])}, which the model lacks", next_step=_EXPORT
            )
