"""A command running in a guest: one SSH channel with bounded buffers in both directions."""

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator
from typing import Any

import asyncssh

from outrider.model.errors import SandboxError, SandboxLost

HIGH_WATER_BYTES = 1 << 20
"""Unread output of a command that we hold before the guest has to wait. The channel's own window adds 2 MB."""

SIGNALS = {name.removeprefix("SIG"): number for name, number in signal.Signals.__members__.items()}


class _Output:
    """Chunks of one stream that nobody has read yet."""

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.held = 0
        self.ended = False
        self.changed = asyncio.Event()

    def add(self, data: bytes) -> None:
        self.chunks.append(data)
        self.held += len(data)
        self.changed.set()

    def end(self) -> None:
        self.ended = True
        self.changed.set()

    async def next(self) -> bytes:
        """The next chunk; empty at the end."""
        while not self.chunks:
            if self.ended:
                return b""
            self.changed.clear()
            await self.changed.wait()
        data = self.chunks.popleft()
        self.held -= len(data)
        return data


class GuestProcess(asyncssh.SSHClientSession[bytes]):
    """Implements `outrider.ports.sandbox.Process` as the receiving end of a channel."""

    def __init__(self) -> None:
        self._channel: asyncssh.SSHClientChannel[bytes] | None = None
        self._stdout = _Output()
        self._stderr = _Output()
        self._writable = asyncio.Event()
        self._writable.set()
        self._ended = asyncio.Event()
        self._code: int | None = None
        self._closed = False

    # What asyncssh calls.

    def connection_made(self, chan: "asyncssh.SSHClientChannel[bytes]") -> None:
        """The channel is open."""
        self._channel = chan

    def data_received(self, data: bytes, datatype: Any) -> None:
        """Output has come; stop reading when too much of it is unread."""
        (self._stderr if datatype == asyncssh.EXTENDED_DATA_STDERR else self._stdout).add(data)
        if self._held() > HIGH_WATER_BYTES and self._channel:
            self._channel.pause_reading()

    def eof_received(self) -> bool:
        """No more output comes. Our side stays open."""
        self._end_output()
        return True

    def pause_writing(self) -> None:
        """The guest does not read."""
        self._writable.clear()

    def resume_writing(self) -> None:
        """The guest reads again."""
        self._writable.set()

    def exit_status_received(self, status: int) -> None:
        """The command has ended by itself."""
        self._end(status)

    def exit_signal_received(self, signal: str, core_dumped: bool, msg: str, lang: str) -> None:
        """A signal has ended the command."""
        del core_dumped, msg, lang
        self._end(128 + SIGNALS.get(signal, 0))

    def connection_lost(self, exc: Exception | None) -> None:
        """The channel is closed."""
        del exc
        self._closed = True
        self._end_output()
        self._end(self._code)

    # What the port promises.

    async def write(self, data: bytes) -> None:
        """Send bytes to its stdin; waits while the guest does not read."""
        await self._writable.wait()
        if self._closed or self._channel is None:
            raise self._gone()
        try:
            self._channel.write(data)
        except OSError as error:
            raise self._gone() from error

    async def close_stdin(self) -> None:
        """Send end of file."""
        if self._channel and not self._closed:
            self._channel.write_eof()

    def stdout(self) -> AsyncIterator[bytes]:
        """Its stdout until it ends."""
        return self._read(self._stdout)

    def stderr(self) -> AsyncIterator[bytes]:
        """Its stderr until it ends."""
        return self._read(self._stderr)

    async def signal(self, name: str) -> None:
        """Send a signal to its process group."""
        if name not in SIGNALS:
            raise SandboxError(f"There is no signal {name}.")
        if self._channel and not self._ended.is_set():
            self._channel.send_signal(name)

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal's new size."""
        if self._channel and not self._closed:
            self._channel.change_terminal_size(columns, rows)

    async def wait(self) -> int:
        """Its exit code."""
        await self._ended.wait()
        if self._code is None:
            raise SandboxLost("The sandbox went away before the command had ended.")
        return self._code

    # What the guest connection needs besides.

    def running(self) -> bool:
        """Whether neither an exit nor the end of the channel was heard of."""
        return not self._ended.is_set()

    def close(self) -> None:
        """Close the channel; what still writes to it in the guest gets a broken pipe."""
        if self._channel and not self._closed:
            self._channel.close()

    def _held(self) -> int:
        return self._stdout.held + self._stderr.held

    async def _read(self, output: _Output) -> AsyncIterator[bytes]:
        while data := await output.next():
            if self._held() <= HIGH_WATER_BYTES // 2 and self._channel and not self._closed:
                self._channel.resume_reading()
            yield data

    def _end_output(self) -> None:
        self._stdout.end()
        self._stderr.end()

    def _end(self, code: int | None) -> None:
        self._code = code
        self._writable.set()
        self._ended.set()

    def _gone(self) -> SandboxError:
        if self._code is not None:
            return SandboxError(f"The command has ended with exit code {self._code} and reads no more.")
        return SandboxLost("The sandbox went away while the command was running.")
