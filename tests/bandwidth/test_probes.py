"""Bytes moved by our own C++: all of them and no others, by every instruction set, and as the floor
of a problem.
"""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.bandwidth import (
    NAMED,
    MissingNativeCode,
    Pass,
    PreparedFloor,
    Stream,
    Traffic,
    floor,
    library,
    missing_library,
    move,
    probe,
    traffic,
)
from harness.doctor.capabilities import bandwidth_probes
from harness.environment import machine, software
from implementations import Unavailable
from implementations.interface import Phase, Problem

MISSING = missing_library()
needs_library = pytest.mark.skipif(MISSING is not None, reason=str(MISSING and MISSING.reason))
FEATURES = {"baseline": (), "v3": ("avx2", "fma"), "v4": ("avx512f", "avx512bw", "avx512vl")}
PLACES = st.tuples(st.integers(0, 300_000), st.integers(0, 70))  # size, and offset in a buffer
BY_ONE_SET = """
import numpy as np
from harness.bandwidth import library, move
read, written, after = np.arange(100_003, dtype=np.uint8), np.empty(50_001, np.uint8), []
for streaming in (False, True):
    for before in (0x55, 0xAA):
        written[:] = before
        after.append((move([read], [written[3:]], streaming=streaming), written[3:].tobytes()))
print(library.instruction_set(), len(set(after)), set(written[:3]) == {0xAA})
"""


def in_a_process(code: str, **environment: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    ).stdout.strip()


def aligned(size: int) -> np.ndarray:
    bare = np.zeros(size + 64, np.uint8)
    return bare[-bare.ctypes.data % 64 :][:size]


def test_where_there_is_a_compiler_the_library_is_built():
    if software.compiler() is None:
        pytest.skip("no C++ compiler here")
    assert missing_library() is None


@needs_library
@settings(deadline=None)
@given(
    st.lists(st.integers(0, 300_000), max_size=3),
    st.lists(PLACES, min_size=1, max_size=3),
    st.booleans(),
    st.integers(1, 3),
)
def test_every_byte_of_the_writes_is_written_and_none_beside_them(
    reads, writes, streaming, threads
):
    sources = [np.full(size, 3, np.uint8) for size in reads]
    buffers = [np.empty(offset + size + 70, np.uint8) for size, offset in writes]
    inner = [
        buffer[offset : offset + size]
        for buffer, (size, offset) in zip(buffers, writes, strict=True)
    ]
    after = []
    for before in (0x55, 0xAA):
        for buffer in buffers:
            buffer[:] = before
        with_threads(threads, lambda: move(sources, inner, streaming=streaming))
        after.append([part.copy() for part in inner])
        for buffer, part in zip(buffers, inner, strict=True):
            part[:] = before
            assert (buffer == before).all()
    for one, other in zip(*after, strict=True):
        np.testing.assert_array_equal(one, other)


@needs_library
@settings(deadline=None)
@given(st.lists(st.integers(0, 8_000), min_size=1, max_size=4), st.integers(1, 3))
def test_every_cache_line_of_the_reads_is_read_once(lines, threads):
    draw = np.random.default_rng(0)
    arrays = [aligned(64 * count) for count in lines]
    for array in arrays:
        array[:] = draw.integers(0, 256, array.size, dtype=np.uint8)
    expected = sum(int(array.view(np.uint64).sum(dtype=np.uint64)) for array in arrays) % 2**64
    assert with_threads(threads, lambda: move(arrays, [])) == expected


@needs_library
@settings(deadline=None)
@given(st.integers(1, 300_000), st.integers(0, 70), st.integers(1, 3), st.data())
def test_no_byte_of_the_reads_is_left_out(size, offset, threads, data):
    array = np.zeros(offset + size, np.uint8)[offset:]
    before = with_threads(threads, lambda: move([array], []))
    array[data.draw(st.integers(0, size - 1))] = 1
    assert with_threads(threads, lambda: move([array], [])) != before


def with_threads(threads, act):
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        return act()
    finally:
        torch.set_num_threads(before)


@needs_library
def test_arrays_with_gaps_and_read_only_arrays_are_refused():
    fixed = np.zeros(8)
    fixed.flags.writeable = False
    for reads, writes in (
        ([torch.zeros(4, 4)[:, 1]], []),
        ([np.zeros((4, 4))[:, 1]], []),
        ([], [fixed]),
    ):
        with pytest.raises(ValueError, match="give a contiguous copy"):
            move(reads, writes)
    with pytest.raises(ValueError, match="allowed: 16 of either"):
        move([fixed] * 17, [])


@needs_library
@pytest.mark.parametrize("isa", FEATURES)
def test_every_instruction_set_that_the_cpu_has_can_be_forced_and_reads_and_writes_the_same(isa):
    if not {*FEATURES[isa]} <= {*machine.processor().instruction_sets}:
        pytest.skip(f"this CPU has no {isa}")
    assert in_a_process(BY_ONE_SET, BNBENCH_ISA=isa) == f"{isa} 1 True"


@needs_library
def test_an_unavailable_instruction_set_is_a_reason_and_no_crash():
    code = "from harness.bandwidth import missing_library; print(missing_library().reason)"
    assert in_a_process(code, BNBENCH_ISA="v9") == "BNBENCH_ISA=v9 cannot be had on this machine"


@needs_library
def test_one_openmp_runtime_serves_torch_and_the_probes():
    output = in_a_process(
        "import torch; from harness.bandwidth import library; from threadpoolctl import "
        "threadpool_info; torch.set_num_threads(3); print(library.threads(), sum(i['user_api'] == "
        "'openmp' for i in threadpool_info()))"
    )
    assert output == "3 1"


def test_without_its_file_the_reason_and_the_remedy_are_in_the_message(monkeypatch):
    monkeypatch.setattr(library, "FILE", "libabsent.so")
    library._opened.cache_clear()
    with pytest.raises(Unavailable, match=r"there is no libabsent\.so; install a C\+\+ compiler"):
        move([np.zeros(8)], [])
    library._opened.cache_clear()


def test_the_doctor_reports_missing_probes(monkeypatch):
    monkeypatch.setattr(
        "harness.doctor.capabilities.missing_library",
        lambda: MissingNativeCode("they are gone", "bring them back"),
    )
    [found] = bandwidth_probes(None)
    assert (found.state, found.message, found.remedy) == (
        "bad",
        "they are gone, so speeds have no floor",
        "bring them back",
    )


@needs_library
@pytest.mark.parametrize("name", NAMED)
def test_a_named_probe_moves_its_working_set(name):
    found = probe(name, 300_000)
    assert found.traffic.bytes == 300_000
    found.arm(2)
    found()
    found.synchronize()


def test_a_probe_of_another_name_is_refused():
    with pytest.raises(
        ValueError, match="there is no probe 'triad'; allowed: read, write, streaming write, copy"
    ):
        probe("triad", 1000)


def test_a_floor_refuses_other_stores_and_gives_no_results(monkeypatch):
    monkeypatch.setattr(floor, "prepare_move", lambda *_, **__: lambda: 0)
    with pytest.raises(ValueError, match="allowed: ordinary, streaming"):
        PreparedFloor(Traffic(()), stores="lazy")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(TypeError, match="computes nothing"):
        PreparedFloor(Traffic(())).results()


class Moves:
    """A fake of `library.prepare_move` that keeps its arguments and counts the moves."""

    def __init__(self):
        self.prepared, self.moved = [], 0

    def __call__(self, passes, *, streaming):
        self.prepared.append((passes, streaming))
        return self.move

    def move(self):
        self.moved += 1
        return 0


def test_a_floor_moves_its_bytes_once_a_call_with_the_stores_that_it_was_given(monkeypatch):
    monkeypatch.setattr(floor, "prepare_move", moves := Moves())
    it = PreparedFloor(Traffic((Pass((Stream("input", 640),), ()),)), stores="streaming")
    for _ in range(3):
        it()
    assert moves.moved == 3
    assert [streaming for _, streaming in moves.prepared] == [True]


def test_a_floor_has_a_buffer_for_each_array_that_begins_on_a_cache_line(monkeypatch):
    monkeypatch.setattr(floor, "prepare_move", moves := Moves())
    step = traffic(
        Problem((3, 5, 7)), Phase.TRAINING_STEP, face="kernel", outputs="reused", cache_bytes=2**30
    )
    PreparedFloor(step)
    regions = {}
    for one, (reads, writes) in zip(step.passes, moves.prepared[0][0], strict=True):
        for stream, region in zip((*one.reads, *one.writes), (*reads, *writes), strict=True):
            assert region.bytes == stream.bytes
            assert regions.setdefault(stream.name, region) == region
    stretches = sorted(regions.values())
    assert all(region.address % 64 == 0 for region in stretches)
    assert all(one.address + one.bytes <= other.address for one, other in pairwise(stretches))


def test_a_shorter_region_is_the_beginning_of_its_buffer(monkeypatch):
    monkeypatch.setattr(floor, "prepare_move", moves := Moves())
    PreparedFloor(Traffic((Pass((Stream("input", 6400),), ()), Pass((Stream("input", 1000),), ()))))
    (first, _), (again, _) = moves.prepared[0][0]
    assert first[0].address == again[0].address
    assert (first[0].bytes, again[0].bytes) == (6400, 1000)


@needs_library
@pytest.mark.parametrize("phase", Phase)
def test_a_floor_can_be_called_for_every_phase(phase):
    least = traffic(
        Problem((8, 16, 9, 9), activation="relu", residual=True, memory_format="channels_last"),
        phase,
        face="kernel",
        outputs="reused",
        cache_bytes=2**12,
    )
    for stores in ("ordinary", "streaming"):
        it = PreparedFloor(least, stores=stores)
        it.arm(3)
        before = {name: buffer.clone() for name, buffer in it._buffers.items()}
        for _ in range(3):
            it()
        written = {stream.name for one in least.passes for stream in one.writes}
        assert {
            name for name, buffer in it._buffers.items() if not torch.equal(buffer, before[name])
        } == written
