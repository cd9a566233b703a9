import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
import soundfile
import soxr

from tocco.audio.processing import stream_audio
from tocco.errors import InputError, MismatchError
from tocco.inference.bundle import example_path
from tocco.music.lag_search import MAX_DRIFT
from tocco.music.midi import load_midi
from tocco.music.performance import PedalCurve, Performance
from tocco.music.synchrony import MAX_RESIDUAL_SEC, MIN_SCORE, align_midi_to_audio

RATE_HZ = 24_000


def piece(seed, n_beats=56):
    """Chords and a melody in a slightly uneven tempo, as a pianist would play them."""
    rng = np.random.default_rng(seed)
    rows = []
    key, now = int(rng.integers(0, 12)), 0.7
    for beat in range(n_beats):
        chord = key + np.array([36, 43, 52]) + int(rng.choice([0, 5, 7, -3]))
        if beat % 2 == 0:
            rows += [(now + rng.normal(0, 0.004), 0.7, int(p), 50) for p in chord]
        for half in range(int(rng.choice([1, 2]))):
            pitch = key + 60 + int(rng.choice([0, 2, 4, 5, 7, 9, 11, 12]))
            rows.append((now + 0.22 * half + rng.normal(0, 0.003), 0.3, pitch, int(rng.integers(60, 100))))
        now += 0.45 * rng.uniform(0.85, 1.2)
    onset, held, pitch, velocity = map(np.array, zip(*sorted(rows, key=lambda r: (r[0], r[2])), strict=True))
    return Performance(
        onset_sec=onset,
        offset_sec=onset + held,
        pitch=pitch,
        velocity=velocity,
        sustain=PedalCurve(np.array([1.0]), np.array([127.0])),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=float((onset + held).max()),
        source=f"piece{seed}.mid",
    )


def sounding(performance, rate_hz=RATE_HZ):
    """Decaying tones of eight partials, with an attack of 2 ms."""
    audio = np.zeros(int((performance.duration_sec + 1.5) * rate_hz))
    for onset, pitch, velocity in zip(
        performance.onset_sec, performance.pitch, performance.velocity, strict=True
    ):
        start = int(np.ceil(onset * rate_hz))
        t = np.arange(start, min(start + int(1.2 * rate_hz), len(audio))) / rate_hz - onset
        hz = 440.0 * 2 ** ((pitch - 69) / 12)
        tone = sum(np.sin(2 * np.pi * k * hz * t) / k**1.2 for k in range(1, 9) if k * hz < rate_hz / 2)
        audio[start : start + len(t)] += (
            (velocity / 127) ** 2 * tone * np.exp(-3 * t) * np.minimum(t / 0.002, 1)
        )
    return (0.3 * audio / np.abs(audio).max()).astype(np.float32)


@pytest.fixture(scope="module")
def take():
    performance = piece(1)
    return performance, sounding(performance)


def assert_on_clock(synchrony, performance, true_offset_sec, true_drift=0.0, within_sec=0.005):
    inside = performance.onset_sec[performance.onset_sec + true_offset_sec > 0]
    error = synchrony.offset_sec - true_offset_sec + (synchrony.drift - true_drift) * inside
    assert np.max(np.abs(error)) < within_sec


def test_a_recording_and_its_midi_lie_on_one_clock(take):
    performance, audio = take
    synchrony = align_midi_to_audio(performance, audio)
    assert_on_clock(synchrony, performance, 0.0)
    assert abs(synchrony.drift) < 1e-4
    assert synchrony.residual_sec < 0.005
    assert synchrony.score > 0.8
    assert synchrony.n_onsets_used > 60
    first, last = performance.onset_sec[0], performance.offset_sec.max()
    assert synchrony.overlap_sec == pytest.approx(last - first, abs=0.02)


@pytest.mark.parametrize("delay_sec", [-10.0, 0.123, 100.0])
def test_any_offset_is_found(take, delay_sec):
    performance, audio = take
    synchrony = align_midi_to_audio(performance.shifted(-delay_sec), audio)
    assert_on_clock(synchrony, performance.shifted(-delay_sec), delay_sec)


def test_a_lead_of_room_noise_before_the_music_is_skipped(take, rng):
    performance, audio = take
    lead = rng.normal(0, 1e-3, 12 * RATE_HZ).astype(np.float32)
    assert_on_clock(align_midi_to_audio(performance, np.concatenate((lead, audio))), performance, 12.0)


@pytest.mark.parametrize("drift", [-0.005, 0.001, 0.005])
def test_clocks_that_drift_are_brought_together(take, drift):
    performance, audio = take
    ticking = performance.shifted(3.0, 1 / (1 + drift))
    synchrony = align_midi_to_audio(ticking, audio)
    assert_on_clock(synchrony, ticking, -3.0 * (1 + drift), drift)
    assert synchrony.drift == pytest.approx(drift, abs=1e-4)
    np.testing.assert_allclose(synchrony.apply(ticking).onset_sec, performance.onset_sec, atol=0.005)


def test_level_bandwidth_and_noise_do_not_matter(take, rng):
    performance, audio = take
    level = float(np.sqrt(np.mean(audio**2)))
    noisy = audio + rng.normal(0, level / 10**0.5, len(audio)).astype(np.float32)
    for changed, rate_hz in (
        (audio * 1e-3, RATE_HZ),
        (soxr.resample(audio, RATE_HZ, 8000), 8000),
        (soxr.resample(audio, RATE_HZ, 44_100), 44_100),
        (noisy, RATE_HZ),
    ):
        assert_on_clock(
            align_midi_to_audio(performance, changed, sample_rate_hz=rate_hz),
            performance,
            0.0,
            within_sec=0.008,
        )


def test_a_recording_may_be_a_part_of_its_midi(take):
    performance, audio = take
    part = audio[8 * RATE_HZ : 20 * RATE_HZ]
    synchrony = align_midi_to_audio(performance, part)
    assert_on_clock(synchrony, performance, -8.0, within_sec=0.01)
    assert synchrony.overlap_sec == pytest.approx(12.0, abs=0.02)
    placed = synchrony.apply(performance)
    assert placed.duration_sec == pytest.approx(12.0, abs=0.01)
    expected = np.count_nonzero((performance.offset_sec > 8.0) & (performance.onset_sec < 20.0))
    assert abs(len(placed) - expected) <= 1
    assert placed.sustain.at(np.array([0.0])).tolist() == [127.0]


def test_blocks_give_what_the_whole_gives(take):
    performance, audio = take
    whole = align_midi_to_audio(performance, audio)
    blocks = align_midi_to_audio(performance, iter(np.array_split(audio, 37)))
    assert blocks.offset_sec == pytest.approx(whole.offset_sec, abs=1e-6)
    assert blocks.score == pytest.approx(whole.score, abs=1e-6)
    assert blocks.audio_duration_sec == pytest.approx(len(audio) / RATE_HZ, abs=1e-3)


def reversed_in_time(performance):
    end = performance.duration_sec
    onset, offset = end - performance.offset_sec, end - performance.onset_sec
    order = np.lexsort((performance.pitch, onset))
    return replace(
        performance,
        onset_sec=onset[order],
        offset_sec=offset[order],
        pitch=performance.pitch[order],
        velocity=performance.velocity[order],
    )


@pytest.mark.parametrize(
    "wrong",
    [
        lambda p: piece(2),
        lambda p: replace(p, pitch=p.pitch + 1),
        lambda p: replace(p, pitch=p.pitch - 1),
        reversed_in_time,
        lambda p: p.shifted(0.0, 1.2),
        lambda p: p.shifted(0.0, 1.05),
    ],
    ids=["another piece", "a semitone up", "a semitone down", "reversed", "1.2 x", "1.05 x"],
)
def test_a_midi_of_something_else_is_refused(take, wrong):
    performance, audio = take
    with pytest.raises(MismatchError, match=r"piece\d\.mid: does not") as caught:
        align_midi_to_audio(wrong(performance), audio, audio_source="take.wav")
    assert "take.wav" in str(caught.value)


@pytest.mark.parametrize("shift", [*range(-12, 0), *range(1, 13)])
def test_any_transposition_up_to_an_octave_is_found(take, shift):
    performance, audio = take
    moved = replace(performance, pitch=performance.pitch + shift)
    with pytest.raises(MismatchError) as caught:
        align_midi_to_audio(moved, audio, audio_source="take.wav")
    size = (
        "an octave (12 semitones)" if abs(shift) == 12 else f"{abs(shift)} semitone" + "s" * (abs(shift) > 1)
    )
    side, direction = ("below", "down") if shift > 0 else ("above", "up")
    expected = f"does not belong to take.wav: the audio stands {size} {side} the MIDI. "
    assert f"{expected}Next: move the MIDI {direction} by {size}, or give the MIDI that" in str(caught.value)


@pytest.mark.parametrize("shift", [-12, -5, -2, 0, 2, 7, 12])
def test_the_example_moved_against_its_own_recording(shift):
    folder = example_path()
    performance = load_midi(folder / "minuet.mid")
    moved = replace(performance, pitch=performance.pitch + shift)
    if shift == 0:
        assert align_midi_to_audio(moved, stream_audio(folder / "minuet.flac")).score > 0.9
        return
    side = "below" if shift > 0 else "above"
    size = {12: r"an octave \(12 semitones\)"}.get(abs(shift), f"{abs(shift)} semitones")
    with pytest.raises(MismatchError, match=f"the audio stands {size} {side} the MIDI"):
        align_midi_to_audio(moved, stream_audio(folder / "minuet.flac"))


def test_a_transposed_midi_that_is_late_or_drifts_is_told_too(take):
    performance, audio = take
    for moved in (performance.shifted(5.0), performance.shifted(0.0, 1.003), performance.shifted(-8.0)):
        with pytest.raises(MismatchError, match="the audio stands 3 semitones below the MIDI"):
            align_midi_to_audio(replace(moved, pitch=moved.pitch + 3), audio)


def test_the_reason_is_told_in_words(take, rng):
    performance, audio = take
    with pytest.raises(
        MismatchError, match=r"wherever it is laid, too few .* \(score 0\.[56]\d, 0\.69 is nee"
    ):
        align_midi_to_audio(piece(2), audio)
    with pytest.raises(
        MismatchError, match=r"wherever it is laid, only \d of its onsets .* \(8 are needed\)"
    ):
        align_midi_to_audio(performance, audio[RATE_HZ : RATE_HZ + 2400])


@pytest.mark.parametrize("stretch", [0.98, 1.02])
def test_a_clock_far_beyond_the_limit_is_refused(take, stretch):
    performance, audio = take
    with pytest.raises(MismatchError):
        align_midi_to_audio(performance.shifted(0.0, stretch), audio)


@pytest.mark.parametrize("stretch", [0.99, 0.9935, 0.9945, 1.0055, 1.0065, 1.01])
def test_a_clock_near_the_limit_is_refused_or_held_within_it(take, stretch):
    performance, audio = take
    try:
        synchrony = align_midi_to_audio(performance.shifted(0.0, stretch), audio)
    except MismatchError:
        assert abs(1 / stretch - 1) > MAX_DRIFT
    else:
        assert abs(synchrony.drift) <= MAX_DRIFT * 1.01
        assert synchrony.residual_sec <= MAX_RESIDUAL_SEC


def test_a_lost_tempo_is_told_by_name(take):
    performance, audio = take
    with pytest.raises(MismatchError, match=r"is not on the clock .* are 0\.5 times as far apart"):
        align_midi_to_audio(performance.shifted(0.0, 2.0), audio)


def test_audio_without_music_is_refused(take, rng):
    performance, audio = take
    with pytest.raises(InputError, match=r"take\.wav: is silent"):
        align_midi_to_audio(performance, np.zeros(5 * RATE_HZ, np.float32), audio_source="take.wav")
    with pytest.raises(InputError, match="is silent"):
        align_midi_to_audio(performance, np.zeros(0, np.float32))
    with pytest.raises(MismatchError):
        align_midi_to_audio(performance, rng.normal(0, 0.1, 30 * RATE_HZ).astype(np.float32))
    with pytest.raises(MismatchError):
        align_midi_to_audio(performance, audio[RATE_HZ : RATE_HZ + 2400])
    broken = audio.copy()
    broken[1000] = np.nan
    with pytest.raises(InputError, match="no numbers"):
        align_midi_to_audio(performance, broken)
    with pytest.raises(InputError, match="sample rate of 10 Hz"):
        align_midi_to_audio(performance, audio, sample_rate_hz=10)


def test_too_few_onsets_cannot_be_placed(take):
    performance, audio = take
    few = replace(
        performance,
        onset_sec=performance.onset_sec[:5],
        offset_sec=performance.offset_sec[:5],
        pitch=performance.pitch[:5],
        velocity=performance.velocity[:5],
    )
    with pytest.raises(InputError, match=r"onsets, too few .*allowed: 8 or more"):
        align_midi_to_audio(few, audio)


@pytest.mark.slow
def test_memory_holds_no_waveform():
    performance = piece(3, n_beats=200)
    audio = sounding(performance)
    n_rounds = 12
    seconds = n_rounds * len(audio) / RATE_HZ
    repeated = [performance.shifted(k * len(audio) / RATE_HZ) for k in range(n_rounds)]
    whole = replace(
        performance,
        **{
            name: np.concatenate([getattr(p, name) for p in repeated])
            for name in ("onset_sec", "offset_sec", "pitch", "velocity")
        },
        duration_sec=seconds,
    )
    tracemalloc.start()
    synchrony = align_midi_to_audio(
        whole, (audio[i : i + 24_000] for _ in range(n_rounds) for i in range(0, len(audio), 24_000))
    )
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert_on_clock(synchrony, whole, 0.0)
    assert peak / seconds < 90e3  # bytes; the waveform alone would be 96 kB a second


@pytest.mark.data
def test_real_recordings(corpus_dir):
    folder = corpus_dir / "recordings"
    mozart, mozart_hz = soundfile.read(folder / "mozart_k265_var1.mp3", dtype="float32")
    bach, bach_hz = soundfile.read(folder / "Bach-fugue_bwv_858.mp3", dtype="float32")
    variation = load_midi(folder / "mozart_k265_var1.mid")
    fugue = load_midi(folder / "Bach-fugue_bwv_858.mid")
    synchrony = align_midi_to_audio(variation, mozart.mean(axis=1), sample_rate_hz=mozart_hz)
    assert synchrony.score > MIN_SCORE + 0.1
    assert synchrony.residual_sec < MAX_RESIDUAL_SEC / 3
    assert abs(synchrony.offset_sec) < 0.05
    with pytest.raises(MismatchError, match="does not belong"):
        align_midi_to_audio(fugue, mozart.mean(axis=1), sample_rate_hz=mozart_hz)
    with pytest.raises(MismatchError, match="does not belong"):
        align_midi_to_audio(variation, bach.mean(axis=1), sample_rate_hz=bach_hz)
    # The fugue's MIDI lasts twice as long as its recording, and its first bars run on another clock still.
    with pytest.raises(MismatchError, match=r"0\.5 times as far apart"):
        align_midi_to_audio(fugue, bach.mean(axis=1), sample_rate_hz=bach_hz)
