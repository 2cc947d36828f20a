"""Where an arm is to run, as the user wrote it; what cannot be is refused before anything is
written.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.config import UsageError
from harness.isolation import Place
from harness.isolation.settings import VARIABLES_SET
from implementations.published_text import visible, without_credentials

NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
OURS_TO_CHOOSE = "BNBENCH_ISA"  # the one of bnbench's own that is not the harness's
# What else would make a worker other than its cell says, by how the name begins.
CHANGING = {
    "BNBENCH_": "bnbench sets its own variables",
    "PYTHON": "it changes what the worker imports, or how; path and python are for that",
    "LD_PRELOAD": "it replaces the allocator, or others of the functions that all arms share",
    "LD_AUDIT": "it replaces functions that all arms share",
    "OMP_THREAD_LIMIT": "device.threads says how many threads all arms have",
}


def place_of(given: Mapping[str, Any]) -> Place:
    """Of the parts ``path``, ``python`` and ``variables``, each of which may be missing.

    Raises ``UsageError``.
    """
    for part in ("path", "python"):
        if part in given and not (isinstance(given[part], str) and given[part]):
            raise UsageError(f"{part} is {given[part]!r}, and a text is wanted")
    if "python" in given:
        _check_interpreter(given["python"])
    if "path" in given:
        _check_folder(given["path"])
    variables = given.get("variables", {})
    if not isinstance(variables, Mapping):
        raise UsageError(f"variables is {variables!r}; write {{NAME: value}}")
    for complaint in map(_complaint, variables, variables.values()):
        if complaint is not None:
            raise UsageError(complaint)
    pairs = tuple(sorted((str(name), str(value)) for name, value in variables.items()))
    return Place(given.get("python"), given.get("path"), pairs)


def _check_interpreter(given: str) -> None:
    interpreter = Path(str(Place(python=given).interpreter))
    if interpreter.is_dir():
        raise UsageError(
            f"python={_shown(given)} is a folder; name the interpreter in it, as "
            f"{Path(_shown(given)) / 'bin' / 'python'}"
        )
    if not interpreter.is_file():
        found = shutil.which(given) if os.sep not in given else None
        hint = f"; did you mean {found!r}?" if found else ""
        raise UsageError(
            f"python={_shown(given)} is not there{hint}; give the path of an environment's "
            "interpreter, as ../torch212/bin/python"
        )
    if not os.access(interpreter, os.X_OK):
        raise UsageError(f"python={_shown(given)} is no program that can be executed")


def _check_folder(given: str) -> None:
    folder = Path(given).expanduser()
    if not folder.is_dir():
        what = "is a file" if folder.exists() else "is not there"
        raise UsageError(
            f"path={_shown(given)} {what}, and a folder is wanted: the one that has the package to "
            "import, as pip install --target makes it"
        )
    if os.pathsep in str(folder.resolve()):
        raise UsageError(
            f"path={_shown(given)}: an import path cannot hold a folder with a {os.pathsep!r} in "
            "its name; rename it"
        )


def _complaint(name: object, value: object) -> str | None:
    """What is wrong with a variable of the worker's environment."""
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return f"variables has {name!r}, and a name has letters, digits and _, no digit first"
    if not isinstance(value, str):
        return f"variables.{name} is {value!r}, no text; quote it, as {name}: '{value}'"
    if "\0" in value:
        return f"variables.{name} has a zero byte, which no environment can hold"
    for reason in _reasons_against(name):
        return f"variables.{name} would change the harness, not the arm: {reason}; leave it out"
    return None


def _reasons_against(name: str) -> Iterator[str]:
    if name in VARIABLES_SET:
        yield "it is one of those that device.threads, .allocator, .wait_policy and .huge_pages set"
    if name != OURS_TO_CHOOSE:
        yield from (reason for start, reason in CHANGING.items() if name.startswith(start))


def _shown(text: str) -> str:
    return visible(without_credentials(text))
