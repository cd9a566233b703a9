"""The most probable intervals of every key, from the weights of all that are possible.

A key is silent or sounds in intervals that do not overlap (semi-Markov conditional random field, Yan et al.
2021). The best set of intervals is found from the last frame backwards; silence weighs nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from tocco.units import FloatArray, IntArray


@dataclass(frozen=True, eq=False)
class Intervals:
    """Chosen intervals, ordered by key and by time.

    Attributes
    ----------
    key : (N,) index of the key
    begin, end : (N,) first and last frame
    weight : (N,) log odds of the interval against silence in its place
    """

    key: IntArray
    begin: IntArray
    end: IntArray
    weight: FloatArray

    def __len__(self) -> int:
        return len(self.key)


def best_intervals(ahead: Tensor, alone: Tensor) -> Intervals:
    """The set of intervals of the greatest total weight.

    Parameters
    ----------
    ahead : (K, T, T) weight, by frame of its length, of an interval from a frame to a later one
    alone : (K, T) weight of an interval of one frame
    """
    n_frames = alone.shape[1]
    length = torch.arange(n_frames, device=ahead.device, dtype=ahead.dtype)
    later = length[None, :] > length[:, None]
    may_sound = ((ahead > 0) & later).any(dim=2).any(dim=1) | (alone > 0).any(dim=1)
    keys = torch.nonzero(may_sound)[:, 0]
    ahead, alone = ahead[keys], alone[keys]
    chosen = _choices(ahead, alone, length)
    is_single = (alone > 0).tolist()
    found = [
        (k, *interval)
        for k, (choice, single) in enumerate(zip(chosen.tolist(), is_single, strict=True))
        for interval in _walk(choice, single)
    ]
    if not found:
        nothing = torch.zeros(0, dtype=torch.long).numpy()
        return Intervals(nothing, nothing, nothing, torch.zeros(0).numpy())
    key, begin, end = torch.tensor(found, device=ahead.device).T
    span = end - begin
    weight = torch.where(span > 0, ahead[key, begin, end] * span, alone[key, begin])
    return Intervals(*(part.cpu().numpy() for part in (keys[key], begin, end, weight)))


def _choices(ahead: Tensor, alone: Tensor, length: Tensor) -> Tensor:
    """(K, T) the frame to which the best interval from each frame lasts; -1 where silence is better."""
    n_keys, n_frames = alone.shape
    single = alone.clamp_min(0.0)
    best = torch.zeros_like(alone)
    chosen = torch.full((n_keys, n_frames), -1, device=alone.device)
    best[:, -1] = single[:, -1]
    for frame in range(n_frames - 2, -1, -1):
        to_end = torch.addcmul(
            best[:, frame + 1 :], ahead[:, frame, frame + 1 :], length[1 : n_frames - frame]
        )
        value, at = to_end.max(dim=1)
        silent = best[:, frame + 1]
        chosen[:, frame] = torch.where(value > silent, at + frame + 1, -1)
        best[:, frame] = torch.maximum(value, silent) + single[:, frame]
    return chosen


def _walk(chosen: list[int], is_single: list[bool]) -> list[tuple[int, int]]:
    """The intervals along one key's best path."""
    found, at, last = [], 0, len(chosen) - 1
    while at < last:
        if is_single[at]:
            found.append((at, at))
        if chosen[at] < 0:
            at += 1
        else:
            found.append((at, chosen[at]))
            at = chosen[at]
    if is_single[last]:
        found.append((last, last))
    return found
