"""A tiny MERT checkpoint in the hub's layout, as the tests of the encoder and of its files need it."""

from __future__ import annotations

import json
from pathlib import Path

import torch

H, N_LAYERS, FFN, GROUPS, KERNEL, CONV = 24, 3, 40, 4, 16, 8
KERNELS, STRIDES = [10, 3, 3, 3, 3, 2, 2], [5, 2, 2, 2, 2, 2, 2]
CONFIG = {
    "architectures": ["MERTModel"],
    "auto_map": {"AutoModel": "modeling_MERT.MERTModel"},
    "attention_relax": -1.0,
    "deepnorm": False,
    "feature_extractor_cqt": False,
    "hidden_size": H,
    "num_hidden_layers": N_LAYERS,
    "num_attention_heads": 4,
    "intermediate_size": FFN,
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
    "conv_dim": [CONV] * 7,
    "conv_stride": STRIDES,
    "conv_kernel": KERNELS,
    "conv_bias": False,
    "num_conv_pos_embeddings": KERNEL,
    "num_conv_pos_embedding_groups": GROUPS,
    "feat_extract_norm": "group",
    "feat_extract_activation": "gelu",
    "feat_proj_layer_norm": True,
    "do_stable_layer_norm": False,
}
Tensors = dict[str, torch.Tensor]


def mert_tensors() -> Tensors:
    """The 211-tensor layout of the hub's MERT-v1-95M, at a small size."""
    g = torch.Generator().manual_seed(3)

    def draw(*shape: int, scale: float = 0.15, centre: float = 0.0) -> torch.Tensor:
        return centre + scale * torch.randn(*shape, generator=g)

    def pair(name: str, out: int, into: int | None) -> Tensors:
        weight = draw(out, centre=1.0) if into is None else draw(out, into)
        return {f"{name}.weight": weight, f"{name}.bias": draw(out)}

    t: Tensors = {"masked_spec_embed": draw(H)}
    for i, kernel in enumerate(KERNELS):
        t[f"feature_extractor.conv_layers.{i}.conv.weight"] = draw(
            CONV, 1 if i == 0 else CONV, kernel, scale=0.4
        )
    t |= pair("feature_extractor.conv_layers.0.layer_norm", CONV, None)
    t |= pair("feature_projection.layer_norm", CONV, None) | pair("feature_projection.projection", H, CONV)
    t["encoder.pos_conv_embed.conv.bias"] = draw(H)
    t["encoder.pos_conv_embed.conv.weight_g"] = draw(1, 1, KERNEL, scale=0.3, centre=1.0)
    t["encoder.pos_conv_embed.conv.weight_v"] = draw(H, H // GROUPS, KERNEL)
    t |= pair("encoder.layer_norm", H, None)
    for i in range(N_LAYERS):
        layer = f"encoder.layers.{i}"
        for name in ("k_proj", "v_proj", "q_proj", "out_proj"):
            t |= pair(f"{layer}.attention.{name}", H, H)
        t |= pair(f"{layer}.layer_norm", H, None) | pair(f"{layer}.final_layer_norm", H, None)
        t |= pair(f"{layer}.feed_forward.intermediate_dense", FFN, H)
        t |= pair(f"{layer}.feed_forward.output_dense", H, FFN)
    return t


def write_checkpoint(folder: Path, tensors: Tensors, **config: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(CONFIG | config))
    torch.save(tensors, folder / "pytorch_model.bin")
    return folder
