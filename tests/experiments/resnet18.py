"""What converting a whole network gives: a training step of ResNet-18 on images of 32×32, its batch
norms by `fused_cpu`.

    python tests/experiments/resnet18.py [--batch 128] [--launches 6] [--blocks 5] [--threads 2]

Beside the native network and the converted one, with ReLU and residual drawn into its batch norms,
stands one without batch norms: what a step takes less without them is their share of it. The
network is He et al.'s (2015) with the stem for small images that is usual for CIFAR: a 3×3
convolution and no pooling. Each launch is a process, each block has all arms once, in random order.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import time

import torch
from rich.console import Console
from rich.table import Table
from torch import nn

from harness import statistics
from harness.isolation.settings import ALLOCATORS, WAIT_POLICIES
from harness.records import Seconds, TimedSample
from implementations import convert

ARMS = ("native", "converted", "without")
MEMORY_FORMATS = {"contiguous": torch.contiguous_format, "channels_last": torch.channels_last}


class Block(nn.Module):
    """Two 3×3 convolutions and what bypasses them."""

    def __init__(self, channels, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.bypass = (
            nn.Identity()
            if (channels, stride) == (outputs, 1)
            else nn.Sequential(
                nn.Conv2d(channels, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs)
            )
        )

    def forward(self, x):
        inner = torch.relu(self.bn1(self.conv1(x)))
        return torch.relu(self.bn2(self.conv2(inner)) + self.bypass(x))


def resnet18():
    widths = (64, 64, 128, 128, 256, 256, 512, 512)
    blocks = [
        Block(before, width, 1 + (width > before))
        for before, width in zip((64, *widths), widths, strict=False)
    ]
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, 1, 1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def network(arm, memory_format):
    torch.manual_seed(0)
    model = resnet18()
    if arm == "converted":
        model = convert(model, "fused_cpu", fuse=True)
    if arm == "without":
        for module in list(model.modules()):
            for name, child in module.named_children():
                if isinstance(child, nn.BatchNorm2d):
                    setattr(module, name, nn.Identity())
    return model.to(memory_format=memory_format).train()


def step(model, images, labels):
    loss = nn.functional.cross_entropy(model(images), labels)
    gradients = torch.autograd.grad(loss, list(model.parameters()))
    with torch.no_grad():
        torch._foreach_add_(list(model.parameters()), gradients, alpha=-1e-4)


def launch(arguments):
    """One process: every arm once a block, seconds a step as one JSON line each."""
    torch.set_num_threads(arguments.threads)
    memory_format = MEMORY_FORMATS[arguments.launch]
    images = torch.randn(arguments.batch, 3, 32, 32).to(memory_format=memory_format)
    labels = torch.randint(0, 10, (arguments.batch,))
    networks = {arm: network(arm, memory_format) for arm in ARMS}
    for model in networks.values():
        step(model, images, labels)
    for block in range(arguments.blocks):
        for arm in random.sample(ARMS, len(ARMS)):
            # what a foreign arm left in the caches is not this one's
            step(networks[arm], images, labels)
            began = time.perf_counter()
            step(networks[arm], images, labels)
            seconds = time.perf_counter() - began
            print(json.dumps({"arm": arm, "block": block, "seconds": seconds}), flush=True)


def measured(
    memory_format: str, arguments: argparse.Namespace, console: Console
) -> dict[str, list[TimedSample]]:
    """The samples of each arm, from one process after another."""
    samples: dict[str, list[TimedSample]] = {arm: [] for arm in ARMS}
    environment = {**os.environ, **ALLOCATORS["retaining"], **WAIT_POLICIES["brief"].environment}
    for number in range(arguments.launches):
        console.print(f"{memory_format}: launch {number + 1} of {arguments.launches}", style="dim")
        command = [sys.executable, __file__, *sys.argv[1:], "--launch", memory_format]
        lines = subprocess.run(
            command, env=environment, check=True, capture_output=True, text=True
        ).stdout.splitlines()
        for timed in map(json.loads, lines):
            samples[timed["arm"]].append(
                TimedSample(number, timed["block"], calls=1, seconds=Seconds(timed["seconds"]))
            )
    return samples


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("batch", 128), ("launches", 6), ("blocks", 5), ("threads", 2)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--launch", choices=MEMORY_FORMATS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.launch:
        launch(arguments)
        return
    console = Console(width=110)
    table = Table(
        "layout",
        "network",
        "seconds a step",
        "time relative to native",
        title="ResNet-18 on 32×32, training step",
    )
    for memory_format in MEMORY_FORMATS:
        samples = measured(memory_format, arguments, console)
        for arm in ARMS:
            found = statistics.interval(statistics.log_ratios(samples, arm, "native"), 0.05)
            ratio = (
                "1"
                if arm == "native"
                else f"{found.estimate:.3f} [{found.low:.3f}, {found.high:.3f}]"
            )
            table.add_row(
                memory_format, arm, f"{statistics.median_seconds(samples[arm]):.3f}", ratio
            )
    console.print(table)


if __name__ == "__main__":
    main()
