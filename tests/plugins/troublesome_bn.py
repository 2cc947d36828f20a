"""Plug-ins that do what plug-ins do on a bad day. Each is PyTorch's own batch norm but for one
thing.
"""

from __future__ import annotations

import ctypes
import os
import time
from dataclasses import replace

import torch

from implementations import Unavailable
from implementations.builtin import torch_native
from implementations.interface import Implementation, Prepared


class Native(Implementation):
    """Right, and nothing else."""

    def unsupported(self, problem, phase, device):
        return None

    def layer(self, problem):
        return torch_native.layer

    def prepare(self, problem, phase, *, face, outputs, arrays):
        return torch_native.TorchNative().prepare(
            problem, phase, face=face, outputs=outputs, arrays=arrays
        )


class Wrapped(Prepared):
    """Something done around another's call."""

    def __init__(self, inner, act):
        self.inner, self.act = inner, act

    def arm(self, calls):
        self.inner.arm(calls)

    def __call__(self):
        self.act(self.inner)

    def synchronize(self):
        self.inner.synchronize()

    def results(self):
        return self.inner.results()


def _wrapping(act):
    class Wrapping(Native):
        def prepare(self, problem, phase, **keywords):
            return Wrapped(super().prepare(problem, phase, **keywords), act)

    return Wrapping


def _longer(factor):
    def act(inner):
        began = time.perf_counter()
        inner()
        until = began + factor * (time.perf_counter() - began)
        while time.perf_counter() < until:
            pass

    return act


def _hang(inner):
    time.sleep(3600)


Crashing = _wrapping(lambda inner: ctypes.string_at(0))
Raising = _wrapping(lambda inner: inner.no_such_thing())
Hanging = _wrapping(_hang)
Exiting = _wrapping(lambda inner: os._exit(3))
SlowedByAFifth = _wrapping(_longer(1.2))


class Slowed(Native):
    """Takes ``factor`` times as long as it would."""

    def __init__(self, factor=1.2):
        self.factor = factor

    def prepare(self, problem, phase, **keywords):
        return Wrapped(super().prepare(problem, phase, **keywords), _longer(self.factor))


class Wrong(Native):
    """Its output is off by one percent."""

    def prepare(self, problem, phase, **keywords):
        prepared = Wrapped(super().prepare(problem, phase, **keywords), lambda inner: inner())
        results = prepared.results
        prepared.results = lambda: replace(results(), output=results().output * 1.01)
        return prepared


class Refusing(Native):
    def unsupported(self, problem, phase, device):
        return "it is Sunday"


class Absent(Native):
    def __init__(self):
        raise Unavailable("it needs a machine that is not here")


class Threaded(Native):
    """Helps itself to more threads than it was given."""

    def prepare(self, problem, phase, **keywords):
        torch.set_num_threads(torch.get_num_threads() + 1)
        return super().prepare(problem, phase, **keywords)


class Speechless(Native):
    """Refuses, and does not say why."""

    def unsupported(self, problem, phase, device):
        return ""


# Of the wrong kind, which is seen only where it is loaded.
NoImplementation = type("NoImplementation", (), {})


class Chatty(Native):
    """Prints what looks like a reply."""

    def prepare(self, problem, phase, **keywords):
        print('{"value": 0}', flush=True)
        return super().prepare(problem, phase, **keywords)


class Scaled(Native):
    """Takes an argument, to be named on the command line."""

    def __init__(self, factor=1.0):
        self.factor = factor

    def layer(self, problem):
        return lambda *arguments: torch_native.layer(*arguments) * torch.tensor(self.factor)
