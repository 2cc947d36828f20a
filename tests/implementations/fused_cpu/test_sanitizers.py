"""The kernels' tests once more, over C++ that AddressSanitizer and UndefinedBehaviorSanitizer
watch.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import pytest

from tests.helpers.instruction_sets import LEVELS, available, skip_without

HERE = Path(__file__).parent
ROOT = HERE.parents[2]
FOLDER = ROOT / "build/sanitized"
# GCC makes calls of these that its AddressSanitizer does not look into.
UNSEEN = re.compile(
    r"\b_mm\d*_(?:mask\w*(?:load|store)|\w*(?:stream|gather|scatter))\w*|\b__builtin_ia32_\w+"
)


def output(*command, **keywords):
    ran = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT, **keywords)
    assert ran.returncode == 0, (
        f"{' '.join(map(str, command))}\n{ran.stdout[-6000:]}\n{ran.stderr[-6000:]}"
    )
    return ran.stdout.strip()


@cache
def library(name):
    """The file of a library of GCC's; a name without a folder, where there is none."""
    return output("g++", f"-print-file-name={name}")


def missing():
    """What a sanitized build lacks on this machine."""
    programs = [name for name in ("cmake", "g++") if shutil.which(name) is None]
    modules = [] if importlib.util.find_spec("nanobind") else ["Python's nanobind"]
    libraries = (
        [] if "g++" in programs or Path(library("libasan.so")).is_absolute() else ["GCC's libasan"]
    )
    return programs + modules + libraries


@pytest.fixture(scope="module")
def module():
    """The sanitized C++, in a folder of its own; what an earlier run has built there is brought up
    to date.
    """
    if lacking := missing():
        # Where it is asked that the C++ be there, as in CI, tests of it are not left out.
        (pytest.fail if os.environ.get("BNBENCH_NATIVE") else pytest.skip)(
            f"no sanitized build without {', '.join(lacking)}"
        )
    output(
        "cmake",
        "-S",
        ROOT,
        "-B",
        FOLDER,
        "-DBNBENCH_SANITIZE=ON",
        "-DCMAKE_CXX_COMPILER=g++",
        f"-DPython_EXECUTABLE={sys.executable}",
    )
    output(
        "cmake",
        "--build",
        FOLDER,
        "--target",
        "_native",
        "--parallel",
        str(len(os.sched_getaffinity(0))),
    )
    return FOLDER / f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"


@pytest.fixture(scope="module")
def runs(module):
    """What is run on each instruction set that this machine has, all at once, since each alone
    leaves cores idle.
    """
    begun = {
        "faults.py": [],
        "sanitized.py": [
            # Output is not captured, and examples are told before they are tried: a finding ends
            # the process on the spot.
            "-q",
            "-s",
            "--hypothesis-verbosity=verbose",
            "-p",
            "no:cacheprovider",
            str(HERE / "test_kernels.py"),
        ],
    }
    with ThreadPoolExecutor(len(begun) * len(LEVELS)) as pool:
        yield {
            (script, isa): pool.submit(watched, script, module, isa, *given)
            for script, given in begun.items()
            for isa in available()
        }


def watched(script, module, isa, *given):
    """What the script prints in a process that the sanitizers watch from its beginning; it has to
    end well.
    """
    environment = {
        **os.environ,
        "BNBENCH_ISA": isa,
        "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
        # The C++ library is loaded before Python, since AddressSanitizer looks for the exceptions
        # of it at the beginning.
        "LD_PRELOAD": f"{library('libasan.so')} {library('libstdc++.so')}",
        # Python never gives all of its memory back. Faults that are made on purpose are read by a
        # program: no names of lines.
        "ASAN_OPTIONS": f"detect_leaks=0:symbolize={int(script != 'faults.py')}",
        "UBSAN_OPTIONS": f"print_stacktrace={int(script != 'faults.py')}",
        "OMP_WAIT_POLICY": "passive",
    }  # threads that wait leave the cores to the other runs
    return output(sys.executable, "-u", HERE / script, module, *given, env=environment)


def result(runs, script, isa):
    skip_without(isa)
    return runs[script, isa].result()


@pytest.mark.slow
@pytest.mark.parametrize("isa", LEVELS)
def test_faults_on_purpose_are_found(runs, isa):
    assert not result(runs, "faults.py", isa)


@pytest.mark.slow
@pytest.mark.parametrize("isa", LEVELS)
def test_the_kernels_tests_pass_under_the_sanitizers(runs, isa):
    assert " passed" in result(runs, "sanitized.py", isa)


def test_every_intrinsic_that_the_sanitizer_does_not_see_is_watched():
    sources = ROOT / "implementations/fused_cpu/native"
    used = {
        found for source in sources.glob("*.[ch]pp") for found in UNSEEN.findall(source.read_text())
    }
    known = set(re.findall(r"#define (\w+)", (ROOT / "cmake/asan_intrinsics.hpp").read_text()))
    assert used
    assert used <= known
