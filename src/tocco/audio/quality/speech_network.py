"""The network of Silero VAD, all frames of a block at once.

Silero Team, "Silero VAD: pre-trained enterprise-grade voice activity detector", release 6.2.3, MIT licence
(`silero_vad/LICENSE`). Weights are tensors alone, of the release's 16 kHz model.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import torch
from safetensors.torch import load_file
from torch import Tensor, nn
from torch.nn import functional

from tocco.errors import MissingPartError
from tocco.files import sha256_of

WEIGHTS: Final = Path(__file__).parent / "silero_vad" / "silero_vad_16k.safetensors"
WEIGHTS_SHA256: Final = "c59271c284ae9c8335d795d60e0bfdb71aaaceec578d9bd9ffc1b8153c319ea1"

FRAME_SAMPLES: Final = 512
CONTEXT_SAMPLES: Final = 64
N_HIDDEN: Final = 128
_N_BINS: Final = 129
_RIGHT_PADDING: Final = 64

State = tuple[Tensor, Tensor]


class SpeechNetwork(nn.Module):
    """Probability of speech, frame by frame; only the recurrent layer walks through time."""

    def __init__(self) -> None:
        super().__init__()
        self.stft_conv = nn.Conv1d(1, 2 * _N_BINS, kernel_size=256, stride=128, bias=False)
        self.conv1 = nn.Conv1d(_N_BINS, 128, kernel_size=3, padding=1)
        self.conv2 = nn.Conv1d(128, 64, kernel_size=3, stride=2, padding=1)
        self.conv3 = nn.Conv1d(64, 64, kernel_size=3, stride=2, padding=1)
        self.conv4 = nn.Conv1d(64, N_HIDDEN, kernel_size=3, padding=1)
        self.lstm = nn.LSTM(N_HIDDEN, N_HIDDEN)
        self.final_conv = nn.Conv1d(N_HIDDEN, 1, 1)

    def forward(self, frames: Tensor, state: State) -> tuple[Tensor, State]:
        """Probabilities of consecutive frames, and the state after the last.

        Parameters
        ----------
        frames : (T, CONTEXT_SAMPLES + FRAME_SAMPLES), 16 kHz
            Each led by the last samples of the one before.
        state : two of (1, N_HIDDEN)

        Returns
        -------
        (T,) 0..1, and the state
        """
        padded = functional.pad(frames, (0, _RIGHT_PADDING), mode="reflect")
        spectrum = self.stft_conv(padded[:, None])
        magnitude = (spectrum[:, :_N_BINS].square() + spectrum[:, _N_BINS:].square()).sqrt()
        hidden = self.conv1(magnitude).relu()
        hidden = self.conv2(hidden).relu()
        hidden = self.conv3(hidden).relu()
        hidden = self.conv4(hidden).relu().squeeze(-1)
        hidden, state = self.lstm(hidden, state)
        return self.final_conv(hidden.relu()[..., None]).flatten().sigmoid(), state


def load_speech_network(weights: Path = WEIGHTS) -> SpeechNetwork:
    """The network with its weights, ready to use.

    Raises
    ------
    MissingPartError
        The file of the weights is missing or changed.
    """
    if not weights.is_file() or sha256_of(weights) != WEIGHTS_SHA256:
        raise MissingPartError(
            weights,
            "is missing, or not the file that this release was made with",
            next_step="install tocco again",
        )
    tensors = {
        name.replace("lstm_cell.", "lstm.") + ("_l0" if "lstm_cell" in name else ""): tensor
        for name, tensor in load_file(weights).items()
    }
    network = SpeechNetwork()
    network.load_state_dict(tensors)
    return network.eval().requires_grad_(False)


def silent_state() -> State:
    """The state before the first frame."""
    return torch.zeros(1, N_HIDDEN), torch.zeros(1, N_HIDDEN)
