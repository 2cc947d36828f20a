"""What all tests share: the plug-ins of `tests/plugins` can be imported, here and in worker processes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

PLUGINS = str(Path(__file__).parent / "plugins")
sys.path.insert(0, PLUGINS)
os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [PLUGINS, os.environ.get("PYTHONPATH", "")]))
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
