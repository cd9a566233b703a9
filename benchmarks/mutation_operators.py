"""Small faults put into a module, each of which a test should notice, and a seeded choice among them.

A mutant changes one place: a comparison, an arithmetic or logical operation, a number, a truth value, `min`
or `max`, a returned value, or a statement that is left out. Docstrings, annotations, messages of errors and
text are left alone, for their wording is no behaviour.
"""

from __future__ import annotations

import ast
import copy
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Div,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
_EXTREMES = {
    "min": "max",
    "max": "min",
    "minimum": "maximum",
    "maximum": "minimum",
    "amin": "amax",
    "amax": "amin",
    "nanmin": "nanmax",
    "nanmax": "nanmin",
    "argmin": "argmax",
    "argmax": "argmin",
}
_SYMBOLS: dict[type, str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=",
    ast.Is: "is", ast.IsNot: "is not", ast.In: "in", ast.NotIn: "not in",
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.BitAnd: "&", ast.BitOr: "|",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one module.

    Attributes
    ----------
    module : path of the file below the root of the repository
    line, column : where the changed node begins
    change : what it was and what it is, in words of the language
    first_line, last_line : lines that run if and only if the changed part runs; (0, 0) when that is at import
    index : place in the order of `mutants_of` or `threshold_mutants_of`
    is_threshold : whether it is one of the latter
    """

    module: str
    line: int
    column: int
    change: str
    first_line: int
    last_line: int
    index: int
    is_threshold: bool = False

    @property
    def name(self) -> str:
        """Stands for the mutant as long as its module stays the same but for text and comments."""
        return f"{self.module} {'constant' if self.is_threshold else 'place'} {self.index}: {self.change}"

    @property
    def where(self) -> str:
        """For people: where it is in the present text, and what it changes."""
        return f"{self.module}:{self.line}:{self.column}: {self.change}"


def program_hash(source: str) -> str:
    """Hash of what a module does: docstrings, comments and layout do not count."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            node.value = ast.Constant("")
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class _Change:
    """A node of the tree, what replaces it, and words for both."""

    node: ast.AST
    becomes: ast.AST
    words: str


def mutants_of(path: Path, root: Path) -> list[Mutant]:
    """All mutants of a module; their order depends on its text alone."""
    tree = ast.parse(path.read_text())
    module = path.relative_to(root).as_posix()
    lines = _running_lines(tree)
    return [
        Mutant(module, _line(c.node), _column(c.node), c.words, *lines.get(id(c.node), (0, 0)), index)
        for index, c in enumerate(_changes(tree))
    ]


def threshold_mutants_of(path: Path, root: Path) -> list[Mutant]:
    """Every number in a constant of the module, a fifth more and a fifth less; at least by one if whole."""
    tree = ast.parse(path.read_text())
    module = path.relative_to(root).as_posix()
    return [
        Mutant(module, _line(c.node), _column(c.node), c.words, 0, 0, index, is_threshold=True)
        for index, c in enumerate(_threshold_changes(tree))
    ]


def mutated_source(source: str, mutant: Mutant) -> str:
    """The text of the module with one change; comments and layout are lost."""
    tree = ast.parse(source)
    changes = _threshold_changes(tree) if mutant.is_threshold else _changes(tree)
    change = list(changes)[mutant.index]

    class Replace(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> ast.AST:
            return change.becomes if node is change.node else self.generic_visit(node)

    return ast.unparse(ast.fix_missing_locations(Replace().visit(tree)))


def sample(modules: Sequence[Sequence[Mutant]], count: int, seed: int) -> list[Mutant]:
    """So many mutants, from each module in proportion to how many it has, at least one of each that has any.

    Within a module every mutant is equally likely. What is drawn from one module depends on its own mutants
    and its share alone.
    """
    total = sum(map(len, modules))
    count = min(count, total)
    exact = [count * len(mutants) / total for mutants in modules]
    shares = [min(len(m), max(1, int(e))) for m, e in zip(modules, exact, strict=True)]
    by_remainder = sorted(range(len(modules)), key=lambda k: (shares[k] - exact[k], k))
    for k in by_remainder:
        if sum(shares) < count and shares[k] < len(modules[k]):
            shares[k] += 1
    chosen = []
    for mutants, share in zip(modules, shares, strict=True):
        if mutants:
            rng = random.Random(f"{seed} {mutants[0].module}")
            chosen += sorted(rng.sample(mutants, share), key=lambda m: m.index)
    return chosen


def _changes(tree: ast.Module) -> Iterator[_Change]:
    passed_over = _left_alone(tree)
    for node in ast.walk(tree):
        if id(node) not in passed_over:
            yield from _of_node(node)


def _threshold_changes(tree: ast.Module) -> Iterator[_Change]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                pass
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                pass
            case _:
                continue
        if not name.isupper():
            continue
        for node in ast.walk(value):
            if isinstance(node, ast.Constant) and type(node.value) in (int, float) and node.value:
                number = node.value
                step = max(1, round(abs(number) / 5)) if isinstance(number, int) else abs(number) / 5
                for other in (number + step, number - step):
                    yield _Change(node, ast.Constant(other), f"{name}: {number!r} -> {other:.12g}")


def _of_node(node: ast.AST) -> Iterator[_Change]:
    match node:
        case ast.Compare(ops=[op]):
            for other in _COMPARISONS[type(op)]:
                becomes = copy.copy(node)
                becomes.ops = [other()]
                yield _Change(node, becomes, _words(type(op), other))
        case ast.BinOp(op=op) | ast.AugAssign(op=op) if type(op) in _ARITHMETIC:
            becomes = copy.copy(node)
            becomes.op = _ARITHMETIC[type(op)]()
            yield _Change(node, becomes, _words(type(op), type(becomes.op)))
        case ast.BoolOp(op=op):
            becomes = copy.copy(node)
            becomes.op = ast.Or() if isinstance(op, ast.And) else ast.And()
            yield _Change(node, becomes, "and -> or" if isinstance(op, ast.And) else "or -> and")
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield _Change(node, operand, "not left out")
        case ast.UnaryOp(op=ast.USub() | ast.Invert(), operand=operand):
            yield _Change(node, operand, f"{'-' if isinstance(node.op, ast.USub) else '~'} left out")
        case ast.If(test=test) | ast.IfExp(test=test):
            becomes = copy.copy(node)
            becomes.test = ast.UnaryOp(ast.Not(), test)
            yield _Change(node, becomes, "condition turned round")
        case ast.Constant(value=value):
            yield from _of_constant(node, value)
        case ast.Name(id=name) if name in _EXTREMES:
            yield _Change(node, ast.Name(_EXTREMES[name], ast.Load()), f"{name} -> {_EXTREMES[name]}")
        case ast.Attribute(attr=name) if name in _EXTREMES:
            becomes = copy.copy(node)
            becomes.attr = _EXTREMES[name]
            yield _Change(node, becomes, f"{name} -> {_EXTREMES[name]}")
        case ast.Return(value=value) if value is not None and not _is_none(value):
            yield _Change(node, ast.Return(ast.Constant(None)), "returns None")
        case ast.Expr() | ast.Raise():
            yield _Change(node, ast.Pass(), "statement left out")
        case ast.Break() | ast.Continue():
            other = ast.Continue() if isinstance(node, ast.Break) else ast.Break()
            yield _Change(node, other, "break <-> continue")


def _of_constant(node: ast.Constant, value: object) -> Iterator[_Change]:
    others: list[object] = []
    match value:
        case bool():
            others = [not value]
        case int():
            others = [value + 1, 0] if value else [1]
        case float():
            others = [1.2 * value, 0.0] if value else [1.0]
    for other in others:
        yield _Change(node, ast.Constant(other), f"{value!r} -> {other!r}")


def _left_alone(tree: ast.Module) -> set[int]:
    """Nodes whose change would be no change of behaviour: text, annotations, messages, names of types."""
    alone: set[int] = set()

    def leave(node: ast.AST | None) -> None:
        if node is not None:
            alone.update(id(n) for n in ast.walk(node))

    for node in ast.walk(tree):
        match node:
            case ast.AnnAssign(annotation=annotation):
                leave(annotation)
            case ast.arg(annotation=annotation):
                leave(annotation)
            case ast.FunctionDef(returns=returns, decorator_list=decorators):
                for part in (returns, *decorators):
                    leave(part)
                if _is_protocol_body(node):
                    leave(node)
            case ast.ClassDef(decorator_list=decorators, bases=bases):
                for part in (*decorators, *bases):
                    leave(part)
            case ast.Raise(exc=exc, cause=cause):
                leave(exc)
                leave(cause)
            case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
                leave(node)
            case ast.Expr(value=ast.Constant()):
                leave(node)
    return alone


def _is_protocol_body(node: ast.FunctionDef) -> bool:
    return all(isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant) for part in node.body)


def _running_lines(tree: ast.Module) -> dict[int, tuple[int, int]]:
    """Id of each node inside a function -> lines of its innermost statement, of a compound one its head."""
    lines: dict[int, tuple[int, int]] = {}

    def visit(node: ast.AST, span: tuple[int, int], inside: bool) -> None:
        if isinstance(node, ast.stmt) and inside:
            body = getattr(node, "body", None)
            last = body[0].lineno - 1 if body else node.end_lineno
            span = (node.lineno, max(node.lineno, last or node.lineno))
        if isinstance(node, ast.FunctionDef):
            # Defaults of parameters are worked out where the function is defined.
            for part in (node.args, *node.decorator_list):
                visit(part, (0, 0) if not inside else span, inside)
            for part in node.body:
                visit(part, span, True)
            return
        lines[id(node)] = span if inside else (0, 0)
        for child in ast.iter_child_nodes(node):
            visit(child, span, inside)

    visit(tree, (0, 0), False)
    return lines


def _words(old: type, new: type) -> str:
    return f"{_SYMBOLS[old]} -> {_SYMBOLS[new]}"


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _line(node: ast.AST) -> int:
    return getattr(node, "lineno", 0)


def _column(node: ast.AST) -> int:
    return getattr(node, "col_offset", 0)
