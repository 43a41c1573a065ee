"""Logs as files: plain, or compressed by gzip, bzip2, xz or zstd, which their first bytes tell."""

from __future__ import annotations

import io
import os
from importlib import import_module
from typing import Any, BinaryIO

from capture.errors import UserError
from capture.runs.model import PathLike

# What a compressed file begins with (RFC 1952, bzip2's and xz's file formats, RFC 8878).
_BEGINNINGS = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
ENDINGS = (".gz", ".bz2", ".xz", ".zst")
LOOK = 4096  # bytes


def open_log(path: PathLike) -> BinaryIO:
    """Open a log for reading.  Raises UserError where it can't be opened, also later where it is damaged."""
    try:
        file = open(path, "rb")  # noqa: SIM115  it is returned
        if (kind := _compression(file)) is None:
            return file
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}") from None
    return io.BufferedReader(_Decompressed(str(path), kind, file), 1 << 18)


def is_compressed(path: PathLike) -> bool:
    """Whether a log is compressed.  Raises OSError where it can't be read."""
    with open(path, "rb") as file:
        return _compression(file) is not None


def may_be_text(path: PathLike) -> bool:
    """Whether a file may be a log: it is compressed, or has no NUL at its beginning.

    Raises OSError where it can't be read.
    """
    with open(path, "rb") as file:
        return _compression(file) is not None or b"\0" not in file.read(LOOK)


def stem(path: PathLike) -> str:
    """The name of a log without its folder and its endings: `train` of `logs/train.log.gz`."""
    name = os.path.basename(path)
    for ending in ENDINGS:
        name = name.removesuffix(ending)
    return os.path.splitext(name)[0]


def _compression(file: BinaryIO) -> str | None:
    beginning = file.read(8)
    file.seek(0)
    return next((kind for start, kind in _BEGINNINGS.items() if beginning.startswith(start)), None)


class _Decompressed(io.RawIOBase):
    """The text of a compressed file, whose damage is one sentence."""

    def __init__(self, path: str, kind: str, file: BinaryIO) -> None:
        self._path, self._kind, self._file = path, kind, file
        self._reader: Any = _reader(path, kind, file)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            data = self._reader.read(len(buffer))
        except Exception as error:  # each library has errors of its own
            raise UserError(f"{self._path}: damaged: {error}") from None
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        if not self.closed:
            self._reader.close()
            self._file.close()
        super().close()


def _reader(path: str, kind: str, file: BinaryIO) -> Any:
    """What decompresses the file; each library is imported only where it is needed."""
    if kind == "gzip":
        import gzip

        return gzip.GzipFile(fileobj=file)
    if kind == "bz2":
        import bz2

        return bz2.BZ2File(file)
    if kind == "xz":
        import lzma

        return lzma.LZMAFile(file)
    for name in ("compression.zstd", "backports.zstd"):  # in the standard library from Python 3.14 on
        try:
            return import_module(name).ZstdFile(file)
        except ImportError:
            continue
    file.close()
    raise UserError(f"{path}: zstd needs a library: pip install backports.zstd")
