"""The kernels' tests with C++ that AddressSanitizer and UndefinedBehaviorSanitizer check."""

from __future__ import annotations

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.helpers.instruction_sets import INSTRUCTION_SETS, available, skip_without
from tests.helpers.sanitized_build import ROOT, gcc_library, missing_tools, run, sanitized_module

HERE = Path(__file__).parent
# Intrinsics that GCC compiles to calls which its AddressSanitizer does not instrument.
NOT_INSTRUMENTED = re.compile(
    r"\b_mm\d*_(?:mask\w*(?:load|store)|\w*(?:stream|gather|scatter))\w*|\b__builtin_ia32_\w+"
)
FAULTS, KERNEL_TESTS = "memory_faults.py", "sanitized_pytest.py"
ARGUMENTS = {
    FAULTS: (),
    # A finding ends the process at once, so output is not captured, and each example is printed
    # before it is tried.
    KERNEL_TESTS: (
        *("-q", "-s", "--hypothesis-verbosity=verbose", "-p", "no:cacheprovider"),
        HERE / "test_kernels.py",
    ),
}


@pytest.fixture(scope="module")
def module():
    if missing := missing_tools():
        # CI sets BNBENCH_NATIVE, and must not leave these tests out.
        stop = pytest.fail if os.environ.get("BNBENCH_NATIVE") else pytest.skip
        stop(f"no sanitized build without {', '.join(missing)}")
    return sanitized_module()


@pytest.fixture(scope="module")
def outputs(module):
    """A future of what each script prints for each instruction set. All run at once, since one
    alone leaves cores idle.
    """
    with ThreadPoolExecutor(len(ARGUMENTS) * len(INSTRUCTION_SETS)) as pool:
        yield {
            (script, isa): pool.submit(run_sanitized, script, module, isa)
            for script in ARGUMENTS
            for isa in available()
        }


def run_sanitized(script, module, isa):
    """What the script prints in a process with the sanitizers' runtime, which has to succeed."""
    environment = {
        **os.environ,
        "BNBENCH_ISA": isa,
        "BNBENCH_TEST_EXAMPLES": "0.1",  # enough, see kernel_problems.examples
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        # AddressSanitizer looks for C++ exceptions when it starts, so their library has to be
        # loaded before Python.
        "LD_PRELOAD": f"{gcc_library('libasan.so')} {gcc_library('libstdc++.so')}",
        # Python never frees all of its memory. Reports of the faults are searched by a program,
        # which needs no line numbers.
        "ASAN_OPTIONS": f"detect_leaks=0:symbolize={int(script != FAULTS)}",
        "UBSAN_OPTIONS": f"print_stacktrace={int(script != FAULTS)}",
        "OMP_WAIT_POLICY": "passive",  # waiting threads leave the cores to the other runs
    }
    return run(sys.executable, "-u", HERE / script, module, *ARGUMENTS[script], env=environment)


def output_of(outputs, script, isa):
    skip_without(isa)
    return outputs[script, isa].result()


# One worker of pytest-xdist should get both tests, so that the runs exist once. xdist 3.8 ignores
# its groups with pytest 9.2, where --dist loadfile does the same.
@pytest.mark.slow
@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
def test_deliberate_memory_faults_are_reported(outputs, isa):
    assert not output_of(outputs, FAULTS, isa)


@pytest.mark.slow
@pytest.mark.parametrize("isa", INSTRUCTION_SETS)
def test_the_kernels_tests_pass_under_the_sanitizers(outputs, isa):
    assert " passed" in output_of(outputs, KERNEL_TESTS, isa)


def test_every_intrinsic_that_is_not_instrumented_is_checked_by_asan_intrinsics():
    sources = ROOT / "implementations/fused_cpu/native"
    used = {
        intrinsic
        for source in sources.glob("*.[ch]pp")
        for intrinsic in NOT_INSTRUMENTED.findall(source.read_text())
    }
    checked = set(re.findall(r"#define (\w+)", (ROOT / "cmake/asan_intrinsics.hpp").read_text()))
    assert used
    assert used <= checked
