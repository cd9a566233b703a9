"""Where the ratings err, computed from tables of errors."""

from __future__ import annotations

from results_page.sources import INTERPRETIVE, LISTENERS, TECHNICAL, Row, Sources
from results_page.writing import number, percent, plain, table

SHOWN = 4
"""Passages shown at each end."""


def section(sources: Sources) -> str:
    """Dimensions, passages, levels, players, damage."""
    parts = (dimensions, passages, levels, students, damage)
    return "\n\n".join(part(sources) for part in parts)


def dimensions(sources: Sources) -> str:
    """The dimensions furthest below what can be expected, and what the deductions do to each."""
    names = TECHNICAL + INTERPRETIVE
    r2 = {name: sources.ratings(name, "r2").value for name in names}
    alone = {name: sources.listeners(name, "r2").value for name in names}
    order = sorted(names, key=lambda name: r2[name] - sources.reliability(name))
    rows = [
        (
            plain(name),
            number(r2[name]),
            number(alone[name]),
            number(sources.reliability(name)),
            number(r2[name] - sources.reliability(name)),
        )
        for name in order
    ]
    return (
        f"### Dimensions\n\nFurthest below what can be expected: {plain(order[0])}, {plain(order[1])} and"
        f" {plain(order[2])}. R2 on music not learned from, of the ratings that people see and of the"
        f" model of listeners ({LISTENERS}), beside the reliability of the raters' mean.\n\n"
        + table(("dimension", "ratings", "model of listeners", "reliability", "ratings below it by"), rows)
    )


def passages(sources: Sources) -> str:
    """The passages with the largest and the smallest errors, and the works."""
    rows = sources.rows("results/error_patterns/percepiano/passages.csv")
    order = sorted(rows, key=lambda row: -float(row["absolute_error"]))
    works: dict[str, list[Row]] = {}
    for row in rows:
        works.setdefault(row["work"], []).append(row)
    by_work = [(work, str(_total(part)), *_means(part)) for work, part in sorted(works.items())]
    chosen = [*order[:SHOWN], *order[-SHOWN:]]
    cells = [
        (row["passage"], row["n"], number(row["absolute_error"], 1), number(row["error"], 1, sign=True))
        for row in chosen
    ]
    system = _about(sources, "percepiano", "system")
    shared = [abs(float(row["error"])) for row in order[:SHOWN]]
    header = ("n", "mean absolute error", "mean error")
    return (
        f"### Passages\n\nMean over nine dimensions, new music, {system}; the {SHOWN} worst and the"
        f" {SHOWN} best of {len(rows)} passages. In the worst, {number(min(shared), 1)} to"
        f" {number(max(shared), 1)} points of the error are the same for all players: there the passage is"
        " misjudged more than the playing.\n\n"
        + table(("passage", *header), cells)
        + "\n\n"
        + table(("work", *header), by_work)
    )


def _total(rows: list[Row]) -> int:
    return sum(int(row["n"]) for row in rows)


def _means(rows: list[Row]) -> tuple[str, str]:
    total = _total(rows)
    absolute, signed = (
        sum(float(row[name]) * int(row["n"]) for row in rows) / total for name in ("absolute_error", "error")
    )
    return number(absolute, 1), number(signed, 1, sign=True)


def _about(sources: Sources, data: str, name: str) -> str:
    rows = sources.rows(f"results/error_patterns/{data}/about.csv")
    return next(row["value"] for row in rows if row["name"] == name)


def levels(sources: Sources) -> str:
    """Errors at the ends of the scale, beside those of a perfect system."""
    by_rating = sources.levels("percepiano", "rating")
    by_prediction = sources.levels("percepiano", "prediction")
    rows = []
    for fifth in map(str, range(1, 6)):
        part = [row for row in by_rating if row["fifth"] == fifth]
        perfect = [_perfect(sources, by_rating, row) for row in part]
        other = [float(row["error"]) for row in by_prediction if row["fifth"] == fifth]
        error = [float(row["error"]) for row in part]
        rating = [float(row["rating"]) for row in part]
        cells = (number(_mean(rating), 1), *(number(_mean(x), 1, sign=True) for x in (error, perfect, other)))
        rows.append((fifth, *cells))
    return (
        "### Ends of the scale\n\nLow ratings are predicted too high and high ones too low: by"
        f" {rows[0][2]} points in the lowest fifth and {rows[-1][2]} in the highest. Of this {rows[0][3]}"
        f" and {rows[-1][3]} are owed to the raters' own error, which a perfect system would show too."
        f" Sorted by the prediction the error is {rows[0][4]} and {rows[-1][4]}, so a low or a high"
        " prediction can be taken at its word. Mean over nine dimensions, in points, prediction minus"
        " rating.\n\n"
        + table(
            ("fifth", "mean rating", "error, by rating", "of a perfect system", "error, by prediction"), rows
        )
        + "\n\n"
        + _spread(sources)
    )


def _perfect(sources: Sources, rows: tuple[Row, ...], row: Row) -> float:
    """What a system that knows the true ratings would err: the raters' mean lies too far from the middle."""
    same = [other for other in rows if other["target"] == row["target"]]
    middle = sum(float(other["rating"]) * int(other["n"]) for other in same) / _total(same)
    return (1.0 - sources.reliability(row["target"])) * (middle - float(row["rating"]))


def _spread(sources: Sources) -> str:
    table_ = sources.table("results/differences/report.md", "## Pairs of other music, with a score")
    gain = {row["dimension"]: float(row["gain"]) for row in table_}
    gain.pop("aggregate")
    lowest = min(gain, key=gain.__getitem__)
    highest = max(gain, key=gain.__getitem__)
    return (
        "Differences between the ratings that people see are larger than those between listeners'"
        f" ratings: of ten points, {number(10 * gain[lowest], 1)} remain in {plain(lowest)},"
        f" {number(10 * gain[highest], 1)} in {plain(highest)} (results/differences/report.md). `tocco"
        " compare` shrinks them by this."
    )


def students(sources: Sources) -> str:
    """Errors from beginners to the best students, and professionals."""
    rows = sources.levels("expert_novice", "rating")
    cells = [
        (
            row["fifth"],
            *(number(row[n], 1) for n in ("rating", "prediction")),
            number(row["error"], 1, sign=True),
        )
        for row in rows
    ]
    professionals = sources.validity("professionals_above", "keys_score")
    return (
        f"### Beginners and experts\n\nTakes that teachers grade lowest are rated {_over(rows[0])}, those"
        f" that they grade highest {_over(rows[-1])}: the ratings are compressed, and too low for good"
        f" students. Overall quality, {_total(list(rows))} takes of students, by the bundle that"
        " ships.\n\n"
        + table(("fifth by teachers", "teachers", "rating", "error"), cells)
        + "\n\nProfessionals of other music lie above the students' median in"
        f" {percent(professionals['value'], 0)} of {professionals['n']} takes (95 % wanted). Teachers"
        " grade students for students, and the scale of tocco is that of listeners to advanced players;"
        " that the two differ is known, how to join them is not."
    )


def _over(row: Row) -> str:
    error = float(row["error"])
    return f"{number(abs(error), 1)} points too {'high' if error > 0 else 'low'}"


def damage(sources: Sources) -> str:
    """Kinds of damage that do not cost their dimension."""
    kinds = sources.json("results/validity/after/validity.json")["kinds"]
    there = [k for k in kinds if k["modality"] == "keys_score" and k["target_falls"] is not None]
    worst = sorted(there, key=lambda k: (k["target_falls"], k["kind"]))[:5]
    cells = [
        (
            plain(k["kind"]),
            plain(k["target"]),
            percent(k["target_falls"], 0),
            number(k["target_change"], 1, sign=True),
        )
        for k in worst
    ]
    return (
        "### Damage that costs too little\n\nThe kinds whose own dimension falls least often, with the"
        " score (97 % wanted; results/validity/after/validity.md has all).\n\n"
        + table(("damage", "dimension", "falls", "mean change"), cells, words=2)
    )


def _mean(values: list[float]) -> float:
    return sum(values) / len(values)
