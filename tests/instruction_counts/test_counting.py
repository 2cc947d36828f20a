"""Real counts under valgrind, of an implementation in a folder of its own.

PyTorch takes most of a minute to import there, so the folder stands in for it and for
`implementations`: as much of both as a counted process uses, over NumPy, whose C is what is
counted.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from shutil import which

import pytest

from harness.instruction_counts import CountedCall, Counts, Direction, count, count_both, counting
from harness.instruction_counts.dumps import read_counts
from harness.instruction_counts.testimony import change_of_counts
from harness.isolation.places import Place
from harness.records import Status
from implementations.interface import Phase, Problem

needs_valgrind = pytest.mark.skipif(
    not (which("valgrind") and which("cc")), reason="valgrind or a C compiler is not installed"
)
SMALL = Problem((64, 256))  # 64 KiB of float32: it stays in the model's last level
LARGE = Problem((2048, 512))  # 4 MiB: nothing of it does
LINE = 64
TORCH = """
import numpy as np
float32, contiguous_format, channels_last, channels_last_3d = np.float32, None, None, None
Tensor = object

class FromNumpy:
    def __init__(self, values):
        self.values = values

    def to(self, dtype, **options):
        return self.values.astype(dtype)

from_numpy = FromNumpy

def set_num_threads(threads):
    pass
"""
INTERFACE = """
from dataclasses import dataclass
from types import SimpleNamespace as Arrays

class Phase(str):
    has_backward = training = False

class Problem:
    def __init__(self, shape, dtype, parameter_dtype, memory_format, activation, residual, **_):
        self.shape, self.dtype, self.parameter_dtype = shape, dtype, parameter_dtype
        self.memory_format, self.residual = memory_format, residual
        self.channels, self.weight, self.bias = shape[1], True, True

def refusal(implementation, problem, phase, device):
    return "no backward" if phase == "backward" else None
"""
PACKAGE = """
import os
import numpy as np

class Unavailable(Exception): pass
class Unsupported(Exception): pass

class Sum:
    def prepare(self, problem, phase, *, face, outputs, arrays):
        self.arrays, self.outputs = arrays, outputs
        self.result = np.empty_like(arrays.input)
        return self

    def arm(self, calls): pass

    def __call__(self):
        for _ in range({passes}):
            np.add(self.arrays.input, 1.0, out=self.result)
        if self.outputs == "reused":
            os.abort()

    def synchronize(self): pass

def load(name):
    if name != "sum":
        raise Unavailable("there is no " + name)
    return Sum()
"""


def folder(path: Path, passes: int) -> Place:
    package = path / "implementations"
    package.mkdir(parents=True)
    (path / "torch.py").write_text(TORCH)
    (package / "__init__.py").write_text(PACKAGE.format(passes=passes))
    (package / "interface.py").write_text(INTERFACE)
    return Place(path=str(path))


def call(**changes) -> CountedCall:
    return replace(CountedCall("sum", SMALL, Phase.INFERENCE), **changes)


CALLS = (
    call(),
    call(problem=LARGE),
    call(phase=Phase.BACKWARD),
    call(implementation="none"),
    call(outputs="reused"),
    call(),
)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    """Base, and head, which makes three passes for one."""
    root = tmp_path_factory.mktemp("counted")
    return folder(root / "one", 1), folder(root / "three_passes", 3)


@pytest.fixture(scope="module")
def sides(places):
    """All calls in both: beside what is counted what is refused, and what kills its process."""
    return count_both(CALLS, *places)


@needs_valgrind
def test_what_is_counted_is_the_work(sides):
    base, head = sides[1]
    least = LARGE.size // 8  # an instruction of AVX2 has eight float32 numbers
    assert least < base.counts.instructions < 6 * least
    assert head.counts.instructions / base.counts.instructions == pytest.approx(3, rel=0.05)


@needs_valgrind
def test_lines_are_those_that_do_not_stay_in_the_cache(sides):
    (small, _), (large, three_passes), *_ = sides
    assert small.counts.lines < 2 * SMALL.size * 4 / LINE / 10
    lines = 2 * LARGE.size * 4 / LINE  # of one array that is read, and one that is written
    assert large.counts.lines == pytest.approx(lines, rel=0.05)
    assert three_passes.counts.lines == pytest.approx(3 * lines, rel=0.05)


@needs_valgrind
def test_another_process_counts_the_same(sides, places):
    """To the last instruction in most runs. Python looks things up by hashes of names and by where
    they lie, so a folder whose name is drawn moves some dozens, far under what counts as a change.
    """
    again = [one.counts for one in count(CALLS, places[0]) if one.counts]
    before = [base.counts for base, _ in sides if base.counts]
    assert len(again) == 2
    for counts, earlier in zip(again, before, strict=True):
        assert abs(counts.instructions - earlier.instructions) < 200
        assert change_of_counts(earlier, counts).direction is Direction.SAME


@needs_valgrind
def test_what_is_not_counted_has_its_reason(sides):
    outcomes = {base.reason: base.status for base, _ in sides[2:4]}
    assert outcomes == {"no backward": Status.UNSUPPORTED, "there is no none": Status.UNAVAILABLE}


@needs_valgrind
def test_a_call_that_kills_its_process_costs_no_other_its_count(sides):
    killer, after = sides[4][0], sides[5][0]
    assert (killer.status, killer.counts) == (Status.CRASHED, None)
    assert after.status is Status.UNAVAILABLE
    assert after.reason.startswith("a call before it was the last")


@pytest.mark.parametrize(
    ("missing", "said"),
    [("valgrind", "valgrind is not installed"), ("compiler", "there is no C compiler")],
)
def test_without_its_tools_all_is_unavailable_with_the_reason(missing, said, monkeypatch):
    found = {"valgrind"} if missing == "compiler" else set()
    monkeypatch.setattr(counting, "which", lambda name: name if name in found else None)
    [outcome] = count([call()])
    assert (outcome.status, outcome.counts) == (Status.UNAVAILABLE, None)
    assert said in outcome.reason


@needs_valgrind
def test_counting_ends_in_time(tmp_path):
    [outcome] = count([call()], folder(tmp_path / "one", 1), seconds=0.01)
    assert (outcome.status, outcome.reason) == (Status.TIMEOUT, "counting was not done after 0 s")


def test_callgrinds_files_are_read_by_number(tmp_path):

    text = (
        "desc: Trigger: Client Request: {}\nevents: Ir Dr DLmr DLmw\nsummary: 9\ntotals: {} 5 6 7\n"
    )
    (tmp_path / "counts").write_text("desc: Trigger: Program termination\n")
    (tmp_path / "counts.1").write_text(text.format(4, 100))
    (tmp_path / "counts.2").write_text(text.format(0, 200))
    assert read_counts(tmp_path, "counts") == {4: Counts(100, 6, 7), 0: Counts(200, 6, 7)}
