"""Where a module is, found on the import path while neither it nor the packages around it are
imported.

`importlib.util.find_spec` would import the packages of a dotted name, and with them code that may
print, hang or end the process.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from pkgutil import iter_modules


def module_spec(module: str) -> ModuleSpec | None:
    """The specification of a module; None where there is none."""
    parts = module.split(".")
    spec = _found(parts[0], None)
    for number in range(1, len(parts)):
        folders = None if spec is None else spec.submodule_search_locations
        if folders is None:
            return None
        spec = _found(".".join(parts[: number + 1]), list(folders))
    return spec


def is_module(module: str) -> bool:
    """Whether there is such a module. A folder without ``__init__.py`` holds modules and is none
    itself.
    """
    spec = module_spec(module)
    return spec is not None and spec.origin is not None


def source_file(module: str) -> Path | None:
    """The file of a module, source or binary; None where it has none, as those of the interpreter,
    or there is no such module.
    """
    spec = module_spec(module)
    return Path(spec.origin) if spec is not None and spec.has_location and spec.origin else None


def near_module(module: str) -> str | None:
    """The name of a module that is there and like the one that is not."""
    parts = module.split(".")
    for number, part in enumerate(parts):
        parent = ".".join(parts[:number])
        if is_module(".".join(parts[: number + 1])):
            continue
        spec = module_spec(parent) if parent else None
        folders = None if spec is None else list(spec.submodule_search_locations or ())
        for near in get_close_matches(part, [found.name for found in iter_modules(folders)], n=1):
            candidate = ".".join([*parts[:number], near, *parts[number + 1 :]])
            return candidate if is_module(candidate) else None
    return None


def _found(name: str, folders: Sequence[str] | None) -> ModuleSpec | None:
    """What the import system's finders have of that dotted name in these folders of its package."""
    for finder in sys.meta_path:
        # By its full name PathFinder looks a package without __init__.py up in `sys.modules`.
        wanted = name.rpartition(".")[2] if finder is PathFinder else name
        try:
            spec = finder.find_spec(wanted, folders)
        except Exception:  # noqa: S112 -- installed by whichever package; the next may have it
            continue
        if spec is not None:
            return spec
    return None
