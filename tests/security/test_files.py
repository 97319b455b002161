"""Files: of the host, of other sandboxes, of the way in; and what a guest leaves for us to stumble over."""

import asyncio
import os
from pathlib import Path

import pytest
from conftest import Opened, Target
from inside import CANARY, python, sh
from planted import CANARY_NAME, CANARY_TEXT, canaries, read_as_nobody

from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.ids import LayerId, new_id
from outrider.model.sandbox import GuestRole
from outrider.ports.sandbox import ExecSpec, Guest, SandboxProvider
from outrider.sandboxes.namespaces.provider import NamespaceProvider

pytestmark = pytest.mark.sandbox


async def test_no_file_of_the_host_can_be_seen(guest: Guest, target: Target) -> None:
    with canaries(target.state) as paths:
        if os.geteuid() == 0:
            assert CANARY in await asyncio.to_thread(read_as_nobody, paths[0])
        assert await _reached(guest, paths) == ""
        assert await _found(guest) == {"/workspace/by content", f"/workspace/{CANARY_NAME}"}


async def test_no_file_of_the_host_can_be_seen_by_guest_root(
    opened: Opened, provider: SandboxProvider, target: Target
) -> None:
    with canaries(target.state) as paths:
        async with opened(role=GuestRole.BUILD) as build, await provider.connect(build) as guest:
            assert await _reached(guest, paths) == ""
            assert await _found(guest) == {"/workspace/by content", f"/workspace/{CANARY_NAME}"}


async def _reached(guest: Guest, paths: list[Path]) -> str:
    """The ways by which one of these files of the host can be opened, or its folder listed."""
    script = f"""
import glob, os
WAYS = ("", "/..", "/oldroot", "/newroot", "/mnt", "/proc/self/cwd/../../..")
PROCESSES = ("/proc/[0-9]*/root", "/proc/[0-9]*/cwd", "/proc/[0-9]*/fd/*")
for way in (*WAYS, *(found for pattern in PROCESSES for found in glob.glob(pattern))):
    for path in {[str(path) for path in paths]}:
        for reach, what in ((open, path), (os.listdir, os.path.dirname(path))):
            try:
                reach(way + what)
                print("reached", way + what)
            except OSError:
                pass
"""
    return await python(guest, script)


async def _found(guest: Guest) -> set[str]:
    """Every file of the guest with a canary's name or content; two of its own are among them."""
    await guest.run(ExecSpec(argv=["tee", "/workspace/by content"]), stdin=CANARY_TEXT.encode())
    everywhere = "find / -path /proc -prune -o -path /sys -prune -o"
    content = f"-type f -size {len(CANARY_TEXT)}c -exec grep -ls {CANARY} {{}} +"
    found = await sh(
        guest, f"touch /workspace/{CANARY_NAME}; {everywhere} -name {CANARY_NAME} -print -o {content} 2>/dev/null"
    )
    return set(found.splitlines())


async def test_nothing_of_the_hosts_environment_is_in_the_guest(
    provider: SandboxProvider, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", CANARY)
    async with opened() as handle, await provider.connect(handle) as guest:
        dump = await sh(guest, "cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; env")
    assert CANARY not in dump
    names = {line.partition("=")[0] for line in dump.splitlines() if line.partition("=")[1]}
    assert not names & {"SSH_AUTH_SOCK", "ANTHROPIC_API_KEY", "VIRTUAL_ENV"}
    assert "HOME=/home/agent" in dump


async def test_the_toolbox_and_the_way_in_cannot_be_changed(guest: Guest) -> None:
    tried = "touch /opt/outrider/x /run/outrider/x; rm -f /run/outrider/*; mv /run/outrider /run/o; echo end"
    done = await sh(guest, f"{{ {tried}; }} 2>&1")
    assert done.count("Read-only") == 1
    assert done.count("Permission denied") >= 3


async def test_a_socket_put_in_the_place_of_ours_is_not_connected_to(namespaces_target: Target, tmp_path: Path) -> None:
    """A build runs as guest root, who can replace the socket: by a link to one of the host's, say. Containers are not
    entered by a socket."""
    provider = namespaces_target.make()
    handle = await provider.create(namespaces_target.spec(role=GuestRole.BUILD))
    reached = False

    def touched(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal reached
        reached = True
        writer.close()

    server = await asyncio.start_unix_server(touched, tmp_path / "s")
    try:
        async with await provider.connect(handle) as guest:
            await sh(guest, f"cd /run/outrider && rm ssh.sock && ln -s {tmp_path}/s ssh.sock")
        with pytest.raises(SandboxLost):
            await provider.connect(handle)
    finally:
        server.close()
        await provider.destroy(handle)
    assert not reached


async def test_files_of_the_guest_belong_to_nobody_on_the_host(
    namespaces_provider: NamespaceProvider, namespaces_target: Target
) -> None:
    """Whose they are in containers is the daemon's to say: docs/guide/security.md does not promise it."""
    handle = await namespaces_provider.create(namespaces_target.spec())
    async with await namespaces_provider.connect(handle) as guest:
        await sh(guest, "touch /workspace/file")
    upper = namespaces_provider.state.guest / "boxes" / handle.id / "upper"
    owners = {(upper / "workspace" / "file").stat().st_uid, upper.stat().st_uid}
    await namespaces_provider.destroy(handle)
    assert os.geteuid() not in owners
    assert min(owners) >= 100_000


async def test_the_files_and_sockets_of_another_sandbox_are_out_of_reach(
    provider: SandboxProvider, target: Target, opened: Opened, guest: Guest
) -> None:
    async with opened() as other, await provider.connect(other) as neighbour:
        await sh(
            neighbour, f"echo {CANARY} >/workspace/theirs; chmod 777 /workspace/theirs; echo {CANARY} >/tmp/theirs"
        )
        script = f"""
import os, socket, stat
ROOTS = ["/run", "/proc/1/root/run", "/tmp", "/var", "/workspace/..", "/oldroot", "/newroot", "/mnt"]
for root in ["{target.state}", *ROOTS]:
    for folder, folders, files in os.walk(root, followlinks=False):
        if folder.rstrip("/").endswith(("/proc", "/sys", "/usr", "/workspace/../opt")):
            folders.clear()
        for name in files:
            path = os.path.join(folder, name)
            try:
                kind = os.stat(path).st_mode
                if stat.S_ISSOCK(kind) and "/run/outrider/" not in path:
                    socket.socket(socket.AF_UNIX).connect(path)
                    print("connected", path)
                elif stat.S_ISREG(kind) and {CANARY.encode()!r} in open(path, "rb").read(4096):
                    print("read", path)
            except OSError:
                pass
"""
        assert await python(guest, script) == ""


async def test_links_in_an_image_lead_nowhere_outside(
    provider: SandboxProvider, target: Target, opened: Opened, tmp_path: Path
) -> None:
    """Guest root of a build may leave a link wherever the next start mounts or writes something."""
    await asyncio.to_thread(tmp_path.chmod, 0o777)
    outside = tmp_path / "reached"
    layer = LayerId(new_id("layer"))
    places = (
        "/opt/outrider",
        "/run/outrider",
        "/workspace",
        "/home/agent",
        "/tmp",
        "/proc",
        "/dev",
        "/etc/resolv.conf",
    )
    links = "; ".join(
        f"rm -rf {place}.old; mv {place} {place}.old 2>/dev/null; ln -sfn {way}{outside}{place} {place}"
        for place, way in zip(places, ("", "/oldroot", "/..", "/newroot/..") * 2, strict=True)
    )
    async with opened(role=GuestRole.BUILD, toolbox=None) as build:
        async with await provider.connect(build) as guest:
            await sh(guest, links)
        await provider.freeze(build, layer)
    spec = {"layers": (target.layers.base, layer)}
    try:
        async with opened(**spec) as handle, await provider.connect(handle) as guest:
            await guest.run(
                ExecSpec(argv=["sh", "-c", "echo x >/workspace/x; echo x >/tmp/x; echo x >/home/agent/x"], cwd="/")
            )
    except SandboxError:
        pass  # an image of that kind may be refused
    finally:
        await provider.delete_layer(layer)
    assert await asyncio.to_thread(lambda: list(tmp_path.iterdir())) == []


async def test_a_link_in_the_workspace_is_not_followed_on_our_side(guest: Guest, tmp_path: Path) -> None:
    """What we fetch is made by the guest's own tar: a link of the host's is a link without an end in there."""
    await asyncio.to_thread(tmp_path.chmod, 0o755)
    (tmp_path / "secret").write_text(CANARY)
    await sh(guest, f"ln -s {tmp_path}/secret leak; ln -s / everything; mkdir d; ln -s ../../../../{tmp_path} d/up")
    taken = b"".join([piece async for piece in guest.get("/workspace", limit_bytes=4 << 20)])
    assert CANARY.encode() not in taken
    with pytest.raises(SandboxError):
        _ = [piece async for piece in guest.get("/workspace/missing/../../x", limit_bytes=1024)]


async def test_deleting_a_sandbox_follows_no_link(provider: SandboxProvider, opened: Opened, tmp_path: Path) -> None:
    await asyncio.to_thread(tmp_path.chmod, 0o777)
    (tmp_path / "kept").write_text("kept")
    (tmp_path / "kept").chmod(0o666)
    async with opened(role=GuestRole.BUILD) as handle, await provider.connect(handle) as guest:
        await sh(
            guest, f"ln -s {tmp_path} /workspace/a; ln -s ../../../../../../../../{tmp_path} /b; chmod 0 /workspace"
        )
        await sh(guest, "d=/workspace; for n in $(seq 200); do mkdir -p $d/$n; d=$d/$n; done; chattr +i /b 2>&1")
    assert (tmp_path / "kept").read_text() == "kept"
