"""Implementations that are each wrong in one thing, to be named on a command line."""

from __future__ import annotations

import os

from plain_bn import Plugin
from wrong_formulas import EPILOGUE, GRADIENTS, STATISTICS
from wrong_memory import MEMORY
from wrong_occasions import OCCASIONS

# A recipe, or a function that makes one which remembers.
WRONG = {**STATISTICS, **EPILOGUE, **GRADIENTS, **MEMORY, **OCCASIONS}


class Wrong(Plugin):
    """One of ``WRONG``, by name."""

    def __init__(self, wrong):
        recipe = WRONG[wrong]
        make = recipe() if isinstance(recipe, type) else recipe
        super().__init__(make if callable(make) else lambda: make)


class DiesAsALayer(Plugin):
    def prepare(self, problem, phase, *, face, **keywords):
        if face == "layer":
            os._exit(3)
        return super().prepare(problem, phase, face=face, **keywords)
