"""Why a part of the package's C++ cannot be had, and what helps: alike for every part."""

from __future__ import annotations

import os
from typing import NamedTuple


class Lacking(NamedTuple):
    """A reason, and its remedy as an imperative."""

    reason: str
    remedy: str


def not_built(file: str, packages: str, what: str = "a C++ compiler") -> Lacking:
    """It was left out when the package was installed, for want of ``what``, which Debian has in
    ``packages``.
    """
    return Lacking(
        f"bnbench was installed without its C++: there is no {file}",
        f"install {what} (Debian: apt-get install {packages}), then bnbench again with "
        "BNBENCH_NATIVE=1, which "
        "shows what does not build",
    )


def not_loaded(file: str, error: Exception) -> Lacking:
    return Lacking(f"{file} cannot be loaded: {error}", "install bnbench again on this machine")


def no_such_path() -> Lacking:
    """BNBENCH_ISA forces an instruction set that this machine or build does not have."""
    return Lacking(
        f"BNBENCH_ISA={os.environ.get('BNBENCH_ISA')} cannot be had on this machine",
        "unset it, or set it to baseline, or to v3 or v4 (x86-64 levels) where the CPU has them",
    )
