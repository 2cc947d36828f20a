"""Sixty cells that experiments on the measuring itself run over: small and middling calls, all
phases, both faces.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

SHAPES = "[[256,128],[8,64,28,28],[4,256,14,14],[16,32,16,16],[32,128,7,7],[8,16,56,56]]"
PHASES = "[forward_training,backward,training_step,inference,backward_inference]"
FACES = "[layer,kernel]"
PLUGINS = Path(__file__).parents[1] / "plugins"


def run(results, *overrides):
    """Measure with `bnbench run`, in the folder ``results``, what is not there yet."""
    command = [
        str(Path(sys.executable).parent / "bnbench"),
        "run",
        "task=throughput",
        "tracking=none",
        "resume=true",
        f"results={results}",
        *overrides,
    ]
    environment = {**os.environ, "PYTHONPATH": str(PLUGINS)}
    return subprocess.run(command, env=environment, check=False).returncode


@contextmanager
def busy_loop(cpu):
    """Another process that never rests, on one CPU; None for none."""
    if cpu is None:
        yield
        return
    loop = subprocess.Popen(
        [sys.executable, "-c", f"import os; os.sched_setaffinity(0, [{cpu}])\nwhile True: pass"]
    )
    try:
        yield
    finally:
        loop.kill()
        loop.wait()
