"""Fashion-MNIST's files: found, verified, refused with the way to mend them, downloaded whole or
not at all.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import struct
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest
import torch

from harness.config.usage import UsageError
from harness.report.terminal.datasets import show_datasets
from harness.training import datasets
from harness.training.datasets import DataError, fashion_mnist, fetching, idx

SHAPES = {
    "train-images-idx3-ubyte": (40, 2, 2),
    "train-labels-idx1-ubyte": (40,),
    "t10k-images-idx3-ubyte": (10, 2, 2),
    "t10k-labels-idx1-ubyte": (10,),
}
SHA256 = "2bfee97e25eac0bd382a0a7195990debe72503c02eac655d2164b6c76da5a306"  # of all splits, scaled


def content(values: np.ndarray) -> bytes:
    return struct.pack(f">HBB{values.ndim}I", 0, 8, values.ndim, *values.shape) + values.tobytes()


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with small files in the place of the published ones, which are known by their
    hashes; no other has any.
    """
    folder = tmp_path / "published"
    folder.mkdir()
    files = []
    for name, shape in SHAPES.items():
        drawn = np.random.Generator(np.random.PCG64(len(files)))
        values = (
            np.arange(shape[0], dtype=np.uint8) % 2
            if len(shape) == 1
            else drawn.integers(0, 256, shape, np.uint8)
        )
        (folder / f"{name}.gz").write_bytes(gzip.compress(content(values)))
        files.append(idx.File(name, shape, hashlib.sha256(content(values)).hexdigest()))
    monkeypatch.setattr(fashion_mnist, "FILES", tuple(files))
    monkeypatch.setattr(fashion_mnist, "HELD_OUT", 3)
    monkeypatch.setattr(fashion_mnist, "AT_ONCE", 7)
    monkeypatch.setattr(fashion_mnist, "DEBIAN", tmp_path / "debian")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder; what is under /elsewhere is redirected to a server that is not this one, and
    not HTTPS.
    """

    def do_GET(self) -> None:
        if not self.path.startswith("/elsewhere"):
            super().do_GET()
            return
        self.send_response(302)
        self.send_header("Location", "http://example.org/file.gz")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def url(small: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(small)))
    serving = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    serving.start()
    address = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(fashion_mnist, "URL", address)
    yield address
    server.shutdown()
    serving.join()
    server.server_close()


def silent(_name: str, _here: int, _total: int | None) -> None:
    pass


def test_the_published_files_are_split_and_scaled_as_ever() -> None:
    try:
        datasets.find("fashion_mnist")
    except DataError as missing:
        if os.environ.get("BNBENCH_NATIVE"):
            raise
        pytest.skip(str(missing))
    clothes = datasets.load("fashion_mnist")
    assert clothes.sha256 == SHA256
    assert clothes.shape == (1, 28, 28)
    assert clothes.classes == 10
    assert clothes.train.labels.bincount().tolist() == [5500] * 10
    assert clothes.validation.labels.bincount().tolist() == [500] * 10
    assert clothes.test.labels.bincount().tolist() == [1000] * 10


def test_each_image_is_in_one_split_with_its_label_and_scaled_by_those_to_train_on(
    small: Path,
) -> None:
    loaded = datasets.load("fashion_mnist", str(small))
    assert [len(split) for split in (loaded.train, loaded.validation, loaded.test)] == [34, 6, 10]
    files = {file.name: idx.read(small / f"{file.name}.gz", file) for file in fashion_mnist.FILES}
    images, labels = files["train-images-idx3-ubyte"], files["train-labels-idx1-ubyte"]
    train, (validation,) = datasets.splits.hold_out(labels, 3, 1)
    assert sorted([*train, *validation]) == list(range(40))
    mean, deviation = images[train].mean(), images[train].std()
    for split, of, by, rows in (
        (loaded.train, images, labels, train),
        (loaded.validation, images, labels, validation),
        (loaded.test, files["t10k-images-idx3-ubyte"], files["t10k-labels-idx1-ubyte"], range(10)),
    ):
        expected = (of[list(rows), None] - mean) / deviation
        torch.testing.assert_close(
            split.images, torch.tensor(expected, dtype=torch.float32), rtol=1e-6, atol=1e-6
        )
        assert split.labels.tolist() == by[list(rows)].tolist()
        assert split.labels.dtype == torch.int64


def test_files_that_are_not_gzipped_hold_the_same_data(small: Path) -> None:
    before = datasets.load("fashion_mnist", str(small)).sha256
    for path in small.iterdir():
        path.with_suffix("").write_bytes(gzip.decompress(path.read_bytes()))
        path.unlink()
    assert datasets.load("fashion_mnist", str(small)).sha256 == before


def test_the_users_folder_comes_alone_and_downloads_before_debians(
    small: Path, tmp_path: Path
) -> None:
    debian, home = tmp_path / "debian", tmp_path / "home/bnbench/fashion_mnist"
    debian.symlink_to(small)
    assert datasets.find("fashion_mnist") == str(debian)
    home.parent.mkdir(parents=True)
    home.symlink_to(small)
    assert datasets.find("fashion_mnist") == str(home)
    assert datasets.find("fashion_mnist", str(small)) == str(small)
    with pytest.raises(
        DataError, match=r"task\.data_folder=nowhere lacks train-images-idx3-ubyte\.gz"
    ):
        datasets.find("fashion_mnist", "nowhere")


@pytest.mark.parametrize("folder", [None, "nowhere"])
def test_missing_data_name_the_commands_that_bring_them(small: Path, folder: str | None) -> None:
    with pytest.raises(DataError) as missing:
        datasets.load("fashion_mnist", folder)
    for command in (
        "apt-get install dataset-fashion-mnist",
        "bnbench data fashion_mnist",
        "task.data_folder=FOLDER",
    ):
        assert command in str(missing.value)


def test_a_relative_data_home_is_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "relative")
    assert fashion_mnist.downloaded() == Path.home() / ".local/share/bnbench/fashion_mnist"


def magic(whole: bytes) -> bytes:
    return gzip.compress(b"\0\0\x0d" + whole[3:])


def other_shape(whole: bytes) -> bytes:
    return gzip.compress(content(np.zeros(9, np.uint8)))


def short(whole: bytes) -> bytes:
    return gzip.compress(whole[:-1])


def long(whole: bytes) -> bytes:
    return gzip.compress(whole + bytes(1 << 20))


def other(whole: bytes) -> bytes:
    return gzip.compress(whole[:-1] + b"\xff")


def truncated(whole: bytes) -> bytes:
    return gzip.compress(whole)[:-12]


def no_gzip(whole: bytes) -> bytes:
    return whole


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (
            magic,
            "begins with 00 00 0d 01, but an idx file of uint8 in 1 dimensions with 00 00 08 01",
        ),
        (other_shape, r"is of shape \(9,\), but should be of \(10,\)"),
        (short, "holds only 17 of the 18 bytes"),
        (long, "holds more than the 18 bytes"),
        (
            other,
            "SHA-256 of its content is [0-9a-f]{64}, but that of the published .* [0-9a-f]{64}",
        ),
        (truncated, "breaks off|no intact gzip"),
        (no_gzip, "no intact gzip"),
        (lambda _: b"", "breaks off after 0 of 18 bytes"),
    ],
)
def test_a_spoilt_file_is_told_with_what_is_wrong_and_how_to_mend_it(
    small: Path, spoil, message: str
) -> None:
    path = small / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(spoil(gzip.decompress(path.read_bytes())))
    with pytest.raises(
        DataError, match=f"t10k-labels-idx1-ubyte.gz: .*({message}).* To mend it: put the file"
    ):
        datasets.load("fashion_mnist", str(small))


def test_a_download_is_loaded_from_where_it_was_put_and_what_is_right_is_not_fetched_again(
    small: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    show_datasets("fashion_mnist")
    home = fashion_mnist.downloaded()
    assert capsys.readouterr().out == f"fashion_mnist: {home}\n"
    assert sorted(path.name for path in home.iterdir()) == sorted(
        path.name for path in small.iterdir()
    )
    assert (
        datasets.load("fashion_mnist").sha256 == datasets.load("fashion_mnist", str(small)).sha256
    )
    (home / "t10k-labels-idx1-ubyte.gz").write_bytes(b"spoilt")
    asked: list[str] = []
    fetch = fetching._fetch
    monkeypatch.setattr(fetching, "_fetch", lambda at, *rest: asked.append(at) or fetch(at, *rest))
    show_datasets("fashion_mnist")
    assert asked == [f"{url}/t10k-labels-idx1-ubyte.gz"]
    datasets.load("fashion_mnist")


@pytest.mark.parametrize(
    "spoil", [other, truncated, long, lambda whole: b"", lambda whole: os.urandom(1 << 17)]
)
def test_a_download_that_is_not_right_leaves_nothing_behind_but_the_files_before_it(
    small: Path, url: str, spoil
) -> None:
    path = small / "t10k-images-idx3-ubyte.gz"
    path.write_bytes(spoil(gzip.decompress(path.read_bytes())))
    with pytest.raises(
        UsageError, match=r"t10k-images-idx3-ubyte.gz could not be had .*apt-get install"
    ):
        show_datasets("fashion_mnist")
    assert sorted(path.name for path in fashion_mnist.downloaded().iterdir()) == [
        "train-images-idx3-ubyte.gz",
        "train-labels-idx1-ubyte.gz",
    ]


def test_a_server_that_hangs_up_half_way_leaves_nothing_behind(
    small: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def half(self: Quiet) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"half")

    monkeypatch.setattr(Quiet, "do_GET", half)
    with pytest.raises(DataError, match=r"train-images-idx3-ubyte\.gz could not be had"):
        fashion_mnist.fetch(silent)
    assert not list(fashion_mnist.downloaded().iterdir())


def test_without_a_server_no_folder_is_made_and_debians_package_is_named(
    small: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fashion_mnist, "URL", "http://127.0.0.1:1")
    with pytest.raises(
        UsageError, match=r"refused.*Without a network: apt-get install dataset-fashion-mnist"
    ):
        show_datasets("fashion_mnist")
    assert not fashion_mnist.downloaded().exists()


@pytest.mark.parametrize(
    "address", ["http://example.org", "ftp://example.org", "file:///etc", "{url}/elsewhere"]
)
def test_nothing_is_downloaded_but_by_https(
    small: Path, url: str, tmp_path: Path, address: str
) -> None:
    with pytest.raises(DataError, match="is not https"):
        fetching.fetch_files(tmp_path / "got", address.format(url=url), fashion_mnist.FILES, silent)
    assert not (tmp_path / "got").exists()


def test_all_data_sets_are_told_with_where_they_are_or_what_brings_them(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show_datasets(None)
    missing = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in missing] == list(datasets.DATASETS)
    assert "scikit-learn" in missing[0]
    assert "MISSING" in missing[2]
    assert "bnbench data fashion_mnist" in missing[2]
    (tmp_path / "debian").symlink_to(small)
    show_datasets(None)
    assert capsys.readouterr().out.splitlines()[2].endswith(str(tmp_path / "debian"))


def test_what_comes_with_a_package_has_nothing_to_download(
    capsys: pytest.CaptureFixture[str],
) -> None:
    show_datasets("digits")
    assert capsys.readouterr().out.startswith("digits: scikit-learn ")
    with pytest.raises(UsageError, match="did you mean 'digits'"):
        show_datasets("digit")
