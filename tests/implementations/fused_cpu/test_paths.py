"""Each instruction set is forced in turn, and is held to all that the chosen one is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.helpers.instruction_sets import LEVELS, skip_without

HERE = Path(__file__).parent


def run(code_or_tests, isa):
    return subprocess.run(
        [sys.executable, *code_or_tests],
        env={**os.environ, "BNBENCH_ISA": isa},
        cwd=HERE.parents[2],
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("isa", LEVELS)
def test_an_instruction_set_that_is_forced_passes_the_kernels_tests(isa):
    skip_without(isa)
    code = "from implementations.fused_cpu import library; print(library.instruction_set())"
    told = run(["-c", code], isa)
    assert told.stdout.strip() == isa
    ran = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "test_kernels.py")], isa)
    assert ran.returncode == 0, ran.stdout


def test_an_instruction_set_that_is_none_makes_it_unavailable_and_says_what_is_allowed():
    told = run(["-c", "import implementations; implementations.load('fused_cpu')"], "sse9")
    assert (
        "Unavailable: BNBENCH_ISA=sse9 cannot be had on this machine; unset it, or set it to "
        "baseline" in told.stderr
    )


def test_there_is_one_openmp_runtime():
    code = (
        "import threadpoolctl, torch; from implementations.fused_cpu.library import native; "
        "native();"
        "print([pool['filepath'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] "
        "== 'openmp'])"
    )
    told = run(["-c", code], "")
    assert told.stdout.count(".so") == 1, told.stdout + told.stderr


def test_without_its_module_the_reason_and_the_remedy_are_told():
    code = (
        "import sys; sys.modules['implementations.fused_cpu._native'] = None; "
        "from implementations.fused_cpu.library import native; native()"
    )
    told = run(["-c", code], "")
    assert (
        "Unavailable: bnbench was installed without its C++: there is no "
        "implementations.fused_cpu._native; "
        "install a C++ compiler and Python's headers"
    ) in told.stderr
