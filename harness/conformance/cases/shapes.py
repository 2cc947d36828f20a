"""Cases on shapes: vector tails, primes, shapes of networks, and the split between threads."""

from __future__ import annotations

from dataclasses import replace

from harness.conformance.cases.kinds import NumbersCase
from harness.conformance.cases.shared_problems import BOTH, FACES, SPLIT
from harness.problems import SUITES
from implementations.interface import MEMORY_FORMATS, Phase, Problem

SHAPES = (
    NumbersCase(
        "shapes/two_values_a_channel",
        Problem((2, 37), weight=False, bias=False),
        momentum=1.0,
        eps=0.1,
        about=("rank",),
    ),
    NumbersCase(
        "shapes/one_long_channel", Problem((37, 1, 1033), activation="relu"), momentum=0.0, eps=0.6
    ),
    *(
        NumbersCase(
            f"shapes/batch_of_one/{layout}/{face}",
            Problem((1, 6, 7, 5), memory_format=layout),
            face=face,
        )
        for layout, face in BOTH
    ),
    *(
        NumbersCase(
            f"shapes/a_hundred_channels/{layout}/{face}",
            Problem((3, 100, 5, 3), memory_format=layout),
            face=face,
            thorough=True,
        )
        for layout, face in BOTH
    ),
    NumbersCase("shapes/many_rows", Problem((131, 21)), face="kernel"),
    NumbersCase(
        "shapes/many_values",
        Problem((20, 3, 64, 64), activation="relu"),
        face="kernel",
        thorough=True,
    ),
    NumbersCase("shapes/many_channels", Problem((5, 4099)), face="kernel", thorough=True),
    NumbersCase("shapes/one_pixel", Problem((16, 7, 1, 1))),
    NumbersCase(
        "shapes/no_weight/frozen",
        Problem((5, 6, 7), weight=False),
        Phase.BACKWARD_INFERENCE,
        about=("weight",),
    ),
    NumbersCase(
        "shapes/rank_5/frozen", Problem((2, 3, 2, 3, 4)), Phase.BACKWARD_INFERENCE, about=("rank",)
    ),
    NumbersCase(
        "shapes/primes", Problem((5, 7, 11, 13), activation="relu", residual=True), face="kernel"
    ),
    *(
        NumbersCase(
            f"shapes/tails/{width}", Problem((3, 5, width)), thorough=width != 17, about=("row",)
        )
        for width in (*range(1, 18), 31, 33, 63, 65, 127, 129)
    ),
    *(
        NumbersCase(
            f"shapes/tails/channels/{channels}",
            Problem((3, channels, 2, 2), memory_format="channels_last"),
            thorough=channels != 3,
            about=("channels",),
        )
        for channels in (*range(1, 18), 31, 33, 63, 65)
    ),
    *(
        NumbersCase(
            "/".join(
                filter(
                    None,
                    (
                        "shapes/resnet50",
                        f"{shape[1]}x{shape[2]}",
                        layout * (layout != "contiguous"),
                        face * (face != "layer"),
                    ),
                )
            ),
            Problem(shape, memory_format=layout, activation="relu"),
            face=face,
            thorough=shape[1] != 2048 or (layout, face) not in BOTH,
        )
        for shape in SUITES["resnet50"].shapes(2)
        for layout in MEMORY_FORMATS
        for face in FACES
    ),
)
THREADS = (
    *(
        NumbersCase(
            f"threads/{count}/{layout}/{face}",
            replace(SPLIT, memory_format=layout),
            face=face,
            fixed_threads=count,
            thorough=count != 2,
        )
        for count in (1, 2, 3, 5)
        for layout, face in BOTH
    ),
    NumbersCase("threads/2/frozen", SPLIT, Phase.BACKWARD_INFERENCE, fixed_threads=2),
)
