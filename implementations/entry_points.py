"""What installed packages register in the entry-point group `bnbench.implementations`, read from
their metadata. Nothing is imported, and what one package writes cannot hide the others.
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from importlib.metadata import Distribution, distributions
from pathlib import Path

GROUP = "bnbench.implementations"
OWN_PACKAGE = "bnbench"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
NAME_RULE = "a name begins with a letter and has only letters, digits, _ and -"
# What Hydra, or YAML, takes for a value of another kind than a text.
VALUES = frozenset({"null", "true", "false", "nan", "inf", "yes", "no", "on", "off"})
TARGET = re.compile(
    r"([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*:\s*([^\W\d]\w*(?:\.[^\W\d]\w*)*)\s*(?:\[.*\])?"
)


@dataclass(frozen=True)
class Registered:
    """An implementation's name, and the module and attribute that it stands for, as ``package``
    registers them.

    ``fault`` is why it cannot be had by its name; module and attribute are empty where they cannot
    be read.
    """

    name: str
    package: str
    module: str = ""
    attribute: str = ""
    fault: str | None = None


def registered() -> tuple[Registered, ...]:
    """All that is registered: bnbench's own, and then others in alphabetical order."""
    return _registered(tuple(map(_folder_state, sys.path)))


def _folder_state(folder: str) -> tuple[str, int | None]:
    """A folder and when something in it was last installed or removed."""
    try:
        return folder, Path(folder).stat().st_mtime_ns
    except (OSError, ValueError):
        return folder, None


@lru_cache(maxsize=1)
def _registered(_: tuple[tuple[str, int | None], ...]) -> tuple[Registered, ...]:
    found: dict[str, list[Registered]] = {}
    for distribution in distributions():
        text, fault = _text(distribution)
        if GROUP in text:
            package, version = _package(distribution)
            # An installation further down the path is hidden by the first.
            found.setdefault(package, [*_read(text, f"{package} {version}".strip(), fault)])
    own = found.pop(OWN_PACKAGE, [])
    others = [each for entries in found.values() for each in entries]
    return (*own, *sorted(_judged(own, others), key=lambda each: (each.name, each.package)))


def _text(distribution: Distribution) -> tuple[str, str | None]:
    """The distribution's entry points, and why they cannot be read."""
    try:
        return distribution.read_text("entry_points.txt") or "", None
    except UnicodeDecodeError as error:
        return error.object.decode(
            errors="replace"
        ), "its package's entry_points.txt is not in UTF-8"
    except Exception:  # metadata that cannot be read name nothing
        return "", None


def _package(distribution: Distribution) -> tuple[str, str]:
    """Name, normalized as installers do, and version."""
    try:
        metadata = distribution.metadata
        name, version = (str(metadata[key] or "") for key in ("Name", "Version"))
    except Exception:  # of any kind, from metadata of any kind
        name = version = ""
    return re.sub(r"[-_.]+", "-", name).lower() or "a package without a name", version


def _read(text: str, package: str, fault: str | None) -> Iterator[Registered]:
    section = ""
    for line in map(str.strip, text.splitlines()):
        if line.startswith("[") and line.endswith("]"):
            section = line[1:-1].strip()
        elif section == GROUP and line and not line.startswith("#"):
            yield _read_line(line, package, fault)


def _read_line(line: str, package: str, fault: str | None) -> Registered:
    name, equals, value = map(str.strip, line.partition("="))
    target = TARGET.fullmatch(value)
    if fault is None and (not equals or target is None):
        fault = f"{package} has {line!r}; write it as NAME = package.module:Class"
    module, attribute = target.groups() if target and fault is None else ("", "")
    return Registered(name, package, module, attribute, fault)


def _judged(own: Iterable[Registered], others: Iterable[Registered]) -> Iterator[Registered]:
    """Other packages' names, each with its fault."""
    others = list(others)
    ours = {each.name for each in own}
    times = Counter(each.name for each in others)
    for each in others:
        packages = " and ".join(sorted(one.package for one in others if one.name == each.name))
        fault = each.fault or name_fault(each.name)
        if fault is None and each.name in ours:
            fault = f"bnbench has a {each.name!r} of its own"
        elif fault is None and times[each.name] > 1:
            fault = f"it is registered more than once, by {packages}"
        yield each if fault is None else replace(each, fault=fault)


def name_fault(name: str) -> str | None:
    """Why a command line could not ask for that name."""
    if not NAME.fullmatch(name):
        return NAME_RULE
    return "a command line takes it for a value" if name.lower() in VALUES else None
