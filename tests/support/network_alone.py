"""The bundle inside the package with nothing but its network: what other predictors are added to in tests."""

from __future__ import annotations

from pathlib import Path

from tocco.inference.bundle import CARD, ListedPredictor, bundled_path, load_bundle, save_bundle


def write_network_alone(folder: Path) -> Path:
    """Write the network of the package's bundle as a bundle of its own; returns `folder`."""
    shipped = load_bundle()
    own = shipped.calibration.window_intervals
    save_bundle(
        folder,
        shipped.config.model_copy(update={"predictors": (ListedPredictor(name="network", weight=1.0),)}),
        shipped.calibration.model_copy(update={"intervals": own, "windows": None}),
        shipped.network,
        (bundled_path() / CARD).read_text(encoding="utf-8"),
    )
    return folder
