"""Tables of everything but agreement: intervals, damage, recordings, comparison, ablations, labelling."""

from __future__ import annotations

from statistics import mean
from typing import Final

from results_page.sources import Sources
from results_page.writing import number, percent, plain, table

RECORDED: Final = {"rep_asap": "ASAP", "rep_vienna": "Vienna 4x22", "rep_pp": "PercePiano"}
"""Set of performances in the report of the transcription -> its name."""

SPLITS: Final = {
    "cv4_cluster": "new music",
    "cv4_performer": "new pianist",
    "leave_one_work_out": "new work",
}
METHODS: Final = ("as predicted", "temperature", "isotonic", "conformal", "conformal by work")


def section(sources: Sources) -> str:
    """All tables but those of agreement."""
    parts = (
        validity,
        intervals,
        recordings,
        refused,
        differences,
        ranking,
        ablations,
        labelling,
        reliability,
    )
    return "\n\n".join(part(sources) for part in parts)


def validity(sources: Sources) -> str:
    """Bars of the validity suite that are met, by matter."""
    figures = sources.json("results/validity/after/validity.json")["figures"]
    names = {
        "damage costs its dimension and the whole": ("target_", "overall_", "aggregate_", "interpretive_"),
        "size of the falls": ("sustain_", "mess_", "wrong_notes_", "velocities_"),
        "a rendering is less expressive": ("deadpan_",),
        "skill, against teachers": ("skill_", "professionals_"),
        "what changes nothing": ("invariance_",),
        "without a score": ("no_score_",),
        "abstains where it should": ("abstains_", "rates_"),
    }
    # The falls of named kinds end like the general bars, so the general ones are those left.
    rows, seen = [], set()
    for words, prefixes in reversed(names.items()):
        part = [i for i, f in enumerate(figures) if f["bar"].startswith(prefixes) and i not in seen]
        seen.update(part)
        rows.append((words, str(sum(bool(figures[i]["held"]) for i in part)), str(len(part))))
    if len(seen) != len(figures):
        raise ValueError("a bar of the validity suite is in no row")
    met, total = sources.validity_count()
    return "### Validity\n\nBars written down before a model was run (docs/validity.md).\n\n" + table(
        ("matter", "met", "bars"), [*reversed(rows), ("all", str(met), str(total))]
    )


def intervals(sources: Sources) -> str:
    """Coverage and width at 90 %."""
    rows = []
    for split, words in SPLITS.items():
        for method in METHODS:
            row = sources.coverage(split, method)
            ends = f"[{number(100 * float(row['low']), 0)}, {number(100 * float(row['high']), 0)}]"
            middle = [sources.coverage(split, method, level)["coverage"] for level in ("0.5", "0.8")]
            cells = [percent(share) for share in middle]
            rows.append(
                (words, method, *cells, f"{percent(row['coverage'])} {ends}", number(row["width"], 1))
            )
    header = ("what is new", "method", "50 % holds", "80 % holds", "90 % holds", "width at 90 %")
    return (
        "### Calibration of intervals\n\nOf a Gaussian process on the same statistics, 28 targets, with"
        " the score; calibrated on labels of other music (results/calibration_methods has all methods,"
        " dimensions and"
        " inputs).\n\n" + table(header, rows, words=2)
    )


def recordings(sources: Sources) -> str:
    """Ratings of recordings without MIDI against those by the keys."""
    by_set = {
        name: {
            row["dimension"]: row
            for row in sources.table("results/transcription/report.md", f"## {name}, with the score")
        }
        for name in RECORDED
    }
    first = next(iter(by_set.values()))
    rows = []
    for dimension in first:
        found = [by_set[name][dimension] for name in RECORDED]
        cells = [
            " / ".join(_no_mark(row[column]) for row in found)
            for column in ("median", "95 %", "rank", "held")
        ]
        rows.append((plain(dimension), *cells))
    counts = ", ".join(f"{RECORDED[name]} {next(iter(by_set[name].values()))['n']}" for name in RECORDED)
    return (
        "### Recordings without MIDI\n\nSynthesised recordings, notes transcribed, against the ratings by"
        f" the keys; the three figures are of {counts} excerpts. *Holds*: how often the difference lies"
        " within what the interval is widened by (88 to 92 % wanted). On PercePiano the ratings by the"
        " keys are of music that the model learned from. The pedal is not rated.\n\n"
        + table(("dimension", "median difference", "95 % below", "rank correlation", "holds"), rows)
    )


def _no_mark(cell: str) -> str:
    return cell.removesuffix("†").strip()


def refused(sources: Sources) -> str:
    """The gate: what is no piano."""
    file = "results/gate/other.md"
    pianos = sources.found(file, r"(?:MISSED|reached): ([\d.]+) % of them refused")
    others, n = (sources.found(file, rf"{p}") for p in (r": ([\d.]+) % of \d+ others", r"% of (\d+) others"))
    missed = sources.found(file, r"fewer than 95 % of: ([^\n]+)")
    return (
        f"What is no piano: {number(others, 1)} % of {n} clips are refused (95 % wanted, not reached for"
        f" {missed}), and {number(pianos, 1)} % of pianos (2 % wanted at most)."
    )


def differences(sources: Sources) -> str:
    """Which of two performances is better."""
    found = sources.table("results/differences/report.md", "## Pairs of the same passage, with a score")
    columns = ("least difference", "covered", "said of clear", "right of clear")
    rows = [(plain(row["dimension"]), *(row[column] for column in columns)) for row in found]
    said = [float(row["said of clear"].partition(" ")[0]) for row in found]
    header = ("dimension", "least difference", "interval holds", "said, of clear pairs", "right of these")
    return (
        "### Comparison\n\nTwo human performances of the same passage. *Clear pairs*: the raters' means"
        f" differ by more than two standard errors. Of these, {number(min(said), 1)} to"
        f" {number(max(said), 1)} % are said to differ, by dimension: the intervals hold what they state,"
        f" and are too wide for most differences of this size.\n\n{table(header, rows)}"
    )


def ranking(sources: Sources) -> str:
    """Ranks of a field whose merits are known."""
    rows = [
        (row["by"], row["held"], row["width"], row["said"], row["right"])
        for row in sources.table("results/ranking/report.md", "## 8 performances, 4 jurors")
    ]
    header = ("by", "90 % rank interval holds", "its width", "pairs distinguished", "right of these")
    return (
        "### Ranking\n\nSimulated fields of 8 performances and 4 jurors, true order known"
        " (results/ranking).\n\n" + table(header, rows)
    )


def ablations(sources: Sources) -> str:
    """What each part of the network is worth."""
    found = sources.ablations()
    if found is None:
        return "### Ablations\n\nNot here: no table of `tocco ablate` is in results/."
    rows = []
    for name, row in sorted(found.items(), key=lambda item: -float(item[1]["r2"])):
        change = "–"
        if row["r2_difference"]:
            low, high = number(row["r2_low"]), number(row["r2_high"])
            change = f"{number(row['r2_difference'], sign=True)} [{low}, {high}]"
        rows.append((plain(name), number(row["r"]), number(row["r2"]), number(row["mae"], 2), change))
    earn = [plain(name) for name, row in found.items() if row["r2_high"] and float(row["r2_high"]) < 0]
    text = (
        f"Worse than the full network beyond chance: {', '.join(earn)}."
        if earn
        else "No change shows a loss."
    )
    header = ("network", "r", "R2", "MAE", "R2 minus full")
    head = f"### Ablations\n\n{text} Mean over nine dimensions ({sources.ablations_path()})."
    return f"{head}\n\n{table(header, rows)}"


def labelling(sources: Sources) -> str:
    """The labelling tool: nothing lost, and what choosing gains."""
    kills = sources.json("results/labelling/kills.json")
    choice = sources.json("results/labelling/active_learning.json")
    gains = choice["gains"]["as `tocco label next`"]
    random = [mean(column) for column in zip(*choice["r2"]["random"], strict=True)]
    rows = [
        (
            str(gain["n"]),
            number(drawn),
            f"{number(gain['difference'], sign=True)} [{number(gain['low'])}, {number(gain['high'])}]",
        )
        for gain, drawn in zip(gains, random, strict=True)
        if gain["n"] in (80, 200, 400)
    ]
    rows.append((f"all {choice['n_all']}", number(choice["r2_all"]), "–"))
    return (
        f"### Labelling\n\nOf {kills['acknowledged']} ratings that were shown as saved, {kills['lost']}"
        f" were lost when {kills['kills']} writers were killed{_server(sources)}. Choosing what is rated"
        " next helps early and less later (simulated on PercePiano).\n\n"
        + table(("rated excerpts", "R2, drawn at random", "gain by choosing"), rows)
    )


def _server(sources: Sources) -> str:
    """The same of the whole server, and its speed under load."""
    kills = sources.json("results/labelling/server_kills.json")
    load = sources.json("results/labelling/load.json")
    slow = number(load["all"]["p95_ms"] / 1000, 1)
    return (
        f", and {kills['lost']} of {kills['acknowledged']} when the server was killed {kills['kills']}"
        f" times; {load['raters']} raters at once on {load['processors']} busy processors wait"
        f" {number(load['all']['median_ms'] / 1000, 2)} s in the median, less than {slow} s in 95 of 100"
        " answers"
    )


def reliability(sources: Sources) -> str:
    """Training that goes on after a kill, speed, pre-training, pseudo-labels."""
    resume = sources.json("results/training/resume.json")
    loading = sources.json("results/loading/loading.json")["examples_per_sec"]
    cached = {name.partition(" ")[2]: value for name, value in loading.items()}
    speed = {row["system"]: row for row in sources.json("results/transcription/speed.json")["systems"]}
    longest = sources.json("results/benchmark/assess.json")["by_length"][-1]
    page = sources.json("results/serve/serve.json")["page_sec"]["largest"]
    downstream = sources.table(
        "results/training/midi_pretrain/downstream.md", "## Frozen encoder, ridge regression"
    )
    encoder = {row["mean R2"]: row["together"] for row in downstream}
    monotone = sources.found(
        "results/pseudo_labels/validation/validation.md", r"Monotone: (\d+ of \d+) kinds"
    )
    specific = sources.found(
        "results/pseudo_labels/validation/validation.md", r"Specific: (\d+ of \d+) kinds"
    )
    match = sources.found("results/alignment/vienna.txt", r"tocco +F1 ([\d.]+)%")
    rows = [
        (
            "training resumed after a kill",
            f"{len(resume['differing_runs'])} of {resume['resumed_runs']} runs differ",
        ),
        ("examples a second from the cache", number(cached["files, 0 workers"], 1)),
        ("examples a second, augmented", number(cached["files, augmented, 2 workers"], 1)),
        (
            "transcription against transkun's own code",
            f"{number(speed['transkun']['clock_sec'] / speed['tocco']['clock_sec'], 1)} times as fast",
        ),
        (
            f"a recording of {number(longest['audio_sec'] / 60, 0)} minutes",
            f"{number(longest['assess_cpu_sec'], 0)} processor seconds,"
            f" {number(longest['peak_mb'] / 1000, 2)} GB",
        ),
        ("the page of `tocco serve`, slowest of its runs", f"{number(page, 2)} s"),
        ("alignment, Vienna 4x22, F1", f"{number(match, 2)} %"),
        ("pseudo-labels fall with damage, and only the right one", f"{monotone} kinds, {specific} kinds"),
        (
            "pre-trained note encoder, frozen, R2 (random encoder)",
            f"{number(encoder['pre-trained encoder'])} ({number(encoder['random encoder'])})",
        ),
    ]
    return "### Engineering\n\n" + table(("matter", "figure"), rows)
