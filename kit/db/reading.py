"""aiomysql's reading of results, as fast as plain Python allows.

The driver awaits each packet in two parts, and with each SELECT it takes apart anew what every column is called and is
like: half of what a short SELECT cost. Here a packet that has arrived is taken at once, what is known of the columns
is kept by their very bytes, and a row is read in one loop. Whatever is out of the ordinary (a packet that is still on
its way, a very long one, an error, a lost connection) goes the driver's own way, so that it ends as it did.
`tests/kit/db/test_reading.py` holds both to the same values.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from typing import Any

import aiomysql.connection as driver
from pymysql.connections import FieldDescriptorPacket, MysqlPacket
from pymysql.constants import FIELD_TYPE
from pymysql.converters import convert_date, convert_datetime, through

Convert = Callable[[bytes], Any]

_CHUNK = 1 << 18
_HEADER = 4
_GOES_ON = 0xFFFFFF  # a payload of this length continues in the next packet
_NULL = 0xFB
_LENGTH_BYTES = {0xFC: 2, 0xFD: 3, 0xFE: 8}
_ERROR, _END = 0xFF, 0xFE
_ROW_AT_LEAST = 9  # a row may begin like the end does, but then with a length of eight bytes
_BINARY = 63
_PYTHONS_OWN = frozenset({"utf8", "utf-8"})
_MOST_SHAPES = 1024


class Reader(driver._StreamReader):  # type: ignore[misc]  # noqa: SLF001 - there is no other place
    """The driver's stream, with what was taken from it in one piece and is not read yet from `at` on."""

    def __init__(self, loop: Any = None) -> None:
        super().__init__(loop=loop)
        self.taken = b""
        self.at = 0

    async def readexactly(self, n: int) -> bytes:
        if len(self.taken) - self.at < n:
            await self._take(n)
        end = self.at + n
        found = self.taken[self.at : end]
        self.at = end
        return found

    async def _take(self, count: int) -> None:
        parts = [self.taken[self.at :]]
        have = len(parts[0])
        while have < count:
            more = await self.read(_CHUNK)
            if not more:
                raise asyncio.IncompleteReadError(b"".join(parts), count)
            parts.append(more)
            have += len(more)
        self.taken, self.at = b"".join(parts), 0


@dataclass(frozen=True, slots=True)
class Shape:
    """What is known of a result's columns."""

    names: tuple[str, ...]
    fields: list[Any]
    description: tuple[Any, ...]
    converters: list[tuple[str | None, Any]]
    converts: tuple[Convert, ...]


_shapes: dict[tuple[Any, ...], Shape] = {}


def _arrived(connection: Any) -> bytes | None:
    """The next packet's payload, if it is here whole and an ordinary one; else None, and nothing is taken."""
    reader = connection._reader  # noqa: SLF001 - as the driver does
    data, start = reader.taken, reader.at + _HEADER
    if len(data) <= start:
        return None
    length = data[start - 4] | data[start - 3] << 8 | data[start - 2] << 16
    end, number = start + length, data[start - 1]
    if end > len(data) or not 0 < length < _GOES_ON or data[start] == _ERROR:
        return None
    if number != connection._next_seq_id:  # noqa: SLF001 - the same
        return None
    connection._next_seq_id = (number + 1) % 256  # noqa: SLF001 - the same
    if end == len(data):
        reader.taken, reader.at = b"", 0  # a large one is not kept until the next statement
    else:
        reader.at = end
    payload: bytes = data[start:end]
    return payload


_read_slowly = driver.Connection._read_packet  # noqa: SLF001 - this module exists to reach inside


async def _read_packet(self: Any, packet_type: Any = MysqlPacket) -> Any:
    payload = _arrived(self)
    if payload is None:
        return await _read_slowly(self, packet_type)
    return packet_type(payload, self._encoding)


async def _payload(connection: Any) -> bytes:
    payload = _arrived(connection)
    if payload is None:
        payload = (await _read_slowly(connection)).get_all_data()
    return payload


async def _get_descriptions(self: Any) -> None:
    """Of each column; kept by their bytes, since the same SELECT is asked thousands of times."""
    connection = self.connection
    columns = tuple([_arrived(connection) or await _payload(connection) for _ in range(self.field_count)])
    key = (connection.encoding, connection.use_unicode, columns)
    shape = _shapes.get(key)
    if shape is None:
        if len(_shapes) >= _MOST_SHAPES:
            _shapes.clear()
        shape = _shapes[key] = _shape(connection, columns)
    self.fields, self.converters, self.description = shape.fields, shape.converters, shape.description
    self.shape = shape
    end = MysqlPacket(await _payload(connection), connection.encoding)
    assert end.is_eof_packet(), "Protocol error, expecting EOF"  # noqa: S101 - as the driver does


async def _read_rows(self: Any) -> None:
    connection, converts = self.connection, self.shape.converts
    rows = []
    while True:
        payload = _arrived(connection) or await _payload(connection)
        if payload[0] == _END and len(payload) < _ROW_AT_LEAST:
            self._check_packet_is_eof(MysqlPacket(payload, connection.encoding))
            break
        rows.append(_row(payload, converts))
    self.connection = None
    self.affected_rows = len(rows)
    self.rows = tuple(rows)


def _row(payload: bytes, converts: Sequence[Convert]) -> tuple[Any, ...]:
    values: list[Any] = []
    at = 0
    for convert in converts:
        length = payload[at]
        at += 1
        if length >= _NULL:
            if length == _NULL:
                values.append(None)
                continue
            size = _LENGTH_BYTES[length]
            length = int.from_bytes(payload[at : at + size], "little")
            at += size
        end = at + length
        values.append(convert(payload[at:end]))
        at = end
    return tuple(values)


def _shape(connection: Any, columns: Sequence[bytes]) -> Shape:
    fields = [FieldDescriptorPacket(column, connection.encoding) for column in columns]
    converters = [_converter(connection, field) for field in fields]
    return Shape(
        names=tuple(field.name for field in fields),
        fields=fields,
        description=tuple(field.description() for field in fields),
        converters=converters,
        converts=tuple(_convert(encoding, converter) for encoding, converter in converters),
    )


def _converter(connection: Any, field: Any) -> tuple[str | None, Any]:
    """How the driver reads such a column: the encoding of its text, and what is made of that."""
    converter = connection.decoders.get(field.type_code)
    encoding: str | None = "ascii"
    if not connection.use_unicode:
        encoding = None
    elif field.type_code == FIELD_TYPE.JSON:
        encoding = connection.encoding
    elif field.type_code in driver.TEXT_TYPES:
        encoding = None if field.charsetnr == _BINARY else connection.encoding
    return encoding, None if converter is through else converter


def _convert(encoding: str | None, converter: Any) -> Convert:
    """The same in one call, and for the most common kinds in one of C's."""
    if converter is None:
        if encoding is None:
            return bytes
        return bytes.decode if encoding in _PYTHONS_OWN else partial(str, encoding=encoding)
    if encoding is not None:
        if converter is int:
            return int
        if converter is convert_datetime:
            return _moment
        if converter is convert_date:
            return _day
    return lambda value: converter(value if encoding is None else value.decode(encoding))


def _moment(value: bytes) -> Any:
    """A DATETIME; what is none in Python stays a text, as the driver has it."""
    text = value.decode("ascii")
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        return convert_datetime(text)


def _day(value: bytes) -> Any:
    text = value.decode("ascii")
    try:
        return date.fromisoformat(text)
    except ValueError:
        return convert_date(text)


def apply() -> None:
    """Have the driver read so; safe to call more than once, before the first connection is made."""
    connection: Any = driver
    connection._StreamReader = Reader  # noqa: SLF001 - the same
    connection.Connection._read_packet = _read_packet  # noqa: SLF001 - the same
    connection.MySQLResult._get_descriptions = _get_descriptions  # noqa: SLF001 - the same
    connection.MySQLResult._read_rowdata_packet = _read_rows  # noqa: SLF001 - the same
