"""What a session left in files, read back; any other content is refused before anything is run."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from harness.config import UsageError
from harness.records import NewerSchemaError, Record
from harness.replay import training_comparison

Made = TypeVar("Made")


def whole(path: Path, make: Callable[[Any], Made]) -> Made:
    """What ``make`` makes of a file of JSON. Raises ``UsageError`` for any other file,
    FileNotFoundError for none.
    """
    return _made(path.name, path.read_text(encoding="utf-8"), make)


def lines(path: Path, make: Callable[[Any], Made]) -> list[Made]:
    """The same of each line."""
    return [
        _made(f"{path.name}, line {number}", line, make)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]


def environment(data: Any) -> Mapping[str, Any]:
    return {part: dict(data[part]) for part in ("stable", "volatile")}


def job(data: Any) -> tuple[Sequence[str], Mapping[str, Any]]:
    """The keys of a job's records, and its configuration."""
    return list(data["keys"]), configuration(data["config"])


def configuration(data: Any) -> Mapping[str, Any]:
    """One that names its task; all else is looked at where it is restored."""
    if not isinstance(data["task"]["name"], str):
        raise TypeError("a task's name is a word")
    return dict(data)


def record(data: Any) -> Record:
    found = Record.from_data(data)
    if found.task == "convergence" and not training_comparison.complete(found):
        raise ValueError(
            "a training that is OK has hashes, a test accuracy and losses, and this one lacks some"
        )
    return found


def _made(where: str, text: str, make: Callable[[Any], Made]) -> Made:
    try:
        return make(json.loads(text, parse_constant=_no_number))
    except NewerSchemaError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UsageError(
            f"{where}: this is not what a session wrote, so nothing of it is replayed "
            f"({type(error).__name__}: {error})"
        ) from error


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number that is ever written")
