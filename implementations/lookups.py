"""What is installed, looked up once while many configurations are judged.

Finding a package or hashing its source takes tens of milliseconds, and what is installed may change
between two measurements of a notebook. So answers are remembered inside a block only.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import wraps
from typing import Any, ParamSpec, TypeVar

Given = ParamSpec("Given")
Answer = TypeVar("Answer")
_answers: ContextVar[dict[tuple[object, ...], Any] | None] = ContextVar("answers", default=None)


@contextmanager
def looked_up_once() -> Generator[None]:
    """A block in which what `remembered` functions have answered is not looked up again."""
    token = _answers.set({})
    try:
        yield
    finally:
        _answers.reset(token)


def remembered(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
    """The function, which inside `looked_up_once` runs once for equal arguments."""

    @wraps(function)
    def answer(*args: Given.args, **kwargs: Given.kwargs) -> Answer:
        known = _answers.get()
        if known is None:
            return function(*args, **kwargs)
        key = (function, repr(args), repr(kwargs))  # a specification may be a mapping, or a name
        if key not in known:
            known[key] = function(*args, **kwargs)
        found: Answer = known[key]
        return found

    return answer
