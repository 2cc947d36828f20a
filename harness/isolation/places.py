"""Where a worker runs: in this interpreter with this environment, or in another that the user
names.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from implementations.registry import Specification


@dataclass(frozen=True)
class Place:
    """``python`` is the interpreter of another environment, ``path`` a folder that comes first on
    the worker's import path, both as the user wrote them; ``variables`` are added to its
    environment.
    """

    python: str | None = None
    path: str | None = None
    variables: tuple[tuple[str, str], ...] = ()

    @property
    def has_code_of_its_own(self) -> bool:
        """Whether the worker may import another harness, and other implementations, than this
        process.
        """
        return self.python is not None or self.path is not None

    @property
    def interpreter(self) -> str | None:
        """The path of another interpreter. No link is followed: a virtual environment's is one."""
        return None if self.python is None else str(Path(self.python).expanduser().absolute())

    def environment(self, inherited: Mapping[str, str]) -> dict[str, str]:
        """``inherited``, as a worker has it here. `PYTHONPATH` comes before whatever an environment
        has installed, in editable form too.
        """
        changed = {**inherited, **dict(self.variables)}
        if self.path is not None:
            folders = [str(Path(self.path).expanduser().resolve()), inherited.get("PYTHONPATH")]
            changed["PYTHONPATH"] = os.pathsep.join(filter(None, folders))
        return changed


HERE = Place()


@dataclass(frozen=True)
class Arm:
    """An implementation, and where it runs."""

    implementation: Specification
    place: Place = HERE
