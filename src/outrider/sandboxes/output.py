"""Output kept up to a limit: its beginning and its end, which are what people look for."""

from collections import deque


class BoundedOutput:
    """Keeps at most `limit` bytes: the first half of the limit, and the last; what is dropped is from the middle."""

    def __init__(self, limit: int) -> None:
        self._head_limit = limit // 2
        self._tail_limit = limit - self._head_limit
        self._head = bytearray()
        self._tail: deque[bytes] = deque()
        self._tail_bytes = 0
        self.truncated = False

    def add(self, data: bytes) -> None:
        """Take the next piece."""
        room = self._head_limit - len(self._head)
        self._head += data[:room]
        rest = data[room:]
        if not rest:
            return
        self._tail.append(rest)
        self._tail_bytes += len(rest)
        while self._tail and self._tail_bytes - len(self._tail[0]) >= self._tail_limit:
            self._tail_bytes -= len(self._tail.popleft())
            self.truncated = True

    def bytes(self) -> bytes:
        """What was kept."""
        tail = b"".join(self._tail)
        if len(tail) > self._tail_limit:
            self.truncated = True
            tail = tail[len(tail) - self._tail_limit :]
        return bytes(self._head) + tail

    def text(self) -> str:
        """What was kept, as text on one line."""
        return " ".join(self.bytes().decode(errors="replace").split())
