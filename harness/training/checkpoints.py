"""The state of a training on the disk, from which another process goes on as if nothing had
happened.

All that decides on the next step: parameters, buffers, the optimizer's state, PyTorch's generator,
and the number of steps, which gives the place in the data. A file is replaced as a whole, so that a
kill while it is written costs nothing.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import torch

from harness.records import Seconds, TrainingStep
from harness.training.timer import Every

VERSION = 1
KEYS = {"model", "optimizer", "generator", "steps", "evaluation_seconds", "resumed_after"}


@dataclass
class Progress:
    """What a training has done so far. ``resumed_after`` as in `training.steps.Training`."""

    steps: list[TrainingStep]
    evaluation_seconds: Seconds = Seconds(0.0)
    resumed_after: tuple[int, ...] = ()


class Checkpoint:
    """One training's file, written every so many ``seconds``, off its clock; None keeps nothing.

    ``path`` names the training: a file found there is taken to be of this very one.
    """

    def __init__(
        self, path: Path | str | None, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._path = None if path is None else Path(path)
        self._every = Every(seconds, clock)

    def restore(self, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> Progress:
        """Bring both to where the file has them; with no file that can be read, leave them at the
        beginning.
        """
        found = self._read()
        if found is None:
            return Progress([])
        model.load_state_dict(found["model"])
        optimizer.load_state_dict(found["optimizer"])
        torch.set_rng_state(found["generator"])
        steps = [TrainingStep(*step) for step in found["steps"]]
        return Progress(steps, found["evaluation_seconds"], (*found["resumed_after"], len(steps)))

    def offer(
        self, model: torch.nn.Module, optimizer: torch.optim.Optimizer, progress: Progress
    ) -> None:
        """Write the state down if it is time to."""
        if self._path is None or not self._every.due():
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = self._path.with_suffix(f".{os.getpid()}")
        with unfinished.open("wb") as file:
            torch.save(
                {
                    "version": VERSION,
                    "model": model.state_dict(),
                    "optimizer": optimizer.state_dict(),
                    "generator": torch.get_rng_state(),
                    "steps": [list(astuple(step)) for step in progress.steps],
                    "evaluation_seconds": progress.evaluation_seconds,
                    "resumed_after": list(progress.resumed_after),
                },
                file,
            )
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(self._path)

    def _read(self) -> dict[str, Any] | None:
        if self._path is None or not self._path.exists():
            return None
        try:
            found = torch.load(self._path, weights_only=True)
        except Exception:  # torch.load has no narrower base for a file that is none of its own
            return None
        whole = isinstance(found, dict) and found.get("version") == VERSION and found.keys() >= KEYS
        return found if whole else None
