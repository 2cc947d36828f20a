"""Text and Hydra's grammar: what a user gave as a text stays that text, and a text that is handed
to Hydra, or to a user to hand on, is quoted where the grammar would take it for something else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import fields
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_type_hints

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import (
    ChoiceSweep,
    Override,
    OverrideType,
    Quote,
    QuotedString,
    ValueType,
)
from hydra.errors import HydraException

from harness.config.credential_variables import hidden
from harness.config.schema import (
    TASKS,
    Config,
    DeviceConfig,
    GateConfig,
    ProblemConfig,
    TrackingConfig,
)
from harness.records import flat, plain_fields, to_json

NODES: tuple[tuple[str, type], ...] = (
    ("", Config),
    *(("task.", task) for task in TASKS),
    ("problem.", ProblemConfig),
    ("device.", DeviceConfig),
    ("tracking.", TrackingConfig),
    ("gate.", GateConfig),
)
MARKUP = "'\"[{"  # what begins with one of these is no plain text, and a slip in it is an error


def words_for_hydra(words: Sequence[str]) -> list[str]:
    """The same overrides for Hydra: texts are texts, and credentials are in the environment, so
    that no file of Hydra's holds them.
    """
    return [_without_credentials(_as_text(word)) for word in words]


def credentials_of_presets(config: object, given: Collection[str]) -> list[str]:
    """Overrides for the keys, none of them ``given``, to which a preset gives credentials: the same
    values with references to the environment.
    """
    values = {key: value for key, value in flat(plain_fields(config)).items() if key not in given}
    return [
        f"{key}={_element(_hidden(value))}"
        for key, value in values.items()
        if hidden(to_json(value)) != to_json(value)
    ]


def assignment(key: str, text: str) -> str:
    """``key=text`` as Hydra has to be given it."""
    return f"{key}={_literal(text)}"


def in_mapping(text: str) -> str:
    """A value of a mapping, as a text or a number of which only the text is known."""
    parsed = _parsed(f"key={{value: {text}}}")
    match parsed.value() if parsed is not None else None:
        case {"value": value, **others} if not others:
            return text if value == text or not isinstance(value, str) else _quoted(text)
        case _:
            return _quoted(text)


def text_in_mapping(text: str) -> str:
    """A value of a mapping that is a text, whatever it looks like."""
    parsed = _parsed(f"key={{value: {text}}}")
    plain = parsed is not None and parsed.value() == {"value": text} and "${" not in text
    return text if plain else _quoted(text.replace("${", r"\${"))


def search_path(folder: str) -> str:
    """The override that has Hydra look for groups in this folder, too."""
    return f"hydra.searchpath=[{_quoted(f'file://{Path(folder).resolve()}')}]"


def _text_keys() -> Iterator[str]:
    """The keys whose value is a text, or a text or null."""
    for prefix, node in NODES:
        hints = get_type_hints(node)
        for field in fields(node):
            kind = hints[field.name]
            kinds = set(get_args(kind)) if isinstance(kind, UnionType) else {kind}
            if kinds <= {str, type(None)}:
                yield f"{prefix}{field.name}"


TEXT_KEYS = frozenset(_text_keys())


def _as_text(word: str) -> str:
    """The word with its value quoted, where it is a text that Hydra would not take as it stands:
    a number, or characters that are not in its grammar.
    """
    key, equals, text = word.partition("=")
    if not equals or key.lstrip("+") not in TEXT_KEYS:
        return word
    parsed = _parsed(word)
    if parsed is None:
        return word if text.startswith(tuple(MARKUP)) else f"{key}={_quoted(text)}"
    number = isinstance(parsed.value(), int | float)  # true and false are of int
    return f"{key}={_quoted(text)}" if number or text != text.strip() else word


def _without_credentials(word: str) -> str:
    """The word with references to the environment in the place of credentials."""
    parsed = _parsed(word) if hidden(word) != word else None
    if parsed is None:
        return word
    value = parsed.value()
    if parsed.value_type is ValueType.ELEMENT:
        text = _element(_hidden(value))
    elif isinstance(value, ChoiceSweep):
        text = ",".join(_element(_hidden(choice)) for choice in value.list)
    else:
        return word
    return f"{parsed.get_key_element()}={text}"


def _element(value: Any) -> str:  # whatever Hydra's grammar has
    """A value in Hydra's grammar."""
    override = Override(OverrideType.CHANGE, "key", ValueType.ELEMENT, value)
    made: str = override.get_value_element_as_str()
    return made


def _hidden(value: object) -> object:
    match value:
        case QuotedString(text=text):
            return _hidden(text)
        case str():
            return QuotedString(hidden(value), Quote.double)
        case list():
            return [_hidden(item) for item in value]
        case dict():
            return {key: _hidden(item) for key, item in value.items()}
        case _:
            return value


def _literal(text: str) -> str:
    """The text, quoted unless Hydra takes it as it stands."""
    parsed = _parsed(f"key={text}")
    plain = parsed is not None and parsed.value() == text != ""
    return text if plain and "${" not in text else _quoted(text.replace("${", r"\${"))


def _quoted(text: str) -> str:
    return _element(QuotedString(text, Quote.double))


def _parsed(word: str) -> Override | None:
    try:
        made: Override = OverridesParser.create().parse_override(word)
    except (HydraException, ValueError, RecursionError):
        return None
    return made
