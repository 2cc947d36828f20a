"""Runs pytest with the sanitized C++: `sanitized_pytest.py MODULE pytest's arguments...`, started
by test_sanitizers.py.
"""

from __future__ import annotations

import importlib.util
import sys

NAME = "implementations.fused_cpu._native"


def install(path):
    """Loads the module of this file in place of the package's own."""
    import torch  # noqa: F401, its OpenMP runtime has to be loaded first

    spec = importlib.util.spec_from_file_location(NAME, path)
    sys.modules[NAME] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


if __name__ == "__main__":
    import pytest

    install(sys.argv[1])
    sys.exit(pytest.main(sys.argv[2:]))
