"""A command running in a guest: one SSH channel with bounded buffers in both directions."""

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable

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


class _Channel(asyncssh.SSHClientSession[bytes]):
    """The receiving end of the SSH channel: what asyncssh calls when something happens."""

    def __init__(self) -> None:
        self.stdout = _Output()
        self.stderr = _Output()
        self.writable = asyncio.Event()
        self.writable.set()
        self.ended = asyncio.Event()
        self.code: int | None = None
        self.closed = False
        self.channel: asyncssh.SSHClientChannel[bytes] | None = None

    def connection_made(self, chan: "asyncssh.SSHClientChannel[bytes]") -> None:
        """The channel is open."""
        self.channel = chan

    def data_received(self, data: bytes, datatype: int | None) -> None:
        """Output has come; stop reading when too much of it is unread."""
        (self.stderr if datatype == asyncssh.EXTENDED_DATA_STDERR else self.stdout).add(data)
        if self.held() > HIGH_WATER_BYTES and self.channel:
            self.channel.pause_reading()

    def eof_received(self) -> bool:
        """No more output comes. Our side stays open."""
        self._end_output()
        return True

    def pause_writing(self) -> None:
        """The guest does not read."""
        self.writable.clear()

    def resume_writing(self) -> None:
        """The guest reads again."""
        self.writable.set()

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
        self.closed = True
        self._end_output()
        self._end(self.code)

    def held(self) -> int:
        """Bytes that nobody has read yet."""
        return self.stdout.held + self.stderr.held

    def _end_output(self) -> None:
        self.stdout.end()
        self.stderr.end()

    def _end(self, code: int | None) -> None:
        self.code = code
        self.writable.set()
        self.ended.set()


class GuestProcess:
    """Implements `outrider.ports.sandbox.Process`."""

    def __init__(self) -> None:
        self.receiver = _Channel()
        self.signal_group: Callable[[str], Awaitable[None]] | None = None
        """How to signal where the channel cannot."""

    async def write(self, data: bytes) -> None:
        """Send bytes to its stdin; waits while the guest does not read."""
        await self.receiver.writable.wait()
        if self._channel is None:
            raise self._gone()
        try:
            self._channel.write(data)
        except OSError as error:
            raise self._gone() from error

    async def close_stdin(self) -> None:
        """Send end of file."""
        if self._channel:
            self._channel.write_eof()

    def stdout(self) -> AsyncIterator[bytes]:
        """Its stdout until it ends."""
        return self._read(self.receiver.stdout)

    def stderr(self) -> AsyncIterator[bytes]:
        """Its stderr until it ends."""
        return self._read(self.receiver.stderr)

    async def signal(self, name: str) -> None:
        """Send a signal to its process group."""
        if name not in SIGNALS:
            raise SandboxError(f"There is no signal {name}.")
        if self._channel is None or not self.running():
            return
        if self.signal_group:
            await self.signal_group(name)
        else:
            self._channel.send_signal(name)

    async def resize(self, columns: int, rows: int) -> None:
        """Tell the terminal's new size."""
        if self._channel:
            self._channel.change_terminal_size(columns, rows)

    async def ended(self) -> None:
        """Wait until it has ended or is lost."""
        await self.receiver.ended.wait()

    async def wait(self) -> int:
        """Its exit code."""
        await self.ended()
        if self.receiver.code is None:
            raise SandboxLost("The sandbox went away before the command had ended.")
        return self.receiver.code

    def running(self) -> bool:
        """Whether neither an exit nor the end of the channel was heard of."""
        return not self.receiver.ended.is_set()

    def close(self) -> None:
        """Close the channel; what still writes to it in the guest gets a broken pipe."""
        if self._channel:
            self._channel.close()

    @property
    def _channel(self) -> "asyncssh.SSHClientChannel[bytes] | None":
        return None if self.receiver.closed else self.receiver.channel

    async def _read(self, output: _Output) -> AsyncIterator[bytes]:
        while data := await output.next():
            if self._channel and self.receiver.held() <= HIGH_WATER_BYTES // 2:
                self._channel.resume_reading()
            yield data

    def _gone(self) -> SandboxError:
        if self.receiver.code is not None:
            return SandboxError(f"The command has ended with exit code {self.receiver.code} and reads no more.")
        return SandboxLost("The sandbox went away while the command was running.")
