"""What calls may not do to each other, to their operands or to what autograd keeps for the
backward.

same_bits                two calls prepared from the same values, and two calls of one, agree bit
                         for bit
batches_in_turn          another batch between a forward and its backward changes neither output nor
                         gradients
output_is_its_own        no result shares memory with an operand, with another result, or with the
                         call before
output_changed_in_place  a ReLU in place after it, as in torchvision's ResNet, and the gradients are
                         still those of both
saved_tensors_stay       the backward leaves what autograd saved, and the output, as it was
graph_kept               a graph that is retained can be gone back over, to the same bits
gradients_asked_in_part  a gradient is the same whether the other operands need theirs or not
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from math import inf

import torch

from harness.conformance.cases import RepeatsCase
from harness.conformance.checks.layer import call, step
from harness.conformance.checks.numbers import supported
from harness.conformance.checks.snapshots import changed, snapshot
from harness.conformance.compare import QuantityCheck, compare_with_oracle
from harness.problems.inputs import make_arrays
from harness.problems.tensors import named_tensors, same_bits
from implementations.interface import (
    Arrays,
    Gradients,
    Implementation,
    Phase,
    Problem,
    Results,
    call_once,
)

Tensor = torch.Tensor


def check(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    supported(implementation, case.problem, Phase.TRAINING_STEP, device)
    return WHATS[case.what](implementation, case, device)


def same_bits_again(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    found: list[Results] = []
    for _ in range(2):
        prepared = implementation.prepare(
            case.problem,
            Phase.TRAINING_STEP,
            face=case.face,
            outputs="fresh",
            arrays=make_arrays(case.problem, 0, device=device),
        )
        found += [_copied(call_once(prepared).results()) for _ in range(2)]
    first = named_tensors(found[0])
    for name in first:
        times = [
            number
            for number, one in enumerate(found)
            if not same_bits(first[name], getattr(one, name))
        ]
        fault = f"has other bits in call {', '.join(map(str, times))} than in call 0"
        yield QuantityCheck(name, inf, fault=fault) if times else QuantityCheck(name)


def batches_in_turn(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    batches = [make_arrays(case.problem, seed, device=device) for seed in (0, 1)]
    before = [snapshot(named_tensors(arrays)) for arrays in batches]
    steps = [step(implementation, case.problem, batches[0])]
    kept = snapshot({"the first output": steps[0].output})
    steps.append(step(implementation, case.problem, batches[1]))
    yield from changed(
        kept, {"the first output": steps[0].output}, "was changed by the second call"
    )
    for which, arrays, made, old in zip(("first", "second"), batches, steps, before, strict=True):
        for finding in compare_with_oracle(
            made.results(), case.problem, Phase.TRAINING_STEP, arrays
        ):
            yield replace(finding, quantity=f"the {which} batch's {finding.quantity}")
        yield from changed(old, named_tensors(arrays))


def output_is_its_own(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    arrays = make_arrays(case.problem, 0, device=device)
    for training in (True, False):
        one, other = (
            step(implementation, case.problem, arrays, training=training) for _ in range(2)
        )
        results = one.results()
        given = {**named_tensors(arrays), "the next call's output": other.output}
        produced = {"output": results.output, "grad_input": results.grad_input}
        for name, tensor in produced.items():
            others = {
                **given,
                **{key: value for key, value in produced.items() if key != name},
                "grad_residual": results.grad_residual,
            }
            shared = [
                key
                for key, value in others.items()
                if value is not None and tensor is not None and _overlap(tensor, value)
            ]
            yield (
                QuantityCheck(name, inf, fault=f"shares memory with {', '.join(shared)}")
                if shared
                else QuantityCheck(name)
            )


def output_changed_in_place(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    arrays = make_arrays(case.problem, 0, device=device)
    made = step(implementation, case.problem, arrays)
    try:
        results = replace(made, output=made.output.relu_()).results()
    except RuntimeError as error:
        yield QuantityCheck(
            "the backward",
            inf,
            fault=f"raised {type(error).__name__}: {' '.join(str(error).split())}",
        )
        return
    yield from compare_with_oracle(
        results, replace(case.problem, activation="relu"), Phase.TRAINING_STEP, arrays
    )


def saved_tensors_stay(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    arrays, saved = make_arrays(case.problem, 0, device=device), []

    def keep(tensor: Tensor) -> Tensor:
        saved.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        made = step(implementation, case.problem, arrays)
    named = {
        "the output": made.output,
        "the output's gradient": arrays.grad_output,
        **{f"saved tensor {number}": tensor for number, tensor in enumerate(saved)},
    }
    before = snapshot(named)
    made.differentiated()
    yield QuantityCheck("saved tensors")
    yield from changed(before, named, "was changed by the backward")


def graph_kept(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    arrays = make_arrays(case.problem, 0, device=device)
    # A compiler that sees its first backward keep the graph makes one that can; any other spends
    # what it was given.
    step(implementation, case.problem, arrays).differentiated()
    made = step(implementation, case.problem, arrays)
    try:
        once = made.differentiated(retain=True)
        again = made.differentiated()
    except RuntimeError as error:
        yield QuantityCheck(
            "the second backward",
            inf,
            fault=f"raised {type(error).__name__}: {' '.join(str(error).split())}",
        )
        return
    yield QuantityCheck("the second backward")
    yield from changed(
        named_tensors(once._asdict()),
        named_tensors(again._asdict()),
        "has other bits the second time",
    )


def gradients_asked_in_part(
    implementation: Implementation, case: RepeatsCase, device: str
) -> Iterator[QuantityCheck]:
    arrays = make_arrays(case.problem, 0, device=device)
    whole = step(implementation, case.problem, arrays).results()
    for name in named_tensors(Gradients(*_operands(arrays))._asdict()):
        alone = _gradient_alone(implementation, case.problem, arrays, name)
        # names of gradients
        together = replace(whole, **{f"grad_{name}": alone})  # type: ignore[arg-type]
        (found,) = [
            finding
            for finding in compare_with_oracle(together, case.problem, Phase.TRAINING_STEP, arrays)
            if finding.quantity == f"grad_{name}"
        ]
        yield replace(found, quantity=f"{found.quantity}, asked for alone,")


def _gradient_alone(
    implementation: Implementation, problem: Problem, arrays: Arrays, name: str
) -> Tensor | None:
    operands = Gradients(*_operands(arrays))
    wanted = getattr(operands, name).requires_grad_()
    output = call(
        implementation,
        problem,
        arrays,
        operands,
        arrays.running_mean.clone(),
        arrays.running_var.clone(),
        training=True,
    )
    gradient: Tensor | None = torch.autograd.grad(
        output, wanted, arrays.grad_output, allow_unused=True
    )[0]
    return gradient


def _operands(arrays: Arrays) -> list[Tensor | None]:
    return [None if operand is None else operand.detach() for operand in arrays.operands]


def _copied(results: Results) -> Results:
    copies = {name: tensor.clone() for name, tensor in named_tensors(results).items()}
    return replace(results, **copies)


def _overlap(one: Tensor, other: Tensor) -> bool:
    return one.untyped_storage().data_ptr() == other.untyped_storage().data_ptr()


WHATS: dict[str, Callable[[Implementation, RepeatsCase, str], Iterator[QuantityCheck]]] = {
    "same_bits": same_bits_again,
    "batches_in_turn": batches_in_turn,
    "output_is_its_own": output_is_its_own,
    "output_changed_in_place": output_changed_in_place,
    "saved_tensors_stay": saved_tensors_stay,
    "graph_kept": graph_kept,
    "gradients_asked_in_part": gradients_asked_in_part,
}
