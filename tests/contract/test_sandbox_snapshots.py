"""Snapshots where something goes wrong: the server dies, the disk is full, the guest forks without end."""

import asyncio
import os
import shutil
import signal
import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from outrider.model.errors import SandboxError
from outrider.model.ids import LayerId, SandboxId, new_id
from outrider.model.sandbox import SandboxHandle, SandboxSpec
from outrider.ports.clock import SystemClock
from outrider.ports.sandbox import ExecSpec
from outrider.sandboxes.namespaces.cgroups import find_cgroups
from outrider.sandboxes.namespaces.ids import find_host_ids
from outrider.sandboxes.namespaces.mapped_call import MappedCalls
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.sandboxes.namespaces.records import still_marker
from outrider.testing.base_layers import BaseLayers
from tests.forked_scripts import Scripts

pytestmark = pytest.mark.sandbox

SERVER = """
import asyncio, sys
from pathlib import Path
from outrider.model.sandbox import SandboxHandle
from outrider.ports.clock import SystemClock
from outrider.sandboxes.namespaces.provider import NamespaceProvider
from outrider.sandboxes.namespaces.records import still_marker

async def main(state, sandbox, layer):
    provider = NamespaceProvider(Path(state), SystemClock())
    await provider.snapshot(SandboxHandle(id=sandbox, provider="namespaces"), layer)

asyncio.run(main(*sys.argv[1:]))
"""

FORKS = """
echo begun
while :; do sh -c 'echo $$ >mine.$$; mv mine.$$ newest; (sleep 0; echo $$ >late) & ' & wait $!; done
"""


def kill_in_a_snapshot(
    scripts: Scripts, provider: NamespaceProvider, sandbox: SandboxId, layer: LayerId, *, helper_too: bool
) -> None:
    """Have another server take a snapshot, and kill it while the sandbox stands still."""
    with scripts.run(SERVER, str(provider.state.path), sandbox, layer) as server:
        while not still_marker(provider.state, sandbox).exists() and server.process.poll() is None:
            pass
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children").read_text().split()
        server.kill()
    for child in children if helper_too else ():
        os.kill(int(child), signal.SIGKILL)


def shell(script: str) -> ExecSpec:
    """A script in the workspace."""
    return ExecSpec(argv=["sh", "-c", script], cwd="/workspace")


@pytest.fixture(params=["groups", "signals"])
async def provider(request: pytest.FixtureRequest, namespaces_provider: NamespaceProvider) -> NamespaceProvider:
    """One that freezes by control groups where they are ours, and one that stops process by process."""
    groups = find_cgroups() if request.param == "groups" else None
    if request.param == "groups" and groups is None:
        pytest.skip("control groups are not ours to write here")
    return NamespaceProvider(namespaces_provider.state.path, SystemClock(), groups=groups)


@pytest.fixture
async def sandbox(provider: NamespaceProvider, base_layers: BaseLayers) -> AsyncIterator[SandboxHandle]:
    """A running sandbox."""
    handle = await provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,)))
    yield handle
    await provider.destroy(handle)


async def test_what_forks_without_end_stands_still_and_goes_on(
    provider: NamespaceProvider, sandbox: SandboxHandle
) -> None:
    async with await provider.connect(sandbox) as guest:
        forks = await guest.start(shell(FORKS))
        assert await anext(forks.stdout()) == b"begun\n"
        for _ in range(5):
            layer = LayerId(new_id("layer"))
            await provider.snapshot(sandbox, layer)
            await provider.delete_layer(layer)
            before = (await guest.run(shell("cat newest"))).output.decode().strip()
            on = await guest.run(shell(f"until [ $(cat newest) != {before} ]; do :; done"), timeout_seconds=20)
            assert on.exit_code == 0
        await forks.signal("KILL")


@pytest.mark.parametrize("helper_too", [False, True], ids=["server", "server and helper"])
async def test_a_sandbox_goes_on_after_its_server_was_killed_in_a_snapshot(
    scripts: Scripts, provider: NamespaceProvider, sandbox: SandboxHandle, *, helper_too: bool
) -> None:
    async with await provider.connect(sandbox) as guest:
        await guest.run(shell("head -c 100M /dev/zero | tr '\\0' x >big; mkdir d; touch $(seq -f d/%g 3000)"))
    layer = LayerId(new_id("layer"))
    marker = still_marker(provider.state, sandbox.id)
    kill_in_a_snapshot(scripts, provider, sandbox.id, layer, helper_too=helper_too)
    async with await provider.connect(sandbox) as guest:
        assert (await guest.run(shell("ls d | wc -l"))).output == b"3000\n"
    assert not marker.exists()
    assert await provider.snapshot(sandbox, layer) == layer
    assert len(list((provider.state.layer(layer) / "workspace/d").iterdir())) == 3000
    await provider.delete_layer(layer)


async def test_a_sandbox_that_was_left_standing_still_can_be_destroyed(
    provider: NamespaceProvider, sandbox: SandboxHandle
) -> None:
    record = provider.state.read(sandbox.id)
    assert record is not None
    for group in record.cgroups:
        if (group / "freezer.state").exists():
            (group / "freezer.state").write_text("FROZEN")
    still_marker(provider.state, sandbox.id).touch()
    await provider.destroy(sandbox)
    assert sandbox not in [row.handle for row in await provider.list({})]


async def test_what_did_not_change_is_not_copied_again(provider: NamespaceProvider, sandbox: SandboxHandle) -> None:
    layers = [LayerId(new_id("layer")) for _ in range(2)]
    async with await provider.connect(sandbox) as guest:
        await guest.run(shell("echo same >same; echo one >file; touch -d '1 hour ago' same"))
        # A change within two seconds of a snapshot counts as new: the time stamps of some kernels are that coarse.
        await asyncio.sleep(2.1)
        for layer, word in zip(layers, ("one", "two"), strict=True):
            await guest.run(shell(f"echo {word} >file"))
            await provider.snapshot(sandbox, layer)
    places = [provider.state.layer(layer) / "workspace" for layer in layers]
    assert [place.joinpath("file").read_text() for place in places] == ["one\n", "two\n"]
    assert places[0].joinpath("same").stat().st_ino == places[1].joinpath("same").stat().st_ino
    for layer in layers:
        await provider.delete_layer(layer)


async def test_rights_that_a_session_smuggles_are_not_kept(provider: NamespaceProvider, sandbox: SandboxHandle) -> None:
    layer = LayerId(new_id("layer"))
    async with await provider.connect(sandbox) as guest:
        script = "cp /bin/true t; chmod 6755 t; mkfifo pipe; echo x >note; ln -s /etc/passwd out"
        await guest.run(shell(script))
        await provider.snapshot(sandbox, layer)
        assert (await guest.run(shell("stat -c %a t; test -p pipe"))).output == b"6755\n"
    kept = provider.state.layer(layer) / "workspace"
    assert oct((kept / "t").stat().st_mode)[-4:] == "0755"
    assert not (kept / "pipe").exists()
    assert (kept / "out").readlink() == Path("/etc/passwd")
    await provider.delete_layer(layer)


async def make_box(folder: Path) -> MappedCalls:
    """A state of the provider with one box that was never started."""
    guest = folder / "guest"
    guest.mkdir()
    guest.chmod(0o777)
    calls = MappedCalls(guest, find_host_ids())
    await calls("sweep")
    return calls


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 3 MB."""
    if os.geteuid() != 0:
        pytest.skip("only root may mount a disk")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(tmp_path)], check=True)
    yield tmp_path
    subprocess.run(["umount", "-l", str(tmp_path)], check=True)


async def test_a_full_disk_is_said_and_leaves_nothing(small_disk: Path) -> None:
    calls = await make_box(small_disk)
    upper = calls.guest / "boxes/one/upper"
    upper.mkdir(parents=True)
    (upper / "big").write_bytes(bytes(range(256)) * (2 << 12))
    for path in (upper.parent, upper, upper / "big"):
        os.chown(path, calls.ids.uid_start, calls.ids.gid_start)
    with pytest.raises(SandboxError, match="disk is full"):
        await calls("snapshot", box="boxes/one", layer="layer-one", strip=True, still=None)
    assert list((calls.guest / "layers").iterdir()) == []
    (upper / "big").write_bytes(bytes(1 << 19))
    await calls("snapshot", box="boxes/one", layer="layer-one", strip=True, still=None)
    assert (calls.guest / "layers/layer-one/big").stat().st_size == 1 << 19


@pytest.fixture
def btrfs(tmp_path: Path) -> Iterator[Path]:
    """A small btrfs."""
    if os.geteuid() != 0 or not shutil.which("mkfs.btrfs"):
        pytest.skip("needs root and btrfs-progs")
    image, place = tmp_path / "image", tmp_path / "btrfs"
    place.mkdir()
    with image.open("wb") as file:
        file.truncate(2 << 30)
    subprocess.run(["mkfs.btrfs", "-q", str(image)], check=True, stdout=subprocess.DEVNULL)
    if subprocess.run(["mount", "-o", "loop", str(image), str(place)], check=False).returncode != 0:
        pytest.skip("this kernel mounts no btrfs")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


async def test_on_btrfs_the_file_system_makes_the_copy(
    btrfs: Path, namespaces_provider: NamespaceProvider, base_layers: BaseLayers
) -> None:
    provider = NamespaceProvider(btrfs / "state", SystemClock(), groups=find_cgroups())
    tar, layers = btrfs / "base.tar", [LayerId(new_id("layer")) for _ in range(2)]
    with tar.open("wb") as file:
        async for chunk in namespaces_provider.export_layer(base_layers.base):
            file.write(chunk)
    await provider.add_layer(base_layers.base, tar)
    handle = await provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base,)))
    async with await provider.connect(handle) as guest:
        await guest.run(shell("echo one >file; cp /bin/true t; chmod 4755 t"))
        await provider.snapshot(handle, layers[0])
        await guest.run(shell("echo two >file"))
    await provider.freeze(handle, layers[1])
    places = [provider.state.layer(layer) for layer in layers]
    assert [place.stat().st_ino for place in places] == [256, 256]
    assert [(place / "workspace/file").read_text() for place in places] == ["one\n", "two\n"]
    assert oct((places[0] / "workspace/t").stat().st_mode)[-4:] == "0755"
    restored = await provider.create(SandboxSpec(id=SandboxId(new_id("sb")), layers=(base_layers.base, layers[0])))
    async with await provider.connect(restored) as guest:
        assert (await guest.run(shell("cat file"))).output == b"one\n"
    await provider.destroy(restored)
    for layer in layers:
        await provider.delete_layer(layer)
    assert [path.name for path in (provider.state.guest / "layers").iterdir()] == [base_layers.base]
    assert not list((provider.state.guest / "trash").iterdir())
