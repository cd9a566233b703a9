"""How a comparison is put into words: the same on the terminal and in the HTML file."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from tocco.inference.comparison import Comparison, PairDifference
from tocco.inference.difference import AGGREGATE, RatingDifference, Verdict
from tocco.inference.evidence import NoteOutcome
from tocco.report.wording import title

VERDICTS: Final[dict[Verdict, str]] = {
    "better": "better",
    "worse": "worse",
    "undecided": "no difference that can be told",
}

SIGNS: Final[dict[Verdict, str]] = {"better": "▲", "worse": "▼", "undecided": "≈"}

OF_INTERVALS: Final = (
    "90 %: of the difference that many raters would give, which is mostly smaller than that of the ratings."
)
OF_NO_DIFFERENCE: Final = (
    "No difference that can be told: that interval holds 0, or raters did not reliably agree on differences "
    "of this size."
)

_NAMED_NOTES: Final = 5
_MANY: Final = 3


def heading(name: str) -> str:
    """Name of a dimension, or of the aggregate, for people."""
    return "Weighted mean" if name == AGGREGATE else title(name)


def sentences(pair: PairDifference) -> list[str]:
    """What the comparison says, the whole first: two or three sentences."""
    said = [_on_the_whole(pair)]
    better, worse = (_named(pair, verdict) for verdict in ("better", "worse"))
    if better or worse:
        parts = [f"better in {_listed(better)}"] if better else []
        parts += [f"worse in {_listed(worse)}"] if worse else []
        said.append(f"{pair.take} is {', and '.join(parts)}.")
    n_open = len(_named(pair, "undecided"))
    if n_open and (better or worse):
        rest = "the other dimension" if n_open == 1 else f"the other {n_open} dimensions"
        said.append(f"In {rest} no difference can be told.")
    elif n_open:
        said.append("In no single dimension a difference can be told.")
    return said


def _on_the_whole(pair: PairDifference) -> str:
    found = pair.differences.get(AGGREGATE)
    if found is None:
        return (
            f"{pair.take} and {pair.compared_with} have no weighted mean of the same dimensions to compare."
        )
    if not round(found.value, 1):
        size = f"rated alike, 90 %: {interval(found)} points"
    else:
        side = "higher" if found.value > 0.0 else "lower"
        size = f"rated {abs(found.value):.1f} points {side}, 90 %: {interval(found)}"
    if found.verdict == "undecided":
        return f"On the whole no difference can be told: {pair.take} beside {pair.compared_with} is {size}."
    return f"On the whole {pair.take} is {found.verdict} than {pair.compared_with}: {size}."


def interval(difference: RatingDifference) -> str:
    """The interval of a difference in whole points, with signs.

    >>> ends = (-4.6, 8.6)
    >>> interval(RatingDifference(value=3, expected=2, sd=4, interval_90=ends, verdict="undecided"))
    '−5 to +9'
    """
    return f"{signed(difference.interval_90[0], '.0f')} to {signed(difference.interval_90[1], '.0f')}"


def signed(value: float, form: str = ".1f") -> str:
    """A difference with its sign; 0 has none.

    >>> signed(-3.14), signed(0.02), signed(2.0)
    ('−3.1', '0.0', '+2.0')
    """
    digits = f"{abs(value):{form}}"
    return digits if not float(digits) else f"{'−' if value < 0.0 else '+'}{digits}"


def _named(pair: PairDifference, verdict: Verdict) -> list[str]:
    return [
        title(name).lower()
        for name, one in pair.differences.items()
        if name != AGGREGATE and one.verdict == verdict
    ]


def _listed(names: Sequence[str]) -> str:
    """Names in a sentence.

    >>> _listed(["tone", "touch", "pedal"])
    'tone, touch and pedal'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def note_sentences(comparison: Comparison, pair: PairDifference) -> list[str]:
    """What became of the note errors; empty without a score."""
    errors = {take.id: take.note_errors for take in comparison.takes}
    later, earlier = errors[pair.take], errors[pair.compared_with]
    if later is None or earlier is None:
        return []
    said = [
        f"{name}: {counted.wrong} wrong, {counted.missing} missing and {counted.extra} added "
        f"{'note' if counted.extra == 1 else 'notes'}."
        for name, counted in ((pair.compared_with, earlier), (pair.take, later))
    ]
    if pair.solved:
        said.append(f"Right in {pair.take} and not in {pair.compared_with}: {notes_in_words(pair.solved)}.")
    if pair.new:
        said.append(f"Right in {pair.compared_with} and not in {pair.take}: {notes_in_words(pair.new)}.")
    return said


def notes_in_words(notes: Sequence[NoteOutcome]) -> str:
    """Notes by bar, the first few by name."""
    named = [f"bar {note.bar}, beat {note.beat:.3g}: {error_in_words(note)}" for note in notes[:_NAMED_NOTES]]
    more = f"; and {len(notes) - len(named)} more" if len(notes) > len(named) else ""
    return "; ".join(named) + more


def error_in_words(note: NoteOutcome) -> str:
    """What is wrong with a note."""
    if note.expected is None:
        return f"{note.played} is added"
    if note.played is None:
        return f"{note.expected} is missing"
    return f"{note.played} in place of {note.expected}"


def caution(comparison: Comparison) -> list[str]:
    """What a reader has to know before trusting the comparison."""
    said = []
    if comparison.score_sha256 is None:
        said.append(
            "No score was given: that all takes are of one piece was not checked, and they cannot be laid "
            "beside each other bar by bar."
        )
    heard = [take.id for take in comparison.takes if take.notes == "transcribed"]
    if heard and len(heard) < len(comparison.takes):
        said.append(
            f"The notes of {_few(heard)} were transcribed from sound and those of the others come from the "
            "keys: intervals are wider for it, and soft notes may be missing in one and not in the other."
        )
    return said


NOTHING_TO_HEAR: Final = (
    "The takes cannot be heard here, since their assessments were given and not their recordings or MIDI: "
    "compare the files to hear the same bars of both."
)


def _few(names: Iterable[str]) -> str:
    names = list(names)
    return _listed(names) if len(names) <= _MANY else f"{len(names)} takes"
