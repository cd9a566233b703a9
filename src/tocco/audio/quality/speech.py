"""Speech in a recording: the probability of each 32 ms, as the blocks pass."""

from __future__ import annotations

from typing import Final

import numpy as np

from tocco.units import SAMPLE_RATE_HZ, FloatArray

SPEECH_RATE_HZ: Final = 16_000
SPEECH_FRAME_SEC: Final = 0.032


class SpeechDetector:
    """Voice activity (Silero VAD) of a stream.

    One second of 31 frames costs about three thousandths of a second on one core; nothing is kept but
    the recurrent state.
    """

    def __init__(self) -> None:
        import soxr
        import torch

        from tocco.audio.quality.speech_network import CONTEXT_SAMPLES, load_speech_network, silent_state

        self._torch = torch
        self._network = load_speech_network()
        self._state = silent_state()
        self._resampler = soxr.ResampleStream(
            SAMPLE_RATE_HZ, SPEECH_RATE_HZ, 1, dtype="float32", quality="MQ"
        )
        self._context = np.zeros(CONTEXT_SAMPLES, np.float32)
        self._rest = np.zeros(0, np.float32)

    def add(self, block: FloatArray, *, last: bool = False) -> FloatArray:
        """Probability of speech in the frames that this block completes.

        Parameters
        ----------
        block : (S,) mono at 24 kHz
        last : whether the recording ends with it; its last frame is then filled up with silence

        Returns
        -------
        (T,) 0..1
        """
        from tocco.audio.quality.speech_network import CONTEXT_SAMPLES, FRAME_SAMPLES

        resampled = self._resampler.resample_chunk(np.asarray(block, np.float32), last=last)
        samples = np.concatenate([self._rest, resampled])
        if last and len(samples) % FRAME_SAMPLES:
            samples = np.pad(samples, (0, FRAME_SAMPLES - len(samples) % FRAME_SAMPLES))
        n_frames = len(samples) // FRAME_SAMPLES
        self._rest = samples[n_frames * FRAME_SAMPLES :].copy()
        if n_frames == 0:
            return np.zeros(0)
        frames = samples[: n_frames * FRAME_SAMPLES].reshape(n_frames, FRAME_SAMPLES)
        contexts = np.concatenate([self._context[None], frames[:-1, -CONTEXT_SAMPLES:]])
        self._context = frames[-1, -CONTEXT_SAMPLES:].copy()
        with self._torch.inference_mode():
            joined = self._torch.from_numpy(np.concatenate([contexts, frames], axis=1))
            probability, self._state = self._network(joined, self._state)
        return probability.numpy().astype(float)
