"""The memory of a sandbox where no control group counts it, as far as each process shows it to anybody. What lies in
files without a name is found by `nameless`."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outrider.sandboxes.namespaces.processes import ProcessIdentity

FOLDERS = ("dev", "dev/shm", "run")
"""File systems of memory that a sandbox has."""

Files = Mapping[int, int]
"""Bytes of memory by inode, of files that have no name in any folder."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one process uses, in bytes; all 0 where it has gone."""

    private: int = 0
    shared: int = 0
    """Of memory that others may have mapped too. Which of it is the same in two processes cannot be told."""


@dataclass(frozen=True, slots=True)
class Census:
    """What one sandbox was seen to use: its processes by pid, and its folders of memory."""

    init: ProcessIdentity
    uses: Mapping[int, Use]
    in_folders: int

    def total(self, files: Mapping[int, Files]) -> int:
        """At least what it uses when its processes have these files open: what they share is counted once, and by the
        largest share."""
        nameless = {inode: size for pid in self.uses for inode, size in files.get(pid, {}).items()}
        shares = [self.in_folders + sum(nameless.values()), *(use.shared for use in self.uses.values())]
        return self._private() + max(shares)

    def at_most(self, shared: int) -> int:
        """What it uses at most on a machine of which all shared memory together is `shared`."""
        return self._private() + max([shared, *(use.shared for use in self.uses.values())])

    def largest(self, files: Mapping[int, Files]) -> tuple[int, int]:
        """Bytes and pid of the process that is to end first."""
        return max((_size(use, files.get(pid, {})), pid) for pid, use in self.uses.items())

    def _private(self) -> int:
        return sum(use.private for use in self.uses.values())


def take_census(init: ProcessIdentity, pids: list[int]) -> Census:
    """Look at a sandbox's processes once."""
    in_folders = sum(_used(f"/proc/{init.pid}/root/{folder}") for folder in FOLDERS)
    return Census(init, {pid: use_of(pid) for pid in pids}, in_folders)


def use_of(pid: int) -> Use:
    """What the process uses now."""
    return _use(Path(f"/proc/{pid}")) or _use_of_threads(pid) or Use()


def machine_shared() -> int:
    """Bytes of shared memory and of files of memory on the whole machine, what was swapped out of anything included:
    more than this no sandbox has of them."""
    try:
        rows = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        shared, total, free = (int(rows[name].split()[0]) << 10 for name in ("Shmem", "SwapTotal", "SwapFree"))
    except (OSError, KeyError, ValueError):
        return 1 << 62
    return shared + total - free


def _size(use: Use, files: Files) -> int:
    return use.private + max(use.shared, sum(files.values()))


def _use(folder: Path) -> Use | None:
    try:
        rows = dict(line.split(":", 1) for line in (folder / "status").read_text(errors="replace").splitlines())
        private, shared = (int(rows[name].split()[0]) << 10 for name in ("RssAnon", "RssShmem"))
    except (OSError, KeyError, ValueError):
        return None
    return Use(private, shared)


def _use_of_threads(pid: int) -> Use | None:
    """A process whose first thread has ended shows nothing itself; each of its threads that live shows all of it."""
    with contextlib.suppress(OSError):
        return next(filter(None, map(_use, Path(f"/proc/{pid}/task").iterdir())), None)
    return None


def _used(folder: str) -> int:
    with contextlib.suppress(OSError):
        state = os.statvfs(folder)
        return (state.f_blocks - state.f_bfree) * state.f_frsize
    return 0
