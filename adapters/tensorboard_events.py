"""TensorBoard's event files, byte by byte: protobuf messages in TFRecord frames.

A few small messages that have not changed for years.  A package that writes them brings along its own
idea of protobuf's version, about which trainers and trackers quarrel.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterable, Mapping
from typing import Any

UNKNOWN, SUCCESS, FAILURE = 0, 1, 2  # how a session of the HParams tab ended
_DT_FLOAT, _DT_STRING = 1, 7


def version(time: float) -> bytes:
    """The event that a file begins with."""
    return _record(_double(1, time) + _bytes(3, "brain.Event:2"))


def scalars(time: float, step: int, values: Iterable[tuple[str, float]]) -> bytes:
    """One event with numbers; of each TensorBoard keeps 32 bits."""
    return _event(time, step, [_bytes(1, tag) + _float(2, value) for tag, value in values])


def text(time: float, step: int, tag: str, markdown: str) -> bytes:
    """One event for the Text tab."""
    tensor = _int(1, _DT_STRING) + _bytes(2, _bytes(2, _int(1, 1))) + _bytes(8, markdown)
    return _event(time, step, [_bytes(1, tag) + _bytes(8, tensor) + _plugin("text", b"")])


def image(time: float, step: int, tag: str, data: bytes) -> bytes:
    """One event for the Images tab: the bytes of a PNG, JPEG or GIF.  Raises ValueError for anything else."""
    width, height = image_size(data)
    content = _int(1, height) + _int(2, width) + _int(3, 4) + _bytes(4, data)
    return _event(time, step, [_bytes(1, tag) + _bytes(4, content)])


def image_size(data: bytes) -> tuple[int, int]:
    """Width and height of a PNG, JPEG or GIF, from its header.  Raises ValueError for anything else."""
    if data[:8] == b"\x89PNG\r\n\x1a\n" and len(data) >= 24:
        width, height = struct.unpack(">II", data[16:24])
        return width, height
    if data[:6] in (b"GIF87a", b"GIF89a") and len(data) >= 10:
        width, height = struct.unpack("<HH", data[6:10])
        return width, height
    place = 2
    while data[:2] == b"\xff\xd8" and place + 9 < len(data):  # segments up to the one with the size
        mark, length = struct.unpack(">xBH", data[place : place + 4])
        if 0xC0 <= mark <= 0xCF and mark not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack(">HH", data[place + 5 : place + 9])
            return width, height
        place += 2 + length
    raise ValueError("an image for TensorBoard is PNG, JPEG or GIF")


def session_start(time: float, hparams: Mapping[str, Any]) -> bytes:
    """The event that gives the run its row in the HParams tab."""
    entries = [_bytes(1, _bytes(1, name) + _bytes(2, _value(value))) for name, value in hparams.items()]
    return _session(time, "_hparams_/session_start_info", _bytes(3, b"".join(entries) + _double(5, time)))


def session_end(time: float, status: int) -> bytes:
    """The event that says how the run ended."""
    return _session(time, "_hparams_/session_end_info", _bytes(4, _int(1, status) + _double(2, time)))


def _event(time: float, step: int, values: Iterable[bytes]) -> bytes:
    summary = b"".join(_bytes(1, value) for value in values)
    return _record(_double(1, time) + _int(2, step) + _bytes(5, summary))


def _session(time: float, tag: str, content: bytes) -> bytes:
    """The HParams tab reads the metadata; the tensor is there because an event has one."""
    empty = _int(1, _DT_FLOAT) + _bytes(2, _bytes(2, _int(1, 0)))
    return _event(time, 0, [_bytes(1, tag) + _bytes(8, empty) + _plugin("hparams", content)])


def _plugin(name: str, content: bytes) -> bytes:
    return _bytes(9, _bytes(1, _bytes(1, name) + _bytes(2, content)))


def _value(value: Any) -> bytes:
    """A google.protobuf.Value: a number, a boolean, or a text."""
    if isinstance(value, bool):
        return _int(4, value)
    if isinstance(value, (int, float)) and abs(value) < 1e300:  # no NaN either: the tab is made of JSON
        return _double(2, value)
    return _bytes(3, str(value))


def _int(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _double(number: int, value: float) -> bytes:
    return _varint(number << 3 | 1) + struct.pack("<d", value)


def _float(number: int, value: float) -> bytes:
    try:
        data = struct.pack("<f", value)
    except OverflowError:  # beyond 32 bits
        data = struct.pack("<f", math.inf if value > 0 else -math.inf)
    return _varint(number << 3 | 5) + data


def _bytes(number: int, value: str | bytes) -> bytes:
    data = value.encode("utf-8", "replace") if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF  # a negative one as its two's complement
    data = bytearray()
    while value > 0x7F:
        data.append(value & 0x7F | 0x80)
        value >>= 7
    data.append(value)
    return bytes(data)


def _record(data: bytes) -> bytes:
    """A TFRecord: the length and the data, each with its checksum."""
    length = struct.pack("<Q", len(data))
    return length + _checksum(length) + data + _checksum(data)


def _crc32c_table() -> list[int]:
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


_CRC32C = _crc32c_table()


def _checksum(data: bytes) -> bytes:
    """CRC-32C, masked as TFRecord wants it."""
    crc = 0xFFFF_FFFF
    for byte in data:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xFF]
    crc ^= 0xFFFF_FFFF
    return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFF_FFFF)
