"""The published weights of transkun 2.0, read as tensors alone from the installed package.

Its own code is neither imported nor run: it needs libraries that transcription does not, and reads its
weights with a loader that can execute code.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Final

import torch

from tocco.audio.transcription.transkun.network import TranskunNetwork
from tocco.errors import MissingPartError
from tocco.files import sha256_of

PACKAGE: Final = "transkun"
WEIGHTS_SHA256: Final = "50a80010effc2a59ffcd068a95cd2b29bd7f23a27a3515bc3ccd209c89a3d44c"
"""Of `pretrained/2.0.pt` in transkun 2.0.1."""

_NEXT_STEP: Final = (
    "run bash setup.sh, or pip install --no-deps transkun==2.0.1; or name a program with --transcriber"
)


def weights_path() -> Path:
    """The file of weights in the installed package.

    Raises
    ------
    MissingPartError
        The package is not installed, or is another release.
    """
    try:
        path = Path(str(distribution(PACKAGE).locate_file("transkun/pretrained/2.0.pt")))
    except PackageNotFoundError:
        raise MissingPartError("the transcriber transkun", "is not installed", next_step=_NEXT_STEP) from None
    if not path.is_file():
        raise MissingPartError("the transcriber transkun", "has no weights 2.0", next_step=_NEXT_STEP)
    return path


def load_network(device: torch.device) -> TranskunNetwork:
    """The network with its weights, every one of them.

    Raises
    ------
    MissingPartError
        The package is not installed, or its weights are not those that are known.
    """
    path = weights_path()
    if sha256_of(path) != WEIGHTS_SHA256:
        raise MissingPartError(
            "the transcriber transkun", f"has other weights than 2.0.1 ({path})", next_step=_NEXT_STEP
        )
    with torch.device("meta"):
        network = TranskunNetwork()
    state = torch.load(path, map_location=device, weights_only=True)["state_dict"]
    network.load_state_dict(state, strict=True, assign=True)
    return network.requires_grad_(False).eval()
