"""What travels on the pipes between a worker process and its parent, one line of JSON each.

The two may run different versions of bnbench, so what travels here, services and their arguments
among it, has a version of its own: `PROTOCOL`.

A request names a service and its arguments. The worker answers with any number of messages of kind
"progress" and then one of kind "value" or "error".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

# Raise it when a worker or a parent of the version before would not understand. Those that do not
# say which they speak speak 0.
PROTOCOL = 1
MessageKind = Literal["progress", "value", "error"]


@dataclass(frozen=True)
class StartOptions:
    """What a worker process is started with: its command line, as JSON.

    ``requests`` and ``replies`` are the file descriptors of the pipes that it reads from and writes
    to, ``cpus`` those that it is bound to.
    """

    requests: int
    replies: int
    threads: int
    cpus: tuple[int, ...]


@dataclass(frozen=True)
class ForkRequest:
    """What the fork server is asked for: a worker with that environment, in that folder."""

    environment: Mapping[str, str]
    folder: str
    options: StartOptions


@dataclass(frozen=True)
class Request:
    """One thing that a worker is asked to do."""

    service: str
    arguments: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """One line from the worker. The ``content`` of an error is a `RemoteFailure`, as plain data."""

    kind: MessageKind
    content: object


@dataclass(frozen=True)
class WorkerFacts:
    """What is in force in a worker that has started: its process id, threads and CPUs, and the
    version of the protocol that it speaks.
    """

    pid: int
    threads: int
    cpus: tuple[int, ...]
    protocol: int = 0


@dataclass(frozen=True)
class RemoteFailure:
    """An exception in the worker: its class's name, its message, and the file and line."""

    kind: str
    reason: str
    where: str
