"""transkun's own code as a command: `python benchmarks/transkun_command.py AUDIO MIDI`.

The peer of `benchmarks/transcription.py`: the model, its weights, its windows and its decoding are its own
(Yan and Duan 2024, MIT; weights trained on MAESTRO, CC BY-NC-SA 4.0). Its package needs torchaudio for a
table that its weights hold as well, and reads its weights with an unsafe load; here they are read as tensors
alone and strictly. Needs an environment of its own, since transkun pins nothing and asks for much:

    python -m venv transkun && transkun/bin/pip install torch==2.13.0 transkun==2.0.1 --no-deps
    transkun/bin/pip install numpy scipy ncls pretty_midi tqdm moduleconf soundfile soxr
"""

from __future__ import annotations

import argparse
import sys
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


def load_model() -> torch.nn.Module:
    """Load transkun 2.0 with its weights, every one of them."""
    _stand_in()
    import moduleconf
    import transkun
    from transkun import ModelTransformer

    folder = Path(transkun.__file__).parent / "pretrained"
    config = moduleconf.parseFromFile(str(folder / "2.0.conf"))["Model"].config
    model = ModelTransformer.TransKun(conf=config)
    kept = torch.load(folder / "2.0.pt", map_location="cpu", weights_only=True)
    model.load_state_dict(kept["state_dict"], strict=True)
    return model.eval()


def transcribe(model: torch.nn.Module, audio: Path, segment_sec: float, hop_sec: float) -> list:
    """Notes and pedals of a recording, mixed to one channel."""
    samples, rate_hz = soundfile.read(audio, dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate_hz, model.fs).astype(np.float32)
    with torch.inference_mode():
        return model.transcribe(
            torch.from_numpy(mono[:, None]), stepInSecond=hop_sec, segmentSizeInSecond=segment_sec
        )


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Audio to MIDI by transkun 2.0.")
    parser.add_argument("audio", type=Path)
    parser.add_argument("midi", type=Path)
    parser.add_argument("--segmentSize", type=float, default=16.0, help="seconds")
    parser.add_argument("--segmentHopSize", type=float, default=8.0, help="seconds")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = load_model()
    from transkun.Data import writeMidi

    notes = transcribe(model, options.audio, options.segmentSize, options.segmentHopSize)
    writeMidi(notes).write(str(options.midi))


if __name__ == "__main__":
    main()
