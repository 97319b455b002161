"""Every call of microsandbox's own interface, and what its failures mean. The package is an optional extra: it is
imported where it is used."""

import asyncio
import math
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from outrider.cleanup import to_its_end
from outrider.model.errors import SandboxError, SandboxLost
from outrider.model.sandbox import TOOLBOX, Limits

if TYPE_CHECKING:
    from microsandbox import MountConfig

MIB = 1 << 20
PAGE = 200

STOP_SECONDS = 10.0


@contextmanager
def told(what: str) -> Iterator[None]:
    """Say microsandbox's errors as ours."""
    from microsandbox import MicrosandboxError, SandboxNotFoundError, SandboxNotRunningError

    try:
        yield
    except (SandboxNotFoundError, SandboxNotRunningError) as error:
        raise SandboxLost(f"{what}: {error}.") from error
    except MicrosandboxError as error:
        raise SandboxError(f"{what}: {error}.") from error


async def load_image(archive: Path, reference: str) -> None:
    """Take an image in from an archive."""
    from microsandbox import Image

    with told("microsandbox could not take the image in"):
        await Image.load(str(archive), tag=reference)


async def has_image(reference: str) -> bool:
    """Whether the image is there."""
    from microsandbox import Image, ImageNotFoundError

    try:
        await Image.get(reference)
    except ImageNotFoundError:
        return False
    return True


async def create(name: str, image: str, limits: Limits, toolbox: Path | None) -> None:
    """Make and start a microVM of an image, without network. It outlives this process."""
    from microsandbox import Image, Network, PullPolicy, RootDisk, Sandbox

    disk = RootDisk.managed(math.ceil(limits.disk_bytes / MIB))
    with told("The microVM could not be made"):
        made = await Sandbox.create(
            name,
            image=Image.oci(image, root_disk=disk),
            pull_policy=PullPolicy.NEVER,
            memory=math.ceil(limits.memory_bytes / MIB),
            cpus=math.ceil(limits.cpus),
            hostname="outrider",
            network=Network.none(),
            max_duration=limits.wall_seconds,
            volumes=_volumes(toolbox),
            detached=True,
        )
        await made.detach()


async def restore(name: str, snapshot: str, limits: Limits, toolbox: Path | None) -> None:
    """Make and start a microVM of a snapshot's disk, without network."""
    from microsandbox import Sandbox

    with told("The microVM could not be made from its snapshot"):
        made = await Sandbox.restore(
            snapshot,
            name=name,
            memory=math.ceil(limits.memory_bytes / MIB),
            cpus=math.ceil(limits.cpus),
            disable_network=True,
            max_duration=limits.wall_seconds,
            volumes=_volumes(toolbox),
            disk_only=True,
        )
        await made.detach()


async def start(name: str) -> None:
    """Start a stopped one with its disk."""
    from microsandbox import Sandbox

    with told("The microVM could not be started"):
        await (await Sandbox.start(name, detached=True)).detach()


async def kill(name: str) -> None:
    """End it; its disk is kept. No error where it does not run."""
    from microsandbox import Sandbox, SandboxNotFoundError, SandboxNotRunningError

    with told("The microVM could not be stopped"):
        try:
            await (await Sandbox.get(name)).kill(timeout=STOP_SECONDS)
        except (SandboxNotFoundError, SandboxNotRunningError):
            return


async def destroy(name: str) -> None:
    """Leave nothing of it. No error where there is none."""
    from microsandbox import Sandbox, SandboxNotFoundError

    with told("The microVM could not be destroyed"):
        try:
            await (await Sandbox.get(name)).destroy(force=True, timeout=STOP_SECONDS)
        except SandboxNotFoundError:
            return


async def all_running(prefix: str) -> dict[str, bool]:
    """The microVMs whose names begin so, and whether each runs."""
    from microsandbox import Sandbox, SandboxStatus

    alive = {SandboxStatus.RUNNING, SandboxStatus.PAUSED, SandboxStatus.STARTING}
    found: dict[str, bool] = {}
    cursor: str | None = None
    with told("microsandbox does not list its microVMs"):
        while True:
            page = await Sandbox.list_with(cursor=cursor, limit=PAGE)
            found |= {row.name: row.status in alive for row in page.sandboxes if row.name.startswith(prefix)}
            cursor = page.next_cursor
            if cursor is None:
                return found


async def snapshot(name: str, source: str, *, running: bool) -> int:
    """Keep the disk of a microVM; it stands still meanwhile. Returns its size in bytes."""
    from microsandbox import GuestFlush, Sandbox, Snapshot

    with told("The microVM's disk could not be kept"):
        handle = await Sandbox.get(source)
        if running:
            await handle.pause(guest_flush=GuestFlush.REQUIRED)
        try:
            made = await Snapshot.create(name, from_sandbox=source)
        finally:
            if running:
                await to_its_end(handle.resume())
        return made.size_bytes or 0


async def delete_snapshot(name: str) -> None:
    """Remove a kept disk."""
    from microsandbox import Snapshot

    with told("A snapshot could not be removed"):
        await Snapshot.remove(name, force=True)


async def save_snapshot(name: str, target: Path) -> None:
    """Write a kept disk, with all that it stands on, to a file."""
    from microsandbox import Snapshot

    with told("A snapshot could not be written"):
        await Snapshot.save(name, str(target), with_parents=True, with_image=True)


async def load_snapshot(source: Path) -> str:
    """Take a written disk in, and return what it is known by now."""
    from microsandbox import Snapshot

    with told("A snapshot could not be read"):
        return str((await Snapshot.load(str(source))).reference)


async def run(name: str, argv: list[str], stdin: AsyncIterator[bytes] | None = None) -> None:
    """Run a command as guest root to its end. Raises SandboxError where it fails."""
    from microsandbox import Sandbox, Stdin

    with told("The microVM does not run a command"):
        machine = await (await Sandbox.get(name)).connect()
        running = await machine.exec_stream(
            argv[0], argv[1:], user="root", stdin=Stdin.pipe() if stdin else Stdin.null()
        )
        sink = running.take_stdin() if stdin else None
        if stdin and sink:
            async for chunk in stdin:
                await sink.write(chunk)
            await sink.close()
        done = await running.collect()
        if done.exit_code:
            said = done.stderr_bytes[-300:].decode(errors="replace").strip()
            raise SandboxError(f"A command ended with {done.exit_code} in the microVM: {said}.")


async def attach(name: str, argv: list[str]) -> socket.socket:
    """Start a command as guest root and return the stream of its stdin and stdout. It ends with the stream."""
    from microsandbox.setup import resolve_runtime

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with theirs, told("The microVM cannot be reached"):
        command = [resolve_runtime().msb_path, "exec", "--no-tty", "--user", "root", name, "--", *argv]
        await asyncio.create_subprocess_exec(
            *command,
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    return ours


def _volumes(toolbox: Path | None) -> "dict[str, MountConfig]":
    from microsandbox import Volume

    if toolbox is None:
        return {}
    return {TOOLBOX: Volume.bind(str(toolbox), readonly=True, nosuid=True, nodev=True, uid=0, gid=0)}
