"""A segment of the sheet: rated on the scale of what it is, drawn, and to be heard."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import numpy as np
import pytest
import soundfile

from origins import ORIGIN
from pseudo_example import made_up_scales, write_manifest
from tocco.audio.rendering import FluidSynthRenderer
from tocco.data.records import read_labels
from tocco.evaluation.pseudo_labels import spot_check
from tocco.evaluation.pseudo_labels.spot_check import make_spot_check
from tocco.music.performance import Performance
from tocco.pseudo_labels.rate import rate_span
from tocco.units import SAMPLE_RATE_HZ, FloatArray


class Hum:
    """A piano that hums as long as something is played."""

    def render(self, performance: Performance) -> FloatArray:
        return 0.1 * np.sin(np.arange(int(performance.duration_sec * SAMPLE_RATE_HZ)) / 20.0)


@pytest.mark.parametrize("is_transcribed", [False, True])
def test_a_segment_is_rated_on_the_scale_of_what_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_transcribed: bool
) -> None:
    scales, used = made_up_scales(), []
    monkeypatch.setattr(
        spot_check, "rate_span", lambda *given, scale: used.append(scale) or rate_span(*given, scale=scale)
    )
    (record,) = read_labels(write_manifest(tmp_path / "in", n_pieces=1, n_takes=1))
    labels = {"rhythmic_precision": 61.0}
    part = {"start_time": 5.0, "end_time": 15.0, "origin": ORIGIN[is_transcribed], "labels": labels}
    record = record.model_copy(update=part)
    piano = cast("FluidSynthRenderer", Hum())
    found = make_spot_check(record, "random", scales, tmp_path, piano)
    assert used == [scales.of(ORIGIN[is_transcribed])]
    assert found.labels["rhythmic_precision"].rating == 61.0
    assert found.labels["rhythmic_precision"].components["onset_deviation"].value > 0.0
    assert found.labels["dynamics_control"].rating is None  # as in the file
    assert soundfile.info(tmp_path / "piece0_take0.flac").duration == pytest.approx(10.0, abs=0.01)
    assert (tmp_path / "piece0_take0.png").is_file()
