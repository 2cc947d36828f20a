"""`bnbench check`: is an implementation right?"""

from __future__ import annotations

from collections.abc import Sequence

from harness.cli import run
from harness.config.usage import UsageError

THOROUGH = "--thorough"


def main(arguments: Sequence[str]) -> int:
    """`run task=conformance` for the named implementations, with every case if ``--thorough``."""
    names = [word for word in arguments if "=" not in word and not word.startswith("-")]
    if not names:
        raise UsageError(
            "which implementation? bnbench check NAME, with a NAME that `bnbench list` shows, "
            "or package.module.Class"
        )
    listed = ",".join(f"{{_target_: {name}}}" if "." in name else name for name in names)
    others = [word for word in arguments if word not in names]
    rest = ["task.thorough=true" if word == THOROUGH else word for word in others]
    return run.main(["task=conformance", f"implementations=[{listed}]", *rest])
