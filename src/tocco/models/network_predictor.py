"""The network as a predictor: it listens to windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from tocco.errors import BundleError
from tocco.files import replacing
from tocco.models.network import PerformanceNetwork, build_network
from tocco.models.predictor import Prediction, PredictorInput
from tocco.models.predictor_files import ARRAYS, HEADER, Header, read_header, write_header
from tocco.units import FloatArray


@dataclass(frozen=True, eq=False)
class NetworkPredictor:
    """A network in evaluation mode.

    Attributes
    ----------
    network
    arguments : of `build_network`
        What makes the same network anew; None for one that is not to be saved.
    """

    network: PerformanceNetwork
    arguments: Mapping[str, Any] | None = None

    kind: ClassVar[str] = "network"

    @property
    def names(self) -> tuple[str, ...]:
        """See `Predictor.names`."""
        return self.network.dimensions

    @property
    def statistics(self) -> tuple[str, ...]:
        """None of the whole performance: a window brings its own statistics."""
        return ()

    @torch.inference_mode()
    def predict(self, rows: PredictorInput) -> Prediction:
        """See `Predictor.predict`."""
        output = self.network(rows.read_windows())
        log_variance: FloatArray = output.log_variance.numpy().astype(float)
        return Prediction(output.rating.numpy().astype(float), np.exp(0.5 * log_variance))

    def save(self, folder: Path) -> None:
        """See `Predictor.save`."""
        if self.arguments is None:
            raise ValueError("this network does not know the arguments that it was built with")
        write_weights(folder / ARRAYS, self.network)
        write_header(folder, Header(self.kind, self.names, settings=self.arguments))

    @classmethod
    def load(cls, folder: Path) -> NetworkPredictor:
        """See `Predictor.load`."""
        header = read_header(folder, cls.kind)
        network = read_network(folder / HEADER, header.settings, folder / ARRAYS)
        if network.dimensions != header.names:
            raise BundleError(folder / HEADER, "names other targets than its network rates")
        return cls(network, header.settings)


def read_network(described_in: Path, arguments: Mapping[str, Any], weights: Path) -> PerformanceNetwork:
    """A network of these arguments with these weights, in evaluation mode.

    Parameters
    ----------
    described_in
        The file that the arguments are from; errors name it.
    arguments : of `build_network`, lists for tuples
    weights
        A safetensors file.

    Raises
    ------
    BundleError
        The arguments make no network of this release, or the weights are not those of such a network.
    """
    # YAML and JSON have no tuples.
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in arguments.items()
    }
    try:
        network = build_network(**given)
    except (TypeError, ValueError) as error:
        raise BundleError(described_in, f"describes no network of this release: {error}") from error
    try:
        state = {name: tensor.float() for name, tensor in load_file(weights).items()}
        network.load_state_dict(state, strict=True)
    except OSError as error:
        raise BundleError(weights, "cannot be read") from error
    except (RuntimeError, SafetensorError) as error:
        reason = str(error).splitlines()[0]
        raise BundleError(weights, f"does not fit {described_in.name}: {reason}") from error
    return network.eval().requires_grad_(False)


def write_weights(path: Path, network: PerformanceNetwork) -> None:
    """Write a network's weights in one step, never half."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with replacing(path) as temporary:
        save_file(state, temporary)
