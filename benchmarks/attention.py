"""How even the network's attention is, what it goes with, and what masking it changes.

    python benchmarks/attention.py FILE|FOLDER... -o results/attention/attention.json

Each performance (paired as `tocco assess` pairs files, MIDI alone is rendered) is cut into the windows of
an assessment. Measured of each window:

- evenness: effective number of frames of the mean head, as a share of all (1 = even)
- least and greatest share of a second, relative to an even share
- Spearman correlation over the seconds with the onsets in them, with the level of the sound, and with the
  distance from the middle of the window
- points by which the network's ratings change, mean of its rated targets, if (a) attention is made even,
  (b) the three most attended seconds are masked (silence, no notes; the statistics stay), (c) three seconds
  at random are masked, mean of four draws; beside these, if what was attended is left out altogether, and if
  all seconds are masked

Rule, written down before the run: attention says what matters to the ratings if (b) is at least 1.5 times
(c).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.stats import spearmanr

from tocco.audio.processing import segment_bounds, stream_audio
from tocco.data.batching import collate_windows
from tocco.data.pairing import TakeFiles, given_takes
from tocco.data.preparation import WindowInputs, cut_windows, symbolic_inputs
from tocco.data.sources import open_sources
from tocco.files import write_bytes
from tocco.inference.attention import evenness
from tocco.inference.bundle import Bundle, load_bundle
from tocco.inference.music_span import music_span
from tocco.inference.rating import MIN_STRUCK_NOTES
from tocco.inference.windows import stream_windows
from tocco.models.network import PerformanceBatch, PerformanceNetwork
from tocco.units import SAMPLE_RATE_HZ, BoolArray, FloatArray, amplitude_from_db

MASKED_SEC = 3
N_DRAWS = 4
NEEDED_RATIO = 1.5


def windows_of(take: TakeFiles, bundle: Bundle) -> Iterator[PerformanceBatch]:
    """The windows of a performance that are rated, each as a batch of one."""
    with open_sources(take.audio, take.midi, take.score, origin=take.origin) as sources:
        start, end = music_span(sources.performance, sources.description.duration_sec)
        bounds = start + segment_bounds(end - start, bundle.config.window_sec, bundle.config.overlap)
        gain = np.float32(amplitude_from_db(sources.gain_db))
        sound = stream_windows(stream_audio(sources.sound), bounds, SAMPLE_RATE_HZ)
        cut = cut_windows(sources.performance, sources.alignment, bounds)
        for waveform, (performance, alignment) in zip(sound, cut, strict=True):
            inputs = symbolic_inputs(performance, alignment)
            if inputs.n_struck >= MIN_STRUCK_NOTES:
                yield collate_windows([WindowInputs(waveform * gain, sources.level_db, inputs)])


def ratings(network: PerformanceNetwork, batch: PerformanceBatch, rated: BoolArray) -> FloatArray:
    """(D,) of the targets that the network was trained on."""
    return network(batch).rating[0].numpy()[rated]


def masked(batch: PerformanceBatch, seconds: FloatArray) -> PerformanceBatch:
    """The window with silence and without notes in these whole seconds."""
    second_of_sample = torch.arange(batch.waveform.shape[1]) // SAMPLE_RATE_HZ
    second_of_note = batch.note_time_sec[0, :, 0].floor()
    hidden = torch.tensor(seconds)
    waveform = batch.waveform * ~torch.isin(second_of_sample, hidden)
    return replace(batch, waveform=waveform, midi_mask=batch.midi_mask & ~torch.isin(second_of_note, hidden))


def with_zeros(
    network: PerformanceNetwork, weight: torch.Tensor, batch: PerformanceBatch, rated: BoolArray
) -> FloatArray:
    """The ratings with a weight of the network set to 0."""
    learned = weight.clone()
    weight.zero_()
    try:
        return ratings(network, batch, rated)
    finally:
        weight.copy_(learned)


def measure(
    network: PerformanceNetwork, batch: PerformanceBatch, rated: BoolArray, rng: np.random.Generator
) -> dict[str, float] | None:
    """The figures of one window; None where it has fewer whole seconds than are masked."""
    output = network(batch)
    real = ~torch.isnan(output.attention_time_sec[0])
    weight = output.attention[0][:, real].numpy().astype(float).mean(axis=0)
    second = np.floor(output.attention_time_sec[0][real].numpy()).astype(int)
    n = int(batch.waveform_samples[0]) // SAMPLE_RATE_HZ
    if n <= 2 * MASKED_SEC:
        return None
    relative = weight * len(weight)
    share = np.array([relative[second == s].mean() for s in range(n)])
    sound = batch.waveform[0, : n * SAMPLE_RATE_HZ].reshape(n, -1).square().mean(1).numpy()
    onset = batch.note_time_sec[0, batch.midi_mask[0], 0].floor().numpy()
    before = output.rating[0].numpy()[rated]

    def change(after: FloatArray) -> float:
        return float(np.abs(after - before).mean())

    draws = [rng.choice(n, MASKED_SEC, replace=False) for _ in range(N_DRAWS)]
    return {
        "evenness": evenness(weight),
        "least_share": float(share.min()),
        "greatest_share": float(share.max()),
        "rank_correlation_onsets": _rank(share, np.array([(onset == s).sum() for s in range(n)])),
        "rank_correlation_level": _rank(share, sound),
        "rank_correlation_distance_from_middle": _rank(share, np.abs(np.arange(n) - (n - 1) / 2)),
        # Of a query of zeros all logits are zero, so every frame has the same attention.
        "change_even_attention": change(with_zeros(network, network.aggregator.query, batch, rated)),
        "change_without_attended": change(with_zeros(network, network.aggregator.gate, batch, rated)),
        "change_all_masked": change(ratings(network, masked(batch, np.arange(n + 1)), rated)),
        "change_attended_masked": change(
            ratings(network, masked(batch, np.argsort(-share)[:MASKED_SEC]), rated)
        ),
        "change_random_masked": float(
            np.mean([change(ratings(network, masked(batch, draw), rated)) for draw in draws])
        ),
    }


def _rank(a: FloatArray, b: FloatArray) -> float:
    return float(spearmanr(a, b).statistic) if len(set(b.tolist())) > 1 else float("nan")


@torch.inference_mode()
def study(takes: tuple[TakeFiles, ...], bundle: Bundle, rng: np.random.Generator) -> dict[str, object]:
    """The figures of all windows: means over performances, with a bootstrap interval of the ratio."""
    rated = np.array([name in bundle.config.rated for name in bundle.network.dimensions])
    by_take = []
    for take in takes:
        windows = [measure(bundle.network, batch, rated, rng) for batch in windows_of(take, bundle)]
        found = [one for one in windows if one is not None]
        if found:
            by_take.append({name: float(np.nanmean([one[name] for one in found])) for name in found[0]})
            print(f"{take.id}: {len(found)} windows", flush=True)
    table = {name: np.array([one[name] for one in by_take]) for name in by_take[0]}
    attended, drawn = table["change_attended_masked"], table["change_random_masked"]
    again = rng.integers(0, len(attended), (2000, len(attended)))
    low, high = np.quantile(attended[again].mean(axis=1) / drawn[again].mean(axis=1), (0.05, 0.95))
    ratio = float(attended.mean() / drawn.mean())
    return {
        "bundle": f"{bundle.config.name} {bundle.config.version}",
        "n_performances": len(by_take),
        "means": {name: round(float(np.nanmean(values)), 6) for name, values in table.items()},
        "attended_over_random": round(ratio, 3),
        "attended_over_random_90": [round(float(low), 3), round(float(high), 3)],
        "needed": NEEDED_RATIO,
        "carries_what_matters": ratio >= NEEDED_RATIO,
    }


def main() -> None:
    """Measure, and write the figures."""
    parser = argparse.ArgumentParser(description="Whether the network's attention carries anything.")
    parser.add_argument("files", type=Path, nargs="+", help="as for `tocco assess`")
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--seed", type=int, default=21)
    parser.add_argument("-o", "--output", type=Path, required=True, help="JSON")
    options = parser.parse_args()
    takes = given_takes(options.files).takes
    found = study(takes, load_bundle(options.bundle), np.random.default_rng(options.seed))
    write_bytes(options.output, (json.dumps(found, indent=2) + "\n").encode())
    print(json.dumps(found, indent=2))


if __name__ == "__main__":
    main()
