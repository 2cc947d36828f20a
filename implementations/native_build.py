"""Why a part of the package's C++ is missing, and the remedy, worded alike for every part."""

from __future__ import annotations

import os
from typing import NamedTuple


class MissingNativeCode(NamedTuple):
    """The reason why C++ cannot be used, and its remedy as an imperative."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}; {self.remedy}"


def not_built(file: str, packages: str, needed: str = "a C++ compiler") -> MissingNativeCode:
    """``file`` was left out when the package was installed, because ``needed`` was not there,
    which Debian has in ``packages``.
    """
    return MissingNativeCode(
        f"bnbench was installed without its C++: there is no {file}",
        f"install {needed} (Debian: apt-get install {packages}), then bnbench again with "
        "BNBENCH_NATIVE=1, which shows what does not build",
    )


def not_loaded(file: str, error: Exception) -> MissingNativeCode:
    """``file`` is there, and the system's loader refuses it."""
    return MissingNativeCode(
        f"{file} cannot be loaded: {error}", "install bnbench again on this machine"
    )


def no_such_instruction_set() -> MissingNativeCode:
    """BNBENCH_ISA asks for an instruction set that this machine or build does not have."""
    return MissingNativeCode(
        f"BNBENCH_ISA={os.environ.get('BNBENCH_ISA')} cannot be had on this machine",
        "unset it, or set it to baseline, or to v3 or v4 (x86-64 levels) where the CPU has them",
    )
