"""The inside of a sandbox over one SSH connection, whoever provides the sandbox.

The other end is hostile input: what runs in the guest may kill or replace its sshd, and any answer may be a lie.
"""

import asyncio
import contextlib
import secrets
import shlex
import socket
import weakref
from collections.abc import AsyncIterator, Awaitable, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import resources
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import asyncssh

from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import SandboxId
from outrider.model.limits import FIXED, limit_reached
from outrider.model.sandbox import GUEST_USER, GuestRole
from outrider.ports.sandbox import ByteReader, ByteWriter, ExecResult, ExecSpec
from outrider.sandboxes.forwarding import Forwarder
from outrider.sandboxes.guest_process import GuestProcess
from outrider.sandboxes.output import BoundedOutput
from outrider.sandboxes.sshd import SshKeys

T = TypeVar("T")

LOGIN_SECONDS = 20.0
KEEPALIVE_SECONDS = 15.0
KEEPALIVE_MISSES = 4
"""A guest that answers nothing for a minute is lost. One whose CPU is starved by its own work gets that long."""

COMMAND_BYTES = 120_000
"""Longest command line: the kernel takes 128 KiB in one argument of the shell that sshd starts."""

DRAIN_SECONDS = 0.3
"""How long after its end a command's output may still come, where something it left behind holds the pipe."""

CHUNK_BYTES = 1 << 16

STALL_SECONDS = 120.0
"""How long a transfer of files may stand still. A guest that takes or gives nothing for so long will not."""

KILL_SECONDS = 3.0
CLOSE_SECONDS = 5.0

KILL_SCRIPT = resources.files("outrider.sandboxes").joinpath("guest_kill.py").read_text()


@dataclass(frozen=True, slots=True)
class GuestLogin:
    """Who we are in the guest and which host key its sshd must show."""

    user: str
    user_private: str
    host_public: str


def login_to(role: GuestRole, keys: SshKeys) -> GuestLogin:
    """How we log in to a sandbox of this role."""
    user = "root" if role is GuestRole.BUILD else GUEST_USER
    return GuestLogin(user=user, user_private=keys.user_private, host_public=keys.host_public)


class _Client(asyncssh.SSHClient):
    def __init__(self) -> None:
        self.lost = asyncio.Event()
        self.reason = "the connection was closed"

    def connection_lost(self, exc: Exception | None) -> None:
        if exc is not None:
            self.reason = str(exc) or type(exc).__name__
        self.lost.set()


async def connect_guest(stream: socket.socket, sandbox: SandboxId, login: GuestLogin) -> "SshGuest":
    """Log in over a connected stream. Nothing of the person's own SSH set-up is read. Raises SandboxLost."""
    client = _Client()
    try:
        connection = await asyncssh.connect(
            host="guest",
            sock=stream,
            client_factory=lambda: client,
            config=None,
            agent_path=None,
            username=login.user,
            client_keys=[asyncssh.import_private_key(login.user_private)],
            known_hosts=([asyncssh.import_public_key(login.host_public)], [], []),
            server_host_key_algs=["ssh-ed25519"],
            preferred_auth="publickey",
            encryption_algs=["aes128-gcm@openssh.com"],
            compression_algs=None,
            login_timeout=LOGIN_SECONDS,
            keepalive_interval=KEEPALIVE_SECONDS,
            keepalive_count_max=KEEPALIVE_MISSES,
        )
    except (asyncssh.Error, OSError) as error:
        stream.close()
        raise SandboxLost(f"The sandbox did not let us in: {error}.") from error
    except BaseException:
        stream.close()
        raise
    return SshGuest(sandbox, connection, client, as_root=login.user == "root")


class SshGuest:
    """Implements `outrider.ports.sandbox.Guest`."""

    def __init__(
        self, sandbox: SandboxId, connection: asyncssh.SSHClientConnection, client: _Client, *, as_root: bool
    ) -> None:
        self.sandbox = sandbox
        self._connection = connection
        self._client = client
        self._as_root = as_root
        self._processes: weakref.WeakSet[GuestProcess] = weakref.WeakSet()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in [p for p in self._processes if p.running()]:
            await process.signal("KILL")
            process.close()
        self._connection.close()
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._connection.wait_closed()
        except TimeoutError:
            self._connection.abort()

    async def start(self, spec: ExecSpec) -> GuestProcess:
        """Start a command and return at once."""
        return await self._start(command_line(spec), spec.pty)

    async def run(
        self, spec: ExecSpec, *, stdin: bytes = b"", timeout_seconds: float = 60, output_limit: int = 1 << 20
    ) -> ExecResult:
        """Run a command to its end."""
        process = await self._start(f"exec 2>&1; {command_line(spec)}", spec.pty)
        output = BoundedOutput(output_limit)
        timed_out = False
        try:
            async with asyncio.timeout(timeout_seconds):
                await self._converse(process, stdin, output)
        except TimeoutError:
            timed_out = True
            await _kill_group(process)
        except asyncio.CancelledError:
            with contextlib.suppress(SandboxError):
                await process.signal("KILL")
            raise
        finally:
            process.close()
        code = await process.wait() if not timed_out or not process.running() else 128 + 9
        return ExecResult(exit_code=code, output=output.bytes(), truncated=output.truncated, timed_out=timed_out)

    async def put(self, path: str, tar: AsyncIterator[bytes]) -> None:
        """Unpack a tar stream below the folder `path`."""
        folder = shlex.quote(path)
        process = await self._start(
            f"exec 2>&1; mkdir -p -- {folder} && exec tar --extract --file=- --same-permissions --no-same-owner "
            f"--directory={folder}",
            None,
        )
        try:
            with contextlib.suppress(SandboxError):
                async for chunk in tar:
                    await _moving(process.write(chunk), path)
            await process.close_stdin()
            if code := await _moving(process.wait(), path):
                said = BoundedOutput(4096)
                await _collect(process, said)
                raise SandboxError(f"The files could not be unpacked at {path} (tar exit {code}): {said.text()}")
        finally:
            await process.signal("KILL")
            process.close()

    async def get(self, path: str, *, limit_bytes: int) -> AsyncIterator[bytes]:
        """The folder or file `path` as a tar stream of the guest's making."""
        parent, _, name = path.rstrip("/").rpartition("/")
        process = await self._start(
            f"exec tar --create --file=- --directory={shlex.quote(parent or '/')} -- {shlex.quote(name)}", None
        )
        taken = 0
        pieces = process.stdout()
        try:
            while chunk := await _moving(anext(pieces, b""), path):
                taken += len(chunk)
                if taken > limit_bytes:
                    raise limit_reached(
                        f"{path} is larger than {limit_bytes:,} bytes, the most that is read.", "", FIXED
                    )
                yield chunk
            # 1 means that a file changed while it was read; the tar is whole.
            if await process.wait() not in (0, 1):
                said = BoundedOutput(4096)
                async for chunk in process.stderr():
                    said.add(chunk)
                raise SandboxError(f"{path} could not be read: {said.text()}")
        finally:
            await process.signal("KILL")
            process.close()

    async def dial(self, port: int) -> tuple[ByteReader, ByteWriter]:
        """Connect to a loopback port in the guest, of IPv4 or else of IPv6, where some development servers listen."""
        failure: Exception | None = None
        for host in ("127.0.0.1", "::1"):
            try:
                reader, writer = await self._connection.open_connection(host, port, encoding=None)
            except asyncssh.ChannelOpenError as error:
                failure = error
            except (asyncssh.Error, OSError) as error:
                raise self._lost() from error
            else:
                return reader, writer
        if self._client.lost.is_set():
            raise self._lost() from failure
        raise SandboxError(f"Nothing answers on port {port} in the sandbox.") from failure

    async def forward(self, port: int, socket_path: Path) -> None:
        """Listen on a loopback port in the guest and splice each connection to a Unix socket on our side."""
        try:
            await self._connection.start_server(Forwarder(socket_path).accept, "127.0.0.1", port, encoding=None)
        except asyncssh.ChannelListenError as error:
            raise SandboxError(f"Port {port} in the sandbox is taken.", "Start the sandbox again.") from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error

    async def kill_everything(self, *, spare: Sequence[str] = ()) -> int:
        """Kill every process of the guest's user but what carries SSH connections and the spared roles."""
        spec = ExecSpec(argv=["/usr/bin/python3", "-I", "-S", "-", *spare], cwd="/")
        result = await self.run(spec, stdin=KILL_SCRIPT.encode(), timeout_seconds=KILL_SECONDS)
        said = result.output.decode(errors="replace").strip()
        if result.exit_code != 0 or not said.isdecimal():
            raise SandboxError(
                f"The processes in the sandbox could not all be killed: {said[-200:]}", "Stop the sandbox."
            )
        return int(said)

    async def wait_lost(self) -> str:
        """Return, with the reason, when the connection has ended."""
        await self._client.lost.wait()
        return f"The connection to the sandbox ended: {self._client.reason}."

    async def _start(self, command: str, pty: tuple[int, int] | None, *, marked: bool = True) -> GuestProcess:
        if len(command) > COMMAND_BYTES:
            raise SandboxError("The command line is too long.", "Send the text by stdin or in a file.")
        process = GuestProcess()
        if self._as_root and marked:
            # An sshd that serves root refuses to pass on signals: the leader of the group notes its pid instead.
            mark = f"/run/log/{secrets.token_hex(8)}"
            command = f"echo $$ >{mark}; {command}"
            process.signal_group = partial(self._signal, mark)
        try:
            await self._connection.create_session(
                lambda: process.receiver,
                command,
                encoding=None,
                request_pty="force" if pty else False,
                term_type="xterm-256color" if pty else None,
                term_size=pty or (),
            )
        except asyncssh.ChannelOpenError as error:
            if self._client.lost.is_set():
                raise self._lost() from error
            raise SandboxError(f"The sandbox could not start the command: {error.reason}.") from error
        except (asyncssh.Error, OSError) as error:
            raise self._lost() from error
        self._processes.add(process)
        return process

    async def _converse(self, process: GuestProcess, stdin: bytes, output: BoundedOutput) -> None:
        """Feed and collect until the command has ended and, within DRAIN_SECONDS, its output too."""
        async with asyncio.TaskGroup() as group:
            reader = group.create_task(_collect(process, output), name="run-output")
            feeder = group.create_task(_feed(process, stdin), name="run-input")
            try:
                await process.ended()
                await asyncio.wait([reader], timeout=DRAIN_SECONDS)
            finally:
                reader.cancel()
                feeder.cancel()

    async def _signal(self, mark: str, name: str) -> None:
        """Signal a process group by the pid that its leader has noted, as root: see `_start`. The command for it may
        not end either where the guest lies; then it is only given up."""
        with contextlib.suppress(SandboxError, TimeoutError):
            async with asyncio.timeout(KILL_SECONDS):
                killer = await self._start(f"exec env kill -{name} -- -$(cat {mark})", None, marked=False)
                with contextlib.closing(killer):
                    await killer.wait()

    def _lost(self) -> SandboxLost:
        return SandboxLost(f"The sandbox is gone: {self._client.reason}.")


def command_line(spec: ExecSpec) -> str:
    """The shell line that enters the folder, sets the environment and becomes the command."""
    if not spec.argv or "=" in spec.argv[0]:
        raise SandboxError("The command is empty or not a program's name.")
    env = [f"{name}={value}" for name, value in spec.env.items()]
    return f"cd {shlex.quote(spec.cwd)} && exec {shlex.join(['env', *env, *spec.argv])}"


async def _moving(step: Awaitable[T], path: str) -> T:
    """One step of a transfer. Raises SandboxError where it takes too long."""
    try:
        async with asyncio.timeout(STALL_SECONDS):
            return await step
    except TimeoutError:
        raise SandboxError(f"The transfer of {path} stood still for {STALL_SECONDS:g} s.") from None


async def _kill_group(process: GuestProcess) -> None:
    await process.signal("KILL")
    with contextlib.suppress(TimeoutError, SandboxLost):
        async with asyncio.timeout(KILL_SECONDS):
            await process.wait()


async def _feed(process: GuestProcess, stdin: bytes) -> None:
    """Send all, or as much as a command takes that ends early."""
    with contextlib.suppress(SandboxError):
        for start in range(0, len(stdin), CHUNK_BYTES):
            await process.write(stdin[start : start + CHUNK_BYTES])
        await process.close_stdin()


async def _collect(process: GuestProcess, output: BoundedOutput) -> None:
    async for chunk in process.stdout():
        output.add(chunk)
