"""Liars are named by what they do, and honest implementations are never accused."""

from __future__ import annotations

from dataclasses import fields

import lying_bn
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from troublesome_bn import Wrapped

from harness.problems.inputs import make_arrays
from harness.timing.worker import stale_results as auditing
from harness.timing.worker.operand_checksums import changed_operands, checksums
from harness.timing.worker.stale_results import (
    NOT_UPDATED,
    STALE,
    STILL_COMPUTING,
    find_stale_results,
)
from implementations import Unsupported, registry
from implementations.interface import Arrays, Phase, Problem, refusal

RESIDUAL = Problem((6, 5, 4, 4), activation="relu", residual=True)
CALLS = 3
PLACES = [(phase, face) for phase in Phase for face in ("layer", "kernel")]
FORWARDS = [(phase, face) for phase, face in PLACES if phase.has_forward]
UNWRITTEN = "it left its outputs unwritten after the first call"


def audited(
    implementation,
    phase,
    face,
    problem=RESIDUAL,
    *,
    outputs="fresh",
    calls=CALLS,
    channels=None,
    arrays=None,
    shares_memory=None,
):
    """What an audit says of an arm that has been called once, as an arm on the bench has."""
    arrays = arrays or make_arrays(problem, 3)
    prepared = implementation.prepare(problem, phase, face=face, outputs=outputs, arrays=arrays)
    sample(prepared, 1)
    shares = implementation.shares_memory if shares_memory is None else shares_memory
    return find_stale_results(
        lambda count: sample(prepared, count),
        prepared,
        problem,
        phase,
        arrays,
        calls=calls,
        channels=channels,
        shares_memory=shares,
    )


def sample(prepared, calls):
    prepared.arm(2 * calls)
    for _ in range(2):
        for _ in range(calls):
            prepared()
        prepared.synchronize()


@pytest.fixture
def impatient(monkeypatch):
    """Who computes when called is not waited for."""
    monkeypatch.setattr(auditing, "PATIENCE", 0.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("phase", "face"), PLACES)
class TestALiarIsNamed:
    def test_who_shows_the_results_of_the_first_call(self, phase, face):
        assert audited(lying_bn.Cached(), phase, face).startswith(UNWRITTEN)

    def test_who_shows_copies_of_the_first_results(self, phase, face):
        assert audited(lying_bn.CachedCopies(), phase, face) == STALE

    def test_who_computes_anew_when_autograd_has_counted_a_change(self, phase, face):
        assert audited(lying_bn.CachedByVersion(), phase, face) == STALE

    def test_who_does_nothing_after_the_first_call(self, phase, face):
        reason = audited(lying_bn.Skipping(), phase, face)
        assert reason.startswith(UNWRITTEN)
        assert (NOT_UPDATED in reason) == (phase.training and phase.has_forward)

    def test_who_changes_its_input(self, phase, face):
        assert audited(lying_bn.Mutating(), phase, face) == "it changed its input `input`"

    def test_who_changes_a_channel_that_is_not_looked_at(self, phase, face):
        reason = audited(lying_bn.MutatingResidual(), phase, face, channels=[0, 2])
        assert reason == "it changed its input `residual`"


@pytest.mark.parametrize(("phase", "face"), PLACES)
class TestAnAbsentOneIsNamed:
    def test_who_leaves_the_work_to_threads(self, phase, face):
        assert audited(lying_bn.Elsewhere(), phase, face) == STILL_COMPUTING

    def test_who_leaves_the_work_to_a_queue(self, phase, face):
        assert audited(lying_bn.ElsewhereQueue(), phase, face) == STILL_COMPUTING


def test_who_writes_right_results_once_more_when_nobody_calls_is_named():
    arrays = make_arrays(RESIDUAL, 3)
    inner = registry.load("torch_native").prepare(
        RESIDUAL, Phase.INFERENCE, face="kernel", outputs="reused", arrays=arrays
    )
    prepared, looks = Wrapped(inner, lambda inner: inner()), []

    def results():
        # as if it were done in the background before the fourth look
        looks.append(inner() if len(looks) > 2 else None)
        return inner.results()

    prepared.results = results
    reason = find_stale_results(
        lambda count: sample(prepared, count),
        prepared,
        RESIDUAL,
        Phase.INFERENCE,
        arrays,
        calls=1,
        channels=None,
        shares_memory=True,
    )
    assert reason == STILL_COMPUTING


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("phase", "face"), [place for place in FORWARDS if place[0].training])
def test_who_only_keeps_the_statistics_going_is_named(phase, face):
    reason = audited(lying_bn.SkippingButCounting(), phase, face)
    assert reason.startswith(UNWRITTEN)
    assert NOT_UPDATED not in reason


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("phase", "face"), [place for place in FORWARDS if place[0].training])
def test_who_may_have_copied_its_inputs_still_has_to_move_the_statistics(phase, face):
    assert audited(lying_bn.CopyingAndSkipping(), phase, face) == NOT_UPDATED


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("phase", [Phase.FORWARD_TRAINING, Phase.INFERENCE])
@pytest.mark.parametrize("lie", [lying_bn.Cached, lying_bn.Skipping])
def test_given_outputs_that_are_not_written_again_are_noticed(lie, phase):
    assert audited(lie(), phase, "kernel", outputs="reused").startswith(UNWRITTEN)


@pytest.mark.parametrize("phase", [Phase.FORWARD_TRAINING, Phase.INFERENCE])
def test_given_outputs_that_a_queue_writes_later_are_noticed(phase):
    assert audited(lying_bn.ElsewhereQueue(), phase, "kernel", outputs="reused") == STILL_COMPUTING


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(("phase", "face"), PLACES)
@pytest.mark.parametrize("kind", [lying_bn.Copying, lying_bn.CopyingResidual])
def test_who_copies_its_inputs_is_not_accused_where_that_is_allowed(kind, phase, face):
    assert audited(kind(), phase, face) is None
    assert audited(kind(), phase, face, shares_memory=True) is not None


@pytest.mark.parametrize(("phase", "face"), PLACES)
def test_who_computes_on_threads_and_waits_for_them_is_not_accused(phase, face):
    assert audited(lying_bn.Waiting(), phase, face) is None


@pytest.mark.parametrize(
    "problem",
    [
        RESIDUAL,
        Problem((6, 5, 4, 4), memory_format="channels_last", weight=False, bias=False),
        Problem(
            (6, 5, 4, 4),
            "bfloat16",
            "float32",
            memory_format="channels_last",
            activation="relu",
            residual=True,
        ),
        Problem((6, 5, 4, 4), "bfloat16", activation="relu"),
        Problem((6, 5, 4, 4), "float16", "float32", residual=True),
        Problem((40, 9), "float64", bias=False),
        Problem((7, 3, 11), residual=True),
    ],
    ids=str,
)
@pytest.mark.parametrize("name", ["numpy", "torch_native", "torch_unfused"])
def test_a_built_in_implementation_is_never_accused(name, problem):
    implementation, audits = registry.load(name), 0
    for phase, face in PLACES:
        for outputs in ("fresh", "reused"):
            if refusal(implementation, problem, phase, "cpu"):
                continue
            for calls, channels in ((1, None), (30, [0, 2])):
                try:
                    reason = audited(
                        implementation,
                        phase,
                        face,
                        problem,
                        outputs=outputs,
                        calls=calls,
                        channels=channels,
                    )
                except Unsupported:
                    continue
                assert reason is None, (phase, face, outputs, calls)
                audits += 1
    assert audits or problem.dtype == "bfloat16"


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_the_inputs_are_afterwards_what_they_were_to_the_bit(dtype):
    problem = Problem((6, 5, 4, 4), dtype, memory_format="channels_last", residual=True)
    arrays = make_arrays(problem, 3)
    smallest = torch.finfo(arrays.input.dtype)
    arrays.input[0, 0, 0, :3] = torch.tensor([0.0, -0.0, smallest.tiny * smallest.eps])
    before = checksums(arrays)
    assert (
        audited(registry.load("torch_native"), Phase.TRAINING_STEP, "layer", problem, arrays=arrays)
        is None
    )
    assert changed_operands(before, checksums(arrays)) is None


def test_the_inputs_are_put_right_when_an_arm_raises():
    arrays = make_arrays(RESIDUAL, 3)
    implementation = registry.load("torch_native")
    prepared = implementation.prepare(
        RESIDUAL, Phase.INFERENCE, face="layer", outputs="fresh", arrays=arrays
    )
    sample(prepared, 1)
    before, counts = checksums(arrays), []

    def timed(count):
        counts.append(count)
        if changed_operands(before, checksums(arrays)):
            raise MemoryError

    with pytest.raises(MemoryError):
        find_stale_results(
            timed,
            prepared,
            RESIDUAL,
            Phase.INFERENCE,
            arrays,
            calls=2,
            channels=None,
            shares_memory=True,
        )
    assert counts == [2, 2]
    assert changed_operands(before, checksums(arrays)) is None


def test_an_arm_is_judged_in_samples_like_any_other():
    """As many calls as its samples have, and nothing but samples."""
    arrays, calls = make_arrays(RESIDUAL, 3), []
    prepared = registry.load("torch_native").prepare(
        RESIDUAL, Phase.FORWARD_TRAINING, face="layer", outputs="fresh", arrays=arrays
    )
    sample(prepared, 1)

    def timed(count):
        calls.append(count)
        sample(prepared, count)

    assert (
        find_stale_results(
            timed,
            prepared,
            RESIDUAL,
            Phase.FORWARD_TRAINING,
            arrays,
            calls=7,
            channels=None,
            shares_memory=True,
        )
        is None
    )
    assert set(calls) == {7}


def test_statistics_that_are_updated_once_too_often_are_noticed():
    arrays = make_arrays(RESIDUAL, 3)
    prepared = registry.load("torch_native").prepare(
        RESIDUAL, Phase.FORWARD_TRAINING, face="layer", outputs="fresh", arrays=arrays
    )

    def timed(count):
        sample(prepared, count)
        prepared()

    timed(2)
    reason = find_stale_results(
        timed,
        prepared,
        RESIDUAL,
        Phase.FORWARD_TRAINING,
        arrays,
        calls=2,
        channels=None,
        shares_memory=True,
    )
    assert reason is not None
    assert "running_mean" in reason


def operands(tensor):
    small = torch.ones(3)
    return Arrays(tensor, small, None, None, None, small, small)


@given(
    st.data(),
    st.sampled_from([torch.float64, torch.float32, torch.bfloat16]),
    st.integers(1, 30),
    st.integers(0, 3),
)
def test_any_changed_bit_changes_the_fingerprint(data, dtype, size, offset):
    tensor = torch.arange(size + offset, dtype=dtype)[offset:]
    before = checksums(operands(tensor))
    whole = tensor.untyped_storage()
    place = data.draw(st.integers(offset * tensor.element_size(), whole.nbytes() - 1))
    whole[place] ^= 1 << data.draw(st.integers(0, 7))
    assert changed_operands(before, checksums(operands(tensor))) == "it changed its input `input`"


@given(st.permutations(range(6)))
def test_a_fingerprint_knows_the_order(order):
    before = checksums(operands(torch.arange(6.0)))
    same = changed_operands(before, checksums(operands(torch.arange(6.0)[list(order)]))) is None
    assert same == (list(order) == sorted(order))


@pytest.mark.parametrize("memory_format", ["contiguous", "channels_last"])
def test_a_copy_has_the_same_fingerprint_wherever_it_lies(memory_format):
    problem = Problem((3, 5, 7, 2), "bfloat16", memory_format=memory_format, residual=True)
    before = checksums(make_arrays(problem, 1))
    assert changed_operands(before, checksums(make_arrays(problem, 1, offset=3))) is None
    assert changed_operands(before, checksums(make_arrays(problem, 2))) is not None


def test_a_fingerprint_tells_stretches_of_memory_apart():
    tensor = torch.zeros(1 << 20)
    tensor[0] = 1
    before = checksums(operands(tensor))
    tensor[0], tensor[1 << 18] = 0, 1
    assert changed_operands(before, checksums(operands(tensor))) == "it changed its input `input`"


def test_a_fingerprint_is_of_every_operand():
    arrays = make_arrays(RESIDUAL, 3)
    before = checksums(arrays)
    for field in fields(arrays):
        tensor = getattr(arrays, field.name)
        if isinstance(tensor, torch.Tensor):
            tensor.neg_()
            assert (
                changed_operands(before, checksums(arrays))
                == f"it changed its input `{field.name}`"
            )
            tensor.neg_()
