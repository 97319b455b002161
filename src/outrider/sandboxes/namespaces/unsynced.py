"""What has been written since the machine started and may not be on the disk yet (docs/adr/0065).

An overlay with `volatile` never waits for the disk, so a loss of power may leave a layer or a sandbox whose files have
their names and not their bytes. Each of these has a mark until it has been synced. A mark is an empty file in a folder
named by the machine's boot id, made before the files that it speaks of: no journaling file system brings the later of
two names to the disk without the earlier one. Whatever carries the mark of another boot is suspect.
"""

import asyncio
import contextlib
import ctypes
import os
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from outrider.ports.clock import Clock
from outrider.ports.sandbox import Watchdog

Kind = Literal["layer", "box"]

SYNC_SECONDS = 30.0
"""How often what is finished is synced while there is any. Longer than a launch takes that a killed server has left
under way (`launch.READY_SECONDS`), since the next server does not know of it."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

_libc = ctypes.CDLL(None, use_errno=True)


class Mark(NamedTuple):
    """One mark of this boot, as it was when it was looked at: a thing that is written again is marked anew."""

    kind: Kind
    name: str
    made_ns: int
    inode: int


def boot_id() -> str:
    """Differs after each start of the machine; the same for ever where the kernel does not say."""
    try:
        return BOOT_ID.read_text().strip() or "unknown"
    except OSError:
        return "unknown"


def sync_file_system(folder: Path) -> None:
    """Bring to the disk all that was written on the file system of a folder. Blocks, for seconds where much was."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        if _libc.syncfs(handle) != 0:
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number), str(folder))
    finally:
        os.close(handle)


class Unsynced:
    """The marks below `folder`, for the boot of this id."""

    def __init__(self, folder: Path, boot: str) -> None:
        self._folder = folder
        self._boot = boot

    def mark(self, kind: Kind, name: str) -> None:
        """It is going to be written, from nothing or from what is above suspicion."""
        self.forget(kind, name)
        folder = self._folder / self._boot
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / f"{kind}.{name}").touch()

    def forget(self, kind: Kind, name: str) -> None:
        """It is gone."""
        for folder in self._boots():
            (folder / f"{kind}.{name}").unlink(missing_ok=True)
            if folder.name != self._boot:
                with contextlib.suppress(OSError):  # not empty
                    folder.rmdir()

    def doubt(self, kind: Kind, name: str, boot: str) -> None:
        """It is as suspect as what was written in that boot."""
        (self._folder / boot / f"{kind}.{name}").touch()

    def suspects(self, kind: Kind) -> dict[str, str]:
        """What was written in another boot and not synced in it: its name, and that boot."""
        others = [folder for folder in self._boots() if folder.name != self._boot]
        return {name: folder.name for folder in others for found, name in _names(folder) if found == kind}

    def ours(self) -> list[Mark]:
        """What was written in this boot and not synced yet."""
        folder = self._folder / self._boot
        found = []
        for kind, name in _names(folder):
            try:
                status = (folder / f"{kind}.{name}").stat()
            except FileNotFoundError:
                continue
            found.append(Mark(kind, name, status.st_mtime_ns, status.st_ino))
        return found

    def synced(self, mark: Mark) -> None:
        """It is on the disk, unless it has been marked again since."""
        if mark in self.ours():
            (self._folder / self._boot / f"{mark.kind}.{mark.name}").unlink(missing_ok=True)

    def _boots(self) -> Iterator[Path]:
        yield from list(self._folder.iterdir()) if self._folder.is_dir() else ()


def _names(folder: Path) -> list[tuple[Kind, str]]:
    names = [path.name.partition(".") for path in folder.iterdir()] if folder.is_dir() else []
    return [("box" if kind == "box" else "layer", name) for kind, _, name in names if kind in ("box", "layer")]


def sync_finished(
    unsynced: Unsynced, folder: Path, finished: Callable[[Mark], bool], sync: Callable[[Path], None] = sync_file_system
) -> int:
    """Sync what nobody writes to any more, and say how many marks went for it. What is written again meanwhile keeps
    its mark. Blocks. Raises OSError; all marks stay then."""
    found = [mark for mark in unsynced.ours() if finished(mark)]
    if not found:
        return 0
    sync(folder)
    still = [mark for mark in found if finished(mark)]
    for mark in still:
        unsynced.synced(mark)
    return len(still)


class Syncing:
    """Implements `outrider.ports.sandbox.Watchdog`: another one, and beside it the sync of what is finished."""

    def __init__(self, watchdog: Watchdog, settle: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self._watchdog = watchdog
        self._settle = settle
        self._clock = clock

    async def run(self) -> None:
        """Both, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watchdog.run(), name="limits of sandboxes")
            tasks.create_task(self._keep_syncing(), name="sync of layers")

    async def look(self) -> None:
        """One round over the running sandboxes."""
        await self._watchdog.look()

    async def _keep_syncing(self) -> None:
        while True:
            await self._clock.sleep(SYNC_SECONDS)
            await self._settle()
