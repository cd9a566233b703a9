"""Settings of earlier releases in the shape of this one.

An earlier file has `loading` and `augmentation` beside `data`, and `training` holds optimiser, scheduler and
checkpoints in one flat block. Bundles and run folders keep such files.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_MOVED: Final[Mapping[str, str]] = {
    "augmentation": "data.augmentation",
    "loading.workers": "data.num_workers",
    "loading.prefetch": "data.prefetch",
    "loading.persistent_workers": "data.persistent_workers",
    "loading.pin_memory": "data.pin_memory",
    "training.backbone_lr": "training.optimizer.backbone_lr",
    "training.heads_lr": "training.optimizer.heads_lr",
    "training.weight_decay": "training.optimizer.weight_decay",
    "training.min_lr": "training.scheduler.min_lr",
    "training.warmup_steps": "training.scheduler.warmup_steps",
    "training.checkpoint_every_steps": "callbacks.checkpoint.every_steps",
}
"""Key of an earlier release -> key of this one."""


def migrated(values: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Settings in the present shape, and the earlier keys that were found.

    A bundle's `config.yaml` is read as well: the settings of its network are in `training.settings`.

    Examples
    --------
    >>> migrated({"training": {"heads_lr": 0.001, "seed": 1}})
    ({'training': {'seed': 1, 'optimizer': {'heads_lr': 0.001}}}, ('training.heads_lr',))
    """
    result = _copied(_settings_of_bundle(values))
    found = [old for old in _MOVED if _has(result, old)]
    for old in found:
        set_key(result, _MOVED[old], _taken(result, old))
    if _has(result, "model.mert_checkpoint"):
        _name_checkpoint(result["model"])
        found.append("model.mert_checkpoint")
    if result.get("loading") == {}:
        del result["loading"]
    return result, tuple(found)


def merged(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of `above` on top of those of `below`, block by block."""
    result = dict(below)
    for key, value in above.items():
        earlier = result.get(key)
        if isinstance(earlier, Mapping) and isinstance(value, Mapping):
            result[key] = merged(earlier, value)
        else:
            result[key] = value
    return result


def set_key(values: dict[str, Any], key: str, value: object) -> None:
    """Set a dotted key; blocks on the way are made, and take the place of what is no block."""
    *parents, last = key.split(".")
    for parent in parents:
        if not isinstance(values.get(parent), dict):
            values[parent] = {}
        values = values[parent]
    values[last] = value


def _settings_of_bundle(values: Mapping[str, Any]) -> Mapping[str, Any]:
    training = values.get("training")
    if "octuple_vocabulary" in values and isinstance(training, Mapping):
        settings = training.get("settings")
        if isinstance(settings, Mapping):
            return settings
    return values


def _taken(values: dict[str, Any], key: str) -> Any:
    *parents, last = key.split(".")
    for parent in parents:
        values = values[parent]
    return values.pop(last)


def _name_checkpoint(model: dict[str, Any]) -> None:
    """The checkpoint has become the name of the encoder; one beside another encoder is left, as unknown."""
    if model["mert_checkpoint"] is None:
        del model["mert_checkpoint"]
    elif model.get("audio_encoder") == "mert":
        model["audio_encoder"] = model.pop("mert_checkpoint")


def _has(values: Mapping[str, Any], key: str) -> bool:
    *parents, last = key.split(".")
    for parent in parents:
        block = values.get(parent)
        if not isinstance(block, Mapping):
            return False
        values = block
    return last in values


def _copied(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _copied(value) if isinstance(value, Mapping) else value for key, value in values.items()}
