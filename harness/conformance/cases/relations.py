"""Cases on relations: between gradients and differences, between calls that a law ties together,
between repetitions.
"""

from __future__ import annotations

from dataclasses import replace

from harness.conformance.cases.kinds import Case, DifferencesCase, LawCase, RepeatsCase
from harness.conformance.cases.shared_problems import BOTH, FACES, PLAIN, SPLIT
from implementations.interface import MEMORY_FORMATS, Phase, Problem

SMALL = Problem((3, 2, 2, 2), "float64", residual=True)
FLOAT64 = Problem((6, 5, 4, 3), "float64", activation="relu", residual=True)
GRADIENTS = (
    DifferencesCase("gradients/gradcheck", SMALL, "gradcheck"),
    DifferencesCase("gradients/gradcheck/frozen", SMALL, "gradcheck", Phase.BACKWARD_INFERENCE),
    DifferencesCase(
        "gradients/gradcheck/relu",
        replace(SMALL, activation="relu"),
        "gradcheck",
        thorough=True,
        about=("activation",),
    ),
    DifferencesCase(
        "gradients/gradcheck/rank_2/no_parameters",
        Problem((5, 3), "float64", weight=False, bias=False),
        "gradcheck",
        thorough=True,
        about=("rank", "weight", "bias"),
    ),
    DifferencesCase(
        "gradients/gradcheck/channels_last",
        replace(SMALL, memory_format="channels_last"),
        "gradcheck",
        thorough=True,
        about=("memory_format",),
    ),
    DifferencesCase("gradients/directions/layer", FLOAT64, "directions", thorough=True),
    DifferencesCase("gradients/directions/kernel", FLOAT64, "directions", face="kernel"),
    DifferencesCase(
        "gradients/directions/frozen",
        FLOAT64,
        "directions",
        Phase.BACKWARD_INFERENCE,
        "kernel",
        thorough=True,
    ),
    DifferencesCase("gradients/penalty", replace(SMALL, residual=False), "penalty"),
    DifferencesCase(
        "gradients/penalty/relu", replace(SMALL, activation="relu"), "penalty", thorough=True
    ),
)

ORDINARY = Problem((8, 5, 4, 3))
# In the order of harness.conformance.checks.laws, which has the equations.
OF_ONE_SHAPE = (
    "shift",
    "scale",
    "batch_permutation",
    "channel_permutation",
    "zero_gradient_sum",
    "linear_gradient",
    "affine",
    "channels_alone",
    "running_averages",
    "inference_after_momentum_1",
)
ABOUT = {"affine": ("weight",), "scale": ("weight",)}
LAWS = (
    *(LawCase(f"laws/{law}", law, ORDINARY, about=ABOUT.get(law, ())) for law in OF_ONE_SHAPE),
    LawCase(
        "laws/relu",
        "relu",
        replace(ORDINARY, activation="relu", residual=True),
        thorough=True,
        about=("activation",),
    ),
    LawCase("laws/repeated_batch", "repeated_batch", ORDINARY),
    LawCase("laws/folding", "folding", Problem((16, 6), "float64"), about=("rank",)),
    *(LawCase(f"laws/{law}/any_problem", law, None, 20, thorough=True) for law in OF_ONE_SHAPE),
    *(
        LawCase(f"laws/oracle/any_problem/{seed}", "oracle", None, 100, seed, thorough=True)
        for seed in range(3)
    ),
)

BARE = Problem((4, 19, 7, 9), weight=False, bias=False)
REPEATS = (
    *(
        RepeatsCase(
            f"repeats/same_bits/{layout}/{face}",
            "same_bits",
            replace(SPLIT, memory_format=layout),
            face,
            fixed_threads=2,
            thorough=(layout, face) not in BOTH,
        )
        for layout in MEMORY_FORMATS
        for face in FACES
    ),
    *(
        RepeatsCase(
            f"repeats/same_bits/{layout}/one_thread",
            "same_bits",
            replace(SPLIT, memory_format=layout),
            fixed_threads=1,
            thorough=True,
        )
        for layout in MEMORY_FORMATS
    ),
    RepeatsCase("repeats/batches_in_turn", "batches_in_turn", PLAIN),
    RepeatsCase("repeats/output_is_its_own", "output_is_its_own", PLAIN),
    RepeatsCase(
        "repeats/output_is_its_own/bare", "output_is_its_own", BARE, about=("weight", "bias")
    ),
    RepeatsCase(
        "repeats/output_changed_in_place/bare",
        "output_changed_in_place",
        BARE,
        about=("weight", "bias", "activation"),
    ),
    RepeatsCase(
        "repeats/output_changed_in_place",
        "output_changed_in_place",
        replace(PLAIN, activation=None),
        about=("activation",),
    ),
    RepeatsCase("repeats/saved_tensors_stay", "saved_tensors_stay", PLAIN),
    # What a compiler lets the backward write over depends on the threads that it compiles for.
    RepeatsCase("repeats/graph_kept", "graph_kept", PLAIN, fixed_threads=2),
    RepeatsCase("repeats/gradients_asked_in_part", "gradients_asked_in_part", PLAIN),
)
RELATIONS: tuple[Case, ...] = (*GRADIENTS, *LAWS, *REPEATS)
