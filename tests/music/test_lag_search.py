import numpy as np
import pytest

from tocco.music.lag_search import MAX_DRIFT, ClockLine, PartialOnsets, salience_spectrum, search_lines
from tocco.music.onset_salience import HIGHEST_BAND, LOWEST_BAND, PITCH_HOP_SEC, OnsetSalience
from tocco.music.performance import PedalCurve, Performance


def notes(rng, seconds, n):
    onset = np.sort(rng.uniform(0.5, seconds, n))
    return Performance(
        onset_sec=onset,
        offset_sec=onset + 0.3,
        pitch=rng.integers(40, 90, n),
        velocity=np.full(n, 64),
        sustain=PedalCurve(),
        sostenuto=PedalCurve(),
        soft=PedalCurve(),
        duration_sec=seconds + 1.0,
    )


def heard(rng, performance, seconds):
    """Ranks as chance gives them, but high where a note's partials begin."""
    n_frames = int(seconds / PITCH_HOP_SEC)
    ranks = rng.uniform(0, 1, (n_frames, HIGHEST_BAND - LOWEST_BAND + 1)).astype(np.float32)
    partials = PartialOnsets.of(performance)
    frame = np.rint(partials.onset_sec / PITCH_HOP_SEC).astype(int)
    inside = (frame >= 0) & (frame < n_frames)
    ranks[frame[inside], partials.band[inside]] = 1.0
    return OnsetSalience(pitch=ranks, edge=np.zeros(1), duration_sec=seconds, is_silent=False)


def test_partials_lie_on_the_harmonic_series_of_their_note():
    performance = notes(np.random.default_rng(0), 5.0, 3)
    partials = PartialOnsets.of(performance)
    pitch = partials.band + LOWEST_BAND
    note = np.searchsorted(performance.onset_sec, partials.onset_sec)
    assert set((pitch - performance.pitch[note]).tolist()) <= {0, 12, 19, 24, 28, 31}
    assert np.all((pitch >= LOWEST_BAND) & (pitch <= HIGHEST_BAND))


@pytest.mark.parametrize(
    ("lag_sec", "drift", "seconds"),
    [(0.0, 0.0, 60.0), (-17.3, 0.0, 60.0), (35.0, 0.004, 120.0), (-40.0, -0.005, 300.0)],
)
def test_the_line_is_found_at_any_lag_and_small_drift(rng, lag_sec, drift, seconds):
    performance = notes(rng, seconds, int(4 * seconds))
    salience = heard(rng, performance.shifted(lag_sec, 1 + drift), seconds)
    line = search_lines(performance, salience_spectrum(salience))[0]
    error = line.at(performance.onset_sec) - ((1 + drift) * performance.onset_sec + lag_sec)
    assert np.max(np.abs(error)) < 0.1
    assert abs(line.drift) <= MAX_DRIFT


def test_of_a_figure_that_is_repeated_both_places_are_returned(rng):
    figure = notes(rng, 10.0, 50)
    once, again = heard(rng, figure, 40.0), heard(rng, figure.shifted(20.0), 40.0)
    both = OnsetSalience(np.maximum(once.pitch, again.pitch), np.zeros(1), 40.0, False)
    lags = sorted(line.lag_sec for line in search_lines(figure, salience_spectrum(both))[:2])
    assert lags == pytest.approx([0.0, 20.0], abs=0.1)


def test_a_line_turns_about_its_centre():
    line = ClockLine(lag_sec=2.0, drift=0.01, centre_sec=50.0)
    np.testing.assert_allclose(line.at(np.array([0.0, 50.0, 150.0])), [1.5, 52.0, 153.0])
