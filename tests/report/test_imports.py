"""What a report needs is imported when it is needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path


def test_importing_reports_loads_nothing_heavy_and_drawing_leaves_pyplot_alone(
    tmp_path: Path,
) -> None:
    program = """
import sys
from pathlib import Path
import harness.analysis.session_comparison, harness.report.terminal
heavy = {"matplotlib", "numpy", "scipy", "jinja2", "torch", "rich"} & sys.modules.keys()
assert not heavy, heavy
from tests.helpers import synthetic
contents = synthetic.journal(Path(sys.argv[1]), synthetic.convergence())
harness.report.write(contents, "s1", Path(sys.argv[1]))
assert "matplotlib.pyplot" not in sys.modules
"""
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], check=True, cwd=Path(__file__).parents[2]
    )
