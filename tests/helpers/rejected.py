"""Which case rejects each wrong implementation, by which quantities; and what none rejects."""

from __future__ import annotations

from typing import NamedTuple

STEP = "phases/training_step/layer/fresh"
FACTORED = {"grad_input", "grad_weight", "output"}  # what 1 / sqrt(var + eps) goes into
NORMALIZED = FACTORED | {"running_var"}
STATISTICS = {"running_mean", "running_var"}
ALL = NORMALIZED | STATISTICS
GRADIENTS = {"grad_input", "grad_residual", "grad_weight", "grad_bias"}
OF_A_CALL = {"output", "input.grad"}


class Rejection(NamedTuple):
    """A case, exactly the quantities that fail in it, and words that its reason has."""

    case: str
    quantities: set[str]
    words: str = ""


def second(quantities):
    return {f"the second call's {quantity}" for quantity in quantities}


def of_batch(which, *quantities):
    return {f"the {which} batch's {quantity}" for quantity in quantities}


# In the order of `wrong_bn.WRONG`.
REJECTED = {
    wrong: Rejection(*found)  # type: ignore[arg-type]  # tuples of two or of three
    for wrong, found in {
        "one-pass variance": ("data/very_large_mean", NORMALIZED),
        "one-pass variance about the running mean": (
            "data/constant_channel/channels_last",
            {"grad_input", "running_var"},
        ),
        "n - 1 in the batch's variance": (STEP, NORMALIZED),
        "biased running variance": (STEP, {"running_var"}),
        "running variance made unbiased twice": ("shapes/two_values_a_channel", {"running_var"}),
        "variance within observations only": (STEP, NORMALIZED),
        "wrong channel axis in channels_last": ("layouts/channels_last/layer/fresh", ALL),
        "NaN leaks into the next channel": (
            "data/nan_in_one_channel",
            {"output", "running_mean", "grad_input"},
            "output[0, 1, 0, 0, 0] is nan",
        ),
        "float16 accumulation": ("dtypes/float16_mixed/many_values", FACTORED | {"running_mean"}),
        "mean rounded to the data's dtype": (
            "dtypes/bfloat16_mixed/layer/fresh",
            {"grad_input", "running_mean"},
        ),
        "swapped momentum": (STEP, STATISTICS),
        "momentum 0 taken for none": ("samples/momentum_0", STATISTICS),
        "momentum held to 0 to 1": ("samples/negative_momentum", STATISTICS),
        "statistics not updated": (STEP, STATISTICS),
        "statistics updated at inference": ("phases/inference/layer/fresh", STATISTICS),
        "eps outside the root": ("data/variance_below_eps", FACTORED),
        "eps as the variance's least": ("data/variance_below_eps", FACTORED),
        "eps forgotten": ("data/constant_channel", FACTORED, "output[0, 0, 0, 0] is nan"),
        "eps rounded to float32": ("dtypes/float64/layer/fresh", FACTORED),
        "variance off by 8e-6": ("exact/float32", NORMALIZED),
        "float64 computed in float32": ("dtypes/float64/kernel/reused", ALL),
        "normalized values rounded to the data's dtype": (
            "dtypes/bfloat16_mixed/layer/fresh",
            FACTORED,
        ),
        "weight's sign lost": ("laws/scale", {"output"}, "a = -0.25"),
        "bias forgotten without a weight": ("edges/rank_2/no_weight", {"output"}),
        "bias scaled by the weight": ("laws/affine", {"output"}),
        "residual forgotten": (STEP, {"output"}),
        "NaN swallowed": ("data/nan_in_one_channel/contiguous", {"output"}, "is 0, not nan"),
        "NaN swallowed by ReLU": ("data/nan_in_one_channel/inference", {"output"}, "is 0, not nan"),
        "infinity read as the greatest number": (
            "data/infinity_in_one_channel/contiguous",
            {"running_var"},
            "is inf, not nan",
        ),
        "subnormal input read as 0": ("data/subnormal", {"running_mean", "grad_weight"}),
        "contiguous output for channels_last": (
            "layouts/channels_last/inference",
            {"output"},
            "should be torch.channels_last",
        ),
        "gradient of the sum": (
            "phases/backward/layer/fresh",
            GRADIENTS,
            "grad_residual[0, 0, 0, 0] is 1,",
        ),
        "mask missing in backward": (STEP, GRADIENTS),
        "mask shifted in backward": ("phases/backward/kernel/fresh", GRADIENTS),
        "slope of ReLU at 0 is 1": ("exact/float32", GRADIENTS),
        "residual's gradient unmasked": (STEP, {"grad_residual"}),
        "no gradient through the mean": ("laws/zero_gradient_sum", {"Σ grad_input"}),
        "no gradient through the variance": (
            "gradients/gradcheck",
            {"the Jacobian"},
            "with respect to input 0",
        ),
        "NaN leaks into the next channel's gradient": (
            "data/nan_in_one_channel",
            {"grad_input"},
            "[0, 1, 0, 0, 0] is nan",
        ),
        "n - 1 in the input's gradient": (
            "gradients/directions/kernel",
            {"the derivative along direction 0", "the derivative along direction 1"},
        ),
        "frozen statistics' gradient by training's formula": (
            "gradients/gradcheck/frozen",
            {"the Jacobian"},
            "with respect to input 0",
        ),
        "training's gradient by the formula of frozen statistics": (STEP, {"grad_input"}),
        "weight forgotten in the input's gradient": (STEP, {"grad_input"}),
        "rstd forgotten in the input's gradient": ("laws/scale", {"grad_input"}),
        "weight's gradient with the neighbour's values": (
            "laws/channel_permutation",
            {"grad_input", "grad_weight"},
        ),
        "no gradient of the weight": (
            "strided/sliced",
            {"it raised"},
            "returned None as the gradient of the weight",
        ),
        "no gradient of the weight where that is 0": ("data/zero_weight", {"grad_weight"}),
        "no gradient of the bias": (
            "phases/backward/kernel/fresh",
            {"it raised"},
            "returned None as the gradient of the bias",
        ),
        "no gradient of the residual": (
            "phases/backward/kernel/fresh",
            {"it raised"},
            "returned None as the gradient of the residual",
        ),
        "parameters' gradients in float64": (
            "phases/training_step/kernel/fresh",
            {"it raised"},
            "returned float64 (19,) as the gradient of the weight",
        ),
        "parameters' gradients rounded to the data's dtype": (
            "dtypes/bfloat16_mixed/kernel/reused",
            {"grad_bias", "grad_weight"},
        ),
        "input's gradient contiguous for channels_last": (
            "layouts/channels_last_3d/layer/fresh",
            {"grad_input"},
            "should be torch.channels_last_3d",
        ),
        "mutated input": (
            "samples/rank_3",
            {"input", "running_mean", "running_var", "weight.grad"} | OF_A_CALL,
            "input was changed by the call",
        ),
        "mutated residual": (
            "phases/training_step/kernel/fresh",
            {"output", "residual"},
            "residual was changed",
        ),
        "mutated weight": (
            "phases/inference/kernel/fresh",
            {"output", "weight"},
            "weight was changed",
        ),
        "output over the input": (
            "phases/inference/layer/fresh",
            {"it raised"},
            "returned the memory of the input as the output",
        ),
        "output in one buffer": (
            "repeats/output_is_its_own",
            {"output"},
            "shares memory with the next call's output",
        ),
        "input's gradient in one buffer": ("laws/scale", {"grad_input"}),
        "weight's gradient in one buffer": ("laws/linear_gradient", {"grad_weight"}),
        "saved tensors in one buffer": (
            "repeats/batches_in_turn",
            of_batch("first", "grad_input", "grad_weight"),
        ),
        "input's gradient over the output": (
            "repeats/output_is_its_own",
            {"grad_input", "output"},
            "output shares memory with grad_input",
        ),
        "input's gradient over the output's": (
            "repeats/output_is_its_own",
            {"grad_input"},
            "shares memory with grad_output",
        ),
        "output's gradient masked in place": (
            "repeats/saved_tensors_stay",
            {"the output's gradient"},
            "was changed by the backward",
        ),
        "saved tensors spent by the backward": (
            "repeats/saved_tensors_stay",
            {"saved tensor 0"},
            "was changed by the backward",
        ),
        "fresh outputs for given ones": (
            "phases/forward_training/kernel/reused",
            {"it raised"},
            "was given an array to write to and returned another",
        ),
        "added to the given output": ("phases/inference/kernel/reused", {"output"}),
        "gradient not begun at 0": (STEP, second({"grad_bias"})),
        "statistics of the batch before": ("repeats/batches_in_turn", of_batch("second", *ALL)),
        "gradient read as if contiguous": (
            "strided/gradient/permuted",
            {"input.grad", "weight.grad", "bias.grad"},
        ),
        "gradient read as if channels_last": (
            "strided/channels_last/contiguous_gradient",
            {"input.grad", "weight.grad", "bias.grad"},
        ),
        "parameters read as if contiguous": (
            "strided/parameters",
            {"weight.grad", "bias.grad"} | OF_A_CALL,
        ),
        "statistics read as if contiguous": (
            "strided/parameters/inference",
            {"weight.grad"} | OF_A_CALL,
        ),
        "wrong for odd tails": ("shapes/tails/17", ALL),
        "wrong for odd tails of channels": ("shapes/tails/channels/3", ALL),
        "wrong for rank 2": ("edges/rank_2/no_weight", OF_A_CALL | STATISTICS),
        "wrong for rank 3": ("samples/rank_3", OF_A_CALL | STATISTICS | {"weight.grad"}),
        "wrong for rank 5": ("layouts/channels_last_3d/layer/fresh", ALL - {"grad_weight"}),
        "wrong for a batch of one": ("samples/input_alone", OF_A_CALL),
        "wrong for two values a channel": ("shapes/two_values_a_channel", ALL - {"grad_weight"}),
        "wrong for one channel": ("samples/momentum_0", OF_A_CALL | {"weight.grad"}),
        "wrong where space is 1 × 1": ("shapes/one_pixel", ALL),
        "wrong for a thousand values a channel": (
            "threads/2/contiguous/layer",
            ALL - {"grad_weight"},
        ),
        "wrong for a thousand channels": ("shapes/resnet50/2048x7", ALL),
        "wrong for misaligned input": ("strided/misaligned/contiguous/layer", ALL),
        "wrong with two threads": ("threads/2/contiguous/layer", ALL - {"grad_weight"}),
        "wrong from the second call on": (STEP, second(ALL)),
        "the first call's momentum": ("module/cumulative_average", STATISTICS),
        "the first call's eps": ("laws/scale", FACTORED),
        "the first call's weight": ("laws/affine", {"output"}),
        "low bits at random": (
            "repeats/same_bits/contiguous/layer",
            {"output"},
            "has other bits in call 1, 2, 3 than in call 0",
        ),
        "low bits at random with two threads": (
            "repeats/same_bits/channels_last/kernel",
            {"output"},
            "has other bits",
        ),
        "channel 0 unlike the others": (
            "laws/channel_permutation",
            FACTORED,
            "order = [1, 0, 2, 3, 4]",
        ),
        "no gradient of the weight alone": (
            "repeats/gradients_asked_in_part",
            {"grad_weight, asked for alone,"},
            "is 0, not",
        ),
        "no gradient of the bias alone": (
            "repeats/gradients_asked_in_part",
            {"grad_bias, asked for alone,"},
            "is 0, not",
        ),
        "no gradient of the residual alone": (
            "repeats/gradients_asked_in_part",
            {"grad_residual, asked for alone,"},
            "is 0, not",
        ),
        "wrong for bfloat16 at inference": ("dtypes/bfloat16/frozen", {"output", "grad_input"}),
        "wrong for float16 at inference": ("dtypes/float16/frozen", FACTORED),
        "wrong for float64 at inference": ("laws/folding", {"output"}),
        "wrong for rank 2 at inference": ("samples/defaults", OF_A_CALL | {"weight.grad"}),
        "wrong for rank 5 at inference": ("module/not_affine", {"output"}),
        "wrong with two threads at inference": ("threads/2/frozen", FACTORED),
        "wrong for misaligned input at inference": ("strided/misaligned/frozen", FACTORED),
        "wrong for channels_last with frozen statistics": (
            "strided/inference/permuted",
            {"input.grad"},
        ),
        "wrong for rank 2 with frozen statistics": ("samples/defaults", {"input.grad"}),
        "wrong for rank 5 with frozen statistics": ("shapes/rank_5/frozen", {"grad_input"}),
        "statistics not updated under no_grad": ("edges/no_grad", STATISTICS),
        "NaN of the output's gradient leaks into the next channel": (
            "data/nan_in_one_channel_of_the_gradient",
            {"grad_input", "grad_bias"},
            "grad_input[0, 1, 0, 0] is nan",
        ),
        "output kept as what it is without weight and bias": (
            "repeats/output_changed_in_place/bare",
            {"grad_input"},
        ),
        "without a weight wrong with frozen statistics": (
            "shapes/no_weight/frozen",
            {"grad_input"},
        ),
        "not in inference_mode": (
            "edges/inference_mode",
            {"exception"},
            "Inference tensors do not track version counter",
        ),
        "n of the first problem": ("laws/repeated_batch", {"running_var"}),
    }.items()
}
# What no case asks, so that these pass the whole suite; the reasons by name.
SURVIVING: dict[str, str] = {}
