"""Bundles with more than one predictor."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import yaml

from network_alone import write_network_alone
from tocco.errors import BundleError
from tocco.files import sha256_of
from tocco.inference.assessor import Assessor
from tocco.inference.bundle import (
    CHECKSUMS,
    CONFIG,
    PARTS,
    Bundle,
    ListedPredictor,
    bundled_path,
    example_path,
    load_bundle,
    save_bundle,
)
from tocco.models.blend import Blend
from tocco.models.network_predictor import NetworkPredictor
from tocco.models.statistics_models import RidgeStatistics, StatisticsScale
from tocco.rubrics import DESCRIPTORS, DIMENSIONS

SHIPPED_SHA256 = "511a30f25ff26badc0db9850a99d1f557983ca9b89dec83e8f028e8060a074ae"


def at(rating: float, statistic: str = "note_count") -> RidgeStatistics:
    """Rates the phrasing of everyone alike, after reading one statistic."""
    scale = StatisticsScale(np.zeros(1), np.zeros(1))
    one = np.ones(1)
    return RidgeStatistics(("phrasing",), (statistic,), scale, np.zeros((1, 1)), rating * one, 5.0 * one)


@pytest.fixture(scope="module")
def shipped() -> Bundle:
    return load_bundle()


@pytest.fixture(scope="module")
def network_alone(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A bundle with the network of the package and nothing else."""
    return load_bundle(write_network_alone(tmp_path_factory.mktemp("alone") / "bundle"))


@pytest.fixture
def blended(network_alone: Bundle, tmp_path: Path) -> Callable[..., Path]:
    def make(other: RidgeStatistics, weight: float = 1.0, network: float = 1.0) -> Path:
        listed = (ListedPredictor(name="network", weight=network), ListedPredictor(name="toy", weight=weight))
        config = network_alone.config.model_copy(update={"predictors": listed})
        folder = tmp_path / "bundle"
        save_bundle(
            folder, config, network_alone.calibration, network_alone.network, "A card.\n", {"toy": other}
        )
        return folder

    return make


def resealed(folder: Path) -> Path:
    """Checksums of whatever is there now."""
    files = [path.relative_to(folder).as_posix() for path in sorted((folder / "predictors").rglob("*.*"))]
    lines = [f"{sha256_of(folder / name)}  {name}\n" for name in (*PARTS, *files)]
    (folder / CHECKSUMS).write_text("".join(lines))
    return folder


def test_the_bundle_that_ships_rates_by_measures_and_follows_time_by_the_network(shipped: Bundle) -> None:
    assert shipped.sha256 == SHIPPED_SHA256
    assert isinstance(shipped.predictor, NetworkPredictor)
    assert shipped.predictor.network is shipped.network
    assert shipped.predictor.statistics == ()
    assert isinstance(shipped.whole, Blend)
    assert set(shipped.whole.names) == {*DESCRIPTORS, *DIMENSIONS} - {"note_accuracy"}
    assert shipped.whole_share == 1.0
    listed = {one.name: (one.weight, one.targets) for one in shipped.config.predictors}
    nine = tuple(name for name in DIMENSIONS if name != "note_accuracy")
    assert listed == {
        "network": (0.0, None),
        "trees": (1.0, DESCRIPTORS),
        "norm_kernel": (1.0, DESCRIPTORS),
        "perception_kernel": (1.0, nine),
        "perception_trees": (1.0, nine),
    }


def test_the_bundle_that_ships_is_small() -> None:
    assert sum(path.stat().st_size for path in bundled_path().rglob("*") if path.is_file()) < 50_000_000


@pytest.mark.parametrize("targets", [("phrasin",), ()])
def test_a_predictor_that_is_asked_for_what_it_does_not_rate_is_refused(
    blended: Callable[..., Path], network_alone: Bundle, targets: tuple[str, ...]
) -> None:
    folder = blended(at(30.0))
    listed = (
        ListedPredictor(name="network", weight=1.0),
        ListedPredictor(name="toy", weight=1.0, targets=targets),
    )
    config = network_alone.config.model_copy(update={"predictors": listed})
    save_bundle(
        folder, config, network_alone.calibration, network_alone.network, "A card.\n", {"toy": at(30.0)}
    )
    with pytest.raises(BundleError, match=f"lets toy rate {targets[0] if targets else 'nothing'}"):
        load_bundle(folder)


def test_an_assessment_blends_the_predictors_that_the_bundle_lists(
    network_alone: Bundle, blended: Callable[..., Path]
) -> None:
    files = [example_path() / f"minuet.{suffix}" for suffix in ("flac", "mid", "musicxml")]
    bundle = load_bundle(blended(at(30.0), weight=3.0))
    assert isinstance(bundle.whole, Blend)
    assert bundle.whole_share == 0.75
    alone, both = Assessor(network_alone).assess(*files), Assessor(bundle).assess(*files)
    before, after = alone.ratings["phrasing"], both.ratings["phrasing"]
    assert before.perception is not None
    assert before.value is not None
    assert after.perception == pytest.approx(0.25 * before.perception + 0.75 * 30.0, abs=0.01)
    assert after.value == pytest.approx(before.value + after.perception - before.perception, abs=0.01)
    assert both.ratings["musicality"] == alone.ratings["musicality"]
    # The curve is the network's own, around another rating.
    curves = [np.array(a.curve.value["phrasing"], dtype=float) for a in (alone, both)]
    assert np.ptp(curves[0]) > 1.0
    assert curves[1] - curves[0] == pytest.approx(
        np.full(len(curves[0]), after.value - before.value), abs=0.02
    )
    assert both.bundle.sha256 == bundle.sha256 != network_alone.sha256


def test_a_network_without_weight_shapes_the_curve_alone(
    network_alone: Bundle, blended: Callable[..., Path]
) -> None:
    files = [example_path() / f"minuet.{suffix}" for suffix in ("flac", "mid", "musicxml")]
    bundle = load_bundle(blended(at(30.0), network=0.0))
    assert bundle.whole_share == 1.0
    said = Assessor(bundle).assess(*files)
    phrasing = said.ratings["phrasing"]
    assert phrasing.perception == pytest.approx(30.0, abs=0.01)
    assert phrasing.value == pytest.approx(30.0 - sum(phrasing.deductions.values()), abs=0.01)
    curve = np.array(said.curve.value["phrasing"], dtype=float)
    assert curve.mean() == pytest.approx(phrasing.value, abs=0.1)
    assert np.ptp(curve) > 1.0
    scale = network_alone.calibration.intervals.dimensions["phrasing"].scale
    low, high = said.ratings["phrasing"].interval_90 or (0.0, 0.0)
    assert high - low > 2 * 5.0 * scale - 0.01  # beside what is uncertain in the deductions


def test_single_windows_err_as_the_network_does(network_alone: Bundle) -> None:
    own = network_alone.calibration
    assert own.window_intervals is own.intervals
    other = own.model_copy(update={"windows": own.intervals.model_copy(update={"level": 0.5})})
    assert other.window_intervals.level == 0.5


def test_an_exported_bundle_replaces_predictors_of_an_earlier_one(
    network_alone: Bundle, blended: Callable[..., Path]
) -> None:
    folder = blended(at(30.0))
    assert (folder / "predictors/toy/predictor.json").is_file()
    save_bundle(folder, network_alone.config, network_alone.calibration, network_alone.network, "A card.\n")
    assert not (folder / "predictors").exists()
    assert isinstance(load_bundle(folder).predictor, NetworkPredictor)
    with pytest.raises(ValueError, match=r"lists \[\] beside the network; given are \['toy'\]"):
        save_bundle(
            folder,
            network_alone.config,
            network_alone.calibration,
            network_alone.network,
            "",
            {"toy": at(1.0)},
        )


def test_predictors_are_guarded_by_the_checksums(blended: Callable[..., Path]) -> None:
    folder = blended(at(30.0))
    arrays = folder / "predictors/toy/predictor.safetensors"
    content = bytearray(arrays.read_bytes())
    content[-1] ^= 1
    arrays.write_bytes(bytes(content))
    with pytest.raises(BundleError, match="is not the file that was exported"):
        load_bundle(folder)
    arrays.unlink()
    with pytest.raises(BundleError, match="SHA256SUMS: does not list"):
        load_bundle(folder)


def test_a_predictor_has_to_be_listed_and_a_listed_one_has_to_be_there(blended: Callable[..., Path]) -> None:
    folder = blended(at(30.0))
    shutil.copytree(folder / "predictors/toy", folder / "predictors/stowaway")
    with pytest.raises(BundleError, match="does not list"):
        load_bundle(folder)
    with pytest.raises(BundleError, match=r"lists the predictors toy .*allowed: those in .* stowaway, toy"):
        load_bundle(resealed(folder))
    shutil.rmtree(folder / "predictors")
    with pytest.raises(BundleError, match=r"lists the predictors toy beside the network .*: none\)"):
        load_bundle(resealed(folder))


def test_a_predictor_reads_only_statistics_that_are_computed(blended: Callable[..., Path]) -> None:
    with pytest.raises(BundleError, match="reads statistics that are not computed: heartbeat"):
        load_bundle(blended(at(30.0, statistic="heartbeat")))


@pytest.mark.parametrize(
    ("listed", "problem"),
    [
        ([], "'network' is not among none"),
        ([{"name": "toy", "weight": 1.0}], "'network' is not among toy"),
        ([{"name": "network", "weight": 1.0}] * 2, "names one twice"),
        ([{"name": "network", "weight": 1.0}, {"name": "../toy", "weight": 1.0}], "no name of a folder"),
        ([{"name": "network", "weight": 0.0}], "'network' has no weight"),
        ([{"name": "network", "weight": 1.0}, {"name": "toy", "weight": 0.0}], "'toy' has no weight"),
        ([{"name": "network", "weight": -1.0}], "greater than or equal to 0"),
        ([{"name": "network", "weight": float("nan")}], "greater than|finite"),
        ([{"name": "network"}], "weight"),
    ],
)
def test_the_list_of_predictors_is_strict(tmp_path: Path, listed: list, problem: str) -> None:
    folder = tmp_path / "bundle"
    write_network_alone(folder)
    config = yaml.safe_load((folder / CONFIG).read_text())
    (folder / CONFIG).write_text(yaml.safe_dump(config | {"predictors": listed}))
    with pytest.raises(BundleError, match=problem) as caught:
        load_bundle(resealed(folder))
    assert caught.value.exit_code == 6
