"""The C++ extension module built with AddressSanitizer and UndefinedBehaviorSanitizer, and cached
between test runs.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).parents[2]
FILE = f"_native{sysconfig.get_config_var('EXT_SUFFIX')}"
SOURCES = ("CMakeLists.txt", "cmake/*", "implementations/fused_cpu/native/*")
KEPT = 4  # builds in the cache, so that branches with other sources do not evict each other at once


def run(*command, **keywords):
    """What a command prints; AssertionError with its last messages if it fails."""
    finished = subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, cwd=ROOT, **keywords
    )
    assert finished.returncode == 0, (
        f"{' '.join(finished.args)}\n{finished.stdout[-6000:]}\n{finished.stderr[-6000:]}"
    )
    return finished.stdout.strip()


@cache
def gcc_library(name):
    """The path of one of GCC's libraries; the bare name if there is no such file."""
    return run("g++", f"-print-file-name={name}")


def missing_tools():
    """What this machine lacks to build it."""
    programs = [name for name in ("cmake", "g++") if shutil.which(name) is None]
    modules = [] if importlib.util.find_spec("nanobind") else ["Python's nanobind"]
    has_asan = "g++" in programs or Path(gcc_library("libasan.so")).is_absolute()
    return programs + modules + ([] if has_asan else ["GCC's libasan"])


def cache_folder():
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base, "bnbench")


def build_key():
    """A digest of all that goes into the build: sources, compiler, Python and nanobind."""
    digest = hashlib.sha256()
    for source in sorted(path for pattern in SOURCES for path in ROOT.glob(pattern)):
        digest.update(f"{source.relative_to(ROOT)}\0".encode() + source.read_bytes() + b"\0")
    nanobind = importlib.metadata.version("nanobind")
    for part in (run("g++", "--version"), run("cmake", "--version"), sys.version, nanobind):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def sanitized_module():
    """The module's path; built if the cache does not have it. A build takes a minute or two."""
    module = cache_folder() / f"sanitized-{build_key()}" / FILE
    cache_folder().mkdir(parents=True, exist_ok=True)
    with (cache_folder() / "lock").open("w") as lock:
        # A concurrent test run waits for this one's build, rather than making its own.
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not module.is_file():
            build_into(module)
        module.parent.touch()
        remove_old_builds()
    return module


def build_into(module):
    with TemporaryDirectory(prefix="building-", dir=cache_folder()) as folder:
        build(folder)
        module.parent.mkdir(exist_ok=True)
        # In one step, so that an interrupted build leaves no half of a file.
        Path(folder, FILE).replace(module)


def build(folder):
    run(
        "cmake",
        *("-S", ROOT, "-B", folder),
        "-DBNBENCH_SANITIZE=ON",
        "-DCMAKE_CXX_COMPILER=g++",
        f"-DPython_EXECUTABLE={sys.executable}",
    )
    cores = len(os.sched_getaffinity(0))
    run("cmake", "--build", folder, "--target", "_native", "--parallel", cores)


def remove_old_builds():
    builds = sorted(
        cache_folder().glob("sanitized-*"), key=lambda folder: folder.stat().st_mtime, reverse=True
    )
    for folder in builds[KEPT:]:
        shutil.rmtree(folder, ignore_errors=True)
