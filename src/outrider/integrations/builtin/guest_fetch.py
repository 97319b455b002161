"""`git fetch` from a repository in a hostile guest.

git runs `upload-pack` in the guest through what it takes for ssh: a helper that joins it with a socket of ours. Between
that socket and the guest we count bytes and keep the time. Not a bundle: git 2.39 checks no objects when it reads one.
"""

import asyncio
import shlex
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from outrider.integrations.builtin import splice
from outrider.integrations.builtin.git import CLEAN_ENVIRONMENT, Git, GitFailed
from outrider.model.errors import LimitReached, OutriderError, RepositoryError, SandboxError, SandboxLost
from outrider.model.limits import FIXED, limit_reached
from outrider.ports.sandbox import ExecSpec, Guest, Process

HEAD_REF = "refs/quarantine/head"
BASE_REF = "refs/quarantine/base"
_FETCH = ("fetch", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--no-auto-maintenance", "--quiet")
_CHUNK = 1 << 16
_MEGABYTE = 1 << 20
_KILL_SECONDS = 5
_KEPT_BYTES = 400


@dataclass(frozen=True, slots=True)
class FetchLimits:
    """What a guest may send at most. The defaults fit repositories of some gigabytes, of which little is new."""

    seconds: float = 300
    received_bytes: int = 1 << 30
    advertised_bytes: int = 16 << 20
    """Names of refs, before git has asked for anything: git keeps them all in memory."""
    object_bytes: int = 100 << 20
    objects: int = 500_000
    stored_bytes: int = 4 << 30
    """All that a session has brought, over all its fetches."""
    memory_bytes: int = 2 << 30


async def fetch_head(repository: Path, guest: Guest, workspace: str, limits: FetchLimits) -> None:
    """Fetch HEAD of the workspace into `HEAD_REF`, checked by fsck. Raises RepositoryError, LimitReached, SandboxLost;
    the ref is as it was then."""
    with _socket_pair() as (ours, theirs):
        git = Git(
            repository,
            {**CLEAN_ENVIRONMENT, **_transport(theirs)},
            seconds=limits.seconds,
            memory_bytes=limits.memory_bytes,
            pass_fds=(theirs.fileno(),),
        )
        async with _upload_pack(guest, workspace) as process:
            await _fetch(git, workspace, _Splice(process, limits), ours)


async def _fetch(git: Git, workspace: str, guest: "_Splice", ours: socket.socket) -> None:
    reader, writer = await asyncio.open_unix_connection(sock=ours)
    failed: GitFailed | LimitReached | None = None
    try:
        async with asyncio.TaskGroup() as tasks:
            pumps = [
                tasks.create_task(guest.up(writer), name="guest to git"),
                tasks.create_task(guest.down(reader), name="git to guest"),
                tasks.create_task(guest.listen(), name="guest stderr"),
            ]
            try:
                await git.run(*_FETCH, "--", f"ssh://guest{workspace}", f"+HEAD:{HEAD_REF}")
            except (GitFailed, LimitReached) as error:
                failed = error
            for pump in pumps:
                pump.cancel()
    finally:
        writer.transport.abort()
    if failed is not None:
        raise guest.failure or _explain(failed, guest.said(), git.seconds) from failed


class _Splice:
    """Carries bytes between git and the guest, and stops at the limits. `failure` says why it stopped."""

    def __init__(self, process: Process, limits: FetchLimits) -> None:
        self.failure: OutriderError | None = None
        self._process = process
        self._limits = limits
        self._received = 0
        self._asked = False
        self._said = b""

    async def up(self, writer: asyncio.StreamWriter) -> None:
        """From the guest to git. Its end, for whatever reason, ends the fetch."""
        try:
            async for chunk in self._process.stdout():
                self._count(len(chunk))
                writer.write(chunk)
                await writer.drain()
            writer.write_eof()
        except OutriderError as error:
            self.failure = error
            writer.transport.abort()
        except ConnectionError:
            return  # git ended first, and says why

    async def down(self, reader: asyncio.StreamReader) -> None:
        """From git to the guest."""
        try:
            while chunk := await reader.read(_CHUNK):
                self._asked = True
                await self._process.write(chunk)
            await self._process.close_stdin()
        except SandboxLost as error:
            self.failure = error
        except SandboxError:
            return  # the command has ended before it had read all; git says what is missing

    async def listen(self) -> None:
        """Read stderr, so that the guest does not wait for it; keep the end."""
        try:
            async for chunk in self._process.stderr():
                self._said = (self._said + chunk)[-_KEPT_BYTES:]
        except SandboxLost as error:
            self.failure = error

    def said(self) -> str:
        """The last line that the guest said, without control characters."""
        lines = self._said.decode(errors="replace").strip().splitlines() or [""]
        return "".join(letter for letter in lines[-1] if letter.isprintable())

    def _count(self, size: int) -> None:
        self._received += size
        if not self._asked and self._received > self._limits.advertised_bytes:
            most = self._limits.advertised_bytes // _MEGABYTE
            raise limit_reached(f"The workspace has too many branches and tags: {most} MB are the most.", "", FIXED)
        if self._received > self._limits.received_bytes:
            raise limit_reached(
                f"The commits are larger than {self._limits.received_bytes // _MEGABYTE} MB, the most.",
                "Keep large files out of the repository.",
                FIXED,
            )


def _transport(theirs: socket.socket) -> dict[str, str]:
    helper = (sys.executable, "-I", "-S", str(Path(splice.__file__)), str(theirs.fileno()))
    return {"GIT_SSH_COMMAND": shlex.join(helper), "GIT_SSH_VARIANT": "simple", "GIT_ALLOW_PROTOCOL": "ssh"}


@contextmanager
def _socket_pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        yield ours, theirs


@asynccontextmanager
async def _upload_pack(guest: Guest, workspace: str) -> AsyncIterator[Process]:
    argv = ("git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null", "upload-pack", workspace)
    process = await guest.start(ExecSpec(argv=argv, cwd=workspace))
    try:
        yield process
    finally:
        with suppress(SandboxLost, TimeoutError):
            await _kill(process)


async def _kill(process: Process) -> None:
    """Kill it, and read what it had still to say: a stream that is not read to its end stays open."""
    async with asyncio.timeout(_KILL_SECONDS):
        await process.signal("KILL")
        for stream in (process.stdout(), process.stderr()):
            async for _ in stream:
                pass
        await process.wait()


def _explain(failed: GitFailed | LimitReached, guest_said: str, seconds: float) -> OutriderError:
    if isinstance(failed, LimitReached):
        sentence = f"Fetching the commits of the workspace took longer than {seconds:g} seconds, the most."
        return limit_reached(sentence, "Try again.", FIXED)
    if "fsck" in failed.said or "error in" in failed.said:
        return RepositoryError(
            f"The commits of the workspace hold something that git refuses: {failed.reason()}.",
            "Ask the session to make them anew without it.",
        )
    detail = guest_said or failed.reason()
    return RepositoryError(f"The commits of the workspace cannot be fetched: {detail.rstrip('.')}.")
