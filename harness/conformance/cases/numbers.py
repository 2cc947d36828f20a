"""Cases on numbers: problems of every kind, held against the oracle.

Problems are shared between cases where that loses nothing, since a compiler pays for each.
"""

from __future__ import annotations

from dataclasses import replace

from harness.conformance.cases.channels import CHANNELS
from harness.conformance.cases.kinds import NumbersCase
from harness.conformance.cases.shapes import SHAPES, THREADS
from harness.conformance.cases.shared_problems import (
    BOTH,
    CHANNELS_LAST,
    CHANNELS_LAST_3D,
    FACES,
    LINEAR,
    PLAIN,
    TWO_WAYS,
    WAYS,
)
from implementations.interface import MEMORY_FORMATS, Phase, Problem

PHASES = tuple(
    NumbersCase(
        f"phases/{phase}/{face}/{outputs}",
        PLAIN,
        phase,
        face,
        outputs,
        about=("phase", "face", "outputs"),
    )
    for phase in Phase
    for face, outputs in WAYS
)
OPTIONS = tuple(
    NumbersCase(
        f"phases/options/{layout}/{face}",
        replace(PLAIN, memory_format=layout),
        face=face,
        momentum=1.5,
        eps=2.0,
        thorough=layout == "contiguous",
    )
    for layout, face in BOTH
)
LAYOUTS = (
    *(
        NumbersCase(
            f"layouts/{name}/{face}/{outputs}",
            problem,
            face=face,
            outputs=outputs,
            about=("memory_format", "rank"),
        )
        for name, problem in (
            ("channels_last", CHANNELS_LAST),
            ("channels_last_3d", CHANNELS_LAST_3D),
        )
        for face, outputs in TWO_WAYS
    ),
    NumbersCase(
        "layouts/channels_last/inference",
        CHANNELS_LAST,
        Phase.INFERENCE,
        about=("memory_format", "rank"),
    ),
)
DTYPES = (
    *(
        NumbersCase(
            f"dtypes/{name}/{face}/{outputs}", problem, face=face, outputs=outputs, about=("dtype",)
        )
        for name, problem in (
            ("float64", Problem((67, 13), "float64", activation="relu", residual=True)),
            (
                "bfloat16",
                Problem((3, 6, 3, 5, 7), "bfloat16", memory_format="channels_last", residual=True),
            ),
            ("float16", Problem((2, 6, 17, 19), "float16", activation="relu")),
            (
                "bfloat16_mixed",
                Problem(
                    (8, 24, 11, 5), "bfloat16", "float32", "channels_last", "relu", residual=True
                ),
            ),
            (
                "float16_mixed",
                Problem((6, 5, 31), "float16", "float32", activation="relu", bias=False),
            ),
        )
        for face, outputs in TWO_WAYS
    ),
    # A sum of 4096 values in float16 is off by more than the output's own rounding.
    *(
        NumbersCase(
            f"dtypes/{dtype}_mixed/many_values",
            Problem((16, 3, 16, 16), dtype, "float32"),
            mean=1.0,
            about=("dtype",),
        )
        for dtype in ("bfloat16", "float16")
    ),
    *(
        NumbersCase(
            f"dtypes/{dtype}{'_mixed' * (parameters == 'float32')}/frozen",
            Problem((2, 6, 17, 19), dtype, parameters, activation="relu"),
            Phase.BACKWARD_INFERENCE,
            thorough=parameters is not None,
            about=("dtype",),
        )
        for dtype in ("bfloat16", "float16")
        for parameters in (None, "float32")
    ),
)
# Three eighths of the values are 1, as many -1, the others 0: the mean is 0, the variance 3/4, and
# eps makes that 1.
SIXTEEN = Problem((4, 5, 2, 2), activation="relu", residual=True)
TERNARY = NumbersCase("exact/float32", SIXTEEN, distribution="ternary", momentum=0.25, eps=0.25)
EXACT = (
    TERNARY,
    replace(TERNARY, name="exact/float32/kernel", face="kernel", thorough=True),
    replace(TERNARY, name="exact/float32/mean_64", mean=64.0),
    replace(TERNARY, name="exact/float32/mean_16384", mean=2.0**14),
    replace(TERNARY, name="exact/float32/mean_million", mean=2.0**20, phase=Phase.FORWARD_TRAINING),
    replace(
        TERNARY,
        name="exact/float32/channels_last",
        problem=Problem((8, 16, 4, 4), memory_format="channels_last"),
        thorough=True,
    ),
    replace(
        TERNARY,
        name="exact/float32/inference",
        problem=Problem((4, 5, 2, 2)),
        phase=Phase.BACKWARD_INFERENCE,
        mean=64.0,
    ),
    replace(TERNARY, name="exact/float64", problem=Problem((16, 7), "float64"), mean=64.0),
    replace(
        TERNARY, name="exact/bfloat16_mixed", problem=Problem((16, 3, 4), "bfloat16", "float32")
    ),
    replace(
        TERNARY,
        name="exact/float16_mixed",
        problem=Problem((16, 3, 4), "float16", "float32"),
        mean=16.0,
    ),
    # Sixteen times 4,099 is a number of float32; its square is not.
    replace(TERNARY, name="exact/constant_channel", fill="4099"),
)
OF_A_LAYER = (
    NumbersCase("data/large_mean", PLAIN, mean=1e3),
    NumbersCase("data/very_large_mean", PLAIN, mean=1e4),
    NumbersCase("data/very_large_mean/channels_last", CHANNELS_LAST, mean=1e4),
    NumbersCase("data/mean_1e5", PLAIN, mean=1e5),
    NumbersCase("data/mean_1e6", PLAIN, mean=1e6),
    NumbersCase(
        "data/mean_1e6/float64",
        Problem((67, 13), "float64", activation="relu", residual=True),
        mean=1e6,
    ),
    NumbersCase("data/variance_below_eps", PLAIN, scale=1e-3),
    NumbersCase("data/large_scale", PLAIN, scale=1e12),
    NumbersCase("data/subnormal", PLAIN, scale=1e-39),
    NumbersCase("data/sparse", PLAIN, distribution="rectified"),
    NumbersCase("data/sparse/channels_last", CHANNELS_LAST, distribution="rectified"),
    NumbersCase("data/zero_weight", PLAIN, zero_weight=True),
    NumbersCase("data/constant_channel", PLAIN, fill="0.5"),
    NumbersCase("data/constant_channel/million", PLAIN, fill="1000003"),
    NumbersCase("data/constant_channel/channels_last", CHANNELS_LAST, fill="-3.25"),
    NumbersCase("data/nan_in_one_channel", CHANNELS_LAST_3D, fill="nan"),
    NumbersCase("data/nan_in_one_channel/contiguous", LINEAR, fill="nan"),
    NumbersCase("data/nan_in_one_channel_of_the_gradient", LINEAR, fill_gradient="nan"),
    NumbersCase("data/infinity_in_one_channel", CHANNELS_LAST_3D, fill="inf"),
    NumbersCase("data/infinity_in_one_channel/contiguous", LINEAR, fill="-inf"),
    NumbersCase("data/nan_in_one_channel/inference", PLAIN, Phase.INFERENCE, fill="nan"),
)
# What a kernel is asked as well; NaN and infinity it is asked in `channels`.
OF_A_KERNEL = (
    "data/very_large_mean",
    "data/very_large_mean/channels_last",
    "data/subnormal",
    "data/sparse",
    "data/zero_weight",
    "data/constant_channel",
    "data/constant_channel/channels_last",
)
DATA = (
    *OF_A_LAYER,
    *(
        replace(
            case, name=f"{case.name}/kernel", face="kernel", thorough=case.name not in OF_A_KERNEL
        )
        for case in OF_A_LAYER
    ),
)
# How the arrays lie is no part of a problem: a kernel may be given any address that an element can
# have.
MISALIGNED = (
    *(
        NumbersCase(
            f"strided/misaligned/{layout}/{face}",
            replace(PLAIN, memory_format=layout),
            face=face,
            offset=1,
        )
        for layout in MEMORY_FORMATS
        for face in FACES
    ),
    NumbersCase("strided/misaligned/frozen", PLAIN, Phase.BACKWARD_INFERENCE, offset=1),
)
# Sizes of 1, whose strides mean nothing: the output's gradient is dense in another layout than the
# input, and no stride of a size beyond 1 says so.
SIZES_OF_1 = (
    NumbersCase(
        "strided/sizes_of_1/gradient/kernel",
        Problem((1, 16, 1, 7)),
        Phase.BACKWARD,
        "kernel",
        odd_strides=("grad_output",),
    ),
    NumbersCase(
        "strided/sizes_of_1/input/kernel",
        Problem((1, 16, 5, 7), memory_format="channels_last"),
        face="kernel",
        odd_strides=("input",),
        about=("memory_format",),
    ),
)
NUMBERS = (
    *PHASES,
    *OPTIONS,
    *LAYOUTS,
    *DTYPES,
    *SHAPES,
    *CHANNELS,
    *THREADS,
    *EXACT,
    *DATA,
    *MISALIGNED,
    *SIZES_OF_1,
)
