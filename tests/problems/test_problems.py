"""Suites have the shapes of the networks that they are named for, and a wrong configuration is
answered with what is allowed.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from typing import Any

import pytest
from omegaconf import OmegaConf

from harness.config import ProblemConfig, UsageError
from harness.problems import SUITES, problems, suite
from implementations.interface import Problem


def channels_of(name: str) -> int:
    return sum(shape[1] * count for shape, count in suite(name).shapes(1).items())


@pytest.mark.parametrize(
    ("name", "layers", "different", "parameters"),
    [
        # Weights and biases of BN: the number that Keras calls non-trainable, since there are two
        # statistics a channel too.
        ("resnet50", 53, 12, 53_120),
        ("resnet50_v1", 53, 9, 53_120),
        ("mobilenet_v2", 52, 19, 34_112),
        ("densenet121", 121, 65, 83_648),
    ],
)
def test_a_network_has_the_published_number_of_layers_and_parameters(
    name: str, layers: int, different: int, parameters: int
) -> None:
    shapes = suite(name).shapes(32)
    assert sum(shapes.values()) == layers
    assert len(shapes) == different
    assert 2 * channels_of(name) == parameters


def test_resnet50_v1_agrees_with_the_counts_in_onednns_list() -> None:
    # From the labels of shapes_resnet_50: "bn2a_branch1*4" and so on.
    expected = {
        (64, 112): 1,
        (256, 56): 4,
        (64, 56): 6,
        (512, 28): 5,
        (128, 28): 8,
        (1024, 14): 7,
        (256, 14): 12,
        (2048, 7): 4,
        (512, 7): 6,
    }
    assert suite("resnet50_v1").shapes(50) == {
        (50, c, side, side): count for (c, side), count in expected.items()
    }


def test_moving_the_stride_into_the_3x3_enlarges_one_layer_in_each_of_three_stages() -> None:
    moved = Counter(suite("resnet50").shapes(1))
    moved.subtract(suite("resnet50_v1").shapes(1))
    assert {shape[1:3]: count for shape, count in moved.items() if count} == {
        (128, 56): 1,
        (256, 28): 1,
        (512, 14): 1,
        (128, 28): -1,
        (256, 14): -1,
        (512, 7): -1,
    }


def test_mobilenet_v2_filters_by_depth_behind_its_stride() -> None:
    shapes = suite("mobilenet_v2").shapes(1)
    assert shapes[1, 96, 112, 112] == 1
    assert shapes[1, 96, 56, 56] == 1
    assert shapes[1, 1280, 7, 7] == 1


def test_densenet121_normalizes_what_is_concatenated_before_each_convolution() -> None:
    shapes = suite("densenet121").shapes(1)
    assert shapes[1, 1024, 7, 7] == 1  # the last
    assert shapes[1, 256, 56, 56] == 1  # the first transition's
    assert shapes[1, 128, 7, 7] == 16  # one a bottleneck of the last block


def test_onednn_adds_up_its_three_networks() -> None:
    shapes = suite("onednn").shapes(96)
    assert sum(shapes.values()) == 53 + 71 + 94
    assert shapes[96, 64, 112, 112] == 2  # the first layer of ResNet-50 and of GoogLeNet v2
    assert shapes[96, 192, 17, 17] == 26
    assert not [shape for shape in shapes if shape[2:] == (1, 1)]


def test_ten_is_nine_shapes_of_resnet50_and_one_small_one() -> None:
    shapes = suite("ten").shapes(32)
    assert set(shapes) == {*suite("resnet50_v1").shapes(32), (128, 64, 8, 8)}
    assert set(shapes.values()) == {1}
    assert (512, 64, 8, 8) in suite("ten").shapes(128)


def test_quick_is_part_of_resnet50() -> None:
    shapes = suite("quick").shapes(8)
    assert 4 <= len(shapes) <= 6
    assert set(shapes) < set(suite("resnet50").shapes(8))


def test_mlp_is_two_dimensional_and_its_rows_follow_the_batch() -> None:
    at_32, at_64 = suite("mlp").shapes(32), suite("mlp").shapes(64)
    assert (512, 2048) in at_32
    assert [(2 * rows, features) for rows, features in at_32] == list(at_64)


@pytest.mark.parametrize("name", SUITES)
def test_every_suite_names_its_source_and_scales_with_the_batch(name: str) -> None:
    found = suite(name)
    assert found.name == name
    assert "https://" in found.source
    assert found.description
    ones, threes = found.shapes(1), found.shapes(3)
    assert {(3 * shape[0], *shape[1:]): count for shape, count in ones.items()} == threes


def test_attributes_of_the_configuration_reach_every_problem() -> None:
    config = ProblemConfig(
        suite="quick",
        batch=2,
        dtype="bfloat16",
        parameter_dtype="float32",
        memory_format="channels_last",
        activation=None,
        residual=True,
        weight=False,
        bias=False,
    )
    assert problems(config) == {
        Problem(
            shape,
            "bfloat16",
            "float32",
            "channels_last",
            None,
            residual=True,
            weight=False,
            bias=False,
        ): 1
        for shape in suite("quick").shapes(2)
    }


@pytest.mark.parametrize(
    "given", [[32, 64, 56, 56], "32x64x56x56", "32×64×56×56", (32, 64, 56, 56)]
)
def test_a_shape_may_be_a_list_or_a_text(given: object) -> None:
    assert problems(ProblemConfig(shapes=[given])) == {
        Problem((32, 64, 56, 56), activation="relu"): 1
    }


def test_a_shape_given_twice_counts_twice() -> None:
    assert list(problems(ProblemConfig(shapes=["8x4", [8, 4], "8x5"])).values()) == [2, 1]


def test_the_configuration_may_be_hydras() -> None:
    config = OmegaConf.structured(ProblemConfig(shapes=[[8, 4, 5], "8x4"]))
    assert [problem.shape for problem in problems(config)] == [(8, 4, 5), (8, 4)]


def test_the_users_own_shapes_take_the_place_of_a_suite() -> None:
    assert [problem.shape for problem in problems(ProblemConfig(suite="ten", shapes=[[8, 4]]))] == [
        (8, 4)
    ]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({}, "neither"),
        ({"suite": "resnet5"}, "did you mean 'resnet50'"),
        ({"suite": "ten", "parameter_dtype": "float64"}, "the data's dtype, or float32"),
        ({"suite": "mlp", "memory_format": "channels_last"}, "64x100"),
        ({"shapes": []}, "holds no shape"),
        ({"shapes": [8, 4]}, "holds 8"),
        ({"shapes": [[8]]}, "2 to 5 positive integers"),
        ({"shapes": [[1, 2, 3, 4, 5, 6]]}, "2 to 5 positive integers"),
        ({"shapes": [[8, 0]]}, r"holds \[8, 0\]"),
        ({"shapes": [[8, True]]}, r"holds \[8, True\]"),
        ({"shapes": ["8xa"]}, "holds '8xa'"),
        ({"shapes": [[8, 4.5]]}, r"holds \[8, 4.5\]"),
    ],
)
def test_a_problem_that_cannot_be_is_refused_with_what_is_allowed(
    config: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        problems(ProblemConfig(**config))  # wrong on purpose


def test_listing_the_suites_imports_nothing_heavy() -> None:
    code = (
        "import sys, harness.problems; print(*{'torch', 'numpy', 'pandas', 'mlflow', 'hydra'} & "
        "set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert not done.stdout.strip()
