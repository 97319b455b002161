"""A guest that is this machine: processes are started here, below a temporary home. For tests of what runs in a guest
where the wall around it is beside the point. No sandbox: run only what you wrote."""

import asyncio
import os
import signal
import tarfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import TracebackType
from typing import Self

from outrider.model.errors import SandboxError
from outrider.model.ids import SandboxId, new_id
from outrider.ports.sandbox import ByteReader, ByteWriter, ExecResult, ExecSpec
from outrider.testing.fake_guest import MARK, kill_marked

_PATH = "/usr/local/bin:/usr/bin:/bin"
_CHUNK_BYTES = 65_536


class LocalProcess:
    """Implements `outrider.ports.sandbox.Process` for a child of ours, which leads a session of its own."""

    def __init__(self, child: asyncio.subprocess.Process) -> None:
        self._child = child

    async def write(self, data: bytes) -> None:
        """Send bytes to its stdin. Nothing where it is dead."""
        if self._child.stdin:
            with suppress(ConnectionError):
                self._child.stdin.write(data)
                await self._child.stdin.drain()

    async def close_stdin(self) -> None:
        """Send end of file."""
        if self._child.stdin:
            self._child.stdin.close()

    def stdout(self) -> AsyncIterator[bytes]:
        """Its stdout in chunks."""
        return _chunks(self._child.stdout)

    def stderr(self) -> AsyncIterator[bytes]:
        """Its stderr in chunks."""
        return _chunks(self._child.stderr)

    async def signal(self, name: str) -> None:
        """Send a signal to its process group."""
        with suppress(ProcessLookupError):
            os.killpg(self._child.pid, signal.Signals[f"SIG{name}"])

    async def resize(self, columns: int, rows: int) -> None:
        """There is no terminal here."""
        raise NotImplementedError

    def drop(self) -> None:
        """Close its pipes, read or not. asyncio has no public name for it."""
        self._child._transport.close()  # type: ignore[attr-defined]

    async def wait(self) -> int:
        """Its exit code."""
        code = await self._child.wait()
        return code if code >= 0 else 128 - code


class LocalGuest:
    """Implements of `outrider.ports.sandbox.Guest` what needs no wall. Its home is `home`."""

    def __init__(self, home: Path, env: Mapping[str, str] | None = None) -> None:
        self.sandbox = SandboxId(new_id("sb"))
        self.home = home
        self._env = {"PATH": _PATH, "HOME": str(home), "LANG": "C.UTF-8", MARK: self.sandbox, **(env or {})}
        self._started: list[LocalProcess] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await kill_marked(self.sandbox)
        for process in self._started:
            await process.wait()
            process.drop()

    async def start(self, spec: ExecSpec) -> LocalProcess:
        """Start a command and return at once. Cancelled in the middle, asyncio would wait for the child to end."""
        return await asyncio.shield(self._start(spec))

    async def _start(self, spec: ExecSpec) -> LocalProcess:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(
            *spec.argv, cwd=spec.cwd, env=self._env | dict(spec.env), stdin=pipe, stdout=pipe, stderr=pipe,
            start_new_session=True,
        )  # fmt: skip
        process = LocalProcess(child)
        self._started.append(process)
        return process

    async def run(
        self, spec: ExecSpec, *, stdin: bytes = b"", timeout_seconds: float = 60, output_limit: int = 1 << 20
    ) -> ExecResult:
        """Run a command to its end."""
        merged = ExecSpec(argv=("/bin/sh", "-c", 'exec "$@" 2>&1', "sh", *spec.argv), cwd=spec.cwd, env=spec.env)
        process = await self.start(merged)
        output, timed_out = bytearray(), False
        try:
            async with asyncio.timeout(timeout_seconds):
                await process.write(stdin)
                await process.close_stdin()
                async for chunk in process.stdout():
                    output += chunk
        except TimeoutError:
            timed_out = True
            await process.signal("KILL")
        code = await process.wait()
        return ExecResult(code, bytes(output[:output_limit]), len(output) > output_limit, timed_out)

    async def put(self, path: str, tar: AsyncIterator[bytes]) -> None:
        """Unpack a tar stream below the folder `path`."""
        data = b"".join([chunk async for chunk in tar])
        try:
            with tarfile.open(fileobj=BytesIO(data)) as archive:
                archive.extractall(path)  # our own tar; Debian 12 has Python 3.11.2, without the `data` filter
        except OSError as error:
            raise SandboxError(f"The files could not be unpacked: {error}") from error

    def get(self, path: str, *, limit_bytes: int) -> AsyncIterator[bytes]:
        """Not here."""
        raise NotImplementedError

    async def dial(self, port: int) -> tuple[ByteReader, ByteWriter]:
        """Connect to a loopback port of this machine."""
        return await asyncio.open_connection("127.0.0.1", port)

    async def forward(self, port: int, socket_path: Path) -> None:
        """Not here: loopback is shared."""
        raise NotImplementedError

    async def kill_everything(self, *, spare: Sequence[str] = ()) -> int:
        """Kill all that was started from here, whatever became of it since."""
        return await kill_marked(self.sandbox)

    async def wait_lost(self) -> str:
        """This machine is not lost."""
        await asyncio.Event().wait()
        raise AssertionError


async def _chunks(stream: asyncio.StreamReader | None) -> AsyncIterator[bytes]:
    while stream and (chunk := await stream.read(_CHUNK_BYTES)):
        yield chunk
