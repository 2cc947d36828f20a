"""The C++ of `native/`, loaded once, or the reason why it cannot be."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

from implementations.native_build import no_such_instruction_set, not_built, not_loaded
from implementations.registry import Unavailable

MODULE = "implementations.fused_cpu._native"


@cache
def native() -> ModuleType:
    """The module. Raises ``Unavailable``."""
    # torch brings an OpenMP runtime of its own, which ours is to share: it has to be there first.
    import torch  # noqa: F401

    try:
        loaded = import_module(MODULE)
    except ModuleNotFoundError:
        missing = not_built(MODULE, "g++ python3-dev", "a C++ compiler and Python's headers")
        raise Unavailable(str(missing)) from None
    except ImportError as error:
        raise Unavailable(str(not_loaded(MODULE, error))) from None
    if not loaded.path():
        raise Unavailable(str(no_such_instruction_set()))
    return loaded


def path() -> str:
    """The instruction set taken: "baseline", "v3" or "v4". Raises ``Unavailable``."""
    return str(native().path())
