"""What all tests share: the plug-ins of `tests/plugins` can be imported, here and in worker
processes.
"""

from __future__ import annotations

import os
from pathlib import Path

PLUGINS = str(Path(__file__).parent / "plugins")  # on this process's own path by pyproject.toml
os.environ["PYTHONPATH"] = os.pathsep.join(
    filter(None, [PLUGINS, os.environ.get("PYTHONPATH", "")])
)
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
