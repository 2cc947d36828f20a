"""Real gates from end to end, of regressions that are planted in the C++ kernel and of none.

    python tests/experiments/gate_planted.py --cache FOLDER [--gates 8] [--seconds 60]

Clones this repository and commits one change of the forward kernel on each of four branches: a
comment, streaming stores off, outputs written twice, and vectors of 16 bytes. `bnbench gate` then
holds the base against each, ``--gates`` times in turn. Writes `reports/gate/planted.json` as it
goes, which a second start continues, and `planted.md`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from harness import formatting

ROOT = Path(__file__).parents[2]
REPORTS = ROOT / "reports/gate"
FOUND, PAGE = REPORTS / "planted.json", REPORTS / "planted.md"
NATIVE = "implementations/fused_cpu/native"
GATED = (
    "implementations=[fused_cpu]",
    "problem.shapes=[[8,64,28,28],[32,64,56,56],[32,128,7,7]]",
    "task.phases=[forward_training,backward]",
    "task.faces=[kernel]",
    "device.threads=1",
    "tracking=none",
)
PASS = "        this->kernels.pass(this->args, {previous, &coefficients},\n"
WRITE = "                           {ChannelBlock{}, nullptr, &accumulators}, chunk);\n"
SECONDS = 900.0  # for one gate, its builds included


@dataclass(frozen=True)
class Change:
    """A commit: what is replaced in which file by what, and what it is called in the report."""

    name: str
    file: str
    old: str
    new: str
    slower: bool


CHANGES = (
    Change("a comment", "blocking.cpp", "// ", "// (once more) ", slower=False),
    Change(
        "streaming stores off",
        "blocking.cpp",
        "{ return bytes > cache_sizes().last_level / 4; }",
        "{ return bytes < 0; }",
        slower=True,
    ),
    Change("outputs written twice", "forward.cpp", PASS, PASS + WRITE + PASS, slower=True),
    Change(
        "vectors of 16 bytes",
        "forward.cpp",
        "BNBENCH_SELECT(forward_kernels)",
        "forward_kernels_baseline",
        slower=True,
    ),
)


@dataclass(frozen=True)
class Gate:
    """What came of one. ``cells`` have the outcome and ratio of each; ``seconds`` are those of the
    whole command.
    """

    change: str
    verdict: str
    cells: tuple[tuple[str, str, float | None], ...]
    seconds: float


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--cache", required=True, help="a folder for the builds")
    parser.add_argument("--gates", type=int, default=8, help="of each change")
    parser.add_argument("--seconds", type=int, default=60, help="of measuring, for each gate")
    given = parser.parse_args()
    found = _read()
    with tempfile.TemporaryDirectory() as folder:
        repository = Path(folder) / "repository"
        commit_changes(repository)
        keys = [f"gate.cache={given.cache}", f"gate.seconds={given.seconds}"]
        for number in range(given.gates):
            for change in CHANGES:
                if sum(one.change == change.name for one in found) <= number:
                    found.append(gate(repository, change, keys))
                    FOUND.write_text(json.dumps([asdict(one) for one in found], indent=1) + "\n")
    PAGE.write_text(page(found, given.seconds), encoding="utf-8")
    return 0


def commit_changes(repository: Path) -> None:
    _git(ROOT, "clone", "--quiet", str(ROOT), str(repository))
    _git(repository, "tag", "gate-base")
    for change in CHANGES:
        _git(repository, "checkout", "--quiet", "-B", _branch(change), "gate-base")
        path = repository / NATIVE / change.file
        text = path.read_text(encoding="utf-8")
        if change.old not in text:
            raise ValueError(f"{change.file} has no {change.old!r}; mend this experiment")
        path.write_text(text.replace(change.old, change.new, 1), encoding="utf-8")
        _git(repository, "commit", "--quiet", "--all", "--message", change.name)


def gate(repository: Path, change: Change, keys: Sequence[str]) -> Gate:
    with tempfile.TemporaryDirectory() as results:
        words = ["gate", "gate-base", _branch(change), "--json", f"results={results}"]
        began = time.monotonic()
        ended = subprocess.run(
            [str(Path(sys.executable).parent / "bnbench"), *words, *GATED, *keys],
            cwd=repository,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        seconds = time.monotonic() - began
    try:
        document = json.loads(ended.stdout)
        cells = tuple(map(_cell, document["facts"]["cells"]))
    except (ValueError, KeyError) as error:
        raise RuntimeError(ended.stdout[-1000:] + ended.stderr[-2000:]) from error
    sys.stderr.write(f"{change.name}: {document['verdict']} after {seconds:.0f} s {cells}\n")
    return Gate(change.name, document["verdict"], cells, seconds)


def _cell(found: Mapping[str, Any]) -> tuple[str, str, float | None]:
    problem, ratio = found["cell"]["problem"], found["ratio"]
    name = f"{'×'.join(map(str, problem['shape']))} {found['cell']['phase']}"
    return name, found["outcome"], ratio and ratio["estimate"]


def page(found: Sequence[Gate], seconds: int) -> str:
    rows = [row(change, [one for one in found if one.change == change.name]) for change in CHANGES]
    header = ["change of the forward kernel", "gates", "verdicts", "seconds", "cells called SLOWER"]
    return (
        "# Gates of changes to the C++ kernel, from end to end\n\n"
        "`python tests/experiments/gate_planted.py`. Six cells of fused_cpu, one thread, "
        f"`gate.seconds={seconds}`, base and head built before. Seconds are those of the whole "
        "command, a median. Of cells called SLOWER: how often, and the ratio, a median over the "
        "gates that called it so. Backward cells are changed by none.\n\n"
        f"{formatting.columns(header, rows, (1, 3))}\n"
    )


def row(change: Change, gates: Sequence[Gate]) -> list[str]:
    verdicts = Counter(one.verdict for one in gates)
    slower: dict[str, list[float]] = {}
    for one in gates:
        for name, outcome, ratio in one.cells:
            if outcome == "SLOWER" and ratio is not None:
                slower.setdefault(name, []).append(ratio)
    cells = [f"{name}: {len(all_)}, {median(all_):.2f}" for name, all_ in slower.items()]
    return [
        change.name,
        str(len(gates)),
        ", ".join(f"{count} {verdict}" for verdict, count in verdicts.items()),
        f"{median(one.seconds for one in gates):.0f}" if gates else "",
        "; ".join(cells) or "none",
    ]


def _branch(change: Change) -> str:
    return change.name.replace(" ", "-")


def _read() -> list[Gate]:
    if not FOUND.exists():
        return []
    kept = json.loads(FOUND.read_text(encoding="utf-8"))
    return [Gate(**{**one, "cells": tuple(map(tuple, one["cells"]))}) for one in kept]


def _git(folder: Path, *words: str) -> None:
    author = ["-c", "user.name=experiment", "-c", "user.email=experiment@example.org"]
    subprocess.run(["git", *author, *words], cwd=folder, check=True, capture_output=True)


if __name__ == "__main__":
    sys.exit(main())
