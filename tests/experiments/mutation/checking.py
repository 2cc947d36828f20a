"""What `bnbench check numpy` finds in a copy of the repository, as JSON, and whose code said so.
Never run by hand.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

PACKAGES = ("harness", "implementations", "conf")
# What a worker imports, it imports like this; the implementation's name goes through its entry
# point.
IN_A_WORKER = """
import importlib.util, sys
import harness.conformance.worker, conf
from importlib.metadata import entry_points
(entry,) = entry_points(group="bnbench.implementations", name="numpy")
for name in ("harness.conformance.worker", "harness.conformance.runner", "conf", entry.module):
    print(importlib.util.find_spec(name).origin)
"""


def main(copy: Path, answer: Path, cases: str) -> None:
    """``answer`` is the file to write, ``cases`` a glob; ``foreign`` in it are files that ran and
    are not in ``copy``.
    """
    import harness

    records = harness.check("numpy", cases=cases)
    failed = [
        {"case": record.cell.case, "status": record.status.value, "reason": record.reason}
        for record in records
        if record.failed
    ]
    foreign = [
        place
        for place in [*here(), *in_a_worker()]
        if not Path(place).resolve().is_relative_to(copy.resolve())
    ]
    statuses = Counter(record.status.value for record in records)
    answer.write_text(
        json.dumps({"failed": failed, "statuses": statuses, "foreign": foreign}), encoding="utf-8"
    )


def here() -> list[str]:
    """The files of the project that this process has imported."""
    modules = [
        module for name, module in list(sys.modules.items()) if name.partition(".")[0] in PACKAGES
    ]
    return [file for module in modules if (file := getattr(module, "__file__", None))]


def in_a_worker() -> list[str]:
    """The files that a process imports which is started as workers are."""
    from harness.isolation import WorkerSettings

    ran = subprocess.run(
        [sys.executable, "-P", "-c", IN_A_WORKER],
        env=WorkerSettings().environment(),
        check=True,
        capture_output=True,
        text=True,
    )
    return ran.stdout.split("\n")[:-1]


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
