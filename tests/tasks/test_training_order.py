"""Arms of a seed follow each other wherever they run; what is not timed runs side by side."""

from __future__ import annotations

from itertools import chain

from harness.isolation import Place, WorkerKind, WorkerSettings
from harness.records import Identity, TrainingCell
from harness.tasks.training_order import batches
from tests.helpers.trainings import trained

HERE = WorkerKind("a.worker", WorkerSettings())
ELSEWHERE = WorkerKind("a.worker", WorkerSettings(place=Place(python="/a/python")))
KINDS = {"numpy": HERE, "torch_native": HERE, "other": ELSEWHERE}


def todo() -> list[Identity[TrainingCell]]:
    return [record.identity for record in trained(tuple(KINDS), seeds=(0, 1, 2))]


def test_alone_a_seeds_arms_follow_each_other_though_each_change_of_place_takes_a_worker() -> None:
    made = batches(todo(), KINDS, 0, alone=True)
    runs = [list(chain.from_iterable(batch.values())) for batch in made]
    seeds = [identity.cell.seed for identity in chain.from_iterable(runs)]
    assert seeds == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    for batch in made:
        [(kind, run)] = batch.items()
        assert {KINDS[identity.implementation] for identity in run} == {kind}
    assert len(made) > 2


def test_side_by_side_each_kind_of_worker_has_a_group_of_its_own() -> None:
    [groups] = batches(todo(), KINDS, 0, alone=False)
    assert {kind: len(group) for kind, group in groups.items()} == {HERE: 6, ELSEWHERE: 3}


def test_where_all_arms_run_here_there_is_one_group_as_ever() -> None:
    here = dict.fromkeys(KINDS, HERE)
    assert [list(batch) for batch in batches(todo(), here, 0, alone=True)] == [[HERE]]
