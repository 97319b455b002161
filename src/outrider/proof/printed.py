"""What a command printed, however much: its beginning, its end and how much it was in all."""

import re

KEPT_BYTES = 512 << 10
"""Kept of the beginning and of the end each."""

TAIL_CHARACTERS = 4000

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)


class Printed:
    """Takes output in chunks; memory stays bounded."""

    def __init__(self, kept_bytes: int = KEPT_BYTES) -> None:
        self._kept = kept_bytes
        self._beginning = bytearray()
        self._end = bytearray()
        self.total = 0
        """How much came, in bytes."""

    def add(self, chunk: bytes) -> None:
        """More output."""
        self.total += len(chunk)
        room = self._kept - len(self._beginning)
        if room > 0:
            self._beginning += chunk[:room]
            chunk = chunk[room:]
        self._end += chunk
        if len(self._end) > 2 * self._kept:
            del self._end[: -self._kept]

    @property
    def truncated(self) -> bool:
        """Whether something in the middle was dropped."""
        return self.total > 2 * self._kept

    def log(self) -> bytes:
        """What is kept, with a mark where something was dropped."""
        if not self.truncated:
            return bytes(self._beginning + self._end)
        dropped = self.total - 2 * self._kept
        mark = f"\n[… {dropped:,} bytes are not kept …]\n".encode()
        return bytes(self._beginning) + mark + bytes(self._end[-self._kept :])

    def tail(self) -> str:
        """The last lines as plain text, without control sequences."""
        last = bytes(self._end[-4 * TAIL_CHARACTERS :])
        if len(last) < 4 * TAIL_CHARACTERS:
            last = bytes(self._beginning[-(4 * TAIL_CHARACTERS - len(last)) :]) + last
        return plain_tail(last.decode(errors="replace"))


def plain_tail(text: str) -> str:
    """The last TAIL_CHARACTERS of a text, from the beginning of a line, without control sequences."""
    plain = _CONTROL.sub("", text.replace("\r\n", "\n"))
    if len(plain) <= TAIL_CHARACTERS:
        return plain.rstrip()
    cut = plain[-TAIL_CHARACTERS:]
    return (cut.partition("\n")[2] or cut).rstrip()
