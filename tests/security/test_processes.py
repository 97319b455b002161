"""Processes: those of the host, and the sandbox's own that it needs."""

import asyncio
import os
import signal
import subprocess

import pytest
from conftest import Opened
from inside import CANARY, python, sh

from outrider.model.errors import SandboxLost
from outrider.model.sandbox import GuestRole, SandboxHandle
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.sandboxes import guest as guest_module

pytestmark = pytest.mark.sandbox


async def test_no_process_of_the_host_can_be_seen_or_touched(guest: Guest) -> None:
    ours = await asyncio.create_subprocess_exec("sleep", "3600", CANARY, stderr=asyncio.subprocess.DEVNULL)
    sleeper = await asyncio.create_subprocess_exec("sleep", "3599")
    listing = await sh(guest, "cat /proc/[0-9]*/cmdline | tr '\\0' ' '; ls /proc")
    sleeper.kill()
    await sleeper.wait()
    await ours.wait()
    assert "3599" not in listing
    assert str(sleeper.pid) not in listing.split()
    assert "Permission" in await sh(guest, "kill -9 1 2 2>&1; ls /proc/1/fd 2>&1; echo alive")


async def test_killing_the_sshd_is_a_loss_and_the_way_in_stays(
    provider: SandboxProvider, sandbox: SandboxHandle
) -> None:
    async with await provider.connect(sandbox) as guest:
        await sh(guest, "echo kept >file")
        with pytest.raises(SandboxLost):
            await guest.run(ExecSpec(argv=["pkill", "-9", "sshd"]))
        assert "ended" in await guest.wait_lost()
    async with await provider.connect(sandbox) as guest:
        assert await sh(guest, "cat file") == "kept\n"


async def test_killing_all_it_can_does_not_end_the_sandbox(provider: SandboxProvider, sandbox: SandboxHandle) -> None:
    async with await provider.connect(sandbox) as guest:
        with pytest.raises(SandboxLost):
            await guest.run(ExecSpec(argv=["python3", "-c", "import os; os.kill(-1, 9)"]))
    async with await provider.connect(sandbox) as guest:
        assert await sh(guest, "echo up") == "up\n"


async def test_signals_reach_no_process_of_the_host_by_any_number(guest: Guest) -> None:
    """Pids of the host mean nothing inside; all that there are, and every group, are tried."""
    with subprocess.Popen(["sleep", "3598"]) as sleeper:  # noqa: ASYNC220 -- only to have a pid
        script = f"""
import os, signal
for pid in [{sleeper.pid}, -{sleeper.pid}, {os.getpid()}, {os.getppid()}]:
    try:
        os.kill(pid, signal.SIGKILL)
        print("killed", pid)
    except OSError:
        pass
try:
    os.pidfd_open({sleeper.pid})
    print("opened")
except OSError:
    pass
"""
        said = await python(guest, script)
        alive = sleeper.poll() is None
        sleeper.send_signal(signal.SIGKILL)
    assert said == ""
    assert alive


SSHDS = {
    "silent": "#!/bin/sh\nexec sleep 3600\n",
    "gone": "#!/bin/sh\nexit 0\n",
    "garbage": "#!/bin/sh\nexec cat /dev/urandom\n",
    "endless": "#!/bin/sh\nexec yes SSH-2.0-evil\n",
    "slow": "#!/usr/bin/python3\nimport time\n"
    "for c in 'SSH-2.0-evil' * 99:\n print(c, end='', flush=True)\n time.sleep(0.05)\n",
    "other": "#!/bin/sh\nssh-keygen -q -t ed25519 -N '' -f /tmp/k$$\n"
    "exec /usr/sbin/sshd.real -i -e -o HostKey=/tmp/k$$ -o UsePAM=no -o StrictModes=no\n",
}


@pytest.mark.parametrize("kind", SSHDS)
async def test_an_sshd_that_was_replaced_is_a_loss_in_good_time(
    provider: SandboxProvider, opened: Opened, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    monkeypatch.setattr(guest_module, "LOGIN_SECONDS", 0.5)
    async with opened(role=GuestRole.BUILD) as handle:
        async with await provider.connect(handle) as guest:
            install = "mv /usr/sbin/sshd /usr/sbin/sshd.real && cat >/usr/sbin/sshd && chmod 755 /usr/sbin/sshd"
            done = await guest.run(ExecSpec(argv=["sh", "-c", install]), stdin=SSHDS[kind].encode())
            assert done.exit_code == 0, done.output
        async with asyncio.timeout(30):
            with pytest.raises(SandboxLost):
                await provider.connect(handle)


async def test_a_session_cannot_replace_its_sshd(guest: Guest) -> None:
    said = await sh(
        guest, "cp /bin/true /usr/sbin/sshd 2>&1; mv /usr/sbin /usr/x 2>&1; rm -f /usr/sbin/sshd 2>&1; echo end"
    )
    assert said.count("Permission denied") == 3


async def test_what_survives_a_killing_is_killed_again(guest: Guest) -> None:
    """Children that leave their group, change their name, or multiply as they are killed."""
    await guest.start(
        ExecSpec(
            argv=[
                "sh",
                "-c",
                "for n in 1 2 3 4 5; do setsid sh -c 'exec -a sshd sleep 985 & sleep 984 & wait' & done; wait",
            ]
        )
    )
    await sh(guest, "until pgrep -f 'sleep 98[45]' >/dev/null; do :; done")
    await guest.kill_everything()
    assert (await guest.run(ExecSpec(argv=["pgrep", "-f", "sleep 98[45]"]))).exit_code == 1
