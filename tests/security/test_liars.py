"""A guest that lies over SSH: an sshd of the attacker's, which knows the host key, as a replaced one would."""

import asyncio
import contextlib
import io
import socket
import tarfile
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncssh
import pytest

from outrider.model.errors import LimitReached, SandboxError, SandboxLost
from outrider.model.ids import SandboxId
from outrider.model.sandbox import GUEST_USER
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.proof import report_files
from outrider.proof.junit import ReportRefused
from outrider.proof.recipe import CheckSpec
from outrider.sandboxes import guest as guest_module
from outrider.sandboxes.guest import GuestLogin, connect_guest
from outrider.sandboxes.sshd import SshKeys, new_keys

Lie = Callable[[asyncssh.SSHServerProcess[bytes]], Awaitable[None]]


class Evil(asyncssh.SSHServer):
    """Lets anybody in, and listens to no forward."""

    def begin_auth(self, username: str) -> bool:
        return False


@asynccontextmanager
async def served(
    factory: Callable[[], asyncssh.SSHServer], login_to: GuestLogin, host_private: str, **more: object
) -> AsyncIterator[Guest]:
    """Our end's guest, with such a server at the other end."""
    ours, theirs = socket.socketpair()

    async def serve() -> None:
        host_key = asyncssh.import_private_key(host_private)
        with contextlib.suppress(asyncssh.Error, OSError):
            connection = await asyncssh.run_server(theirs, server_factory=factory, server_host_keys=[host_key], **more)
            try:
                await connection.wait_closed()
            finally:
                connection.abort()

    try:
        async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
            serving = tasks.create_task(serve(), name="evil sshd")
            try:
                async with await connect_guest(ours, SandboxId("sb-liar"), login_to) as guest:
                    yield guest
            finally:
                serving.cancel()
    except ExceptionGroup as group:
        raise group.exceptions[0] from None


@asynccontextmanager
async def lying(lie: Lie) -> AsyncIterator[Guest]:
    """A guest whose every command is answered by `lie`."""

    async def answer(process: asyncssh.SSHServerProcess[bytes]) -> None:
        try:
            await lie(process)
        except (OSError, asyncssh.Error, asyncio.CancelledError):
            process.close()

    keys = new_keys()
    async with served(Evil, login_of(keys), keys.host_private, process_factory=answer, encoding=None) as guest:
        yield guest


def login_of(keys: SshKeys) -> GuestLogin:
    return GuestLogin(user=GUEST_USER, user_private=keys.user_private, host_public=keys.host_public)


async def flood(process: asyncssh.SSHServerProcess[bytes]) -> None:
    for _ in range(1024):
        process.stdout.write(b"x" * 65536)
        await process.stdout.drain()
    process.exit(0)


async def for_ever(process: asyncssh.SSHServerProcess[bytes]) -> None:
    while True:
        process.stdout.write(b"x" * 65536)
        process.stderr.write(b"y" * 65536)
        await process.stdout.drain()
        await process.stderr.drain()


async def silent(process: asyncssh.SSHServerProcess[bytes]) -> None:
    await asyncio.Event().wait()


async def drip(process: asyncssh.SSHServerProcess[bytes]) -> None:
    while True:
        process.stdout.write(b".")
        await asyncio.sleep(0.01)


async def hang_up(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.get_extra_info("connection").abort()


async def no_status(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.stdout.write(b"done")
    process.close()


async def odd_status(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.exit(0xFFFFFFFF)


async def odd_signal(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.exit_with_signal("MAYHEM; rm -rf /", True, "\x1b]0;evil\x07" * 1000)


async def nonsense(process: asyncssh.SSHServerProcess[bytes]) -> None:
    process.stdout.write(b"\xff\x00-5\n" * 100)
    process.exit(0)


ECHO = ExecSpec(argv=["echo"])


async def test_huge_output_is_kept_within_its_limit() -> None:
    async with lying(flood) as guest:
        done = await guest.run(ECHO, output_limit=10_000)
        assert (len(done.output), done.truncated) == (10_000, True)


@pytest.mark.parametrize("lie", [for_ever, silent, drip])
async def test_a_command_that_does_not_end_ends_in_time(lie: Lie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_module, "KILL_SECONDS", 0.2)
    async with lying(lie) as guest:
        done = await guest.run(ECHO, timeout_seconds=0.3, output_limit=1000)
        assert done.timed_out
        assert len(done.output) <= 1000


async def test_a_connection_that_is_cut_is_a_loss() -> None:
    async with lying(hang_up) as guest:
        with pytest.raises(SandboxLost):
            await guest.run(ECHO)
        assert await guest.wait_lost()


@pytest.mark.parametrize("lie", [odd_status, odd_signal, nonsense])
async def test_an_end_that_makes_no_sense_is_an_end(lie: Lie) -> None:
    async with lying(lie) as guest:
        done = await guest.run(ECHO, timeout_seconds=5)
        assert not done.timed_out
        with pytest.raises(SandboxError, match="could not all be killed"):
            await guest.kill_everything()


async def test_an_end_without_a_status_is_a_loss() -> None:
    async with lying(no_status) as guest:
        with pytest.raises(SandboxLost):
            await guest.run(ECHO, timeout_seconds=5)


@pytest.mark.parametrize("lie", [silent, for_ever])
async def test_a_transfer_that_stands_still_is_ended(lie: Lie, monkeypatch: pytest.MonkeyPatch) -> None:
    """Silent, or busy with errors that nobody reads, which fill the channel."""
    monkeypatch.setattr(guest_module, "STALL_SECONDS", 0.2)

    async def archive() -> AsyncIterator[bytes]:
        while True:
            yield b"x" * 65536

    async with lying(lie) as guest:
        with pytest.raises(SandboxError, match="stood still"):
            async for _ in guest.get("/workspace", limit_bytes=1 << 30):
                pass
        with pytest.raises(SandboxError, match="stood still"):
            await guest.put("/workspace", archive())


async def test_a_tar_without_end_is_cut_off() -> None:
    async with lying(flood) as guest:
        with pytest.raises(LimitReached):
            async for _ in guest.get("/workspace", limit_bytes=1 << 20):
                pass


@pytest.mark.parametrize("lie", [no_status, nonsense])
async def test_files_that_were_not_unpacked_are_not_believed(lie: Lie) -> None:
    async def archive() -> AsyncIterator[bytes]:
        yield b"x" * 100

    async with lying(lie) as guest:
        if lie is no_status:
            with pytest.raises(SandboxError):
                await guest.put("/workspace", archive())
        else:
            await guest.put("/workspace", archive())


def evil_tar() -> bytes:
    """Every member that could lead out of a folder."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, kind, link in [
            ("../../etc/cron.d/x", tarfile.REGTYPE, ""),
            ("/etc/passwd", tarfile.REGTYPE, ""),
            ("a", tarfile.SYMTYPE, "/etc"),
            ("a/passwd", tarfile.REGTYPE, ""),
            ("b", tarfile.LNKTYPE, "/etc/shadow"),
            ("c", tarfile.BLKTYPE, ""),
        ]:
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.mode = kind, link, 0o6777
            archive.addfile(member)
    return raw.getvalue()


async def test_a_tar_of_links_is_passed_on_as_bytes_and_unpacked_by_nobody() -> None:
    """`get` never unpacks; that nothing else of ours does is a test of the whole tree (`.extract` is not written)."""
    content = evil_tar()

    async def tar(process: asyncssh.SSHServerProcess[bytes]) -> None:
        process.stdout.write(content)
        await process.stdout.drain()
        process.exit(0)

    async with lying(tar) as guest:
        taken = b"".join([piece async for piece in guest.get("/workspace", limit_bytes=1 << 20)])
        assert taken == content


async def test_reports_without_end_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    check = CheckSpec(name="tests", command="true")
    async with lying(flood) as guest:
        with pytest.raises(ReportRefused, match="larger"):
            await report_files.read_reports(guest, check)
    monkeypatch.setattr(report_files, "READ_SECONDS", 0.2)
    async with lying(silent) as guest:
        with pytest.raises(ReportRefused, match="within"):
            await report_files.read_reports(guest, check)


async def test_channels_that_it_opens_by_itself_are_refused() -> None:
    """The guest's side may ask us for a session, a connection, or our agent: it gets none."""
    keys = new_keys()
    made: list[asyncssh.SSHServerConnection] = []

    class Asking(Evil):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            made.append(conn)

    async with served(Asking, login_of(keys), keys.host_private):
        for ask in (
            lambda: made[0].create_connection(asyncssh.SSHTCPSession, "127.0.0.1", 4100),
            lambda: made[0].create_unix_connection(asyncssh.SSHUNIXSession, "/run/docker.sock"),
            lambda: made[0].open_agent_connection(),
        ):
            with pytest.raises((asyncssh.Error, OSError)):
                await ask()


async def test_a_banner_that_never_comes_is_waited_for_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guest_module, "LOGIN_SECONDS", 0.2)
    keys = new_keys()
    ours, theirs = socket.socketpair()
    login = GuestLogin(user=GUEST_USER, user_private=keys.user_private, host_public=keys.host_public)
    with theirs:
        async with asyncio.timeout(20):
            with pytest.raises(SandboxLost):
                await connect_guest(ours, SandboxId("sb-liar"), login)


async def test_another_host_key_is_not_talked_to() -> None:
    keys, other = new_keys(), new_keys()
    with pytest.raises(SandboxLost, match="did not let us in"):
        async with served(Evil, login_of(keys), other.host_private):
            pass
