"""The kinds of change, each a function from a node to the edits of it: mistakes that a person could
make in one line.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise

from tests.experiments.mutation.source import Edit, Source

ARITHMETIC: Mapping[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
}
# A comparison is moved by its boundary, where it has one, and turned round.
COMPARISONS: Mapping[type[ast.cmpop], tuple[str, tuple[str, ...]]] = {
    ast.Lt: ("<", ("<=", ">=")),
    ast.LtE: ("<=", ("<", ">")),
    ast.Gt: (">", (">=", "<=")),
    ast.GtE: (">=", (">", "<")),
    ast.Eq: ("==", ("!=",)),
    ast.NotEq: ("!=", ("==",)),
    ast.Is: ("is", ("is not",)),
    ast.IsNot: ("is not", ("is",)),
}
BOOLEAN = {ast.And: ("and", "or"), ast.Or: ("or", "and")}
_EXTREMES = {"min": "max", "minimum": "maximum", "argmin": "argmax"}
EXTREMES = _EXTREMES | {other: one for one, other in _EXTREMES.items()}


def arithmetic(node: ast.AST, source: Source) -> Iterator[Edit]:
    """+ - * /, of an expression or of an assignment."""
    if isinstance(node, ast.BinOp) and type(node.op) in ARITHMETIC:
        old, new = ARITHMETIC[type(node.op)]
        yield from _replaced(source, old, [new], node.left, node.right)
    elif isinstance(node, ast.AugAssign) and type(node.op) in ARITHMETIC:
        old, new = ARITHMETIC[type(node.op)]
        yield from _replaced(source, f"{old}=", [f"{new}="], node.target, node.value)


def comparison(node: ast.AST, source: Source) -> Iterator[Edit]:
    if isinstance(node, ast.Compare):
        for operator, (left, right) in zip(
            node.ops, pairwise([node.left, *node.comparators]), strict=True
        ):
            old, new = COMPARISONS.get(type(operator), ("", ()))
            yield from _replaced(source, old, new, left, right)


def boolean(node: ast.AST, source: Source) -> Iterator[Edit]:
    if isinstance(node, ast.BoolOp):
        old, new = BOOLEAN[type(node.op)]
        for left, right in pairwise(node.values):
            yield from _replaced(source, old, [new], left, right)


def number(node: ast.AST, source: Source) -> Iterator[Edit]:
    """A whole number is off by one, another is halved, and 0.0 becomes 1.0."""
    if isinstance(node, ast.Constant):
        for other in _other_numbers(node.value):
            yield Edit(source.start(node), source.end(node), repr(other))


def truth(node: ast.AST, source: Source) -> Iterator[Edit]:
    if isinstance(node, ast.Constant) and isinstance(node.value, bool):
        yield Edit(source.start(node), source.end(node), str(not node.value))


def dropped_not(node: ast.AST, source: Source) -> Iterator[Edit]:
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        line, start = source.start(node)
        rest = source.lines[line - 1][start + len("not") :]
        yield Edit((line, start), (line, start + len("not") + len(rest) - len(rest.lstrip())), "")


def dropped_statement(node: ast.AST, source: Source) -> Iterator[Edit]:
    """What only has an effect is not done: a plain call, or an assignment that adds to
    something.
    """
    if isinstance(node, ast.AugAssign) or (
        isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
    ):
        yield Edit(source.start(node), source.end(node), "pass")


def swapped_arguments(node: ast.AST, source: Source) -> Iterator[Edit]:
    """Neighbours by position that are written alike: two names, two attributes, two numbers."""
    for left, right in pairwise(node.args) if isinstance(node, ast.Call) else ():
        one, other = source.of(left), source.of(right)
        if (
            type(left) is type(right)
            and not isinstance(left, ast.Starred)
            and _kind(left) is _kind(right)
            and one != other
        ):
            between = source.text(source.end(left), source.start(right))
            yield Edit(source.start(left), source.end(right), other + between + one)


def negated_condition(node: ast.AST, source: Source) -> Iterator[Edit]:
    """Of an if, be it a statement, an expression or in a comprehension. A lone comparison or not
    has its own change.
    """
    tests = [node.test] if isinstance(node, (ast.If, ast.IfExp)) else getattr(node, "ifs", [])
    for test in tests:
        lone = (
            isinstance(test, ast.Compare)
            and len(test.ops) == 1
            and type(test.ops[0]) in COMPARISONS
        )
        if not lone and not (isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not)):
            yield Edit(source.start(test), source.end(test), f"not ({source.of(test)})")


def extremes(node: ast.AST, source: Source) -> Iterator[Edit]:
    name = (
        node.id
        if isinstance(node, ast.Name)
        else node.attr
        if isinstance(node, ast.Attribute)
        else ""
    )
    if name in EXTREMES and isinstance(node, ast.expr):
        line, end = source.end(node)
        yield Edit((line, end - len(name)), (line, end), EXTREMES[name])


def returned_none(node: ast.AST, source: Source) -> Iterator[Edit]:
    """Asked for only where the function's annotation admits None."""
    if isinstance(node, ast.Return) and node.value is not None and source.of(node.value) != "None":
        yield Edit(source.start(node), source.end(node), "return None")


CHANGES: Mapping[str, Callable[[ast.AST, Source], Iterator[Edit]]] = {
    "arithmetic": arithmetic,
    "comparison": comparison,
    "and/or": boolean,
    "number": number,
    "True/False": truth,
    "not dropped": dropped_not,
    "statement dropped": dropped_statement,
    "arguments swapped": swapped_arguments,
    "condition negated": negated_condition,
    "min/max": extremes,
    "None returned": returned_none,
}
NEEDS_NONE = frozenset({"None returned"})


def _replaced(
    source: Source, old: str, new: tuple[str, ...] | list[str], left: ast.expr, right: ast.expr
) -> Iterator[Edit]:
    """The operator between two operands, replaced by each of ``new``."""
    found = source.operator(old, source.end(left), source.start(right)) if new else None
    for other in new if found else ():
        yield Edit(found.start, found.end, other)


def _other_numbers(value: object) -> list[int] | list[float]:
    if type(value) is int:  # which a bool is not
        return [value + 1, value - 1]
    return [value / 2 or 1.0] if type(value) is float else []


def _kind(node: ast.expr) -> type:
    return type(node.value) if isinstance(node, ast.Constant) else type(node)
