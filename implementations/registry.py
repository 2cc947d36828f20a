"""From a name, or from ``{"_target_": "package.Class"}``, to an implementation, importing nothing
heavy to list them.

Names come from the entry-point group `bnbench.implementations`, this package's own among them.
Whether one can be loaded is judged without importing it: its module is parsed, and what that
imports at its top level must be installed. A module may also name programs it needs, each with its
alternatives: ``PROGRAMS = {"a C++ compiler": ("c++", "g++")}``.
"""

from __future__ import annotations

import ast
import hashlib
import importlib
import sys
from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from shutil import which
from typing import Any

from implementations.interface import Implementation

GROUP = "bnbench.implementations"
Specification = str | Mapping[str, Any]
_NO_MODULE = (
    "there is no module {module!r}; install the package that has it, or put its folder on "
    "PYTHONPATH"
)


class Unavailable(Exception):  # noqa: N818 -- the contract names the state, not the error
    """An implementation cannot run on this machine, or there is none of that name. The message is
    the reason.
    """


class Broken(Unavailable):
    """An implementation is there and cannot be loaded through a fault of its own."""


def names() -> tuple[str, ...]:
    """All installed implementations, in alphabetical order, loadable here or not."""
    return tuple(sorted(_entries()))


def load(specification: Specification) -> Implementation:
    """The implementation of a name, or of a mapping with ``_target_`` and arguments.

    Raises ``Unavailable`` where something that it needs is missing here, and ``Broken``, which is
    one, where it is itself to blame: its module raises, or has no such class, or that takes other
    arguments or is no implementation.
    """
    reason = _lacking(specification)
    if reason is not None:
        raise Unavailable(reason)
    module, attribute = _location(specification)
    try:
        made = getattr(importlib.import_module(module), attribute)(**_arguments(specification))
    except Unavailable:
        raise
    except Exception as error:
        raise Broken(
            f"{name_of(specification)} failed to load: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Implementation):
        raise Broken(
            f"{module}:{attribute} is not an Implementation; derive it from "
            "implementations.interface.Implementation"
        )
    return made


def name_of(specification: Specification) -> str:
    """The arm's name in records and tables: the given name, or the target and its arguments."""
    if isinstance(specification, str):
        return specification
    given = ",".join(f"{key}={value}" for key, value in _arguments(specification).items())
    return f"{specification['_target_']}({given})" if given else str(specification["_target_"])


def is_foreign(specification: Specification) -> bool:
    """Whether the implementation comes from outside this package, so that it gets a process of its
    own.
    """
    try:
        return _location(specification)[0].partition(".")[0] != __package__
    except Unavailable:
        return True


def missing_target(specification: Mapping[str, Any]) -> str | None:
    """Why a ``_target_`` names nothing that could be loaded anywhere, which is a slip and no
    property of the machine.
    """
    try:
        module, _ = _location(specification)
    except Unavailable as reason:
        return str(reason)
    return None if _source(module) is not None else _NO_MODULE.format(module=module)


def unavailable(specification: Specification) -> str | None:
    """Why ``load`` cannot succeed, as far as can be told without importing anything heavy; None
    when it may.
    """
    reason = _lacking(specification)
    if reason is None and _parsed(_source(_location(specification)[0])) is None:
        return "its module is not valid Python"
    return reason


def _lacking(specification: Specification) -> str | None:
    """What is missing on this machine."""
    try:
        module, _ = _location(specification)
    except Unavailable as reason:
        return str(reason)
    path = _source(module)
    if path is None:
        return _NO_MODULE.format(module=module)
    tree = _parsed(path) or ast.Module([], [])
    for needed in sorted(set(_imports(tree))):
        if needed not in sys.stdlib_module_names and find_spec(needed) is None:
            return f"it needs the Python package {needed!r}, which is not installed here"
    for program, alternatives in _programs(tree).items():
        if not any(which(alternative) for alternative in alternatives):
            return f"it needs {program}: install one of {', '.join(alternatives)}"
    return None


def source_hash(specification: Specification) -> str:
    """A hash of name, arguments, source and binary: when it changes, the implementation's
    measurements are made anew.

    Covers the module, and what it imports from its own package and from this one. Imports none of
    them.
    """
    said = hashlib.sha256(name_of(specification).encode())
    try:
        module, _ = _location(specification)
    except Unavailable:
        return said.hexdigest()[:16]
    packages = {module.partition(".")[0], str(__package__)}
    for path in sorted(_closure(module, packages, set())):
        said.update(path.read_bytes())
    return said.hexdigest()[:16]


def _entries() -> dict[str, EntryPoint]:
    return {entry.name: entry for entry in entry_points(group=GROUP)}


def _location(specification: Specification) -> tuple[str, str]:
    """Module and attribute. Raises ``Unavailable`` for an unknown name or a target without a
    dot.
    """
    if isinstance(specification, Mapping):
        module, dot, attribute = str(specification.get("_target_", "")).rpartition(".")
        if not dot:
            raise Unavailable(
                f"{dict(specification)} names no class; write {{_target_: package.module.Class}}"
            )
        return module, attribute
    entries = _entries()
    if specification not in entries:
        near = get_close_matches(specification, entries, n=1)
        hint = f", did you mean {near[0]!r}" if near else ""
        raise Unavailable(
            f"there is no implementation {specification!r}{hint}; installed: "
            f"{', '.join(sorted(entries))}"
        )
    return entries[specification].module, entries[specification].attr


def _arguments(specification: Specification) -> dict[str, Any]:
    if isinstance(specification, str):
        return {}
    return {str(key): value for key, value in specification.items() if key != "_target_"}


def _source(module: str) -> Path | None:
    try:
        spec = find_spec(module)
    except Exception:  # finding a module imports its package, which may raise anything
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def _closure(module: str, packages: set[str], found: set[Path]) -> set[Path]:
    """The files of ``module`` and of all that it imports, wherever in it, from ``packages``."""
    path = _source(module)
    if (
        path is None
        or path in found
        or module.partition(".")[0] not in packages
        or not path.is_file()
    ):
        return found
    found.add(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for statement in ast.walk(_parsed(path) or ast.Module([], [])):
        for imported in _imported(statement, package):
            _closure(imported, packages, found)
    return found


def _imported(statement: ast.AST, package: str) -> Iterator[str]:
    """Every module that an import statement within ``package`` may mean."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        above = (
            package.split(".")[: len(package.split(".")) - statement.level + 1]
            if statement.level
            else []
        )
        base = ".".join([*above, *([statement.module] if statement.module else [])])
        yield from (base, *(f"{base}.{alias.name}" for alias in statement.names))


def _parsed(path: Path | None) -> ast.Module | None:
    """A module's syntax tree, empty for a binary one; None where it is not valid Python."""
    if path is None or path.suffix != ".py":
        return ast.Module([], [])
    try:
        return ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return None


def _imports(tree: ast.Module) -> Iterator[str]:
    """The top-level packages that a module imports unconditionally when it is itself imported."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module.partition(".")[0]


def _programs(tree: ast.Module) -> Mapping[str, tuple[str, ...]]:
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="PROGRAMS")], value=value):
                found: Mapping[str, tuple[str, ...]] = ast.literal_eval(value)
                return found
    return {}
