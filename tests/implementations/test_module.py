"""`BatchNorm` is a drop-in for torch.nn's."""

from __future__ import annotations

import copy
import inspect
import io

import pytest
import torch
from torch.fx import symbolic_trace
from torch.fx.experimental import optimization
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

from implementations import BatchNorm, Unsupported

EAGER = ("numpy", "torch_native", "torch_unfused")
everywhere = pytest.mark.parametrize("name", EAGER)
KINDS = {
    2: torch.nn.BatchNorm1d,
    3: torch.nn.BatchNorm1d,
    4: torch.nn.BatchNorm2d,
    5: torch.nn.BatchNorm3d,
}


def batches(rank, count=3):
    generator = torch.Generator().manual_seed(0)
    return [
        torch.randn(4, 3, *[2] * (rank - 2), dtype=torch.float64, generator=generator) * 2 + 1
        for _ in range(count)
    ]


@everywhere
@pytest.mark.parametrize("rank", KINDS)
@pytest.mark.parametrize(
    "keywords",
    [
        {},
        {"momentum": None},
        {"momentum": 0.0},
        {"momentum": 1.0},
        {"eps": 0.1},
        {"affine": False},
        {"track_running_stats": False},
    ],
    ids=str,
)
def test_it_behaves_as_pytorchs_own_through_training_and_inference(name, rank, keywords):
    ours = BatchNorm(3, **keywords, implementation=name, dtype=torch.float64)
    theirs = KINDS[rank](3, **keywords, dtype=torch.float64)
    for batch in batches(rank):
        torch.testing.assert_close(ours(batch), theirs(batch))
    assert ours.state_dict().keys() == theirs.state_dict().keys()
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))
    ours.eval(), theirs.eval()
    torch.testing.assert_close(ours(batches(rank)[0]), theirs(batches(rank)[0]))
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


@everywhere
@pytest.mark.parametrize("rank", KINDS)
def test_it_goes_without_a_bias_when_told_to(name, rank):
    ours, theirs = (
        BatchNorm(3, bias=False, implementation=name, dtype=torch.float64),
        KINDS[rank](3, dtype=torch.float64),
    )
    theirs.register_parameter("bias", None)  # PyTorch's own argument of that name came with 2.13
    assert (
        list(ours.state_dict())
        == list(theirs.state_dict())
        == ["weight", "running_mean", "running_var", "num_batches_tracked"]
    )
    assert [parameter for parameter, _ in ours.named_parameters()] == ["weight"]
    for batch in batches(rank):
        torch.testing.assert_close(ours(batch), theirs(batch))
    ours(batches(rank)[0]).square().sum().backward()
    theirs(batches(rank)[0]).square().sum().backward()
    torch.testing.assert_close(ours.weight.grad, theirs.weight.grad)


@pytest.mark.parametrize(
    ("affine", "bias", "parameters"),
    [
        (True, True, ["weight", "bias"]),
        (True, False, ["weight"]),
        (False, True, []),
        (False, False, []),
    ],
)
def test_its_parameters_are_pytorch_s_for_the_same_arguments(affine, bias, parameters):
    ours = BatchNorm(3, affine=affine, bias=bias, implementation="numpy")
    assert [name for name, _ in ours.named_parameters()] == parameters
    assert ours(torch.randn(4, 3)).shape == (4, 3)


@everywhere
def test_checkpoints_go_both_ways(name):
    ours, theirs = BatchNorm(3, implementation=name), torch.nn.BatchNorm2d(3)
    theirs(torch.randn(4, 3, 2, 2))
    ours.load_state_dict(theirs.state_dict())
    fresh = torch.nn.BatchNorm2d(3)
    fresh.load_state_dict(ours.state_dict())
    torch.testing.assert_close(dict(fresh.state_dict()), dict(theirs.state_dict()))


@everywhere
def test_statistics_that_are_no_longer_tracked_are_left_alone_as_in_pytorch(name):
    ours, theirs = (
        BatchNorm(3, implementation=name, dtype=torch.float64),
        torch.nn.BatchNorm2d(3, dtype=torch.float64),
    )
    for module in (ours, theirs):
        module.track_running_stats = False
    batch = batches(4)[0]
    torch.testing.assert_close(ours(batch), theirs(batch))
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


@everywhere
def test_it_is_copied_and_saved_like_any_module(name):
    module = BatchNorm(3, implementation=name, activation="relu")
    module(torch.randn(4, 3))
    twin = copy.deepcopy(module)
    file = io.BytesIO()
    torch.save(module.state_dict(), file)
    file.seek(0)
    twin.load_state_dict(torch.load(file, weights_only=True))
    batch = torch.randn(4, 3)
    assert torch.equal(twin(batch), module(batch))


def test_it_survives_torch_compile_of_the_whole_model():
    module = BatchNorm(3, implementation="torch_native", activation="relu", dtype=torch.float64)
    x = batches(4)[0]
    expected = copy.deepcopy(module)(x)
    torch.testing.assert_close(torch.compile(module, fullgraph=True)(x), expected)


def test_the_compiled_implementation_can_be_part_of_a_compiled_model():
    ours, theirs = (
        BatchNorm(3, implementation=name, dtype=torch.float64)
        for name in ("torch_compile", "torch_native")
    )
    x = batches(4)[0]
    whole = torch.compile(ours, fullgraph=True, backend="eager")
    torch.testing.assert_close(whole(x), theirs(x))
    torch.testing.assert_close(dict(ours.state_dict()), dict(theirs.state_dict()))


def test_residual_and_activation_come_after_the_normalization():
    module = BatchNorm(3, implementation="torch_native", activation="relu", dtype=torch.float64)
    plain = torch.nn.BatchNorm2d(3, dtype=torch.float64)
    x, residual, _ = batches(4)
    torch.testing.assert_close(module(x, residual), torch.relu(plain(x) + residual))


@pytest.mark.parametrize("activation", [None, "relu"])
@pytest.mark.parametrize(
    "residual", [torch.ones(3, 1, 1), torch.ones(4, 3, 2, 2), 0.5], ids=["shape", "dtype", "number"]
)
def test_a_residual_of_another_shape_or_dtype_is_added_as_plus_adds_it(activation, residual):
    module = BatchNorm(3, implementation="torch_native", activation=activation, dtype=torch.float64)
    x, expected = (
        batches(4)[0],
        torch.nn.BatchNorm2d(3, dtype=torch.float64)(batches(4)[0]) + residual,
    )
    torch.testing.assert_close(
        module(x, residual), torch.relu(expected) if activation else expected
    )


def test_tools_that_look_for_batch_norm_find_it():
    assert isinstance(BatchNorm(3, implementation="numpy"), torch.nn.modules.batchnorm._BatchNorm)


def synchronized(model):
    return torch.nn.SyncBatchNorm.convert_sync_batchnorm(model)


def folded(model):
    return fuse_conv_bn_eval(*model)


def folded_into_linear(model):
    return fuse_linear_bn_eval(torch.nn.Linear(3, 3).eval(), model[1])


@pytest.mark.parametrize("rewrite", [synchronized, folded, folded_into_linear])
@pytest.mark.parametrize("name", ["fused_cpu", "torch_native"])
def test_a_tool_that_would_drop_its_relu_is_refused(name, rewrite):
    def model(activation):
        batch_norm = BatchNorm(3, implementation=name, activation=activation)
        return torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), batch_norm).eval()

    assert type(rewrite(model(None))) is not BatchNorm
    with pytest.raises(Unsupported, match=r"^this BatchNorm also computes a ReLU.*None"):
        rewrite(model("relu"))


@pytest.mark.parametrize("activation", [None, "relu"])
def test_its_eps_can_be_changed_and_goes_along_with_copies(activation):
    module = BatchNorm(3, implementation="torch_native", activation=activation, eps=0.5)
    expected = module(torch.ones(1, 3, 2) * torch.tensor([0.0, 1.0]))
    other = BatchNorm(3, implementation="torch_native", activation=activation)
    other.eps = 0.5
    for same in (other, copy.deepcopy(module)):
        assert torch.equal(same(torch.ones(1, 3, 2) * torch.tensor([0.0, 1.0])), expected)
        assert "eps=0.5" in repr(same)


def test_what_walks_over_its_attributes_does_not_meet_the_eps_that_is_refused():
    module = BatchNorm(3, implementation="torch_native", activation="relu")
    assert dict(inspect.getmembers(module))["activation"] == "relu"
    assert "eps" in dir(BatchNorm(3, implementation="torch_native"))


@pytest.mark.parametrize("rewrite", [symbolic_trace, optimization.fuse])
def test_a_rewriting_by_fx_is_refused_with_when_to_do_it(rewrite):
    module = BatchNorm(3, implementation="torch_native", activation="relu").eval()
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), module).eval()
    with pytest.raises(Unsupported, match="trace or fuse the model before convert"):
        rewrite(model)


@pytest.mark.filterwarnings("ignore")  # torch.ao.quantization is deprecated
def test_modules_are_not_fused_for_quantization():
    module = BatchNorm(3, implementation="torch_native", activation="relu").eval()
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 3, 1), module).eval()
    with pytest.raises(AssertionError, match=r"did not find fuser method.*module\.BatchNorm"):
        torch.ao.quantization.fuse_modules(model, [["0", "1"]])


@pytest.mark.parametrize("name", ["fused_cpu", "torch_native", "torch_unfused"])
@pytest.mark.parametrize("training", [True, False])
def test_it_is_exported_with_sizes_left_open(name, training):
    module = BatchNorm(3, implementation=name, activation="relu").train(training)
    example, other = torch.randn(4, 3, 5, 5), torch.randn(9, 3, 2, 7)
    names = {0: "batch", 2: "height", 3: "width"}
    sizes = {axis: torch.export.Dim(name) for axis, name in names.items()}
    exported = torch.export.export(module, (example,), dynamic_shapes=(sizes,)).module()
    torch.testing.assert_close(exported(other), module(other))
    torch.testing.assert_close(dict(exported.named_buffers()), dict(module.named_buffers()))


@pytest.mark.parametrize("shape", [(3,), (1, 3, 1, 1, 1, 2)])
def test_ranks_beyond_two_to_five_are_refused(shape):
    with pytest.raises(ValueError, match="expected 2D to 5D"):
        BatchNorm(3, implementation="numpy")(torch.ones(shape))


def test_it_says_in_print_what_computes_it():
    assert "implementation=numpy, activation=relu" in repr(
        BatchNorm(3, implementation="numpy", activation="relu")
    )
