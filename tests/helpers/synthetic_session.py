"""What all made-up records have in common: their baseline, machine, reasons, conditions
and costs.
"""

from __future__ import annotations

from harness.environment import Environment
from harness.records import Conditions, Cost, Doubt, Seconds, Status, TimeSpent

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
COST = Cost(
    prepare_seconds=Seconds(0.01),
    first_call_seconds=Seconds(0.5),
    warm_up_seconds=Seconds(0.3),
    check_seconds=Seconds(0.1),
)
CONDITIONS = Conditions(
    blocks=48,
    set_aside=8,
    samples=350,
    retaken=14,
    preempted=90,
    doubts={Doubt.WAITING: 7, Doubt.STEAL: 1},
    stolen=0.001,
    elsewhere=0.25,
    load=1.5,
    waited=0.31,
)
SPENT = TimeSpent(
    wall=Seconds(20.0),
    starting=Seconds(1.0),
    preparing=Seconds(4.0),
    checking=Seconds(2.0),
    timed=Seconds(6.0),
    untimed=Seconds(5.0),
    own=Seconds(5.0),
)
