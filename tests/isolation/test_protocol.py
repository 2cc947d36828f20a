"""A change of what travels between a worker and its parent does not go unnoticed: a worker of
another version of bnbench would fail in some odd way where it should be told apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import fields, is_dataclass
from functools import partial
from typing import Any, get_args, get_type_hints

from harness.conformance import worker as conformance
from harness.isolation import messages, place_facts
from harness.records import digest
from harness.timing.worker import __main__ as timing
from harness.training import worker as training

# Of what version 1 of the protocol is made. Where this differs, raise `messages.PROTOCOL`, unless
# a worker and a parent of before and after understand each other: fields that were added have
# defaults, and nobody has to know them. Then put the new digest here.
VERSION, SHAPE = 1, "78fb8042b9f513da"


def test_what_travels_is_what_the_version_of_the_protocol_says() -> None:
    assert (messages.PROTOCOL, digest(shape())) == (VERSION, SHAPE)


def shape() -> dict[str, object]:
    """All services with their types, and the fields of the dataclasses among these."""
    found: dict[str, object] = {}
    kinds: list[type] = [messages.StartOptions, messages.WorkerFacts]
    kinds += [messages.Request, messages.Message]
    for worker in (conformance, training, timing, place_facts):
        for name, service in worker.services().items():
            types = get_type_hints(function_of(service))
            found[f"{worker.__name__} {name}"] = {key: str(types[key]) for key in sorted(types)}
            kinds += dataclasses_in(types.values())
    while kinds:
        kind = kinds.pop()
        if kind.__qualname__ not in found:
            types = get_type_hints(kind)
            names = [field.name for field in fields(kind)]
            found[kind.__qualname__] = {name: str(types[name]) for name in names}
            kinds += dataclasses_in(types.values())
    return found


def function_of(service: Callable[..., object]) -> Any:
    return service.func if isinstance(service, partial) else service


def dataclasses_in(types: Iterable[Any]) -> Iterator[type]:
    for kind in types:
        if is_dataclass(kind) and isinstance(kind, type):
            yield kind
        yield from dataclasses_in(get_args(kind))
