"""What happens to the machine around a block, read from made-up files, and what of it gives
doubt.
"""

from __future__ import annotations

import os

import pytest

from harness.environment.counters import TICKS
from harness.records import Seconds
from harness.timing.conditions import MachineActivity, between, doubts, read
from harness.timing.messages import TimingResult
from harness.timing.schedule import ScheduledSample

CALM = {
    "stolen": 0.0,
    "stolen_ticks": 0,
    "throttled": 0,
    "elsewhere": 0.0,
    "load": 0.1,
    "frequency": (2000.0, 2000.0),
}


def sample(waited=0.0):
    return ScheduledSample("arm", 0, 1, TimingResult(Seconds(1e-3), waited=waited))


@pytest.mark.parametrize(
    ("changed", "waited", "expected"),
    [
        ({}, 0.0, ()),
        ({}, None, ()),
        ({}, 0.01, ()),
        ({}, 0.03, ("waiting",)),
        ({"stolen": 0.1, "stolen_ticks": 3}, 0.0, ("steal",)),
        ({"stolen": 0.1, "stolen_ticks": 1}, 0.0, ()),
        ({"stolen": 0.01, "stolen_ticks": 3}, 0.0, ()),
        ({"throttled": 1}, 0.0, ("throttling",)),
        ({"frequency": (2000.0, 1500.0)}, 0.0, ("frequency",)),
        ({"frequency": (None, 1500.0)}, 0.0, ()),
        ({"elsewhere": 1.0, "load": 9.0}, 0.0, ()),
        (
            {"throttled": 2, "stolen": 0.5, "stolen_ticks": 50},
            0.5,
            ("waiting", "steal", "throttling"),
        ),
    ],
)
def test_a_block_is_doubted_for_what_has_touched_it_and_for_nothing_else(changed, waited, expected):
    assert doubts(MachineActivity(**{**CALM, **changed}), [sample(), sample(waited)]) == expected


def machine(root, *, busy, idle, stolen, throttled, worker, mhz):
    """Files as the kernel writes them, of one CPU after another."""
    cpus = sorted(os.sched_getaffinity(0))
    for folder in ("proc/77", "proc/self", "sys/fs/cgroup"):
        (root / folder).mkdir(parents=True, exist_ok=True)
    lines = [f"cpu{cpu} {busy} 0 0 {idle} 0 0 0 {stolen} 0 0" for cpu in cpus]
    (root / "proc/stat").write_text("\n".join(["cpu 0", *lines]))
    (root / "proc/77/stat").write_text(
        f"77 (a (strange) name) S {' '.join(['0'] * 10)} {worker} 0 0 0"
    )
    (root / "proc/self/cgroup").write_text("0::/\n")
    (root / "sys/fs/cgroup/cpu.stat").write_text(f"nr_throttled {throttled}\n")
    for cpu in cpus:
        folder = root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "scaling_cur_freq").write_text(f"{mhz * 1000}\n")
    return read([77], root)


def test_readings_before_and_after_tell_what_passed_between(tmp_path):
    cpus = len(os.sched_getaffinity(0))
    before = machine(tmp_path, busy=100, idle=1000, stolen=0, throttled=4, worker=10, mhz=2000)
    after = machine(
        tmp_path,
        busy=100 + TICKS,
        idle=1000 + TICKS // 2,
        stolen=TICKS // 2,
        throttled=6,
        worker=10 + TICKS,
        mhz=1800,
    )
    passed = between(before, after)
    assert passed.stolen == pytest.approx(0.25)
    assert passed.stolen_ticks == cpus * (TICKS // 2)
    assert passed.throttled == 2
    assert passed.frequency == (2000.0, 1800.0)
    # One second on each CPU and half a second stolen, of which the worker and this process had one
    # second.
    assert passed.elsewhere == pytest.approx(cpus * 0.75 - 0.5, abs=0.02)


def test_a_worker_that_has_gone_and_a_machine_that_tells_nothing_are_no_errors(tmp_path):
    (tmp_path / "proc").mkdir()
    reading = read([1], tmp_path)
    assert reading.frequency is None
    assert between(reading, reading).stolen == 0
