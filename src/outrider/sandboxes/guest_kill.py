"""Runs in the guest, from stdin, as its user: kill everything but the spared. Prints how many were killed.

Spared are the sshds of living connections (children of the listener, which is not ours, or sent in from outside), the
way from here up to them, and every process of a session whose leader was started over such a connection with a spared
OUTRIDER_ROLE. A process that left its session by setsid is not spared, whatever environment it inherited; but where
services are to be spared, everything below a process that began as one is.
"""

import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

SECONDS = 2.5
"""How long it goes on: less than our caller waits. A killed engine of half a gigabyte needs a moment to die, on a busy
machine a second."""

NAP_SECONDS = 0.005


SERVICE = "service"
"""The role of services: they are started detached, and outlive the connection that started them."""


class Seen(NamedTuple):
    """What the kernel says about a process."""

    parent: int
    session: int
    uid: int


def processes() -> Iterator[tuple[int, Seen]]:
    """Every process that is not a zombie."""
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text(errors="replace").rpartition(")")[2].split()
            # The folder of a process that may not be traced belongs to root, whoever runs it.
            status = (folder / "status").read_text(errors="replace")
            uid = int(status.partition("\nUid:")[2].split(maxsplit=1)[0])
        except (OSError, IndexError):
            continue
        if fields[0] not in "ZX":
            yield int(folder.name), Seen(int(fields[1]), int(fields[3]), uid)


def role(pid: int) -> str:
    """OUTRIDER_ROLE in the environment that the process began with."""
    try:
        rows = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return ""
    return next((row[14:].decode(errors="replace") for row in rows if row.startswith(b"OUTRIDER_ROLE=")), "")


def doomed(spare: set[str]) -> list[int]:
    """The pids to kill now."""
    table = dict(processes())
    mine = os.getuid()
    ways_in = carriers(table, mine)
    leaders = [pid for pid, seen in table.items() if seen.session == pid and seen.parent in ways_in]
    kept = {leader for leader in leaders if role(leader) in spare}
    spared, pid = set(ways_in) | (services(table, mine) if SERVICE in spare else set()), os.getpid()
    while pid in table:
        spared.add(pid)
        pid = table[pid].parent
    return [pid for pid, seen in table.items() if seen.uid == mine and pid not in spared and seen.session not in kept]


def services(table: Mapping[int, Seen], mine: int) -> set[int]:
    """Processes that began as services, and their descendants: a database overwrites its environment, or forks into
    sessions of its own."""
    found = {pid for pid, seen in table.items() if seen.uid == mine and role(pid) == SERVICE}
    while True:
        below = {pid for pid, seen in table.items() if seen.parent in found} - found
        if not below:
            return found
        found |= below


def carriers(table: Mapping[int, Seen], mine: int) -> set[int]:
    """The sshds of living connections: children of a listener that is another user's, and the sshd that each of
    them makes for its user. Orphans fall to pid 1, so its children are not trusted to be any. A process without a
    parent here was put here from outside: no guest can make one."""
    others = {pid for pid, seen in table.items() if seen.uid != mine and pid != 1}
    first = {pid for pid, seen in table.items() if seen.parent in others or (seen.parent == 0 and pid != 1)}
    return first | {pid for pid, seen in table.items() if seen.parent in first and is_sshd(pid)}


def is_sshd(pid: int) -> bool:
    """Whether it runs sshd's program. One whose program may not be looked at has dropped rights: sshd does."""
    try:
        return Path(f"/proc/{pid}/exe").readlink().name == "sshd"
    except OSError:
        return True


def kill(pids: list[int]) -> None:
    """Stop all of them first, so that none can start another while its turn comes."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue


def main() -> None:
    """Repeat until nothing is left."""
    spare = set(sys.argv[1:])
    killed: set[int] = set()
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        found = doomed(spare)
        if not found:
            sys.stdout.write(f"{len(killed)}\n")
            return
        kill(found)
        if killed.issuperset(found):
            time.sleep(NAP_SECONDS)
        killed.update(found)
    sys.exit("some processes come back faster than they can be killed.")


main()
