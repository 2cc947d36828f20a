"""One run of a suite in one tree: a process of pytest's, and what it leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.isolation.child_commands import ending_with_parent
from harness.isolation.places import Place
from harness.pytest_suites.result_files import InvalidResultsError, read_results
from harness.records import Seconds

PLUGIN = Path(__file__).with_name("outcome_plugin.py")
PLUGIN_NAME = "bnbench_suite_outcomes"  # like nothing that a suite has
PACKAGES = ("pytest", "pytest_benchmark")
ENDED = {0, 1}  # pytest's exit status where tests ran: all passed, or some failed
NO_TESTS = 5
LAST_LINES = 5
OUTER_RUN = {"PYTEST_XDIST_WORKER", "PYTEST_XDIST_WORKER_COUNT", "PYTEST_CURRENT_TEST"}


@dataclass(frozen=True)
class SuiteTree:
    """Where a suite runs: in the folder ``tree``, with ``place.path``, the tree's build, first on
    its import path.
    """

    label: str
    tree: Path
    place: Place


@dataclass(frozen=True)
class Report:
    """``outcome`` is pytest's word: passed, failed or skipped."""

    name: str
    outcome: str
    reason: str | None = None


@dataclass(frozen=True)
class SuiteRun:
    """What one run left: by test its median in seconds a call, and what became of it.

    ``reason`` says why there is nothing at all; a run with failed tests has none.
    """

    medians: Mapping[str, Seconds]
    reports: Mapping[str, Report]
    reason: str | None = None


def missing_packages(place: Place) -> str | None:
    """What the interpreter of a tree lacks, in a sentence with what to do about it."""
    program = (
        "import importlib.util, sys\n"
        f"print(*(name for name in {PACKAGES!r} if importlib.util.find_spec(name) is None))"
    )
    python = place.interpreter or sys.executable
    asked = subprocess.run([python, "-c", program], capture_output=True, text=True, check=False)
    missing = asked.stdout.replace("_", "-").split()
    if not missing:
        return None
    return f"{python} has no {' and no '.join(missing)}; pip install {' '.join(missing)}"


def run_suite(tree: SuiteTree, arguments: Sequence[str], seconds: float) -> SuiteRun:
    """One whole run, which may take so many seconds."""
    with tempfile.TemporaryDirectory(prefix="bnbench-") as folder:
        results, outcomes = Path(folder, "results.json"), Path(folder, "outcomes.jsonl")
        Path(folder, f"{PLUGIN_NAME}.py").write_bytes(PLUGIN.read_bytes())
        outcomes.touch()
        command = [
            *ending_with_parent(),
            tree.place.interpreter or sys.executable,
            *("-m", "pytest", "-p", PLUGIN_NAME, *arguments),
            *("--benchmark-enable", "--benchmark-only", f"--benchmark-json={results}"),
        ]
        try:
            ended = subprocess.run(
                command,
                cwd=tree.tree,
                env=_environment(tree, Path(folder), outcomes),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                check=False,
                timeout=seconds,
            )
        except subprocess.TimeoutExpired:
            return SuiteRun({}, {}, f"a run in {tree.label} was not done after {seconds:.0f} s")
        return _run(tree, ended, results, outcomes)


def _run(
    tree: SuiteTree, ended: subprocess.CompletedProcess[str], results: Path, outcomes: Path
) -> SuiteRun:
    reports = {report.name: report for report in _reports(outcomes)}
    if ended.returncode == NO_TESTS:
        return SuiteRun({}, {})  # what there is in the other tree is new, or gone
    if ended.returncode not in ENDED:
        return SuiteRun({}, {}, f"pytest fails in {tree.label}: {_last_lines(ended)}")
    if not results.exists() or not results.stat().st_size:
        failed = any(report.outcome == "failed" for report in reports.values())
        reason = f"pytest timed nothing in {tree.label}: {_last_lines(ended)}"
        return SuiteRun({}, reports, None if failed else reason)
    try:
        return SuiteRun(read_results(results).medians, reports)
    except InvalidResultsError as error:
        failed = any(report.outcome == "failed" for report in reports.values())
        return SuiteRun({}, reports, None if failed else f"in {tree.label}: {error}")


def _reports(outcomes: Path) -> Iterator[Report]:
    """Of each test the last: a teardown that failed comes after a call that passed."""
    for line in outcomes.read_text(encoding="utf-8").splitlines():
        yield Report(**json.loads(line))


def _environment(tree: SuiteTree, folder: Path, outcomes: Path) -> dict[str, str]:
    environment = {
        **tree.place.environment(os.environ),
        "BNBENCH_SUITE_OUTCOMES": str(outcomes),
        "PYTHONHASHSEED": "0",
    }
    if tree.place.path is not None:
        environment["BNBENCH_SUITE_BUILD"] = str(Path(tree.place.path).expanduser().resolve())
    paths = [environment.get("PYTHONPATH"), str(folder)]
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
    # what a run of pytest around this one has set: it would keep this one from timing anything
    return {name: value for name, value in environment.items() if name not in OUTER_RUN}


def _last_lines(ended: subprocess.CompletedProcess[str]) -> str:
    """The end of what pytest wrote: its errors, or else its output."""
    text = ended.stderr.strip() or ended.stdout.strip()
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return " | ".join(lines[-LAST_LINES:]) or f"exit status {ended.returncode}"
