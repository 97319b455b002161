"""Moving bytes between a guest and the outside: no more in memory than one piece each way, and not for ever."""

import asyncio
import logging
import re

from outrider.broker.egress.dial import Streams, Unreachable

CHUNK = 64 << 10
IDLE_SECONDS = 300.0
"""A connection over which nothing moved for so long is closed."""
ANSWER_SECONDS = 60.0
"""How long a plain http host may take to send the head of its answer."""

_log = logging.getLogger(__name__)
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?")
_HOP = frozenset((b"connection", b"keep-alive", b"proxy-connection", b"proxy-authenticate", b"upgrade"))
_NO_BODY = (b"204", b"304")


async def splice(one: Streams, other: Streams) -> None:
    """Copy both ways until both ends are done, one breaks, or nothing moves."""
    try:
        async with asyncio.timeout(IDLE_SECONDS) as idle:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(_copy(one[0], other[1], idle), name="egress to outside")
                tasks.create_task(_copy(other[0], one[1], idle), name="egress to guest")
    except* OSError as ended:
        _log.debug("a tunnel ended early: %r", ended.exceptions[0])


async def copy_answer(outside: asyncio.StreamReader, guest: asyncio.StreamWriter, *, body: bool) -> None:
    """Relay one plain answer and say that the connection ends with it. Raises Unreachable where none comes."""
    head, length, has_body = await _answer_head(outside)
    guest.write(head)
    await guest.drain()
    if not (body and has_body):
        return
    async with asyncio.timeout(IDLE_SECONDS) as idle:
        await _copy(outside, guest, idle, length)


async def _copy(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, idle: asyncio.Timeout, length: int | None = None
) -> None:
    loop = asyncio.get_running_loop()
    left = length
    while left is None or left > 0:
        data = await reader.read(CHUNK if left is None else min(CHUNK, left))
        if not data:
            break
        left = None if left is None else left - len(data)
        writer.write(data)
        await writer.drain()
        if not idle.expired():
            idle.reschedule(loop.time() + IDLE_SECONDS)
    if writer.can_write_eof():
        writer.write_eof()


async def _answer_head(outside: asyncio.StreamReader) -> tuple[bytes, int | None, bool]:
    """The head to pass on, the length of the body where it is told, and whether there can be one."""
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            status, lines = b"100", [b""]
            while status.startswith(b"1"):
                status, lines = _parsed(await outside.readuntil(b"\r\n\r\n"))
    except (TimeoutError, OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
        raise Unreachable("The host did not answer with HTTP.") from error
    pairs = [(line.partition(b":")[0].strip().lower(), line) for line in lines[1:]]
    kept = [line for name, line in pairs if name not in _HOP]
    head = b"\r\n".join([lines[0], *kept, b"Connection: close", b"", b""])
    return head, _length(pairs), status not in _NO_BODY


def _parsed(head: bytes) -> tuple[bytes, list[bytes]]:
    lines = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    match = _STATUS.fullmatch(lines[0])
    if match is None:
        raise Unreachable("The host did not answer with HTTP.")
    return match[1], lines


def _length(pairs: list[tuple[bytes, bytes]]) -> int | None:
    """The told length. With chunks, or where it is told twice, the end of the connection is the end of the body."""
    if any(name == b"transfer-encoding" for name, _ in pairs):
        return None
    told = [line.partition(b":")[2].strip() for name, line in pairs if name == b"content-length"]
    return int(told[0]) if len(told) == 1 and re.fullmatch(rb"[0-9]{1,15}", told[0]) else None
