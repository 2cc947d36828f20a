"""The C++ library of `native/`: loading it, and converting arguments once for many calls."""

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
MAX_REGIONS = 16  # reads of a pass, and writes of a pass: MAX_REGIONS in move_kernel.hpp


class Region(NamedTuple):
    """A range of memory: its address and its length in bytes. The caller keeps the memory alive."""

    address: int
    bytes: int


class _CRegion(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("bytes", ctypes.c_size_t))


class _CPass(ctypes.Structure):
    _fields_ = (
        ("reads", ctypes.POINTER(_CRegion)),
        ("writes", ctypes.POINTER(_CRegion)),
        ("read_count", ctypes.c_int32),
        ("write_count", ctypes.c_int32),
    )


def missing_library() -> MissingNativeCode | None:
    """Why the library cannot be used; None if it can."""
    try:
        library = _opened()
    except FileNotFoundError:
        return not_built(FILE, "g++")
    except OSError as error:
        return not_loaded(FILE, error)
    return None if library.bnbench_isa() else no_such_instruction_set()


def instruction_set() -> str:
    """The instruction set in use: "baseline", "v3" or "v4". Raises ``Unavailable``."""
    return str(_loaded().bnbench_isa().decode())


def threads() -> int:
    """How many threads divide the bytes among them: those of ``torch.set_num_threads``. Raises
    ``Unavailable``.
    """
    return int(_loaded().bnbench_threads())


def prepare_move(
    passes: Sequence[tuple[Sequence[Region], Sequence[Region]]], *, streaming: bool
) -> Callable[[], int]:
    """A function that reads and writes every byte of each pass's (reads, writes), pass by pass, and
    returns a sum of what it read.

    ``streaming`` stores bypass the caches, where the instruction set has such stores. Raises
    ``Unavailable``, and ``ValueError`` for more than 16 reads or writes in a pass.
    """
    converted = (_CPass * len(passes))(*(_c_pass(reads, writes) for reads, writes in passes))
    return partial(
        _loaded().bnbench_move, converted, ctypes.c_int(len(passes)), ctypes.c_int(streaming)
    )


def _c_pass(reads: Sequence[Region], writes: Sequence[Region]) -> _CPass:
    if max(len(reads), len(writes)) > MAX_REGIONS:
        raise ValueError(
            f"a pass of {len(reads)} reads and {len(writes)} writes; allowed: {MAX_REGIONS} of "
            "either"
        )
    return _CPass(_c_regions(reads), _c_regions(writes), len(reads), len(writes))


def _c_regions(regions: Sequence[Region]) -> ctypes.Array[_CRegion]:
    return (_CRegion * len(regions))(*(_CRegion(*region) for region in regions))


def _loaded() -> ctypes.CDLL:
    # torch ships an OpenMP runtime. Ours has to be the same one, so torch is loaded first.
    import torch  # noqa: F401

    missing = missing_library()
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
