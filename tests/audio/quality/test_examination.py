"""Recordings examined from file to verdict."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from quality_sounds import RATE_HZ, claps, held, measures, struck, white
from tocco.audio.processing import DescribedStream
from tocco.audio.quality import QualityGauge, RecordingQuality, examine, quality_of
from tocco.audio.quality.classifier import CLASSES, load_classifier
from tocco.audio.quality.gauge import SoundTextures
from tocco.audio.quality.spectra import N_BINS
from tocco.audio.quality.texture import WINDOW_FRAMES, texture
from tocco.errors import InputError, MissingPartError


@pytest.fixture
def judged(tmp_path: Path):
    def judge(sound: np.ndarray, rate_hz: int = RATE_HZ) -> RecordingQuality:
        path = tmp_path / "take.wav"
        soundfile.write(path, sound, rate_hz, subtype="PCM_16")
        return examine(DescribedStream(path))

    return judge


def test_a_piano_is_accepted_without_a_word(judged) -> None:
    quality = judged(struck(12.0))
    assert quality.refusal is None
    assert dict(quality.abstained) == {}
    assert quality.warnings == ()
    quality.check("take.wav")


@pytest.mark.parametrize(
    ("sound", "words"),
    [
        (held(10.0), "does not sound like a piano: an instrument or voices with held notes"),
        (white(10.0), "holds no music: noise without tones"),
        (claps(10.0), "holds no music: applause"),
        (np.zeros(10 * RATE_HZ), "holds no music: silence"),
    ],
    ids=["organ", "noise", "applause", "silence"],
)
def test_what_is_no_piano_is_refused_in_one_line(judged, sound: np.ndarray, words: str) -> None:
    quality = judged(sound)
    assert quality.refusal is not None
    assert quality.refusal.startswith(words)
    with pytest.raises(
        InputError, match=r"take\.wav: .* Next: give a recording of a piano alone\."
    ) as caught:
        quality.check("take.wav")
    assert caught.value.exit_code == 3
    assert "\n" not in str(caught.value)


def test_a_telephone_call_is_accepted_and_its_tone_is_not_rated(judged) -> None:
    quality = judged(soxr.resample(struck(12.0), RATE_HZ, 8_000), 8_000)
    assert quality.refusal is None
    assert set(quality.abstained) == {"tone_quality"}
    assert "telephone" in quality.abstained["tone_quality"]


def test_a_file_cut_in_a_note_is_accepted(judged) -> None:
    whole = struck(14.0)
    assert judged(whole[int(1.85 * RATE_HZ) : int(12.2 * RATE_HZ)]).refusal is None


def test_applause_after_the_music_is_cut_off_and_said(judged) -> None:
    gap = np.zeros(RATE_HZ // 2)
    quality = judged(np.concatenate([struck(12.0), gap, claps(5.0)]))
    assert quality.refusal is None
    assert quality.music is not None
    assert quality.music.end_sec == pytest.approx(12.0, abs=1.5)
    assert quality.warnings[0].endswith("applause after it is left out.")


def test_one_dead_channel_is_said(judged) -> None:
    sound = struck(10.0)
    quality = judged(np.stack([sound, np.zeros_like(sound)], axis=1))
    assert quality.warnings == ("One channel is silent; the other is used.",)


def test_cut_peaks_leave_dynamics_unrated(judged) -> None:
    quality = judged(np.clip(6.0 * struck(12.0), -0.9, 0.9))
    assert set(quality.abstained) == {"dynamics_control"}


def test_too_short_a_sound_is_not_refused_for_its_texture(judged) -> None:
    quality = judged(struck(1.5))
    assert quality.measures.probability is None
    assert quality.refusal is None


def verdicts_by_block(sound: np.ndarray, block: int) -> list[np.ndarray]:
    textures = SoundTextures()
    for k in range(0, len(sound), block):
        textures.add(sound[k : k + block])
    textures.finish()
    track = textures.track(load_classifier())
    return [textures.textures, track.level_db, track.speech]


def test_blocks_of_any_length_give_the_same() -> None:
    sound = struck(9.0)
    for one, other in zip(verdicts_by_block(sound, 12_345), verdicts_by_block(sound, 10**6), strict=True):
        assert one == pytest.approx(other, abs=0.05, rel=0.05)


def test_memory_and_cost_are_bounded() -> None:
    gauge = QualityGauge()
    block = struck(10.0)
    gauge.add(block)
    begin = time.process_time()
    for _ in gauge.watched([block] * 3):
        pass
    # a fiftieth of real time; a fifth here, since a test may share its core
    assert time.process_time() - begin < 0.2 * 30.0
    waiting = sum(power.nbytes for power in gauge._sounds._power)
    assert waiting < 2 * WINDOW_FRAMES * N_BINS * 4


def test_blocks_pass_unchanged() -> None:
    blocks = [struck(2.0), white(1.0)]
    assert all(one is other for one, other in zip(QualityGauge().watched(blocks), blocks, strict=True))


def test_the_classifier_reads_the_measures_that_there_are() -> None:
    classifier = load_classifier()
    assert classifier.names == tuple(texture(np.ones((WINDOW_FRAMES, N_BINS), np.float32), np.zeros(1)))
    likely = classifier.probabilities(np.zeros((3, len(classifier.names))))
    assert likely.shape == (3, len(CLASSES))
    assert likely.sum(axis=1) == pytest.approx(np.ones(3))


def test_far_beyond_all_training_sounds_is_no_stronger_evidence() -> None:
    classifier = load_classifier()
    far = classifier.mean + 4.0 * classifier.scale
    farther = classifier.mean + 40.0 * classifier.scale
    assert classifier.probabilities(far[None]) == pytest.approx(classifier.probabilities(farther[None]))


def test_a_missing_or_foreign_classifier_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(MissingPartError, match="install tocco again"):
        load_classifier(tmp_path / "none.safetensors")
    (tmp_path / "other.safetensors").write_bytes(b"no tensors")
    with pytest.raises(MissingPartError, match="install tocco again"):
        load_classifier(tmp_path / "other.safetensors")


def test_the_first_reason_stands_where_two_findings_leave_a_dimension_unrated() -> None:
    quality = quality_of(measures(clipped_fraction=0.1, snr_db=5.0))
    assert quality.abstained["dynamics_control"].startswith("The loudest peaks are cut off")
    assert quality.abstained["tone_quality"].startswith("Noise")
