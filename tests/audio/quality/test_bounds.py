"""Where the music lies, on tracks with known parts."""

from __future__ import annotations

import numpy as np
import pytest

from tocco.audio.quality.bounds import MusicBounds, Track, music_bounds

STEP_SEC = 0.256

PARTS = {
    "music": (-20.0, 12.0, 0.02, 0.0),
    "speech": (-25.0, 11.0, 0.95, 0.0),
    "applause": (-18.0, 3.0, 0.0, 0.9),
    "noise": (-30.0, 3.0, 0.0, -0.9),
    "silence": (-90.0, 3.0, 0.0, 0.0),
}


def track(*parts: tuple[str, int]) -> Track:
    """Parts by kind and number of steps."""
    rows = np.array([PARTS[kind] for kind, n in parts for _ in range(n)])
    level, tonal, speech, applause = rows.T if len(rows) else np.zeros((4, 0))
    return Track(level, tonal, speech, applause, STEP_SEC, len(rows) * STEP_SEC)


def test_music_alone_is_left_whole() -> None:
    found = music_bounds(track(("music", 80)))
    assert found == MusicBounds(0.0, 80 * STEP_SEC)
    assert found.sentence is None


def test_talk_before_and_applause_after_are_cut_off() -> None:
    found = music_bounds(
        track(("speech", 20), ("silence", 6), ("music", 60), ("silence", 3), ("applause", 20))
    )
    assert found is not None
    assert found.start_sec == pytest.approx(26 * STEP_SEC, abs=0.3)
    assert found.end_sec == pytest.approx(86 * STEP_SEC, abs=0.6)
    assert (found.before, found.after) == ("speech", "applause")
    assert found.sentence == (
        f"Only the music from {found.start_sec:.1f} s to {found.end_sec:.1f} s is assessed; "
        "speech before it and applause after it is left out."
    )


def test_noise_after_is_no_applause() -> None:
    found = music_bounds(track(("music", 60), ("noise", 20)))
    assert found is not None
    assert (found.before, found.after) == (None, "noise")
    assert found.start_sec == 0.0


def test_silence_is_left_where_it_is() -> None:
    found = music_bounds(track(("silence", 20), ("music", 60), ("silence", 30)))
    assert found == MusicBounds(0.0, 110 * STEP_SEC)


def test_less_than_a_second_and_a_half_is_left_where_it_is() -> None:
    found = music_bounds(track(("noise", 4), ("music", 60), ("noise", 6)))
    assert found == MusicBounds(0.0, 70 * STEP_SEC)
    found = music_bounds(track(("noise", 8), ("music", 60), ("noise", 9)))
    assert found is not None
    assert (found.before, found.after) == ("noise", "noise")


def test_a_rest_within_the_music_does_not_end_it() -> None:
    found = music_bounds(track(("music", 30), ("silence", 12), ("music", 30), ("noise", 10)))
    assert found is not None
    assert found.end_sec == pytest.approx(72 * STEP_SEC, abs=0.6)


def test_a_lone_step_of_speech_is_no_talk() -> None:
    found = music_bounds(track(("speech", 1), ("music", 60)))
    assert found == MusicBounds(0.0, 61 * STEP_SEC)


@pytest.mark.parametrize("kind", ["speech", "applause", "noise", "silence"])
def test_without_music_there_are_no_bounds(kind: str) -> None:
    assert music_bounds(track((kind, 60))) is None


def test_nothing_has_no_bounds() -> None:
    assert music_bounds(track()) is None


@pytest.mark.parametrize(("tonal_db", "is_music"), [(4.95, False), (6.05, True)])
def test_what_counts_as_tonal(tonal_db: float, is_music: bool) -> None:
    whole = track(("music", 60))
    whole.tonal_db[:] = tonal_db
    assert (music_bounds(whole) is not None) is is_music
