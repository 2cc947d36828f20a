"""From frozen dataclasses to plain data, ready for JSON, and back.

Everything that leaves a process (a line of the journal, a message on a worker's pipe, an artifact
in MLflow) goes through `to_plain`, and everything that comes in through `from_plain`, which checks
it against the type that is wanted.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import TypeAlias, TypeVar

import msgspec

from implementations.published_text import without_credentials

Plain: TypeAlias = "bool | int | float | str | list[Plain] | Mapping[str, Plain] | None"
Made = TypeVar("Made")

# What a field's metadata may ask for.
OMIT_NONE = MappingProxyType({"omit_none": True})  # leave the field out where it is None
FLATTEN = MappingProxyType({"flatten": True})  # put a mapping's entries beside the other fields


class InvalidDataError(ValueError):
    """Plain data is not of the type that is wanted. The message says where and why."""


def to_plain(value: object) -> Plain:
    """Dataclasses as mappings, tuples as lists, members of an enumeration as their values."""
    if is_dataclass(value) and not isinstance(value, type):
        return _fields_to_plain(value)
    if isinstance(value, Mapping):
        return {str(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return to_plain(value.value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(f"{value!r} is a {type(value).__name__}, which has no plain form")


def from_plain(data: object, wanted: type[Made]) -> Made:
    """The object whose plain data this is. Unknown keys are ignored, as a later version may add
    some.

    Raises ``InvalidDataError``.
    """
    try:
        return msgspec.convert(_gathered(data, wanted), wanted)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        name = getattr(wanted, "__name__", wanted)
        raise InvalidDataError(f"not a valid {name}: {error}") from error


def published(data: Plain) -> Plain:
    """The same plain data without the credentials of any URI in its texts: what may be stored."""
    if isinstance(data, str):
        return without_credentials(data)
    if isinstance(data, Mapping):
        return {without_credentials(key): published(item) for key, item in data.items()}
    return [published(item) for item in data] if isinstance(data, list) else data


def to_json(data: object) -> str:
    """One line of JSON. NaN and infinity are refused: a failure never becomes a number."""
    return json.dumps(to_plain(data), allow_nan=False, sort_keys=True)


def digest(data: object) -> str:
    """A short stable hash of plain data: 16 hexadecimal digits of SHA-256 over canonical JSON."""
    return hashlib.sha256(to_json(data).encode()).hexdigest()[:16]


def flat(data: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """``{"ratio": {"low": 1}}`` as ``{"ratio.low": 1}``. Lists are values, not levels."""
    pairs: dict[str, object] = {}
    for key, value in data.items():
        if isinstance(value, Mapping):
            pairs |= flat(value, f"{prefix}{key}.")
        else:
            pairs[f"{prefix}{key}"] = value
    return pairs


def differing(
    before: Mapping[str, object], after: Mapping[str, object]
) -> dict[str, tuple[object, object]]:
    """Where two mappings, nested or not, differ: dotted name to both values, None where absent."""
    old, new = flat(before), flat(after)
    return {
        name: (old.get(name), new.get(name))
        for name in sorted(old.keys() | new.keys())
        if old.get(name) != new.get(name)
    }


def plain_fields(value: object) -> dict[str, Plain]:
    """A dataclass as a mapping of its fields."""
    plain = to_plain(value)
    if not isinstance(plain, dict):
        raise TypeError(f"{value!r} is no dataclass")
    return plain


def _fields_to_plain(value: object) -> dict[str, Plain]:
    plain: dict[str, Plain] = {}
    for field in fields(value):  # type: ignore[arg-type]  # `to_plain` has seen that it is one
        item = to_plain(getattr(value, field.name))
        if item is None and field.metadata.get("omit_none"):
            continue
        if field.metadata.get("flatten") and isinstance(item, Mapping):
            plain |= item
        else:
            plain[field.name] = item
    return plain


def _gathered(data: object, wanted: object) -> object:
    """The entries that no other field takes, under the name of the field that was flattened."""
    if not (isinstance(data, Mapping) and isinstance(wanted, type) and is_dataclass(wanted)):
        return data
    flattened = [field.name for field in fields(wanted) if field.metadata.get("flatten")]
    if not flattened:
        return data
    known = {field.name for field in fields(wanted)} - set(flattened)
    rest = {key: value for key, value in data.items() if key not in known}
    return {**{key: data[key] for key in data if key in known}, flattened[0]: rest}
