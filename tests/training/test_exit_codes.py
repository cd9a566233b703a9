"""Exit codes of `tocco train` after a signal, as a shell and a queue of jobs read them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import tocco

ROOT = Path(__file__).parents[2]
PATIENCE_SEC = 300.0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("number", "code", "workers"),
    [(signal.SIGINT, 130, 0), (signal.SIGTERM, 143, 0), (signal.SIGTERM, 143, 1)],
)
def test_a_signal_ends_training_with_a_checkpoint_and_its_own_exit_code(
    tiny_labels: Path, tmp_path: Path, number: signal.Signals, code: int, workers: int
) -> None:
    run = tmp_path / "run"
    settings = [
        "data.val_split=0.2",
        "data.test_split=0.2",
        f"data.num_workers={workers}",
        "training.max_epochs=1000",
        "callbacks.checkpoint.every_steps=1",
    ]
    files = ["--config", str(ROOT / "configs" / "tiny.yaml"), "--labels", str(tiny_labels), "-o", str(run)]
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "train.py"), *settings, *files, "--jobs", "1"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(Path(tocco.__file__).parents[1])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        began = time.monotonic()
        checkpoint = run / "split" / "last.ckpt"
        while not checkpoint.is_file():
            assert process.poll() is None, process.communicate()
            assert time.monotonic() - began < PATIENCE_SEC
            time.sleep(0.02)
        process.send_signal(number)
        _, said = process.communicate(timeout=PATIENCE_SEC)
    finally:
        process.kill()
    assert process.returncode == code
    step = torch.load(checkpoint, weights_only=True)["global_step"]
    line = f"{run / 'split'}: stopped by {number.name} after step {step}, which its checkpoint has."
    assert said.strip().splitlines()[-1].endswith(f"{line} Next: run the same command with --resume.")
    assert "Traceback" not in said
    assert not (run / "split" / "model.safetensors").exists()
