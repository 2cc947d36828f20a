"""Functions are all that an author writes: the adapters make implementations of them that conform,
refuse with a reason, and can be named, copied and pickled.
"""

from __future__ import annotations

import copy
import os
import pickle
from functools import partial

import pytest
import torch

import harness
from harness.conformance.compare import compare_with_oracle, failure_summary
from harness.problems.inputs import make_arrays
from implementations import BatchNorm, Unavailable, Unsupported, batch_norm, registry
from implementations.adapters import from_differentiable, from_functions
from implementations.builtin import numpy_vectorized, torch_native, torch_unfused
from implementations.interface import ContractError, Phase, Problem, call_once

PROBLEM = Problem((4, 3, 5, 6), activation="relu", residual=True)
PLUGIN = """
from implementations.adapters import from_differentiable, from_functions
from implementations.builtin import torch_native, torch_unfused
from implementations.interface import Implementation, Phase

FRESH = dict.fromkeys(Phase, "it makes fresh tensors")
Pair = from_functions(torch_unfused.forward, torch_unfused.backward, fresh_outputs_only=FRESH)
Differentiable = from_differentiable(torch_unfused.layer)


def too_large(*operands, **keywords):
    output, saved = torch_native.forward(*operands, **keywords)
    return output.mul_(1.01), saved


WrongPair = from_functions(too_large, torch_native.backward, fresh_outputs_only=FRESH)
WrongDifferentiable = from_differentiable(lambda *operands: too_large(*operands)[0])
Refusing = from_functions(
    torch_native.forward, torch_native.backward, unsupported=lambda *_: "it is Sunday"
)


class Bare(Implementation):
    def unsupported(self, problem, phase, device):
        return None

    def layer(self, problem):
        return torch_native.layer

    def prepare(self, problem, phase, **keywords):
        return torch_native.TorchNative().prepare(problem, phase, **keywords)
"""


def prepared(make, phase=Phase.TRAINING_STEP, face="kernel", outputs="fresh", problem=PROBLEM):
    arrays = make_arrays(problem, 0)
    return make().prepare(problem, phase, face=face, outputs=outputs, arrays=arrays)


class TestFromFunctions:
    @pytest.mark.parametrize("face", ["layer", "kernel"])
    @pytest.mark.parametrize("phase", Phase)
    def test_two_functions_are_right_in_every_phase_through_both_faces(self, phase, face):
        make = from_functions(torch_unfused.forward, torch_unfused.backward)
        results = call_once(prepared(make, phase, face)).results()
        assert (
            failure_summary(compare_with_oracle(results, PROBLEM, phase, make_arrays(PROBLEM, 0)))
            is None
        )

    def test_the_given_layer_is_what_batch_norm_calls(self):
        called = []

        def layer(*operands):
            called.append(operands)
            return torch_native.layer(*operands)

        make = from_functions(torch_native.forward, torch_native.backward, layer=layer)
        batch_norm(torch.ones(2, 3), None, None, training=True, implementation=make())
        assert len(called) == 1

    def test_reused_outputs_are_refused_in_the_named_phases_for_the_kernel_alone(self):
        make = from_functions(
            numpy_vectorized.forward,
            numpy_vectorized.backward,
            bridge=numpy_vectorized.NUMPY,
            fresh_outputs_only={Phase.BACKWARD: "its backward allocates"},
        )
        with pytest.raises(Unsupported, match="its backward allocates"):
            prepared(make, Phase.BACKWARD, outputs="reused")
        for allowed in (
            {"phase": Phase.INFERENCE, "outputs": "reused"},
            {"phase": Phase.BACKWARD},
            {"phase": Phase.BACKWARD, "face": "layer"},
        ):
            call_once(prepared(make, **allowed))

    def test_a_function_that_ignores_the_given_output_is_found_out(self):
        make = from_functions(torch_unfused.forward, torch_unfused.backward)
        ready = call_once(prepared(make, Phase.INFERENCE, outputs="reused"))
        with pytest.raises(ContractError, match=r"returned another.*fresh_outputs_only"):
            ready.results()

    def test_functions_are_specialized_for_each_problem_anew(self):
        made = []

        def specialize(functions):
            made.append(functions)
            return functions

        make = from_functions(torch_native.forward, torch_native.backward, specialize=specialize)
        prepared(make), prepared(make), make().layer(PROBLEM)
        assert len(made) == 3

    def test_what_it_requires_is_asked_for_when_it_is_made_and_not_before(self):
        def require():
            raise Unavailable("it needs a machine that is not here")

        make = from_functions(torch_native.forward, torch_native.backward, require=require)
        with pytest.raises(Unavailable, match="not here"):
            make()


class TestFromDifferentiable:
    @pytest.mark.parametrize("phase", Phase)
    def test_one_function_is_right_in_every_phase_as_a_layer(self, phase):
        make = from_differentiable(torch_unfused.layer)
        results = call_once(prepared(make, phase, "layer")).results()
        assert (
            failure_summary(compare_with_oracle(results, PROBLEM, phase, make_arrays(PROBLEM, 0)))
            is None
        )

    @pytest.mark.parametrize("phase", [phase for phase in Phase if not phase.has_backward])
    def test_without_a_backward_it_is_a_kernel_too_and_keeps_no_graph(self, phase):
        results = call_once(prepared(from_differentiable(torch_unfused.layer), phase)).results()
        assert (
            failure_summary(compare_with_oracle(results, PROBLEM, phase, make_arrays(PROBLEM, 0)))
            is None
        )
        assert not results.output.requires_grad

    @pytest.mark.parametrize("phase", [phase for phase in Phase if phase.has_backward])
    def test_it_has_no_backward_kernel_and_says_why(self, phase):
        with pytest.raises(Unsupported, match="no backward without autograd"):
            prepared(from_differentiable(torch_unfused.layer), phase)

    def test_its_outputs_are_fresh_and_it_says_so(self):
        with pytest.raises(Unsupported, match="without `out`"):
            prepared(from_differentiable(torch_unfused.layer), Phase.INFERENCE, outputs="reused")


class TestNames:
    def test_a_refusal_names_the_module_unless_told_otherwise(self):
        functions = (torch_native.forward, torch_native.backward)
        for name, expected in ((None, "torch_native"), ("my_bn", "my_bn")):
            make = from_functions(*functions, unsupported=lambda *_: "it is Sunday", name=name)
            with pytest.raises(Unsupported, match=rf"^{expected} refuses .*: it is Sunday$"):
                batch_norm(torch.ones(2, 3), None, None, training=True, implementation=make())

    def test_arguments_that_it_does_not_take_are_an_error_with_its_name(self):
        target = {"_target_": "implementations.builtin.torch_native.TorchNative", "block": 3}
        with pytest.raises(registry.LoadFailure, match=r"torch_native\(\).*'block'"):
            registry.load(target)

    def test_a_function_gives_it_arguments(self, tmp_path, monkeypatch):
        (tmp_path / "scaled_bn.py").write_text(
            "from functools import partial\n"
            "from implementations.adapters import from_functions\n"
            "from implementations.builtin import torch_native\n"
            "def forward(*operands, factor, **keywords):\n"
            "    output, saved = torch_native.forward(*operands, **keywords)\n"
            "    return output.mul_(factor), saved\n"
            "def Scaled(factor=1.0):\n"
            "    scaled = partial(forward, factor=factor)\n"
            "    return from_functions(scaled, torch_native.backward, name='scaled')()\n"
        )
        monkeypatch.syspath_prepend(tmp_path)
        x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
        outputs = [
            batch_norm(
                x,
                None,
                None,
                training=True,
                implementation={"_target_": "scaled_bn.Scaled", "factor": factor},
            )
            for factor in (1.0, 2.0)
        ]
        torch.testing.assert_close(outputs[1], 2 * outputs[0])

    def test_a_partial_function_is_named_by_the_function_within(self):
        make = from_functions(partial(torch_native.forward), torch_native.backward)
        assert str(make()) == "torch_native"


@pytest.mark.parametrize("name", ["numpy", "torch_native", "torch_unfused"])
def test_a_model_that_uses_one_is_copied_and_pickled(name):
    module = BatchNorm(3, implementation=registry.load(name))
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))
    for twin in (copy.deepcopy(module), pickle.loads(pickle.dumps(module))):
        assert torch.equal(twin(x), module(x))


@pytest.fixture(scope="module")
def adapted(tmp_path_factory):
    """One folder with the plug-ins for all tests, since a fork server serves one environment."""
    folder = tmp_path_factory.mktemp("adapted")
    (folder / "adapted_bn.py").write_text(PLUGIN)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        patch.setenv("PYTHONPATH", str(folder), prepend=os.pathsep)
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("adapted")
class TestConformance:
    """The conformance suite judges them in worker processes, as it judges any plug-in."""

    @pytest.mark.parametrize("name", ["Pair", "Differentiable"])
    def test_what_is_right_conforms(self, name):
        records = check(name)
        assert not [record.reason for record in records if record.failed]
        assert sum(record.status == "OK" for record in records) > 2

    @pytest.mark.parametrize("name", ["WrongPair", "WrongDifferentiable"])
    def test_what_is_wrong_does_not(self, name):
        statuses = [record.status for record in check(name)]
        assert "WRONG" in statuses
        assert "OK" not in statuses

    def test_the_reason_of_a_refusal_reaches_the_record(self):
        assert {(record.status, record.reason) for record in check("Refusing")} == {
            ("UNSUPPORTED", "it is Sunday")
        }

    def test_a_class_that_says_no_more_than_it_must_is_measured(self, forked_launches):
        records = harness.measure(
            ["torch_native", {"_target_": "adapted_bn.Bare"}],
            [Problem((4, 3, 5))],
            launches=1,
            blocks=1,
            threads=1,
        )
        assert {record.status for record in records} == {"OK"}
        assert "adapted_bn.Bare" in {record.implementation for record in records}


def check(name):
    return harness.check({"_target_": f"adapted_bn.{name}"}, cases="phases/*", threads=1)
