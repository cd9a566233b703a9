"""The form of a score: its bars cut where the music may jump, with repeats, endings and jumps between them.

`form_of` makes one consistent structure of structure signs, which may contradict each other: a repeat
without a start begins after the last one, a jump without its target is no jump.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from tocco.music.structure_signs import Sign, Until

_LAST_KINDS = frozenset(
    {"repeat_end", "ending_end", "final_barline", "to_coda", "fine", "da_capo", "dal_segno"}
)
_JUMPS = frozenset({"da_capo", "dal_segno"})
_CUTTING = frozenset({"repeat_start", "repeat_end", "ending_start", "ending_end"})


@dataclass(frozen=True)
class Section:
    """A bar, or a piece of a bar between two barlines inside it.

    Attributes
    ----------
    bar : index 0..
    start_beat : quarter notes from the start of the bar
    """

    bar: int
    start_beat: float


@dataclass(frozen=True)
class Ending:
    """Sections [first, end) for some passes of a repeat (a volta)."""

    first: int
    end: int
    numbers: frozenset[int]
    is_unnumbered: bool = False
    """Whether the page leaves the passes to the order of the endings."""


@dataclass(frozen=True)
class Repeat:
    """Sections that are played several times.

    Attributes
    ----------
    start : first section
    backs : sections after which the way leads back to the start
    passes : how often it is played; 1 where a da capo inside the first ending leads back
    endings : its endings in printed order, () where all passes are alike
    after_jump : whether it is repeated after a da capo or dal segno as well
    """

    start: int
    backs: frozenset[int]
    passes: int
    endings: tuple[Ending, ...] = ()
    after_jump: bool = False

    @property
    def end(self) -> int:
        """First section after the repeat and its endings."""
        return max(*(at + 1 for at in self.backs), self.endings[-1].end if self.endings else 0, 0)

    @property
    def is_unnumbered(self) -> bool:
        """Whether it has endings, none of them with a number."""
        return bool(self.endings) and all(ending.is_unnumbered for ending in self.endings)

    @property
    def last_number(self) -> int:
        """Pass of the last ending; one bracket alone is left out the last time."""
        if not self.endings:
            return self.passes
        numbers = max(number for ending in self.endings for number in ending.numbers)
        return max(numbers + (len(self.endings) == 1), self.passes)

    def ending_of(self, number: int) -> Ending | None:
        """The ending of a pass; None where that pass has none."""
        return next((ending for ending in self.endings if number in ending.numbers), None)


@dataclass(frozen=True)
class Jump:
    """A da capo or dal segno at the end of a section."""

    target: int
    until: Until
    sure: bool


@dataclass(frozen=True)
class Form:
    """Sections and how the way may lead through them.

    Attributes
    ----------
    sections : in printed order
    repeats : by their start, outer ones before inner ones
    jumps : by the section at whose end they stand
    to_codas : section at whose end a way leads to a coda, that coda's section, whether it is sure
    fines : section with whose end the piece may end, whether it is sure
    codas, segnos : sections
    """

    sections: tuple[Section, ...]
    repeats: tuple[Repeat, ...]
    jumps: dict[int, Jump]
    to_codas: dict[int, tuple[int, bool]]
    fines: dict[int, bool]
    codas: tuple[int, ...]
    segnos: tuple[int, ...]

    @property
    def has_unsure_signs(self) -> bool:
        """Whether a way depends on signs that stand in words alone."""
        return bool(self.jumps) and not (
            all(jump.sure for jump in self.jumps.values())
            and all(sure for _, sure in self.to_codas.values())
            and all(self.fines.values())
        )


def form_of(n_bars: int, signs: Iterable[Sign]) -> Form:
    """One consistent form of a score.

    Parameters
    ----------
    n_bars : > 0
    signs : in any order, from one or several parts with the same bars
    """
    unique = sorted({s for s in signs if s.bar < n_bars}, key=lambda s: (s.bar, s.beat, s.kind, s.label))
    sections = _sections(n_bars, unique)
    placed = _place(unique, sections)
    codas, to_coda_signs = _coda_signs(placed)
    segnos = [(at, sign) for at, sign in placed if sign.kind == "segno"]
    jumps = _jumps(placed, segnos)
    to_codas = _to_codas(to_coda_signs, codas)
    fines: dict[int, bool] = {}
    for at, sign in placed:
        if sign.kind == "fine":
            fines[at] = fines.get(at, False) or sign.sure
    if not fines:
        fines = _implied_fines(placed, jumps)
    return Form(
        sections=sections,
        repeats=_repeats(placed, len(sections), frozenset(jumps)),
        jumps=jumps,
        to_codas=to_codas,
        fines=fines,
        codas=tuple(sorted({at for at, _ in codas})),
        segnos=tuple(sorted({at for at, _ in segnos})),
    )


def _sections(n_bars: int, signs: Sequence[Sign]) -> tuple[Section, ...]:
    cuts = {(s.bar, s.beat) for s in signs if s.kind in _CUTTING and s.beat > 0 and not s.at_end}
    return tuple(Section(bar, beat) for bar, beat in sorted(cuts | {(bar, 0.0) for bar in range(n_bars)}))


Placed = tuple[int, Sign]
"""A sign and the section at whose start, or at whose end, it counts."""


def _place(signs: Sequence[Sign], sections: Sequence[Section]) -> list[Placed]:
    """Put every sign to a section.

    Where a bar is not cut, a sign inside it that lets the music start there counts from the start of the
    bar, and one that ends it counts at the end of the bar: a word is often printed ahead of the last note.
    """
    first_of = {section.bar: i for i, section in reversed(list(enumerate(sections)))}
    coda_bars = {sign.bar for sign in signs if sign.kind == "coda" and not sign.at_end}
    placed = []
    for sign in signs:
        at = first_of[sign.bar]
        pieces = [s.start_beat for s in sections[at : first_of.get(sign.bar + 1, len(sections))]]
        if sign.kind in _LAST_KINDS:
            at += len(pieces) - 1 if sign.at_end else sum(start < sign.beat for start in pieces[1:])
            # A barline at the left of a bar closes the one before, and so does a jump ahead of the coda.
            is_ahead = sign.kind in _CUTTING or (sign.kind in _JUMPS and sign.bar in coda_bars)
            at -= sign.beat == 0 and not sign.at_end and is_ahead
        elif sign.at_end:
            at += len(pieces)
        else:
            at += sum(start <= sign.beat for start in pieces[1:])
        if 0 <= at < len(sections):
            placed.append((at, sign))
    return sorted(placed, key=lambda p: (p[0], p[1].kind in _LAST_KINDS))


def _coda_signs(placed: Sequence[Placed]) -> tuple[list[Placed], list[Placed]]:
    """The codas, and the places from where the way leads to them."""
    to_codas = [(at, sign) for at, sign in placed if sign.kind == "to_coda"]
    codas = [(at, sign) for at, sign in placed if sign.kind == "coda"]
    if not to_codas and len({at for at, _ in codas}) > 1:
        # Of two printed coda signs the first one says where to leave.
        first, sign = codas[0]
        leaves = first - 1 if sign.at_end else first
        return [c for c in codas if c[0] > first], [(leaves, replace(sign, kind="to_coda", label=""))]
    return codas, to_codas


def _jumps(placed: Sequence[Placed], segnos: Sequence[Placed]) -> dict[int, Jump]:
    jumps: dict[int, Jump] = {}
    for at, sign in placed:
        if sign.kind not in _JUMPS:
            continue
        target = 0 if sign.kind == "da_capo" else _segno_before(at, sign, segnos)
        other = jumps.get(at)
        if other is None or (sign.sure and not other.sure):
            jumps[at] = Jump(target, sign.until or (other.until if other else ""), sign.sure)
        elif not other.until:
            jumps[at] = replace(other, until=sign.until)
    return jumps


def _segno_before(at: int, jump: Sign, segnos: Sequence[Placed]) -> int:
    """The segno of a dal segno: the last one of its name ahead of it, of any name, else the start."""
    before = [(place, segno) for place, segno in segnos if place <= at]
    named = [place for place, segno in before if jump.label and segno.label == jump.label]
    return max(named or [place for place, _ in before], default=0)


def _to_codas(signs: Sequence[Placed], codas: Sequence[Placed]) -> dict[int, tuple[int, bool]]:
    to_codas: dict[int, tuple[int, bool]] = {}
    for at, sign in signs:
        after = [(place, coda) for place, coda in codas if place > at]
        named = [place for place, coda in after if sign.label and coda.label == sign.label]
        target = min(named or [place for place, _ in after], default=None)
        if target is not None:
            sure = sign.sure or to_codas.get(at, (0, False))[1]
            to_codas[at] = (target, sure)
    return to_codas


def _implied_fines(placed: Sequence[Placed], jumps: dict[int, Jump]) -> dict[int, bool]:
    """Where no fine is written: the final barlines inside what a jump leads back to, as of a minuet."""
    return {
        at: True
        for at, sign in placed
        if sign.kind == "final_barline"
        and any(jump.target <= at < place and jump.until != "coda" for place, jump in jumps.items())
    }


def _repeats(placed: Sequence[Placed], n_sections: int, jumps: frozenset[int]) -> tuple[Repeat, ...]:
    starts = frozenset(at for at, sign in placed if sign.kind == "repeat_start")
    closed = frozenset(at for at, sign in placed if sign.kind == "final_barline")
    backs: dict[int, Sign] = {}
    for at, sign in placed:
        if sign.kind == "repeat_end" and (at not in backs or backs[at].numbers < sign.numbers):
            backs[at] = sign
    groups = _ending_groups(placed, backs, n_sections)
    for group in groups:
        _imply_backs(group, backs, jumps)
    found = _with_starts(starts, closed, backs, groups)
    found.extend(
        Repeat(group[0].first, frozenset(), 1, group)
        for group in groups
        if any(at in jumps for ending in group[:-1] for at in range(ending.first, ending.end))
        and not any(at in backs for at in range(group[0].first, group[-1].end))
    )
    repeats = (_with_passes(repeat) if repeat.endings else repeat for repeat in found)
    return tuple(sorted(repeats, key=lambda r: (r.start, -r.end)))


def _with_starts(
    starts: frozenset[int],
    closed: frozenset[int],
    backs: dict[int, Sign],
    groups: Sequence[tuple[Ending, ...]],
) -> list[Repeat]:
    """Find for every sign that leads back where it leads to.

    To the last start that is still open, and without one to the end of the last repeat or of the last
    piece. All endings of a group lead back to where its first one does.
    """
    group_of = {section: group for group in groups for section in range(group[0].first, group[-1].end)}
    of_group: dict[int, Repeat] = {}
    alone: list[Repeat] = []
    open_starts: list[int] = []
    implicit = 0
    for at in range(max(backs, default=-1) + 1):
        if at in starts:
            open_starts.append(at)
        if at in backs:
            sign = backs[at]
            group = group_of.get(at, ())
            ending = next((e for e in group if e.first <= at < e.end), None)
            if ending is not None and open_starts and open_starts[-1] >= ending.first:
                group = ()
            key = group[0].first if group else -1
            if key in of_group:
                of_group[key] = replace(of_group[key], backs=of_group[key].backs | {at})
            else:
                begins_by = key if group else at
                has_start = bool(open_starts) and open_starts[-1] <= begins_by
                start = open_starts.pop() if has_start else min(implicit, begins_by)
                repeat = Repeat(start, frozenset({at}), sign.numbers[0], group, sign.after_jump)
                if group:
                    of_group[key] = repeat
                else:
                    alone.append(repeat)
            implicit = group[-1].end if group else at + 1
        if at in closed:
            implicit = at + 1
    return [*alone, *of_group.values()]


def _ending_groups(
    placed: Sequence[Placed], backs: dict[int, Sign], n_sections: int
) -> list[tuple[Ending, ...]]:
    """Endings that follow each other, with their passes."""
    starts = {at: frozenset(sign.numbers) for at, sign in placed if sign.kind == "ending_start"}
    ends = sorted({at + 1 for at, sign in placed if sign.kind == "ending_end"})
    brackets = [
        Ending(first, _bracket_end(first, following, starts, ends, backs), starts[first])
        for first, following in itertools.pairwise([*sorted(starts), n_sections])
    ]
    covered = {section for bracket in brackets for section in range(bracket.first, bracket.end)}
    # An end without a start: a bracket over one bar.
    brackets.extend(Ending(end - 1, end, frozenset()) for end in ends if end - 1 not in covered)
    groups: list[list[Ending]] = []
    for bracket in sorted(brackets, key=lambda bracket: bracket.first):
        if groups and groups[-1][-1].end == bracket.first and 1 not in bracket.numbers:
            groups[-1].append(bracket)
        else:
            groups.append([bracket])
    return [_with_numbers(group, backs) for group in groups]


def _bracket_end(
    first: int,
    following: int,
    starts: dict[int, frozenset[int]],
    ends: Sequence[int],
    backs: dict[int, Sign],
) -> int:
    """Where an ending stops: at its own end, else its repeat sign, else the next ending, else after a bar."""
    own = next((end for end in ends if first < end <= following), None)
    if own is not None:
        return own
    back = next((at + 1 for at in sorted(backs) if first <= at < following), None)
    if back is not None:
        return back
    return following if following in starts and 1 not in starts[following] else first + 1


def _with_numbers(group: Sequence[Ending], backs: dict[int, Sign]) -> tuple[Ending, ...]:
    """Give blank endings their passes: the next one, or as many as their repeat sign says."""
    is_wrong = bool(group[0].numbers) and 1 not in group[0].numbers
    taken: set[int] = set()
    numbered = []
    for ending in group:
        own = frozenset() if is_wrong else ending.numbers - taken
        if not own:
            signs = (backs[at] for at in range(ending.first, ending.end) if at in backs)
            times = next((sign.numbers[0] - 1 for sign in signs), 1)
            own = frozenset(max(taken, default=0) + 1 + k for k in range(times))
        taken |= own
        numbered.append(replace(ending, numbers=own, is_unnumbered=not ending.numbers))
    return tuple(numbered)


def _imply_backs(group: Sequence[Ending], backs: dict[int, Sign], jumps: frozenset[int]) -> None:
    """Every ending but the last leads back, also where its repeat sign is missing, or jumps."""
    for ending in group[:-1]:
        if not any(at in backs or at in jumps for at in range(ending.first, ending.end)):
            backs[ending.end - 1] = Sign("repeat_end", 0, numbers=(2,))


def _with_passes(repeat: Repeat) -> Repeat:
    """Count the passes of a repeat with endings by the endings that lead back."""
    limit = max(repeat.last_number, repeat.passes)
    passes = 1
    while passes < limit:
        ending = repeat.ending_of(passes)
        if ending is None or not any(at in repeat.backs for at in range(ending.first, ending.end)):
            break
        passes += 1
    return replace(repeat, passes=passes)
