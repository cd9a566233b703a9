"""What the page about ablations says of figures that are made up."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from tocco.evaluation.ablations.comparison import FULL, Comparison, Experiment, Figures, Gain
from tocco.evaluation.ablations.page import page
from tocco.metrics import BootstrapInterval

TARGETS = ("phrasing", "timbre_soft_loud", "mean of 1 dimensions")


def figures(r2: float, half: float | None) -> Figures:
    """Figures that are the same for every target; the interval ends this far from the difference."""
    value = np.repeat([[r2**0.5 if r2 > 0 else 0.0], [r2], [10.0]], 3, axis=1)
    if half is None:
        return Figures(value, None)
    difference = value - 0.5
    return Figures(value, BootstrapInterval(difference, difference - half, difference + half, 0.95))


EXPERIMENTS = (
    Experiment(FULL),
    Experiment("no_statistics", removes="statistics"),
    Experiment("midi_only", removes="audio", inputs="midi"),
    Experiment("coral", adds="ordinal regression"),
    Experiment("ensemble", adds="three seeds", members=("ensemble, member0", "ensemble, member1")),
)


@pytest.fixture
def found() -> Comparison:
    return Comparison(
        targets=TARGETS,
        n_labels=np.array([30, 29, 30]),
        main=2,
        systems={
            FULL: figures(0.5, None),
            "no_statistics": figures(0.2, 0.1),
            "midi_only": figures(0.49, 0.02),
            "coral": figures(0.4, 0.05),
            "ensemble": figures(0.55, 0.01),
            "ensemble, member0": figures(0.5, 0.01),
            "ensemble, member1": figures(0.52, 0.01),
            "full, untrained": figures(0.45, 0.02),
            "constant": figures(-0.01, 0.1),
            "passage mean": figures(-0.01, 0.1),
        },
        n_performances=30,
        n_clusters=19,
        multimodal=Gain("midi_only", 0.14, -0.1, 0.3),
        pretraining=None,
    )


def written(found: Comparison, *more: str) -> str:
    return page(found, EXPERIMENTS, {"command": "tocco ablate"}, more, "ablations.png")


def test_the_conclusion_comes_first_and_names_parts_by_verdict(found: Comparison) -> None:
    lines = written(found).splitlines()
    assert lines[0] == "# Ablations"
    assert lines[2:6] == [
        "- **Earn their place (the network without it is worse, interval below 0)**: statistics.",
        "- **Not shown to earn their place (the interval contains 0)**: audio.",
        "- **Would gain if added**: three seeds.",
        "- **Would cost if added**: ordinal regression.",
    ]


@pytest.mark.parametrize(
    ("value", "low", "answer"),
    [(0.14, 0.1, "not met"), (0.16, 0.14, "not shown"), (0.20, 0.16, "met"), (0.16, -0.2, "not shown")],
)
def test_the_first_expectation_is_fifteen_percent(
    found: Comparison, value: float, low: float, answer: str
) -> None:
    gain = Gain("midi_only", value, low, 0.4)
    text = written(dataclasses.replace(found, multimodal=gain))
    assert "expected: more than 15% better. Measured in mean R2, against midi_only" in text
    assert f"{value:+.0%} (95 % interval {low:+.0%} to +40%): **{answer}**." in text


@pytest.mark.parametrize(
    ("value", "low", "answer"), [(0.29, 0.1, "not met"), (0.32, 0.28, "not shown"), (0.4, 0.31, "met")]
)
def test_the_second_expectation_is_thirty_percent(
    found: Comparison, value: float, low: float, answer: str
) -> None:
    gain = Gain("no_pretraining", value, low, 0.5)
    text = written(dataclasses.replace(found, pretraining=gain))
    assert "Pre-training, expected: more than 30% better. Measured in mean R2, against no_pretraining" in text
    assert f": **{answer}**." in text.partition("Pre-training, expected")[2].partition("\n")[0]


def test_a_ratio_to_nothing_is_no_figure(found: Comparison) -> None:
    nothing = Gain("midi_only", float("nan"), float("nan"), float("nan"))
    text = written(dataclasses.replace(found, multimodal=nothing))
    assert "No ratio: the mean R2 of midi_only is not above 0." in text
    partly = Gain("midi_only", 2.0, float("nan"), float("nan"))
    assert "+200% (no interval" in written(dataclasses.replace(found, multimodal=partly))


def test_tables_have_figures_and_intervals(found: Comparison) -> None:
    text = written(found)
    row = "| no_statistics | without statistics | 0.447 | 0.200 | 10.00 | -0.300 | -0.400 to -0.200"
    assert f"{row} | earns its place |" in text
    assert text.index("| no_statistics | without") < text.index("| coral | with ordinal")
    assert (
        "| phrasing | 30 | 0.500 | **-0.300 [-0.400, -0.200]** | -0.010 [-0.030, +0.010] |"
        " **-0.100 [-0.150, -0.050]** | **+0.050 [+0.040, +0.060]** |" in text
    )
    assert "| constant | hears nothing | 0.000 | -0.010 | 10.00 | -0.510 | -0.610 to -0.410 |  |" in text
    assert "| full, untrained | before its first step | 0.671 | 0.450 |" in text
    gained = (
        "- Training gains +0.050 in mean R2 (95 % interval +0.030 to +0.070): 0.500 with it, 0.450 before"
    )
    assert gained in text
    assert "| timbre_soft_loud |" not in text


def test_limits_are_said(found: Comparison) -> None:
    text = written(found, "ranking")
    assert "- Not trained yet: ranking." in text
    assert "mean R2 0.500, 0.520, standard deviation 0.014." in text
    assert "19 clusters of shared music. So few clusters" in text
    assert "So few clusters" not in written(dataclasses.replace(found, n_clusters=20))
    alone = page(found, EXPERIMENTS[:-1], {}, (), "ablations.png")
    assert "what another seed would change is unknown" in alone
    assert "starts from random weights, while the full" not in text
    pretrained = (dataclasses.replace(EXPERIMENTS[0], is_pretrained=True), *EXPERIMENTS[1:])
    assert "starts from random weights, while the full" in page(found, pretrained, {}, (), "a.png").replace(
        "\n", " "
    )
