"""The ways through a page: which bars are played, in which order.

The customary way takes all repeats, each pass with its ending; after a da capo or dal segno none, with the
last ending, up to the fine or over the coda. A player may leave out any repeat, and the jumps, all of them
or those that stand in words alone: each such choice is a way of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from tocco.music.notation import MAX_SCORE_BARS
from tocco.music.play_form import Form, Jump, Repeat, Section, form_of
from tocco.music.structure_signs import Sign

_MAX_WAYS = 64
_MAX_SINGLE_CHANGES = 32
_ALL_COUNTS_UP_TO = 4
"""A repeat that is played more often than this is offered in full and once, not every number between."""

_PLAYED_THROUGH = 0
"""In place of a number of passes: once, with endings that have no numbers one after the other."""

_Jumps = Literal["all", "sure", "none"]


@dataclass(frozen=True)
class Way:
    """One way through the page.

    Attributes
    ----------
    repeats : "as written", "all repeats", "no repeats" or "some repeats"
    sections : sections in the order in which they are played
    """

    repeats: str
    sections: tuple[Section, ...]


@dataclass(frozen=True)
class _Choice:
    """What a player decides.

    Attributes
    ----------
    passes : of each repeat
    jumps : which ones to follow; "sure" leaves out what stands in words alone
    after_jump : whether repeats are taken after a jump as well
    goes_on : whether, from the fine, the way leads on to what follows the jump
    """

    passes: tuple[int, ...]
    jumps: _Jumps = "all"
    after_jump: bool = False
    goes_on: bool = False


def ways_through(n_bars: int, signs: Iterable[Sign]) -> tuple[tuple[Section, ...], tuple[Way, ...]]:
    """Cut a page into sections, and find the ways through them.

    Parameters
    ----------
    n_bars : > 0
    signs : of one or several parts with the same bars

    Returns
    -------
    The sections in printed order; the ways, the customary one first (endings without numbers are
    played through in it, since their kind is not known), and among them one without
    repeats that follows the jumps that are sure. Up to 64 combinations of choices all stand there; of more:
    these two ways, and each of them with one choice changed. No way where the customary one is longer than a
    score may be.
    """
    form = form_of(n_bars, signs)
    full = _Choice(tuple(repeat.passes for repeat in form.repeats))
    once = tuple(_PLAYED_THROUGH if repeat.is_unnumbered else 1 for repeat in form.repeats)
    plain = _Choice(once, jumps="sure")
    full_walk, plain_walk = _walk(form, full), _walk(form, plain)
    first = _first_choice(form, full)
    walks = dict.fromkeys(
        _walk(form, choice) for choice in [first, full, *_variants(form, full, plain), plain]
    )
    if full_walk is None:
        return form.sections, ()
    ways = [
        Way(_name(walk, full_walk, plain_walk), tuple(form.sections[at] for at in walk))
        for walk in walks
        if walk is not None
    ]
    return form.sections, tuple(ways)


def _first_choice(form: Form, full: _Choice) -> _Choice:
    """All repeats, but those whose endings have no numbers: these are played through.

    MusicXML writes a blank number where a program does not know what kind of ending it is.
    """
    through = [
        _PLAYED_THROUGH if repeat.is_unnumbered else passes
        for repeat, passes in zip(form.repeats, full.passes, strict=True)
    ]
    return replace(full, passes=tuple(through))


def _name(walk: Sequence[int], full: Sequence[int], plain: Sequence[int] | None) -> str:
    if walk == full:
        return "as written" if full == plain else "all repeats"
    return "no repeats" if walk == plain else "some repeats"


def _variants(form: Form, full: _Choice, plain: _Choice) -> Iterator[_Choice]:
    """Choices between all repeats and none."""
    if form.jumps:
        yield replace(full, after_jump=True)
        yield replace(full, goes_on=True)
    counts = [_counts(repeat) for repeat in form.repeats]
    jumps = _jump_choices(form)
    n_ways = len(jumps)
    for options in counts:
        n_ways *= len(options)
        if n_ways > _MAX_WAYS:
            yield from _single_changes(full, plain, jumps)
            return
    # The first repeat changes fastest.
    for followed, *passes in itertools.product(jumps, *reversed(counts)):
        yield replace(full, passes=tuple(reversed(passes)), jumps=followed)


def _jump_choices(form: Form) -> tuple[_Jumps, ...]:
    if not form.jumps:
        return ("all",)
    is_mixed = form.has_unsure_signs and any(jump.sure for jump in form.jumps.values())
    return ("all", "sure", "none") if is_mixed else ("all", "none")


def _counts(repeat: Repeat) -> tuple[int, ...]:
    """How often a repeat may be played, from the most to once."""
    last = (1, _PLAYED_THROUGH) if repeat.is_unnumbered else (1,)
    if repeat.passes <= _ALL_COUNTS_UP_TO:
        return (*range(repeat.passes, 1, -1), *last)
    return (repeat.passes, *last)


def _single_changes(full: _Choice, plain: _Choice, jumps: Sequence[_Jumps]) -> Iterator[_Choice]:
    for followed in jumps[1:]:
        yield replace(full, jumps=followed)
        yield replace(plain, jumps=followed)
    for k in range(min(len(full.passes), _MAX_SINGLE_CHANGES)):
        for choice, passes in ((full, 1), (plain, full.passes[k])):
            yield replace(choice, passes=(*choice.passes[:k], passes, *choice.passes[k + 1 :]))


def _walk(form: Form, choice: _Choice) -> tuple[int, ...] | None:
    """Sections in the order of one choice; None where they are more than a score may have."""
    walk = _Walk(form, choice)
    while walk.at < len(form.sections):
        walk.take_step()
        if len(walk.played) > MAX_SCORE_BARS:
            return None
    return tuple(walk.played)


@dataclass
class _Walk:
    """A reader's place in the form, and what lies behind."""

    form: Form
    choice: _Choice
    at: int = 0
    played: list[int] = field(default_factory=list)
    rounds: dict[int, int] = field(default_factory=dict)
    """Passes of each repeat that are over."""
    jump: Jump | None = None
    jumped_from: int = -1
    heard: frozenset[int] = frozenset()
    """Sections before the last jump."""
    taken: set[int] = field(default_factory=set)
    is_in_coda: bool = False

    def __post_init__(self) -> None:
        self._endings = {
            ending.first: (k, ending)
            for k, repeat in enumerate(self.form.repeats)
            for ending in repeat.endings
        }
        self._backs = {at: k for k, repeat in enumerate(self.form.repeats) for at in repeat.backs}

    def take_step(self) -> None:
        """Play the section, or pass by an ending of another pass, and go on."""
        onward = self._past_endings()
        if onward is None and self._stops_at_segno():
            onward = self._after_segno()
        if onward is None:
            self.played.append(self.at)
            onward = self._next()
        self.at = onward

    def _past_endings(self) -> int | None:
        """Where to go instead of an ending that is not for this pass."""
        if self.at not in self._endings:
            return None
        k, ending = self._endings[self.at]
        repeat = self.form.repeats[k]
        if self.choice.passes[k] == _PLAYED_THROUGH and not self._is_shortened(k):
            return None
        wanted = repeat.ending_of(self._number(k))
        if wanted == ending:
            return None
        return wanted.first if wanted is not None and wanted.first > self.at else repeat.endings[-1].end

    def _number(self, k: int) -> int:
        """The pass of a repeat, as its endings count."""
        repeat = self.form.repeats[k]
        passes = self._passes(k)
        done = self.rounds.get(k, 0)
        if done + 1 < passes:
            return done + 1
        return repeat.last_number if self._is_shortened(k) else repeat.passes

    def _passes(self, k: int) -> int:
        return 1 if self._is_shortened(k) else self.choice.passes[k]

    def _is_shortened(self, k: int) -> bool:
        """Whether a repeat comes again after a jump, and so without repetition."""
        repeat = self.form.repeats[k]
        return (
            self.jump is not None
            and repeat.start in self.heard
            and not (self.choice.after_jump or repeat.after_jump)
        )

    def _next(self) -> int:
        """Where the way leads from the end of the section just played."""
        at = self.at
        k = self._backs.get(at)
        if k is not None:
            repeat = self.form.repeats[k]
            self.rounds[k] = self.rounds.get(k, 0) + 1
            if self.rounds[k] < self._passes(k):
                self._forget_inside(repeat)
                return repeat.start
        if self._is_fine(at):
            return self._after_fine()
        if self._leaves_for_coda(at):
            self.is_in_coda = True
            return self.form.to_codas[at][0]
        jump = self.form.jumps.get(at)
        if jump is not None and at not in self.taken and self._holds(jump.sure):
            return self._follow(jump)
        return at + 1

    def _forget_inside(self, outer: Repeat) -> None:
        """Inner repeats count anew in each pass of the outer one."""
        for k, repeat in enumerate(self.form.repeats):
            if repeat is not outer and outer.start <= repeat.start and repeat.end <= outer.end:
                self.rounds.pop(k, None)

    def _follow(self, jump: Jump) -> int:
        self.taken.add(self.at)
        self.jump = jump
        self.jumped_from = self.at
        self.heard = frozenset(self.played)
        self.rounds.clear()
        self.is_in_coda = False
        return jump.target

    def _holds(self, sure: bool) -> bool:
        return self.choice.jumps == "all" or (sure and self.choice.jumps == "sure")

    def _leaves_for_coda(self, at: int) -> bool:
        if self.jump is None or self.is_in_coda or self.jump.until in ("fine", "segno"):
            return False
        return at in self.form.to_codas and self._holds(self.form.to_codas[at][1])

    def _is_fine(self, at: int) -> bool:
        if self.jump is None or at not in self.form.fines or not self._holds(self.form.fines[at]):
            return False
        return self.is_in_coda or self.jump.until != "coda" or not self.form.to_codas

    def _after_fine(self) -> int:
        """The end; or, in a file of several pieces, what follows the jump."""
        onward = self.jumped_from + 1
        if self.choice.goes_on and onward < len(self.form.sections) and onward not in self.form.codas:
            self.jump = None
            self.rounds.clear()
            return onward
        return len(self.form.sections)

    def _stops_at_segno(self) -> bool:
        return (
            self.jump is not None
            and self.jump.until == "segno"
            and not self.is_in_coda
            and self.at in self.form.segnos
            and self.at != self.jump.target
        )

    def _after_segno(self) -> int:
        """From the segno of a "da capo al segno" to the coda, or to the end."""
        self.is_in_coda = True
        return next((coda for coda in self.form.codas if coda > self.at), len(self.form.sections))
