"""An interrupted training goes on as if nothing had happened."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.records import TrainingCell
from harness.training.checkpoints import Checkpoint
from harness.training.messages import StepProgress, TrainingOutcome
from harness.training.runner import run

HASHES = ("data_sha256", "initial_sha256", "losses_sha256", "parameters_sha256")


class Interrupted(Exception):  # noqa: N818 -- an event, not a programming error
    """Raised where a kill would have come."""


def trained(
    cell: TrainingCell, path: Path | None = None, until: int | None = None, **changes: Any
) -> TrainingOutcome:
    """A run's answer, or its interruption after a step, whose checkpoint is there by then."""

    def progress(at: StepProgress) -> None:
        if at.step == until:
            raise Interrupted

    arm = changes.pop("arm", "torch_native")
    return run(
        progress,
        arm=arm,
        baseline="torch_native",
        cell=replace(cell, **changes),
        checkpoint=None if path is None else str(path),
    )


@pytest.fixture
def every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.training.loop.TELL_SECONDS", 0)


@pytest.mark.usefixtures("every_step")
@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "rmsprop", "adam"])
@pytest.mark.parametrize(
    ("model", "arm"), [("mlp", "torch_native"), ("cnn", "fused_cpu"), ("mlp", "ghost_batch_norm")]
)
def test_a_training_that_was_interrupted_ends_with_the_hashes_of_one_that_was_not(
    cell: TrainingCell, tmp_path: Path, optimizer: str, model: str, arm: str
) -> None:
    same: dict[str, Any] = {
        "optimizer": optimizer,
        "model": model,
        "arm": arm,
        "learning_rate": 0.01,
        "ghost_batch": 16,
    }
    whole = trained(cell, **same)
    for until in (7, 26):  # the second is in another epoch of the data, of 18 batches
        with pytest.raises(Interrupted):
            trained(cell, tmp_path / "run.pt", until, **same)
    resumed = trained(cell, tmp_path / "run.pt", **same)
    assert [getattr(resumed.figures, name) for name in HASHES] == [
        getattr(whole.figures, name) for name in HASHES
    ]
    assert resumed.figures.resumed_after == (7, 26)
    assert [replace(step, seconds=None) for step in resumed.samples] == [
        replace(step, seconds=None) for step in whole.samples
    ]


@pytest.mark.usefixtures("every_step")
def test_a_training_that_ended_at_its_target_does_not_go_on(
    cell: TrainingCell, tmp_path: Path
) -> None:
    path = tmp_path / "run.pt"
    first, again = (trained(cell, path, stop_at_target=True).figures for _ in range(2))
    assert again.steps == first.steps < cell.steps
    assert again.parameters_sha256 == first.parameters_sha256


def test_a_file_that_is_no_checkpoint_is_begun_anew(cell: TrainingCell, tmp_path: Path) -> None:
    (tmp_path / "run.pt").write_bytes(b"torn")
    assert trained(cell, tmp_path / "run.pt").figures.resumed_after == ()


@pytest.mark.parametrize(
    "other",
    [[1, 2], torch.ones(3), None, {}, {"version": 1}, {"version": 1, "model": {}, "steps": []}],
)
def test_a_file_that_loads_and_is_no_checkpoint_is_begun_anew(
    cell: TrainingCell, tmp_path: Path, other: object
) -> None:
    torch.save(other, tmp_path / "run.pt")
    assert trained(cell, tmp_path / "run.pt").figures.resumed_after == ()


def test_a_checkpoint_that_would_run_code_is_not_loaded(cell: TrainingCell, tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (tmp_path / "touched",))

    torch.save({"version": 1, "model": Evil()}, tmp_path / "run.pt")
    assert trained(cell, tmp_path / "run.pt").figures.resumed_after == ()
    assert not (tmp_path / "touched").exists()


@pytest.mark.usefixtures("every_step")
def test_a_kill_while_a_checkpoint_is_written_leaves_the_one_before(
    cell: TrainingCell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "run.pt"
    with pytest.raises(Interrupted):
        trained(cell, path, 5)
    before = path.read_bytes()

    def torn(_state: object, file: Any) -> None:
        file.write(b"half")
        raise Interrupted

    monkeypatch.setattr(torch, "save", torn)
    with pytest.raises(Interrupted):
        trained(cell, path)
    assert path.read_bytes() == before


def test_a_checkpoint_is_written_when_it_is_due_and_not_before(tmp_path: Path) -> None:
    now = [0.0]
    model = torch.nn.Linear(1, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    path = tmp_path / "run.pt"
    checkpoint = Checkpoint(path, 30.0, clock=lambda: now[0])
    progress = checkpoint.restore(model, optimizer)
    for seconds, written in ((29.0, False), (30.0, True), (59.0, False), (61.0, True)):
        now[0] = seconds
        checkpoint.offer(model, optimizer, progress)
        assert path.exists() == written, seconds
        path.unlink(missing_ok=True)
