"""What a turn has started: the ways in which it hides from a stop, and when the kernel says that it is dead."""

import os
import select
import signal
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

KINDS = {"nohup", "setsid", "double-forked", "deaf to SIGTERM"}


@dataclass(frozen=True)
class Child:
    """A process, as the machine that runs the tests sees it."""

    pid: int
    parent: int
    session: int
    arguments: str
    ignored: int
    """The signals that it ignores: bit 0 is signal 1."""

    def ignores(self, number: signal.Signals) -> bool:
        return bool(self.ignored >> (number - 1) & 1)


def children(mark: str) -> list[Child]:
    """Every process with these words in its command line that is not dead."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError, IndexError, ValueError):
            arguments = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            state, parent, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if mark in arguments and state not in "ZX":
                ignored = (folder / "status").read_text().partition("SigIgn:")[2].split(maxsplit=1)[0]
                found.append(Child(int(folder.name), int(parent), int(session), arguments, int(ignored, 16)))
    return found


def kinds(found: list[Child]) -> set[str]:
    """Which ways to outlive a shell are among them."""
    pids = {child.pid for child in found}
    told = set()
    for child in found:
        if child.ignores(signal.SIGTERM):
            told.add("deaf to SIGTERM")
        elif child.ignores(signal.SIGHUP):
            told.add("nohup")
        if child.session == child.pid and child.arguments.startswith("sleep"):
            told.add("setsid")
        if child.session not in (child.pid, *(pids - {child.pid})) and child.parent not in pids:
            told.add("double-forked")
    return told


class Deaths:
    """Watches processes from now on in a thread of its own, so that a busy event loop hides nothing."""

    def __init__(self, found: list[Child]) -> None:
        self._handles = {}
        for child in found:
            with suppress(ProcessLookupError):
                self._handles[os.pidfd_open(child.pid)] = child
        self.last = 0.0
        """When the last one died, in seconds of the wall clock. 0 as long as one lives."""
        self._thread = threading.Thread(target=self._watch, name="deaths", daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        poll = select.poll()
        for handle in self._handles:
            poll.register(handle, select.POLLIN)
        while self._handles:
            for handle, _ in poll.poll():
                poll.unregister(handle)
                os.close(handle)
                del self._handles[handle]
        self.last = time.time()

    def join(self, seconds: float) -> list[str]:
        """Wait so long for the last one. What lives nevertheless."""
        self._thread.join(seconds)
        return [child.arguments for child in self._handles.values()]
