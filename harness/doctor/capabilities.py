"""What this machine can measure. Each check turns readings into findings, and reads nothing
itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.bandwidth import missing_library
from harness.doctor.finding import Finding, bad, good, notice
from harness.doctor.readings import Readings

# Instruction sets that work on the dtype itself rather than on a float32 copy; one is enough.
NATIVE = {
    "bfloat16": ("avx512_bf16", "amx_bf16", "bf16"),
    "float16": ("avx512_fp16", "amx_fp16", "asimdhp"),
}


def cpus(seen: Readings) -> Iterator[Finding]:
    processor = seen.processor
    cores = f" on {processor.cores} cores" if processor.cores else ""
    sizes = ", ".join(f"{name} {size}" for name, size in processor.caches.items())
    caches = f"; {sizes}" if sizes else ""
    number = f"{processor.logical} CPU{'s' * (processor.logical > 1)}"
    description = f"{processor.model}, {number}{cores}{caches}"
    if processor.logical > 1:
        yield good("CPU", description)
    else:
        yield notice(
            "CPU",
            f"{description}: threads cannot be compared, and this program competes with its worker",
            "allow more CPUs (taskset, or the container's cpuset)",
        )


def instruction_sets(seen: Readings) -> Iterator[Finding]:
    found = seen.processor.instruction_sets
    if "avx2" in found or "asimd" in found:
        yield good("instruction sets", ", ".join(found))
    else:
        yield notice(
            "instruction sets",
            f"{', '.join(found) or 'none known'}; without AVX2 libraries take slow paths",
            "in a virtual machine pass the host's CPU model through; or use another machine",
        )


def dtypes(seen: Readings) -> Iterator[Finding]:
    for dtype, native in NATIVE.items():
        present = [name for name in native if name in seen.processor.instruction_sets]
        if present:
            yield good(dtype, f"in hardware, by {', '.join(present)}")
        else:
            yield notice(
                dtype,
                "no instructions for it: it is computed through conversions",
                f"judge {dtype} on a CPU with {native[0].upper()} or on a GPU",
            )


def gpu(seen: Readings) -> Iterator[Finding]:
    if not seen.gpus:
        yield notice(
            "GPU",
            "none: no NVIDIA driver answers, so only the CPU can be measured",
            "install the driver, or start the container with its GPUs",
        )
    elif seen.torch_cuda is None:
        yield notice(
            "GPU",
            f"{'; '.join(seen.gpus)}, but the installed torch is built without CUDA",
            "install a CUDA build of torch: https://pytorch.org/get-started/locally",
        )
    else:
        yield good("GPU", f"{'; '.join(seen.gpus)}; torch is built for CUDA {seen.torch_cuda}")


def compiler(seen: Readings) -> Iterator[Finding]:
    if seen.compiler is None:
        yield bad(
            "C++ compiler",
            "none: torch_compile cannot run, nor can fused_cpu be built",
            "install one (Debian: apt-get install g++), or set CXX to yours",
        )
    elif not seen.python_headers:
        yield bad(
            "C++ compiler",
            f"{seen.compiler}, but Python.h is missing: torch_compile cannot run, nor can "
            "fused_cpu be built",
            "install Python's headers (Debian: apt-get install python3-dev)",
        )
    else:
        yield good("C++ compiler", seen.compiler)


def bandwidth_probes(_: Readings) -> Iterator[Finding]:
    missing = missing_library()
    if missing is None:
        yield good("bandwidth probes", "built: speeds can be held against what memory allows")
    else:
        yield bad("bandwidth probes", f"{missing.reason}, so speeds have no floor", missing.remedy)


def datasets(seen: Readings) -> Iterator[Finding]:
    for dataset, found in seen.datasets.items():
        if isinstance(found, str):
            yield good(f"data set {dataset}", found)
        else:
            yield notice(
                f"data set {dataset}", "not here, so nothing can be trained on it", str(found)
            )


CAPABILITIES = (cpus, instruction_sets, dtypes, gpu, compiler, bandwidth_probes, datasets)
