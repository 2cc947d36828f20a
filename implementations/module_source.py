"""What a module's source shows without importing it: where it is, what it imports, what programs
it needs.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from shutil import which


def source_file(module: str) -> Path | None:
    """The file of a module, source or binary; None where there is no such module."""
    try:
        spec = find_spec(module)
    except Exception:  # finding a module imports its package, which may raise anything
        return None
    return Path(spec.origin) if spec is not None and spec.origin else None


def is_valid(path: Path | None) -> bool:
    """Whether it can be parsed; a binary module counts as valid."""
    return _parsed(path) is not None


def missing_requirement(path: Path) -> str | None:
    """The reason why a module cannot be imported or used here: a package that it imports at its top
    level, or a program that it names in ``PROGRAMS``.
    """
    tree = _parsed(path) or ast.Module([], [])
    for package in sorted(set(_imports(tree))):
        if package not in sys.stdlib_module_names and find_spec(package) is None:
            return f"it needs the Python package {package!r}, which is not installed here"
    for program, alternatives in _programs(tree).items():
        if not any(which(alternative) for alternative in alternatives):
            return f"it needs {program}: install one of {', '.join(alternatives)}"
    return None


def files_of(module: str, packages: set[str]) -> list[Path]:
    """The files of a module and of all that it imports from ``packages``, inside functions too,
    sorted.
    """
    found: set[Path] = set()
    _collect(module, packages, found)
    return sorted(found)


def _collect(module: str, packages: set[str], found: set[Path]) -> None:
    """Add to ``found`` what is not yet in it."""
    path = source_file(module)
    if (
        path is None
        or path in found
        or module.partition(".")[0] not in packages
        or not path.is_file()
    ):
        return
    found.add(path)
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    for statement in ast.walk(_parsed(path) or ast.Module([], [])):
        for imported in _imported(statement, package):
            _collect(imported, packages, found)


def _imported(statement: ast.AST, package: str) -> Iterator[str]:
    """Every module that an import statement within ``package`` may mean."""
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        parts = package.split(".")
        above = parts[: len(parts) - statement.level + 1] if statement.level else []
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
