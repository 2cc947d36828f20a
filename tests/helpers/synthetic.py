"""Sessions made up from a seed, written through the real journal: what reports and comparisons are
tested on.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from harness import statistics
from harness.records import Flag, Identity, Record, Status
from harness.store import Contents, Journal, Plan
from implementations.interface import Problem

SHAPES = (
    (32, 64, 112, 112),
    (32, 64, 56, 56),
    (32, 256, 56, 56),
    (32, 128, 28, 28),
    (32, 512, 28, 28),
    (32, 256, 14, 14),
    (32, 1024, 14, 14),
    (32, 512, 7, 7),
    (32, 2048, 7, 7),
    (128, 64, 8, 8),
)
BASELINE = "torch_native"
SPEEDS = {BASELINE: 1.0, "canary": 1.0, "torch_compile": 0.82, "torch_unfused": 2.6, "numpy": 9.5}
FAILURES = {
    Status.WRONG: "output is off by 41 times the tolerance at (0, 3, 2, 1)",
    Status.CRASHED: "the worker died of signal SIGSEGV; its last words: a | b < c",
    Status.TIMEOUT: "no answer within 600 s; the worker was killed",
    Status.UNSUPPORTED: "no bfloat16 here",
    Status.UNAVAILABLE: "No module named 'mine'",
}
ENVIRONMENT = "0123456789abcdef"
TIME = "2026-11-23T01:02:03+00:00"
FLOOR, FLOOR_SPEED = "floor/streaming", 0.4
ABSENT_FLOOR = "bytes are moved on a CPU, and this is a GPU"
NEW_FIGURES = (
    "p_value",
    "floor",
    "floor_absent",
    "clocks",
    "memory",
    "unsteady_launches",
    "conditions",
    "spent",
)
SPENT = {
    "wall": 20.0,
    "starting": 1.0,
    "preparing": 4.0,
    "checking": 2.0,
    "timed": 6.0,
    "untimed": 5.0,
    "own": 5.0,
}
PACE = {BASELINE: 45, "numpy": 45, "none": 85}


def cell(
    shape: Sequence[int] = SHAPES[0], *, dtype: str = "float32", **changed: Any
) -> dict[str, Any]:
    """A throughput cell."""
    return {
        "problem": {
            **asdict(Problem(tuple(shape), dtype=dtype, activation="relu")),
            "shape": list(shape),
        },
        "phase": "training_step",
        "face": "layer",
        "outputs": "fresh",
        "cache": "warm",
        "inputs": "normal",
        "device": "cpu",
        "threads": 2,
        "allocator": "retaining",
        "wait_policy": "passive",
        "baseline": BASELINE,
        "margin": 0.03,
        "alpha": 0.05,
        "seed": 0,
        "protocol": {
            "version": 2,
            "launches": 8,
            "most_launches": 16,
            "blocks": 5,
            "sample_seconds": 0.01,
            "cell_seconds": 60.0,
        },
        **changed,
    }


def throughput(
    about: Mapping[str, Any],
    speeds: Mapping[str, float],
    *,
    session: str = "s1",
    noise: float = 0.01,
    seed: int = 0,
    launches: int = 8,
    environment: str = ENVIRONMENT,
    failed: Mapping[str, Status] | None = None,
    flagged: Sequence[str] = (),
    floor: bool = True,
) -> list[Record]:
    """The records of one cell whose arms take ``speeds`` times as long as the baseline, by its
    size.
    """
    failed = failed or {}
    samples = _samples(about, speeds, seed, noise, launches)
    records = []
    for name in speeds:
        identity = Identity("throughput", name, about, "source", environment)
        if name in failed:
            records.append(Record(identity, session, TIME, failed[name], FAILURES[failed[name]]))
            continue
        flags = (Flag.DISTURBED,) if name in flagged else ()
        figures = {
            **_figures(about, name, samples, absent=BASELINE in failed),
            **_apart(about, name, samples, floor=floor),
        }
        if flags:
            figures["verdict"] = None
        cost = {
            "prepare_seconds": 0.01,
            "first_call_seconds": 0.5,
            "check_seconds": 0.1,
            "warm_up_seconds": 0.3,
            **({"compile_seconds": 4.0} if name == "torch_compile" else {}),
        }
        records.append(
            Record(
                identity,
                session,
                TIME,
                Status.OK,
                flags=flags,
                figures=figures,
                samples=samples[name],
                cost=cost,
            )
        )
    return records


def old(records: Iterable[Record]) -> list[Record]:
    """The same throughput records as the protocol's first version had them."""
    made = []
    for record in records:
        about = {key: value for key, value in record.cell.items() if key != "inputs"}
        about["protocol"] = {"version": 1, "launches": 8, "blocks": 5}
        figures = record.figures and {
            key: value for key, value in record.figures.items() if key not in NEW_FIGURES
        }
        cost = {
            key: value
            for key, value in record.cost.items()
            if key not in {"warm_up_seconds", "compile_seconds"}
        }
        samples = [
            {key: sample[key] for key in ("launch", "block", "calls", "seconds")}
            for sample in record.samples
            if not sample["set_aside"]
        ]
        made.append(
            replace(
                record,
                identity=replace(record.identity, cell=about),
                figures=figures,
                cost=cost,
                samples=samples,
                schema=1,
            )
        )
    return made


def conformance(outcomes: Mapping[str, Mapping[str, Status]], session: str = "s1") -> list[Record]:
    """Records of cases: ``outcomes`` maps an implementation to the status of each case by name."""
    return [
        case(name, label, status, session=session)
        for name, cases in outcomes.items()
        for label, status in cases.items()
    ]


def case(
    implementation: str,
    name: str,
    status: Status = Status.OK,
    *,
    session: str = "s1",
    explanation: str | None = None,
    mistrusted: Sequence[str] = (),
    samples: Sequence[Mapping[str, Any]] = (),
    **about: Any,
) -> Record:
    """One record of conformance, with what its cell has beside or in place of the least."""
    about = {"case": name, "device": "cpu", "threads": 2, **about}
    figures = {
        "worst": 0.25,
        "quantity": "output",
        "index": [0, 3, 2],
        "ulp": 1.5,
        "comparisons": 4,
        "mistrusted": list(mistrusted),
    }
    return Record(
        Identity("conformance", implementation, about, "source", ENVIRONMENT),
        session,
        TIME,
        status,
        reason=FAILURES.get(status),
        explanation=explanation,
        flags=(Flag.MISTRUSTED,) if mistrusted else (),
        figures=figures if status is Status.OK else None,
        samples=[dict(sample) for sample in samples],
    )


def convergence(
    arms: Iterable[str] = PACE,
    seeds: Sequence[int] = (0, 1, 2),
    *,
    steps: int = 200,
    target: float = 0.9,
    session: str = "s1",
    missing: Sequence[tuple[str, int]] = (),
    diverged: Sequence[tuple[str, int]] = (),
) -> list[Record]:
    """Records of trainings; those in ``missing`` never reach the target, those in ``diverged``
    break off.
    """
    about = {
        "dataset": "digits",
        "model": "mlp",
        "optimizer": "sgd",
        "learning_rate": 0.1,
        "batch": 64,
        "steps": steps,
        "evaluate_every": 10,
        "target": target,
        "device": "cpu",
        "threads": 2,
        "baseline": BASELINE,
    }
    records = []
    for name in arms:
        for seed in seeds:
            end = steps // 4 if (name, seed) in diverged else steps
            best = target - 0.1 if (name, seed) in missing else 0.97
            curve = _curve(PACE.get(name, 60), seed, end, best)
            identity = Identity("convergence", name, {**about, "seed": seed}, "source", ENVIRONMENT)
            figures = _trained(curve, target, None if end == steps else end + 1)
            records.append(
                Record(identity, session, TIME, Status.OK, figures=figures, samples=curve)
            )
    return records


def journal(
    folder: Path,
    records: Sequence[Record],
    *,
    session: str = "s1",
    missing: Sequence[str] = (),
    torn: bool = False,
    failure: str | None = None,
) -> Contents:
    """Append a session with these records to the journal in ``folder``, and read all of it."""
    to = Journal(folder)
    config = {
        "task": {"name": "all"},
        "baseline": BASELINE,
        "implementations": [*SPEEDS],
        "margin": 0.03,
    }
    environment = {
        "stable": {"cpu": {"model": "EPYC", "cores": 2}, "torch": "2.13.0"},
        "volatile": {"load": 0.5},
        "fingerprint": ENVIRONMENT,
    }
    to.begin(
        session,
        time=TIME,
        command=["bnbench", "run", "problem=resnet50", "implementations=[a,b]"],
        environment=environment,
        config=config,
    )
    for task in dict.fromkeys(record.task for record in records):
        keys = tuple(record.key for record in records if record.task == task)
        to.plan(
            Plan(
                session, f"job-{task}", task, {**config, "task": {"name": task}}, (*keys, *missing)
            )
        )
    for record in records:
        to.append(record)
    if failure:
        to.fail(session, "1 device.threads=9", failure)
    if torn:
        with to.path.open("ab") as file:
            file.write(b'{"kind": "record", "ident')
    return to.read()


def everything(session: str = "s1") -> list[Record]:
    """A session in which all happens: both phases, failures, flags, absent ratios, misses and
    divergence.
    """
    records = conformance(
        {
            BASELINE: {
                f"{group}/{case}": Status.OK
                for group in ("forward", "backward", "errors")
                for case in range(9)
            },
            "numpy": {
                **{f"forward/{number}": Status.OK for number in range(9)},
                "forward/4": Status.WRONG,
                **{f"backward/{number}": Status.UNSUPPORTED for number in range(5)},
                "errors/0": Status.CRASHED,
            },
        },
        session,
    )
    for phase in ("forward_training", "training_step"):
        for number, shape in enumerate(SHAPES):
            failed = (
                {"numpy": Status.WRONG}
                if number == 2
                else {BASELINE: Status.CRASHED}
                if number == 4
                else {}
            )
            records += throughput(
                cell(shape, phase=phase),
                SPEEDS,
                session=session,
                seed=number,
                noise=0.05 if number > 6 else 0.01,
                failed=failed if phase == "training_step" else {},
                flagged=["torch_unfused"] if number == 1 else [],
                floor=number != 3,
            )
    return records + convergence(
        session=session, missing=[("none", 1), ("none", 2)], diverged=[("numpy", 2)]
    )


def _samples(
    about: Mapping[str, Any],
    speeds: Mapping[str, float],
    seed: int,
    noise: float,
    launches: int,
) -> dict[str, list[dict[str, Any]]]:
    """Of all arms and the floor; with a block in each launch that was disturbed, and is set
    aside.
    """
    random, apart = np.random.default_rng(seed), np.random.default_rng([seed, 1])
    unit = 2e-9 * float(np.prod(about["problem"]["shape"]))
    drawn: dict[str, list[dict[str, Any]]] = {name: [] for name in (*speeds, FLOOR)}
    for launch in range(launches):
        offsets = {name: random.normal(0, noise) for name in speeds}
        for block in range(5):
            state = random.normal(0, 0.2)
            for name, speed in speeds.items():
                seconds = (
                    unit * speed * float(np.exp(state + offsets[name] + random.normal(0, noise)))
                )
                drawn[name].append(_sample(launch, block, seconds))
            drawn[FLOOR].append(
                _sample(
                    launch,
                    block,
                    unit * FLOOR_SPEED * float(np.exp(state + apart.normal(0, noise))),
                )
            )
        for samples in drawn.values():
            samples.append(_sample(launch, 5, 9 * unit * float(apart.uniform()), set_aside=True))
    return drawn


def _sample(launch: int, block: int, seconds: float, *, set_aside: bool = False) -> dict[str, Any]:
    return {
        "launch": launch,
        "block": block,
        "calls": 4,
        "seconds": 4 * seconds,
        "untimed": seconds,
        "waited": 0.001,
        "preempted": 0,
        "device_seconds": None,
        "doubts": ["waiting"] * set_aside,
        "set_aside": set_aside,
        "retaken": False,
    }


def _figures(
    about: Mapping[str, Any],
    name: str,
    samples: Mapping[str, list[dict[str, Any]]],
    *,
    absent: bool,
) -> dict[str, Any]:
    ratio = None if absent or name == BASELINE else statistics.log_ratios(samples, name, BASELINE)
    interval = None if ratio is None else statistics.interval(ratio, about["alpha"])
    noise = (
        None
        if absent or "canary" not in samples
        else statistics.interval(statistics.log_ratios(samples, "canary", BASELINE), about["alpha"])
    )
    return {
        "median_seconds": statistics.median_seconds(samples[name]),
        "ratio": interval and asdict(interval),
        "ratio_absent": f"{BASELINE} is CRASHED here"
        if absent
        else None
        if ratio
        else "it is the baseline",
        "verdict": interval and str(statistics.verdict(interval, about["margin"])),
        "minimum_detectable_effect": ratio
        and statistics.minimum_detectable_effect(ratio, about["alpha"], about["margin"]),
        "p_value": ratio and statistics.decision_level(ratio, about["margin"]),
        "canary": noise and asdict(noise),
        "launches": 8,
        "blocks": 5,
        "calls": 4,
        "stopped": "precision",
    }


def _apart(
    about: Mapping[str, Any],
    name: str,
    samples: Mapping[str, list[dict[str, Any]]],
    *,
    floor: bool,
) -> dict[str, Any]:
    """Figures beside the comparison with the baseline."""
    over = statistics.interval(statistics.log_ratios(samples, name, FLOOR), about["alpha"])
    size = 4 * int(np.prod(about["problem"]["shape"]))
    by_launch = statistics.launch_seconds(samples[FLOOR])
    found = {
        "ratio": asdict(over),
        "seconds": statistics.median_seconds(samples[FLOOR]),
        "bytes": 5 * size,
        "stores": "streaming",
        "drift": max(by_launch) / min(by_launch),
        "wander": 1.1,
    }
    return {
        "floor": found if floor else None,
        "floor_absent": None if floor else ABSENT_FLOOR,
        "clocks": [{"estimate": 1.0, "low": 0.99, "high": 1.01}],
        "unsteady_launches": 0,
        "memory": {"saved_bytes": size, "peak_extra_bytes": None if name == "numpy" else 2 * size},
        "conditions": {
            "blocks": 48,
            "set_aside": 8,
            "samples": 350,
            "retaken": 14,
            "preempted": 90,
            "doubts": {"waiting": 7, "steal": 1},
            "stolen": 0.001,
            "elsewhere": 0.25,
            "load": 1.5,
            "waited": 0.31,
        },
        "spent": dict(SPENT),
    }


def _curve(pace: int, seed: int, steps: int, best: float) -> list[dict[str, Any]]:
    random = np.random.default_rng(seed)
    rate = pace * (1 + 0.15 * seed)
    return [
        {
            "step": step,
            "loss": float(2.3 * np.exp(-step / rate) + 0.05 * random.uniform(0.5, 1.5)),
            "accuracy": float(best - 0.87 * np.exp(-2 * step / rate)) if step % 10 == 0 else None,
            "seconds": 1e-3,
        }
        for step in range(1, steps + 1)
    ]


def _trained(
    curve: Sequence[Mapping[str, Any]], target: float, diverged: int | None
) -> dict[str, Any]:
    reached = next((point["step"] for point in curve if (point["accuracy"] or 0) >= target), None)
    return {
        "steps_to_target": reached,
        "seconds_to_target": None if reached is None else reached * 1e-3,
        "seconds_per_step": 1e-3,
        "first_step_seconds": 2e-3,
        "final_loss": curve[-1]["loss"],
        "final_accuracy": None if diverged else 0.95,
        "best_validation_accuracy": 0.96,
        "diverged_at": diverged,
    }
