"""What a sweep's jobs cost beyond their work, in CPU seconds, by part.

    python tests/experiments/sweep_cost.py [--jobs 10,100] [--tasks ...] [--tracking none,local]

Each sweep is a command of its own, of jobs that do next to nothing: one small cell in two launches,
ten steps of a training, one case of conformance. CPU seconds of the command and of all processes
that it started are a measure that a busy machine does not change much, unlike wall time.

Work is what workers compute in answer to requests; all else is cost, and is shown by part: each has
the time of the functions named here without that of other parts inside them. "Imports and the rest"
is what no part has. Processes are charged by what the kernel says of them: a worker's start is what
it had computed when it first answered. A table of Markdown goes to stdout.
"""

from __future__ import annotations

import argparse
import functools
import importlib
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

COMMON = ("implementations=[torch_native]", "device.threads=1")
SMALL = ("problem.shapes=[[4,3,5]]", "task.phases=[inference]", "task.launches=2")
QUICK = ("task.most_launches=2", "task.blocks=1", "task.sample_seconds=0.001")
TRAINING = ("task.steps=10", "task.alternatives=[]", "task.model=mlp", "task.seeds=[0]")
# Functions by part, as module and path within it; some are imported by name, so that each user has
# its own.
PARTS = {
    "composition": (
        "harness.config.composition:composed",
        "harness.config.composition:_job_config",
    ),
    "planning": tuple(
        f"harness.tasks.{task}:plan" for task in ("throughput", "convergence", "conformance")
    ),
    "hashing of sources": ("implementations.registry:source_hash",),
    "capture of the environment": (
        "harness.cli.run:capture",
        "harness.session.session:capture",
        "harness.session.jobs:capture",
    ),
    "starting workers": ("harness.isolation.worker_process:WorkerProcess.__init__",),
    "asking workers": ("harness.isolation.worker_process:WorkerProcess.call",),
    "journal": ("harness.store.journal:Journal._append", "harness.store.journal:Journal.read"),
    "tracking": (
        "harness.session.session:_open_run",
        "harness.tracking:log_record",
        "harness.tracking:log_artifacts",
        "harness.tracking:close_session",
        "harness.tracking:links",
    ),
    "figures": (
        "harness.report.markdown.writing:_draw_sections",
        "harness.report.markdown.writing:_draw_groups",
    ),
    "report and table": ("harness.cli.run:finish",),
    "jobs": ("harness.cli.run:run_job",),
    "Hydra": ("harness.cli.run:_run_hydra",),
}
WORK, STARTS, SERVERS, REST = (
    "work",
    "starts of workers",
    "fork servers and programs",
    "imports and the rest",
)
TICKS = os.sysconf("SC_CLK_TCK")


def words(task, jobs):
    """The command line of a sweep of tiny jobs."""
    match task:
        case "throughput":
            return [*COMMON, *SMALL, *QUICK, f"seed=range({jobs})"]
        case "convergence":
            rates = ",".join(f"{0.01 + number / 10_000:.4f}" for number in range(jobs))
            return [*COMMON, *TRAINING, f"task.learning_rate={rates}"]
        case "conformance":
            from harness.conformance.cases import matching

            cheap = [case.name for case in matching("shapes/*", thorough=True)]
            others = [case.name for case in matching("*", thorough=False)]
            names = list(dict.fromkeys([*cheap, *others]))[:jobs]
            return [*COMMON, "task.thorough=true", "task.cases=" + ",".join(names)]
        case _:
            raise ValueError(task)


class Parts:
    """CPU seconds by part. Each thread has its own stack of parts that it is in."""

    def __init__(self):
        self.seconds = Counter()
        self._own = threading.local()
        self._lock = threading.Lock()

    def wrap(self, part, path):
        module, _, names = path.partition(":")
        *owners, name = names.split(".")
        owner = functools.reduce(getattr, owners, importlib.import_module(module))
        function = getattr(owner, name)

        @functools.wraps(function)
        def timed(*args, **kwargs):
            self._enter(part)
            try:
                return function(*args, **kwargs)
            finally:
                self._leave()

        setattr(owner, name, timed)

    def add(self, part, seconds):
        with self._lock:
            self.seconds[part] += seconds

    def _enter(self, part):
        self._charge()
        self._own.stack.append(part)

    def _leave(self):
        self._charge()
        self._own.stack.pop()

    def _charge(self):
        """The time since the last change is that of the innermost part."""
        now, own = time.thread_time(), self._own
        if not hasattr(own, "stack"):
            own.stack = []
        elif own.stack:
            self.add(own.stack[-1], now - own.since)
        own.since = now


def cpu_seconds(pid):
    """Of a process that runs: to the nanosecond while it is young, of all its threads that live."""
    threads = Path(f"/proc/{pid}/task").glob("*/schedstat")
    fine = sum(int(path.read_text().split()[0]) for path in threads) / 1e9
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return max(fine, (int(fields[11]) + int(fields[12])) / TICKS)


def used_by(whom):
    used = resource.getrusage(whom)
    return used.ru_utime + used.ru_stime


def account_workers(parts):
    """Charge what workers compute: their start, and their work."""
    from harness.isolation.worker_process import WorkerProcess

    start, close = WorkerProcess.__init__, WorkerProcess.close

    def started(self, *args, **kwargs):
        start(self, *args, **kwargs)
        self.seconds_of_start = cpu_seconds(self.process.pid)
        parts.add(STARTS, self.seconds_of_start)

    def closed(self):
        if self._requests >= 0 and self.alive and hasattr(self, "seconds_of_start"):
            parts.add(WORK, cpu_seconds(self.process.pid) - self.seconds_of_start)
        close(self)

    WorkerProcess.__init__, WorkerProcess.close = started, closed


def measured_here(arguments, file):
    """Run a command in this process, and write what each part took."""
    import harness.isolation.worker_pool as pool

    parts = Parts()
    account_workers(parts)
    for part, paths in PARTS.items():
        for path in paths:
            parts.wrap(part, path)
    from harness.cli.dispatch import main as bnbench

    status = bnbench(arguments)
    pool.FORK_SERVERS.close()  # as at the process's end, so that its children can be counted
    own, children = used_by(resource.RUSAGE_SELF), used_by(resource.RUSAGE_CHILDREN)
    of_workers = parts.seconds[WORK] + parts.seconds[STARTS]
    here = sum(parts.seconds.values()) - of_workers
    parts.add(REST, own - here)
    parts.add(SERVERS, max(0.0, children - of_workers))
    Path(file).write_text(json.dumps(parts.seconds), encoding="utf-8")
    return status


def measured(task, jobs, tracking):
    """The parts of one sweep, and its wall seconds."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "parts.json"
        command = [
            *("run", f"task={task}", f"results={folder}/results", f"tracking={tracking}", "-m"),
            *words(task, jobs),
        ]
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, __file__, "--here", str(file), *command],
            capture_output=True,
            text=True,
            cwd=folder,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
            check=False,
        )
        if not file.exists() or done.returncode == 2:
            raise SystemExit(done.stderr)
        return json.loads(file.read_text(encoding="utf-8")), time.monotonic() - began, done


def table(found):
    """Seconds a job: a row a part, a column a sweep."""
    names = sorted({part for parts, *_ in found.values() for part in parts})
    names = sorted(names, key=lambda name: -max(parts.get(name, 0) for parts, *_ in found.values()))
    cost = {sweep: sum(parts.values()) - parts.get(WORK, 0) for sweep, (parts, *_) in found.items()}
    yield "| CPU seconds a job | " + " | ".join(map(title, found)) + " |"
    yield "| --- |" + " ---: |" * len(found)
    for name in [WORK, *(name for name in names if name != WORK)]:
        yield row(name, [found[sweep][0].get(name, 0) / sweep[1] for sweep in found])
    yield row("**cost beyond work**", [cost[sweep] / sweep[1] for sweep in found])
    yield row("wall time", [found[sweep][1] / sweep[1] for sweep in found])


def title(sweep):
    task, jobs, tracking = sweep
    return f"{task}, {jobs}{'' if tracking == 'none' else ', MLflow'}"


def row(name, values):
    return f"| {name} | " + " | ".join(f"{value:.3f}" for value in values) + " |"


def main():
    if sys.argv[1:2] == ["--here"]:
        return measured_here(sys.argv[3:], sys.argv[2])
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jobs", default="10,100")
    parser.add_argument("--tasks", default="throughput,convergence,conformance")
    parser.add_argument("--tracking", default="none,local")
    given = parser.parse_args()
    found = {}
    for task in given.tasks.split(","):
        for jobs in map(int, given.jobs.split(",")):
            for tracking in given.tracking.split(","):
                found[task, jobs, tracking] = measured(task, jobs, tracking)
                status = found[task, jobs, tracking][2].returncode
                sys.stderr.write(f"{title((task, jobs, tracking))}: exit status {status}\n")
    print("\n".join(table(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
