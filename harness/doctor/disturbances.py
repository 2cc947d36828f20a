"""What disturbs measurements on this machine. Each check turns readings into findings, and reads
nothing itself.
"""

from __future__ import annotations

from collections.abc import Iterator

from harness.doctor.finding import Finding, bad, good, notice
from harness.doctor.readings import Readings
from harness.environment.software import SWITCHES

GIB = 2**30
BUSY = 0.2  # CPUs; the kernel's own housekeeping and a quiet desktop stay below it
MOST_NAMED = 5  # processes
STOLEN = 0.02  # more than one tick in the time watched
# a worker with five arms of ten arrays, each ResNet-50's largest at batch 32: 103 MB
MEMORY_NEEDED = 6 * GIB
DISK_NEEDED = GIB  # a journal with raw samples, MLflow's store and artifacts
CLOCK_NEEDED = 1e-6  # seconds; a clock that is read by a system call has longer steps
SLOW_CLOCKS = ("acpi_pm", "hpet", "jiffies", "refined-jiffies")


def other_work(seen: Readings) -> Iterator[Finding]:
    busiest = [
        f"{name} (process {process}) {cpus:.0%}"
        for name, process, cpus in seen.busy
        if cpus >= BUSY
    ][:MOST_NAMED]
    culprits = f": {', '.join(busiest)}" if busiest else ", by processes that cannot be seen here"
    if seen.work_elsewhere >= BUSY:
        yield bad(
            "other work",
            f"others use {seen.work_elsewhere:.1f} of {seen.processor.logical} CPUs{culprits}",
            "stop them, or measure when they are done: one busy process makes a threaded call many "
            "times slower",
        )
    elif busiest:
        yield notice(
            "other work",
            f"on CPUs that this process does not use{culprits}",
            "stop them: they share the memory's bandwidth",
        )
    elif seen.load > seen.processor.logical / 2:
        yield notice(
            "other work",
            f"none now, but the load average of the last minute is {seen.load:.1f}",
            "wait a minute and see whether it falls",
        )
    else:
        yield good("other work", f"none above {BUSY:.0%} of a CPU; load average {seen.load:.1f}")


def steal(seen: Readings) -> Iterator[Finding]:
    if seen.steal > STOLEN:
        yield bad(
            "steal",
            f"the hypervisor gave {seen.steal:.0%} of the time to other machines",
            "measure at another time, or on a machine with CPUs of its own",
        )
    else:
        yield good("steal", f"{seen.steal:.0%}")


def quota(seen: Readings) -> Iterator[Finding]:
    allowed, logical = seen.processor.quota, seen.processor.logical
    if allowed is None:
        yield good("CPU quota", "none")
    elif allowed < 1:
        yield bad(
            "CPU quota",
            f"{allowed:g} of {logical} CPUs are allowed: even one thread is stopped in mid-call, "
            "so that no verdict can be had",
            "raise the container's CPU limit to 1 or more",
        )
    elif allowed < logical:
        yield notice(
            "CPU quota",
            f"{allowed:g} of {logical} CPUs are allowed, so runs take "
            f"device.threads={int(allowed)} by default: more threads are stopped in mid-call",
            f"raise the container's CPU limit to {logical} to measure more threads",
        )
    elif seen.throttled:
        yield bad(
            "CPU quota",
            f"throttled {seen.throttled} times while watched",
            "raise the container's CPU limit",
        )
    else:
        yield good("CPU quota", f"{allowed:g} CPUs, enough for {logical}")


def frequency(seen: Readings) -> Iterator[Finding]:
    if seen.governor == "performance":
        yield good("frequency", "governor performance")
    elif seen.governor:
        yield notice(
            "frequency",
            f"governor {seen.governor}: it changes with the load",
            "sudo cpupower frequency-set -g performance",
        )
    elif not seen.processor.virtual:
        yield notice(
            "frequency",
            "the governor cannot be read",
            "set it to performance in the firmware or on the host",
        )
    if seen.turbo:
        yield notice(
            "turbo",
            "on: the frequency depends on temperature and on how many cores are busy",
            "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo, "
            "or echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost",
        )


def virtualization(seen: Readings) -> Iterator[Finding]:
    if seen.processor.virtual:
        yield notice(
            "virtualization",
            "a virtual machine: caches, memory bandwidth and frequency are shared unseen",
            "trust ratios within a block, not absolute times; for those use a machine of its own",
        )
    else:
        yield good("virtualization", "none")


def siblings(seen: Readings) -> Iterator[Finding]:
    cores, logical = seen.processor.cores, seen.processor.logical
    if cores is not None and cores < logical:
        yield notice(
            "SMT",
            f"{logical} CPUs share {cores} cores: two threads on one core slow each other; runs "
            "take one CPU of each core first",
            f"run with device.threads={cores} or fewer",
        )
    elif cores is not None:
        yield good("SMT", "no two CPUs share a core")


def huge_pages(seen: Readings) -> Iterator[Finding]:
    madvise = "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
    match seen.huge_pages:
        case "always":
            yield notice(
                "huge pages",
                "always: which tensors get them depends on how fragmented memory is",
                madvise,
            )
        case "never":
            yield notice("huge pages", "never: large tensors pay for address translation", madvise)
        case str(chosen):
            yield good("huge pages", chosen)


def memory(seen: Readings) -> Iterator[Finding]:
    if seen.swapped_pages:
        yield bad(
            "swap",
            f"{seen.swapped_pages} pages went in or out while being watched",
            "free memory, then sudo swapoff -a",
        )
    elif seen.swap_used > seen.memory_available / 10:
        yield notice(
            "swap",
            f"{seen.swap_used / GIB:.1f} GiB in use: touching it costs milliseconds",
            "free memory, then sudo swapoff -a && sudo swapon -a",
        )
    available = f"{seen.memory_available / GIB:.1f} GiB available"
    if seen.memory_available < MEMORY_NEEDED:
        yield notice(
            "memory",
            f"{available}, while ResNet-50 at batch 32 takes up to {MEMORY_NEEDED / GIB:.0f}",
            "free some, or choose a smaller problem.batch or fewer implementations",
        )
    else:
        yield good("memory", available)


def disk(seen: Readings) -> Iterator[Finding]:
    free = f"{seen.disk_free / GIB:.1f} GiB free in the working directory"
    if seen.disk_free < DISK_NEEDED:
        yield bad("disk", free, "free some, or point results= at another disk")
    else:
        yield good("disk", free)


def clock(seen: Readings) -> Iterator[Finding]:
    source = seen.clock_source or "unknown source"
    description = f"{source}, steps of {seen.clock_step * 1e9:.0f} ns"
    if seen.clock_step > CLOCK_NEEDED or seen.clock_source in SLOW_CLOCKS:
        yield bad(
            "clock",
            description,
            "have the kernel use a faster one (boot with clocksource=tsc tsc=reliable)",
        )
    else:
        yield good("clock", description)


def variables(seen: Readings) -> Iterator[Finding]:
    for name, value in seen.switches.items():
        yield notice(
            "environment variable",
            f"{name}={value} {SWITCHES[name]}; workers inherit it",
            f"unset {name}",
        )
    if seen.overridden:
        yield good(
            "environment variable",
            f"{', '.join(seen.overridden)}: set, but workers get the configured values",
        )


DISTURBANCES = (
    other_work,
    steal,
    quota,
    frequency,
    virtualization,
    siblings,
    huge_pages,
    memory,
    disk,
    clock,
    variables,
)
