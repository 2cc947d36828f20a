"""Loading the C++ extension module of `native/`, or the reason why it cannot be loaded."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import ModuleType

from implementations.native_build import Lacking, no_such_path, not_built, not_loaded
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
        raise _unavailable(
            not_built(MODULE, "g++ python3-dev", "a C++ compiler and Python's headers")
        ) from None
    except ImportError as error:
        raise _unavailable(not_loaded(MODULE, error)) from None
    if not loaded.instruction_set():
        raise _unavailable(no_such_path())
    return loaded


def instruction_set() -> str:
    """The instruction set in use: "baseline", "v3" or "v4". Raises ``Unavailable``."""
    return str(native().instruction_set())


def _unavailable(lacking: Lacking) -> Unavailable:
    return Unavailable(f"{lacking.reason}; {lacking.remedy}")
