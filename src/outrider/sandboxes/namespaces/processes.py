"""Host processes by pid and start time, which together name one process until the machine goes down."""

import asyncio
import os
import select
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

GONE_SECONDS = 10.0
"""How long a killed process may take to be gone; measured 2-6 ms for a whole sandbox."""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """One process, told apart from a later one that got its pid."""

    pid: int
    started: int
    """Field 22 of /proc/PID/stat: clock ticks after boot."""

    def alive(self) -> bool:
        """Whether it exists and something of it runs: a process whose first thread has ended looks like a zombie."""
        fields = _stat(self.pid)
        return fields is not None and (fields[0] != "Z" or int(fields[17]) > 1) and int(fields[19]) == self.started


def kill(identity: ProcessIdentity) -> None:
    """Send SIGKILL, never to a successor with the same pid."""
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return
    try:
        if identity.alive():
            signal.pidfd_send_signal(fd, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        os.close(fd)


async def wait_gone(identity: ProcessIdentity) -> bool:
    """Wait until it has ended; False after GONE_SECONDS."""
    try:
        fd = os.pidfd_open(identity.pid)
    except ProcessLookupError:
        return True
    try:
        return not identity.alive() or await asyncio.to_thread(_poll, fd)
    finally:
        os.close(fd)


def identify(pid: int) -> ProcessIdentity | None:
    """The process that has this pid now."""
    fields = _stat(pid)
    return ProcessIdentity(pid, int(fields[19])) if fields else None


def process_trees(roots: list[int]) -> dict[int, list[int]]:
    """For each root the pids below it, itself included, from one look at /proc. All of a sandbox is below its init:
    orphans fall to it."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    trees = {}
    for root in roots:
        found = [root]
        for pid in found:
            found += children.get(pid, [])
        trees[root] = found
    return trees


def _parents() -> Iterator[tuple[int, int]]:
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            fields = _stat(int(entry.name))
            if fields:
                yield int(entry.name), int(fields[1])


def _stat(pid: int) -> list[str] | None:
    """Fields of /proc/PID/stat from the state on; the name before may hold anything but ends at the last bracket."""
    try:
        text = Path(f"/proc/{pid}/stat").read_text(errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _poll(fd: int) -> bool:
    poller = select.poll()
    poller.register(fd, select.POLLIN)
    return bool(poller.poll(GONE_SECONDS * 1000))
