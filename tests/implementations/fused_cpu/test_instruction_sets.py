"""Instruction sets other than the default one, and what happens when there is none or no module."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from implementations.fused_cpu.library import instruction_set
from tests.helpers.instruction_sets import INSTRUCTION_SETS, skip_without

HERE = Path(__file__).parent


def run_python(*arguments, isa, **environment):
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "BNBENCH_ISA": isa, **environment},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "isa",
    [
        INSTRUCTION_SETS[0],
        *(pytest.param(isa, marks=pytest.mark.long) for isa in INSTRUCTION_SETS[1:]),
    ],
)
def test_the_kernels_tests_pass_with_an_instruction_set_that_is_forced(isa):
    skip_without(isa)
    if isa == instruction_set():
        pytest.skip(f"{isa} is the default here, with which test_kernels.py itself runs")
    # A tenth of the examples: see kernel_problems.examples.
    finished = run_python(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider", HERE / "test_kernels.py"),
        isa=isa,
        BNBENCH_TEST_EXAMPLES="0.1",
        OMP_WAIT_POLICY="passive",  # a spinning thread takes a core from a parallel test
    )
    assert finished.returncode == 0, finished.stdout


def test_an_unknown_instruction_set_makes_it_unavailable_with_the_allowed_ones_in_the_message():
    finished = run_python(
        "-c", "import implementations; implementations.load('fused_cpu')", isa="sse9"
    )
    assert (
        "Unavailable: BNBENCH_ISA=sse9 cannot be had on this machine; unset it, or set it to "
        "baseline" in finished.stderr
    )


def test_there_is_one_openmp_runtime():
    code = (
        "import threadpoolctl, torch; from implementations.fused_cpu.library import native; "
        "native();"
        "print([pool['filepath'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] "
        "== 'openmp'])"
    )
    finished = run_python("-c", code, isa="")
    assert finished.stdout.count(".so") == 1, finished.stdout + finished.stderr


def test_without_its_module_the_reason_and_the_remedy_are_in_the_message():
    code = (
        "import sys; sys.modules['implementations.fused_cpu._native'] = None; "
        "from implementations.fused_cpu.library import native; native()"
    )
    finished = run_python("-c", code, isa="")
    assert (
        "Unavailable: bnbench was installed without its C++: there is no "
        "implementations.fused_cpu._native; "
        "install a C++ compiler and Python's headers"
    ) in finished.stderr
