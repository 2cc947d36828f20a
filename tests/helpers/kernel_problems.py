"""Problems for the C++ kernels: shapes with tails, alignments, layouts, and caches so small that
every plan comes up.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields, replace
from math import prod

import torch
from hypothesis import strategies as st

from harness.problems.inputs import make_arrays
from implementations.fused_cpu.library import native
from implementations.interface import Problem

SIZES = st.one_of(st.integers(1, 9), st.integers(1, 40))
# Second-level and last: this machine's own, and ones that make teams, narrow blocks, streaming
# stores, rows one by one.
CACHES = st.sampled_from(
    [None, (1 << 12, 1 << 14), (1 << 10, 1 << 30), (1 << 16, 1 << 10), (64, 64)]
)
THREADS = st.integers(1, 4)
OFFSETS = st.sampled_from([0, 0, 1, 3, 8])  # elements from an aligned address


@st.composite
def problems(draw, dtypes=("float32", "float64", "bfloat16", "float16")):
    rank, dtype = draw(st.integers(2, 5)), draw(st.sampled_from(dtypes))
    sizes = [draw(SIZES) for _ in range(rank)]
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
    """Arrays that begin so many elements behind an aligned address."""
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
    """Caches of these sizes, and so many threads."""
    before, had = native().cache_sizes(), torch.get_num_threads()
    native().set_cache_sizes(*(caches or before))
    torch.set_num_threads(threads)
    try:
        yield
    finally:
        native().set_cache_sizes(*before)
        torch.set_num_threads(had)
