"""Cases on behaviour: calls and modules, held against PyTorch's own, and ONNX's conventions."""

from __future__ import annotations

from dataclasses import replace

from harness.conformance.cases.kinds import CallCase, Case, ModuleCase, OnnxCase

# The sample inputs of torch/testing/_internal/common_methods_invocations.py,
# sample_inputs_batch_norm, with S = 5.
SAMPLES = (
    CallCase("samples/rank_3", (5, 5, 5), training=True, momentum=0.5, eps=0.6, gradients=True),
    CallCase("samples/inference/rank_3", (3, 2, 4), momentum=-1.2, gradients=True),
    CallCase("samples/momentum_0", (3, 1), training=True, momentum=0.0, gradients=True),
    CallCase("samples/rank_1/training", (0,), training=True, weight=None, bias=None),
    CallCase("samples/rank_1", (0,), weight=None, bias=None),
    CallCase(
        "samples/negative_momentum",
        (3, 2, 3, 4),
        training=True,
        momentum=-1.0,
        eps=0.5,
        gradients=True,
    ),
    CallCase(
        "samples/inference/negative_momentum", (3, 2, 3, 4), momentum=-1.0, eps=0.5, gradients=True
    ),
    CallCase("samples/defaults", (2, 1), gradients=True),
    CallCase("samples/defaults/training", (2, 1), training=True, gradients=True),
    CallCase(
        "samples/input_alone",
        (1, 2, 3),
        training=True,
        gradients=True,
        running_mean=None,
        running_var=None,
        weight=None,
        bias=None,
    ),
)
# test_batchnorm_example, _epsilon, _example_training_mode and _epsilon_training_mode of ONNX's own
# node tests, and the example of BatchNormalization-1;
# https://onnx.ai/onnx/operators/onnx__BatchNormalization.html
ONNX = (
    OnnxCase("onnx/example", (2, 3, 4, 5)),
    OnnxCase("onnx/epsilon", (2, 3, 4, 5), eps=1e-2),
    OnnxCase("onnx/example/training", (2, 3, 4, 5), training=True),
    OnnxCase("onnx/epsilon/training", (2, 3, 4, 5), training=True, eps=1e-2),
    OnnxCase("onnx/two_channels", (1, 2, 1, 3)),
    OnnxCase("onnx/momentum/training", (2, 3, 4, 5), training=True, momentum=0.75, thorough=True),
)
EDGES = (
    CallCase("edges/empty_batch/training", (0, 3, 2), training=True),
    CallCase("edges/empty_batch", (0, 3, 2)),
    CallCase("edges/empty_space/training", (2, 3, 0), training=True),
    CallCase("edges/no_channels/training", (2, 0, 2), training=True, weight=None, bias=None),
    CallCase("edges/one_value_a_channel", (1, 3, 1, 1), gradients=True),
    CallCase(
        "edges/rank_2/no_weight",
        (7, 3),
        training=True,
        weight=None,
        gradients=True,
        about=("rank", "weight"),
    ),
    CallCase(
        "edges/rank_4/no_bias",
        (2, 3, 5, 4),
        training=True,
        bias=None,
        gradients=True,
        about=("rank", "bias"),
    ),
    CallCase(
        "edges/rank_5/no_statistics",
        (2, 3, 2, 3, 2),
        training=True,
        running_mean=None,
        running_var=None,
        gradients=True,
    ),
    CallCase(
        "edges/rank_6", (5, 5, 1, 5, 1, 1), training=True, momentum=0.5, eps=0.6, gradients=True
    ),
    CallCase("edges/rank_6/inference", (2, 3, 1, 2, 2, 1), gradients=True),
    CallCase("edges/no_grad", (4, 6, 5, 3), training=True, mode="no_grad"),
    CallCase("edges/inference_mode", (4, 6, 5, 3), mode="inference_mode"),
    CallCase("edges/eps_0/inference", (4, 3, 5), eps=0.0),
    CallCase(
        "edges/mixed/bfloat16",
        (4, 6, 5),
        training=True,
        dtype="bfloat16",
        thorough=True,
        about=("dtype",),
    ),
    CallCase(
        "edges/mixed/float16",
        (4, 6, 5),
        training=True,
        dtype="float16",
        thorough=True,
        about=("dtype",),
    ),
)
STRIDED = (
    *(
        CallCase(f"strided/{view}", (4, 6, 5, 3), training=True, view=view, gradients=True)
        for view in ("sliced", "permuted", "expanded", "cropped", "misaligned")
    ),
    # What a sum, a mean and a permutation hand back: an implementation that takes pointers must
    # look at the strides.
    *(
        CallCase(
            f"strided/gradient/{view}", (4, 6, 5, 3), training=True, towards=view, gradients=True
        )
        for view in ("expanded", "permuted", "sliced", "misaligned", "channels_last")
    ),
    CallCase(
        "strided/channels_last/contiguous_gradient",
        (4, 6, 5, 3),
        training=True,
        view="channels_last",
        gradients=True,
    ),
    # Sizes of 1, whose strides mean nothing, leave it open in which layout a tensor is dense.
    *(
        CallCase(
            f"strided/sizes_of_1/{name}",
            shape,
            training=training,
            view=view,
            towards=towards,
            gradients=True,
        )
        for name, shape, training, view, towards in (
            ("gradient", (1, 100, 1, 7), True, "plain", "odd"),
            ("gradient/frozen", (1, 6, 7, 1), False, "plain", "odd"),
            ("input", (1, 6, 5, 4), True, "odd", "plain"),
            ("input_and_gradient", (1, 6, 5, 4), True, "odd", "odd"),
            ("one_channel", (4, 1, 3, 5), True, "odd", "plain"),
            ("one_pixel", (3, 6, 1, 1), True, "plain", "odd"),
        )
    ),
    CallCase(
        "strided/parameters", (4, 6, 5, 3), training=True, parameters="sliced", gradients=True
    ),
    CallCase("strided/parameters/inference", (4, 6, 5, 3), parameters="sliced", gradients=True),
    CallCase(
        "strided/inference/permuted",
        (4, 6, 5, 3),
        view="permuted",
        towards="expanded",
        gradients=True,
    ),
)
_ERRORS = (
    CallCase("errors/one_value_a_channel/training", (1, 3, 1, 1), training=True),
    CallCase("errors/running_mean_of_wrong_length", (4, 3, 5), training=True, running_mean=2),
    CallCase("errors/running_mean_too_long", (2, 10), running_mean=11),
    CallCase("errors/running_var_of_wrong_length", (4, 3, 5), running_var=4),
    CallCase("errors/weight_of_wrong_length", (4, 3, 5), training=True, weight=2),
    CallCase("errors/weight_too_long", (2, 10), weight=11),
    CallCase("errors/bias_of_wrong_length", (4, 3, 5), bias=4),
    CallCase("errors/inference_without_statistics", (4, 3, 5), running_mean=None, running_var=None),
    CallCase("errors/inference_without_running_mean", (4, 3, 5), running_mean=None),
    CallCase("errors/inference_without_running_var", (4, 3, 5), running_var=None),
    CallCase("errors/running_var_alone/training", (4, 3, 5), training=True, running_mean=None),
    CallCase("errors/running_mean_alone/training", (4, 3, 5), training=True, running_var=None),
    CallCase("errors/negative_eps", (4, 3, 5), eps=-1.0),
    CallCase("errors/negative_eps/training", (4, 3, 5), training=True, eps=-1.0),
    CallCase("errors/eps_0/training", (4, 3, 5), training=True, eps=0.0),
    CallCase("errors/momentum_none", (4, 3, 5), training=True, momentum=None),
    CallCase("errors/integers", (4, 3, 5), dtype="int64"),
    CallCase("errors/parameters_narrower_than_data", (4, 3, 5), training=True, dtype="float64"),
    CallCase("errors/scalar/training", (), training=True),
    CallCase("errors/rank_1", (3,), running_mean=3, running_var=3, weight=None, bias=None),
)
# They are raised before an implementation is asked anything, so there is nothing to fit.
ERRORS = tuple(replace(case, about=("error",)) for case in _ERRORS)
# Constructor arguments and shapes of torch/testing/_internal/common_modules.py,
# module_inputs_torch_nn_BatchNorm1d, 2d and 3d, where they differ in kind; and what
# torch/test/test_nn.py does to modules beyond that.
MODULE = (
    ModuleCase("module/defaults", (4, 6, 5, 3), gradients=True),
    # Each batch has a weight of its own: a compiler that specializes on it gives up after eight.
    ModuleCase("module/cumulative_average", (4, 6), (True,) * 10, momentum=None),
    ModuleCase("module/momentum", (2, 3, 6, 6), eps=1e-3, momentum=0.8, thorough=True),
    ModuleCase("module/momentum_0", (4, 6), momentum=0.0, thorough=True),
    ModuleCase("module/momentum_1", (4, 6), momentum=1.0, thorough=True),
    ModuleCase("module/negative_momentum", (4, 6), momentum=-0.3, thorough=True),
    ModuleCase("module/integer_momentum", (4, 6), (True,), momentum=1),
    ModuleCase(
        "module/no_bias", (4, 6), (True, False), bias=False, gradients=True, about=("bias",)
    ),
    ModuleCase(
        "module/not_affine",
        (3, 4, 2, 3, 2),
        (True, False),
        eps=1e-3,
        momentum=0.3,
        affine=False,
        about=("weight", "bias"),
    ),
    ModuleCase(
        "module/statistics_not_tracked",
        (4, 5, 3),
        (True, False),
        eps=1e-3,
        track_running_stats=False,
    ),
    ModuleCase(
        "module/untracked_after_construction", (4, 5, 3), (True, False, True), untracked=True
    ),
    ModuleCase("module/frozen", (4, 6, 5, 3), (False, False), gradients=True),
    ModuleCase("module/old_checkpoint", (4, 6), old=True),
    ModuleCase("module/empty_batch", (0, 5, 9), (True, False), momentum=0.3, affine=False),
    ModuleCase("module/error/eps_0", (2, 10), (True,), eps=0.0, about=("error",)),
    ModuleCase("module/error/negative_eps", (2, 10, 5, 5), (True,), eps=-1.0, about=("error",)),
    ModuleCase("module/error/one_value_a_channel", (1, 10, 1), (True,), about=("error",)),
)
BEHAVIOUR: tuple[Case, ...] = (*SAMPLES, *ONNX, *EDGES, *STRIDED, *ERRORS, *MODULE)
