"""Loading the C++ extension module of `native/`, or the reason why it cannot be loaded."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

from implementations.native_build import no_such_instruction_set, not_built, not_loaded
from implementations.registry import Unavailable

MODULE = "implementations.fused_cpu._native"


@cache
def native() -> ModuleType:
    """The extension module. Raises ``Unavailable``."""
    # torch ships an OpenMP runtime. Ours has to be the same one, so torch is loaded first.
    import torch  # noqa: F401

    try:
        loaded = import_module(MODULE)
    except ModuleNotFoundError:
        missing = not_built(MODULE, "g++ python3-dev", "a C++ compiler and Python's headers")
        raise Unavailable(str(missing)) from None
    except ImportError as error:
        raise Unavailable(str(not_loaded(MODULE, error))) from None
    if not loaded.instruction_set():
        raise Unavailable(str(no_such_instruction_set()))
    return loaded


def is_loaded() -> bool:
    """Whether this process uses it already."""
    return native.cache_info().currsize > 0


def instruction_set() -> str:
    """The instruction set in use: "baseline", "v3" or "v4". Raises ``Unavailable``."""
    return str(native().instruction_set())
