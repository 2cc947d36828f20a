"""Kill a command, or one of its processes, at a random moment, resume at once, kill again, and
count what is lost, measured twice or left behind: nothing should be.

    python tests/experiments/kills.py --results FOLDER [--kills 100] [--seed 0] [--minutes 60]

Each round is a sweep of two jobs, under Hydra's own launcher or joblib's, that times or trains, one
in three with MLflow. It is killed and resumed up to four times, and then left to end. A table goes
to stdout, a line a round to stderr; the exit status is 1 where anything but 0 was counted. A kill
takes some ten seconds on two quiet cores.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count, product
from pathlib import Path

import psutil

from harness.records import Status
from harness.store import Journal
from harness.store.running import FOLDER
from tests.helpers.commands import command

KILLS = 4  # of one sweep
MARK = "BNBENCH_KILLS_ROUND"  # in the environment of every process of a round
ENDED = 5.0  # seconds in which all processes should have ended after a kill of their command
LONGEST = 600.0  # seconds of a command
LAUNCHERS = {"basic": (), "joblib": ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")}
TARGETS = ("command", "worker")
TASKS = {
    "throughput": (
        "problem.shapes=[[4,3,5]]",
        "task.launches=1",
        "task.most_launches=1",
        "task.blocks=1",
        "task.sample_seconds=0.001",
        "-m",
        "seed={0},{1}",
    ),
    "convergence": (
        "task.steps=20",
        "task.alternatives=[]",
        "task.timed=false",
        "task.seeds=[{0},{1}]",
        "-m",
        "task.optimizer=sgd,adam",
    ),
}
COUNTED = ("lost", "twice", "processes", "running runs", "running files", "failed resumes")


@dataclass(frozen=True)
class Round:
    """``moments`` are when the kills fall, as shares of what a command of its kind takes."""

    number: int
    launcher: str
    task: str
    tracked: bool
    targets: tuple[str, ...]
    moments: tuple[float, ...]

    def words(self, results: Path) -> list[str]:
        own = [word.format(2 * self.number, 2 * self.number + 1) for word in TASKS[self.task]]
        common = ["implementations=[torch_native]", "device.threads=1", f"results={results}"]
        tracking = [] if self.tracked else ["tracking=none"]
        launcher = LAUNCHERS[self.launcher]
        return ["run", f"task={self.task}", "resume=true", *common, *tracking, *own, *launcher]


@dataclass
class Outcome:
    """What was counted; how many kills there were of each target; how many records the killed
    commands left; how long processes lived on.
    """

    counts: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    left: int = 0
    planned: int = 0
    lived_on: float = 0.0
    torn: int = 0


def rounds(seed: int) -> Iterator[Round]:
    """Launchers and tasks in turn; targets and moments at random."""
    draw = random.Random(seed)
    for index in count():
        yield Round(
            number=index + 1000 * seed,
            launcher=list(LAUNCHERS)[index % 2],
            task=list(TASKS)[index // 2 % 2],
            tracked=draw.random() < 1 / 3,
            targets=tuple(draw.choices(TARGETS, k=KILLS)),
            moments=tuple(draw.uniform(0.02, 1.0) for _ in range(KILLS)),
        )


def start(one: Round, results: Path) -> subprocess.Popen[bytes]:
    with (results / f"round {one.number}.txt").open("ab") as output:
        return subprocess.Popen(
            command(*one.words(results)),
            env={**os.environ, MARK: f"{one.number} {results}"},
            stdout=output,
            stderr=output,
        )


def alive(one: Round, results: Path) -> list[psutil.Process]:
    """The round's processes, whoever their parents are by now."""
    found = []
    for process in psutil.process_iter():
        try:
            mine = process.environ().get(MARK) == f"{one.number} {results}"
            if mine and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue
    return found


def kill(one: Round, results: Path, target: str, seconds: float) -> bool:
    """Start, wait for the moment, kill, and wait for the command; whether something was killed."""
    process, began = start(one, results), time.monotonic()
    while process.poll() is None and time.monotonic() - began < seconds:
        time.sleep(0.01)
    victim = process.pid
    while target == "worker" and process.poll() is None:
        others = sorted(each.pid for each in alive(one, results) if each.pid != process.pid)
        if others:
            victim = random.Random(seconds).choice(others)
            break
        time.sleep(0.05)
    killed = False
    if process.poll() is None:
        with suppress(ProcessLookupError):  # it may end by itself meanwhile
            os.kill(victim, signal.SIGKILL)
            killed = True
    process.wait(LONGEST)
    return killed


def seconds_until_gone(one: Round, results: Path) -> float:
    """Of all processes of a command that has ended; `ENDED` at most."""
    ended = time.monotonic()
    while alive(one, results) and time.monotonic() - ended < ENDED:
        time.sleep(0.01)
    return time.monotonic() - ended


def held(results: Path, seeds: Round) -> Counter[str]:
    """How often the journal has each key of the round OK."""
    contents = Journal(results / "journal").read()
    mine = {key for plan in contents.plans if is_of(plan.config, seeds) for key in plan.keys}
    ok = [record.key for record in contents.history if record.status is Status.OK]
    counted = Counter(key for key in ok if key in mine)
    counted.update(dict.fromkeys(mine, 0))
    return counted


def is_of(config, one: Round) -> bool:
    first = 2 * one.number
    if config["task"]["name"] != one.task:
        return False
    seeds = config["task"].get("seeds") if one.task == "convergence" else [config["seed"]]
    return set(seeds) <= {first, first + 1}


def running_runs(results: Path) -> int:
    from mlflow import MlflowClient

    if not (results / "mlflow.db").exists():
        return 0
    client = MlflowClient(f"sqlite:///{results}/mlflow.db")
    found = client.get_experiment_by_name("bnbench")
    if found is None:
        return 0
    return len(client.search_runs([found.experiment_id], "attributes.status = 'RUNNING'"))


def count_left(one: Round, results: Path) -> int:
    """The processes that are left; what they are goes to stderr."""
    left = alive(one, results)
    for process in left:
        with suppress(psutil.Error):
            print(f"left: {' '.join(process.cmdline())[:200]}", file=sys.stderr)
    return len(left)


def play(one: Round, results: Path, usual: float) -> Outcome:
    outcome, before = Outcome(), Counter[str]()
    for target, moment in zip(one.targets, one.moments, strict=True):
        killed = kill(one, results, target, moment * usual)
        outcome.kills[target] += killed
        outcome.lived_on = max(outcome.lived_on, seconds_until_gone(one, results))
        outcome.counts["processes"] += count_left(one, results)
        after = held(results, one)
        outcome.counts["lost"] += sum((before - after).values())
        before = after
        if not killed:
            break
    outcome.left = sum(before.values())
    outcome.counts["failed resumes"] += start(one, results).wait(LONGEST) != 0
    seconds_until_gone(one, results)
    after = held(results, one)
    outcome.planned = len(after)
    outcome.counts["processes"] += count_left(one, results)
    outcome.counts["lost"] += sum((before - after).values())
    outcome.counts["lost"] += sum(times == 0 for times in after.values())
    outcome.counts["twice"] += sum(times > 1 for times in after.values())
    outcome.counts["running runs"] += running_runs(results) if one.tracked else 0
    outcome.counts["running files"] += len(list((results / "journal" / FOLDER).glob("*")))
    outcome.torn = Journal(results / "journal").read().torn
    return outcome


def table(played: dict[Round, Outcome]) -> Iterator[str]:
    columns = ("launcher", "task", *(f"kills of a {target}" for target in TARGETS), *COUNTED)
    more = ("records left by the kills", "processes lived on, s")
    yield f"| {' | '.join((*columns, *more))} |"
    yield "| --- | --- |" + " ---: |" * (len(columns) + len(more) - 2)
    for launcher, task in product(LAUNCHERS, TASKS):
        own = [
            outcome
            for one, outcome in played.items()
            if (one.launcher, one.task) == (launcher, task)
        ]
        kills = [str(sum(each.kills[target] for each in own)) for target in TARGETS]
        counts = [str(sum(each.counts[name] for each in own)) for name in COUNTED]
        left = f"{sum(each.left for each in own)} of {sum(each.planned for each in own)}"
        longest = f"{max((each.lived_on for each in own), default=0):.2f}"
        yield f"| {' | '.join((launcher, task, *kills, *counts, left, longest))} |"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--usual", type=float, default=20, help="seconds of a command, at first")
    given = parser.parse_args()
    results = given.results.resolve()
    results.mkdir(parents=True, exist_ok=True)
    usual = dict.fromkeys(((one, two) for one in LAUNCHERS for two in TASKS), given.usual)
    played: dict[Round, Outcome] = {}
    until = time.monotonic() + given.minutes * 60
    for one in rounds(given.seed):
        kind = (one.launcher, one.task)
        played[one] = play(one, results, usual[kind])
        # Where a kill came too late, the command took less than was thought.
        usual[kind] *= 1.1 if sum(played[one].kills.values()) == KILLS else 0.8
        print(one, played[one], file=sys.stderr, flush=True)
        kills = sum(sum(outcome.kills.values()) for outcome in played.values())
        if kills >= given.kills or time.monotonic() > until:
            break
    print(*table(played), sep="\n")
    torn = max((outcome.torn for outcome in played.values()), default=0)
    print(f"\nLines of the journal torn by a kill, skipped, and written again: {torn}.")
    return int(any(sum(outcome.counts.values()) for outcome in played.values()))


if __name__ == "__main__":
    sys.exit(main())
