"""A plug-in of pytest's that says what became of each test, and imports a tree's build before its
sources. It is copied to where a run finds it, and imports nothing of bnbench.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any


class BuildFinder:
    """Finds what is in the build there, however the import path is ordered: `python -m pytest`,
    pytest's own `pythonpath` and its import of test files each put folders of sources first.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, *_: object) -> ModuleSpec | None:
        return PathFinder.find_spec(name, [BUILD]) if path is None else None


BUILD = os.environ.get("BNBENCH_SUITE_BUILD", "")
if BUILD:
    sys.meta_path.insert(0, BuildFinder)


def pytest_runtest_logreport(report: Any) -> None:
    """A test has three reports: of those that failed, or were skipped, the last one stands."""
    if report.when == "call" or report.outcome != "passed":
        failed = report.outcome == "failed"
        line = {
            "name": report.nodeid,
            "outcome": report.outcome,
            "reason": _reason(report.longrepr) if failed else None,
        }
        with Path(os.environ["BNBENCH_SUITE_OUTCOMES"]).open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def _reason(found: Any) -> str:
    """The error's first line, of what pytest shows of it."""
    crash = getattr(found, "reprcrash", None)
    lines = str(getattr(crash, "message", found)).strip().splitlines()
    return lines[0] if lines else "no reason is given"
