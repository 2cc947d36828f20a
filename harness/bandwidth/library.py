"""The C++ of `native/`: found beside this file, loaded once, and its arguments made ready
beforehand.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

from implementations import Unavailable
from implementations.native_build import (
    MissingNativeCode,
    no_such_instruction_set,
    not_built,
    not_loaded,
)

FILE = "libbnbench_bandwidth.so"
MOST_STREAMS = 16  # of either kind in a pass: walk.hpp's


class Region(NamedTuple):
    """A stretch of memory: its address, and its length in bytes. Whoever makes one keeps it
    alive.
    """

    address: int
    bytes: int


class _Stream(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t))


class _Pass(ctypes.Structure):
    _fields_ = (
        ("reads", ctypes.POINTER(_Stream)),
        ("writes", ctypes.POINTER(_Stream)),
        ("read_count", ctypes.c_int32),
        ("write_count", ctypes.c_int32),
    )


def lacking() -> MissingNativeCode | None:
    """None where bytes can be moved."""
    try:
        found = _opened()
    except FileNotFoundError:
        return not_built(FILE, "g++")
    except OSError as error:
        return not_loaded(FILE, error)
    return None if found.bnbench_isa() else no_such_instruction_set()


def instruction_set() -> str:
    """The path that is taken: "baseline", "v3" or "v4". Raises ``Unavailable``."""
    return str(_loaded().bnbench_isa().decode())


def threads() -> int:
    """How many threads share what is to be moved: those of ``torch.set_num_threads``. Raises
    ``Unavailable``.
    """
    return int(_loaded().bnbench_threads())


def walk(
    passes: Sequence[tuple[Sequence[Region], Sequence[Region]]],
    *,
    streaming: bool,
) -> Callable[[], int]:
    """A function that reads and writes every byte of each pass's (reads, writes), pass by pass, and
    returns what `move` does.

    ``streaming`` stores go past the caches, where the instruction set has such. Raises
    ``Unavailable``, and ``ValueError`` for more than 16 of either.
    """
    made = (_Pass * len(passes))(*(_made(reads, writes) for reads, writes in passes))
    return partial(_loaded().bnbench_move, made, ctypes.c_int(len(passes)), ctypes.c_int(streaming))


def _made(reads: Sequence[Region], writes: Sequence[Region]) -> _Pass:
    if max(len(reads), len(writes)) > MOST_STREAMS:
        raise ValueError(
            f"a pass of {len(reads)} reads and {len(writes)} writes; allowed: {MOST_STREAMS} of "
            "either"
        )
    return _Pass(_streams(reads), _streams(writes), len(reads), len(writes))


def _streams(regions: Sequence[Region]) -> ctypes.Array[_Stream]:
    return (_Stream * len(regions))(*(_Stream(*region) for region in regions))


def _loaded() -> ctypes.CDLL:
    # torch brings an OpenMP runtime of its own, which ours is to share: it has to be there first.
    import torch  # noqa: F401

    missing = lacking()
    if missing is not None:
        raise Unavailable(str(missing))
    return _opened()


@cache
def _opened() -> ctypes.CDLL:
    path = Path(__file__).with_name(FILE)
    if not path.is_file():
        raise FileNotFoundError(FILE)
    library = ctypes.CDLL(str(path))
    library.bnbench_isa.restype = ctypes.c_char_p
    library.bnbench_move.restype = ctypes.c_uint64
    return library
