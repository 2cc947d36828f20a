"""Problems for the C++ kernels: shapes with tails, alignments, layouts, and cache sizes so small
that every way of blocking occurs.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from itertools import product
from math import prod

import torch
from hypothesis import settings
from hypothesis import strategies as st

from harness.problems.inputs import make_arrays
from implementations.fused_cpu.library import native
from implementations.interface import DTYPES, Problem

# Elements. Without a limit a few huge examples take most of the time; with artificial cache sizes
# small ones are blocked and streamed as huge ones are.
MAX_SIZE = 1 << 18
SIZES = st.one_of(st.integers(1, 9), st.integers(1, 40))
# Bytes of the second-level and the last-level cache: this machine's own, and ones that lead to
# teams, narrow blocks, streaming stores, single rows.
CACHES = st.sampled_from(
    [None, (1 << 12, 1 << 14), (1 << 10, 1 << 30), (1 << 16, 1 << 10), (64, 64)]
)
THREADS = st.integers(1, 4)
OFFSETS = st.sampled_from([0, 0, 1, 3, 8])  # elements from an aligned address


def examples(count):
    """Settings of a test with this many examples, or the fraction of them that
    BNBENCH_TEST_EXAMPLES asks for.

    A tenth is enough for the kernels of another instruction set, and for sanitized ones, since the
    default ones are tested with all examples. Random examples look for mistakes in blocking, bounds
    and formulas, which are the same templates for all instruction sets. What differs is vectors,
    masks, conversions and stores (simd.hpp, dtypes.hpp), and of these `kernel_variants` reaches
    each, in each instance of the kernels.
    """
    fraction = float(os.environ.get("BNBENCH_TEST_EXAMPLES", "1"))
    return settings(max_examples=max(1, round(count * fraction)), deadline=None)


@dataclass(frozen=True)
class Traversal:
    """A shape whose elements the kernels reach in one of their ways."""

    shape: tuple[int, ...]
    memory_format: str = "contiguous"
    threads: int = 1


TRAVERSALS = {
    # Tails, vectors on the border of two planes, and samples that begin at any alignment.
    "planes": Traversal((3, 5, 7, 11)),
    # Of more than 4096 values per channel, after which sums are flushed.
    "pieces of planes": Traversal((4, 3, 40, 60), threads=2),
    # More than 1024, after which sums are flushed; tiles and single rows; tails.
    "rows": Traversal((29, 21, 6, 6), "channels_last"),
    # Tiles of these may be streamed.
    "rows of whole vectors": Traversal((6, 64, 3, 3), "channels_last"),
    # Traversed as rows in which each channel has several elements.
    "small planes": Traversal((13, 9, 3, 3)),
}
BLOCKINGS = ("cached", "streaming", "narrow")


def variant_caches(blocking, problem):
    """Cache sizes for blocks of all channels, the same with streaming stores, and blocks of few
    channels with single rows and streaming stores.

    A call streams if it moves more than a quarter of the last-level cache, and traverses single
    rows if one array is larger than that cache.
    """
    array = problem.size * torch.finfo(getattr(torch, problem.dtype)).bits // 8
    return {"cached": (1 << 24, 1 << 30), "streaming": (1 << 24, 2 * array), "narrow": (64, 64)}[
        blocking
    ]


def kernel_variants():
    """Names of a dtype, a traversal and a blocking, for `variant_problems`."""
    return list(product(DTYPES, TRAVERSALS, BLOCKINGS))


def variant_problems(dtype, traversal):
    """With and without ReLU and residual; of ReLU's masks the stored one, the recomputed one, and
    without parameters, for an inference's backward, a stored one without a residual.
    """
    way = TRAVERSALS[traversal]
    plain = Problem(way.shape, dtype, memory_format=way.memory_format)
    relu = replace(plain, activation="relu")
    return (
        plain,
        replace(plain, residual=True),
        relu,
        replace(relu, residual=True),
        replace(relu, weight=False, bias=False),
    )


@st.composite
def problems(draw, dtypes=("float32", "float64", "bfloat16", "float16")):
    rank, dtype = draw(st.integers(2, 5)), draw(st.sampled_from(dtypes))
    sizes = [draw(SIZES) for _ in range(rank)]
    while prod(sizes) > MAX_SIZE:
        sizes[sizes.index(max(sizes))] //= 2
    if sizes[0] * prod(sizes[2:]) == 1:
        sizes[0] = 2
    mixed = dtype in ("bfloat16", "float16") and draw(st.booleans())
    return Problem(
        tuple(sizes),
        dtype,
        "float32" if mixed else None,
        draw(st.sampled_from(("contiguous", "channels_last"))) if rank > 3 else "contiguous",
        draw(st.sampled_from((None, "relu"))),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.booleans()),
    )


def arrays_at(problem, offset, seed=0):
    """Arrays that begin `offset` elements behind an aligned address."""
    made = make_arrays(problem, seed)
    return replace(
        made,
        **{
            field.name: shifted(tensor, offset)
            for field in fields(made)
            if isinstance(tensor := getattr(made, field.name), torch.Tensor) and tensor.dim() > 1
        },
    )


def shifted(tensor, offset):
    memory = torch.empty(tensor.numel() + offset, dtype=tensor.dtype)[offset:]
    return torch.as_strided(memory, tensor.shape, tensor.stride(), offset).copy_(tensor)


@contextmanager
def situation(caches, threads):
    """Cache sizes, unless None, and a number of threads, restored at the end."""
    caches_before, threads_before = native().cache_sizes(), torch.get_num_threads()
    native().set_cache_sizes(*(caches or caches_before))
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        native().set_cache_sizes(*caches_before)
        torch.set_num_threads(threads_before)
