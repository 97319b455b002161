"""Attacks from inside a sandbox, by what runs as the session's user. Each must fail, for the reason that is meant."""

import asyncio
import json
import os
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from outrider.model.errors import SandboxLost
from outrider.model.ids import SandboxId, new_id
from outrider.model.sandbox import SandboxHandle, SandboxSpec
from outrider.ports.sandbox import ExecSpec, Guest
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.testing.base_layers import BaseLayers

pytestmark = pytest.mark.sandbox

CANARY = f"canary-{new_id('c', 24)}"

SYSCALLS = """
import ctypes, errno, json, os, sys
libc = ctypes.CDLL(None, use_errno=True)
def call(number, *args):
    ctypes.set_errno(0)
    return 0 if libc.syscall(ctypes.c_long(number), *args) >= 0 else ctypes.get_errno()
def family(number):
    ctypes.set_errno(0)
    return 0 if libc.socket(number, 2, 0) >= 0 else ctypes.get_errno()
NEWUSER = 0x10000000
print(json.dumps({
    "unshare": call(NR["unshare"], NEWUSER),
    "setns": call(NR["setns"], os.open("/proc/self/ns/net", 0), 0),
    "clone": call(NR["clone"], NEWUSER | 17, 0, 0, 0, 0),
    "clone3": call(NR["clone3"], 0, 0),
    "mount": call(NR["mount"], b"none", b"/tmp", b"tmpfs", 0, 0),
    "umount2": call(NR["umount2"], b"/proc", 2),
    "open_tree": call(NR["open_tree"], -100, b"/", 1),
    "fsopen": call(NR["fsopen"], b"tmpfs", 0),
    "pivot_root": call(NR["pivot_root"], b"/tmp", b"/tmp"),
    "io_uring_setup": call(NR["io_uring_setup"], 8, ctypes.create_string_buffer(120)),
    "bpf": call(NR["bpf"], 0, ctypes.create_string_buffer(120), 120),
    "keyctl": call(NR["keyctl"], 0, -3, 0),
    "add_key": call(NR["add_key"], b"user", b"x", b"x", 1, -3),
    "perf_event_open": call(NR["perf_event_open"], ctypes.create_string_buffer(120), 0, -1, -1, 0),
    "userfaultfd": call(NR["userfaultfd"], 1),
    "kexec_load": call(NR["kexec_load"], 0, 0, 0, 0),
    "init_module": call(NR["init_module"], 0, 0, b""),
    "chroot": call(NR["chroot"], b"/tmp"),
    "setuid": call(NR["setuid"], 0),
    "vsock": family(40), "alg": family(38), "packet": family(17), "inet": family(2),
}))
"""

NUMBERS = {
    "x86_64": {
        "unshare": 272, "setns": 308, "clone": 56, "clone3": 435, "mount": 165, "umount2": 166, "open_tree": 428,
        "fsopen": 430, "pivot_root": 155, "io_uring_setup": 425, "bpf": 321, "keyctl": 250, "add_key": 248,
        "perf_event_open": 298, "userfaultfd": 323, "kexec_load": 246, "init_module": 175, "chroot": 161, "setuid": 105,
    },
}  # fmt: skip
"""By architecture: the numbers of the calls that libc has no function for."""


@pytest.fixture
async def sandbox(namespaces_provider: NamespaceProvider, base_layers: BaseLayers) -> AsyncIterator[SandboxHandle]:
    spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,), toolbox=base_layers.toolbox)
    handle = await namespaces_provider.create(spec)
    yield handle
    await namespaces_provider.destroy(handle)


@pytest.fixture
async def guest(namespaces_provider: NamespaceProvider, sandbox: SandboxHandle) -> AsyncIterator[Guest]:
    async with await namespaces_provider.connect(sandbox) as guest:
        yield guest


async def python(guest: Guest, script: str) -> str:
    """What a Python script prints in the guest."""
    done = await guest.run(ExecSpec(argv=["python3", "-I", "-"]), stdin=script.encode())
    assert done.exit_code == 0, done.output.decode()
    return done.output.decode()


async def sh(guest: Guest, script: str) -> str:
    """What a shell script prints in the guest, its errors included."""
    return (await guest.run(ExecSpec(argv=["sh", "-c", script]))).output.decode()


@pytest.mark.skipif(os.uname().machine not in NUMBERS, reason="no call numbers for this architecture")
async def test_the_kernel_refuses_what_a_guest_has_no_business_with(guest: Guest) -> None:
    eperm, enosys, eafnosupport = 1, 38, 97
    answers: dict[str, Any] = json.loads(await python(guest, f"NR = {NUMBERS[os.uname().machine]}\n{SYSCALLS}"))
    assert answers.pop("clone3") == enosys
    assert [answers.pop(name) for name in ("vsock", "alg", "packet")] == [eafnosupport] * 3
    assert answers.pop("inet") == 0
    assert {name for name, number in answers.items() if number != eperm} == set()


async def test_the_session_has_no_rights_and_cannot_get_any(guest: Guest) -> None:
    status = dict(
        line.split(":\t") for line in (await sh(guest, "cat /proc/self/status")).splitlines() if ":\t" in line
    )
    assert status["Uid"].split() == ["1000"] * 4
    assert status["Groups"].strip() in ("", "1000")
    assert {status[f"Cap{kind}"] for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {"0" * 16}
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")


async def test_a_setuid_program_gains_nothing(guest: Guest) -> None:
    assert "root" not in (await sh(guest, "cp /usr/bin/id . && chmod u+s id && ./id -un"))
    found = await sh(guest, "test -u /usr/bin/su && echo setuid; echo | su -c 'id -u' 2>&1")
    assert "setuid" in found
    assert "\n0\n" not in found


async def test_there_is_no_way_out_of_the_network(guest: Guest) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"""
import socket
for target in [("127.0.0.1", {port}), ("10.0.0.1", 80), ("169.254.169.254", 80), ("1.1.1.1", 53), ("::1", {port})]:
    try:
        socket.create_connection(target, timeout=2)
        print("connected", target)
    except OSError as error:
        print("refused")
try:
    print(socket.getaddrinfo("deb.debian.org", 80))
except OSError:
    print("unresolved")
print([name for _, name in socket.if_nameindex()])
"""
        answers = (await python(guest, script)).splitlines()
    assert answers == ["refused"] * 5 + ["unresolved", "['lo']"]


async def test_abstract_sockets_of_the_host_are_out_of_reach(guest: Guest) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0{CANARY}")
        server.listen()
        script = f"""
import socket
try:
    socket.socket(socket.AF_UNIX).connect("\\0{CANARY}")
    print("connected")
except OSError:
    print("refused")
"""
        assert await python(guest, script) == "refused\n"


async def test_no_file_of_the_host_can_be_seen(guest: Guest, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(CANARY)
    (tmp_path / "secret").chmod(0o666)
    found = await sh(
        guest, f"cat {tmp_path}/secret /proc/1/root{tmp_path}/secret; grep -rsl {CANARY} /tmp /home /etc /run"
    )
    assert CANARY not in found
    reached = await python(
        guest,
        f"""
import os
for pid in [name for name in os.listdir("/proc") if name.isdigit()]:
    for way in ("root", "cwd", "fd"):
        try:
            os.listdir(f"/proc/{{pid}}/{{way}}{tmp_path}")
            print("reached", pid, way)
        except OSError:
            pass
""",
    )
    assert reached == ""


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


async def test_the_listener_is_not_the_guests_to_trace(guest: Guest) -> None:
    script = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print([libc.ptrace(16, pid, 0, 0) for pid in (1, 2)])
"""
    assert await python(guest, script) == "[-1, -1]\n"


async def test_nothing_of_the_hosts_environment_is_in_the_guest(
    namespaces_provider: NamespaceProvider, base_layers: BaseLayers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    spec = SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,))
    handle = await namespaces_provider.create(spec)
    try:
        async with await namespaces_provider.connect(handle) as guest:
            dump = await sh(guest, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; env")
    finally:
        await namespaces_provider.destroy(handle)
    assert CANARY not in dump
    names = {line.partition("=")[0] for line in dump.splitlines() if line.partition("=")[1]}
    assert not names & {"SSH_AUTH_SOCK", "ANTHROPIC_API_KEY", "VIRTUAL_ENV"}
    assert "HOME=/home/agent" in dump


async def test_the_toolbox_and_the_way_in_cannot_be_changed(guest: Guest) -> None:
    tried = (
        "touch /opt/outrider/x; touch /run/outrider/x; rm -f /run/outrider/ssh.sock; mv /run/outrider /run/o; echo end"
    )
    done = await sh(guest, f"{{ {tried}; }} 2>&1")
    assert done.count("Read-only") == 1
    assert done.count("Permission denied") >= 3


async def test_killing_the_sshd_is_a_loss_and_the_way_in_stays(
    namespaces_provider: NamespaceProvider, sandbox: SandboxHandle
) -> None:
    async with await namespaces_provider.connect(sandbox) as guest:
        await sh(guest, "echo kept >file")
        with pytest.raises(SandboxLost):
            await guest.run(ExecSpec(argv=["pkill", "-9", "sshd"]))
        assert "ended" in await guest.wait_lost()
    async with await namespaces_provider.connect(sandbox) as guest:
        assert await sh(guest, "cat file") == "kept\n"


async def test_killing_all_it_can_does_not_end_the_sandbox(
    namespaces_provider: NamespaceProvider, sandbox: SandboxHandle
) -> None:
    async with await namespaces_provider.connect(sandbox) as guest:
        with pytest.raises(SandboxLost):
            await guest.run(ExecSpec(argv=["python3", "-c", "import os; os.kill(-1, 9)"]))
    async with await namespaces_provider.connect(sandbox) as guest:
        assert await sh(guest, "echo up") == "up\n"


async def test_a_socket_put_in_the_place_of_ours_is_not_connected_to(
    namespaces_provider: NamespaceProvider, sandbox: SandboxHandle, tmp_path: Path
) -> None:
    """A build runs as guest root, who can replace the socket: by a link to one of the host's, say."""
    build = SandboxSpec(
        id=SandboxId(new_id("sb")),
        layers=namespaces_provider.state.read(sandbox.id).spec.layers,
        role="build",  # type: ignore[union-attr,arg-type]
    )
    handle = await namespaces_provider.create(build)
    reached = False

    def touched(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        reached = True
        writer.close()

    server = await asyncio.start_unix_server(touched, tmp_path / "s")
    try:
        async with await namespaces_provider.connect(handle) as guest:
            await sh(guest, f"cd /run/outrider && rm ssh.sock && ln -s {tmp_path}/s ssh.sock")
        with pytest.raises(SandboxLost):
            await namespaces_provider.connect(handle)
    finally:
        server.close()
        await namespaces_provider.destroy(handle)
    assert not reached


async def test_files_of_the_guest_belong_to_nobody_on_the_host(
    namespaces_provider: NamespaceProvider, sandbox: SandboxHandle, guest: Guest
) -> None:
    await sh(guest, "touch /workspace/file")
    upper = namespaces_provider.state.guest / "boxes" / sandbox.id / "upper"
    owners = {(upper / "workspace" / "file").stat().st_uid, upper.stat().st_uid}
    assert os.geteuid() not in owners
    assert min(owners) >= 100_000


async def test_a_frozen_session_leaves_no_setuid_file(
    namespaces_provider: NamespaceProvider, base_layers: BaseLayers
) -> None:
    layer = new_id("layer")
    handle = await namespaces_provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,)))
    async with await namespaces_provider.connect(handle) as guest:
        assert "rwsr" in await sh(
            guest, "cp /usr/bin/id /workspace/id && chmod 6755 /workspace/id && ls -l /workspace/id"
        )
    await namespaces_provider.freeze(handle, layer)  # type: ignore[arg-type]
    kept = namespaces_provider.state.layer(layer) / "workspace" / "id"
    assert oct(kept.stat().st_mode & 0o7777) == "0o755"
    await namespaces_provider.delete_layer(layer)  # type: ignore[arg-type]
