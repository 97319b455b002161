"""Enter a user namespace that maps guest ids 0..65535 to host ids which own nothing else."""

import contextlib
import ctypes
import json
import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple, NoReturn

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


class Failure(Exception):
    """A step failed: which, and the errno where there is one."""

    def __init__(self, step: str, number: int = 0, detail: str = "") -> None:
        super().__init__(f"{step}: {detail or os.strerror(number)}")
        self.answer = {"failed": step, "errno": number, "detail": detail or os.strerror(number)}


class IdMap(NamedTuple):
    """Host ids behind guest 0..size-1. `tools` says that newuidmap and newgidmap must write the map, not we."""

    uid_start: int
    gid_start: int
    size: int
    tools: bool


def check(result: int, step: str) -> None:
    """Turn the -1 of a libc call into a Failure."""
    if result != 0:
        raise Failure(step, ctypes.get_errno())


def unshare(flags: int, step: str) -> None:
    """Leave the given namespaces for new ones."""
    check(_libc.unshare(flags), step)


def die_with_parent() -> None:
    """Ask the kernel to kill this process when its parent dies. Changing user undoes it: call it afterwards."""
    check(_libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0), "prctl")


def fork_mapped(ids: IdMap, work: Callable[[], None], *, linger: bool = False) -> tuple[int, int]:
    """Fork a child that becomes root of a new mapped user namespace and then does `work`, which may exec.

    Returns its pid and a pipe that carries a Failure's answer, or ends empty when the child ended well or exec'd.
    With `linger` the child may outlive this process; otherwise it dies with it.
    """
    ready_read, ready_write = os.pipe()
    go_read, go_write = os.pipe()
    report_read, report_write = os.pipe()
    child = os.fork()
    if child == 0:
        for fd in (ready_read, go_write, report_read):
            os.close(fd)
        _child(work, (ready_write, go_read, report_write), linger)
    for fd in (ready_write, go_read, report_write):
        os.close(fd)
    try:
        if os.read(ready_read, 1) == b"u":
            _write_maps(child, ids)
            os.write(go_write, b"g")
    except Failure:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    finally:
        os.close(ready_read)
        os.close(go_write)
    return child, report_read


def run_mapped(ids: IdMap, work: Callable[[], None]) -> None:
    """Do `work` as root of a mapped namespace in a child, and wait for it: where the waiting is cut off, so is the
    work. Raises its Failure here."""
    _await(*fork_mapped(ids, work))


def run_joined(init: Sequence[int], work: Callable[[], None]) -> None:
    """Do `work` in a child with every right over the user namespace of that process, given by pid and start time, as
    who made the namespace has; nothing is done where the process has gone. Waits and raises as `run_mapped`."""
    with (
        contextlib.suppress(FileNotFoundError, ProcessLookupError),
        Path(f"/proc/{init[0]}/ns/user").open("rb") as place,
    ):
        if tuple(init) != (init[0], started(init[0])):
            return
        report_read, report_write = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(report_read)
            _told(lambda: _join(place.fileno(), work), report_write)
        os.close(report_write)
        _await(child, report_read)


def started(pid: int) -> int:
    """Start time of the process: clock ticks after boot."""
    return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19])


def _join(namespace: int, work: Callable[[], None]) -> None:
    check(_libc.setns(namespace, CLONE_NEWUSER), "join user namespace")
    die_with_parent()
    work()


def _await(child: int, report: int) -> None:
    try:
        answer = read_all(report)
        _, status = os.waitpid(child, 0)
    except BaseException:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        raise
    raise_reported(answer)
    if status != 0:
        raise Failure("work", 0, f"the helper ended with status {status}")


def raise_reported(answer: bytes) -> None:
    """Raise the Failure that a child reported, if any."""
    if answer:
        told = json.loads(answer)
        raise Failure(told["failed"], told["errno"], told["detail"])


def read_all(fd: int) -> bytes:
    """Read a pipe to its end and close it."""
    with os.fdopen(fd, "rb") as pipe:
        return pipe.read()


def _child(work: Callable[[], None], fds: tuple[int, int, int], linger: bool) -> None:
    ready, go, report = fds

    def become_root() -> None:
        unshare(CLONE_NEWUSER, "user namespace")
        os.write(ready, b"u")
        os.close(ready)
        if os.read(go, 1) != b"g":
            os._exit(1)
        os.close(go)
        os.setgroups([])
        os.setresgid(0, 0, 0)
        os.setresuid(0, 0, 0)
        os.umask(0o022)
        if not linger:
            die_with_parent()
        work()

    _told(become_root, report)


def _told(work: Callable[[], None], report: int) -> NoReturn:
    """Do it as the last thing that this process does; what failed is told."""
    status = 1
    try:
        work()
        status = 0
    except Failure as failure:
        os.write(report, json.dumps(failure.answer).encode())
    except OSError as error:
        told = {"failed": "work", "errno": error.errno or 0, "detail": f"{error.strerror}: {error.filename}"}
        os.write(report, json.dumps(told).encode())
    finally:
        os._exit(status)


def _write_maps(pid: int, ids: IdMap) -> None:
    for tool, name, start in (("newuidmap", "uid_map", ids.uid_start), ("newgidmap", "gid_map", ids.gid_start)):
        if ids.tools:
            _run_tool(tool, str(pid), "0", str(start), str(ids.size))
        else:
            Path(f"/proc/{pid}/{name}").write_text(f"0 {start} {ids.size}\n")


def _run_tool(*argv: str) -> None:
    """Without the subprocess module, whose import would be a tenth of the time that a sandbox takes to start."""
    errors, inlet = os.pipe()
    tool = os.posix_spawnp(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, inlet, 2)])  # noqa: TID251 - ours, set by the caller
    os.close(inlet)
    said = read_all(errors).decode(errors="replace").strip()
    _, status = os.waitpid(tool, 0)
    if status != 0:
        raise Failure(argv[0], 0, said)
