"""Python source as a tree and as text at once: where in a line a node or an operator stands, to the
character.
"""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

Place = tuple[int, int]  # line, from 1, and character in it, from 0: as tokens have it
# no f-string: before Python 3.12 what is in one has no true place
SKIPPED = (ast.Import, ast.ImportFrom, ast.JoinedStr)
# fields of nodes: annotations, which nothing evaluates
NOT_RUN = frozenset({"annotation", "returns"})


@dataclass(frozen=True)
class Edit:
    """Text from ``start`` to ``end`` becomes ``after``. One that spans two lines is no mutant."""

    start: Place
    end: Place
    after: str


class Source:
    """One file's text, with its tree and its tokens."""

    def __init__(self, text: str) -> None:
        self.lines = lines_of(text)
        self.tree = ast.parse(text)
        self._tokens = [
            token
            for token in tokenize.generate_tokens(io.StringIO(text).readline)
            if token.type in (tokenize.OP, tokenize.NAME)
        ]

    def start(self, node: ast.expr | ast.stmt) -> Place:
        return self._place(node.lineno, node.col_offset)

    def end(self, node: ast.expr | ast.stmt) -> Place:
        return self._place(node.end_lineno or node.lineno, node.end_col_offset or 0)

    def text(self, start: Place, end: Place) -> str:
        """What stands between two places of one line; nothing when they are of two."""
        return self.lines[start[0] - 1][start[1] : end[1]] if start[0] == end[0] else ""

    def of(self, node: ast.expr | ast.stmt) -> str:
        return self.text(self.start(node), self.end(node))

    def operator(self, symbol: str, start: Place, end: Place) -> Edit | None:
        """Where the words of ``symbol``, such as ``+`` or ``is not``, stand between two places;
        ``after`` is the symbol.
        """
        words = symbol.split()
        between = [token for token in self._tokens if start <= token.start and token.end <= end]
        for first in range(len(between) - len(words) + 1):
            found = between[first : first + len(words)]
            if [token.string for token in found] == words:
                return Edit(found[0].start, found[-1].end, symbol)
        return None

    def _place(self, line: int, offset: int) -> Place:
        """From a count of UTF-8 bytes, which the tree has, to one of characters."""
        return line, len(self.lines[line - 1].encode()[:offset].decode())


def lines_of(text: str) -> list[str]:
    """Lines as Python counts them, which ``str.splitlines`` does not: to it a form feed ends one
    too.
    """
    return io.StringIO(text).readlines()


def visited(node: ast.AST, none_allowed: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Every node that runs, and whether the function around it may return None. Types, imports and
    messages do not run.
    """
    if isinstance(node, SKIPPED) or _is_alias(node):
        return
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        none_allowed = _admits_none(node.returns)
    yield node, none_allowed
    for name, value in ast.iter_fields(node):
        if name in NOT_RUN or (
            isinstance(node, ast.If) and _for_types_only(node) and name != "orelse"
        ):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from visited(child, none_allowed)


def _for_types_only(node: ast.If) -> bool:
    return "TYPE_CHECKING" in {getattr(node.test, "id", None), getattr(node.test, "attr", None)}


def _is_alias(node: ast.AST) -> bool:
    """``Array = NDArray[Any]``, ``Parameters = tuple[Tensor | None, ...]``: a capitalized name for
    what is no value.
    """
    if not isinstance(node, ast.Assign) or not isinstance(node.targets[0], ast.Name):
        return False
    name, value = node.targets[0].id, node.value
    union = isinstance(value, ast.BinOp) and isinstance(value.op, ast.BitOr)
    return (
        name[0].isupper()
        and not name.isupper()
        and (union or isinstance(value, (ast.Subscript, ast.Attribute, ast.Name)))
    )


def _admits_none(returns: ast.expr | None) -> bool:
    """Whether a function so annotated may return None: it has no annotation, ``Any``, or ``... |
    None``.
    """
    if isinstance(returns, ast.BinOp) and isinstance(returns.op, ast.BitOr):
        return _admits_none(returns.left) or _admits_none(returns.right)
    if isinstance(returns, ast.Constant):
        return returns.value is None
    return returns is None or (isinstance(returns, ast.Name) and returns.id == "Any")
