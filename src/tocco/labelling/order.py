"""What is presented to a rater, and when: the same for the same seed and rater, and stored.

Calibration comes first and once more on a later day. Then come the segments of each round, shuffled for
each rater, with repetitions at a distance and anchors among them. A rater's page has positions alone:
whether an item is a repetition or an anchor does not show.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from typing import Literal

import numpy as np

from tocco.labelling.events import Item, Occasion, Pair
from tocco.labelling.project import Project
from tocco.labelling.store import RatingStore
from tocco.labelling.stored_orders import extend_order, extend_pairs, stored_order, stored_pairs

Phase = Literal["calibration", "calibration_again", "rating"]
"""What a rater may know of an item."""


def phase_of(occasion: Occasion) -> Phase:
    """The phase that an occasion belongs to."""
    if occasion == "calibration_1":
        return "calibration"
    return "calibration_again" if occasion == "calibration_2" else "rating"


def order_of(project: Project, store: RatingStore, rater_id: str) -> tuple[Item, ...]:
    """The order of a rater, with rounds that have been added since it was last asked for.

    Raises
    ------
    InputError
        The rater is unknown.
    """
    order = stored_order(store, rater_id)
    anchors_left_over = {name for name in project.segments if project.facts[name].role == "anchor"}
    placed = {one.segment_id for one in order} | (anchors_left_over if order else set())
    last = max((project.facts[name].round for name in project.segments), default=0)
    for number in range(1, last + 1):
        if any(project.facts[name].round == number for name in project.segments if name not in placed):
            items = round_items(project, rater_id, number, len(order), placed)
            order = extend_order(store, rater_id, items)
    return order


def round_items(
    project: Project, rater_id: str, number: int, start: int, placed: Collection[str] = ()
) -> tuple[Item, ...]:
    """The items of one round for one rater, at positions from `start` on, without segments placed before."""
    rng = _generator(project, rater_id, f"round {number}")
    by_role = {
        role: [
            name
            for name in project.segments
            if project.facts[name].round == number and project.facts[name].role == role and name not in placed
        ]
        for role in ("calibration", "rated", "anchor")
    }
    calibration = by_role["calibration"]
    presented: list[tuple[str, Occasion]] = [
        (str(name), occasion)
        for occasion in ("calibration_1", "calibration_2")
        for name in rng.permutation(calibration)
    ]
    presented += _interleaved(project, by_role["rated"], by_role["anchor"], rng)
    return tuple(Item(start + i, name, occasion) for i, (name, occasion) in enumerate(presented))


def _interleaved(
    project: Project, rated: Sequence[str], anchors: Sequence[str], rng: np.random.Generator
) -> list[tuple[str, Occasion]]:
    """Segments in random order, with repetitions at a distance and anchors spread evenly.

    The i-th segment stands at i; what is put between moves others apart, never together.
    """
    settings = project.settings
    first = _apart([str(name) for name in rng.permutation(list(rated))], project)
    n = len(first)
    placed: list[tuple[float, str, Occasion]] = [(i, name, "first") for i, name in enumerate(first)]
    distance = min(settings.repeat_distance, n // 2)
    n_repeats = min(round(settings.repeat_share * n), n - distance)
    repeated = rng.permutation(n - distance)[: max(n_repeats, 0)]
    placed.extend((rng.uniform(i + distance, n), first[i], "repeat") for i in repeated)
    n_anchors = min(round(settings.anchor_share * n), len(anchors))
    for k, name in enumerate(rng.permutation(list(anchors))[:n_anchors]):
        placed.append(((k + rng.uniform()) / n_anchors * n, str(name), "anchor"))
    return [(name, occasion) for _, name, occasion in sorted(placed)]


def _apart(names: list[str], project: Project) -> list[str]:
    """The same names, with no piece twice in a row where another one is left."""
    left, result = list(names), list[str]()
    while left:
        before = project.segments[result[-1]].piece_id if result else None
        chosen = next((n for n in left if project.segments[n].piece_id != before), left[0])
        left.remove(chosen)
        result.append(chosen)
    return result


def pairs_of(project: Project, store: RatingStore, rater_id: str) -> tuple[Pair, ...]:
    """The pairs of a rater: of one piece where there are such, every segment about equally often."""
    stored = stored_pairs(store, rater_id)
    if stored or project.settings.n_pairs == 0:
        return stored
    rng = _generator(project, rater_id, "pairs")
    return extend_pairs(store, rater_id, _pairs(project, rng))


def _pairs(project: Project, rng: np.random.Generator) -> list[Pair]:
    names = [name for name in project.segments if project.facts[name].role == "rated"]
    passage = {n: (r.passage_id or r.piece_id) for n, r in project.segments.items()}
    partners = {n: [m for m in names if m != n and passage[m] == passage[n]] for n in names}
    used = dict.fromkeys(names, 0)
    seen: set[frozenset[str]] = set()
    result: list[Pair] = []
    while len(result) < project.settings.n_pairs:
        found = _rarest_pair(used, partners, seen, rng)
        if found is None:
            break
        a, b = (str(name) for name in rng.permutation(found))
        seen.add(frozenset(found))
        used[a], used[b] = used[a] + 1, used[b] + 1
        result.append(Pair(len(result), a, b))
    return result


def _rarest_pair(
    used: dict[str, int],
    partners: dict[str, list[str]],
    seen: set[frozenset[str]],
    rng: np.random.Generator,
) -> list[str] | None:
    """A new pair of segments that were seldom used, of one passage if possible."""
    jitter = dict(zip(used, rng.uniform(size=len(used)), strict=True))
    by_use = sorted(used, key=lambda name: (used[name], jitter[name]))
    for same_passage in (True, False):
        for one in by_use:
            allowed = set(partners[one]) if same_passage else set(by_use)
            for other in by_use:
                if other != one and other in allowed and frozenset((one, other)) not in seen:
                    return [one, other]
    return None


def _generator(project: Project, rater_id: str, purpose: str) -> np.random.Generator:
    text = f"{project.settings.seed}/{rater_id}/{purpose}"
    return np.random.default_rng(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
