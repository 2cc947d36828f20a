"""Files in the idx format, gzipped or not, read against what they should hold.

The format: two zeros, a byte for the type, a byte for the number of dimensions, each dimension as a
big-endian uint32, then the values in row-major order. Source: LeCun, Cortes and Burges, "The MNIST
database of handwritten digits", at its end.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    import numpy as np

UINT8 = 0x08
# zlib's word for a gzip header, and a trailer whose checksum is held against the content
GZIP = 16 + zlib.MAX_WBITS


class File(NamedTuple):
    """What is published: the name without ``.gz``, the shape of its uint8, SHA-256 of the content
    before compression.
    """

    name: str
    shape: tuple[int, ...]
    sha256: str


def read(path: Path, file: File) -> np.ndarray[tuple[int, ...], np.dtype[np.uint8]]:
    """The values in ``path``, read-only, if they are those of ``file``. Gzipped where the name ends
    in ``.gz``.

    Raises ValueError for anything else in it, and OSError where it cannot be read. Not more of it
    is ever unpacked than ``file`` holds.
    """
    import numpy as np

    header = struct.pack(f">HBB{len(file.shape)}I", 0, UINT8, len(file.shape), *file.shape)
    size = len(header) + prod(file.shape)
    content = _content(path, size)
    _check_header(content, header, file.shape)
    if len(content) != size:
        held = "more than" if len(content) > size else f"only {len(content):,} of"
        raise ValueError(f"it holds {held} the {size:,} bytes that belong in it")
    found = hashlib.sha256(content).hexdigest()
    if found != file.sha256:
        raise ValueError(
            f"SHA-256 of its content is {found}, but that of the published {file.name} is "
            f"{file.sha256}"
        )
    return np.frombuffer(content, np.uint8, offset=len(header)).reshape(file.shape)


def _content(path: Path, size: int) -> bytes:
    """At most one byte more than ``size``, which is enough to see that there are too many."""
    if path.suffix != ".gz":
        with path.open("rb") as stream:
            return stream.read(size + 1)
    unpacking = zlib.decompressobj(wbits=GZIP)
    try:
        content = unpacking.decompress(path.read_bytes(), size + 1)
    except zlib.error as error:
        raise ValueError(f"it is no intact gzip file ({error})") from error
    if not unpacking.eof and len(content) <= size:
        raise ValueError(f"it breaks off after {len(content):,} of {size:,} bytes, unpacked")
    return content


def _check_header(content: bytes, header: bytes, shape: tuple[int, ...]) -> None:
    if content[:4] != header[:4]:
        raise ValueError(
            f"it begins with {content[:4].hex(' ')}, but an idx file of uint8 in {len(shape)} "
            f"dimensions with {header[:4].hex(' ')}"
        )
    if len(content) >= len(header) and content[: len(header)] != header:
        found = struct.unpack(f">{len(shape)}I", content[4 : len(header)])
        raise ValueError(f"it is of shape {found}, but should be of {shape}")
