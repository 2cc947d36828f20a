"""Data sets: normalized, split without overlap, the same each time."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from harness.training import datasets
from harness.training.datasets import divide
from harness.training.datasets.source import packaged


def test_digits_hold_out_thirty_images_of_each_class_twice() -> None:
    digits = datasets.load("digits")
    assert (len(digits.train), len(digits.validation), len(digits.test)) == (1197, 300, 300)
    assert datasets.DATASETS["digits"].training_images == 1197
    assert (
        digits.validation.labels.bincount().tolist()
        == digits.test.labels.bincount().tolist()
        == [30] * 10
    )
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
        assert torch.equal(
            split.images.flatten().argsort(stable=True), split.labels.argsort(stable=True)
        )


def test_images_are_scaled_by_the_training_split_alone() -> None:
    images = datasets.load("digits").train.images
    assert images.dtype == torch.float32
    assert images.mean().item() == pytest.approx(0, abs=1e-6)
    assert images.std().item() == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("name", "hashed"),
    [
        ("digits", "3fcbdbc4231acf9c804b52909ae0def0caebe3a1267a508f87e1b79309eb3322"),
        ("mnist1d", "bb111bd9fe92c58d4e8ec08c209e1d815f59cc09d18446389a79317e45b5aaf1"),
    ],
)
def test_the_data_are_the_same_each_time_and_touch_no_global_generator(
    name: str, hashed: str
) -> None:
    random.seed(7)
    np.random.seed(7)  # noqa: NPY002 -- the global one is meant
    torch.manual_seed(7)
    before = [torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()]  # noqa: NPY002 -- as above
    assert datasets.load(name).sha256 == datasets.load(name).sha256 == hashed
    assert before == [torch.get_rng_state().tolist(), str(np.random.get_state()), random.getstate()]  # noqa: NPY002 -- as above


def test_mnist1d_has_curves_for_images_and_the_packages_own_test_set() -> None:
    curves = datasets.load("mnist1d")
    assert (len(curves.train), len(curves.validation), len(curves.test)) == (3600, 400, 1000)
    assert datasets.DATASETS["mnist1d"].training_images == 3600
    assert curves.validation.labels.bincount().tolist() == [40] * 10
    assert (curves.shape, curves.classes) == ((1, 1, 40), 10)
    assert curves.train.images.mean().item() == pytest.approx(0, abs=1e-6)
    assert curves.test.images.dtype == torch.float32


def test_of_a_given_test_set_all_images_and_no_others_are_tested_on() -> None:
    images, labels = np.arange(20.0).reshape(20, 1, 1, 1), np.repeat(np.arange(2), 10)
    divided = divide(images, labels, 3, (images[:4] + 100, labels[:4]))
    assert [len(split) for split in (divided.train, divided.validation, divided.test)] == [14, 6, 4]
    assert (
        len(
            set(
                torch.cat([divided.train.images, divided.validation.images, divided.test.images])
                .flatten()
                .tolist()
            )
        )
        == 24
    )
    assert divided.test.images.min() > divided.train.images.max()


def test_a_class_with_too_few_images_to_hold_out_is_told() -> None:
    with pytest.raises(
        ValueError, match="2 × 5 images of each class cannot be held out where one has 10"
    ):
        divide(np.zeros((20, 1, 1, 1)), np.repeat(np.arange(2), 10), held_out=5)


@pytest.mark.parametrize("name", ["digits", "mnist1d"])
def test_a_folder_for_data_that_come_with_a_package_is_refused_and_not_ignored(name: str) -> None:
    with pytest.raises(datasets.DataError, match="read from no folder; leave it out"):
        datasets.load(name, "anywhere")


def test_a_package_that_is_not_installed_is_told_with_the_command_that_brings_it() -> None:
    with pytest.raises(datasets.DataError, match="pip install no-such-package"):
        packaged("some data", "no-such-package", None)


def test_the_hash_tells_one_changed_pixel() -> None:
    digits = datasets.load("digits")
    before = digits.sha256
    digits.test.images[-1, 0, 7, 7] += 1
    assert digits.sha256 != before


def test_an_unknown_data_set_is_answered_with_the_known_ones() -> None:
    with pytest.raises(
        ValueError,
        match=r"dataset=digit; did you mean 'digits'\?; allowed: digits, mnist1d, fashion_mnist",
    ):
        datasets.load("digit")
