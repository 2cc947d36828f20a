"""Data sets: normalized, split without overlap, the same each time."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from harness.training import datasets
from harness.training.datasets import divide


def test_digits_hold_out_thirty_images_of_each_class_twice() -> None:
    digits = datasets.load("digits")
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1197, 300, 300)
    assert digits.validation.labels.bincount().tolist() == digits.test.labels.bincount().tolist() == [30] * 10
    assert digits.shape == (1, 8, 8)
    assert digits.classes == 10


def test_each_image_is_in_exactly_one_split() -> None:
    labels = np.repeat(np.arange(2), 10)
    images = np.arange(20.0).reshape(20, 1, 1, 1)
    divided = divide(images, labels, held_out=3)
    splits = (divided.train, divided.validation, divided.test)
    values = torch.cat([split.images.flatten() for split in splits])
    assert [len(split) for split in splits] == [8, 6, 6]
    assert len(set(values.tolist())) == 20


def test_images_keep_their_labels() -> None:
    labels = np.arange(40) % 4
    divided = divide(labels.astype(float).reshape(40, 1, 1, 1), labels, held_out=2)
    for split in (divided.train, divided.validation, divided.test):
        assert torch.equal(split.images.flatten().argsort(stable=True), split.labels.argsort(stable=True))


def test_images_are_scaled_by_the_training_split_alone() -> None:
    images = datasets.load("digits").train.images
    assert images.dtype == torch.float32
    assert images.mean().item() == pytest.approx(0, abs=1e-6)
    assert images.std().item() == pytest.approx(1, abs=1e-4)


def test_the_data_are_the_same_each_time_and_draw_from_no_global_generator() -> None:
    before = torch.get_rng_state(), str(np.random.get_state())  # noqa: NPY002 -- the global one is meant
    assert datasets.load("digits").sha256 == datasets.load("digits").sha256
    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == str(np.random.get_state())  # noqa: NPY002 -- as above


def test_the_hash_tells_one_changed_pixel() -> None:
    digits = datasets.load("digits")
    before = digits.sha256
    digits.test.images[-1, 0, 7, 7] += 1
    assert digits.sha256 != before


def test_an_unknown_data_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"dataset=digit; did you mean 'digits'\?; allowed: digits"):
        datasets.load("digit")
