import librosa
import numpy as np
import pytest
import torch

from tocco.models.audio_encoder import CompactEncoder, LogMel, frame_level_db, mel_filters, skip_items
from tocco.units import FrameClock


def _tone(frequency_hz: float, seconds: float = 1.0, amplitude: float = 1.0) -> torch.Tensor:
    return amplitude * torch.sin(2 * torch.pi * frequency_hz * torch.arange(round(24_000 * seconds)) / 24_000)


def test_mel_filters_equal_librosa():
    ours = mel_filters(80, 1024, 30.0, 12_000.0, 24_000).numpy()
    theirs = librosa.filters.mel(sr=24_000, n_fft=1024, n_mels=80, fmin=30.0, fmax=12_000.0).T
    np.testing.assert_allclose(ours, theirs, atol=1e-6)
    assert (ours.sum(0) > 0).all()


def test_log_mel_equals_librosa(rng):
    sound = rng.normal(0, 0.1, 24_000).astype(np.float32)
    power = librosa.feature.melspectrogram(
        y=sound, sr=24_000, n_fft=1024, hop_length=320, center=False, n_mels=64, fmin=30.0, fmax=12_000.0
    )
    expected = (10 * np.log10(power.T + 1e-10) + 40) / 20
    np.testing.assert_allclose(LogMel(64)(torch.tensor(sound)[None])[0].numpy(), expected, atol=1e-4)


def test_log_mel_hears_level_in_decibels():
    layer = LogMel(80)
    loud, soft = layer(torch.stack((_tone(440.0), 0.1 * _tone(440.0))))
    peak = int(loud.mean(0).argmax())
    torch.testing.assert_close(loud[:, peak] - soft[:, peak], torch.ones(len(loud)), atol=1e-3, rtol=0)


def test_log_mel_stays_in_single_precision_under_autocast():
    layer, sound = LogMel(32), _tone(300.0)[None]
    with torch.autocast("cpu", torch.bfloat16):
        inside = layer(sound)
    assert inside.dtype == torch.float32
    torch.testing.assert_close(inside, layer(sound))


def test_level_of_a_sine_and_of_silence():
    clock = FrameClock(640, 1344)
    sound = torch.stack((_tone(1000.0, amplitude=0.5), torch.zeros(24_000)))
    level_db = frame_level_db(sound, clock)
    assert level_db.shape == (2, clock.n_frames(24_000))
    torch.testing.assert_close(
        level_db[0], torch.full_like(level_db[0], 20 * np.log10(0.5 / np.sqrt(2))), atol=0.01, rtol=0
    )
    assert (level_db[1] == -80.0).all()


def test_default_size_and_clock():
    ear = CompactEncoder()
    assert 3.0e6 < sum(p.numel() for p in ear.parameters()) < 3.5e6
    assert ear.output_size == 256
    assert ear.clock.rate_hz == 37.5


def test_frames_follow_the_clock():
    ear = CompactEncoder(width=16, depth=1, n_mels=16).eval()
    heard = ear(torch.randn(2, 30_000), torch.tensor([30_000, 10_000]))
    assert heard.features.shape == (2, ear.clock.n_frames(30_000), 16)
    assert heard.mask.sum(1).tolist() == [ear.clock.n_frames(30_000), ear.clock.n_frames(10_000)]
    np.testing.assert_allclose(heard.time_sec.numpy(), ear.clock.centre_sec(heard.mask.shape[1]), rtol=1e-6)


def test_a_click_is_heard_where_the_clock_says():
    ear = CompactEncoder(width=16, depth=0, n_mels=32).eval()
    sound = torch.zeros(2, 48_000)
    sound[1, 24_000] = 1.0
    quiet, click = ear(sound, torch.tensor([48_000, 48_000])).features
    changed = (click - quiet).abs().sum(-1) > 1e-4
    time_sec = ear.clock.centre_sec(len(changed))[changed.numpy()]
    assert abs(time_sec.mean() - 1.0) < ear.clock.hop_samples / 24_000
    assert np.abs(time_sec - 1.0).max() <= ear.clock.window_samples / 2 / 24_000


def test_padding_changes_nothing():
    ear = CompactEncoder(width=32, depth=3, n_mels=32).eval()
    sound = torch.randn(1, 40_000)
    alone = ear(sound, torch.tensor([40_000])).features
    padded = torch.cat((sound, torch.randn(1, 30_000)), dim=1)
    beside = ear(torch.cat((padded, torch.randn(1, 70_000))), torch.tensor([40_000, 70_000]))
    n = alone.shape[1]
    torch.testing.assert_close(beside.features[:1, :n], alone, atol=1e-5, rtol=0)
    assert not beside.features[0, n:].any()


def test_too_short_is_refused():
    ear = CompactEncoder(width=8, depth=1, n_mels=16)
    with pytest.raises(ValueError, match="1000 valid samples; one frame needs 1344"):
        ear(torch.randn(2, 5_000), torch.tensor([5_000, 1_000]))


def test_skipping_keeps_the_mean_and_stops_outside_training():
    step = torch.ones(20_000, 1)
    assert skip_items(step, 0.25, training=False) is step
    skipped = skip_items(step, 0.25, training=True)
    assert sorted(set(skipped[:, 0].tolist())) == pytest.approx([0.0, 4 / 3])
    assert skipped.mean().item() == pytest.approx(1.0, abs=0.02)
