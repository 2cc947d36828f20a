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
from functools import reduce
from pathlib import Path
from typing import Any

from implementations.entry_points import Registered, registered
from implementations.interface import Implementation
from implementations.lookups import remembered
from implementations.module_search import is_module, near_module, source_file
from implementations.module_source import files_of, missing_requirement, source_fault
from implementations.published_text import visible, without_credentials
from implementations.source_names import Verdict, near_name, verdict

Specification = str | Mapping[str, Any]
_NO_MODULE = (
    "there is no module {module!r}; install the package that has it, or put its folder on "
    "PYTHONPATH"
)
_NO_IMPLEMENTATION = (
    "is not an Implementation; make it with from_functions of implementations.adapters, or derive "
    "it from implementations.interface.Implementation"
)


class Unavailable(Exception):  # noqa: N818 -- the contract names the state, not the error
    """An implementation cannot run on this machine, or there is none of that name. The message is
    the reason.
    """


class LoadFailure(Unavailable):
    """An implementation is there, and a fault of its own keeps it from being loaded."""


def names() -> tuple[str, ...]:
    """All installed implementations that can be asked for by name, in alphabetical order, loadable
    here or not.
    """
    return tuple(sorted(_entries()))


def unusable() -> tuple[tuple[str, str], ...]:
    """Names that installed packages register and that do not lead to what they register, each with
    the reason. One of them may be the name of another implementation.
    """
    return tuple((each.name, _unusable(each)) for each in registered() if each.fault is not None)


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
        found = reduce(getattr, attribute.split("."), importlib.import_module(module))
        made = found(**_arguments(specification))  # type: ignore[operator]  # seen below
    except Unavailable:
        raise
    except Exception as error:
        raise LoadFailure(
            f"{name_of(specification)} failed to load: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(made, Implementation):
        raise LoadFailure(f"{module}.{attribute} {_NO_IMPLEMENTATION}")
    fault = source_fault(source_file(module))
    if fault is not None:
        raise LoadFailure(f"{name_of(specification)} failed to load: {fault}")
    return made


def name_of(specification: Specification) -> str:
    """The arm's name in records and tables: the given name, or the target and its arguments, which
    have no credentials and no control characters there.
    """
    if isinstance(specification, str):
        return specification
    arguments = ",".join(f"{key}={value}" for key, value in _arguments(specification).items())
    given = visible(without_credentials(arguments))
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
def mistake(specification: Specification) -> str | None:
    """Why a specification leads to no implementation on any machine: a mistake in writing it."""
    try:
        module, attribute = _location(specification)
    except Unavailable as reason:
        return str(reason)
    target = f"{module}.{attribute}"
    kind = verdict(module, attribute) if "." not in attribute else Verdict.POSSIBLE
    if is_module(target) and (kind is not Verdict.POSSIBLE or not is_module(module)):
        return f"{target} is a module; name what is in it, as {target}.Mine"
    if not is_module(module):
        return _NO_MODULE.format(module=module) + _hint(near_module(module))
    if kind is Verdict.ABSENT:
        return f"{module} has no {attribute!r}{_hint(near_name(module, attribute))}"
    return f"{target} {_NO_IMPLEMENTATION}" if kind is Verdict.OTHER else None


def unavailable(specification: Specification) -> str | None:
    """Why ``load`` cannot succeed, as far as the source shows without being imported; None when it
    may.
    """
    reason = _missing(specification)
    if reason is None:
        reason = source_fault(source_file(_location(specification)[0]))
    return mistake(specification) if reason is None else reason


def _missing(specification: Specification) -> str | None:
    """What is missing on this machine, in a sentence."""
    try:
        module, _ = _location(specification)
    except Unavailable as reason:
        return str(reason)
    if not is_module(module):
        return _NO_MODULE.format(module=module)
    return missing_requirement(source_file(module))


@remembered
def source_hash(specification: Specification) -> str:
    """A hash of name, arguments, source and binary: when it changes, the implementation is measured
    anew.

    Covers the module, and what it imports from its own package and from this one. Imports none of
    them.
    """
    digest = hashlib.sha256(name_of(specification).encode())
    for path in source_files(specification):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def source_files(specification: Specification) -> list[Path]:
    """The files that `source_hash` covers; none where there is no such implementation."""
    try:
        module, _ = _location(specification)
    except Unavailable:
        return []
    return files_of(module, {module.partition(".")[0], str(__package__)})


def _entries() -> dict[str, Registered]:
    return {each.name: each for each in registered() if each.fault is None}


def _unusable(entry: Registered) -> str:
    """Why a name does not lead to what a package registers, and what does."""
    if not entry.module:
        return str(entry.fault)
    target = f"{{_target_: {entry.module}.{entry.attribute}}}"
    return f"{entry.package} registers it, but {entry.fault}; rename it there, or write {target}"


def _location(specification: Specification) -> tuple[str, str]:
    """Module and attribute. Raises ``Unavailable`` for an unknown name or a target that is none."""
    if isinstance(specification, Mapping):
        return _location_of_target(specification.get("_target_"))
    entries = _entries()
    if specification not in entries:
        for name, reason in unusable():
            if name == specification:
                raise Unavailable(f"there is no implementation {name!r}: {reason}")
        near = get_close_matches(specification, entries, n=1)
        raise Unavailable(
            f"there is no implementation {specification!r}{_hint(*near)}; installed: "
            f"{', '.join(sorted(entries)) or 'none'}"
        )
    return entries[specification].module, entries[specification].attribute


def _location_of_target(target: object) -> tuple[str, str]:
    parts = target.split(".") if isinstance(target, str) else []
    if len(parts) < 2 or not all(part.isidentifier() for part in parts):
        given = "there is no _target_" if target is None else f"_target_ is {target!r}"
        raise Unavailable(f"{given}; write {{_target_: package.module.Class}}")
    return ".".join(parts[:-1]), parts[-1]


def _hint(near: str | None = None) -> str:
    return f"; did you mean {near!r}?" if near else ""


def _arguments(specification: Specification) -> dict[str, Any]:
    if isinstance(specification, str):
        return {}
    return {str(key): value for key, value in specification.items() if key != "_target_"}
