"""Whether notes stay with their sound when a recording is changed: `python benchmarks/triple_agreement.py`.

The bundled example is rendered, changed by each effect of `tocco.audio.augmentation` alone, and laid against
its own changed MIDI by `align_midi_to_audio`, which knows nothing of the effect. Beside it, as a control, the
MIDI as it was before: what training would see if only the sound were changed. The unchanged recording gives
the latency of the instrument, which is taken off.
"""

from __future__ import annotations

import argparse
from importlib import resources
from pathlib import Path

import numpy as np

from tocco.audio.augmentation import EFFECTS, AugmentationConfig, Triple, augment_triple
from tocco.audio.rendering import FluidSynthRenderer
from tocco.errors import MismatchError
from tocco.files import write_bytes
from tocco.music.midi import load_midi
from tocco.music.performance import Performance
from tocco.music.synchrony import Synchrony, align_midi_to_audio
from tocco.units import FloatArray

MS = 1000.0


def main() -> None:
    """Print and keep the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("-o", "--output", type=Path, default=Path("results/augmentation"))
    parser.add_argument("--seeds", type=int, default=3)
    options = parser.parse_args()
    example = Path(str(resources.files("tocco"))) / "examples" / "petzold_minuet" / "minuet.mid"
    performance = load_midi(example)
    with FluidSynthRenderer() as renderer:
        triple = Triple(renderer.render(performance), performance)
    still = align_midi_to_audio(performance, triple.audio)
    lines = [
        f"{'effect':22s} {'seeds':>5s}  {'largest error at any note':>26s}  {'MIDI left as it was':>26s}",
        *(row(name, triple, still, options.seeds) for name in EFFECTS),
    ]
    table = "\n".join(lines) + "\n"
    print(table, end="")
    options.output.mkdir(parents=True, exist_ok=True)
    write_bytes(options.output / "agreement.txt", table.encode())


def row(name: str, triple: Triple, still: Synchrony, seeds: int) -> str:
    """The worst of the seeds: milliseconds that the fitted clock is off at the farthest note."""
    moved, control = [], []
    for seed in range(seeds):
        heard = augment_triple(triple, AugmentationConfig.only(name), np.random.default_rng(seed)).triple
        moved.append(error_ms(heard.performance, heard.audio, still))
        control.append(error_ms(triple.performance, heard.audio, still))
    return f"{name:22s} {seeds:5d}  {worst(moved):>26s}  {worst(control):>26s}"


def error_ms(performance: Performance, audio: FloatArray, still: Synchrony) -> float:
    """How far the clock of the recording is from that of the MIDI, at worst; nan where they do not belong."""
    try:
        found = align_midi_to_audio(performance, audio)
    except MismatchError:
        return float("nan")
    at = np.array([performance.onset_sec[0], performance.onset_sec[-1]])
    latency = still.offset_sec + still.drift * at
    return float(MS * np.abs(found.offset_sec + found.drift * at - latency).max())


def worst(errors: list[float]) -> str:
    """In words: the largest error, and how many were refused."""
    refused = sum(np.isnan(errors))
    known = [error for error in errors if not np.isnan(error)]
    cells = [f"{max(known):.1f} ms"] if known else []
    return ", ".join([*cells, *([f"{refused} refused"] if refused else [])])


if __name__ == "__main__":
    main()
