"""Plug-ins that are right in their first call and cut corners in those that are timed, and honest
ones that look alike.
"""

from __future__ import annotations

import os
import resource
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import torch
from troublesome_bn import Native, Wrapped

WORK = 0.1  # seconds of a call that is done elsewhere
MOST = 16  # calls that wait or are done elsewhere at a time
ROOM = 256 << 20  # bytes that a greedy one is let have


def copied(record, names=None):
    """Tensors of a record as copies, all of them or the named ones."""
    named = {field.name: getattr(record, field.name) for field in fields(record)}
    return replace(
        record,
        **{
            name: tensor.clone()
            for name, tensor in named.items()
            if isinstance(tensor, torch.Tensor) and (names is None or name in names)
        },
    )


class Lie(Wrapped):
    """Right once; what comes afterwards is the subclass's."""

    def __init__(self, inner, arrays):
        self.inner, self.arrays, self.first = inner, arrays, None

    def __call__(self):
        if self.first is None:
            self.inner()
            self.first = self.keep()
        else:
            self.again()

    def keep(self):
        return self.inner.results()

    def again(self):
        """Do nothing."""


class _Cached(Lie):
    def results(self):
        return self.first or self.inner.results()


class _CachedCopies(Lie):
    def keep(self):
        return copied(self.inner.results())

    def results(self):
        return copied(self.first or self.inner.results())


class _CachedByVersion(_CachedCopies):
    version = None

    def __call__(self):
        if self.first is None or self.version != self.arrays.input._version:
            self.inner()
            self.first, self.version = self.keep(), self.arrays.input._version


class _Skipping(Lie):
    pass


class _SkippingButCounting(Lie):
    def again(self):
        mean, var = self.inner._statistics
        columns = self.arrays.input.movedim(1, 0).flatten(1).to(mean.dtype)
        mean.lerp_(columns.mean(1), self.arrays.momentum)
        var.lerp_(columns.var(1), self.arrays.momentum)


class _EachEighth(Lie):
    """Works in the first call and in each eighth after it."""

    calls = 0

    def again(self):
        self.calls += 1
        if self.calls % 8 == 0:
            self.inner()


class _Mutating(Wrapped):
    def __call__(self):
        self.inner()
        self.act(self.inner)


class _Elsewhere(Lie):
    """The calls are done by threads that are not waited for. Those that would pile up are not done
    at all.
    """

    workers = MOST

    def __init__(self, inner, arrays):
        super().__init__(inner, arrays)
        self.pool, self.ahead = ThreadPoolExecutor(self.workers), []

    def again(self):
        self.ahead = [call for call in self.ahead if not call.done()]
        if len(self.ahead) < MOST:
            self.ahead.append(self.pool.submit(self.work))

    def work(self):
        time.sleep(WORK)
        self.inner()

    def synchronize(self):
        """Wait for nothing."""


class _ElsewhereQueue(_Elsewhere):
    """One thread does them, one after the other."""

    workers = 1


class _Waiting(Wrapped):
    """A thread for each call, and `synchronize` waits for all of them."""

    def __init__(self, inner, arrays):
        self.inner, self.threads, self.turn = inner, [], threading.Lock()

    def __call__(self):
        self.threads.append(threading.Thread(target=self.work))
        self.threads[-1].start()

    def work(self):
        with self.turn:
            self.inner()

    def synchronize(self):
        while self.threads:
            self.threads.pop().join()


def _preparing(lie):
    class Preparing(Native):
        def prepare(self, problem, phase, **keywords):
            return lie(super().prepare(problem, phase, **keywords), keywords["arrays"])

    return Preparing


def _mutating(operand, change):
    return _preparing(
        lambda inner, arrays: _Mutating(inner, lambda inner: change(getattr(arrays, operand).data))
    )


Cached = _preparing(_Cached)
CachedCopies = _preparing(_CachedCopies)
CachedByVersion = _preparing(_CachedByVersion)
Skipping = _preparing(_Skipping)
SkippingButCounting = _preparing(_SkippingButCounting)
EachEighth = _preparing(_EachEighth)
Mutating = _mutating("input", lambda data: data.mul_(0.99))
MutatingResidual = _mutating("residual", lambda data: data[-1:, -1:].add_(1))
Elsewhere = _preparing(_Elsewhere)
ElsewhereQueue = _preparing(_ElsewhereQueue)
Waiting = _preparing(_Waiting)


class Copying(Native):
    """Keeps a copy of its inputs, as a library with arrays of its own kind does: of all of them, or
    of the named ones.
    """

    shares_memory = False
    names: tuple[str, ...] | None = None

    def prepare(self, problem, phase, **keywords):
        return super().prepare(
            problem, phase, **{**keywords, "arrays": copied(keywords["arrays"], self.names)}
        )


class CopyingResidual(Copying):
    names = ("residual",)


class CopyingAndSkipping(Copying):
    """Keeps a copy of its inputs, which then cannot change, and does nothing from the second call
    on.
    """

    def prepare(self, problem, phase, **keywords):
        return _Skipping(super().prepare(problem, phase, **keywords), keywords["arrays"])


class Greedy(Native):
    """Takes memory until there is none, within a limit that it sets first for the sake of other
    processes.
    """

    def prepare(self, problem, phase, **keywords):
        with Path("/proc/self/statm").open(encoding="ascii") as file:
            pages = int(file.read().split()[0])
        before, hoard = resource.getrlimit(resource.RLIMIT_AS), []
        resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + ROOM, before[1]))
        try:
            while True:
                hoard.append(np.ones(1 << 20))
        finally:
            hoard.clear()
            resource.setrlimit(resource.RLIMIT_AS, before)


class Killed(Native):
    """Ends by SIGKILL, as the kernel ends a process that has taken too much memory."""

    def prepare(self, problem, phase, **keywords):
        os.kill(os.getpid(), signal.SIGKILL)
