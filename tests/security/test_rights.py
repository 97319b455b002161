"""Rights: capabilities, calls of the kernel, setuid programs, tracing, devices, and the kernel's own knobs."""

import asyncio
import io
import json
import os
import tarfile
from typing import Any

import pytest
from conftest import Opened, Target
from inside import python, sh
from planted import ATTRIBUTE, EFFECTIVE_CAPABILITIES, TRUE_CAPABILITIES, give, run_without_walls

from outrider.model.ids import LayerId, new_id
from outrider.model.sandbox import GuestRole
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.sandboxes.namespaces.provider import NamespaceProvider

pytestmark = pytest.mark.sandbox

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
    found = await sh(guest, "test -u /usr/bin/su && echo setuid; echo | timeout 0.5 su -c 'id -u' 2>&1")
    assert "setuid" in found
    assert "\n0\n" not in found


async def test_what_is_guest_roots_cannot_be_traced(guest: Guest) -> None:
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
pids = [int(name) for name in os.listdir("/proc") if name.isdigit() and os.stat(f"/proc/{name}").st_uid == 0]
print(len(pids) > 1, {libc.ptrace(16, pid, 0, 0) for pid in pids})
"""
    assert await python(guest, script) == "True {-1}\n"


async def test_a_frozen_session_leaves_no_setuid_file_and_no_capability(
    provider: SandboxProvider, target: Target, opened: Opened
) -> None:
    """Or they are without effect until they are taken off. No session can set a capability: here somebody else does."""
    layer = LayerId(new_id("layer"))
    async with opened() as handle:
        async with await provider.connect(handle) as guest:
            planted = "cp /usr/bin/id /workspace/id && chmod 6755 /workspace/id && ls -l /workspace/id"
            assert "rwsr" in await sh(guest, planted)
            await sh(guest, "cp /usr/bin/grep /workspace/asks")
            await give(provider, handle, "/workspace/asks", TRUE_CAPABILITIES)
        await provider.freeze(handle, layer)
    try:
        async with opened(layers=(target.layers.base, layer)) as later, await provider.connect(later) as guest:
            assert await sh(guest, "/workspace/id -u; /workspace/id -ru") == "1000\n1000\n"
            assert (await sh(guest, "/workspace/asks ^Cap /proc/self/status")).splitlines() == NOTHING
        if isinstance(provider, NamespaceProvider):
            assert ATTRIBUTE not in os.listxattr(provider.state.layer(layer) / "workspace/asks")
        raw = io.BytesIO(b"".join([piece async for piece in provider.export_layer(layer)]))
    finally:
        await provider.delete_layer(layer)
    with tarfile.open(fileobj=raw) as archive:
        modes = {member.name.removeprefix("./"): member.mode & 0o7777 for member in archive}
    assert modes["workspace/id"] == 0o755


async def test_a_setuid_program_of_an_image_gains_nothing(
    provider: SandboxProvider, target: Target, opened: Opened
) -> None:
    """An image is built by guest root, who may leave any setuid file in it."""
    layer = LayerId(new_id("layer"))
    async with opened(role=GuestRole.BUILD, toolbox=None) as build:
        async with await provider.connect(build) as guest:
            planted = await sh(
                guest,
                "cp /usr/bin/python3 /usr/bin/rootpy && chmod 6755 /usr/bin/rootpy; stat -c %a /usr/bin/rootpy",
            )
            assert "6755" in planted
        await provider.freeze(build, layer)
    try:
        async with (
            opened(layers=(target.layers.base, layer)) as handle,
            await provider.connect(handle) as guest,
        ):
            script = (
                "import os; caps = [line for line in open('/proc/self/status') if line.startswith(('CapE', 'CapP'))]; "
                "print(os.getresuid(), {line.split()[1] for line in caps})"
            )
            done = await guest.run(ExecSpec(argv=["/usr/bin/rootpy", "-I", "-c", script]))
            assert done.output == b"(1000, 1000, 1000) {'0000000000000000'}\n", done.output
    finally:
        await provider.delete_layer(layer)


GAINED = "CapPrm:\t0000000000000082"
"""What `planted` gives to who may take it."""

NOTHING = [f"Cap{kind}:\t{0:016x}" for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")]


async def test_the_capabilities_of_a_file_of_an_image_give_nothing(
    provider: SandboxProvider, target: Target, opened: Opened
) -> None:
    """They are real: without the walls the same files give them to the same user."""
    layer = LayerId(new_id("layer"))
    files = {"/usr/bin/asks": TRUE_CAPABILITIES, "/usr/bin/has": EFFECTIVE_CAPABILITIES}
    async with opened(role=GuestRole.BUILD, toolbox=None) as build:
        async with await provider.connect(build) as guest:
            await sh(guest, "; ".join(f"cp /usr/bin/grep {path}" for path in files))
        for path, value in files.items():
            await give(provider, build, path, value)
        await provider.freeze(build, layer)
    try:
        for path in files:
            assert GAINED in await _status_without_walls(provider, target, opened, layer, path)
        async with opened(layers=(target.layers.base, layer)) as handle, await provider.connect(handle) as guest:
            said = {path: await sh(guest, f"{path} ^Cap /proc/self/status 2>&1") for path in files}
    finally:
        await provider.delete_layer(layer)
    assert said["/usr/bin/asks"].splitlines() == NOTHING
    assert said["/usr/bin/has"].splitlines() == NOTHING or "Operation not permitted" in said["/usr/bin/has"]


async def _status_without_walls(
    provider: SandboxProvider, target: Target, opened: Opened, layer: LayerId, path: str
) -> str:
    """What the session's user has in a program of the layer: in namespaces behind the map of ids alone, in containers
    in a build, whose root may start it as that user."""
    argv = [path, "^Cap", "/proc/self/status"]
    if isinstance(provider, NamespaceProvider):
        return await asyncio.to_thread(
            run_without_walls, provider, target.layers.base, layer, [f"/mnt{path}", *argv[1:]]
        )
    async with (
        opened(role=GuestRole.BUILD, toolbox=None, layers=(target.layers.base, layer)) as build,
        await provider.connect(build) as guest,
    ):
        become = ["setpriv", "--reuid", "1000", "--regid", "1000", "--clear-groups"]
        done = await guest.run(ExecSpec(argv=[*become, *argv]))
        return done.output.decode()


async def test_nothing_that_serves_the_session_can_be_traced(guest: Guest) -> None:
    """Neither pid 1 and the listener, nor the sshd that is the parent of the engine."""
    script = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def parents(pid):
    while pid > 0:
        yield pid
        pid = int(open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()[1])
for pid in {1, *parents(os.getppid())}:
    name = open(f"/proc/{pid}/comm").read().strip()
    seized = libc.ptrace(0x4206, pid, 0, 0)
    print(name, pid, "traced" if seized == 0 else "held")
    for file in ("mem", "environ"):
        try:
            handle = open(f"/proc/{pid}/{file}", "r+b" if file == "mem" else "rb", buffering=0)
            handle.read(1) if file == "environ" else None
            print(name, file, "opened")
        except OSError:
            pass
"""
    said = await python(guest, script)
    assert "sshd" in said
    assert "traced" not in said
    assert "opened" not in said


async def test_no_device_no_knob_and_no_group_of_the_kernel_can_be_written(guest: Guest) -> None:
    script = """
import os
KNOBS = ("core_pattern", "modprobe", "hostname", "ns_last_pid", "unprivileged_bpf_disabled")
DEVICES = ("mem", "kmsg", "sda", "loop-control", "kvm", "fuse", "net/tun", "vhost-net")
FILES = ["/proc/sysrq-trigger", "/proc/sys/vm/swappiness", "/sys/kernel/uevent_helper", "/proc/kcore",
         "/proc/1/oom_score_adj", "/proc/self/uid_map"]
for path in [*FILES, *(f"/proc/sys/kernel/{name}" for name in KNOBS), *(f"/dev/{name}" for name in DEVICES)]:
    try:
        with open(path, "r+b" if path.startswith("/dev") or path == "/proc/kcore" else "wb", buffering=0) as file:
            file.write(b"0") if not path.startswith("/dev") else None
        print("written", path)
    except OSError:
        pass
for root, folders, files in os.walk("/sys/fs/cgroup"):
    for name in files:
        if os.access(os.path.join(root, name), os.W_OK):
            print("writable", root, name)
try:
    os.mknod("/tmp/disk", 0o60666, os.makedev(8, 0))
    print("made a device")
except OSError:
    pass
"""
    assert await python(guest, script) == ""


async def test_a_namespace_is_not_made_by_any_program(guest: Guest) -> None:
    tried = [
        "unshare -Ur id -u", "unshare -Urm mount -t tmpfs none /mnt", "unshare -Unp true", "bwrap --bind / / true",
        "nsenter -t 1 -a id", "mount -o remount,rw /proc", "mount --bind /tmp /etc", "modprobe dummy", "insmod /x.ko",
        "chroot / id", "swapoff /x", "hostname pwned", "date -s 2001-01-01", "dmesg", "ip link add dummy0 type dummy",
    ]  # fmt: skip
    for attack in tried:
        assert (await guest.run(ExecSpec(argv=["sh", "-c", attack]))).exit_code != 0, attack


async def test_a_program_of_32_bits_meets_the_same_filter(guest: Guest) -> None:
    """Calls by the old interface have other numbers: a filter that looks at numbers alone lets them by."""
    script = """
import ctypes, mmap, sys
code = bytes.fromhex("53b814000000cd805bc3")  # getpid of i386 by int 0x80
page = mmap.mmap(-1, 4096, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
page.write(code)
call = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))
print(call())
"""
    done = await guest.run(ExecSpec(argv=["python3", "-I", "-c", script]))
    assert done.exit_code != 0 or int(done.output) < 0, done.output
