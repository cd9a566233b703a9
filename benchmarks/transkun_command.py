"""transkun as a command: `python benchmarks/transkun_command.py AUDIO MIDI`, for `--transcriber`.

The model, its weights and its decoding are transkun's own (Yan and Duan 2024, MIT; weights trained on
MAESTRO, CC BY-NC-SA 4.0). What differs is the way to them: its package needs torchaudio for a table that its
weights hold as well, and reads its weights with an unsafe load. Here they are read as tensors alone and
strictly, attention runs on four axes instead of five, for which torch has a fused kernel, and the path
through the intervals is searched without permuting their weights. The notes are the same to the rounding of
single precision: `--compare` shows it.

Needs an environment of its own, since transkun pins nothing and asks for much:

    python -m venv transkun && transkun/bin/pip install torch==2.13.0 transkun==2.0.1 --no-deps
    transkun/bin/pip install numpy scipy ncls pretty_midi tqdm moduleconf soundfile soxr
"""

from __future__ import annotations

import argparse
import sys
import time
import types
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch


def _stand_in() -> None:
    """Put modules in the place of two that transkun imports and, to transcribe, does not need."""
    torchaudio, functional = types.ModuleType("torchaudio"), types.ModuleType("torchaudio.functional")
    evaluation = types.ModuleType("transkun.Evaluation")

    def melscale_fbanks(n_freqs: int, n_mels: int, **_: float) -> torch.Tensor:
        return torch.full((n_freqs, n_mels), torch.nan)

    functional.melscale_fbanks = melscale_fbanks  # type: ignore[attr-defined]
    torchaudio.functional = functional  # type: ignore[attr-defined]
    sys.modules.update({module.__name__: module for module in (torchaudio, functional, evaluation)})


class _Paths:
    """What transkun asks of its semi-CRF: the best path of every key, from the weights of its intervals.

    Parameters
    ----------
    ahead : (P, T, T) weight, by its length, of an interval from a frame (second axis) to a later one (third)
    alone : (P, T) weight of an interval of one frame
    """

    def __init__(self, ahead: torch.Tensor, alone: torch.Tensor) -> None:
        self._ahead, self._alone = ahead, alone

    def decode(  # as transkun calls it
        self,
        forcedStartPos: list[int],  # noqa: N803
        forward: bool = False,
    ) -> list[list[tuple[int, int]]]:
        """The intervals of each key, from a frame on."""
        if forward:
            raise ValueError("only the search from the end is asked for")
        n_keys, n_frames = self._alone.shape
        single = self._alone.clamp_min(0.0)
        best = torch.zeros(n_keys, n_frames)
        best[:, -1] = single[:, -1]
        chosen = torch.full((n_keys, n_frames), -1)
        distance = torch.arange(1, n_frames, dtype=torch.float32)
        for frame in range(n_frames - 2, -1, -1):
            length = n_frames - 1 - frame
            to_end = torch.addcmul(
                best[:, frame + 1 :], self._ahead[:, frame, frame + 1 :], distance[:length]
            )
            value, at = to_end.max(dim=1)
            skip = best[:, frame + 1]
            chosen[:, frame] = torch.where(value > skip, at + frame + 1, -1)
            best[:, frame] = torch.maximum(value, skip) + single[:, frame]
        is_single = (self._alone > 0.0).tolist()
        return [
            _walk(chosen_of, single_of, start)
            for chosen_of, single_of, start in zip(chosen.tolist(), is_single, forcedStartPos, strict=True)
        ]


def _walk(chosen: list[int], is_single: list[bool], start: int) -> list[tuple[int, int]]:
    """The intervals along one key's best path."""
    found, at, last = [], start, len(chosen) - 1
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


def load_model(*, is_fast: bool = True) -> torch.nn.Module:
    """Load transkun 2.0 with its weights, every one of them."""
    _stand_in()
    import moduleconf
    import transkun
    from transkun import LayersTransformer, ModelTransformer

    folder = Path(transkun.__file__).parent / "pretrained"
    config = moduleconf.parseFromFile(str(folder / "2.0.conf"))["Model"].config
    model = ModelTransformer.TransKun(conf=config)
    kept = torch.load(folder / "2.0.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(kept["state_dict"], strict=True)
    model.backbone.useGradientCheckpoint = False
    if is_fast:
        LayersTransformer.MultiHeadAttentionKernel.forward = _attend
        model.processFramesBatch = types.MethodType(_weighed_frames, model)
    return model.eval()


def _attend(self: torch.nn.Module, query: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """Attend as transkun does, with all leading axes as one, and keys and values in one product."""
    asked = (query.flatten(0, -3).contiguous() @ self.q_proj_weight).unflatten(
        -1, (self.num_heads, self.head_dim)
    )
    both = torch.cat((self.k_proj_weight, self.v_proj_weight), dim=1)
    given = (key.flatten(0, -3).contiguous() @ both).unflatten(-1, (2, self.num_heads, self.head_dim))
    heads = (asked.transpose(1, 2), *given.permute(2, 0, 3, 1, 4))
    fetched = torch.nn.functional.scaled_dot_product_attention(*heads)
    return self.out_proj(fetched.transpose(1, 2).flatten(-2, -1)).unflatten(0, query.shape[:-2])


def _weighed_frames(self: torch.nn.Module, frames: torch.Tensor) -> tuple[_Paths, torch.Tensor]:
    """Weigh all intervals of one window as transkun does, in the order that its network gives them."""
    mean = torch.mean(frames, dim=[1, 2, 3], keepdim=True)
    deviation = torch.std(frames, dim=[1, 2, 3], keepdim=True)
    features = self.framewiseFeatureExtractor((frames - mean) / (deviation + 1e-8)).contiguous()
    features = features.view(len(frames), *features.shape[-3:])
    context = self.backbone(features, outputIndices=torch.tensor(self.targetMIDIPitch))
    if len(context) != 1 or self.scorer.lengthScaling != "linear":
        raise ValueError("one window at a time, whose intervals are weighed by their length")
    size = self.scorer.size * self.scorer.expansionFactor
    end, begin, alone = self.scorer.map(context[0]).split([size, size, 1], dim=-1)
    ahead = begin @ (end / size**0.5).transpose(1, 2)
    return _Paths(ahead, alone.squeeze(-1)), context


def transcribe(model: torch.nn.Module, audio: Path, segment_sec: float, hop_sec: float) -> list:
    """Notes and pedals of a recording, mixed to one channel."""
    samples, rate_hz = soundfile.read(audio, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate_hz, model.fs).astype(np.float32)
    with torch.inference_mode():
        return model.transcribe(
            torch.from_numpy(mono[:, None]), stepInSecond=hop_sec, segmentSizeInSecond=segment_sec
        )


def _compare(audio: Path, options: argparse.Namespace) -> None:
    """Print how far the notes lie from those of transkun's own code."""
    found = {}
    for is_fast in (False, True):  # transkun's attention first: the fast one stays in its place
        model, start = load_model(is_fast=is_fast), time.perf_counter()
        notes = transcribe(model, audio, options.segmentSize, options.segmentHopSize)
        found[is_fast] = sorted((n.pitch, n.start, n.end, n.velocity) for n in notes)
        print(
            f"{'here' if is_fast else 'transkun'}: {len(notes)} events, {time.perf_counter() - start:.1f} s"
        )
    own, here = (np.array(found[is_fast]) for is_fast in (False, True))
    if not len(own) or own.shape != here.shape or not np.array_equal(own[:, 0], here[:, 0]):
        sys.exit("other notes")
    apart = np.abs(own - here).max(axis=0)
    print(f"same keys; at most {1000 * apart[1:3].max():.3f} ms and {apart[3]:.0f} velocity steps apart")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Audio to MIDI by transkun 2.0.")
    parser.add_argument("audio", type=Path)
    parser.add_argument("midi", type=Path, nargs="?")
    parser.add_argument("--segmentSize", type=float, default=16.0, help="seconds")
    parser.add_argument("--segmentHopSize", type=float, default=8.0, help="seconds")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compare", action="store_true", help="with transkun's own code, instead of writing")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    if options.compare:
        _compare(options.audio, options)
        return
    if options.midi is None:
        parser.error("the MIDI to write is missing")
    model = load_model()
    from transkun.Data import writeMidi

    notes = transcribe(model, options.audio, options.segmentSize, options.segmentHopSize)
    writeMidi(notes).write(str(options.midi))


if __name__ == "__main__":
    main()
