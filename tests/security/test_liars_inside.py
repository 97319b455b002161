"""Lies of a real sandbox: guest root of an image build has the sshd and the programs that we call replaced. What it
says is cut and what it holds up is ended, within the bounds of each step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from conftest import Opened
from inside import sh

from outrider.model.errors import LimitReached, SandboxError
from outrider.model.sandbox import GuestRole, SandboxHandle
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.sandboxes import guest as guest_module

pytestmark = pytest.mark.sandbox

ENDLESS = "#!/bin/sh\nexec yes lies\n"
SILENT = "#!/bin/sh\nexec sleep 3600\n"
DEAF = "#!/bin/sh\nexec sleep 3600 </dev/null\n"


@asynccontextmanager
async def replaced(
    provider: SandboxProvider, opened: Opened, program: str, by: str
) -> AsyncIterator[tuple[SandboxHandle, Guest]]:
    """A build in which a program is another one; `PROGRAM.real` is the one that was."""
    async with opened(role=GuestRole.BUILD) as handle:
        async with await provider.connect(handle) as guest:
            script = f"mv {program} {program}.real && cat >{program} && chmod 755 {program}"
            done = await guest.run(ExecSpec(argv=["sh", "-c", script]), stdin=by.encode())
            assert done.exit_code == 0, done.output
        async with asyncio.timeout(60), await provider.connect(handle) as guest:
            yield handle, guest


def sshd_that_answers(command: str) -> str:
    """The real sshd with the real keys, which runs this whatever it is asked for, files (sftp) too."""
    config = "/run/outrider/sshd_config"
    return (
        f"#!/bin/sh\nsed 's|^Subsystem.*|Subsystem sftp {command}|' {config} >/tmp/config\n"
        f"exec /usr/sbin/sshd.real -i -f /tmp/config -o ForceCommand='{command}'\n"
    )


async def test_an_sshd_that_floods_every_command_is_cut(
    provider: SandboxProvider, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest_module, "KILL_SECONDS", 0.5)
    async with replaced(provider, opened, "/usr/sbin/sshd", sshd_that_answers("yes lies")) as (_, guest):
        done = await guest.run(ExecSpec(argv=["true"]), timeout_seconds=1, output_limit=10_000)
        assert (done.timed_out, len(done.output)) == (True, 10_000)
        assert done.output.startswith(b"lies\n")
        with pytest.raises(SandboxError, match="could not all be killed"):
            await guest.kill_everything()
        with pytest.raises(LimitReached):
            async for _ in guest.get("/workspace", limit_bytes=1 << 20):
                pass


async def test_an_sshd_that_says_nothing_is_waited_for_only_so_long(
    provider: SandboxProvider, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(guest_module, "KILL_SECONDS", 0.5)
    monkeypatch.setattr(guest_module, "STALL_SECONDS", 0.5)
    async with replaced(provider, opened, "/usr/sbin/sshd", sshd_that_answers("sleep 3600")) as (_, guest):
        done = await guest.run(ExecSpec(argv=["true"]), timeout_seconds=1)
        assert (done.timed_out, done.output) == (True, b"")
        with pytest.raises(SandboxError, match="stood still"):
            async for _ in guest.get("/workspace", limit_bytes=1 << 20):
                pass


async def archive() -> AsyncIterator[bytes]:
    """More than any buffer on the way holds."""
    for _ in range(128):
        yield bytes(65536)


@pytest.mark.parametrize("lie", [ENDLESS, SILENT, DEAF], ids=["endless", "silent", "deaf"])
async def test_a_tar_that_was_replaced_is_cut_or_ended(
    provider: SandboxProvider, opened: Opened, monkeypatch: pytest.MonkeyPatch, lie: str
) -> None:
    monkeypatch.setattr(guest_module, "STALL_SECONDS", 0.5)
    async with replaced(provider, opened, "/usr/bin/tar", lie) as (handle, guest):
        with pytest.raises((LimitReached, SandboxError)):
            async for _ in guest.get("/workspace", limit_bytes=1 << 20):
                pass
        with pytest.raises(SandboxError):
            await guest.put("/workspace", archive())
        assert await sh(guest, "echo up") == "up\n"
        assert [row.running for row in await provider.list({}) if row.handle == handle] == [True]
