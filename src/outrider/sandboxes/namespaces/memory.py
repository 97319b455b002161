"""The memory of a sandbox where no control group counts it: of its processes, and of what lies in files of memory."""

import contextlib
import functools
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

FOLDERS = ("dev", "dev/shm", "run")
"""File systems of memory that a sandbox has."""


@dataclass(frozen=True, slots=True)
class Use:
    """What one process uses, in bytes; all 0 where it has gone."""

    private: int = 0
    shared: int = 0
    """Of memory that others may have mapped too. Which of it is the same in two processes cannot be told."""
    files: dict[int, int] = field(default_factory=dict)
    """By inode: memory behind open files that have no name in any folder (memfd_create)."""

    @property
    def size(self) -> int:
        """By which the process is chosen that is to end."""
        return self.private + max(self.shared, sum(self.files.values()))


def use_of(pid: int) -> Use:
    """What the process uses now."""
    try:
        rows = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
        private, shared = (int(rows[name].split()[0]) << 10 for name in ("RssAnon", "RssShmem"))
    except (OSError, KeyError, ValueError):
        return Use()
    return Use(private, shared, _open_files(pid))


def total(init: int, uses: Iterable[Use]) -> int:
    """At least what the sandbox of this init uses: what processes share is counted once, and by the largest share."""
    uses = list(uses)
    files = {inode: size for use in uses for inode, size in use.files.items()}
    in_files = sum(files.values()) + sum(_used(f"/proc/{init}/root/{folder}") for folder in FOLDERS)
    return sum(use.private for use in uses) + max([in_files, *(use.shared for use in uses)])


def _used(folder: str) -> int:
    with contextlib.suppress(OSError):
        state = os.statvfs(folder)
        return (state.f_blocks - state.f_bfree) * state.f_frsize
    return 0


def _open_files(pid: int) -> dict[int, int]:
    found = {}
    with contextlib.suppress(OSError):
        for file in Path(f"/proc/{pid}/fd").iterdir():
            with contextlib.suppress(OSError):
                state = file.stat()
                if state.st_dev == _nameless():
                    found[state.st_ino] = state.st_blocks * 512
    return found


@functools.cache
def _nameless() -> int:
    """The file system in which the kernel keeps what memfd_create makes: one for the whole machine."""
    trial = os.memfd_create("outrider")
    try:
        return os.fstat(trial).st_dev
    finally:
        os.close(trial)
