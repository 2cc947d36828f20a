"""From a name, or from ``{"_target_": "package.module.attribute"}``, to an implementation;
listing them imports nothing heavy.

Names come from the entry-point group `bnbench.implementations`, this package's own among them.
Whether one can be loaded is judged without importing it: its module is parsed, and what that
imports at its top level must be installed. A module may also name programs it needs, each with its
alternatives: ``PROGRAMS = {"a C++ compiler": ("c++", "g++")}``.
"""

from __future__ import annotations

import hashlib
import importlib
from collections.abc import Mapping
from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from implementations.interface import Implementation
from implementations.lookups import remembered
from implementations.module_source import files_of, is_valid, missing_requirement, source_file

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


class LoadFailure(Unavailable):
    """An implementation is there, and a fault of its own keeps it from being loaded."""


def names() -> tuple[str, ...]:
    """All installed implementations, in alphabetical order, loadable here or not."""
    return tuple(sorted(_entries()))


def load(specification: Specification) -> Implementation:
    """The implementation of a name, or of a mapping with ``_target_`` and arguments.

    What these name is called with the arguments: a class, a function, or what an adapter made.

    Raises ``Unavailable`` where something that it needs is missing here, and its subclass
    ``LoadFailure`` where the fault is its own: its module raises, or has nothing of that name, or
    what is there takes other arguments or makes no implementation.
    """
    reason = _missing(specification)
    if reason is not None:
        raise Unavailable(reason)
    module, attribute = _location(specification)
    try:
        made = getattr(importlib.import_module(module), attribute)(**_arguments(specification))
    except Unavailable:
        raise
    except Exception as error:
        raise LoadFailure(
            f"{name_of(specification)} failed to load: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Implementation):
        raise LoadFailure(
            f"{module}:{attribute} is not an Implementation; make it with from_functions of "
            "implementations.adapters, or derive it from implementations.interface.Implementation"
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


@remembered
def missing_target(specification: Mapping[str, Any]) -> str | None:
    """Why a ``_target_`` names nothing that could be loaded on any machine: a mistake in writing
    it.
    """
    try:
        module, _ = _location(specification)
    except Unavailable as reason:
        return str(reason)
    return None if source_file(module) is not None else _NO_MODULE.format(module=module)


def unavailable(specification: Specification) -> str | None:
    """Why ``load`` cannot succeed, as far as the source shows without being imported; None when it
    may.
    """
    reason = _missing(specification)
    if reason is None and not is_valid(source_file(_location(specification)[0])):
        return "its module is not valid Python"
    return reason


def _missing(specification: Specification) -> str | None:
    """What is missing on this machine, in a sentence."""
    try:
        module, _ = _location(specification)
    except Unavailable as reason:
        return str(reason)
    path = source_file(module)
    return _NO_MODULE.format(module=module) if path is None else missing_requirement(path)


@remembered
def source_hash(specification: Specification) -> str:
    """A hash of name, arguments, source and binary: when it changes, the implementation is measured
    anew.

    Covers the module, and what it imports from its own package and from this one. Imports none of
    them.
    """
    digest = hashlib.sha256(name_of(specification).encode())
    try:
        module, _ = _location(specification)
    except Unavailable:
        return digest.hexdigest()[:16]
    packages = {module.partition(".")[0], str(__package__)}
    for path in files_of(module, packages):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@remembered
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
