"""The project's success criteria: as written, what was measured, and the form that means something."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean
from typing import Final

from results_page.quality import MARKERS, default, occurrences, setting
from results_page.sources import INTERPRETIVE, LISTENERS, MEAN_9, RIDGE, TECHNICAL, Figure, Sources
from results_page.writing import listed, number, percent, plain, table, with_interval

MET, NOT_MET, UNMEASURED = "met", "**not met**", "cannot be measured with the data here"
NO_FIGURE = "no figure yet"
OCCURS, DOES_NOT_OCCUR = "**occurs**", "does not occur"
ABLATIONS = "`tocco ablate` measures it; its table is not in results/"

GROUPS: Final = {"Technical": TECHNICAL, "Interpretive": INTERPRETIVE}


@dataclass(frozen=True)
class Goals:
    """Thresholds as the project wrote them."""

    least_r: dict[str, float]
    most_mae: dict[str, float]
    over_linear: float
    over_audio: float
    most_ece: float


MINIMUM = Goals(
    {"Technical": 0.45, "Interpretive": 0.30}, {"Technical": 18, "Interpretive": 20}, 0.25, 0.10, 0.20
)
TARGET = Goals(
    {"Technical": 0.50, "Interpretive": 0.35}, {"Technical": 15, "Interpretive": 18}, 0.40, 0.15, 0.15
)
FAILURE_R: Final = {"Technical": 0.35, "Interpretive": 0.15}
FAILURE_ECE = 0.30


@dataclass(frozen=True)
class Goal:
    """A criterion at two levels of ambition.

    Attributes
    ----------
    minimum, target : the criterion in words
    figure : what was measured
    verdicts : of the two
    meaning : what to judge by instead
    """

    minimum: str
    target: str
    figure: str
    verdicts: tuple[str, str]
    meaning: str

    @property
    def cells(self) -> tuple[str, ...]:
        """Of the table."""
        return self.minimum, self.target, self.figure, *self.verdicts, self.meaning


@dataclass(frozen=True)
class Criterion:
    """A row: the words of the criterion, the figure, the verdict, and what to judge by."""

    words: str
    figure: str
    verdict: str
    meaning: str

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """Of the table."""
        return self.words, self.figure, self.verdict, self.meaning


def verdicts(figure: float, minimum: float, target: float, least: bool = True) -> tuple[str, str]:
    """Whether a figure is above two thresholds, or below them."""
    passed = [figure > goal if least else figure < goal for goal in (minimum, target)]
    return MET if passed[0] else NOT_MET, MET if passed[1] else NOT_MET


def error_of_doubled_sd() -> float:
    """Expected calibration error, by quantiles, of a normal model whose sd is twice the true one.

    The mean over p of |Phi(2 z_p) - p| is atan(2) / pi - 1/4.
    """
    return math.atan(2.0) / math.pi - 0.25


def performance(sources: Sources) -> list[Goal]:
    """The criteria of performance."""
    rows = [of(sources, *group) for group in GROUPS.items() for of in (correlation, error)]
    return [*rows, note_accuracy(), over_linear(sources), over_audio(sources), calibration(sources)]


def correlation(sources: Sources, group: str, names: Sequence[str]) -> Goal:
    """Pearson r of every labelled dimension of a group."""
    r = {name: sources.ratings(name, "pearson_r").value for name in names}
    least = MINIMUM.least_r[group], TARGET.least_r[group]
    above = [sum(x > goal for x in r.values()) for goal in least]
    lowest = min(names, key=r.__getitem__)
    r2 = [sources.ratings(name, "r2").value for name in names]
    ceiling = [sources.reliability(name) for name in names]
    return Goal(
        f"{group} dimensions: r > {least[0]:.2f}",
        f"r > {least[1]:.2f}",
        f"{' and '.join(map(str, above))} of {len(names)}; mean {number(mean(r.values()))}, lowest"
        f" {number(r[lowest])} ({plain(lowest)})",
        verdicts(r[lowest], *least),
        f"R2 mean {number(mean(r2))}, lowest {number(min(r2))}; at most {number(mean(ceiling))} can be"
        " expected",
    )


def error(sources: Sources, group: str, names: Sequence[str]) -> Goal:
    """Mean absolute error, beside that of a constant."""
    mae = [sources.ratings(name, "mae").value for name in names]
    constant = [sources.ratings(name, "mae", system="constant").value for name in names]
    skill = {name: sources.ratings(name, "mae_skill").value for name in names}
    most = MINIMUM.most_mae[group], TARGET.most_mae[group]
    worse = [plain(name) for name in names if skill[name] <= 0]
    than_constant = f"worse than a constant in {listed(worse)}" if worse else "better in each"
    return Goal(
        f"{group} dimensions: MAE < {most[0]:g}",
        f"MAE < {most[1]:g}",
        f"mean {number(mean(mae), 1)}, largest {number(max(mae), 1)}",
        verdicts(max(mae), *most, least=False),
        f"a constant has {number(mean(constant), 1)}; skill 1 − MAE / MAE of the constant"
        f" {number(mean(skill.values()), 2)}, {than_constant}",
    )


def note_accuracy() -> Goal:
    """The dimension that nobody rated."""
    return Goal(
        "Note accuracy, as a technical dimension",
        "the same",
        "–",
        (UNMEASURED, UNMEASURED),
        "no human label; planted note errors are found as the table of the ten dimensions says",
    )


def over_linear(sources: Sources) -> Goal:
    """Improvement of r over linear regression."""
    linear = sources.listeners(MEAN_9, "pearson_r", system=RIDGE).value
    shown = sources.ratings(MEAN_9, "pearson_r").value / linear - 1
    learned = sources.listeners(MEAN_9, "pearson_r").value / linear - 1
    gain = sources.listeners(MEAN_9, "r2", system=f"{LISTENERS} minus {RIDGE}")
    r2 = sources.ratings(MEAN_9, "r2").value, sources.listeners(MEAN_9, "r2", system=RIDGE).value
    return Goal(
        f"More than {percent(MINIMUM.over_linear, 0)} better than linear regression",
        percent(TARGET.over_linear, 0),
        f"r {percent(shown, 0)} better; a model of the listeners alone {percent(learned, 0)}",
        verdicts(shown, MINIMUM.over_linear, TARGET.over_linear),
        f"R2 {number(r2[0])}, of linear regression {number(r2[1])}; a model of the listeners alone gains"
        f" {with_interval(gain)}",
    )


def over_audio(sources: Sources) -> Goal:
    """Improvement of r by notes and sound over sound alone."""
    words = f"Multi-modal gain: more than {percent(MINIMUM.over_audio, 0)} over audio alone"
    gains = multimodal_gains(sources)
    if gains is None:
        return Goal(words, percent(TARGET.over_audio, 0), "–", (NO_FIGURE, NO_FIGURE), ABLATIONS)
    over, best, meaning = gains
    return Goal(
        words,
        percent(TARGET.over_audio, 0),
        f"r {percent(over, 0)} better than audio alone, {percent(best, 0)} than the better of the two",
        verdicts(over, MINIMUM.over_audio, TARGET.over_audio),
        meaning,
    )


def calibration(sources: Sources) -> Goal:
    """Expected calibration error, beside the coverage of the intervals that people see."""
    errors = _errors(sources)
    return Goal(
        f"Calibration: ECE < {MINIMUM.most_ece:.2f}",
        f"ECE < {TARGET.most_ece:.2f}",
        f"mean {number(mean(errors))}, largest {number(max(errors))} (a model of the listeners alone)",
        verdicts(max(errors), MINIMUM.most_ece, TARGET.most_ece, least=False),
        f"a sd twice too large has {number(error_of_doubled_sd())}; 90 % intervals of the ratings hold"
        f" {coverage_range(sources)}",
    )


def coverage_range(sources: Sources) -> str:
    """Lowest to highest coverage of the 90 % intervals that people see, by dimension."""
    found = [sources.ratings(name, "coverage_90").value for name in TECHNICAL + INTERPRETIVE]
    return f"{number(100 * min(found), 1)} to {percent(max(found))}"


def multimodal_gains(sources: Sources) -> tuple[float, float, str] | None:
    """Relative gain in r over audio alone and over the better input; what the better input lacks in R2."""
    found = sources.ablations()
    if found is None or not {"full", "audio_only", "midi_only"} <= set(found):
        return None
    full = float(found["full"]["r"])
    r = {name: float(found[name]["r"]) for name in ("audio_only", "midi_only")}
    better = max(r, key=r.__getitem__)
    row = found[better]
    # The file has "without" minus "with"; what the input adds is the negative.
    added = Figure(-float(row["r2_difference"]), -float(row["r2_high"]), -float(row["r2_low"]))
    alone = {"audio_only": "audio", "midi_only": "notes"}[better]
    shown = added.low is not None and added.low > 0
    meaning = (
        f"over {alone} alone, the better input, R2 changes by {with_interval(added)}:"
        f" {'a gain' if shown else 'no gain shown'}"
    )
    return full / r["audio_only"] - 1, full / r[better] - 1, meaning


def failures(sources: Sources) -> list[Criterion]:
    """Conditions under which the approach was to be thought over."""
    rows: list[Criterion] = []
    for group, names in GROUPS.items():
        r = {name: sources.ratings(name, "pearson_r").value for name in names}
        below = [name for name in names if r[name] < FAILURE_R[group]]
        r_of = ", ".join(f"{plain(name)} {number(r[name])}" for name in below)
        rows.append(
            Criterion(
                f"{group} dimensions r < {FAILURE_R[group]:.2f}",
                f"{len(below)} of {len(names)}" + (f": {r_of}" if below else ""),
                OCCURS if below else DOES_NOT_OCCUR,
                _model_alone(sources, below),
            )
        )
    errors = _errors(sources)
    rows.append(
        Criterion(
            f"ECE > {FAILURE_ECE:.2f}",
            f"largest {number(max(errors))}",
            OCCURS if max(errors) > FAILURE_ECE else DOES_NOT_OCCUR,
            "a sd that is wrong by any factor has 0.25 at most",
        )
    )
    gains = multimodal_gains(sources)
    words = "Both inputs worse than audio alone"
    if gains is None:
        return [*rows, Criterion(words, "–", NO_FIGURE, ABLATIONS)]
    over, _, meaning = gains
    return [
        *rows,
        Criterion(words, f"r {percent(over, 0)} better", OCCURS if over < 0 else DOES_NOT_OCCUR, meaning),
    ]


def _model_alone(sources: Sources, names: Sequence[str]) -> str:
    if not names:
        return "–"
    r = ", ".join(f"{plain(name)} {number(sources.listeners(name, 'pearson_r').value)}" for name in names)
    return f"a model of the listeners alone: {r}"


def code(sources: Sources) -> list[Criterion]:
    """Criteria of code and architecture."""
    counts = {name: occurrences(sources.root, pattern) for name, pattern in MARKERS.items()}
    rows = [
        Criterion(f"No {name} in src", str(count), MET if count == 0 else NOT_MET, "counted by this page")
        for name, count in counts.items()
    ]
    encoder = setting(sources.root, "percepiano.yaml", "audio_encoder")
    other = setting(sources.root, "mert95m.yaml", "audio_encoder")
    return [
        *rows,
        Criterion("All tests pass", "–", "by `make test`", "no file of results/ records it"),
        _test_coverage(sources),
        Criterion(
            "Hierarchical aggregation: BiLSTM and attention",
            default(sources.root, "models/network.py", "aggregation"),
            MET
            if default(sources.root, "models/network.py", "aggregation") == "bilstm_attention"
            else NOT_MET,
            "default of the network; mean and sd stay for an ablation",
        ),
        Criterion(
            "Multi-task head with uncertainty-weighted loss",
            default(sources.root, "training/config.py", "loss"),
            MET if default(sources.root, "training/config.py", "loss") == "uncertainty" else NOT_MET,
            "default of training; equal weights stay for an ablation",
        ),
        Criterion(
            "MERT is the only audio encoder",
            f"the bundle that ships has `{encoder}`",
            MET if encoder == other else NOT_MET,
            f"`{other}` by `configs/mert95m.yaml`; no bundle trained with it is here",
        ),
    ]


def _test_coverage(sources: Sources) -> Criterion:
    words, path = "Test coverage of 80 % or more", "results/coverage.json"
    if not sources.is_there(path):
        return Criterion(words, "–", "by `make coverage`", "no file of results/ records it")
    share = sources.json(path)["totals"]["percent_covered"] / 100
    return Criterion(words, percent(share), MET if share >= 0.8 else NOT_MET, "lines of the package tocco")


def counted(rows: Sequence[Goal], level: int) -> tuple[int, int]:
    """Criteria met at a level (0 minimum, 1 target), and measured."""
    found = [row.verdicts[level] for row in rows]
    return found.count(MET), found.count(MET) + found.count(NOT_MET)


def section(sources: Sources) -> str:
    """The tables of all criteria."""
    goals = table(
        ("minimum", "target", "figure", "minimum is", "target is", "to judge by"),
        [row.cells for row in performance(sources)],
        words=6,
    )
    header = ("criterion", "figure", "verdict", "to judge by")
    parts = [
        f"**{title}**\n\n{table(header, [row.cells for row in rows], words=4)}"
        for title, rows in (
            ("Failure conditions", failures(sources)),
            ("Code and architecture", code(sources)),
        )
    ]
    intro = (
        "As the project wrote them before it began, of the ratings that people see, on music not learned"
        " from. A group meets a criterion where each of its labelled dimensions does. Some criteria say"
        " little, since a constant meets them: the last column has what to judge by."
    )
    return "\n\n".join([intro, f"**Performance**\n\n{goals}", *parts])


def _errors(sources: Sources) -> list[float]:
    found = sources.calibration_errors("quantile_calibration_error")
    return [found[name] for name in TECHNICAL + INTERPRETIVE]
