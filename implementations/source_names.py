"""Which names a module has, and whether one of them may be an implementation, as far as sources
show without being imported.

A verdict is given only where the sources leave no doubt: what is made by a call, comes from a
binary module, or is put in place by code that looks names up may be anything.
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from difflib import get_close_matches
from enum import Enum, auto

from implementations.module_search import is_module, source_file
from implementations.module_source import imported_from, package_of, parsed

CONTRACT = ("implementations.interface", "Implementation")
# Where these are used, a module may have names that no statement of it shows.
NAMES_LOOKED_UP = frozenset({"globals", "vars", "locals", "exec", "eval", "setattr", "__import__"})
SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)


class Verdict(Enum):
    POSSIBLE = auto()  # it may be an implementation
    OTHER = auto()  # a class or a module that is surely none
    ABSENT = auto()  # surely no name of the module


Known = dict[tuple[str, str], Verdict]  # of module and name


def verdict(module: str, name: str, known: Known | None = None) -> Verdict:
    """What ``name`` of ``module`` is. ``known`` is what was found, or is being looked for."""
    known = {} if known is None else known
    if (module, name) in known:
        return known[module, name]
    known[module, name] = Verdict.POSSIBLE  # what a cycle leads back to
    path = source_file(module)
    tree = None if path is None or path.suffix != ".py" else parsed(path)
    if path is not None and tree is not None and tree.body and (module, name) != CONTRACT:
        scope = _Scope(module, package_of(module, path), tree, known)
        known[module, name] = scope.verdict(name)
    return known[module, name]


def near_name(module: str, name: str) -> str | None:
    """A public name of the module that is like the given one."""
    tree = parsed(source_file(module)) or ast.Module([], [])
    names = [found for found, _ in _bindings(tree) if not found.startswith("_")]
    near = get_close_matches(name, names, n=1)
    return near[0] if near else None


class _Scope:
    """The top level of one module."""

    def __init__(self, module: str, package: str, tree: ast.Module, known: Known) -> None:
        self.module, self.package, self.tree, self.known = module, package, tree, known
        self.bindings = list(_bindings(tree))

    def verdict(self, name: str) -> Verdict:
        found = [self._of_binding(name, node) for bound, node in self.bindings if bound == name]
        if not found:
            return self._of_unbound(name)
        return Verdict.OTHER if set(found) == {Verdict.OTHER} else Verdict.POSSIBLE

    def _of_unbound(self, name: str) -> Verdict:
        """Of a name that no statement binds: it may come with all of another module's."""
        stars = [node for bound, node in self.bindings if bound == "*"]
        for star in stars:
            if isinstance(star, ast.ImportFrom):
                there = self._looked_up(imported_from(star, self.package), name)
                if there is not Verdict.ABSENT:
                    return there
        if _looks_names_up(self.tree):
            return Verdict.POSSIBLE
        return Verdict.OTHER if is_module(f"{self.module}.{name}") else Verdict.ABSENT

    def _of_binding(self, name: str, node: ast.AST) -> Verdict:
        match node:
            case ast.ClassDef():
                return self._of_class(node)
            case ast.ImportFrom():
                given = next(each.name for each in node.names if (each.asname or each.name) == name)
                there = self._looked_up(imported_from(node, self.package), given)
                return Verdict.POSSIBLE if there is Verdict.ABSENT else there
        return Verdict.POSSIBLE

    def _of_class(self, node: ast.ClassDef) -> Verdict:
        makes_itself = any(
            isinstance(each, ast.FunctionDef) and each.name == "__new__" for each in node.body
        )
        if makes_itself or node.decorator_list or node.keywords:
            return Verdict.POSSIBLE
        bases = {self._of_base(base) for base in node.bases}
        return Verdict.OTHER if bases <= {Verdict.OTHER} else Verdict.POSSIBLE

    def _of_base(self, base: ast.expr) -> Verdict:
        if isinstance(base, ast.Attribute):
            module = self._module(base.value)
            there = Verdict.ABSENT if module is None else self._looked_up(module, base.attr)
            return Verdict.POSSIBLE if there is Verdict.ABSENT else there
        if not isinstance(base, ast.Name):
            return Verdict.POSSIBLE
        there = self._looked_up(self.module, base.id)
        is_builtin = there is Verdict.ABSENT and isinstance(getattr(builtins, base.id, None), type)
        return Verdict.OTHER if is_builtin or there is Verdict.OTHER else Verdict.POSSIBLE

    def _module(self, given: ast.expr) -> str | None:
        """The module that an expression such as ``torch.nn`` means; None where it may be none."""
        if isinstance(given, ast.Attribute):
            parent = self._module(given.value)
            module = None if parent is None else f"{parent}.{given.attr}"
            return module if module is not None and is_module(module) else None
        nodes = [node for bound, node in self.bindings if bound == getattr(given, "id", None)]
        match nodes:
            case [ast.Import(names=[ast.alias(name=name, asname=asname)])]:
                return name if asname else name.partition(".")[0]
            case [ast.ImportFrom(names=[ast.alias(name=name)]) as node]:
                module = f"{imported_from(node, self.package)}.{name}"
                return module if is_module(module) else None
        return None

    def _looked_up(self, module: str, name: str) -> Verdict:
        return verdict(module, name, self.known)


def _bindings(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Each name that a statement at the top level binds, with that statement."""
    for node in _of_this_scope(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                yield node.name, node
            case ast.Import():
                for alias in node.names:
                    yield alias.asname or alias.name.partition(".")[0], node
            case ast.ImportFrom():
                for alias in node.names:
                    yield alias.asname or alias.name, node
            case ast.Name(ctx=ast.Store()):
                yield node.id, node
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)):
                yield name, node
            case ast.MatchStar(name=str(name)) | ast.MatchMapping(rest=str(name)):
                yield name, node


def _of_this_scope(tree: ast.Module) -> Iterator[ast.AST]:
    """All nodes but those within functions and classes."""
    left: list[ast.AST] = [tree]
    while left:
        for child in ast.iter_child_nodes(left.pop()):
            yield child
            if not isinstance(child, SCOPES):
                left.append(child)


def _looks_names_up(tree: ast.Module) -> bool:
    for node in ast.walk(tree):
        match node:
            case ast.Global() | ast.FunctionDef(name="__getattr__"):
                return True
            case ast.Name(id=name) if name in NAMES_LOOKED_UP:
                return True
            case ast.Attribute(attr="modules" | "__dict__" | "register"):
                return True
    return False
