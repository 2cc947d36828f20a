"""Each instruction set is forced in turn, and is held to all that the chosen one is."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from implementations.fused_cpu.library import native

HERE = Path(__file__).parent
LEVELS = {"baseline": 0, "v3": 1, "v4": 2}


def run(code_or_tests, isa):
    return subprocess.run([sys.executable, *code_or_tests], env={**os.environ, "BNBENCH_ISA": isa}, cwd=HERE.parents[2],
                          capture_output=True, text=True, check=False)


@pytest.mark.slow
@pytest.mark.parametrize("isa", ["baseline", "v3", "v4"])
def test_an_instruction_set_that_is_forced_passes_the_kernels_tests(isa):
    if LEVELS[isa] > LEVELS[native().path()]:
        pytest.skip(f"this machine has no {isa}")
    told = run(["-c", "from implementations.fused_cpu.library import path; print(path())"], isa)
    assert told.stdout.strip() == isa
    ran = run(["-m", "pytest", "-q", "-p", "no:cacheprovider", str(HERE / "test_kernels.py")], isa)
    assert ran.returncode == 0, ran.stdout


def test_an_instruction_set_that_is_none_makes_it_unavailable_and_says_what_is_allowed():
    told = run(["-c", "import implementations; implementations.load('fused_cpu')"], "sse9")
    assert "Unavailable: BNBENCH_ISA=sse9 cannot be had on this machine; unset it, or set it to baseline" in told.stderr


def test_there_is_one_openmp_runtime():
    code = ("import threadpoolctl, torch; from implementations.fused_cpu.library import native; native();"
            "print([pool['filepath'] for pool in threadpoolctl.threadpool_info() if pool['user_api'] == 'openmp'])")
    told = run(["-c", code], "")
    assert told.stdout.count(".so") == 1, told.stdout + told.stderr
