"""Start a sandbox: join its cgroups, mount its root, become bubblewrap. Also the probe, which starts a bare one."""

import contextlib
import json
import os
import resource
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from outrider.sandboxes.namespaces.mapped import btrfs, mounts, userns
from outrider.sandboxes.namespaces.mapped.userns import Failure, IdMap

SECCOMP_FD = 10
INFO_FD = 11
READY_SECONDS = 20.0
"""How long bubblewrap and the listener may take; measured 15 ms on an idle machine."""


def launch(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Start a sandbox and answer with the pids and start times of bubblewrap and of the sandbox's init."""
    # Where the whole machine runs out of memory, the kernel takes a sandbox's process before one of the server's.
    Path("/proc/self/oom_score_adj").write_text("500")
    info_read, info_write = os.pipe()
    child, report = userns.fork_mapped(ids, lambda: _become_bwrap(request, info_write), linger=True)
    os.close(info_write)
    try:
        userns.raise_reported(userns.read_all(report))
        inner = _inner_pid(info_read)
        _await_listener(child, f"{request['box']}/run/ssh.sock")
        pids = {"outer": _identity(child), "inner": _identity(inner)}
        _write_atomically(Path(request["pids_file"]), json.dumps(pids))
    except BaseException:
        _kill_tree(child)
        raise
    return pids


def probe(ids: IdMap, request: Mapping[str, Any]) -> dict[str, Any]:
    """Run `true` in a sandbox of the host's own files, over an overlay of the kind that sandboxes have."""
    child, report = userns.fork_mapped(ids, lambda: _become_probe(request))
    userns.raise_reported(userns.read_all(report))
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise Failure("bwrap", 0, Path(request["log"]).read_text(errors="replace")[-400:].strip())
    return {}


def _become_bwrap(request: Mapping[str, Any], info: int) -> None:
    os.setsid()
    seccomp = _redirect(request)
    _prepare_box(request)
    mounts.stage(request["layers"], request["box"], request["toolbox"])
    _limit(request["rlimits"])
    _exec(request["argv"], {SECCOMP_FD: seccomp, INFO_FD: info})


def _become_probe(request: Mapping[str, Any]) -> None:
    seccomp = _redirect(request)
    box = request["box"]
    try:
        for name in ("lower", "upper", "work", "root"):
            Path(box, name).mkdir(parents=True, exist_ok=True)
        mounts.private_namespace()
        options = f"lowerdir={box}/lower,upperdir={box}/upper,workdir={box}/work,userxattr,volatile"
        mounts.mount("overlay", f"{box}/root", "overlay", 0, options)
    except OSError as error:
        raise Failure("overlay", error.errno or 0) from error
    _exec(request["argv"], {SECCOMP_FD: seccomp})


def _redirect(request: Mapping[str, Any]) -> int:
    """Open what the mapped root may not open, before; here the fds are inherited and put in place."""
    os.dup2(request["null_fd"], 0)
    os.dup2(request["null_fd"], 1)
    os.dup2(request["log_fd"], 2)
    return int(request["seccomp_fd"])


def _prepare_box(request: Mapping[str, Any]) -> None:
    box = Path(request["box"])
    if not box.exists():
        btrfs.make_folder(box)
    for name in ("upper", "run"):
        (box / name).mkdir(exist_ok=True)
    # A workdir left by a `volatile` mount is refused by the next mount: each start has a fresh one.
    with contextlib.suppress(FileNotFoundError):
        (box / "work").rename(Path("trash", f"{box.name}-work-{os.getpid()}"))
    (box / "work").mkdir()
    with contextlib.suppress(FileNotFoundError):
        (box / "run" / "ssh.sock").unlink()
    for name, (text, mode) in request["files"].items():
        path = box / "run" / name
        path.write_text(text)
        path.chmod(mode)


def _limit(rlimits: Mapping[str, int]) -> None:
    for name, value in rlimits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        _, hard = resource.getrlimit(kind)
        bound = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (bound, bound))


def _exec(argv: Sequence[str], fds: Mapping[int, int]) -> None:
    for target, source in fds.items():
        os.dup2(source, target, inheritable=True)
    os.closerange(max(fds) + 1, 4096)
    os.closerange(3, min(fds))
    try:
        # An empty environment: nothing of the host's reaches the guest.
        os.execve(argv[0], list(argv), {})
    except OSError as error:
        raise Failure("bwrap", error.errno or 0) from error


def _inner_pid(info: int) -> int:
    """Bubblewrap's `--info-fd` says the host pid of the sandbox's init. The JSON comes in pieces."""
    text = userns.read_all(info)
    if not text.rstrip().endswith(b"}"):
        raise Failure("bwrap", 0, "bubblewrap ended before the sandbox was up")
    return int(json.loads(text)["child-pid"])


def _await_listener(child: int, socket: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not Path(socket).is_socket():
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            raise Failure("bwrap", 0, "bubblewrap ended before the sandbox was up")
        if time.monotonic() > deadline:
            raise Failure("listener", 0, "nothing listened in the sandbox in time; is socat in its image?")
        time.sleep(0.002)


def _identity(pid: int) -> list[int]:
    """A pid and its start time: together they name one process for as long as the machine is up."""
    stat = Path(f"/proc/{pid}/stat").read_text()
    return [pid, int(stat.rpartition(")")[2].split()[19])]


def _kill_tree(child: int) -> None:
    """Kill the sandbox's init first: bubblewrap's outer process does not take it along."""
    with contextlib.suppress(OSError):
        for pid in Path(f"/proc/{child}/task/{child}/children").read_text().split():
            os.kill(int(pid), signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(child, signal.SIGKILL)


def _write_atomically(path: Path, text: str) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text(text)
    fresh.rename(path)
