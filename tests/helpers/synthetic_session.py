"""What all made-up records have in common: their baseline, their machine and their reasons."""

from __future__ import annotations

from harness.environment import Environment
from harness.records import Status

BASELINE = "torch_native"
TIME = "2026-11-23T01:02:03+00:00"
MACHINE = Environment(
    stable={"cpu": {"model": "EPYC", "cores": 2}, "torch": "2.13.0"}, volatile={"load": 0.5}
)
ENVIRONMENT = MACHINE.fingerprint
FAILURES = {
    Status.WRONG: "output is off by 41 times the tolerance at (0, 3, 2, 1)",
    Status.CRASHED: "the worker died of signal SIGSEGV; its last words: a | b < c",
    Status.TIMEOUT: "no answer within 600 s; the worker was killed",
    Status.UNSUPPORTED: "no bfloat16 here",
    Status.UNAVAILABLE: "No module named 'mine'",
}
