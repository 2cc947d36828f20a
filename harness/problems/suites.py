"""Named suites of shapes, each derived from the definition of a network or copied from a published
table.

A network is walked layer by layer, counting pairs (channels, side of the square image), so that a
suite knows how often each shape occurs. Images are 224×224 unless a source says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Shape = tuple[int, ...]
Images = Counter[tuple[int, int]]  # (channels, side) -> how many BN layers see it

# Sandler et al. 2018, Table 2: expansion, output channels, blocks, stride of the first block.
MOBILENET_V2 = (
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)

# Side -> {channels: layers}, counted from oneDNN's lists of the two networks. The 1×1 layers behind
# the auxiliary classifiers are left out here, since benchdnn leaves them out too.
ONEDNN_GOOGLENET_V2 = {
    112: {64: 1},
    56: {64: 1, 192: 1},
    28: {32: 1, 64: 9, 96: 6, 128: 1},
    14: {64: 1, 96: 8, 128: 11, 160: 6, 192: 5, 224: 1, 256: 1},
    7: {128: 2, 160: 1, 192: 4, 224: 4, 256: 1, 320: 2, 352: 2},
    4: {128: 1},
    2: {128: 1},
}
ONEDNN_GOOGLENET_V3 = {
    149: {32: 1},
    147: {32: 1, 64: 1},
    73: {80: 1},
    71: {192: 1},
    35: {32: 1, 48: 3, 64: 12, 96: 7},
    17: {96: 1, 128: 6, 160: 12, 192: 26, 384: 1},
    8: {192: 3, 320: 3, 384: 12, 448: 2},
}

# (rows for each unit of batch, features) -> hidden layers. At batch 32 these are the batch sizes of
# the publications, but for the first, which took 60 rows.
MLP = {
    (2, 100): 3,  # Ioffe and Szegedy 2015, section 4.1: the network for MNIST
    (16, 2048): 2,  # Chen and He 2021: SimSiam's projector, batch 512
    (16, 512): 1,  # its predictor
    (64, 8192): 2,  # Zbontar et al. 2021: Barlow Twins' projector, batch 2048
    (128, 4096): 2,  # Grill et al. 2020: BYOL's projector and predictor, batch 4096
}


@dataclass(frozen=True)
class Suite:
    """Shapes by name. ``shapes`` maps a batch size to {(N, C, *spatial): how many BN layers have
    it}.
    """

    name: str
    source: str
    description: str
    shapes: Callable[[int], dict[Shape, int]]


def resnet50(*, stride_in_3x3: bool) -> Images:
    """The 53 layers of ResNet-50, whose version 1.5 moves a stage's stride from the first 1×1 to
    the 3×3.
    """
    images = Images({(64, 112): 1})
    for stage, blocks in enumerate((3, 4, 6, 3)):
        width, side = 64 << stage, 56 >> stage
        entry = 2 * side if stride_in_3x3 and stage else side
        images[width, entry] += 1  # the first block's first 1×1
        images[width, side] += 2 * blocks - 1
        # each block's last 1×1, and the first block's shortcut
        images[4 * width, side] += blocks + 1
    return images


def mobilenet_v2() -> Images:
    """The 52 layers of MobileNetV2 at width 1. A block expands, filters by depth, projects."""
    channels, side = 32, 112
    images = Images({(channels, side): 1})
    for expansion, output, blocks, first_stride in MOBILENET_V2:
        for stride in (first_stride, *[1] * (blocks - 1)):
            if expansion > 1:
                images[expansion * channels, side] += 1
            side //= stride
            images[expansion * channels, side] += 1
            images[output, side] += 1
            channels = output
    images[1280, side] += 1
    return images


def densenet121() -> Images:
    """The 121 layers of DenseNet-121: BN comes before each convolution, and sees all channels
    concatenated so far.
    """
    growth, channels, side = 32, 64, 56
    images = Images({(64, 112): 1})
    for layers in (6, 12, 24, 16):
        for _ in range(layers):
            images[channels, side] += 1
            images[4 * growth, side] += 1
            channels += growth
        images[channels, side] += 1  # a transition's, and the last block's final one
        channels, side = channels // 2, side // 2
    return images


def onednn() -> Images:
    """The three networks that oneDNN's files list, added up."""
    images = resnet50(stride_in_3x3=False)
    for table in (ONEDNN_GOOGLENET_V2, ONEDNN_GOOGLENET_V3):
        for side, layers in table.items():
            images.update({(channels, side): count for channels, count in layers.items()})
    return images


def quick() -> Images:
    """From few channels to many: the output of the 3×3 in each stage of ResNet-50, and its widest
    layer.
    """
    return Images([*((64 << stage, 56 >> stage) for stage in range(4)), (2048, 7)])


def _of(images: Images) -> Callable[[int], dict[Shape, int]]:
    return lambda batch: {
        (batch, channels, side, side): count for (channels, side), count in images.items()
    }


def _mlp(batch: int) -> dict[Shape, int]:
    return {(rows * batch, features): layers for (rows, features), layers in MLP.items()}


def _ten(batch: int) -> dict[Shape, int]:
    return {**dict.fromkeys(_of(resnet50(stride_in_3x3=False))(batch), 1), (4 * batch, 64, 8, 8): 1}


HE = "He et al. 2015, Deep Residual Learning for Image Recognition, Table 1, https://arxiv.org/abs/1512.03385"
TORCHVISION = "https://github.com/pytorch/vision/tree/main/torchvision/models"

SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(
            "quick",
            f"{HE}; a selection",
            "five of ResNet-50's shapes, each counted once",
            _of(quick()),
        ),
        Suite(
            "resnet50",
            f"{HE}; stride as in {TORCHVISION}/resnet.py (v1.5)",
            "every BN layer of ResNet-50 v1.5, stride in the 3×3 convolution",
            _of(resnet50(stride_in_3x3=True)),
        ),
        Suite(
            "resnet50_v1",
            HE,
            "every BN layer of the original ResNet-50, stride in the first 1×1 convolution",
            _of(resnet50(stride_in_3x3=False)),
        ),
        Suite(
            "mobilenet_v2",
            "Sandler et al. 2018, MobileNetV2: Inverted Residuals and Linear Bottlenecks, Table 2, "
            f"https://arxiv.org/abs/1801.04381; {TORCHVISION}/mobilenetv2.py",
            "every BN layer of MobileNetV2 at width 1",
            _of(mobilenet_v2()),
        ),
        Suite(
            "densenet121",
            "Huang et al. 2017, Densely Connected Convolutional Networks, Table 1, "
            f"https://arxiv.org/abs/1608.06993; {TORCHVISION}/densenet.py",
            "every BN layer of DenseNet-121",
            _of(densenet121()),
        ),
        Suite(
            "mlp",
            "Ioffe and Szegedy 2015, https://arxiv.org/abs/1502.03167; SimSiam, "
            "https://arxiv.org/abs/2011.10566; Barlow Twins, https://arxiv.org/abs/2103.03230; "
            "BYOL, https://arxiv.org/abs/2006.07733",
            "2-D inputs: the hidden layers of four published MLPs, rows in proportion to the batch "
            "size",
            _mlp,
        ),
        Suite(
            "onednn",
            "oneDNN, https://github.com/uxlfoundation/oneDNN, tests/benchdnn/inputs/bnorm: "
            "shapes_resnet_50 at 080b492c, bnorm_googlenet_v2 at 380e1471, bnorm_googlenet_v3 at "
            "950f841f",
            "oneDNN's benchmarks: ResNet-50 v1, GoogLeNet v2 and v3; the batch size replaces "
            "theirs, as its --mb does",
            _of(onednn()),
        ),
        Suite(
            "ten",
            f"{HE}; 128×64×8×8 is this project's own",
            "the nine different shapes of ResNet-50 v1 and, at batch 32, 128×64×8×8, each counted "
            "once",
            _ten,
        ),
    )
}
