"""Memory is given only where the kernel reports it."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
import torch

from harness.problems.inputs import make_arrays
from harness.timing.worker import memory
from harness.timing.worker.memory import peak_extra_bytes, saved_bytes
from implementations import registry
from implementations.autograd_pair import PairLayer
from implementations.builtin import torch_native
from implementations.interface import Phase, Problem
from implementations.prepared import PreparedLayer

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000
PROBLEM = Problem((6, 5, 4, 4))
STATISTICS = 2 * 5 * 4  # bytes of the batch's mean and 1/std, float32, of five channels
DATA = 6 * 5 * 4 * 4 * 4  # bytes of the input


def saved(layer, phase=Phase.TRAINING_STEP, problem=PROBLEM):
    arrays = make_arrays(problem, 0)
    return saved_bytes(PreparedLayer(layer, problem, phase, arrays), arrays)


def keeping(*extra):
    """PyTorch's kernels as a layer that also saves what ``extra`` make of the output."""

    def forward(*operands, **keywords):
        output, kept = torch_native.forward(*operands, **keywords)
        return output, (*kept, *(make(output) for make in extra))

    def backward(grad_output, kept, options, out=None):
        return torch_native.backward(grad_output, kept[:9], options, out)

    return PairLayer(forward, backward)


class TestSavedBytes:
    @pytest.mark.parametrize("phase", [Phase.FORWARD_TRAINING, Phase.BACKWARD, Phase.TRAINING_STEP])
    def test_pytorchs_layer_saves_two_statistics_beyond_its_operands(self, phase):
        assert saved(torch_native.layer, phase) == STATISTICS

    def test_an_inference_saves_nothing(self):
        assert saved(torch_native.layer, Phase.INFERENCE) == 0

    def test_a_saved_output_is_not_counted(self):
        problem = Problem(PROBLEM.shape, activation="relu", residual=True)
        assert saved(torch_native.layer, problem=problem) == STATISTICS
        assert saved(keeping(lambda output: output), problem=problem) == STATISTICS

    def test_a_saved_copy_is_counted(self):
        assert saved(keeping(torch.clone)) == STATISTICS + DATA

    def test_two_views_of_a_storage_count_once_and_whole(self):
        made = []

        def first(output):
            made[:] = [output.clone()]
            return made[0][:1]

        assert saved(keeping(first, lambda output: made[0][1:2])) == STATISTICS + DATA

    def test_what_is_there_for_any_number_of_forwards_is_not_counted(self):
        buffer = torch.zeros(1000)
        assert saved(keeping(lambda output: buffer)) == STATISTICS

    def test_an_unfused_layer_saves_what_its_operations_need(self):
        assert saved(registry.load("torch_unfused").layer(PROBLEM)) >= 2 * DATA

    def test_numpys_arrays_are_seen_through_autograd(self):
        # x̂, and 1/std in float64
        assert saved(registry.load("numpy").layer(PROBLEM)) == DATA + 5 * 8

    @pytest.mark.slow
    def test_a_compiled_layer_is_seen_through_autograd(self):
        problem = Problem((4, 3, 8, 8), activation="relu")
        found = saved(registry.load("torch_compile").layer(problem), problem=problem)
        assert 2 * 3 * 4 <= found <= 2 * 4 * 3 * 64 * 4


ALLOCATIONS = {
    "torch": lambda: torch.ones(50 * MEGABYTE, dtype=torch.uint8),
    "numpy": lambda: np.ones(50 * MEGABYTE, np.uint8),
    "small pieces": lambda: [torch.ones(2500) for _ in range(5000)],
    "one after the other": lambda: [
        len(torch.ones(50 * MEGABYTE, dtype=torch.uint8)) for _ in range(3)
    ],
}

KNOWN = """
    import torch
    from harness.timing.worker.memory import peak_extra_bytes
    torch.ones(80_000_000, dtype=torch.uint8).sum()
    kept = [torch.ones(250_000) for _ in range(40)][::2]
    sizes = (50_000_000, 1_000_000)
    print([peak_extra_bytes(lambda: torch.ones(size, dtype=torch.uint8)) for size in sizes],
          peak_extra_bytes(lambda: [torch.ones(250_000) for _ in range(50)]))
"""


@pytest.fixture
def peak_is_known():
    if peak_extra_bytes(int) is None:
        pytest.skip("this kernel does not report the peak resident set size anew")


@pytest.mark.usefixtures("peak_is_known")
class TestPeakExtraBytes:
    @pytest.mark.parametrize("allocate", ALLOCATIONS.values(), ids=ALLOCATIONS)
    def test_is_what_a_call_allocates(self, allocate):
        assert peak_extra_bytes(allocate) == pytest.approx(50 * MEGABYTE, rel=0.05)

    def test_of_a_call_that_allocates_nothing_is_about_nothing(self):
        assert peak_extra_bytes(int) < MEGABYTE

    def test_does_not_count_what_was_there_before(self):
        there = torch.ones(50 * MEGABYTE, dtype=torch.uint8)
        assert peak_extra_bytes(there.neg_) < MEGABYTE

    def test_is_the_same_again(self):
        first = peak_extra_bytes(ALLOCATIONS["torch"])
        assert peak_extra_bytes(ALLOCATIONS["torch"]) == pytest.approx(first, rel=0.05)

    @pytest.mark.parametrize(
        "environment",
        [
            {},
            {
                "MALLOC_MMAP_MAX_": "0",
                "MALLOC_TRIM_THRESHOLD_": str(2**62),
                "MALLOC_TOP_PAD_": str(64 << 20),
            },
        ],
        ids=["default", "retaining"],
    )
    def test_is_what_a_call_allocates_whatever_the_allocator_has_kept(self, environment):
        ran = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(KNOWN)],
            env={**os.environ, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        large, small, many = (int(word.strip("[],")) for word in ran.stdout.split())
        assert large == pytest.approx(50 * MEGABYTE, rel=0.05)
        assert small == pytest.approx(MEGABYTE, rel=0.25)
        assert many == pytest.approx(50 * MEGABYTE, rel=0.05)


@pytest.mark.parametrize(
    "status",
    ["", "VmRSS:\t 100 kB\n", "VmHWM:\t 999999 kB\nVmRSS:\t 100 kB\n"],
    ids=["nothing", "no peak", "a peak that is not set back"],
)
def test_a_kernel_that_reports_no_peak_gives_no_figure(monkeypatch, tmp_path, status):
    (tmp_path / "status").write_text(status)
    monkeypatch.setattr(memory, "STATUS", tmp_path / "status")
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "clear")
    assert peak_extra_bytes(int) is None


def test_a_kernel_that_does_not_set_the_peak_back_gives_no_figure(monkeypatch, tmp_path):
    monkeypatch.setattr(memory, "CLEAR", tmp_path / "no such folder" / "clear")
    assert peak_extra_bytes(int) is None
