"""Memory in files that have no name in any folder (memfd_create), found at the processes that have them open."""

import contextlib
import ctypes
import json
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from outrider.sandboxes.namespaces.mapped import userns
from outrider.sandboxes.namespaces.mapped.userns import IdMap

KCMP = {"x86_64": 312, "aarch64": 272}.get(platform.machine())
KCMP_FILES = 2

_libc = ctypes.CDLL(None, use_errno=True)


def nameless(_ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """By pid: inodes and bytes of such files. Of each of `sandboxes`, which name their `init` (pid and start time) and
    `pids`, as many processes in that order as have `files` open files between all sandboxes; at least one."""
    device = file_system()
    looked: dict[str, list[tuple[int, int]]] = {}
    share = request["files"] // max(len(request["sandboxes"]), 1)
    for sandbox in request["sandboxes"]:
        looked |= _in_namespace(sandbox["init"], sandbox["pids"], share, device)
    return {"looked": looked}


def _in_namespace(init: Sequence[int], pids: Sequence[int], budget: int, device: int) -> dict[str, Any]:
    """The answer of a child that has joined the sandbox: nobody can leave it again for the next one. Where it has gone
    there is nothing to be found."""
    told = os.memfd_create("told")

    def work() -> None:
        with os.fdopen(told, "w", closefd=False) as file:
            json.dump(look(pids, budget, device), file)

    userns.run_joined(init, work)
    os.lseek(told, 0, os.SEEK_SET)
    return dict(json.loads(userns.read_all(told) or b"{}") or dict.fromkeys(map(str, pids), ()))


def look(pids: Sequence[int], budget: int, device: int) -> dict[int, list[tuple[int, int]]]:
    """By pid: inode and bytes of each file of that file system, as far as the budget of open files reaches."""
    looked: dict[int, list[tuple[int, int]]] = {}
    for pid in pids:
        if budget <= 0:
            break
        found: dict[int, int] = {}
        for thread in _tables(pid):
            budget -= 1 + _files(Path(f"/proc/{pid}/task/{thread}/fd"), device, found)
        looked[pid] = list(found.items())
    return looked


def _tables(pid: int) -> Iterator[int]:
    """A thread for each table of open files: most processes have one table, but each thread may have its own."""
    before = 0
    with contextlib.suppress(OSError):
        for thread in (int(path.name) for path in Path(f"/proc/{pid}/task").iterdir()):
            if not before or not _same_table(before, thread):
                yield thread
            before = thread


def _same_table(one: int, other: int) -> bool:
    return KCMP is not None and _libc.syscall(KCMP, one, other, KCMP_FILES, 0, 0) == 0


def _files(folder: Path, device: int, found: dict[int, int]) -> int:
    """How many files were looked at."""
    count = 0
    with contextlib.suppress(OSError):
        for file in folder.iterdir():
            count += 1
            with contextlib.suppress(OSError):
                state = file.stat()
                if state.st_dev == device and state.st_blocks:
                    found[state.st_ino] = state.st_blocks * 512
    return count


def file_system() -> int:
    """The file system in which the kernel keeps what memfd_create makes: one for the whole machine."""
    trial = os.memfd_create("outrider")
    try:
        return os.fstat(trial).st_dev
    finally:
        os.close(trial)
