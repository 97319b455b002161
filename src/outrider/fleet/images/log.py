"""The log of a build: plain lines without secrets in a file of bounded size, read while it grows."""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from outrider.model.ids import BuildId

LOG_BYTES = 4 << 20
"""Kept of one build, from its beginning. Of what comes after it only the last lines are kept."""

LINE_CHARACTERS = 2000
LAST_LINES = 40
TAIL_CHARACTERS = 4000
PAGE_BYTES = 256 << 10

_CONTROL = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b.?|[\x00-\x08\x0b-\x1f\x7f-\x9f]"
)

Redact = Callable[[str], str]


class BuildLog:
    """Takes lines of ours and output of commands. Use as a context manager: the end writes down what is left."""

    def __init__(self, path: Path, redact: Redact, changed: Callable[[], None]) -> None:
        self._redact = redact
        self._changed = changed
        self._last: deque[str] = deque(maxlen=LAST_LINES)
        self._written = 0
        self._dropped = 0
        self._rest = ""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._file = path.open("ab", buffering=0)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        if self._dropped:
            lines = [f"[… {self._dropped - len(self._last):,} lines are not kept …]", *self._last]
            self._file.write("".join(f"{line}\n" for line in lines).encode())
        self._file.close()
        self._changed()

    def say(self, sentence: str) -> None:
        """A line of ours."""
        self._flush()
        self._line(f"==> {sentence}")

    def output(self, chunk: bytes) -> None:
        """What a command printed."""
        *lines, rest = (self._rest + chunk.decode(errors="replace")).split("\n")
        self._rest = rest
        for line in lines:
            self._line(line)
        if len(self._rest) > LINE_CHARACTERS:
            self._flush()

    def tail(self) -> str:
        """The last lines."""
        self._flush()
        return "\n".join(self._last)[-TAIL_CHARACTERS:]

    def clean(self, text: str) -> str:
        """A text of a guest's as it may be stored elsewhere: without secrets and control sequences."""
        return self._redact(_CONTROL.sub("", text))

    def _flush(self) -> None:
        rest, self._rest = self._rest, ""
        if rest:
            self._line(rest)

    def _line(self, text: str) -> None:
        line = self.clean(text.rstrip("\r").rpartition("\r")[2])[:LINE_CHARACTERS]
        self._last.append(line)
        if self._written < LOG_BYTES:
            self._written += self._file.write(f"{line}\n".encode())
        else:
            self._dropped += 1
        self._changed()


class BuildLogs:
    """The logs of all builds, a file each below one folder."""

    def __init__(self, folder: Path, redact: Redact = lambda text: text) -> None:
        self._folder = folder
        self._redact = redact

    def open(self, build: BuildId, changed: Callable[[], None]) -> BuildLog:
        """The log of a build, to write on; `changed` is told of every line."""
        return BuildLog(self._path(build), self._redact, changed)

    async def read(self, build: BuildId, offset: int) -> tuple[list[str], int]:
        """Whole lines after an offset, and the offset after them. Nothing where there is no log."""
        data = await asyncio.to_thread(self._read, build, offset)
        whole = data[: data.rfind(b"\n") + 1]
        return whole.decode(errors="replace").split("\n")[:-1], offset + len(whole)

    async def delete(self, build: BuildId) -> None:
        """Delete one. No error where there is none."""
        await asyncio.to_thread(lambda: self._path(build).unlink(missing_ok=True))

    def _path(self, build: BuildId) -> Path:
        return self._folder / f"{build}.log"

    def _read(self, build: BuildId, offset: int) -> bytes:
        try:
            with self._path(build).open("rb") as file:
                file.seek(offset)
                return file.read(PAGE_BYTES)
        except FileNotFoundError:
            return b""
