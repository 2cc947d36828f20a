"""What is installed and set: packages, compiler, environment variables, the commit of bnbench's own
source.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distributions, version
from pathlib import Path

from harness.environment.machine import ROOT, output, text

TREE = Path(__file__).parents[2]
# what runs; a new report makes no tree dirty
SOURCE = ("harness", "implementations", "conf", "pyproject.toml")

# Those that compute, or compile what computes; nothing that only logs or draws.
PACKAGES = (
    "bnbench",
    "jax",
    "jaxlib",
    "llvmlite",
    "mnist1d",
    "numba",
    "numpy",
    "onednn-devel-cpu-gomp",
    "scikit-learn",
    "scipy",
    "torch",
    "triton",
)
# Variables that change how fast or with which bits something is computed, and that workers inherit
# as they are.
SWITCHES: Mapping[str, str] = {
    "ATEN_CPU_CAPABILITY": "picks PyTorch's instruction set",
    "BNBENCH_ISA": "picks the instruction set of fused_cpu and of the bandwidth probes",
    "BLIS_NUM_THREADS": "sets BLIS's threads",
    "CUDA_LAUNCH_BLOCKING": "waits for each CUDA kernel",
    "DNNL_MAX_CPU_ISA": "caps oneDNN's instruction set",
    "GLIBC_TUNABLES": "tunes the C library's allocator",
    "GOMP_CPU_AFFINITY": "binds OpenMP's threads",
    "GOMP_SPINCOUNT": "sets how long OpenMP's idle threads spin",
    "KMP_AFFINITY": "binds OpenMP's threads",
    "KMP_BLOCKTIME": "sets how long OpenMP's idle threads spin",
    "LD_PRELOAD": "replaces functions of libraries, often the allocator",
    "MALLOC_ARENA_MAX": "caps the allocator's arenas",
    "MKL_CBWR": "picks MKL's code path",
    "MKL_DYNAMIC": "lets MKL use fewer threads",
    "MKL_ENABLE_INSTRUCTIONS": "caps MKL's instruction set",
    "NPY_DISABLE_CPU_FEATURES": "turns off NumPy's instruction sets",
    "NVIDIA_TF32_OVERRIDE": "turns TF32 on or off",
    "OMP_PLACES": "binds OpenMP's threads",
    "OMP_PROC_BIND": "binds OpenMP's threads",
    "OMP_SCHEDULE": "changes how OpenMP deals out loops",
    "OMP_THREAD_LIMIT": "caps OpenMP's threads",
    "ONEDNN_MAX_CPU_ISA": "caps oneDNN's instruction set",
    "TORCHDYNAMO_DISABLE": "turns torch.compile off",
    "TORCH_COMPILE_DISABLE": "turns torch.compile off",
    "TRITON_INTERPRET": "interprets Triton's kernels",
    "XLA_FLAGS": "changes how JAX compiles",
}


def operating_system(root: Path = ROOT) -> dict[str, str]:
    """The distribution, the kernel's release and the C library."""
    name = re.search(r'^PRETTY_NAME="?([^"\n]*)', text(root / "etc/os-release"), re.MULTILINE)
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):  # another C library than glibc
        libc = None
    distribution = name.group(1) if name else platform.system()
    return {"name": distribution, "kernel": platform.release(), "libc": libc or "unknown"}


def compiler() -> str | None:
    """The first line of the version of the C++ compiler that torch.compile uses: ``CXX``, or else
    g++.
    """
    command = os.environ.get("CXX") or "g++"
    lines = output(command, "--version").splitlines() if shutil.which(command) else []
    return _without_folders(lines[0]) if lines else None


def versions(packages: Iterable[str] = PACKAGES) -> dict[str, str]:
    """The versions of those packages that are installed, from their metadata: none is imported."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def switches(variables: Mapping[str, str]) -> dict[str, str]:
    """Those of ``SWITCHES`` that are set, folders taken out of their values."""
    return {name: _without_folders(variables[name]) for name in SWITCHES if variables.get(name)}


@dataclass(frozen=True)
class SourceState:
    """The commit of a source tree, whether what runs differs from it, and a hash of the
    difference. All are None where the tree is no git checkout.
    """

    commit: str | None = None
    dirty: bool | None = None
    difference: str | None = None


def source(tree: Path = TREE) -> SourceState:
    """The state of the source tree. A checkout that merely surrounds an installed package is
    none.
    """
    commit = _commit(tree)
    if not commit:
        return SourceState()
    changes = _git(
        tree, "diff", "--no-ext-diff", "--no-textconv", "--binary", "HEAD", "--", *SOURCE
    )
    untracked = _untracked(tree)
    digest = hashlib.sha256(changes.encode())
    for path in (tree / name for name in sorted(untracked)):
        digest.update(
            f"\0{path.relative_to(tree)}\0".encode()
            + (path.read_bytes() if path.is_file() else b"")
        )
    dirty = bool(changes or untracked)
    return SourceState(commit, dirty, digest.hexdigest()[:16] if dirty else None)


def difference(tree: Path = TREE) -> str:
    """What runs and is not in the commit, new files among it, as `git apply` takes it; empty where
    there is no such thing.

    The new files are entered into a copy of git's index, so that the user's own stays as it is.
    """
    if not _commit(tree):
        return ""
    with tempfile.TemporaryDirectory() as folder:
        index = Path(folder) / "index"
        shutil.copyfile(tree / _git(tree, "rev-parse", "--git-path", "index").strip(), index)
        ours = {"GIT_INDEX_FILE": str(index)}
        if untracked := _untracked(tree):
            _git(tree, "--literal-pathspecs", "add", "--intent-to-add", "--", *untracked, **ours)
        return _git(
            tree,
            "diff",
            "--no-ext-diff",
            "--no-textconv",
            "--binary",
            "HEAD",
            "--",
            *SOURCE,
            **ours,
        )


def installed() -> str:
    """Every installed package with its version, a line each, as pip's constraints are written."""
    named = {
        found.metadata["Name"]: found.version for found in distributions() if found.metadata["Name"]
    }
    return "".join(f"{name}=={named[name]}\n" for name in sorted(named, key=str.lower))


def _commit(tree: Path) -> str:
    return _git(tree, "rev-parse", "--verify", "HEAD").strip() if (tree / ".git").exists() else ""


def _untracked(tree: Path) -> list[str]:
    return _git(tree, "ls-files", "--others", "--exclude-standard", "-z", "--", *SOURCE).split(
        "\0"
    )[:-1]


def _git(tree: Path, *arguments: str, **ours: str) -> str:
    # A hook's GIT_DIR would lead to another repository, and taking the index's lock would disturb
    # the user's own git.
    variables = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return output(
        "git", "-C", str(tree), *arguments, env={**variables, "GIT_OPTIONAL_LOCKS": "0", **ours}
    )


def _without_folders(value: str) -> str:
    return re.sub(r"(?:[^/\s:;,=]*/)+", "", value)
