import librosa
import numpy as np
import pytest
import torch
from torch.nn import functional

from tocco.models.audio_encoder import (
    CompactEncoder,
    LogMel,
    centre_times,
    frame_counts,
    frame_level_db,
    length_mask,
    mel_filters,
    skip_items,
)
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


def test_filters_of_other_sizes_equal_librosa():
    for n_mels, n_fft, low, high, rate in (
        (40, 512, 0.0, 8_000.0, 16_000),
        (128, 2048, 55.0, 11_025.0, 22_050),
    ):
        ours = mel_filters(n_mels, n_fft, low, high, rate).numpy()
        theirs = librosa.filters.mel(sr=rate, n_fft=n_fft, n_mels=n_mels, fmin=low, fmax=high).T
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_the_floor_and_the_middle_of_log_mel():
    layer = LogMel(32)
    assert (layer.clock.hop_samples, layer.clock.window_samples) == (320, 1024)
    torch.testing.assert_close(layer(torch.zeros(1, 2_000)), torch.full((1, 4, 32), (-100.0 + 40.0) / 20.0))


def test_level_floor_and_frames():
    clock = FrameClock(hop_samples=100, window_samples=200)
    sound = torch.cat((torch.full((300,), 0.1), torch.zeros(200)))[None]
    level_db = frame_level_db(sound, clock)
    expected = [-20.0, -20.0, -20.0 - 10 * np.log10(2.0), -80.0]
    np.testing.assert_allclose(level_db[0].numpy(), expected, atol=1e-4)
    np.testing.assert_allclose(frame_level_db(sound, clock, -60.0)[0, -1].item(), -60.0, atol=1e-4)
    assert frame_level_db(torch.full((1, 200), 1e-4), clock).item() == pytest.approx(-80.0, abs=1e-4)


def test_whole_frames_are_counted():
    clock = FrameClock(hop_samples=100, window_samples=250)
    samples = torch.tensor([250, 349, 350, 1000])
    assert frame_counts(clock, samples).tolist() == [1, 1, 2, 8]
    with pytest.raises(ValueError, match="an item has 249 valid samples; one frame needs 250"):
        frame_counts(clock, torch.tensor([300, 249]))
    assert length_mask(torch.tensor([0, 2, 3]), 3).tolist() == [
        [False, False, False],
        [True, True, False],
        [True, True, True],
    ]
    like = torch.zeros(1, dtype=torch.float64)
    assert centre_times(FrameClock(2_400, 4_800), 3, like).tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert centre_times(FrameClock(2_400, 4_800), 3, like).dtype == torch.float32


def test_a_block_adds_a_scaled_step_to_what_it_got():
    block = CompactEncoder(width=8, depth=1, n_mels=16).eval().blocks[0]
    assert block.around.weight.shape == (8, 1, 7)
    assert (block.widen.out_features, block.narrow.in_features) == (32, 32)
    assert block.scale.tolist() == pytest.approx([0.1] * 8)
    x, mask = torch.randn(1, 12, 8), torch.ones(1, 12, 1)
    with torch.no_grad():
        padded = functional.pad(x, (0, 0, 3, 3))[0]
        taps = block.around.weight[:, 0]
        context = torch.stack([(padded[t : t + 7] * taps.T).sum(0) for t in range(12)]) + block.around.bias
        step = block.narrow(functional.gelu(block.widen(block.norm(context))))
        torch.testing.assert_close(block(x, mask)[0], x[0] + 0.1 * step, atol=1e-5, rtol=0)


def test_every_pair_of_spectra_is_one_frame():
    encoder = CompactEncoder(width=8, depth=0, n_mels=16).eval()
    assert (encoder.clock.hop_samples, encoder.clock.window_samples) == (640, 1344)
    sound = torch.randn(1, 5_000)
    bands = encoder.log_mel(sound)[0]
    with torch.no_grad():
        heard = encoder(sound, torch.tensor([5_000])).features[0]
        for t in range(len(heard)):
            pair = torch.cat((bands[2 * t], bands[2 * t + 1]))
            expected = encoder.norm(encoder.stem_norm(encoder.stem(pair)))
            torch.testing.assert_close(heard[t], expected, atol=1e-5, rtol=0)


def test_the_default_size_in_numbers():
    encoder = CompactEncoder()
    assert len(encoder.blocks) == 6
    assert encoder.log_mel.filters.shape == (513, 80)
    assert encoder.stem.in_features == 160
    assert not [name for name in encoder.state_dict() if name.startswith("log_mel")]  # computed, not learned
    assert {block.skip_rate for block in encoder.blocks} == {0.0}
    assert {block.skip_rate for block in CompactEncoder(width=8, skip_rate=0.2).blocks} == {0.2}


def test_no_skipping_is_the_step_itself():
    step = torch.ones(3, 2, 2)
    assert skip_items(step, 0.0, training=True) is step
    skipped = skip_items(torch.ones(200, 2, 2), 0.5, training=True)
    whole = skipped.flatten(1)
    assert (whole == whole[:, :1]).all()  # an item is passed by as a whole
    assert sorted(set(whole[:, 0].tolist())) == [0.0, 2.0]
