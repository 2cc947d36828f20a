"""The same commits through other gates, side by side: how often each alarms, for nothing and for
something.

    python tests/experiments/gate_beside_others.py [--trials 10]

A repository of one small pure-Python kernel is made, with a base, a commit that changes a comment
only, and one that does a tenth of its work twice. Each tool compares base with either: medians of
plain timings, `pytest-benchmark --benchmark-compare-fail=median:5%`, and `asv continuous` with a
factor of 1.05, which is installed into an environment of its own, or left out with the reason.
Writes `beside_others.md` into `reports/gate`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness import formatting

PAGE = Path(__file__).parents[2] / "reports/gate/beside_others.md"
THRESHOLD = 5  # percent, of every tool
REPEATS = 30
INSTALLING = 300.0  # seconds until that is given up
KERNEL = '''\
"""Batch normalization of rows, one channel at a time. {comment}"""

DATA = [[float((7 * i + 3 * c) % 11) for i in range(400)] for c in range(20)]
AGAIN = {again}  # channels that are done twice


def normalize(values):
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    scale = (variance + 1e-5) ** -0.5
    return [(value - mean) * scale for value in values]


def work():
    return [normalize(channel) for channel in DATA + DATA[:AGAIN]]
'''
PYTEST = "from tiny_bn import work\n\n\ndef test_work(benchmark):\n    benchmark(work)\n"
ASV = "from tiny_bn import work\n\n\ndef time_work():\n    work()\n"
PLAIN = (
    "import time, tiny_bn\n"
    "def once():\n    began = time.perf_counter(); tiny_bn.work()\n"
    "    return time.perf_counter() - began\n"
    f"print(sorted(once() for _ in range({REPEATS}))[{REPEATS // 2}])\n"
)
INSTALL = "import shutil, sysconfig; shutil.copy('tiny_bn.py', sysconfig.get_paths()['purelib'])"
COMMITS = {"base": ("First.", 0), "same": ("The same.", 0), "slower": ("Slower.", 2)}
PAGE_TEXT = """\
# The same commits through other gates

`{command}`. A commit that changes a comment, and one that does a tenth of the work twice, against
their base, {trials} times each. All tools alarm beyond {threshold} %.

{table}

{reasons}
"""
Tool = Callable[[str], bool]  # whether it alarms for this commit


@dataclass(frozen=True)
class Workplace:
    """A repository, and a folder with the files of each commit."""

    root: Path

    def tree(self, commit: str) -> Path:
        return self.root / "trees" / commit

    @property
    def repository(self) -> Path:
        return self.root / "repository"


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trials", type=int, default=10, help="of each tool with each commit")
    given = parser.parse_args()
    if given.trials < 1:
        parser.error(f"--trials is {given.trials}, and must be at least 1")
    with tempfile.TemporaryDirectory() as folder:
        place = made(Path(folder))
        tools: dict[str, Tool] = {
            "medians of plain timings": lambda commit: plain_alarms(place, commit),
            "pytest-benchmark": lambda commit: pytest_alarms(place, commit),
        }
        reason = install_asv(place)
        if reason is None:
            tools["asv continuous"] = lambda commit: asv_alarms(place, commit)
        rows = [row(name, tool, given.trials) for name, tool in tools.items()]
    command = f"python tests/experiments/gate_beside_others.py --trials {given.trials}"
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(page(rows, given.trials, command, reason), encoding="utf-8")
    return 0


def made(root: Path) -> Workplace:
    place = Workplace(root)
    place.repository.mkdir()
    _git(place, "init", "--quiet", "--initial-branch=main")
    for commit, (comment, again) in COMMITS.items():
        files = {
            "tiny_bn.py": KERNEL.format(comment=comment, again=again),
            "test_tiny_bn.py": PYTEST,
            "benchmarks/__init__.py": "",
            "benchmarks/bench.py": ASV,
        }
        for folder in (place.repository, place.tree(commit)):
            _write(folder, files)
        _git(place, "add", ".")
        _git(place, "commit", "--quiet", "--message", comment)
        _git(place, "tag", commit)
    return place


def plain_alarms(place: Workplace, commit: str) -> bool:
    base, head = (
        float(_run([sys.executable, "-c", PLAIN], place.tree(name)).stdout)
        for name in ("base", commit)
    )
    return head > base * (1 + THRESHOLD / 100)


def pytest_alarms(place: Workplace, commit: str) -> bool:
    """By its exit status; the base is stored anew each time, as in one job of a workflow."""
    with tempfile.TemporaryDirectory() as storage:
        common = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
        common += [f"--benchmark-storage=file://{storage}"]
        _run([*common, "--benchmark-save=base"], place.tree("base"))
        compared = ["--benchmark-compare=0001", f"--benchmark-compare-fail=median:{THRESHOLD}%"]
        ended = _run([*common, *compared], place.tree(commit), allowed=(0, 1))
    if ended.returncode and "Performance has regressed" not in ended.stdout + ended.stderr:
        raise RuntimeError(f"pytest-benchmark failed for another reason: {ended.stdout[-2000:]}")
    return ended.returncode == 1


def install_asv(place: Workplace) -> str | None:
    """Why it cannot be had here; None where it is installed."""
    environment = place.root / "asv"
    python = str(environment / "bin/python")
    try:
        _run([sys.executable, "-m", "venv", str(environment)], place.root)
        wanted = ["asv", "virtualenv", "setuptools"]
        _run([python, "-m", "pip", "install", "--quiet", *wanted], place.root, seconds=INSTALLING)
        _configure_asv(place)
        _run([python, "-m", "asv", "machine", "--yes"], place.repository)
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        return f"asv is left out: {str(error)[-300:]}"
    return None


def _configure_asv(place: Workplace) -> None:
    settings: Mapping[str, object] = {
        "version": 1,
        "project": "tiny_bn",
        "repo": ".",
        "branches": ["main"],
        "environment_type": "virtualenv",
        "build_command": [],
        "install_command": [f'in-dir={{build_dir}} python -c "{INSTALL}"'],
        "uninstall_command": [],
    }
    (place.repository / "asv.conf.json").write_text(json.dumps(settings))


def asv_alarms(place: Workplace, commit: str) -> bool:
    """By its exit status: 1 where a benchmark got worse."""
    python = str(place.root / "asv/bin/python")
    factor = f"--factor={1 + THRESHOLD / 100}"
    words = [python, "-m", "asv", "continuous", "--show-stderr", factor, "base", commit]
    ended = _run(words, place.repository, allowed=(0, 1))
    if ended.returncode and "PERFORMANCE DECREASED" not in ended.stdout:
        raise RuntimeError(f"asv failed for another reason: {ended.stdout[-2000:]}")
    return ended.returncode == 1


def row(name: str, tool: Tool, trials: int) -> list[str]:
    counts = [sum(tool(commit) for _ in range(trials)) for commit in ("same", "slower")]
    sys.stderr.write(f"{name}: {counts} of {trials}\n")
    return [name, *(f"{count} of {trials}" for count in counts)]


def page(rows: Sequence[Sequence[str]], trials: int, command: str, reason: str | None) -> str:
    table = formatting.columns(["tool", "alarms for nothing", "slow-down found"], rows, (1, 2))
    return PAGE_TEXT.format(
        command=command, trials=trials, threshold=THRESHOLD, table=table, reasons=reason or ""
    )


def _write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _git(place: Workplace, *words: str) -> None:
    author = ["-c", "user.name=experiment", "-c", "user.email=experiment@example.org"]
    _run(["git", *author, *words], place.repository)


def _run(
    words: Sequence[str], folder: Path, allowed: Sequence[int] = (0,), seconds: float = 600.0
) -> subprocess.CompletedProcess[str]:
    """Raises RuntimeError with its last words for another exit status."""
    ended = subprocess.run(
        list(words), cwd=folder, text=True, capture_output=True, timeout=seconds, check=False
    )
    if ended.returncode not in allowed:
        raise RuntimeError(f"{' '.join(words[:6])}: {(ended.stdout + ended.stderr)[-2000:]}")
    return ended


if __name__ == "__main__":
    sys.exit(main())
