"""The life of a module against PyTorch's: what is compared, seen through modules that get it
wrong.
"""

from __future__ import annotations

import pytest
import torch
from plain_bn import Plugin
from torch import nn

from harness.conformance.cases import ModuleCase, matching, named
from harness.conformance.checks import check, modules
from harness.conformance.compare import failure_summary
from implementations import BatchNorm


class Forgetful(BatchNorm):
    """Counts no batches."""

    def _average_factor(self, update):
        factor = super()._average_factor(update)
        self.num_batches_tracked = torch.zeros_like(self.num_batches_tracked)
        return factor


class Renamed(BatchNorm):
    """Calls a buffer by another name."""

    def __init__(self, *arguments, **keywords):
        super().__init__(*arguments, **keywords)
        self.register_buffer("extra", torch.zeros(1))

    def load_state_dict(self, state, **keywords):
        return super().load_state_dict(state, strict=False)


class Eager(BatchNorm):
    """Normalizes with the batch's statistics at inference too."""

    def forward(self, input):
        self.training = True
        return super().forward(input)


class Smoothed(BatchNorm):
    """Averages exponentially where all batches should weigh the same."""

    def _average_factor(self, update):
        factor = super()._average_factor(update)
        return 0.1 if self.momentum is None else factor


class Belated(BatchNorm):
    """Leaves one batch out of the cumulative average: counts after it has divided."""

    def _average_factor(self, update):
        if update and self.momentum is None:
            self.num_batches_tracked.add_(1)
            return 1.0 / (float(self.num_batches_tracked) + 1)
        return super()._average_factor(update)


class Tracking(BatchNorm):
    """Goes on tracking when told not to."""

    @property
    def track_running_stats(self):
        return True

    @track_running_stats.setter
    def track_running_stats(self, value):
        pass


class Biased(BatchNorm):
    """Has a bias, asked for or not."""

    def __init__(self, *arguments, bias=True, **keywords):
        super().__init__(*arguments, **keywords)

    def load_state_dict(self, state, **keywords):
        return super().load_state_dict(state, strict=False)


class Detached(BatchNorm):
    """Learns no weight."""

    def forward(self, input):
        weight = self.weight
        self._parameters["weight"] = nn.Parameter(weight.detach(), requires_grad=False)
        output = super().forward(input)
        self._parameters["weight"] = weight
        return output


class Tolerant(BatchNorm):
    """Raises nothing."""

    def forward(self, input):
        try:
            return super().forward(input)
        except ValueError:
            return input


class Strict(BatchNorm):
    """Loads no checkpoint that counts no batches."""

    def _load_from_state_dict(
        self, state_dict, prefix, local_metadata, strict, missing, unexpected, errors
    ):
        if f"{prefix}num_batches_tracked" not in state_dict:
            errors.append("it counts no batches")
        super()._load_from_state_dict(
            state_dict, prefix, local_metadata, strict, missing, unexpected, errors
        )


WRONG = [
    (Forgetful, "module/defaults", {"num_batches_tracked"}),
    (Renamed, "module/defaults", {"state_dict"}),
    (
        Eager,
        "module/frozen",
        {
            "output",
            "input.grad",
            "weight.grad",
            "running_mean",
            "running_var",
            "num_batches_tracked",
        },
    ),
    (Smoothed, "module/cumulative_average", {"running_mean", "running_var"}),
    (Belated, "module/cumulative_average", {"running_mean", "running_var"}),
    (
        Tracking,
        "module/untracked_after_construction",
        {"output", "running_mean", "running_var", "num_batches_tracked"},
    ),
    (Detached, "module/defaults", {"weight.grad"}),
    (Tolerant, "module/error/one_value_a_channel", {"exception"}),
    (Tolerant, "module/error/eps_0", {"exception"}),
    (Strict, "module/old_checkpoint", {"it raised RuntimeError"}),
]


def wrong_of(case):
    """Every quantity that fails, up to an error that is raised."""
    found = set()
    try:
        for finding in check(Plugin(), case):
            found |= set() if finding.passed else {finding.quantity}
    except Exception as error:
        found |= set() if found else {f"it raised {type(error).__name__}"}
    return found


@pytest.mark.parametrize(("module", "case", "quantities"), WRONG)
def test_a_module_that_departs_from_pytorch_s_is_found_out(monkeypatch, module, case, quantities):
    assert wrong_of(named(case)) == set()
    monkeypatch.setattr(modules, "BatchNorm", module)
    assert wrong_of(named(case)) == quantities


@pytest.mark.parametrize(
    ("module", "quantity"),
    [(Forgetful, "num_batches_tracked"), (Renamed, "state_dict"), (Eager, "output")],
)
def test_a_short_life_tells_as_much(monkeypatch, module, quantity):
    case = ModuleCase("module/any", (4, 6, 5), (True, False))
    assert wrong_of(case) == set()
    monkeypatch.setattr(modules, "BatchNorm", module)
    assert quantity in wrong_of(case)


@pytest.mark.parametrize(
    ("module", "case"), [(Renamed, "module/defaults"), (Biased, "module/no_bias")]
)
def test_other_keys_are_wrong_rather_than_a_crash(monkeypatch, module, case):
    monkeypatch.setattr(modules, "BatchNorm", module)
    assert "state_dict has keys" in failure_summary(list(check(Plugin(), named(case))))


def test_every_constructor_s_argument_is_varied():
    cases = [case for case in matching("module/*", thorough=True) if isinstance(case, ModuleCase)]
    for attribute in (
        "momentum",
        "affine",
        "track_running_stats",
        "bias",
        "eps",
        "untracked",
        "old",
        "gradients",
    ):
        assert len({getattr(case, attribute) for case in cases}) > 1
    assert {len(case.shape) for case in cases} >= {2, 3, 4, 5}
