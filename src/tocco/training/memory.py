"""GPU memory that training is expected to need: counted, not measured on a GPU.

Weights, gradients, the two moments of AdamW and the moving average are counted from the network. Activations
are the tensors that autograd keeps of a forward pass over one window of the full length, which is run on the
processor with random weights, times the batch. With gradient checkpointing a layer of MERT keeps its input
alone, and one layer at a time is computed again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import torch
from torch import Tensor

from tocco.models.network import PerformanceBatch, PerformanceNetwork, build_network
from tocco.training.config import ExperimentConfig
from tocco.training.module_of_config import network_arguments
from tocco.units import SAMPLE_RATE_HZ

GB: Final = 2.0**30
NOTES_A_SECOND: Final = 20.0
"""Of the window: dense playing. In PercePiano nine windows of ten have fewer than 17."""

LIBRARIES_GB: Final = 1.0
"""What CUDA, cuDNN and the gaps between blocks of memory take, by experience; not counted."""

_FLOAT: Final = 4
_MERT: Final = {
    "intermediate_size": 3072,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "conv_dim": [512] * 7,
    "conv_stride": [5, 2, 2, 2, 2, 2, 2],
    "conv_kernel": [10, 3, 3, 3, 3, 2, 2],
    "conv_bias": False,
    "num_conv_pos_embeddings": 128,
    "num_conv_pos_embedding_groups": 16,
    "feat_extract_norm": "group",
    "feat_extract_activation": "gelu",
    "feat_proj_layer_norm": True,
    "do_stable_layer_norm": False,
}
_MERT_95M: Final = {**_MERT, "hidden_size": 768, "num_hidden_layers": 12, "num_attention_heads": 12}
_MERT_330M: Final = {
    **_MERT,
    "hidden_size": 1024,
    "intermediate_size": 4096,
    "num_hidden_layers": 24,
    "num_attention_heads": 16,
    "feat_extract_norm": "layer",
    "do_stable_layer_norm": True,
}
ARCHITECTURES: Final[Mapping[str, Mapping[str, Any]]] = {
    "m-a-p/MERT-v1-95M": _MERT_95M,
    "m-a-p/MERT-v1-330M": _MERT_330M,
}
"""Of hub ids, so that nothing is fetched for an estimate."""


@dataclass(frozen=True)
class MemoryEstimate:
    """Bytes that training keeps on a GPU at its peak.

    Attributes
    ----------
    n_parameters, n_trained : count
    weights, gradients, optimizer, average : bytes
    half_weights : bytes, copies of the weights in half precision; 0 in full precision
    activations : bytes, of the whole batch
    """

    n_parameters: int
    n_trained: int
    weights: int
    gradients: int
    optimizer: int
    average: int
    half_weights: int
    activations: int

    @property
    def total_gb(self) -> float:
        """GB, with what the libraries take."""
        return sum(bytes_ for _, bytes_ in self.parts()) / GB + LIBRARIES_GB

    def parts(self) -> list[tuple[str, int]]:
        """Name and bytes of every part."""
        return [
            ("weights", self.weights),
            ("gradients", self.gradients),
            ("AdamW's moments", self.optimizer),
            ("averaged weights", self.average),
            ("weights in half precision", self.half_weights),
            ("activations", self.activations),
        ]


def memory_of(config: ExperimentConfig) -> MemoryEstimate:
    """The memory that an experiment is expected to need on one GPU."""
    arguments = network_arguments(config)
    mert = arguments["mert"]
    if mert is not None:
        mert = arguments["mert"] = {
            **mert,
            "checkpoint": ARCHITECTURES.get(mert["checkpoint"], mert["checkpoint"]),
        }
    is_half = config.training.precision != "32-true"
    network = build_network(**arguments)
    n = sum(p.numel() for p in network.parameters())
    trained = sum(p.numel() for p in network.parameters() if p.requires_grad)
    saved = _saved_by_autograd(network, config.data.window_sec, is_half=is_half)
    if mert is not None and mert["gradient_checkpointing"] and mert["trainable"] != "none":
        whole = build_network(**{**arguments, "mert": {**mert, "gradient_checkpointing": False}})
        saved_whole = _saved_by_autograd(whole, config.data.window_sec, is_half=is_half)
        saved = _with_checkpointing(network, config.data.window_sec, saved, saved_whole)
    return MemoryEstimate(
        n_parameters=n,
        n_trained=trained,
        weights=_FLOAT * n,
        gradients=_FLOAT * trained,
        optimizer=2 * _FLOAT * trained,
        average=_FLOAT * n,
        half_weights=n * _FLOAT // 2 if is_half else 0,
        activations=config.data.batch_size * saved,
    )


def memory_table(estimate: MemoryEstimate) -> str:
    """The parts of an estimate, a line each."""
    millions = [count / 1e6 for count in (estimate.n_parameters, estimate.n_trained)]
    lines = ["{:.1f} million parameters, {:.1f} million trained".format(*millions)]
    lines += [f"{name:28s}{bytes_ / GB:8.2f} GB" for name, bytes_ in estimate.parts()]
    lines.append(f"{'libraries, by experience':28s}{LIBRARIES_GB:8.2f} GB")
    lines.append(f"{'expected, not measured':28s}{estimate.total_gb:8.2f} GB")
    return "\n".join(lines)


def _with_checkpointing(network: PerformanceNetwork, window_sec: float, saved: int, saved_whole: int) -> int:
    """Bytes a window: inputs of the checkpointed layers, and one layer that is computed again."""
    layers = list(network.audio_encoder.get_submodule("backbone.encoder.layers").children())
    trained = sum(any(p.requires_grad for p in layer.parameters()) for layer in layers)
    frames = int(window_sec * SAMPLE_RATE_HZ) // network.audio_encoder.clock.hop_samples
    inputs = trained * frames * network.audio_encoder.output_size * _FLOAT
    return saved + inputs + max(0, saved_whole - saved) // trained


def _saved_by_autograd(network: PerformanceNetwork, window_sec: float, *, is_half: bool) -> int:
    """Bytes that autograd keeps of a forward pass over one window, without the weights."""
    weights = {p.untyped_storage().data_ptr() for p in network.state_dict(keep_vars=True).values()}
    saved: dict[int, int] = {}

    def pack(tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            saved[storage.data_ptr()] = storage.nbytes()
        return tensor

    network.train()
    with (
        torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor),
        torch.autocast("cpu", torch.bfloat16, enabled=is_half),
    ):
        output = network(_one_window(network, window_sec))
    del output
    return sum(saved.values())


def _one_window(network: PerformanceNetwork, window_sec: float) -> PerformanceBatch:
    samples, notes = int(window_sec * SAMPLE_RATE_HZ), int(window_sec * NOTES_A_SECOND)
    draw = torch.Generator().manual_seed(0)
    onset = torch.linspace(0.0, window_sec, notes)
    n_features = network.midi_encoder.standardiser.n
    return PerformanceBatch(
        waveform=0.1 * torch.randn(1, samples, generator=draw),
        waveform_samples=torch.tensor([samples]),
        level_db=torch.tensor([-20.0]),
        audio_start_sec=torch.zeros(1),
        midi_tokens=torch.full((1, notes, 8), 2),
        note_features=torch.zeros(1, notes, n_features),
        note_time_sec=torch.stack([onset, onset + 0.3], dim=-1)[None],
        midi_mask=torch.ones(1, notes, dtype=torch.bool),
        statistics=torch.zeros(1, network.head.standardiser.n),
    )
