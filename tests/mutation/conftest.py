"""The experiment's modules can be imported as the command `python tests/mutation/experiment.py` imports them."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
