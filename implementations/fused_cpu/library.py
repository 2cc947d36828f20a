"""The C++ of `native/`, loaded once, or the reason why it cannot be."""

from __future__ import annotations

import os
from functools import cache
from types import ModuleType

from implementations.registry import Unavailable


@cache
def native() -> ModuleType:
    """The module. Raises ``Unavailable``."""
    # torch brings an OpenMP runtime of its own, which ours is to share: it has to be there first.
    import torch  # noqa: F401

    try:
        from implementations.fused_cpu import _native as loaded
    except ModuleNotFoundError:
        raise Unavailable(
            "bnbench was installed without its C++: install a C++ compiler and Python's headers (Debian: apt-get install g++ "
            "python3-dev), then bnbench again with BNBENCH_NATIVE=1, which shows what does not build") from None
    except ImportError as error:
        raise Unavailable(f"its C++ cannot be loaded: {error}; install bnbench again on this machine") from None
    if not loaded.path():
        raise Unavailable(f"BNBENCH_ISA={os.environ.get('BNBENCH_ISA')} cannot be had on this machine; unset it, or set it to "
                          "baseline, or to v3 or v4 (x86-64 levels) where the CPU has them")
    return loaded


def path() -> str:
    """The instruction set taken: "baseline", "v3" or "v4". Raises ``Unavailable``."""
    return str(native().path())
