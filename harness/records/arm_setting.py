"""What an arm stands for that has a label of its own, or runs in another environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.records.plain_data import OMIT_NONE


@dataclass(frozen=True)
class ArmSetting:
    """``name`` is the implementation's, where the arm has a label instead.

    ``python``, ``path`` and ``variables`` are those that the user gave its worker. ``versions`` (of
    Python and packages) and ``instruction_sets`` (of PyTorch and fused_cpu) were in force there;
    they are empty where the arm runs in the environment of all others, and where nothing could be
    learned of its own. The number of threads is the cell's: a worker with another is refused.
    """

    name: str
    python: str | None = field(default=None, metadata=OMIT_NONE)
    path: str | None = field(default=None, metadata=OMIT_NONE)
    variables: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    instruction_sets: Mapping[str, str] = field(default_factory=dict)

    @property
    def runs_elsewhere(self) -> bool:
        return bool(self.python or self.path or self.variables)
