"""The network as a predictor of windows."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from tocco.errors import BundleError
from tocco.files import replacing
from tocco.models.network import PerformanceNetwork, build_network
from tocco.models.predictor import FrameAttention, Prediction, PredictorInput
from tocco.models.predictor_files import ARRAYS, HEADER, Header, read_header, write_header
from tocco.units import FloatArray

_EXPORT = "export the bundle with this release"
_LARGEST_SETTING = 1 << 16
_LARGEST = {"audio_mels": 1024, "audio_depth": 64, "midi_layers": 64, "lstm_layers": 64}
"""Of the numbers that describe a network; nobody trains one beyond them."""


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
        attention = FrameAttention(
            output.attention.numpy().astype(float), output.attention_time_sec.numpy().astype(float)
        )
        return Prediction(output.rating.numpy().astype(float), np.exp(0.5 * log_variance), attention)

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
    planned = _planned_shapes(described_in, given)
    state = _read_weights(weights, planned, described_in.name)
    network = build_network(**given)
    network.load_state_dict(state, strict=True)
    return network.eval().requires_grad_(False)


def _planned_shapes(described_in: Path, arguments: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """The shape of every weight of the network that is described, which takes no memory to know."""
    for name, value in arguments.items():
        largest = _LARGEST.get(name, _LARGEST_SETTING)
        for number in value if isinstance(value, tuple) else (value,):
            is_number = isinstance(number, int | float) and not isinstance(number, bool)
            if is_number and not 0 <= number <= largest:
                raise BundleError(
                    described_in,
                    f"network: {name!r} is {number:.12g}",
                    allowed=f"0 to {largest}",
                    next_step=_EXPORT,
                )
    try:
        # MERT is read from its checkpoint, and so has to be built where it is to be used.
        with nullcontext() if arguments.get("audio_encoder") == "mert" else torch.device("meta"):
            planned = build_network(**arguments)
    except (TypeError, ValueError, RuntimeError, ArithmeticError, AssertionError, LookupError) as error:
        raise BundleError(
            described_in, "network: describes no network of this release", next_step=_EXPORT
        ) from error
    return {name: tuple(tensor.shape) for name, tensor in planned.state_dict().items()}


def _read_weights(
    path: Path, expected: Mapping[str, tuple[int, ...]], described_in: str
) -> dict[str, torch.Tensor]:
    """The weights, once they are known to be those that are expected, and numbers."""
    try:
        with safe_open(path, framework="pt") as file:
            shapes = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
        state = {name: tensor.float() for name, tensor in load_file(path).items()} if shapes else {}
    except OSError as error:
        raise BundleError(path, "cannot be read") from error
    except SafetensorError as error:
        raise BundleError(
            path, f"does not fit {described_in}: it is no safetensors file", next_step=_EXPORT
        ) from error
    for name in sorted(expected.keys() | shapes.keys()):
        if expected.get(name) != shapes.get(name):
            raise BundleError(
                path,
                f"does not fit {described_in}: {name[:60]!r} has {_shape_name(shapes.get(name))}",
                allowed=_shape_name(expected.get(name)),
                next_step=_EXPORT,
            )
    for name, tensor in state.items():
        if not bool(torch.isfinite(tensor).all()):
            raise BundleError(path, f"{name[:60]!r} holds NaN or infinite weights", next_step=_EXPORT)
    return state


def _shape_name(shape: tuple[int, ...] | None) -> str:
    return "no tensor" if shape is None else f"the shape ({', '.join(map(str, shape))})"


def write_weights(path: Path, network: PerformanceNetwork) -> None:
    """Write a network's weights in one step, never half."""
    state = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    with replacing(path) as temporary:
        save_file(state, temporary)
