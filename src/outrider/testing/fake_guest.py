"""The inside of a fake sandbox: plain processes of this machine, marked in their environment so that all are found."""

import asyncio
import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import SandboxId
from outrider.model.limits import FIXED, limit_reached
from outrider.model.sandbox import GUEST_HOME, TOOLBOX, WORKSPACE
from outrider.model.services import SERVICE_ROLE
from outrider.ports.sandbox import ByteReader, ByteWriter, ExecResult, ExecSpec

MARK = "OUTRIDER_FAKE_SANDBOX"
CHUNK_BYTES = 1 << 16
DRAIN_SECONDS = 0.3
POLL_SECONDS = 0.02


class FakeProcess:
    """Implements `outrider.ports.sandbox.Process`."""

    def __init__(self, child: asyncio.subprocess.Process, terminal: int | None, alive: Callable[[], bool]) -> None:
        self.child = child
        self._terminal = terminal
        self._alive = alive

    async def write(self, data: bytes) -> None:
        """To its stdin or its terminal."""
        if self._terminal is not None:
            await asyncio.to_thread(os.write, self._terminal, data)
            return
        try:
            assert self.child.stdin is not None
            self.child.stdin.write(data)
            await self.child.stdin.drain()
        except ConnectionError as error:
            raise SandboxError("The command has ended and reads no more.") from error

    async def close_stdin(self) -> None:
        """End of file."""
        if self.child.stdin:
            self.child.stdin.close()

    async def stdout(self) -> AsyncIterator[bytes]:
        """Until it ends."""
        while chunk := await self._next():
            yield chunk

    async def stderr(self) -> AsyncIterator[bytes]:
        """Until it ends."""
        while self.child.stderr and (chunk := await self.child.stderr.read(CHUNK_BYTES)):
            yield chunk

    async def signal(self, name: str) -> None:
        """To the process group, which the command leads."""
        if self.child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.child.pid, signal.Signals[f"SIG{name}"])

    async def resize(self, columns: int, rows: int) -> None:
        """The terminal's size."""
        if self._terminal is not None:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    async def wait(self) -> int:
        """Its exit code."""
        code = await self.exited()
        if not self._alive():
            raise SandboxLost("The sandbox went away before the command had ended.")
        return code if code >= 0 else 128 - code

    async def exited(self) -> int:
        """Its return code. Not asyncio's `wait`, which also waits for whoever inherited the pipes."""
        while self.child.returncode is None:  # noqa: ASYNC110 - asyncio has no event for it
            await asyncio.sleep(POLL_SECONDS)
        return self.child.returncode

    async def _next(self) -> bytes:
        if self._terminal is None:
            assert self.child.stdout is not None
            return await self.child.stdout.read(CHUNK_BYTES)
        try:
            return await asyncio.to_thread(os.read, self._terminal, CHUNK_BYTES)
        except OSError:
            return b""


class FakeGuest:
    """Implements `outrider.ports.sandbox.Guest`. `runs` says whether the sandbox still does."""

    def __init__(self, sandbox: SandboxId, root: Path, runs: Callable[[], bool]) -> None:
        self.sandbox = sandbox
        self.root = root
        self._runs = runs
        self._open = True
        self._started: list[FakeProcess] = []
        self._servers: list[asyncio.Server] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._open = False
        for process in self._started:
            await process.signal("KILL")
            await process.exited()
        for server in self._servers:
            server.close()

    async def start(self, spec: ExecSpec) -> FakeProcess:
        """Start a process here."""
        return await self._start(spec, asyncio.subprocess.PIPE)

    async def run(
        self, spec: ExecSpec, *, stdin: bytes = b"", timeout_seconds: float = 60, output_limit: int = 1 << 20
    ) -> ExecResult:
        """Run a process here to its end."""
        process = await self._start(spec, asyncio.subprocess.STDOUT)
        output, timed_out = bytearray(), False
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(_collect(process, output), name="fake-output")
            feeder = group.create_task(_feed(process, stdin), name="fake-input")
            try:
                async with asyncio.timeout(timeout_seconds):
                    await process.exited()
            except TimeoutError:
                timed_out = True
                await process.signal("KILL")
                await process.exited()
            except asyncio.CancelledError:
                await process.signal("KILL")
                raise
            await asyncio.wait([reader], timeout=DRAIN_SECONDS)
            reader.cancel()
            feeder.cancel()
        kept = bytes(output)
        if len(kept) > output_limit:
            kept = kept[: output_limit // 2] + kept[-(output_limit - output_limit // 2) :]
        return ExecResult(await process.wait(), kept, len(output) > output_limit, timed_out)

    async def put(self, path: str, tar: AsyncIterator[bytes]) -> None:
        """Unpack with tar."""
        self._place(path).mkdir(parents=True, exist_ok=True)
        process = await self.start(ExecSpec(argv=["tar", "-xpf", "-", "--no-same-owner", "-C", path], cwd="/"))
        with contextlib.suppress(SandboxError):
            async for chunk in tar:
                await process.write(chunk)
        await process.close_stdin()
        if code := await process.wait():
            raise SandboxError(f"The files could not be unpacked at {path} (tar exit {code}).")

    async def get(self, path: str, *, limit_bytes: int) -> AsyncIterator[bytes]:
        """Pack with tar."""
        parent, _, name = path.rpartition("/")
        process = await self.start(ExecSpec(argv=["tar", "-cf", "-", "-C", parent or "/", "--", name], cwd="/"))
        taken = 0
        async for chunk in process.stdout():
            taken += len(chunk)
            if taken > limit_bytes:
                await process.signal("KILL")
                raise limit_reached(f"{path} is larger than {limit_bytes:,} bytes, the most that is read.", "", FIXED)
            yield chunk
        if await process.wait():
            raise SandboxError(f"{path} could not be read.")

    async def dial(self, port: int) -> tuple[ByteReader, ByteWriter]:
        """Connect to a loopback port, which is this machine's."""
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError as error:
            raise SandboxError(f"Nothing answers on port {port} in the sandbox.") from error

    async def forward(self, port: int, socket_path: Path) -> None:
        """Listen on a loopback port, which is this machine's: two fakes cannot forward the same one."""

        async def splice(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            ours_in, ours_out = await asyncio.open_unix_connection(socket_path)
            async with asyncio.TaskGroup() as group:
                group.create_task(_pump(reader, ours_out), name="fake-forward-out")
                group.create_task(_pump(ours_in, writer), name="fake-forward-in")
            for end in (writer, ours_out):
                end.close()
                await end.wait_closed()

        try:
            self._servers.append(await asyncio.start_server(splice, "127.0.0.1", port))
        except OSError as error:
            raise SandboxError(f"Port {port} in the sandbox is taken.", "Start the sandbox again.") from error

    async def kill_everything(self, *, spare: Sequence[str] = ()) -> int:
        """Kill all that carries the mark, but sessions that were started here with a spared role, and services."""
        running = [process.child.pid for process in self._started if process.child.returncode is None]
        spared = {pid for pid in running if _variable(pid, "OUTRIDER_ROLE") in spare}
        if SERVICE_ROLE in spare:
            leaders = {_session(pid) for pid in _marked(self.sandbox)}
            spared |= {pid for pid in leaders if _variable(pid, "OUTRIDER_ROLE") == SERVICE_ROLE}
        return await kill_marked(self.sandbox, spared)

    async def wait_lost(self) -> str:
        """Ask again and again."""
        while self._open and self._runs():  # noqa: ASYNC110 - another process may stop it: there is no event to wait for
            await asyncio.sleep(POLL_SECONDS)
        return "The connection to the sandbox ended: the fake was stopped."

    async def _start(self, spec: ExecSpec, stderr: int) -> FakeProcess:
        if not (self._open and self._runs()):
            raise SandboxLost(f"The sandbox {self.sandbox} is gone.")
        pipe = asyncio.subprocess.PIPE
        ours, theirs = pty.openpty() if spec.pty else (None, pipe)
        argv = ["setsid", "--ctty"] * bool(spec.pty) + ["env", *[self._inside(word) for word in spec.argv]]
        env = {name: self._inside(value) for name, value in spec.env.items()}
        base = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(self._place(GUEST_HOME)), "LANG": "C.UTF-8"}
        child = await asyncio.create_subprocess_exec(
            *argv, cwd=self._place(spec.cwd), env={**base, **env, MARK: self.sandbox}, start_new_session=not spec.pty,
            stdin=theirs, stdout=theirs, stderr=theirs if spec.pty else stderr,
        )  # fmt: skip
        process = FakeProcess(child, ours, self._runs)
        if spec.pty:
            os.close(theirs)
            await process.resize(*spec.pty)
        self._started.append(process)
        return process

    def _place(self, path: str) -> Path:
        """Where a guest's folder is on this machine."""
        return Path(self._inside(path)) if self._inside(path) != path else Path(path)

    def _inside(self, text: str) -> str:
        for folder in (WORKSPACE, GUEST_HOME, TOOLBOX):
            text = text.replace(folder, f"{self.root}{folder}")
        return text


async def kill_marked(sandbox: SandboxId, spared_sessions: set[int] | None = None) -> int:
    """Kill every process that carries the sandbox's mark until none is left."""
    killed: set[int] = set()
    while found := [pid for pid in _marked(sandbox) if _session(pid) not in (spared_sessions or set())]:
        for pid in found:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        killed.update(found)
        await asyncio.sleep(POLL_SECONDS)
    return len(killed)


@contextlib.asynccontextmanager
async def marked_standing_still(sandbox: SandboxId) -> AsyncIterator[None]:
    """Every process that carries the sandbox's mark is stopped for as long as the context lives."""
    stopped: list[int] = []
    try:
        while found := [pid for pid in _marked(sandbox) if pid not in stopped]:
            for pid in found:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGSTOP)
            stopped += found
        yield
    finally:
        for pid in reversed(stopped):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)


def _marked(sandbox: SandboxId) -> list[int]:
    pids = [int(folder.name) for folder in Path("/proc").glob("[0-9]*")]
    return [pid for pid in pids if _variable(pid, MARK) == sandbox]


def _variable(pid: int, name: str) -> str:
    """A variable of the environment that a process began with; empty for a zombie."""
    try:
        rows = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    prefix = f"{name}=".encode()
    return next((row.removeprefix(prefix).decode(errors="replace") for row in rows if row.startswith(prefix)), "")


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except ProcessLookupError:
        return 0


async def _collect(process: FakeProcess, output: bytearray) -> None:
    async for chunk in process.stdout():
        output += chunk


async def _feed(process: FakeProcess, stdin: bytes) -> None:
    with contextlib.suppress(SandboxError):
        await process.write(stdin)
        await process.close_stdin()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    while data := await source.read(CHUNK_BYTES):
        sink.write(data)
        await sink.drain()
    sink.write_eof()
