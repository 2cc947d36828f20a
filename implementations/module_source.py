"""What a module's source shows without importing it: what it imports, what programs it needs."""

from __future__ import annotations

import ast
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from shutil import which

from implementations.module_search import module_spec, source_file

DOTTED = re.compile(r"\w+(\.\w+)+")  # the name of a module within a package


def source_fault(path: Path | None) -> str | None:
    """What is wrong with a module's source; None where nothing is, or it is a binary module."""
    tree = parsed(path)
    if tree is None:
        return "its module is not valid Python"
    if _programs(tree) is None:
        return (
            "its PROGRAMS cannot be read; write it out, as "
            'PROGRAMS = {"a C++ compiler": ("c++", "g++")}'
        )
    return None


def missing_requirement(path: Path | None) -> str | None:
    """The reason why a module cannot be imported or used here: a package that it imports at its top
    level, or a program that it names in ``PROGRAMS``.
    """
    tree = parsed(path) or ast.Module([], [])
    for package in sorted(set(_imports(tree))):
        if package not in sys.stdlib_module_names and module_spec(package) is None:
            return f"it needs the Python package {package!r}, which is not installed here"
    for program, alternatives in (_programs(tree) or {}).items():
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


def parsed(path: Path | None) -> ast.Module | None:
    """A module's syntax tree, empty where it is binary or cannot be read; None where it is not
    valid Python.
    """
    if path is None or path.suffix != ".py":
        return ast.Module([], [])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its strings, for one: they are shown where it runs
            return ast.parse(path.read_bytes())
    except OSError:  # in an archive, say
        return ast.Module([], [])
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the last two: nested too deep
        return None


def imported_modules(statement: ast.AST, package: str) -> Iterator[str]:
    """Every module that an import statement within ``package``, or a text as `import_module` is
    given, may mean.
    """
    if isinstance(statement, ast.Import):
        yield from (alias.name for alias in statement.names)
    elif isinstance(statement, ast.ImportFrom):
        base = imported_from(statement, package)
        yield from (base, *(f"{base}.{alias.name}" for alias in statement.names))
    elif isinstance(statement, ast.Constant) and DOTTED.fullmatch(str(statement.value)):
        yield str(statement.value)


def imported_from(statement: ast.ImportFrom, package: str) -> str:
    """The module that a statement ``from ... import ...`` within ``package`` takes names from."""
    parts = package.split(".")
    above = parts[: len(parts) - statement.level + 1] if statement.level else []
    return ".".join([*above, *([statement.module] if statement.module else [])])


def package_of(module: str, path: Path) -> str:
    """The package that a module's relative imports start from."""
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def _collect(module: str, packages: set[str], found: set[Path]) -> None:
    """Add to ``found`` what is not yet in it."""
    path = source_file(module) if module.partition(".")[0] in packages else None
    if path is None or path in found or not path.is_file():
        return
    found.add(path)
    for imported in _imported_by(path, package_of(module, path), _state(path)):
        _collect(imported, packages, found)


def _state(path: Path) -> tuple[int, ...]:
    """What changes whenever somebody writes to a file or replaces it."""
    state = path.stat()
    return state.st_mtime_ns, state.st_ctime_ns, state.st_size, state.st_ino


@lru_cache(maxsize=256)
def _imported_by(path: Path, package: str, _: tuple[int, ...]) -> tuple[str, ...]:
    """What the statements of a file in that state may import, each once."""
    statements = ast.walk(parsed(path) or ast.Module([], []))
    found = (name for each in statements for name in imported_modules(each, package))
    return tuple(dict.fromkeys(found))


def _imports(tree: ast.Module) -> Iterator[str]:
    """The top-level packages that a module imports unconditionally when it is itself imported."""
    for statement in tree.body:
        if isinstance(statement, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in statement.names)
        elif isinstance(statement, ast.ImportFrom) and statement.module and not statement.level:
            yield statement.module.partition(".")[0]


def _programs(tree: ast.Module) -> Mapping[str, tuple[str, ...]] | None:
    """The value of ``PROGRAMS``, empty where there is none; None where it is not written out, or
    is of another kind.
    """
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id="PROGRAMS")], value=ast.expr() as value):
                return _read_programs(value)
            case ast.AnnAssign(target=ast.Name(id="PROGRAMS"), value=ast.expr() as value):
                return _read_programs(value)
    return {}


def _read_programs(value: ast.expr) -> Mapping[str, tuple[str, ...]] | None:
    try:
        found = ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
        return None
    if not isinstance(found, dict):
        return None
    lists = [isinstance(commands, list | tuple) for commands in found.values()]
    names = [name for commands in found.values() for name in commands] if all(lists) else [None]
    if not all(isinstance(name, str) for name in [*found, *names]):
        return None
    return {program: tuple(commands) for program, commands in found.items()}
