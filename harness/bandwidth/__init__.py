"""How fast this machine moves bytes, and how few of them batch norm must move: the floor under
every speed.

    traffic(problem, phase, ...) -> Traffic     the least bytes that any implementation must move,
                                                pass by pass
    cache_bytes(processor, threads) -> int      what of them stays at hand between two passes
    PreparedFloor(traffic, stores=...)          an arm that moves these bytes and does nothing else
    move(reads, writes, ...)                    every byte of some arrays, once
    missing_library() -> MissingNativeCode|None why bytes cannot be moved here: the C++ is not
                                                built, say

The moving is C++ (`native/`), built with the package where there is a compiler. Importing this
loads none of it.
"""

from harness.bandwidth.floor import PreparedFloor
from harness.bandwidth.library import missing_library
from harness.bandwidth.probes import NAMED, move, probe
from harness.bandwidth.traffic import Pass, Stream, Traffic, cache_bytes, traffic
from implementations.native_build import MissingNativeCode

__all__ = [
    "NAMED",
    "MissingNativeCode",
    "Pass",
    "PreparedFloor",
    "Stream",
    "Traffic",
    "cache_bytes",
    "missing_library",
    "move",
    "probe",
    "traffic",
]
