"""Have every process of a sandbox stand still, and go on again.

By the kernel's freezer where the sandbox has a control group, by SIGSTOP otherwise. A marker on disk says that it may
be standing still, so that whoever finds it after our death lets it go on.
"""

import contextlib
import os
import signal
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from outrider.sandboxes.namespaces.mapped.userns import Failure

STILL_SECONDS = 5.0
"""How long all processes may take to stand still; measured 1-3 ms. One that waits for a dead disk never does."""

QUIET_ROUNDS = 2
"""So many looks in a row must find nothing that runs: what was forked during one is found by the next."""

STOPPED = "TtZXx"
"""States of /proc/PID/stat in which a thread executes nothing."""


@contextlib.contextmanager
def standing_still(request: Mapping[str, Any]) -> Iterator[None]:
    """For as long as the context lives nothing of the sandbox runs. `request` names the `marker`, the `groups` and
    `init`, pid and start time of the sandbox's first process. Raises Failure where it does not come to rest."""
    marker = Path(request["marker"])
    marker.touch()
    freezer = _freezer(request["groups"])
    halted: list[int] = []
    try:
        if freezer:
            _set_freezer(freezer, frozen=True)
        else:
            _stop_tree(request["init"], halted)
        yield
    finally:
        if freezer:
            _set_freezer(freezer, frozen=False)
        _continue(halted)
        marker.unlink(missing_ok=True)


def go_on(request: Mapping[str, Any]) -> None:
    """Let everything of a sandbox go on that a killed call has left standing still."""
    freezer = _freezer(request["groups"])
    if freezer:
        _set_freezer(freezer, frozen=False)
    if _is(request["init"]):
        _continue(_below(request["init"][0]))
    Path(request["marker"]).unlink(missing_ok=True)


def _freezer(groups: Sequence[str]) -> Path | None:
    """The file that freezes, of version 1 or 2."""
    files = (Path(group, name) for group in groups for name in ("freezer.state", "cgroup.freeze"))
    return next((file for file in files if file.exists()), None)


def _set_freezer(file: Path, *, frozen: bool) -> None:
    first = file.name == "freezer.state"
    word = ("FROZEN" if frozen else "THAWED") if first else str(int(frozen))
    answers = file if first else file.with_name("cgroup.events")
    wanted = word if first else f"frozen {word}"
    deadline = time.monotonic() + STILL_SECONDS
    file.write_text(word)
    while wanted not in answers.read_text().splitlines():
        if time.monotonic() > deadline:
            raise Failure("still", 0, "its processes did not come to rest")
        time.sleep(0.001)
        if first:
            file.write_text(word)  # version 1 tries again only when it is told again


def _stop_tree(init: Sequence[int], halted: list[int]) -> None:
    """Stop all that is below the sandbox's init, parents first so that none sees a child stop. Init itself runs nothing
    of the guest's and takes in orphans meanwhile. What stood still already is not ours to wake."""
    deadline = time.monotonic() + STILL_SECONDS
    quiet = 0
    while quiet < QUIET_ROUNDS and _is(init):
        running = [pid for pid in _below(init[0]) if _runs(pid)]
        for pid in running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
                if pid not in halted:
                    halted.append(pid)
        quiet = 0 if running else quiet + 1
        if time.monotonic() > deadline:
            raise Failure("still", 0, "its processes did not come to rest")


def _continue(pids: Sequence[int]) -> None:
    """Children first: no parent finds a child stopped."""
    for pid in reversed(pids):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def _below(root: int) -> list[int]:
    """The pids below `root`, parents before children. Whole only once they stand still, so it is asked again."""
    found: list[int] = []
    for parent in (*_children(root),):
        found.append(parent)
    for pid in found:
        found += [child for child in _children(pid) if child not in found]
    return found


def _children(pid: int) -> list[int]:
    found = []
    with contextlib.suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(OSError):
                found += [int(child) for child in (thread / "children").read_text().split()]
    return found


def _runs(pid: int) -> bool:
    """Whether any of its threads may execute something. One that waits in vfork for a child that was stopped cannot,
    though it never shows as stopped itself."""
    with contextlib.suppress(OSError):
        states = {_state(thread / "stat") for thread in Path(f"/proc/{pid}/task").iterdir()}
        if "D" in states and any(_state(Path(f"/proc/{child}/stat")) in STOPPED for child in _children(pid)):
            states.remove("D")
        return not states <= set(STOPPED)
    return False


def _state(stat: Path) -> str:
    try:
        return stat.read_text(errors="replace").rpartition(")")[2].split()[0]
    except OSError:
        return "X"


def _is(identity: Sequence[int]) -> bool:
    pid, started = identity
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[19]) == started
    return False
